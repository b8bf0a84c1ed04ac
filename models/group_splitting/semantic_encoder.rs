//! The semantic encoder S of both families, eq. 1: two stages of convolution and residual blocks.
//!
//! ```text
//! image [B, H, W, 3] -- down, blocks -- [B, H/2, W/2, d1] -- down, blocks -- z [B, H/4, W/4, d2]
//! ```
//! Source: paper A, Table I.

use super::config::ModelConfig;
use crate::layers::{ConvNextBlock, Downsample, Scope};
use crate::ops::film;
use candle_core::{Result, Tensor};

/// A halving convolution, optionally modulated, followed by residual blocks.
pub struct Stage {
    down: Downsample,
    blocks: Vec<ConvNextBlock>,
}

impl Stage {
    /// From `inputs` channels to `width`, with `num_blocks` residual blocks.
    pub fn new(inputs: usize, width: usize, num_blocks: usize, norm: bool, scope: &Scope) -> Result<Self> {
        let down = Downsample::new(inputs, width, &scope.at("down"))?;
        Ok(Self { down, blocks: residual_blocks(width, num_blocks, norm, scope)? })
    }

    /// `[B, H, W, inputs]` -> `[B, H / 2, W / 2, width]`; modulation `[B, 2 * width]`.
    pub fn forward(&self, x: &Tensor, modulation: Option<&Tensor>) -> Result<Tensor> {
        through(&self.blocks, modulate(self.down.forward(x)?, modulation)?)
    }
}

/// A row of residual blocks named `block.0`, `block.1` and so on.
pub fn residual_blocks(width: usize, count: usize, norm: bool, scope: &Scope) -> Result<Vec<ConvNextBlock>> {
    (0..count).map(|index| ConvNextBlock::new(width, norm, &scope.at("block").at(index))).collect()
}

/// Runs maps through a row of blocks.
pub fn through(blocks: &[ConvNextBlock], x: Tensor) -> Result<Tensor> {
    blocks.iter().try_fold(x, |x, block| block.forward(&x))
}

/// Modulates maps `[B, H, W, C]` with `[B, 2 C]`, if given.
pub fn modulate(x: Tensor, modulation: Option<&Tensor>) -> Result<Tensor> {
    match modulation {
        Some(modulation) => film(&x, modulation),
        None => Ok(x),
    }
}

/// The two stages.
pub struct Encoder {
    stages: [Stage; 2],
}

impl Encoder {
    /// Builds the encoder of a configuration.
    pub fn new(config: &ModelConfig, scope: &Scope) -> Result<Self> {
        let [first, second] = config.encoder_widths;
        let [few, more] = config.encoder_blocks;
        let norm = config.layer_norm;
        Ok(Self {
            stages: [
                Stage::new(3, first, few, norm, &scope.at("stage1"))?,
                Stage::new(first, second, more, norm, &scope.at("stage2"))?,
            ],
        })
    }

    /// `[B, H, W, 3]` -> z `[B, H / 4, W / 4, d2]`; modulations of the two stages, if any.
    pub fn forward(&self, images: &Tensor, modulations: [Option<&Tensor>; 2]) -> Result<Tensor> {
        let half = self.stages[0].forward(images, modulations[0])?;
        self.stages[1].forward(&half, modulations[1])
    }
}
