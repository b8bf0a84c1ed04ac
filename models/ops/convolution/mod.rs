//! Convolution and transposed convolution of NHWC maps as one operation each, with their gradients.
//!
//! The two are each other's adjoint: one reads a large map patch by patch into a small one, the other adds
//! patches of a small map into a large one. Patches of a few samples stay in the caches of one core while
//! other samples run beside them, so that memory does not grow with the square of the kernel, as it does
//! with `gather_patches` and a product, which are the oracle.

mod few;

use super::buffers::{expect_shape, values};
use super::packed;
use super::patches::PatchGrid;
use super::precision::Precision;
use super::product::Threads;
use super::shared_out::SharedOut;
use super::transpose::transpose;
#[cfg(feature = "cuda")]
use crate::cuda::{self, programs::convolution as program};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use few::{Pair, Scratch};
use rayon::prelude::*;

/// Fewest samples whose weight gradients are summed in one task, and values of all partial sums at most:
/// fixed, so that the number of threads changes no bit of the sum.
const SAMPLES_PER_SUM: usize = 5;
const PARTIAL_VALUES: usize = 1 << 25;
/// Weights whose gradients are added up in one task.
const WEIGHTS_PER_TASK: usize = 1 << 14;

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

struct Gradient(Convolve);

/// A call with its sizes known.
#[derive(Clone, Copy)]
struct Call {
    batch: usize,
    pair: Pair,
    is_transposed: bool,
    shape: [usize; 4],
}

impl Convolve {
    fn new(window: Window, to: Option<(usize, (usize, usize))>) -> Self {
        Self { window, to, precision: Precision::current() }
    }

    #[cfg(feature = "cuda")]
    fn on_gpu(&self, call: &Call) -> program::Pair {
        program::Pair {
            grid: PatchGrid { batch: call.batch, ..call.pair.grid },
            channels: call.pair.channels,
            is_transposed: call.is_transposed,
            may_round: self.precision.may_round(),
        }
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
                let pair = Pair { grid, positions: rows * columns, channels: outputs };
                Ok(Call { batch, pair, is_transposed: false, shape: [batch, rows, columns, outputs] })
            }
            Some((outputs, size)) => {
                let grid = grid(size, outputs);
                let (rows, columns) = grid.patches()?;
                expect_shape(op, "the map", &[height, width], &[rows, columns])?;
                let pair = Pair { grid, positions: rows * columns, channels };
                let len = channels * pair.patch_len() + outputs;
                expect_shape(op, "the weight", weight.dims(), &[len])?;
                Ok(Call { batch, pair, is_transposed: true, shape: [batch, size.0, size.1, outputs] })
            }
        }
    }
}

impl Call {
    /// Values of a sample before and after.
    fn lens(&self) -> (usize, usize) {
        let (large, small) = (self.pair.large_len(), self.pair.small_len());
        if self.is_transposed { (small, large) } else { (large, small) }
    }

    fn forward(&self, x: &[f32], weight: &[f32]) -> Vec<f32> {
        let (from, to) = self.lens();
        let (weight, bias) = weight.split_at(self.pair.channels * self.pair.patch_len());
        let few = self.pair.samples_per_product();
        let tasks = self.batch.div_ceil(few);
        let mut output = SharedOut::new(self.batch * to);
        let out = &output;
        let run = |task: usize, threads: Threads, scratch: &mut Scratch| {
            let (first, last) = (task * few, self.batch.min((task + 1) * few));
            let x = &x[first * from..last * from];
            // SAFETY: each task has its own samples, and the bias is written everywhere.
            let out = unsafe { std::slice::from_raw_parts_mut(out.at(first * to), (last - first) * to) };
            out.chunks_exact_mut(bias.len().max(1)).for_each(|pixel| pixel.copy_from_slice(bias));
            match self.is_transposed {
                false => self.pair.shrink(threads, x, weight, out, scratch),
                true => self.pair.grow(threads, x, weight, out, scratch),
            }
        };
        if tasks < rayon::current_num_threads() {
            let mut scratch = Scratch::default();
            (0..tasks).for_each(|task| run(task, Threads::Pool, &mut scratch));
        } else {
            (0..tasks)
                .into_par_iter()
                .for_each_init(Scratch::default, |scratch, task| run(task, Threads::One, scratch));
        }
        output.take()
    }

