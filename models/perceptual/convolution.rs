//! Convolution of NHWC maps with fixed weights from a PyTorch file.

use super::PerceptualError;
use super::torch_file::TorchFile;
use crate::ops::{Window, affine, convolution};
use candle_core::Tensor;

/// Sizes of a convolution.
#[derive(Clone, Copy, Debug)]
pub struct ConvolutionSize {
    /// Channels of its input.
    pub inputs: usize,
    /// Channels of its output.
    pub outputs: usize,
    /// Side of its kernel.
    pub kernel: usize,
    /// Step between outputs.
    pub stride: usize,
    /// Zeros around the input.
    pub padding: usize,
}

/// A convolution without gradients.
pub struct Convolution {
    size: ConvolutionSize,
    /// `[kernel^2 inputs + 1, outputs]`, the bias in the last row.
    weight: Tensor,
}

impl Convolution {
    /// From the tensors `NAME.weight`, `[outputs, inputs, kernel, kernel]`, and `NAME.bias`.
    pub fn load(file: &TorchFile, name: &str, size: ConvolutionSize) -> Result<Self, PerceptualError> {
        let ConvolutionSize { inputs, outputs, kernel, .. } = size;
        let weight = file.tensor(&format!("{name}.weight"), &[outputs, inputs, kernel, kernel])?;
        let bias = file.tensor(&format!("{name}.bias"), &[outputs])?;
        let taps = weight.permute((2, 3, 1, 0))?.reshape((kernel * kernel * inputs, outputs))?;
        Ok(Self { size, weight: Tensor::cat(&[taps, bias.reshape((1, outputs))?], 0)?.contiguous()? })
    }

    /// `[B, H, W, inputs]` -> `[B, H', W', outputs]`, H' = (H + 2 padding - kernel) / stride + 1.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let ConvolutionSize { kernel, stride, padding, .. } = self.size;
        if (kernel, stride, padding) == (1, 1, 0) {
            return affine(x, &self.weight);
        }
        convolution(x, &self.weight, Window { kernel, stride, padding })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise_var;
    use crate::weights::tensor_file::{Metadata, Tensors, write_f32};

    #[test]
    fn equals_candles_convolution() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        for (kernel, stride, padding) in [(3, 2, 0), (3, 1, 1), (1, 1, 0)] {
            let weight = noise_var(&[5, 4, kernel, kernel], 1).as_tensor().clone();
            let bias = noise_var(&[5], 2).as_tensor().clone();
            let tensors =
                Tensors::from([("c.weight".into(), weight.clone()), ("c.bias".into(), bias.clone())]);
            write_f32(&path, &tensors, Metadata::new()).unwrap();
            let size = ConvolutionSize { inputs: 4, outputs: 5, kernel, stride, padding };
            let file = TorchFile::open(&path).unwrap();
            let convolution = Convolution::load(&file, "c", size).unwrap();
            let x = noise_var(&[2, 7, 10, 4], 3);
            let found = convolution.forward(x.as_tensor()).unwrap();
            let nchw = x.permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();
            let expected = nchw.conv2d(&weight, padding, stride, 1, 1).unwrap();
            let expected = expected.permute((0, 2, 3, 1)).unwrap().broadcast_add(&bias).unwrap();
            assert_eq!(found.dims(), expected.dims());
            for (a, b) in to_vec(&found).unwrap().iter().zip(to_vec(&expected).unwrap()) {
                assert!((a - b).abs() < 1e-4, "{a} {b}");
            }
        }
    }
}
