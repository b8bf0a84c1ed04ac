//! Mean with its 95 % confidence interval.

/// The mean of independent samples and how far from it the true mean may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confidence {
    /// Mean of the samples; NaN without samples.
    pub mean: f64,
    /// Half the width of the 95 % confidence interval (Student's t); infinite below two samples.
    pub half_width: f64,
    /// Number of samples.
    pub count: usize,
}

impl Confidence {
    /// Summarises samples, taken to be independent.
    pub fn of(samples: &[f64]) -> Self {
        let count = samples.len();
        let mean = samples.iter().sum::<f64>() / count as f64;
        if count < 2 {
            return Self { mean, half_width: f64::INFINITY, count };
        }
        let squares: f64 = samples.iter().map(|sample| (sample - mean).powi(2)).sum();
        let standard_error = (squares / (count - 1) as f64 / count as f64).sqrt();
        Self { mean, half_width: student_t_975(count - 1) * standard_error, count }
    }

    /// As [`Confidence::of`], where samples of one cluster are alike: only clusters are taken to be independent.
    ///
    /// - clusters: that of each sample, by number; samples of one cluster follow each other
    /// - the cluster-robust standard error, sqrt(G / (G - 1) sum over clusters of (sum of deviations)^2) / n, with
    ///   Student's t of G - 1 degrees: that of [`Confidence::of`] where every sample is a cluster
    ///
    /// Source: Cameron and Miller, "A practitioner's guide to cluster-robust inference", Journal of Human
    /// Resources 50 (2015).
    pub fn of_clusters(samples: &[f64], clusters: &[usize]) -> Self {
        let count = samples.len();
        let mean = samples.iter().sum::<f64>() / count as f64;
        let pairs: Vec<(f64, usize)> = samples.iter().copied().zip(clusters.iter().copied()).collect();
        let sums: Vec<f64> = pairs
            .chunk_by(|a, b| a.1 == b.1)
            .map(|cluster| cluster.iter().map(|(sample, _)| sample - mean).sum())
            .collect();
        if sums.len() == count {
            return Self::of(samples);
        }
        if sums.len() < 2 {
            return Self { mean, half_width: f64::INFINITY, count };
        }
        let groups = sums.len() as f64;
        let squares: f64 = sums.iter().map(|sum| sum * sum).sum();
        let standard_error = (groups / (groups - 1.0) * squares).sqrt() / count as f64;
        Self { mean, half_width: student_t_975(sums.len() - 1) * standard_error, count }
    }

    /// The ratio of two means over the same samples, by linearisation (the delta method).
    ///
    /// - numerators, denominators: sample by sample; clusters as for [`Confidence::of_clusters`]
    /// - half width: infinite where the mean below is not known to a tenth, for there linearisation fails
    pub fn of_ratio(numerators: &[f64], denominators: &[f64], clusters: &[usize]) -> Self {
        const KNOWN_TO: f64 = 0.1;
        let below = Self::of_clusters(denominators, clusters);
        let ratio = numerators.iter().sum::<f64>() / numerators.len() as f64 / below.mean;
        let residual = |(above, below): (&f64, &f64)| above - ratio * below;
        let residuals: Vec<f64> = numerators.iter().zip(denominators).map(residual).collect();
        let of_residuals = Self::of_clusters(&residuals, clusters);
        // Half a width is two standard errors.
        let is_known = below.half_width <= 2.0 * KNOWN_TO * below.mean.abs();
        let half_width = if is_known { of_residuals.half_width / below.mean.abs() } else { f64::INFINITY };
        Self { mean: ratio, half_width, count: of_residuals.count }
    }

    /// Lower end of the interval.
    pub fn low(&self) -> f64 {
        self.mean - self.half_width
    }

    /// Upper end of the interval.
    pub fn high(&self) -> f64 {
        self.mean + self.half_width
    }
}

/// Samples that come one after the other, by Welford's method: no cancellation, no memory of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunningConfidence {
    count: usize,
    mean: f64,
    squares: f64,
}

