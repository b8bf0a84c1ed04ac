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
/// - errors: a weight of another shape; a window larger than the padded map
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
                Ok(Call { batch, pair, shape: [batch, rows, columns, outputs] })
            }
            Some((outputs, size)) => {
                let grid = grid(size, outputs);
                let (rows, columns) = grid.patches()?;
                expect_shape(op, "the map", &[height, width], &[rows, columns])?;
                let pair = Pair { grid, small: (rows, columns), channels, is_transposed: true };
                let len = channels * pair.patch_len() + outputs;
                expect_shape(op, "the weight", weight.dims(), &[len])?;
                Ok(Call { batch, pair, shape: [batch, size.0, size.1, outputs] })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise_var};
    use crate::ops::{affine, gather_patches};
    use candle_core::Var;

    const WINDOWS: [Window; 7] = [
        Window { kernel: 5, stride: 2, padding: 2 },
        Window { kernel: 5, stride: 1, padding: 2 },
        Window { kernel: 4, stride: 2, padding: 1 },
        Window { kernel: 3, stride: 1, padding: 0 },
        Window { kernel: 4, stride: 3, padding: 3 },
        // Some pixels lie in no window.
        Window { kernel: 1, stride: 2, padding: 0 },
        Window { kernel: 2, stride: 3, padding: 1 },
    ];

    fn close(a: &Tensor, b: &Tensor) {
        assert_eq!(a.dims(), b.dims());
        for (a, b) in to_vec(a).unwrap().iter().zip(to_vec(b).unwrap()) {
            assert!((a - b).abs() < 2e-4, "{a} {b}");
        }
    }

    fn to_nhwc(x: Tensor) -> Tensor {
        x.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap()
    }

    fn weights(shape: &[usize]) -> Var {
        Var::from_tensor(&(noise_var(shape, 7).as_tensor() * 0.3).unwrap()).unwrap()
    }

    #[test]
    fn equal_candles_convolutions() {
        for window in &WINDOWS[..4] {
            let Window { kernel: k, stride, padding } = *window;
            let x = noise_var(&[7, 8, 10, 3], 1);
            let nchw = x.as_tensor().permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();
            let w = weights(&[k * k * 3 + 1, 5]);
            let found = convolution(x.as_tensor(), w.as_tensor(), *window).unwrap();
            let kernel = w.narrow(0, 0, k * k * 3).unwrap().reshape((k, k, 3, 5)).unwrap();
            let kernel = kernel.permute((3, 2, 0, 1)).unwrap().contiguous().unwrap();
            let expected = to_nhwc(nchw.conv2d(&kernel, padding, stride, 1, 1).unwrap());
            let bias = w.narrow(0, k * k * 3, 1).unwrap();
            close(&found, &expected.broadcast_add(&bias).unwrap());

            let (_, height, width, _) = found.dims4().unwrap();
            let w = weights(&[5 * k * k * 4 + 4]);
            let size = (8, 10);
            let up = transposed_convolution(&found, w.as_tensor(), *window, 4, size).unwrap();
            let kernel = w.narrow(0, 0, 5 * k * k * 4).unwrap().reshape((5, k, k, 4)).unwrap();
            let kernel = kernel.permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();
            let nchw = found.permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();
            let missing = size.0 - ((height - 1) * stride + k - 2 * padding);
            assert_eq!(size.1 - ((width - 1) * stride + k - 2 * padding), missing);
            let expected = nchw.conv_transpose2d(&kernel, padding, missing, stride, 1).unwrap();
            let bias = w.narrow(0, 5 * k * k * 4, 4).unwrap();
            close(&up, &to_nhwc(expected).broadcast_add(&bias).unwrap());
        }
    }

    /// The same from patches in memory.
    fn oracle(x: &Tensor, w: &Tensor, window: Window) -> Tensor {
        let Window { kernel, stride, padding } = window;
        affine(&gather_patches(x, kernel, stride, padding).unwrap(), w).unwrap()
    }

    #[test]
    fn many_bands_of_rows_equal_patches_in_memory() {
        for window in WINDOWS {
            let taps = window.kernel * window.kernel;
            let (x, w) = (noise_var(&[2, 60, 70, 3], 1), weights(&[taps * 3 + 1, 5]));
            let found = convolution(x.as_tensor(), w.as_tensor(), window).unwrap();
            let expected = oracle(x.as_tensor(), w.as_tensor(), window);
            close(&found, &expected);
            let g = noise_var(found.dims(), 3);
            let gradients = |y: &Tensor| y.mul(g.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
            let (found, expected) = (gradients(&found), gradients(&expected));
            for (v, scale) in [(&x, 1.0), (&w, 1e-2)] {
                let [found, expected] = [&found, &expected].map(|of| (of.get(v).unwrap() * scale).unwrap());
                close(&found, &expected);
            }
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        for window in WINDOWS {
            let taps = window.kernel * window.kernel;
            check_gradients(&[noise_var(&[6, 6, 8, 2], 1), weights(&[taps * 2 + 1, 3])], |t| {
                convolution(&t[0], &t[1], window)
            });
            let small = convolution(
                noise_var(&[6, 6, 8, 2], 1).as_tensor(),
                weights(&[taps * 2 + 1, 3]).as_tensor(),
                window,
            );
            let (_, height, width, _) = small.unwrap().dims4().unwrap();
            check_gradients(&[noise_var(&[6, height, width, 3], 2), weights(&[3 * taps * 2 + 2])], |t| {
                transposed_convolution(&t[0], &t[1], window, 2, (6, 8))
            });
        }
    }

    #[test]
    fn maps_that_need_no_gradient_get_none_and_change_nothing() {
        let (x, w) = (noise_var(&[3, 9, 9, 3], 1), weights(&[25 * 3 + 1, 5]));
        let of_weight = |x: &Tensor| {
            let y = convolution(x, w.as_tensor(), WINDOWS[0]).unwrap();
            let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            (to_vec(gradients.get(&w).unwrap()).unwrap(), gradients.get(x).is_some())
        };
        let (with, without) = (of_weight(x.as_tensor()), of_weight(&x.as_tensor().detach()));
        assert!(with.1 && !without.1 && with.0 == without.0);
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let (x, w) = (noise_var(&[13, 16, 16, 8], 1), weights(&[25 * 8 + 1, 12]));
        let up = weights(&[12 * 25 * 8 + 8]);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let y = convolution(x.as_tensor(), w.as_tensor(), WINDOWS[0]).unwrap();
                let z = transposed_convolution(&y, up.as_tensor(), WINDOWS[0], 8, (16, 16)).unwrap();
                let gradients = z.sqr().unwrap().sum_all().unwrap().backward().unwrap();
                [to_vec(&z), to_vec(gradients.get(&w).unwrap()), to_vec(gradients.get(&x).unwrap())]
                    .map(|values| values.unwrap())
            })
        };
        // With four threads three tasks share each product.
        let one = run(1);
        assert!(one == run(2) && one == run(4));
    }

    #[test]
    fn wrong_weights_and_sizes_are_refused() {
        let x = noise_var(&[1, 8, 8, 3], 1);
        let error = convolution(x.as_tensor(), weights(&[25 * 2 + 1, 4]).as_tensor(), WINDOWS[0]);
        assert!(error.unwrap_err().to_string().contains("the weight"));
        let w = weights(&[3 * 25 * 2 + 2]);
        let error = transposed_convolution(x.as_tensor(), w.as_tensor(), WINDOWS[0], 2, (20, 16));
        assert!(error.unwrap_err().to_string().contains("the map"));
    }
}