    /// One flat vector: the gradient of x, then that of the weight.
    fn gradients(&self, x: &[f32], weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (from, to) = self.lens();
        let (channels, patch) = (self.pair.channels, self.pair.patch_len());
        let matrix = &weight[..channels * patch];
        let turned = match self.is_transposed {
            false => transpose(matrix, patch, channels),
            true => transpose(matrix, channels, patch),
        };
        let (few, per_sum) = (self.pair.samples_per_product(), self.samples_per_sum(weight.len()));
        let mut packed = SharedOut::new(self.batch * from + weight.len());
        let out = &packed;
        let parts: Vec<Vec<f32>> = (0..self.batch.div_ceil(per_sum))
            .into_par_iter()
            .map_init(Scratch::default, |scratch, task| {
                let mut sums = vec![0.0; weight.len()];
                let last = self.batch.min((task + 1) * per_sum);
                for first in (task * per_sum..last).step_by(few) {
                    let end = last.min(first + few);
                    let (x, gradient) = (&x[first * from..end * from], &gradient[first * to..end * to]);
                    let is_first = first == task * per_sum;
                    // SAFETY: each task has its own samples.
                    let of_x =
                        unsafe { std::slice::from_raw_parts_mut(out.at(first * from), (end - first) * from) };
                    of_x.fill(0.0);
                    let (of_matrix, of_bias) = sums.split_at_mut(channels * patch);
                    let (pair, one) = (&self.pair, Threads::One);
                    if self.is_transposed {
                        pair.correlate(gradient, x, of_matrix, !is_first, scratch);
                        pair.shrink(one, gradient, &turned, of_x, scratch);
                    } else {
                        pair.correlate(x, gradient, of_matrix, !is_first, scratch);
                        pair.grow(one, gradient, &turned, of_x, scratch);
                    }
                    for pixel in gradient.chunks_exact(of_bias.len().max(1)) {
                        of_bias.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
                    }
                }
                sums
            })
            .collect();
        let mut total = vec![0.0; weight.len()];
        total.par_chunks_mut(WEIGHTS_PER_TASK).enumerate().for_each(|(task, total)| {
            for part in &parts {
                let part = &part[task * WEIGHTS_PER_TASK..];
                total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
            }
        });
        if !self.is_transposed {
            let matrix = transpose(&total[..channels * patch], channels, patch);
            total[..channels * patch].copy_from_slice(&matrix);
        }
        // SAFETY: the tasks have ended, and this is what stands behind the gradient of x.
        let of_weight = unsafe { std::slice::from_raw_parts_mut(packed.at(self.batch * from), weight.len()) };
        of_weight.copy_from_slice(&total);
        packed.take()
    }

    /// Samples whose weight gradients are summed in one task: more where weights are large.
    fn samples_per_sum(&self, weights: usize) -> usize {
        let most_parts = (PARTIAL_VALUES / weights.max(1)).max(1);
        self.batch.div_ceil(most_parts).max(SAMPLES_PER_SUM)
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
        let call = self.call(self.name(), x_at, w_at)?;
        let pair = self.on_gpu(&call);
        cuda::run(self.name(), [(x, x_at), (w, w_at)], call.shape.to_vec(), |queue, from, out| {
            pair.forward(queue, from, out)
        })
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        packed::gradients(x, w, gradient, &Gradient(*self))
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
        let call = self.0.call(self.name(), x_at, w_at)?;
        expect_shape(self.name(), "the gradient", g_at.dims(), &call.shape)?;
        let (x, w) = (values(self.name(), x, x_at)?, values(self.name(), w, w_at)?);
        let packed = call.gradients(x, w, values(self.name(), g, g_at)?);
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
        let call = self.0.call(self.name(), x_at, w_at)?;
        expect_shape(self.name(), "the gradient", g_at.dims(), &call.shape)?;
        let pair = self.0.on_gpu(&call);
        let (of_x, of_w) = (x_at.shape().elem_count(), w_at.shape().elem_count());
        cuda::run(self.name(), [(x, x_at), (w, w_at), (g, g_at)], of_x + of_w, |queue, from, out| {
            pair.gradients(queue, from, [out, out.at(of_x)])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise_var};
    use candle_core::Var;

    const WINDOWS: [Window; 4] = [
        Window { kernel: 5, stride: 2, padding: 2 },
        Window { kernel: 5, stride: 1, padding: 2 },
        Window { kernel: 4, stride: 2, padding: 1 },
        Window { kernel: 3, stride: 1, padding: 0 },
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
        for window in WINDOWS {
            let Window { kernel: k, stride, padding } = window;
            let x = noise_var(&[7, 8, 10, 3], 1);
            let nchw = x.as_tensor().permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();
            let w = weights(&[k * k * 3 + 1, 5]);
            let found = convolution(x.as_tensor(), w.as_tensor(), window).unwrap();
            let kernel = w.narrow(0, 0, k * k * 3).unwrap().reshape((k, k, 3, 5)).unwrap();
            let kernel = kernel.permute((3, 2, 0, 1)).unwrap().contiguous().unwrap();
            let expected = to_nhwc(nchw.conv2d(&kernel, padding, stride, 1, 1).unwrap());
            let bias = w.narrow(0, k * k * 3, 1).unwrap();
            close(&found, &expected.broadcast_add(&bias).unwrap());

            let (_, height, width, _) = found.dims4().unwrap();
            let w = weights(&[5 * k * k * 4 + 4]);
            let size = (8, 10);
            let up = transposed_convolution(&found, w.as_tensor(), window, 4, size).unwrap();
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
