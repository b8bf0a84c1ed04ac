//! White noise on samples.

use super::InPlace;
use crate::rng::{KeyedRng, Purpose, RngKey, normal};
use crate::{BlockError, Result};
use num_complex::Complex32;

/// Adds n ~ CN(0, variance) to every sample: half of the variance in each real dimension.
#[derive(Clone, Debug)]
pub struct SampleNoise {
    rng: KeyedRng,
    scale: f32,
}

impl SampleNoise {
    /// - key, receiver: whose noise it is; receivers of one seed have noise of their own
    /// - variance: per complex sample
    /// - errors: a variance that is negative or not finite
    pub fn new(key: RngKey, receiver: usize, variance: f32) -> Result<Self> {
        if !(variance.is_finite() && variance >= 0.0) {
            return Err(BlockError::invalid("noise variance", variance, "a finite number, at least 0"));
        }
        let rng = key.stream(Purpose::SampleNoise, 0, receiver);
        Ok(Self { rng, scale: (variance / 2.0).sqrt() })
    }
}

impl InPlace for SampleNoise {
    fn apply(&mut self, samples: &mut [Complex32]) -> Result<()> {
        for sample in samples {
            let (re, im) = (normal(&mut self.rng), normal(&mut self.rng));
            *sample += Complex32::new(re, im) * self.scale;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_the_variance_and_neighbours_have_nothing_in_common() {
        let len = 200_000;
        let mut samples = vec![Complex32::ZERO; len];
        SampleNoise::new(RngKey::new(3), 0, 0.25).unwrap().apply(&mut samples).unwrap();
        // |n|^2 is exponential with mean 0.25: its mean has a standard error of 0.25 / sqrt(len); 4 sigma.
        let bound = 4.0 * 0.25 / (len as f64).sqrt();
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / len as f64;
        let power = mean(samples.iter().map(|n| f64::from(n.norm_sqr())).collect());
        assert!((power - 0.25).abs() < bound, "{power}");
        let lagged: Complex32 = samples.windows(2).map(|pair| pair[0].conj() * pair[1]).sum();
        assert!(f64::from(lagged.norm()) / (len as f64) < bound);
        let in_phase = mean(samples.iter().map(|n| f64::from(n.re * n.re)).collect());
        assert!((in_phase - 0.125).abs() < bound);
    }

    #[test]
    fn receivers_have_noise_of_their_own() {
        let of = |receiver| {
            let mut samples = [Complex32::ZERO; 4];
            SampleNoise::new(RngKey::new(3), receiver, 1.0).unwrap().apply(&mut samples).unwrap();
            samples
        };
        assert!(of(0) == of(0) && of(0) != of(1));
        assert!(SampleNoise::new(RngKey::new(0), 0, -1.0).is_err());
    }
}
