//! A value that drifts at an unknown rate, seen through noise.

/// Kalman filter of a value and its rate per step.
///
/// Source: any textbook, such as Bar-Shalom, Li and Kirubarajan, "Estimation with applications to tracking and
/// navigation" (2001), chapter 6: the constant-velocity model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    value: f64,
    rate: f64,
    /// Variances of value and rate, and their covariance.
    variances: [f64; 2],
    covariance: f64,
    /// What a step adds to the variances of value and rate.
    wander: [f64; 2],
}

impl Drift {
    /// - variances: of value and rate about nothing, before anything is seen
    /// - wander: variances by which value and rate change from step to step besides
    pub fn new(variances: [f64; 2], wander: [f64; 2]) -> Self {
        Self { value: 0.0, rate: 0.0, variances, covariance: 0.0, wander }
    }

    /// The value as it is believed to be now.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Change per step, as it is believed to be.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Moves the value, as where its origin is moved.
    pub fn shift(&mut self, by: f64) {
        self.value += by;
    }

    /// Goes on by one step.
    pub fn step(&mut self) {
        self.value += self.rate;
        let [value, rate] = self.variances;
        self.variances = [value + 2.0 * self.covariance + rate + self.wander[0], rate + self.wander[1]];
        self.covariance += rate;
    }

    /// Takes in what was seen.
    ///
    /// - surprise: what was seen less the value
    /// - variance: of what was seen; infinite or NaN: nothing was seen
    pub fn observe(&mut self, surprise: f64, variance: f64) {
        let total = self.variances[0] + variance;
        if !(total.is_finite() && total > 0.0 && surprise.is_finite()) {
            return;
        }
        let gains = [self.variances[0] / total, self.covariance / total];
        self.value += gains[0] * surprise;
        self.rate += gains[1] * surprise;
        self.variances[1] -= gains[1] * self.covariance;
        self.covariance *= 1.0 - gains[0];
        self.variances[0] *= 1.0 - gains[0];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey, normal};

    #[test]
    fn a_steady_drift_is_followed_better_and_better() {
        let mut rng = RngKey::new(31).stream(Purpose::Scene, 0, 0);
        let (mut filter, mut errors) = (Drift::new([1.0, 0.01], [0.0, 0.0]), vec![]);
        for step in 0..400 {
            let truth = 0.3 + 0.05 * f64::from(step);
            filter.observe(truth + 0.1 * f64::from(normal(&mut rng)) - filter.value(), 0.01);
            errors.push((filter.value() - truth).abs());
            filter.step();
        }
        // Least squares over n points knows the end to 2 sigma / sqrt(n): 0.01 after 400; 4 of them.
        assert!(errors[390..].iter().all(|error| *error < 0.04), "{:?}", &errors[390..]);
        assert!((filter.rate() - 0.05).abs() < 4e-4, "{}", filter.rate());
    }

    #[test]
    fn nothing_seen_changes_nothing() {
        let mut filter = Drift::new([1.0, 1.0], [0.0, 0.0]);
        filter.observe(0.5, 0.1);
        filter.step();
        let before = filter;
        filter.observe(3.0, f64::INFINITY);
        filter.observe(f64::NAN, 0.1);
        assert_eq!(filter, before);
    }
}
