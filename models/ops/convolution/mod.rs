//! Convolution and transposed convolution of NHWC maps as one operation each, with their gradients.
//!
//! The two are each other's adjoint: one reads a large map window by window into a small one, the other adds
//! windows of a small map into a large one. Both are computed as dot products over values where they stand
//! (`geometry`), a few places by a few channels in registers at a time (`dots`), so that memory and its traffic do not
//! grow with the square of the kernel, as they do with `gather_patches` and a product, which are the oracle.

mod call;
mod direction;
mod dots;
mod geometry;
#[cfg(feature = "cuda")]
mod on_gpu;
mod pair;
mod panels;
#[cfg(test)]
mod tests;

use super::buffers::{expect_shape, values};
use super::packed;
use super::patches::PatchGrid;
use super::precision::Precision;
use call::Call;
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use pair::Pair;

/// A square window and how it moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Side of the window.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Zeros around the map.
    pub padding: usize,
}

/// y = x * W + b.
///
/// - x `[B, H, W, C]`, weight `[k k C + 1, c]`, its last row the bias -> `[B, H', W', c]`,
///   H' = (H + 2 padding - k) / stride + 1
/// - errors: a weight of another shape; a window of no pixel or larger than the padded map
pub fn convolution(x: &Tensor, weight: &Tensor, window: Window) -> Result<Tensor> {
    x.contiguous()?.apply_op2(weight, Convolve::new(window, None))
}

/// The adjoint of [`convolution`] plus a bias: x is added into maps of a given size window by window.
///
/// - x `[B, h, w, c]`, weight flat: `[c, k k C]`, then the bias `[C]` -> `[B, H, W, C]`
/// - size: (H, W), from which a convolution with this window would give (h, w)
/// - errors: a weight of another length; a size that does not fit
pub fn transposed_convolution(
    x: &Tensor,
    weight: &Tensor,
    window: Window,
    channels: usize,
    size: (usize, usize),
) -> Result<Tensor> {
    x.contiguous()?.apply_op2(weight, Convolve::new(window, Some((channels, size))))
}

#[derive(Clone, Copy)]
struct Convolve {
    window: Window,
    /// Channels and size of the result of a transposed convolution.
    to: Option<(usize, (usize, usize))>,
    /// Of the result and of both gradients.
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "the processor knows f32 only"))]
    precision: Precision,
}

struct Gradient {
    of: Convolve,
    /// Whether anything asks for the gradient of x, as nothing does for that of images.
    wants_x: bool,
}

impl Convolve {
    fn new(window: Window, to: Option<(usize, (usize, usize))>) -> Self {
        Self { window, to, precision: Precision::current() }
    }

    fn call(&self, op: &str, x: &Layout, weight: &Layout) -> Result<Call> {
        let (batch, height, width, channels) = x.shape().dims4()?;
        let Window { kernel, stride, padding } = self.window;
        let grid = |(height, width), channels| PatchGrid {
            batch: 1,
            height,
            width,
            channels,
            kernel,
            stride,
            padding,
        };
        match self.to {
            None => {
                let grid = grid((height, width), channels);
                let (rows, columns) = grid.patches()?;
                let [patch, outputs] = weight.dims()[..] else {
                    bail!("{op}: the weight has shape {:?}, expected two dimensions", weight.dims())
                };
                expect_shape(op, "the weight", &[patch], &[kernel * kernel * channels + 1])?;
                let pair = Pair { grid, small: (rows, columns), channels: outputs, is_transposed: false };
                Call::new(op, pair, [batch, rows, columns, outputs])
            }
            Some((outputs, size)) => {
                let grid = grid(size, outputs);
                let (rows, columns) = grid.patches()?;
                expect_shape(op, "the map", &[height, width], &[rows, columns])?;
                let pair = Pair { grid, small: (rows, columns), channels, is_transposed: true };
                let len = channels.saturating_mul(pair.patch_len()).saturating_add(outputs);
                expect_shape(op, "the weight", weight.dims(), &[len])?;
                Call::new(op, pair, [batch, size.0, size.1, outputs])
            }
        }
    }
}

impl CustomOp2 for Convolve {
    fn name(&self) -> &'static str {
        if self.to.is_some() { "transposed convolution" } else { "convolution" }
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        w: &CpuStorage,
        w_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let call = self.call(self.name(), x_at, w_at)?;
        let out = call.forward(values(self.name(), x, x_at)?, values(self.name(), w, w_at)?);
        Ok((CpuStorage::F32(out), call.shape.to_vec().into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        w: &CudaStorage,
        w_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.forward_on_gpu(self.name(), [(x, x_at), (w, w_at)])
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        packed::gradients(x, w, gradient, &Gradient { of: *self, wants_x: x.track_op() })
    }
}

impl CustomOp3 for Gradient {
    fn name(&self) -> &'static str {
        "convolution, gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        w: &CpuStorage,
        w_at: &Layout,
        g: &CpuStorage,
        g_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let call = self.of.call(self.name(), x_at, w_at)?;
        expect_shape(self.name(), "the gradient", g_at.dims(), &call.shape)?;
        let (x, w) = (values(self.name(), x, x_at)?, values(self.name(), w, w_at)?);
        let packed = call.gradients(x, w, values(self.name(), g, g_at)?, self.wants_x);
        let len = packed.len();
        Ok((CpuStorage::F32(packed), len.into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        w: &CudaStorage,
        w_at: &Layout,
        g: &CudaStorage,
        g_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.of.gradients_on_gpu(self.name(), [(x, x_at), (w, w_at), (g, g_at)])
    }
}
