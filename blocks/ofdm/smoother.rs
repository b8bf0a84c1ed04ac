//! Smooths a channel over carriers: what cannot come from paths within the prefix is noise.
//!
//! Every carrier's estimate is the linear combination of those around it with the least mean squared error, for paths
//! whose delays are spread evenly over the prefix. So nothing need be known of the channel but its noise.
//!
//! Source: Edfors et al., "OFDM channel estimation by singular value decomposition", IEEE Transactions on
//! Communications 46 (1998): the estimator for a uniform delay profile, here over a window of carriers.

use super::ResourceGrid;
use super::correlation::Correlation;
use crate::{BlockError, Result};
use num_complex::Complex32;
use std::collections::HashMap;

/// Carriers that one estimate is made of.
const WINDOW: usize = 49;

/// Combinations of carriers for one ratio of noise to signal.
#[derive(Clone, Debug)]
pub struct Smoother {
    /// For every occupied carrier: first carrier of its window, and weights.
    combinations: Vec<(usize, Vec<Complex32>)>,
}

impl Smoother {
    /// - noise: variance of an estimate over mean |h|^2, above 0
    /// - errors: a ratio that is not positive and finite
    pub fn new(grid: &ResourceGrid, noise: f64) -> Result<Self> {
        if !(noise.is_finite() && noise > 0.0) {
            return Err(BlockError::invalid("noise of a smoother", noise, "a positive ratio"));
        }
        let frequencies: Vec<i32> =
            grid.occupied().iter().map(|place| grid.frequency(*place) as i32).collect();
        let window = WINDOW.min(frequencies.len());
        let correlation = Correlation::within(grid, grid.numerology().prefix_len as f64);
        let mut known: HashMap<Vec<i32>, Vec<Complex32>> = HashMap::new();
        let mut combinations = Vec::with_capacity(frequencies.len());
        for (carrier, frequency) in frequencies.iter().enumerate() {
            let start = carrier.saturating_sub(window / 2).min(frequencies.len() - window);
            // Carriers of equal surroundings have equal weights: all but those at the edges and in the middle.
            let around: Vec<i32> = frequencies[start..start + window].iter().map(|f| f - frequency).collect();
            let weights = match known.get(&around) {
                Some(weights) => weights.clone(),
                None => {
                    let weights = correlation.weights(&around, noise)?;
                    known.insert(around, weights.clone());
                    weights
                }
            };
            combinations.push((start, weights));
        }
        Ok(Self { combinations })
    }

    /// Smooths estimates.
    ///
    /// - estimates: of the occupied carriers, in ascending frequency
    /// - errors: another number of them
    pub fn smooth(&self, estimates: &[Complex32]) -> Result<Vec<Complex32>> {
        if estimates.len() != self.combinations.len() {
            return Err(BlockError::shape("estimates", self.combinations.len(), estimates.len()));
        }
        let combine = |(start, weights): &(usize, Vec<Complex32>)| -> Complex32 {
            estimates[*start..].iter().zip(weights).map(|(estimate, weight)| estimate * weight).sum()
        };
        Ok(self.combinations.iter().map(combine).collect())
    }

    /// Mean over carriers of the power that white noise of unit variance keeps.
    pub fn noise_gain(&self) -> f32 {
        let gains =
            self.combinations.iter().map(|(_, weights)| weights.iter().map(|w| w.norm_sqr()).sum::<f32>());
        gains.sum::<f32>() / self.combinations.len() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::super::Numerology;
    use super::*;
    use crate::rng::{Purpose, RngKey, complex_normal};
    use num_complex::Complex64;
    use std::f64::consts::TAU;

    /// The response of some paths on the occupied carriers.
    fn response(grid: &ResourceGrid, paths: &[(f64, Complex32)]) -> Vec<Complex32> {
        let len = grid.numerology().fft_len as f64;
        let of = |place: &usize| {
            let frequency = f64::from(grid.frequency(*place));
            paths.iter().fold(Complex32::ZERO, |sum, (delay, gain)| {
                let turned = Complex64::cis(-TAU * frequency * delay / len);
                sum + gain * Complex32::new(turned.re as f32, turned.im as f32)
            })
        };
        grid.occupied().iter().map(of).collect()
    }

    fn error(found: &[Complex32], expected: &[Complex32]) -> f32 {
        found.iter().zip(expected).map(|(a, b)| (a - b).norm_sqr()).sum::<f32>() / found.len() as f32
    }

    #[test]
    fn noise_falls_by_what_the_prefix_leaves_of_a_symbol() {
        for (_, numerology) in Numerology::PRESETS {
            let grid = ResourceGrid::new(numerology).unwrap();
            let smoother = Smoother::new(&grid, 0.05).unwrap();
            // Within 60 % of the bound for all carriers at once, (prefix + margin) / N of them.
            let bound = (numerology.prefix_len as f32 + 3.0) / numerology.fft_len as f32;
            let gain = smoother.noise_gain();
            assert!(gain < 1.6 * bound, "{numerology:?}: {gain}, bound {bound}");
        }
    }

    #[test]
    fn channels_within_the_prefix_come_through_and_noise_does_not() {
        for (_, numerology) in Numerology::PRESETS {
            let grid = ResourceGrid::new(numerology).unwrap();
            let (noise, carriers) = (0.01, grid.occupied().len());
            let smoother = Smoother::new(&grid, noise).unwrap();
            let (mut rough, mut smooth) = (0.0, 0.0);
            for trial in 0..50 {
                let mut rng = RngKey::new(17).stream(Purpose::Fading, 0, trial);
                // Eight paths anywhere in the prefix, one of them a little before it.
                let gains = complex_normal(&mut rng, 1.0 / 8.0, 8);
                let prefix = numerology.prefix_len as f64;
                let delay = |path: usize| if path == 0 { -1.5 } else { (path as f64 - 0.7) / 7.0 * prefix };
                let paths: Vec<(f64, Complex32)> =
                    gains.into_iter().enumerate().map(|(path, gain)| (delay(path), gain)).collect();
                let channel = response(&grid, &paths);
                let added = complex_normal(&mut rng, noise as f32, carriers);
                let noisy: Vec<Complex32> = channel.iter().zip(&added).map(|(h, n)| h + n).collect();
                rough += error(&noisy, &channel) / 50.0;
                smooth += error(&smoother.smooth(&noisy).unwrap(), &channel) / 50.0;
            }
            let gain_db = 10.0 * (rough / smooth).log10();
            let most = if numerology.fft_len == 64 { 3.0 } else { 6.0 };
            assert!(gain_db > most, "{numerology:?}: {gain_db} dB");
        }
    }

    #[test]
    fn other_numbers_and_impossible_noise_are_refused() {
        let grid = ResourceGrid::new(Numerology::NARROW).unwrap();
        assert!(Smoother::new(&grid, 0.0).is_err() && Smoother::new(&grid, f64::NAN).is_err());
        assert!(Smoother::new(&grid, 0.1).unwrap().smooth(&[Complex32::ONE; 5]).is_err());
    }
}
