//! A power amplifier that saturates: Rapp's model.

use super::InPlace;
use crate::{BlockError, Result};
use num_complex::Complex32;

/// y = x / (1 + (|x| / A)^(2 p))^(1 / (2 p)): linear for small signals, at most A, no phase distortion.
///
/// Source: Rapp, "Effects of HPA-nonlinearity on a 4-DPSK/OFDM-signal for a digital sound broadcasting system", 2nd
/// European Conference on Satellite Communications (1991).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerAmplifier {
    saturation: f32,
    smoothness: f32,
}

impl PowerAmplifier {
    /// - saturation: A, the largest amplitude
    /// - smoothness: p, sharper for larger values; 2 to 3 is usual for solid-state amplifiers
    /// - errors: values that are not positive and finite; a p above 100
    pub fn new(saturation: f32, smoothness: f32) -> Result<Self> {
        if !(saturation.is_finite() && saturation > 0.0) {
            return Err(BlockError::invalid("saturation", saturation, "a positive amplitude"));
        }
        if !(smoothness > 0.0 && smoothness <= 100.0) {
            return Err(BlockError::invalid("smoothness", smoothness, "above 0 to 100"));
        }
        Ok(Self { saturation, smoothness })
    }
}

impl InPlace for PowerAmplifier {
    fn apply(&mut self, samples: &mut [Complex32]) -> Result<()> {
        for sample in samples {
            let ratio = sample.norm_sqr() / (self.saturation * self.saturation);
            if ratio <= 1.0 {
                *sample /= (1.0 + ratio.powf(self.smoothness)).powf(0.5 / self.smoothness);
            } else {
                // The same over |x| / A, so that nothing overflows.
                let limited = *sample * (self.saturation / sample.norm());
                *sample = limited / (1.0 + ratio.recip().powf(self.smoothness)).powf(0.5 / self.smoothness);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amplified(smoothness: f32, x: Complex32) -> Complex32 {
        let mut samples = [x];
        PowerAmplifier::new(2.0, smoothness).unwrap().apply(&mut samples).unwrap();
        samples[0]
    }

    #[test]
    fn the_curve_is_that_of_the_formula() {
        for smoothness in [1.0, 2.0, 3.0, 50.0] {
            for amplitude in [0.01f32, 0.5, 1.9, 2.0, 2.1, 7.0] {
                let found = amplified(smoothness, Complex32::from_polar(amplitude, 0.7));
                let power = 2.0 * f64::from(smoothness);
                let below = (1.0 + (f64::from(amplitude) / 2.0).powf(power)).powf(1.0 / power);
                assert!((f64::from(found.norm()) - f64::from(amplitude) / below).abs() < 1e-5);
                assert!((found.arg() - 0.7).abs() < 1e-5, "no phase distortion");
            }
        }
    }

    #[test]
    fn anything_is_limited_and_silence_stays() {
        assert_eq!(amplified(2.0, Complex32::ZERO), Complex32::ZERO);
        assert!((amplified(2.0, Complex32::new(1e15, 0.0)).norm() - 2.0).abs() < 1e-4);
        assert!(PowerAmplifier::new(0.0, 2.0).is_err() && PowerAmplifier::new(1.0, f32::NAN).is_err());
    }
}
