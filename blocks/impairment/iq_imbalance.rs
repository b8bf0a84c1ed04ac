//! Branches of a mixer that differ: y = a x + b x*.

use super::InPlace;
use crate::units::{Decibel, LinearPower};
use crate::{BlockError, Result};
use num_complex::Complex32;

/// Gain and phase of the Q branch differ from those of the I branch, so that an image of the spectrum appears at the
/// mirrored frequency.
///
/// With relative gain g and phase error p of Q: I' = I, Q' = g (Q cos p + I sin p), so that
/// a = (1 + g exp(j p)) / 2 and b = (1 - g exp(-j p)) / 2. The sum of both powers is (1 + g^2) / 2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IqImbalance {
    direct: Complex32,
    image: Complex32,
}

impl IqImbalance {
    /// - gain_db: power of Q over that of I
    /// - phase_rad: error of the right angle between the branches
    /// - errors: a gain beyond 20 dB, an angle beyond half a right one
    pub fn new(gain_db: f32, phase_rad: f32) -> Result<Self> {
        if !(-20.0..=20.0).contains(&gain_db) {
            return Err(BlockError::invalid("IQ gain imbalance", gain_db, "-20 to 20 dB"));
        }
        let most = std::f32::consts::FRAC_PI_4;
        if !(-most..=most).contains(&phase_rad) {
            let allowed = "-pi / 4 to pi / 4 radians";
            return Err(BlockError::invalid("IQ phase imbalance", phase_rad, allowed));
        }
        let gain = Decibel(gain_db / 2.0).to_linear().0;
        let turned = Complex32::from_polar(gain, phase_rad);
        Ok(Self { direct: (1.0 + turned) / 2.0, image: (1.0 - turned.conj()) / 2.0 })
    }

    /// Power of the image over that of the signal.
    pub fn image_rejection(&self) -> Decibel {
        LinearPower(self.image.norm_sqr() / self.direct.norm_sqr()).to_decibel()
    }
}

impl InPlace for IqImbalance {
    fn apply(&mut self, samples: &mut [Complex32]) -> Result<()> {
        samples.iter_mut().for_each(|x| *x = self.direct * *x + self.image * x.conj());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    #[test]
    fn branches_are_those_of_the_formula() {
        let (gain_db, phase): (f32, f32) = (1.0, 0.1);
        let gain = 10f32.powf(gain_db / 20.0);
        let x = Complex32::new(0.3, -0.8);
        let mut y = [x];
        IqImbalance::new(gain_db, phase).unwrap().apply(&mut y).unwrap();
        let expected = Complex32::new(x.re, gain * (x.im * phase.cos() + x.re * phase.sin()));
        assert!((y[0] - expected).norm() < 1e-6, "{} {expected}", y[0]);
    }

    #[test]
    fn a_tone_has_its_image_at_the_known_level() {
        let len = 1024;
        let tone = |sign: f64, n: usize| {
            let angle = TAU * (sign * 37.0 * n as f64 / len as f64).rem_euclid(1.0);
            Complex32::from_polar(1.0, angle as f32)
        };
        let mut samples: Vec<Complex32> = (0..len).map(|n| tone(1.0, n)).collect();
        let mut mixer = IqImbalance::new(0.5, 0.03).unwrap();
        mixer.apply(&mut samples).unwrap();
        let level = |sign: f64| {
            let sum: Complex32 = samples.iter().enumerate().map(|(n, y)| y * tone(sign, n).conj()).sum();
            (sum / len as f32).norm_sqr()
        };
        // Closed form: (1 - 2 g cos p + g^2) / (1 + 2 g cos p + g^2).
        let gain = 10f64.powf(0.5 / 20.0);
        let (even, odd) = (1.0 + gain * gain, 2.0 * gain * 0.03f64.cos());
        let expected = 10.0 * ((even - odd) / (even + odd)).log10();
        let found = 10.0 * f64::from(level(-1.0) / level(1.0)).log10();
        assert!((found - expected).abs() < 0.02, "{found}, not {expected}");
        assert!((f64::from(mixer.image_rejection().0) - expected).abs() < 0.02);
    }

    #[test]
    fn equal_branches_change_nothing_and_absurd_ones_are_refused() {
        let mut samples = [Complex32::new(0.1, 0.2)];
        IqImbalance::new(0.0, 0.0).unwrap().apply(&mut samples).unwrap();
        assert_eq!(samples, [Complex32::new(0.1, 0.2)]);
        assert!(IqImbalance::new(30.0, 0.0).is_err() && IqImbalance::new(0.0, 1.0).is_err());
        assert!(IqImbalance::new(f32::NAN, 0.0).is_err());
    }
}
