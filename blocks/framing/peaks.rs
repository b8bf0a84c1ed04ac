//! Against the peaks of analog symbols.
//!
//! Features that resemble each other add up in one sample of a symbol. Random signs make any payload as harmless as
//! Gaussian noise, whose peaks lie 8 to 13 dB over the mean; clipping cuts what is left of them off.

use crate::coding::scrambler::scramble_bits;
use crate::frame::Destination;
use crate::{BlockError, Decibel, LinearPower, Result};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

/// Multiplies symbols by pseudo-random signs; a second time undoes it.
///
/// - seed: sender and receiver agree on it, see [`sign_seed`]
pub fn scramble_signs(seed: u32, symbols: &mut [Complex32]) {
    let mut bits = vec![0; symbols.len()];
    scramble_bits(seed, &mut bits);
    // Without a branch, which would be mispredicted half the time.
    symbols.iter_mut().zip(bits).for_each(|(symbol, bit)| *symbol *= 1.0 - 2.0 * f32::from(bit));
}

/// The seed of a burst's signs: another one for every frame and destination.
pub fn sign_seed(frame: u32, destination: Destination) -> u32 {
    let place = match destination {
        Destination::All => 0,
        Destination::User(user) => 2 * user as u32 + 1,
        Destination::Group(group) => 2 * group as u32 + 2,
    };
    // An odd multiplier spreads neighbours over all bits.
    (frame ^ place.rotate_left(19)).wrapping_mul(0x9E37_79B1) >> 1
}

/// Peak power over mean power of some samples.
///
/// - returns: 0 dB for constant power; `None` for silence
pub fn peak_to_average(samples: &[Complex32]) -> Option<Decibel> {
    let powers = samples.iter().map(|sample| f64::from(sample.norm_sqr()));
    let (peak, sum) =
        powers.fold((0.0, 0.0), |(peak, sum): (f64, f64), power| (peak.max(power), sum + power));
    let ratio = peak * samples.len() as f64 / sum;
    (sum > 0.0).then(|| LinearPower(ratio as f32).to_decibel())
}

/// Cuts amplitudes off at a height over the mean power of symbols.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f32", into = "f32")]
pub struct Clipper {
    height: Decibel,
}

impl Clipper {
    /// - height: over the mean power, 3 to 20 dB: below 3 little is left of a payload, above 20 nothing is cut
    /// - errors: another height
    pub fn new(height: Decibel) -> Result<Self> {
        match (3.0..=20.0).contains(&height.0) {
            true => Ok(Self { height }),
            false => Err(BlockError::invalid("clip_db", height.0, "3 to 20 dB over the mean power")),
        }
    }

    /// Clips samples in place; the phase of each stays.
    ///
    /// - mean: mean power of the samples
    /// - returns: how many were clipped
    pub fn clip(&self, mean: f32, samples: &mut [Complex32]) -> usize {
        let most = mean * self.height.to_linear().0;
        let mut clipped = 0;
        for sample in samples {
            let power = sample.norm_sqr();
            if power > most {
                *sample *= (most / power).sqrt();
                clipped += 1;
            }
        }
        clipped
    }
}

impl TryFrom<f32> for Clipper {
    type Error = BlockError;

    fn try_from(height: f32) -> Result<Self> {
        Self::new(Decibel(height))
    }
}

impl From<Clipper> for f32 {
    fn from(clipper: Clipper) -> Self {
        clipper.height.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ofdm::{BurstModulator, Numerology, ResourceGrid};
    use crate::rng::{Purpose, RngKey, complex_normal};

    #[test]
    fn signs_come_back_and_differ_from_burst_to_burst() {
        let symbols = complex_normal(&mut RngKey::new(1).stream(Purpose::Payload, 0, 0), 1.0, 1000);
        let mut scrambled = symbols.clone();
        let seed = sign_seed(7, Destination::User(3));
        scramble_signs(seed, &mut scrambled);
        let turned = scrambled.iter().zip(&symbols).filter(|(a, b)| a != b).count();
        // 4 standard deviations of 1,000 fair coins.
        assert!(turned.abs_diff(500) < 64, "{turned}");
        scramble_signs(seed, &mut scrambled);
        assert_eq!(scrambled, symbols);
        let destinations = (0..500).flat_map(|n| [Destination::User(n), Destination::Group(n)]);
        let seeds: std::collections::HashSet<u32> = (0..50u32)
            .flat_map(|frame| destinations.clone().map(move |destination| sign_seed(frame, destination)))
            .collect();
        assert_eq!(seeds.len(), 50 * 1000);
    }

    #[test]
    fn equal_features_peak_as_much_as_there_are_carriers_until_signs_are_scrambled() {
        let grid = ResourceGrid::new(Numerology::WIDE).unwrap();
        let mut modulator = BurstModulator::new(&grid).unwrap();
        let body = modulator.burst_len(0);
        let mut symbols = vec![Complex32::ONE; 10 * grid.data().len()];
        let peak = |samples: Vec<Complex32>| peak_to_average(&samples[body..]).unwrap().0;
        let before = peak(modulator.modulate(&symbols).unwrap());
        scramble_signs(5, &mut symbols);
        let after = peak(modulator.modulate(&symbols).unwrap());
        // 770 equal carriers of 840: 28 dB; Gaussian samples: 11,520 of them exceed 12.5 dB once in 5 bursts.
        assert!(before > 27.0 && after < 12.5, "{before} dB, {after} dB");
    }

    #[test]
    fn clipped_samples_keep_their_phase() {
        let mut samples = complex_normal(&mut RngKey::new(2).stream(Purpose::Payload, 0, 0), 0.5, 100_000);
        let before = samples.clone();
        let clipper = Clipper::new(Decibel(6.0)).unwrap();
        let clipped = clipper.clip(0.5, &mut samples);
        // A share of exp(-10^0.6) of Gaussian samples: 1,867, with a deviation of 43.
        assert!(clipped.abs_diff(1867) < 180, "{clipped}");
        let most = 0.5 * 10f32.powf(0.6);
        for (cut, whole) in samples.iter().zip(&before) {
            assert!(cut.norm_sqr() <= most * 1.000_01);
            assert!((cut * whole.conj()).im.abs() <= 1e-5 * whole.norm_sqr());
        }
        assert!((peak_to_average(&[Complex32::ONE; 9]).unwrap().0).abs() < 1e-5);
        assert_eq!(peak_to_average(&[Complex32::ZERO; 9]), None);
        assert!(Clipper::new(Decibel(2.0)).is_err() && Clipper::new(Decibel(f32::NAN)).is_err());
    }
}
