//! The attention feature module: weighs channels by what they hold and by the SNR.
//!
//! ```text
//! x --+-- mean over positions --(+ SNR)-- dense C/16, ReLU -- dense C, sigmoid --(x)-- y
//!     +-------------------------------------------------------------------------+
//! ```
//! Source: Xu et al. (2021), ADJSCC. The SNR enters as dB / 10 - 1.

use crate::layers::condition::snr_features;
use crate::layers::{Scope, sigmoid};
use crate::ops::{affine, film};
use candle_core::{Result, Tensor};

/// Channels for each hidden value.
const REDUCTION: usize = 16;

/// One module.
pub struct SnrAttention {
    hidden: Tensor,
    output: Tensor,
}

impl SnrAttention {
    /// For maps of `width` channels.
    pub fn new(width: usize, scope: &Scope) -> Result<Self> {
        let hidden = (width / REDUCTION).max(1);
        Ok(Self {
            hidden: scope.affine("hidden", width + 1, hidden, 1.4)?,
            output: scope.affine("output", hidden, width, 1.0)?,
        })
    }

    /// `[B, H, W, C]` -> `[B, H, W, C]`.
    ///
    /// - snr: of each sample, linear
    pub fn forward(&self, x: &Tensor, snr: &[f32]) -> Result<Tensor> {
        let (batch, height, width, channels) = x.dims4()?;
        // As a product: the sum over an axis that is not the last is slow in candle.
        let positions = height * width;
        let shares = Tensor::full(1.0 / positions as f32, (batch, 1, positions), x.device())?;
        let means = shares.matmul(&x.reshape((batch, positions, channels))?)?.squeeze(1)?; // [B, C]
        let decibels = snr_features(snr, x.device())?.narrow(1, 0, 1)?; // [B, 1]
        let hidden = affine(&Tensor::cat(&[means, decibels], 1)?, &self.hidden)?.relu()?;
        let weights = sigmoid(&affine(&hidden, &self.output)?)?; // [B, C]
        // x (1 + s), s = weight - 1.
        film(x, &Tensor::cat(&[(&weights - 1.0)?, weights.zeros_like()?], 1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Parameters;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise_var;
    use candle_core::Device;

    #[test]
    fn weights_are_shared_by_all_positions_and_follow_the_snr() {
        let parameters = Parameters::random(1, &Device::Cpu);
        let module = SnrAttention::new(32, &parameters.root()).unwrap();
        assert_eq!(parameters.count(), 33 * 2 + 2 + 2 * 32 + 32);
        let x = noise_var(&[1, 3, 5, 32], 1);
        let ratios = |snr: f32| -> Vec<f32> {
            let y = to_vec(&module.forward(x.as_tensor(), &[snr]).unwrap()).unwrap();
            y.iter().zip(to_vec(&x).unwrap()).map(|(y, x)| y / x).collect()
        };
        let (low, high) = (ratios(1.0), ratios(100.0));
        for (position, ratio) in low.iter().enumerate() {
            assert!((ratio - low[position % 32]).abs() < 1e-4 && (0.0..1.0).contains(ratio));
        }
        assert!(low.iter().zip(&high).any(|(a, b)| (a - b).abs() > 1e-3));
    }
}
