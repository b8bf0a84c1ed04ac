//! The residual ConvNeXt block with global response normalisation.
//!
//! ```text
//! x --+-- depthwise 7x7 -- [layer norm] -- 1x1, d to 4d -- ReLU -- GRN -- 1x1, 4d to d --+-- y
//!     +----------------------------------------------------------------------------------+
//! ```
//! Source: ConvNeXt V2 (Woo et al., 2023); ReLU and the optional layer norm as in paper A, Table I.

use super::parameters::{Init, Scope};
use super::torch_layout::Piece;
use crate::ops::conv_next;
use crate::ops::conv_next::{EXPANSION, KERNEL, Sections, TAP_ROWS};
use candle_core::{Result, Tensor};

/// One residual block of width d.
pub struct ConvNextBlock {
    weights: Tensor,
    layer_norm: bool,
}

impl ConvNextBlock {
    /// Builds the block of `width` channels.
    pub fn new(width: usize, layer_norm: bool, scope: &Scope) -> Result<Self> {
        let hidden = EXPANSION * width;
        let mut parts = vec![(TAP_ROWS * width, Init::affine_rows(TAP_ROWS - 1, width, 1.0))];
        if layer_norm {
            parts.push((2 * width, Init::ScaleShift));
        }
        parts.extend([
            ((width + 1) * hidden, Init::affine_rows(width, hidden, 1.4)),
            (2 * hidden, Init::Constant(0.0)),
            ((hidden + 1) * width, Init::affine_rows(hidden, width, 0.5)),
        ]);
        debug_assert_eq!(
            parts.iter().map(|(len, _)| len).sum::<usize>(),
            Sections::new(width, layer_norm).len()
        );
        Ok(Self { weights: scope.joined("weights", &parts, &pieces(width, layer_norm))?, layer_norm })
    }

    /// `[B, H, W, d]` -> `[B, H, W, d]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        conv_next(x, &self.weights, self.layer_norm)
    }
}

/// The weights as PyTorch's layers hold them.
fn pieces(width: usize, layer_norm: bool) -> Vec<Piece> {
    let hidden = EXPANSION * width;
    let mut pieces =
        vec![Piece::kernel("depthwise.weight", KERNEL, 1, width), Piece::same("depthwise.bias", &[width])];
    if layer_norm {
        pieces.extend([Piece::same("norm.weight", &[width]), Piece::same("norm.bias", &[width])]);
    }
    pieces.extend([
        Piece::matrix("expand.weight", width, hidden),
        Piece::same("expand.bias", &[hidden]),
        Piece::same("grn.gamma", &[hidden]),
        Piece::same("grn.beta", &[hidden]),
        Piece::matrix("project.weight", hidden, width),
        Piece::same("project.bias", &[width]),
    ]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::parameters::Parameters;
    use crate::ops::testing::noise_var;
    use candle_core::Device;

    #[test]
    fn keeps_odd_shapes_and_reaches_every_variable() {
        for norm in [false, true] {
            let parameters = Parameters::random(1, &Device::Cpu);
            let block = ConvNextBlock::new(6, norm, &parameters.root()).unwrap();
            let x = noise_var(&[2, 5, 3, 6], 1);
            let y = block.forward(x.as_tensor()).unwrap();
            assert_eq!(y.dims(), [2, 5, 3, 6]);
            let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            for (name, variable) in parameters.named() {
                assert!(gradients.get(&variable).is_some(), "{name} gets no gradient");
            }
        }
    }
}
