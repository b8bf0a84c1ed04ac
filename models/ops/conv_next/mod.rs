//! The whole residual ConvNeXt block as one operation.
//!
//! A few samples pass all steps while their maps are in the caches of one core, others run beside them;
//! step by step the same block moves every intermediate map through main memory. The steps themselves
//! are `depthwise`, `layer_norm`, `affine` and `relu_grn`, and a test composes them as the oracle.

#[cfg(feature = "cuda")]
mod on_gpu;
mod sample;
#[cfg(test)]
mod summing_order;
mod weights;

use super::buffers::{expect_shape, values};
use super::packed;
use super::precision::Precision;
use super::product::Threads;
use super::shared_out::SharedOut;
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use sample::{Block, Scratch};
use sememe_blocks::isa::Isa;
use std::sync::{Arc, Mutex};
pub use weights::{EXPANSION, KERNEL, Sections, TAP_ROWS};

/// Fewest and most samples whose weight gradients are summed in one task: fixed, so that the number of
/// threads changes no bit of the sum.
const SAMPLES_PER_SUM: (usize, usize) = (5, 13);

/// Weights whose gradients are added up in one task.
const WEIGHTS_PER_TASK: usize = 1 << 14;

/// y = x + block(x).
///
/// - x `[B, H, W, d]`, weights as in [`Sections`], flat -> `[B, H, W, d]`
/// - errors: weights of another length
pub fn conv_next(x: &Tensor, weights: &Tensor, layer_norm: bool) -> Result<Tensor> {
    let keep = weights.track_op() || x.track_op();
    let kept = keep.then(Kept::default);
    x.contiguous()?.apply_op2(weights, ConvNext { layer_norm, precision: Precision::current(), kept })
}

/// Hidden values of the forward pass, handed to the backward pass once.
#[derive(Clone, Default)]
struct Kept {
    values: Arc<Mutex<Option<Vec<f32>>>>,
    #[cfg(feature = "cuda")]
    on_gpu: on_gpu::Kept,
}

#[derive(Clone)]
struct ConvNext {
    layer_norm: bool,
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "the processor knows f32 only"))]
    precision: Precision,
    kept: Option<Kept>,
}

struct Gradient(ConvNext);

fn block_of<'a>(
    op: &str,
    x_at: &Layout,
    w_at: &Layout,
    sections: &'a Sections,
    weights: &'a [f32],
) -> Result<(usize, Block<'a>)> {
    let (batch, height, width, channels) = x_at.shape().dims4()?;
    expect_shape(op, "the weights", w_at.dims(), &[sections.len()])?;
    let geometry = Block::geometry(height, width, channels);
    Ok((batch, Block { isa: Isa::detect(), geometry, sections, weights }))
}

/// Result and, if wanted, hidden values of all samples; a few samples to a task, or all threads within
/// each few where there are not enough of them.
fn forward(x: &[f32], batch: usize, block: &Block, keep: bool) -> (Vec<f32>, Option<Vec<f32>>) {
    let len = block.geometry.sample_len();
    let mut output = SharedOut::new(batch * len);
    let mut kept = SharedOut::new(if keep { batch * EXPANSION * len } else { 0 });
    let (out, all_kept) = (&output, &kept);
    let few = block.samples_per_product().min(SAMPLES_PER_SUM.1);
    let run = |task: usize, threads: Threads, scratch: &mut (Scratch, Vec<f32>)| {
        let (scratch, own) = scratch;
        let samples = few.min(batch - task * few);
        let (start, values) = (task * few * len, samples * len);
        let hidden_values = if keep {
            // SAFETY: each task has its own part, and `forward` writes all of it before reading.
            unsafe { std::slice::from_raw_parts_mut(all_kept.at(EXPANSION * start), EXPANSION * values) }
        } else {
            own.resize(EXPANSION * values, 0.0);
            own
        };
        // SAFETY: each task has its own part.
        let out = unsafe { std::slice::from_raw_parts_mut(out.at(start), values) };
        block.forward(&x[start..start + values], hidden_values, out, threads, scratch);
    };
    let tasks = batch.div_ceil(few);
    if tasks < rayon::current_num_threads() {
        let mut scratch = Default::default();
        (0..tasks).for_each(|task| run(task, Threads::Pool, &mut scratch));
    } else {
        (0..tasks)
            .into_par_iter()
            .for_each_init(Default::default, |scratch, task| run(task, Threads::One, scratch));
    }
    (output.take(), keep.then(|| kept.take()))
}

