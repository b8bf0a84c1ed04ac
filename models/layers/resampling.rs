//! Convolutions that halve and double the size of NHWC maps.

use super::parameters::{Init, Scope};
use super::torch_layout::Piece;
use crate::ops::{PatchGrid, affine, gather_patches, linear, scatter_patches_biased};
use candle_core::{Result, Tensor};

const KERNEL: usize = 4;
const STRIDE: usize = 2;
const PADDING: usize = 1;

/// Convolution 4 x 4, stride 2, padding 1: halves height and width.
pub struct Downsample {
    weight: Tensor,
}

impl Downsample {
    /// From `inputs` to `outputs` channels.
    pub fn new(inputs: usize, outputs: usize, scope: &Scope) -> Result<Self> {
        let taps = KERNEL * KERNEL * inputs;
        let pieces = [Piece::kernel("weight", KERNEL, inputs, outputs), Piece::same("bias", &[outputs])];
        let init = Init::affine_rows(taps, outputs, 1.0);
        Ok(Self { weight: scope.laid_out("weight", &[taps + 1, outputs], init, &pieces)? })
    }

    /// `[B, H, W, inputs]` -> `[B, H / 2, W / 2, outputs]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        affine(&gather_patches(x, KERNEL, STRIDE, PADDING)?, &self.weight)
    }
}

/// Transposed convolution 4 x 4, stride 2, padding 1: doubles height and width.
pub struct Upsample {
    weight: Tensor,
    bias: Tensor,
    outputs: usize,
}

impl Upsample {
    /// From `inputs` to `outputs` channels; `gain` scales the initial weights.
    pub fn new(inputs: usize, outputs: usize, gain: f32, scope: &Scope) -> Result<Self> {
        // Four of the sixteen taps meet in each output pixel.
        let deviation = gain / (4.0 * inputs as f32).sqrt();
        let shape = [inputs, KERNEL * KERNEL * outputs];
        let init = Init::Normal { deviation, zeros: 0 };
        let kernel = Piece::transposed_kernel("weight", KERNEL, inputs, outputs);
        Ok(Self {
            weight: scope.laid_out("weight", &shape, init, &[kernel])?,
            bias: scope.variable("bias", &[outputs], Init::Constant(0.0))?,
            outputs,
        })
    }

    /// `[B, H, W, inputs]` -> `[B, 2 H, 2 W, outputs]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, height, width, _) = x.dims4()?;
        let patches = linear(x, &self.weight)?; // [B, H, W, 16 outputs]
        let grid = PatchGrid {
            batch,
            height: 2 * height,
            width: 2 * width,
            channels: self.outputs,
            kernel: KERNEL,
            stride: STRIDE,
            padding: PADDING,
        };
        scatter_patches_biased(&patches, &self.bias, grid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::parameters::Parameters;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise_var;
    use candle_core::Device;

    #[test]
    fn equal_candles_convolutions() {
        let parameters = Parameters::random(3, &Device::Cpu);
        let down = Downsample::new(3, 5, &parameters.root().at("down")).unwrap();
        let up = Upsample::new(3, 5, 1.0, &parameters.root().at("up")).unwrap();
        let x = noise_var(&[2, 6, 8, 3], 1);
        let nchw = x.as_tensor().permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();

        let kernel = down.weight.narrow(0, 0, 48).unwrap().reshape((4, 4, 3, 5)).unwrap();
        let kernel = kernel.permute((3, 2, 0, 1)).unwrap().contiguous().unwrap();
        let expected = nchw.conv2d(&kernel, 1, 2, 1, 1).unwrap().permute((0, 2, 3, 1)).unwrap();
        close(&down.forward(x.as_tensor()).unwrap(), &expected);

        let kernel = up.weight.reshape((3, 4, 4, 5)).unwrap().permute((0, 3, 1, 2)).unwrap();
        let expected = nchw.conv_transpose2d(&kernel.contiguous().unwrap(), 1, 0, 2, 1).unwrap();
        close(&up.forward(x.as_tensor()).unwrap(), &expected.permute((0, 2, 3, 1)).unwrap());
    }

    fn close(a: &Tensor, b: &Tensor) {
        assert_eq!(a.dims(), b.dims());
        for (a, b) in to_vec(a).unwrap().iter().zip(to_vec(b).unwrap()) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }
}
