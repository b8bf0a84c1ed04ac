//! Distributions of fading coefficients, all of unit power.

use crate::{BlockError, Result};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

/// Distribution of a fading coefficient h, always with E|h|^2 = 1.
///
/// In TOML: `{ model = "awgn" }`, `{ model = "rayleigh" }`, `{ model = "rician", k_factor = 4.0 }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "FadingTable", into = "FadingTable")]
pub enum FadingModel {
    /// h = 1.
    Awgn,
    /// h ~ CN(0, 1).
    Rayleigh,
    /// h ~ CN(mu, sigma^2), mu = sqrt(r / (r + 1)), sigma = sqrt(1 / (r + 1)), r the K factor.
    Rician {
        /// Power of the direct path over that of all others, linear, at least 0.
        k_factor: f32,
    },
}

/// The model as a table with one optional key, so that a key that does not fit is refused.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FadingTable {
    model: ModelName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    k_factor: Option<f32>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ModelName {
    Awgn,
    Rayleigh,
    Rician,
}

impl FadingModel {
    /// Mean of h and variance of its diffuse part.
    pub fn mean_and_variance(self) -> (f32, f32) {
        match self {
            Self::Awgn => (1.0, 0.0),
            Self::Rayleigh => (0.0, 1.0),
            Self::Rician { k_factor } => ((k_factor / (k_factor + 1.0)).sqrt(), 1.0 / (k_factor + 1.0)),
        }
    }

    /// Turns a diffuse CN(0, 1) sample into a coefficient of this model.
    pub fn fade_of(self, diffuse: Complex32) -> Complex32 {
        let (mean, variance) = self.mean_and_variance();
        diffuse * variance.sqrt() + mean
    }

    /// Checks the K factor: finite and at least 0.
    pub fn check(self) -> Result<()> {
        match self {
            Self::Rician { k_factor } if !(k_factor.is_finite() && k_factor >= 0.0) => {
                Err(BlockError::invalid("k_factor", k_factor, "a finite number, at least 0"))
            }
            _ => Ok(()),
        }
    }
}

impl TryFrom<FadingTable> for FadingModel {
    type Error = BlockError;

    fn try_from(table: FadingTable) -> Result<Self> {
        let model = match (table.model, table.k_factor) {
            (ModelName::Awgn, None) => Self::Awgn,
            (ModelName::Rayleigh, None) => Self::Rayleigh,
            (ModelName::Rician, Some(k_factor)) => Self::Rician { k_factor },
            (ModelName::Rician, None) => {
                return Err(BlockError::invalid("k_factor", "nothing", "a number, at least 0, with rician"));
            }
            (_, Some(k_factor)) => {
                return Err(BlockError::invalid("k_factor", k_factor, "no k_factor but with model = rician"));
            }
        };
        model.check()?;
        Ok(model)
    }
}

impl From<FadingModel> for FadingTable {
    fn from(model: FadingModel) -> Self {
        let (model, k_factor) = match model {
            FadingModel::Awgn => (ModelName::Awgn, None),
            FadingModel::Rayleigh => (ModelName::Rayleigh, None),
            FadingModel::Rician { k_factor } => (ModelName::Rician, Some(k_factor)),
        };
        Self { model, k_factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(model: ModelName, k_factor: Option<f32>) -> Result<FadingModel> {
        FadingTable { model, k_factor }.try_into()
    }

    #[test]
    fn power_is_one_for_every_model() {
        for model in [FadingModel::Awgn, FadingModel::Rayleigh, FadingModel::Rician { k_factor: 2.5 }] {
            let (mean, variance) = model.mean_and_variance();
            assert!((mean * mean + variance - 1.0).abs() < 1e-6, "{model:?}");
        }
        assert_eq!(FadingModel::Awgn.fade_of(Complex32::new(3.0, -2.0)), Complex32::new(1.0, 0.0));
        let no_direct_path = FadingModel::Rician { k_factor: 0.0 };
        assert_eq!(no_direct_path.mean_and_variance(), FadingModel::Rayleigh.mean_and_variance());
    }

    #[test]
    fn a_k_factor_belongs_to_rician_alone() {
        assert_eq!(table(ModelName::Rician, Some(4.0)).unwrap(), FadingModel::Rician { k_factor: 4.0 });
        assert!(table(ModelName::Rician, None).unwrap_err().to_string().contains("nothing"));
        assert!(table(ModelName::Rayleigh, Some(4.0)).unwrap_err().to_string().contains("rician"));
        for wrong in [-1.0, f32::NAN, f32::INFINITY] {
            assert!(table(ModelName::Rician, Some(wrong)).is_err(), "{wrong}");
        }
    }
}
