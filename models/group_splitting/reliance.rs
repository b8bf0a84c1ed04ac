//! How far each user relies on what is common to its group, place by place.
//!
//! ```text
//! private maps p --+-- |c - p| -- 1x1 -- residual block -- 1x1 -- sigmoid -- gate g
//! common maps c ---+                                                          |
//!                  +-- c - p, and those maps of c that p has no equal of -----(x)-- leaning
//! ```
//! Common features describe the group, not the user. Where the first maps of both, which stand for the same,
//! are apart by more than noise, the user's image is unlike its group's and the gate closes; where they
//! agree, adding the leaning to p averages two noisy copies.

use super::config::ModelConfig;
use super::semantic_encoder::modulate;
use crate::layers::condition::SNR_FEATURES;
use crate::layers::{Condition, ConvNextBlock, Scope, sigmoid};
use crate::ops::affine;
use candle_core::{Result, Tensor};

/// Values that every user knows: features of the mean and its own SNR, logarithms of both scales.
pub const KNOWN: usize = 2 * SNR_FEATURES + 2;
/// Gates start a little closed: sigmoid(-1) = 0.27.
const CLOSED: f64 = -1.0;

/// Maps of common features that stand for the same as the private maps of the same number.
pub fn compared_channels(private: usize, common: usize) -> usize {
    private.min(common.div_ceil(2))
}

/// The gates of one decoder.
pub struct Reliance {
    compared: usize,
    condition: Option<Condition>,
    input: Tensor,
    block: ConvNextBlock,
    output: Tensor,
}

/// What a decoder makes of common features.
pub struct Leaning {
    /// Gated maps, `[K, h, w, c_c]`.
    pub maps: Tensor,
    /// Mean distance between private and common maps of the same number, `[K, compared]`.
    pub mean_distance: Tensor,
}

impl Reliance {
    /// The gates of a configuration whose common features are not none.
    pub fn new(config: &ModelConfig, scope: &Scope) -> Result<Self> {
        let (width, common) = (config.encoder_widths[0], config.common_features);
        let compared = compared_channels(config.private_features, common);
        let condition = || Condition::new(KNOWN + compared, &[width], &scope.at("condition"));
        Ok(Self {
            compared,
            condition: config.film.then(condition).transpose()?,
            input: scope.affine("input", compared, width, 1.0)?,
            block: ConvNextBlock::new(width, config.layer_norm, &scope.at("block"))?,
            output: scope.affine("output", width, common, 0.0)?,
        })
    }

    /// Private maps `[K, h, w, c_p]`, common maps `[K, h, w, c_c]`, known `[K, KNOWN]`.
    pub fn forward(&self, private: &Tensor, common: &Tensor, known: &Tensor) -> Result<Leaning> {
        let (users, height, width, channels) = common.dims4()?;
        let beside = private.narrow(3, 0, self.compared)?;
        let difference = common.narrow(3, 0, self.compared)?.sub(&beside)?;
        let distance = difference.abs()?;
        let mean_distance = distance.reshape((users, height * width, self.compared))?.mean(1)?;
        let modulation = match &self.condition {
            Some(condition) => Some(condition.forward(&Tensor::cat(&[known, &mean_distance], 1)?)?),
            None => None,
        };
        let modulation = modulation.as_ref().and_then(|of_layers| of_layers.first());
        let x = self.block.forward(&modulate(affine(&distance, &self.input)?, modulation)?)?;
        let gate = sigmoid(&(affine(&x, &self.output)? + CLOSED)?)?;
        let others = common.narrow(3, self.compared, channels - self.compared)?;
        let maps = Tensor::cat(&[&difference, &others], 3)?.mul(&gate)?;
        Ok(Leaning { maps, mean_distance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Parameters;
    use crate::ops::testing::{check_gradients, noise_var};
    use candle_core::Device;

    fn reliance() -> Reliance {
        let config = ModelConfig::preset("spatial-tiny", 4, 6).unwrap();
        Reliance::new(&config, &Parameters::random(1, &Device::Cpu).root()).unwrap()
    }

    #[test]
    fn fresh_gates_pass_a_part_of_the_difference() {
        let (private, common) = (noise_var(&[2, 3, 3, 4], 1), noise_var(&[2, 3, 3, 6], 2));
        let known = noise_var(&[2, KNOWN], 3);
        let Leaning { maps, mean_distance } = reliance().forward(&private, &common, &known).unwrap();
        assert_eq!((maps.dims(), mean_distance.dims()), (&[2, 3, 3, 6][..], &[2, 3][..]));
        let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let gate = 1.0 / (1.0 + 1f32.exp());
        let (p, c) = (values(&private), values(&common));
        for (at, found) in values(&maps).into_iter().enumerate() {
            let (pixel, channel) = (at / 6, at % 6);
            let beside = if channel < 3 { p[pixel * 4 + channel] } else { 0.0 };
            assert!((found - gate * (c[at] - beside)).abs() < 1e-5);
        }
    }

    #[test]
    fn gates_far_open_and_far_closed_have_finite_gradients() {
        let x = candle_core::Var::new(&[-1000f32, 0.0, 1000.0], &Device::Cpu).unwrap();
        let gates = sigmoid(&x).unwrap();
        assert_eq!(gates.to_vec1::<f32>().unwrap(), [0.0, 0.5, 1.0]);
        let gradient = gates.backward().unwrap().remove(&x).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(gradient, [0.0, 0.25, 0.0]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let vars = [noise_var(&[2, 2, 2, 4], 1), noise_var(&[2, 2, 2, 6], 2), noise_var(&[2, KNOWN], 3)];
        let reliance = reliance();
        check_gradients(&vars, |t| reliance.forward(&t[0], &t[1], &t[2])?.maps.contiguous());
    }
}
