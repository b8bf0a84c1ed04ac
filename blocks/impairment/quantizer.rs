//! A converter of so many bits: rounds I and Q to equal steps and cuts what is beyond full scale.

use super::InPlace;
use crate::{BlockError, Result};
use num_complex::Complex32;

/// Mid-rise quantisation: 2^b levels at odd multiples of half a step, symmetric about nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantizer {
    step: f32,
    /// Largest number of whole steps below a level.
    highest: f32,
}

impl Quantizer {
    /// - bits: of I and of Q each, 1 to 24
    /// - full_scale: the amplitude of I or Q from which on values are cut
    /// - errors: other numbers of bits, a full scale that is not positive and finite
    pub fn new(bits: u32, full_scale: f32) -> Result<Self> {
        if !(1..=24).contains(&bits) {
            return Err(BlockError::invalid("bits of a converter", bits, "1 to 24"));
        }
        if !(full_scale.is_finite() && full_scale > 0.0) {
            return Err(BlockError::invalid("full scale", full_scale, "a positive amplitude"));
        }
        let half = (1u32 << (bits - 1)) as f32;
        Ok(Self { step: full_scale / half, highest: half - 1.0 })
    }

    fn round(&self, value: f32) -> f32 {
        let steps = (value / self.step).floor().clamp(-self.highest - 1.0, self.highest);
        (steps + 0.5) * self.step
    }
}

impl InPlace for Quantizer {
    fn apply(&mut self, samples: &mut [Complex32]) -> Result<()> {
        samples.iter_mut().for_each(|x| *x = Complex32::new(self.round(x.re), self.round(x.im)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    fn quantized(bits: u32, mut samples: Vec<Complex32>) -> Vec<Complex32> {
        Quantizer::new(bits, 1.0).unwrap().apply(&mut samples).unwrap();
        samples
    }

    #[test]
    fn two_bits_are_four_levels() {
        let found = quantized(2, [-9.0, -0.6, -0.1, 0.1, 0.6, 9.0].map(|v| Complex32::new(v, 0.0)).to_vec());
        let levels: Vec<f32> = found.iter().map(|y| y.re).collect();
        assert_eq!(levels, [-0.75, -0.75, -0.25, 0.25, 0.75, 0.75]);
    }

    #[test]
    fn a_full_sine_has_6_db_for_each_bit_and_1_76() {
        for bits in [6, 8, 12] {
            // No simple fraction of a turn, so that errors spread evenly.
            let sine: Vec<Complex32> = (0..100_000)
                .map(|n| Complex32::from_polar(0.999_9, TAU * (0.061_803_4 * n as f32 % 1.0)))
                .collect();
            let found = quantized(bits, sine.clone());
            let power: f64 = sine.iter().map(|x| f64::from(x.norm_sqr())).sum();
            let error: f64 = sine.iter().zip(&found).map(|(x, y)| f64::from((x - y).norm_sqr())).sum();
            let (found, expected) = (10.0 * (power / error).log10(), 6.020_6 * f64::from(bits) + 1.761);
            assert!((found - expected).abs() < 0.3, "{bits} bits: {found} dB, not {expected}");
        }
    }

    #[test]
    fn impossible_converters_are_refused() {
        assert!(Quantizer::new(0, 1.0).is_err() && Quantizer::new(25, 1.0).is_err());
        assert!(Quantizer::new(8, 0.0).is_err() && Quantizer::new(8, f32::INFINITY).is_err());
    }
}
