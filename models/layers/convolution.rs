//! Convolutions of odd windows that keep the size of a map or change it by a stride.

use super::parameters::{Init, Scope};
use super::torch_layout::Piece;
use crate::ops::{Window, affine, convolution, transposed_convolution};
use candle_core::{Result, Tensor};

/// A convolution k x k, k odd, padded by (k - 1) / 2: divides height and width by its stride, rounding up.
pub struct Convolution {
    weight: Tensor,
    window: Window,
}

/// Its adjoint: multiplies height and width by the stride.
pub struct TransposedConvolution {
    weight: Tensor,
    window: Window,
    outputs: usize,
}

/// Where a convolution stands: channels before and after, side of the window, step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Channels of its input.
    pub inputs: usize,
    /// Channels of its output.
    pub outputs: usize,
    /// Side of the window, odd.
    pub kernel: usize,
    /// Step between windows; of a transposed convolution, the factor by which maps grow.
    pub stride: usize,
}

impl Shape {
    fn window(&self) -> Window {
        Window { kernel: self.kernel, stride: self.stride, padding: self.kernel / 2 }
    }
}

impl Convolution {
    /// Variance gain^2 / (k k inputs), bias zero.
    pub fn new(shape: Shape, gain: f32, scope: &Scope) -> Result<Self> {
        let taps = shape.kernel * shape.kernel * shape.inputs;
        let Shape { inputs, outputs, kernel, .. } = shape;
        let pieces = [Piece::kernel("weight", kernel, inputs, outputs), Piece::same("bias", &[outputs])];
        let init = Init::affine_rows(taps, outputs, gain);
        let weight = scope.laid_out("weight", &[taps + 1, outputs], init, &pieces)?;
        Ok(Self { weight, window: shape.window() })
    }

    /// `[B, H, W, inputs]` -> `[B, H / stride, W / stride, outputs]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self.window {
            Window { kernel: 1, stride: 1, .. } => affine(x, &self.weight),
            window => convolution(x, &self.weight, window),
        }
    }
}

impl TransposedConvolution {
    /// Variance gain^2 / (inputs k k / stride^2), so many terms meeting in each output; bias zero.
    pub fn new(shape: Shape, gain: f32, scope: &Scope) -> Result<Self> {
        let Shape { inputs, outputs, kernel, stride } = shape;
        let taps = kernel * kernel;
        let terms = inputs as f32 * taps as f32 / (stride * stride) as f32;
        let weights = (inputs * taps * outputs, Init::Normal { deviation: gain / terms.sqrt(), zeros: 0 });
        let parts = [weights, (outputs, Init::Constant(0.0))];
        let kernel = Piece::transposed_kernel("weight", kernel, inputs, outputs);
        let pieces = [kernel, Piece::same("bias", &[outputs])];
        Ok(Self { weight: scope.joined("weight", &parts, &pieces)?, window: shape.window(), outputs })
    }

    /// `[B, H, W, inputs]` -> `[B, stride H, stride W, outputs]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (_, height, width, _) = x.dims4()?;
        let size = (height * self.window.stride, width * self.window.stride);
        transposed_convolution(x, &self.weight, self.window, self.outputs, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::parameters::Parameters;
    use crate::ops::testing::noise_var;
    use candle_core::{D, Device};

    fn power(x: &Tensor) -> f32 {
        x.sqr().unwrap().flatten_all().unwrap().mean(D::Minus1).unwrap().to_scalar().unwrap()
    }

    #[test]
    fn sizes_follow_the_stride_and_power_is_kept() {
        for (kernel, stride) in [(9, 2), (5, 2), (5, 1), (1, 1)] {
            let parameters = Parameters::random(3, &Device::Cpu);
            let shape = Shape { inputs: 6, outputs: 10, kernel, stride };
            let down = Convolution::new(shape, 1.0, &parameters.root().at("down")).unwrap();
            let up = TransposedConvolution::new(shape, 1.0, &parameters.root().at("up")).unwrap();
            let x = noise_var(&[4, 16, 24, 6], 1);
            let y = down.forward(x.as_tensor()).unwrap();
            assert_eq!(y.dims(), [4, 16 / stride, 24 / stride, 10]);
            let z = up.forward(x.as_tensor()).unwrap();
            assert_eq!(z.dims(), [4, 16 * stride, 24 * stride, 10]);
            for y in [y, z] {
                let power = power(&y);
                assert!((0.5..1.6).contains(&power), "{kernel} {stride}: {power}");
            }
        }
    }
}
