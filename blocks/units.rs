//! Decibels and linear power as distinct types, so that one is never taken for the other.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A power ratio in decibels.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Decibel(pub f32);

/// A linear power ratio.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinearPower(pub f32);

impl Decibel {
    /// 10^(dB / 10).
    pub fn to_linear(self) -> LinearPower {
        LinearPower(10f32.powf(self.0 / 10.0))
    }

    /// Noise variance per complex channel use at this SNR and unit signal power: 10^(-dB / 10).
    pub fn noise_variance(self) -> f32 {
        10f32.powf(-self.0 / 10.0)
    }
}

impl LinearPower {
    /// 10 log10(power); minus infinity for zero.
    pub fn to_decibel(self) -> Decibel {
        Decibel(10.0 * self.0.log10())
    }
}

impl fmt::Display for Decibel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)?;
        f.write_str(" dB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_ratios() {
        assert!((Decibel(10.0).to_linear().0 - 10.0).abs() < 1e-5);
        assert!((Decibel(3.0).to_linear().0 - 1.995_262).abs() < 1e-5);
        assert_eq!(LinearPower(100.0).to_decibel(), Decibel(20.0));
        assert!((Decibel(20.0).noise_variance() - 0.01).abs() < 1e-8);
    }

    #[test]
    fn there_and_back() {
        for db in [-20.0, -3.0, 0.0, 7.5, 40.0] {
            assert!((Decibel(db).to_linear().to_decibel().0 - db).abs() < 1e-4);
        }
        assert_eq!(LinearPower(0.0).to_decibel().0, f32::NEG_INFINITY);
    }
}
