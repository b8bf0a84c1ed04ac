//! The convolutional part of SqueezeNet 1.1, without gradients.
//!
//! ```text
//! conv 3x3/2 > ReLU > 0 > pool > fire > fire > 1 > pool > fire > fire > 2
//!                        > pool > fire > 3 > fire > 4 > fire > 5 > fire > 6
//!
//! fire: squeeze 1x1 > ReLU > [expand 1x1, expand 3x3] > ReLU
//! ```
//! Numbers are the stages whose maps are given out. Source: Iandola et al., "SqueezeNet", 2016,
//! release 1.1; names and layouts of the tensors as in torchvision's `squeezenet1_1`.

use super::PerceptualError;
use super::convolution::{Convolution, ConvolutionSize};
use super::max_pool::max_pool;
use super::torch_file::TorchFile;
use candle_core::{D, Tensor};

/// Channels of the maps of each stage.
pub const STAGES: [usize; 7] = [64, 128, 256, 384, 384, 512, 512];

/// Sizes of the first convolution.
pub const STEM: ConvolutionSize =
    ConvolutionSize { inputs: 3, outputs: STAGES[0], kernel: 3, stride: 2, padding: 0 };

/// A fire module's place and sizes.
pub struct FireSize {
    /// Index in torchvision's list `features`.
    pub index: usize,
    /// Channels of its input.
    pub inputs: usize,
    /// Channels between its convolutions.
    pub squeezed: usize,
    /// Channels of each of the two halves of its output.
    pub half: usize,
    /// Whether maps are pooled before it.
    pub pooled: bool,
    /// Whether a stage ends with it.
    pub stage: bool,
}

/// The fire modules in order.
pub const FIRES: [FireSize; 8] = [
    FireSize { index: 3, inputs: 64, squeezed: 16, half: 64, pooled: true, stage: false },
    FireSize { index: 4, inputs: 128, squeezed: 16, half: 64, pooled: false, stage: true },
    FireSize { index: 6, inputs: 128, squeezed: 32, half: 128, pooled: true, stage: false },
    FireSize { index: 7, inputs: 256, squeezed: 32, half: 128, pooled: false, stage: true },
    FireSize { index: 9, inputs: 256, squeezed: 48, half: 192, pooled: true, stage: true },
    FireSize { index: 10, inputs: 384, squeezed: 48, half: 192, pooled: false, stage: true },
    FireSize { index: 11, inputs: 384, squeezed: 64, half: 256, pooled: false, stage: true },
    FireSize { index: 12, inputs: 512, squeezed: 64, half: 256, pooled: false, stage: true },
];

impl FireSize {
    /// Names and sizes of the convolutions: squeeze, expand 1 x 1, expand 3 x 3.
    pub fn convolutions(&self) -> [(String, ConvolutionSize); 3] {
        let part = |name: &str, inputs, outputs, kernel| {
            let size = ConvolutionSize { inputs, outputs, kernel, stride: 1, padding: kernel / 2 };
            (format!("features.{}.{name}", self.index), size)
        };
        [
            part("squeeze", self.inputs, self.squeezed, 1),
            part("expand1x1", self.squeezed, self.half, 1),
            part("expand3x3", self.squeezed, self.half, 3),
        ]
    }
}

/// SqueezeNet 1.1 up to its last fire module.
pub struct SqueezeNet {
    stem: Convolution,
    fires: Vec<[Convolution; 3]>,
}

impl SqueezeNet {
    /// From torchvision's tensors `features.*`; others, such as the classifier's, are ignored.
    pub fn load(file: &TorchFile) -> Result<Self, PerceptualError> {
        let stem = Convolution::load(file, "features.0", STEM)?;
        let fire = |fire: &FireSize| {
            let [squeeze, one, three] =
                fire.convolutions().map(|(name, size)| Convolution::load(file, &name, size));
            Ok([squeeze?, one?, three?])
        };
        Ok(Self { stem, fires: FIRES.iter().map(fire).collect::<Result<_, PerceptualError>>()? })
    }

    /// The maps of each stage, `[B, h, w, STAGES[i]]`.
    ///
    /// - x: `[B, H, W, 3]`, standardised; sides of at least 17
    pub fn stages(&self, x: &Tensor) -> candle_core::Result<Vec<Tensor>> {
        let mut maps = self.stem.forward(x)?.relu()?;
        let mut stages = vec![maps.clone()];
        for (size, [squeeze, one, three]) in FIRES.iter().zip(&self.fires) {
            if size.pooled {
                maps = max_pool(&maps)?;
            }
            let squeezed = squeeze.forward(&maps)?.relu()?;
            let halves = [one.forward(&squeezed)?, three.forward(&squeezed)?];
            maps = Tensor::cat(&halves, D::Minus1)?.relu()?;
            if size.stage {
                stages.push(maps.clone());
            }
        }
        Ok(stages)
    }
}
