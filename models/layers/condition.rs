//! From what a station knows of its channel to the modulation of its layers (FiLM).

use super::parameters::{Init, Scope};
use super::torch_layout::Piece;
use crate::ops::affine;
use candle_core::{Device, Result, Tensor};

/// Number of values that describe one SNR.
pub const SNR_FEATURES: usize = 3;
const HIDDEN: usize = 48;
/// Range in which networks are told the SNR; beyond it they see its ends.
const RANGE_DB: (f32, f32) = (-15.0, 35.0);

/// Describes linear SNRs: decibels scaled to about one, the LMMSE error 1 / (1 + s), and its root.
///
/// - snr `[B]`, linear -> `[B, 3]`
pub fn snr_features(snr: &[f32], device: &Device) -> Result<Tensor> {
    let mut features = Vec::with_capacity(snr.len() * SNR_FEATURES);
    for snr in snr {
        let db = (10.0 * snr.max(0.0).log10()).clamp(RANGE_DB.0, RANGE_DB.1);
        let error = 1.0 / (1.0 + 10f32.powf(db / 10.0));
        features.extend([db / 10.0 - 1.0, error, error.sqrt()]);
    }
    Tensor::from_vec(features, (snr.len(), SNR_FEATURES), device)
}

/// A small network from a description `[B, inputs]` to scales and shifts of several layers.
pub struct Condition {
    hidden: Tensor,
    output: Tensor,
    widths: Vec<usize>,
}

impl Condition {
    /// For layers of these widths. Starts as the identity: all scales and shifts are zero.
    pub fn new(inputs: usize, widths: &[usize], scope: &Scope) -> Result<Self> {
        let outputs = 2 * widths.iter().sum::<usize>();
        Ok(Self {
            hidden: scope.affine("hidden", inputs, HIDDEN, 1.0)?,
            output: scope.laid_out(
                "output",
                &[HIDDEN + 1, outputs],
                Init::Constant(0.0),
                &Piece::affine(HIDDEN, outputs),
            )?,
            widths: widths.to_vec(),
        })
    }

    /// `[B, inputs]` -> one `[B, 2 * width]` per layer.
    pub fn forward(&self, description: &Tensor) -> Result<Vec<Tensor>> {
        let hidden = affine(description, &self.hidden)?.relu()?;
        let all = affine(&hidden, &self.output)?;
        let mut start = 0;
        let mut parts = Vec::with_capacity(self.widths.len());
        for width in &self.widths {
            parts.push(all.narrow(1, start, 2 * width)?);
            start += 2 * width;
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::parameters::Parameters;

    #[test]
    fn starts_as_the_identity_and_splits_by_width() {
        let parameters = Parameters::random(1, &Device::Cpu);
        let condition = Condition::new(3, &[4, 2], &parameters.root()).unwrap();
        let parts = condition.forward(&snr_features(&[1.0, 0.0], &Device::Cpu).unwrap()).unwrap();
        assert_eq!((parts[0].dims(), parts[1].dims()), (&[2, 8][..], &[2, 4][..]));
        assert_eq!(parts[0].abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap(), 0.0);
    }

    #[test]
    fn extreme_snrs_stay_finite() {
        let extremes = [0.0, f32::INFINITY, 1e-30, 1e30];
        let features = snr_features(&extremes, &Device::Cpu).unwrap().to_vec2::<f32>().unwrap();
        assert!(features.iter().flatten().all(|v| v.is_finite()));
    }
}
