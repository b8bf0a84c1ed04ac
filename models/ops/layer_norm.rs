//! Layer normalisation over the last axis, with gradients.

use super::buffers::{expect_shape, values};
use super::packed;
#[cfg(feature = "cuda")]
use crate::cuda::{self, programs::layer_norm as program, queue::Stored};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

const EPSILON: f32 = 1e-6;
/// Rows of one task: fixed, so that the number of threads changes no bit of the sums.
const ROWS_PER_TASK: usize = 128;

/// y = scale * (x - mean) / sqrt(variance + epsilon) + shift over the last axis.
///
/// - x `[.., C]`, weight `[2, C]` (scale, then shift) -> `[.., C]`
pub fn layer_norm(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op2(weight, LayerNorm)
}

struct LayerNorm;
struct LayerNormGradient;

/// Mean and 1 / sqrt(variance + epsilon) of a row.
fn statistics(row: &[f32]) -> (f32, f32) {
    let len = row.len() as f32;
    let mean = row.iter().sum::<f32>() / len;
    let variance = row.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / len;
    (mean, 1.0 / (variance + EPSILON).sqrt())
}

fn channels(op: &str, x_at: &Layout, w_at: &Layout) -> Result<usize> {
    let channels = x_at.dims().last().copied().unwrap_or(0);
    expect_shape(op, "the weight", w_at.dims(), &[2, channels])?;
    Ok(channels)
}

impl CustomOp2 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        w: &CpuStorage,
        w_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let channels = channels(self.name(), x_at, w_at)?;
        let weight = values(self.name(), w, w_at)?;
        let mut out = values(self.name(), x, x_at)?.to_vec();
        out.par_chunks_mut((channels * ROWS_PER_TASK).max(1)).for_each(|rows| {
            rows.chunks_exact_mut(channels).for_each(|row| normalize_row(row, weight));
        });
        Ok((CpuStorage::F32(out), x_at.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        w: &CudaStorage,
        w_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let channels = channels(self.name(), x_at, w_at)?;
        let size = (x_at.shape().elem_count() / channels.max(1), channels);
        cuda::run(self.name(), [(x, x_at), (w, w_at)], x_at.shape().clone(), |queue, from, out| {
            program::forward(queue, size, from, (out, Stored::F32))
        })
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        packed::gradients(x, w, gradient, &LayerNormGradient)
    }
}

impl CustomOp3 for LayerNormGradient {
    fn name(&self) -> &'static str {
        "layer_norm, gradient"
    }

    // One flat vector: the gradient of x, then that of the weight.
    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        w: &CpuStorage,
        w_at: &Layout,
        g: &CpuStorage,
        g_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let channels = channels(self.name(), x_at, w_at)?;
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        let (x, g) = (values(self.name(), x, x_at)?, values(self.name(), g, g_at)?);
        let scale = &values(self.name(), w, w_at)?[..channels];
        let mut packed = vec![0.0; x.len()];
        let task = (channels * ROWS_PER_TASK).max(1);
        let parts: Vec<Vec<f32>> = packed
            .par_chunks_mut(task)
            .zip(x.par_chunks(task).zip(g.par_chunks(task)))
            .map(|(of_x, (x, g))| {
                let mut of_weight = vec![0.0; 2 * channels];
                let rows = x.chunks_exact(channels).zip(g.chunks_exact(channels));
                for (of_x, (x, g)) in of_x.chunks_exact_mut(channels).zip(rows) {
                    row_gradient(x, g, scale, of_x, &mut of_weight);
                }
                of_weight
            })
            .collect();
        let start = packed.len();
        packed.resize(start + 2 * channels, 0.0);
        for part in &parts {
            packed[start..].iter_mut().zip(part).for_each(|(total, part)| *total += part);
        }
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
        let channels = channels(self.name(), x_at, w_at)?;
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        let len = x_at.shape().elem_count();
        let size = (len / channels.max(1), channels);
        let inputs = [(x, x_at), (w, w_at), (g, g_at)];
        cuda::run(self.name(), inputs, len + 2 * channels, |queue, from, out| {
            program::gradients(queue, size, from, [out, out.at(len)])
        })
    }
}

/// Normalises one row in place, weight `[2, C]`.
pub(super) fn normalize_row(row: &mut [f32], weight: &[f32]) {
    let (scale, shift) = weight.split_at(row.len());
    let (mean, gain) = statistics(row);
    for (c, value) in row.iter_mut().enumerate() {
        *value = (*value - mean) * gain * scale[c] + shift[c];
    }
}

/// Gradients of one row: writes that of x, adds that of the weight `[2, C]`.
pub(super) fn row_gradient(x: &[f32], g: &[f32], scale: &[f32], of_x: &mut [f32], of_weight: &mut [f32]) {
    let len = x.len();
    let (mean, gain) = statistics(x);
    let (mut sum, mut with_x) = (0.0, 0.0);
    for c in 0..len {
        let normal = (x[c] - mean) * gain;
        of_weight[c] += g[c] * normal;
        of_weight[len + c] += g[c];
        sum += g[c] * scale[c];
        with_x += g[c] * scale[c] * normal;
    }
    for c in 0..len {
        let normal = (x[c] - mean) * gain;
        of_x[c] = gain * (g[c] * scale[c] - (sum + normal * with_x) / len as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise_var};

    #[test]
    fn rows_come_out_with_the_wanted_moments() {
        let weight = Tensor::new(&[[2f32; 64], [5f32; 64]], &candle_core::Device::Cpu).unwrap();
        let y = layer_norm(noise_var(&[3, 64], 1).as_tensor(), &weight).unwrap();
        for row in to_vec(&y).unwrap().chunks(64) {
            let mean = row.iter().sum::<f32>() / 64.0;
            let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 64.0;
            assert!((mean - 5.0).abs() < 1e-4 && (variance - 4.0).abs() < 1e-3);
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let vars = [noise_var(&[2, 150, 6], 1), noise_var(&[2, 6], 2)];
        check_gradients(&vars, |t| layer_norm(&t[0], &t[1]));
    }
}
