//! Bilinear upsampling of NHWC maps by two, with its gradient.
//!
//! Pixel centres are at halves, as image resizers have it: each new pixel is 3/4 of its nearest old one and
//! 1/4 of the next, in both directions; beyond the edge the edge repeats.

use super::buffers::{expect_shape, values};
use super::shared_out::SharedOut;
#[cfg(feature = "cuda")]
use crate::cuda::{self, programs::maps as program};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

const NEAR: f32 = 0.75;
const FAR: f32 = 0.25;

/// `[B, H, W, C]` -> `[B, 2 H, 2 W, C]`.
pub fn double_bilinear(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Double)
}

struct Double;
struct DoubleGradient;

/// The two old positions behind a new one, with their weights.
fn sources(new: usize, old_len: usize) -> [(usize, f32); 2] {
    let near = new / 2;
    let far = if new.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(old_len - 1) };
    [(near, NEAR), (far, FAR)]
}

/// Calls `visit(new pixel, old pixel, weight)` for every pair that belongs together.
fn pairs(height: usize, width: usize, mut visit: impl FnMut(usize, usize, f32)) {
    for (y, x) in (0..2 * height).flat_map(|y| (0..2 * width).map(move |x| (y, x))) {
        for (from_y, of_y) in sources(y, height) {
            for (from_x, of_x) in sources(x, width) {
                visit(y * 2 * width + x, from_y * width + from_x, of_y * of_x);
            }
        }
    }
}

/// Applies `pairs` to all samples: `to` pixels get what `from` pixels hold.
fn apply(batch: usize, (height, width, channels): (usize, usize, usize), x: &[f32], grows: bool) -> Vec<f32> {
    let (small, large) = (height * width * channels, 4 * height * width * channels);
    let (from_len, to_len) = if grows { (small, large) } else { (large, small) };
    let mut output = SharedOut::new(batch * to_len);
    let out = &output;
    (0..batch).into_par_iter().for_each(|sample| {
        let x = &x[sample * from_len..][..from_len];
        // SAFETY: each task fills its own sample.
        let out = unsafe { std::slice::from_raw_parts_mut(out.at(sample * to_len), to_len) };
        out.fill(0.0);
        pairs(height, width, |new, old, weight| {
            let (to, from) = if grows { (new, old) } else { (old, new) };
            let to = &mut out[to * channels..][..channels];
            to.iter_mut().zip(&x[from * channels..][..channels]).for_each(|(to, x)| *to += weight * x);
        });
    });
    output.take()
}

impl CustomOp1 for Double {
    fn name(&self) -> &'static str {
        "double bilinear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, x_at: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, height, width, channels) = x_at.shape().dims4()?;
        let out = apply(batch, (height, width, channels), values(self.name(), x, x_at)?, true);
        Ok((CpuStorage::F32(out), (batch, 2 * height, 2 * width, channels).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, x_at: &Layout) -> Result<(CudaStorage, Shape)> {
        let (batch, height, width, channels) = x_at.shape().dims4()?;
        let shape = (batch, 2 * height, 2 * width, channels);
        cuda::run(self.name(), [(x, x_at)], shape, |queue, [x], out| {
            program::double(queue, [batch, height, width, channels], x, out, false)
        })
    }

    fn bwd(&self, _x: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(gradient.contiguous()?.apply_op1_no_bwd(&DoubleGradient)?))
    }
}

impl CustomOp1 for DoubleGradient {
    fn name(&self) -> &'static str {
        "double bilinear, gradient"
    }

    fn cpu_fwd(&self, g: &CpuStorage, g_at: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, height, width, channels) = g_at.shape().dims4()?;
        expect_shape(self.name(), "the gradient", &[height % 2, width % 2], &[0, 0])?;
        let size = (height / 2, width / 2, channels);
        let out = apply(batch, size, values(self.name(), g, g_at)?, false);
        Ok((CpuStorage::F32(out), (batch, size.0, size.1, channels).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, g: &CudaStorage, g_at: &Layout) -> Result<(CudaStorage, Shape)> {
        let (batch, height, width, channels) = g_at.shape().dims4()?;
        expect_shape(self.name(), "the gradient", &[height % 2, width % 2], &[0, 0])?;
        let size = [batch, height / 2, width / 2, channels];
        cuda::run(self.name(), [(g, g_at)], size.to_vec(), |queue, [g], out| {
            program::double(queue, size, g, out, true)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise_var};

    #[test]
    fn worked_by_hand() {
        let x =
            Tensor::from_vec(vec![0f32, 4.0, 8.0, 12.0], (1, 2, 2, 1), &candle_core::Device::Cpu).unwrap();
        let y = to_vec(&double_bilinear(&x).unwrap()).unwrap();
        assert_eq!(y[..4], [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(y[4..8], [2.0, 3.0, 5.0, 6.0]);
        assert_eq!(y[12..], [8.0, 9.0, 11.0, 12.0]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        check_gradients(&[noise_var(&[2, 3, 4, 2], 1)], |t| double_bilinear(&t[0]));
        check_gradients(&[noise_var(&[1, 1, 1, 3], 1)], |t| double_bilinear(&t[0]));
    }
}
