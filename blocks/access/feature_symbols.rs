//! Real features as complex symbols, and back.

use crate::{BlockError, Result};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

/// How real features fill complex channel uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mapping {
    /// Two features per channel use, on I and Q.
    #[default]
    Iq,
    /// One feature per channel use, on I; the noise on Q is discarded, which is worth 3 dB per feature.
    Real,
}

impl Mapping {
    /// Features in one channel use.
    pub fn reals_per_use(self) -> usize {
        match self {
            Self::Iq => 2,
            Self::Real => 1,
        }
    }

    /// Channel uses that a vector of features takes.
    ///
    /// - errors: an odd number of features where two share a channel use
    pub fn num_uses(self, num_reals: usize) -> Result<usize> {
        if !num_reals.is_multiple_of(self.reals_per_use()) {
            let allowed = "an even number, as the iq mapping sends two per channel use";
            return Err(BlockError::invalid("features per vector", num_reals, allowed));
        }
        Ok(num_reals / self.reals_per_use())
    }

    /// Maps features to symbols, in order.
    ///
    /// - reals: `[n]`, n even for `Iq` -> `[n / 2]` (`Iq`) or `[n]` (`Real`)
    /// - errors: as [`Mapping::num_uses`]
    pub fn to_symbols(self, reals: &[f32]) -> Result<Vec<Complex32>> {
        self.num_uses(reals.len())?;
        Ok(match self {
            Self::Iq => reals.chunks_exact(2).map(|pair| Complex32::new(pair[0], pair[1])).collect(),
            Self::Real => reals.iter().map(|real| Complex32::new(*real, 0.0)).collect(),
        })
    }

    /// Maps symbols back to features; `Real` discards Q.
    ///
    /// - symbols: `[n]` -> `[2 n]` (`Iq`) or `[n]` (`Real`)
    pub fn to_reals(self, symbols: &[Complex32]) -> Vec<f32> {
        match self {
            Self::Iq => symbols.iter().flat_map(|symbol| [symbol.re, symbol.im]).collect(),
            Self::Real => symbols.iter().map(|symbol| symbol.re).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey, complex_normal};

    #[test]
    fn known_symbols() {
        let reals = [1.0, -2.0, 3.0, 4.0];
        let iq = Mapping::Iq.to_symbols(&reals).unwrap();
        assert_eq!(iq, [Complex32::new(1.0, -2.0), Complex32::new(3.0, 4.0)]);
        let real = Mapping::Real.to_symbols(&reals[..2]).unwrap();
        assert_eq!(real, [Complex32::new(1.0, 0.0), Complex32::new(-2.0, 0.0)]);
        for mapping in [Mapping::Iq, Mapping::Real] {
            assert_eq!(mapping.to_reals(&mapping.to_symbols(&reals).unwrap()), reals);
            assert!(mapping.to_symbols(&[]).unwrap().is_empty());
        }
    }

    #[test]
    fn an_odd_vector_is_refused_by_iq_alone() {
        let error = Mapping::Iq.to_symbols(&[1.0; 7]).unwrap_err().to_string();
        assert!(error.contains("features per vector = 7") && error.contains("even"), "{error}");
        assert_eq!(Mapping::Real.num_uses(7).unwrap(), 7);
    }

    #[test]
    fn real_mapping_gains_3_db_per_feature() {
        // Unit power per use: a feature has power 1/2 against noise 1/2 in iq, 1 against 1/2 in real.
        // 100,000 symbols: each noise power has a standard error of 0.45 % at most; 4 sigma.
        let noise = complex_normal(&mut RngKey::new(1).stream(Purpose::NoisePrivate, 0, 0), 1.0, 100_000);
        let power = |reals: Vec<f32>| {
            reals.iter().map(|real| f64::from(real * real)).sum::<f64>() / reals.len() as f64
        };
        let iq_snr = 0.5 / power(Mapping::Iq.to_reals(&noise));
        let real_snr = 1.0 / power(Mapping::Real.to_reals(&noise));
        assert!((iq_snr - 1.0).abs() < 0.018 && (real_snr - 2.0).abs() < 0.036, "{iq_snr} {real_snr}");
    }

    #[test]
    fn names_are_snake_case() {
        type Text = serde::de::value::StrDeserializer<'static, serde::de::value::Error>;
        assert_eq!(Mapping::deserialize(Text::new("iq")).unwrap(), Mapping::Iq);
        assert_eq!(Mapping::deserialize(Text::new("real")).unwrap(), Mapping::Real);
        assert!(Mapping::deserialize(Text::new("Iq")).is_err());
    }
}