impl CustomOp2 for ConvNext {
    fn name(&self) -> &'static str {
        "conv_next"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        w: &CpuStorage,
        w_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sections = Sections::new(x_at.shape().dims4()?.3, self.layer_norm);
        let weights = values(self.name(), w, w_at)?;
        let (batch, block) = block_of(self.name(), x_at, w_at, &sections, weights)?;
        let (output, hidden) = forward(values(self.name(), x, x_at)?, batch, &block, self.kept.is_some());
        if let Some(kept) = &self.kept {
            *kept.values.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = hidden;
        }
        Ok((CpuStorage::F32(output), x_at.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        w: &CudaStorage,
        w_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.forward_on_gpu([(x, x_at), (w, w_at)])
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        packed::gradients(x, w, gradient, &Gradient(self.clone()))
    }
}

impl CustomOp3 for Gradient {
    fn name(&self) -> &'static str {
        "conv_next, gradient"
    }

    // One flat vector: the gradient of x, then that of the weights.
    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        w: &CpuStorage,
        w_at: &Layout,
        g: &CpuStorage,
        g_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        let sections = Sections::new(x_at.shape().dims4()?.3, self.0.layer_norm);
        let weights = values(self.name(), w, w_at)?;
        let (batch, block) = block_of(self.name(), x_at, w_at, &sections, weights)?;
        let (x, g) = (values(self.name(), x, x_at)?, values(self.name(), g, g_at)?);
        let stored = self.0.kept.as_ref().and_then(|kept| kept.values.lock().ok()?.take());
        // A second backward pass through the same graph finds nothing kept and computes it again.
        let kept = match stored {
            Some(kept) => kept,
            None => forward(x, batch, &block, true).1.unwrap_or_default(),
        };
        let len = block.geometry.sample_len();
        let few = block.samples_per_product();
        let per_sum = few.clamp(SAMPLES_PER_SUM.0, SAMPLES_PER_SUM.1);
        let mut packed = SharedOut::new(batch * len + sections.len());
        let (out, turned) = (&packed, block.turned());
        let parts: Vec<Vec<f32>> = (0..batch.div_ceil(per_sum))
            .into_par_iter()
            .map_init(Scratch::default, |scratch, task| {
                let mut sums = SharedOut::new(sections.len());
                // SAFETY: the only reference; `backward` writes all weights with the first samples.
                let of_weights = unsafe { std::slice::from_raw_parts_mut(sums.at(0), sections.len()) };
                let last = batch.min((task + 1) * per_sum);
                for first in (task * per_sum..last).step_by(few) {
                    let (start, end) = (first * len, last.min(first + few) * len);
                    let maps = (&x[start..end], &kept[EXPANSION * start..EXPANSION * end], &g[start..end]);
                    // SAFETY: each task has its own samples, and `backward` writes before it reads.
                    let of_x = unsafe { std::slice::from_raw_parts_mut(out.at(start), end - start) };
                    let is_first = first == task * per_sum;
                    block.backward(&turned, maps, (of_weights, is_first), of_x, scratch);
                }
                sums.take()
            })
            .collect();
        let none = if parts.is_empty() { vec![0.0; sections.len()] } else { Vec::new() };
        (0..sections.len()).into_par_iter().step_by(WEIGHTS_PER_TASK).for_each(|first| {
            let count = WEIGHTS_PER_TASK.min(sections.len() - first);
            // SAFETY: each task has its own weights, behind the gradient of x.
            let total = unsafe { std::slice::from_raw_parts_mut(out.at(batch * len + first), count) };
            let (first_part, others) = parts.split_first().unwrap_or((&none, &[]));
            total.copy_from_slice(&first_part[first..first + count]);
            for part in others {
                total.iter_mut().zip(&part[first..]).for_each(|(total, part)| *total += part);
            }
        });
        let packed = packed.take();
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
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        self.0.gradients_on_gpu([(x, x_at), (w, w_at), (g, g_at)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise_var};
    use crate::ops::{affine, affine_residual, depthwise, layer_norm, relu_grn};
    use candle_core::Var;

    fn weights(width: usize, norm: bool) -> Var {
        let len = Sections::new(width, norm).len();
        Var::from_tensor(&(noise_var(&[len], 7).as_tensor() * 0.3).unwrap()).unwrap()
    }

    /// The block from the separate operations.
    fn oracle(x: &Tensor, w: &Tensor, norm: bool) -> Result<Tensor> {
        let (b, height, width, d) = x.dims4()?;
        let s = Sections::new(d, norm);
        let part = |range: &std::ops::Range<usize>, columns: usize| {
            w.narrow(0, range.start, range.len())?.reshape(((), columns))
        };
        let mut y = depthwise(x, &part(&s.depthwise, d)?)?;
        if norm {
            y = layer_norm(&y, &part(&s.norm, d)?)?;
        }
        let y = affine(&y, &part(&s.expand, 4 * d)?)?.reshape((b, height * width, 4 * d))?;
        let y = relu_grn(&y, &part(&s.response, 4 * d)?)?.reshape((b, height, width, 4 * d))?;
        affine_residual(&y, &part(&s.project, d)?, x)
    }

    fn agree(a: &Tensor, b: &Tensor) {
        assert_eq!(a.dims(), b.dims());
        let b = to_vec(b).unwrap();
        let scale = b.iter().fold(0f32, |most, v| most.max(v.abs()));
        for (a, b) in to_vec(a).unwrap().iter().zip(b) {
            assert!((a - b).abs() < 1e-4 * scale, "{a} {b}");
        }
    }

    #[test]
    fn equals_its_steps_in_value_and_gradient() {
        for (batch, norm) in [(7, false), (7, true), (1, false)] {
            let (x, w) = (noise_var(&[batch, 5, 6, 9], 1), weights(9, norm));
            let fused = conv_next(x.as_tensor(), w.as_tensor(), norm).unwrap();
            let steps = oracle(x.as_tensor(), w.as_tensor(), norm).unwrap();
            agree(&fused, &steps);
            let of_fused = fused.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            let of_steps = steps.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            for var in [&x, &w] {
                agree(of_fused.get(var).unwrap(), of_steps.get(var).unwrap());
            }
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        // Biases of 3 and -3 keep hidden values away from the kink of the ReLU.
        let mut values = to_vec(&(weights(4, true).as_tensor() * 0.3).unwrap()).unwrap();
        let bias = Sections::new(4, true).expand;
        for (index, value) in values[bias.end - 16..bias.end].iter_mut().enumerate() {
            *value = if index % 4 == 0 { -3.0 } else { 3.0 };
        }
        let w = Var::from_vec(values.clone(), values.len(), &candle_core::Device::Cpu).unwrap();
        check_gradients(&[noise_var(&[2, 4, 3, 4], 1), w], |t| conv_next(&t[0], &t[1], true));
    }

    #[test]
    fn the_number_of_threads_changes_no_bit_of_the_gradient() {
        let (x, w) = (noise_var(&[13, 8, 8, 16], 1), weights(16, false));
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let y = conv_next(x.as_tensor(), w.as_tensor(), false).unwrap();
                let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
                (to_vec(&y).unwrap(), to_vec(gradients.get(&w).unwrap()).unwrap())
            })
        };
        assert!(run(1) == run(2));
    }

    #[test]
    fn weights_of_another_length_are_refused() {
        let error = conv_next(noise_var(&[1, 4, 4, 8], 1).as_tensor(), weights(9, false).as_tensor(), false);
        assert!(error.unwrap_err().to_string().contains("the weights"));
    }
}