impl RunningConfidence {
    /// Adds a sample.
    pub fn add(&mut self, sample: f64) {
        self.count += 1;
        let from_mean = sample - self.mean;
        self.mean += from_mean / self.count as f64;
        self.squares += from_mean * (sample - self.mean);
    }

    /// The samples so far, summarised.
    pub fn summary(&self) -> Confidence {
        let Self { count, mean, squares } = *self;
        if count < 2 {
            let mean = if count == 0 { f64::NAN } else { mean };
            return Confidence { mean, half_width: f64::INFINITY, count };
        }
        let standard_error = (squares / (count - 1) as f64 / count as f64).sqrt();
        Confidence { mean, half_width: student_t_975(count - 1) * standard_error, count }
    }
}

/// The 97.5 % quantile of Student's t for up to 10 degrees of freedom, as in any printed table.
const SMALL_T: [f64; 10] = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281];

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The 97.5 % quantile of Student's t: a table, then the expansion about the normal quantile of
/// Abramowitz and Stegun 26.7.5, right to 1e-4.
fn student_t_975(degrees: usize) -> f64 {
    if let Some(quantile) = degrees.checked_sub(1).and_then(|index| SMALL_T.get(index)) {
        return *quantile;
    }
    let per_degree = 1.0 / degrees as f64;
    let first = (Z.powi(3) + Z) / 4.0;
    let second = (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0;
    let third = (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0;
    let fourth = (79.0 * Z.powi(9) + 776.0 * Z.powi(7) + 1482.0 * Z.powi(5) - 1920.0 * Z.powi(3) - 945.0 * Z)
        / 92160.0;
    Z + per_degree * (first + per_degree * (second + per_degree * (third + per_degree * fourth)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey, normal};

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (degrees, quantile) in
            [(1, 12.7062), (10, 2.2281), (11, 2.2010), (20, 2.0860), (30, 2.0423), (120, 1.9799)]
        {
            assert!((student_t_975(degrees) - quantile).abs() < 1e-4, "{degrees}");
        }
        assert!((student_t_975(1_000_000) - Z).abs() < 1e-5);
        assert!((10..100).all(|degrees| student_t_975(degrees) > student_t_975(degrees + 1)));
    }

    #[test]
    fn a_known_interval() {
        // Mean 3, deviation sqrt(2.5), standard error sqrt(0.5), t(4) = 2.7764.
        let summary = Confidence::of(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!((summary.mean, summary.count), (3.0, 5));
        assert!((summary.half_width - 2.7764 * 0.5f64.sqrt()).abs() < 1e-12);
        assert!((summary.high() - summary.low() - 2.0 * summary.half_width).abs() < 1e-12);
    }

    #[test]
    fn samples_one_by_one_give_the_same() {
        let mut rng = RngKey::new(5).stream(Purpose::Scene, 0, 0);
        let samples: Vec<f64> = (0..200).map(|_| 1e6 + f64::from(normal(&mut rng))).collect();
        let mut running = RunningConfidence::default();
        assert!(running.summary().mean.is_nan());
        for (at, sample) in samples.iter().enumerate() {
            running.add(*sample);
            let (found, expected) = (running.summary(), Confidence::of(&samples[..=at]));
            assert_eq!(found.count, expected.count);
            assert!((found.mean - expected.mean).abs() < 1e-8);
            assert!(at == 0 || (found.half_width - expected.half_width).abs() < 1e-8);
        }
    }

    fn own(count: usize) -> Vec<usize> {
        (0..count).collect()
    }

    #[test]
    fn the_interval_of_a_ratio_covers_the_truth_95_times_in_100() {
        // 2,000 trials of 200 correlated pairs with means 3 and 2: the coverage has a standard error of 0.49 %, and
        // linearisation costs less than 1 %; 4 sigma.
        let mut rng = RngKey::new(6).stream(Purpose::Scene, 0, 0);
        let covered = (0..2000).filter(|_| {
            let pairs = (0..200).map(|_| {
                let (common, own) = (f64::from(normal(&mut rng)), f64::from(normal(&mut rng)));
                (3.0 + common + 0.3 * own, 2.0 + common)
            });
            let (above, below): (Vec<f64>, Vec<f64>) = pairs.unzip();
            let ratio = Confidence::of_ratio(&above, &below, &own(200));
            // What is common makes the ratio more certain than two means apart would.
            let apart = Confidence::of(&above).half_width / 2.0;
            assert!(ratio.half_width < apart && ratio.count == 200);
            ratio.low() <= 1.5 && 1.5 <= ratio.high()
        });
        let coverage = covered.count() as f64 / 2000.0;
        assert!((coverage - 0.95).abs() < 0.03, "{coverage}");
        assert_eq!(Confidence::of_ratio(&[2.0, 4.0], &[1.0, 1.0], &own(2)).mean, 3.0);
    }

    #[test]
    fn a_ratio_over_a_few_losses_has_no_interval() {
        // Errors of 16 images, of which some are lost: the mean below is known to a half.
        let losses = |lost: usize| -> Vec<f64> {
            (0..16).map(|image| if image < lost { 3000.0 } else { 10.0 + image as f64 }).collect()
        };
        assert_eq!(Confidence::of_ratio(&losses(0), &losses(3), &own(16)).half_width, f64::INFINITY);
        assert!(Confidence::of_ratio(&losses(3), &losses(0), &own(16)).half_width.is_finite());
    }

    #[test]
    fn alike_samples_widen_the_interval() {
        // Worked by hand: clusters 1 1, 3 3, 5 5 about 3: sums -4, 0, 4, sqrt(1.5 * 32) / 6, t(2) = 4.3027.
        let summary = Confidence::of_clusters(&[1.0, 1.0, 3.0, 3.0, 5.0, 5.0], &[0, 0, 1, 1, 7, 7]);
        assert_eq!((summary.mean, summary.count), (3.0, 6));
        assert!((summary.half_width - 4.3027 * 48f64.sqrt() / 6.0).abs() < 1e-12);
        let samples = [1.0, 4.0, 2.0];
        assert_eq!(Confidence::of_clusters(&samples, &own(3)), Confidence::of(&samples));
        assert_eq!(Confidence::of_clusters(&samples, &[4; 3]).half_width, f64::INFINITY);
        // 2,000 trials of 30 clusters of 8 samples, half of whose variance is common: 4 sigma of the coverage.
        let mut rng = RngKey::new(7).stream(Purpose::Scene, 0, 0);
        let clusters: Vec<usize> = (0..240).map(|sample| sample / 8).collect();
        let (mut covered, mut naive) = (0, 0);
        for _ in 0..2000 {
            let common: Vec<f64> = (0..30).map(|_| f64::from(normal(&mut rng))).collect();
            let samples: Vec<f64> =
                clusters.iter().map(|cluster| common[*cluster] + f64::from(normal(&mut rng))).collect();
            let holds = |summary: Confidence| usize::from(summary.low() <= 0.0 && 0.0 <= summary.high());
            covered += holds(Confidence::of_clusters(&samples, &clusters));
            naive += holds(Confidence::of(&samples));
        }
        assert!((f64::from(covered as u32) / 2000.0 - 0.95).abs() < 0.0195, "{covered}");
        assert!(naive < 1500, "{naive} of 2000 taken as independent");
    }

    #[test]
    fn the_interval_covers_the_truth_95_times_in_100() {
        // 2,000 trials of 6 samples: the coverage has a standard error of 0.49 %; 4 sigma.
        let mut rng = RngKey::new(4).stream(Purpose::Scene, 0, 0);
        let covered = (0..2000).filter(|_| {
            let samples: Vec<f64> = (0..6).map(|_| f64::from(normal(&mut rng)) + 7.0).collect();
            let summary = Confidence::of(&samples);
            summary.low() <= 7.0 && 7.0 <= summary.high()
        });
        let coverage = covered.count() as f64 / 2000.0;
        assert!((coverage - 0.95).abs() < 0.0195, "{coverage}");
    }

    #[test]
    fn too_few_samples() {
        assert!(Confidence::of(&[]).mean.is_nan());
        assert_eq!(Confidence::of(&[4.0]), Confidence { mean: 4.0, half_width: f64::INFINITY, count: 1 });
        assert_eq!(Confidence::of(&[4.0, 4.0]).half_width, 0.0);
    }
}
