//! Softmax attention over short sequences, all heads in one pass, with its gradient.
//!
//! Per sequence and head: y_i = sum_j softmax_j(q_i . k_j / sqrt(d)) v_j. Meant for the few users of
//! a group; the cost grows with the square of the sequence length.

use super::buffers::{expect_shape, values};
use super::shared_out::SharedOut;
#[cfg(feature = "cuda")]
use crate::cuda::{self, programs::attention as program};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// Attends within each sequence.
///
/// - qkv `[S, n, 3 * C]`: queries, keys and values, each split into `heads` parts of C / heads
/// - returns `[S, n, C]`
/// - errors: a width that is no multiple of 3 * heads
pub fn attention(qkv: &Tensor, heads: usize) -> Result<Tensor> {
    qkv.contiguous()?.apply_op1(Attention { heads })
}

struct Attention {
    heads: usize,
}

struct AttentionGradient {
    heads: usize,
}

#[derive(Clone, Copy)]
struct Sizes {
    sequences: usize,
    len: usize,
    channels: usize,
    head: usize,
}

fn sizes(at: &Layout, heads: usize) -> Result<Sizes> {
    let (sequences, len, width) = at.shape().dims3()?;
    if heads == 0 || width % (3 * heads) != 0 {
        bail!("attention: a width of {width} does not split into 3 x {heads} heads");
    }
    Ok(Sizes { sequences, len, channels: width / 3, head: width / 3 / heads })
}

#[cfg(feature = "cuda")]
impl Sizes {
    fn on_gpu(&self, heads: usize) -> program::Sizes {
        program::Sizes { sequences: self.sequences, len: self.len, channels: self.channels, heads }
    }
}

/// The weights of one query over all keys, into `weights`.
fn softmax_weights(qkv: &[f32], s: Sizes, head: usize, query: usize, weights: &mut [f32]) {
    let scale = 1.0 / (s.head as f32).sqrt();
    let q = &qkv[query * 3 * s.channels + head * s.head..][..s.head];
    let mut highest = f32::NEG_INFINITY;
    for (key, weight) in weights.iter_mut().enumerate() {
        let k = &qkv[key * 3 * s.channels + s.channels + head * s.head..][..s.head];
        *weight = scale * dot(q, k);
        highest = highest.max(*weight);
    }
    weights.iter_mut().for_each(|w| *w = (*w - highest).exp());
    let total: f32 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= total);
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add_scaled(to: &mut [f32], from: &[f32], factor: f32) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
}

impl CustomOp1 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, x: &CpuStorage, x_at: &Layout) -> Result<(CpuStorage, Shape)> {
        let s = sizes(x_at, self.heads)?;
        let x = values(self.name(), x, x_at)?;
        let (from, to) = (s.len * 3 * s.channels, s.len * s.channels);
        let mut output = SharedOut::new(s.sequences * to);
        let out = &output;
        (0..s.sequences).into_par_iter().with_min_len(8).for_each(|sequence| {
            let qkv = &x[sequence * from..][..from];
            // SAFETY: each task writes its own sequence.
            let out = unsafe { std::slice::from_raw_parts_mut(out.at(sequence * to), to) };
            out.fill(0.0);
            let mut weights = vec![0.0; s.len];
            for head in 0..self.heads {
                for query in 0..s.len {
                    softmax_weights(qkv, s, head, query, &mut weights);
                    let y = &mut out[query * s.channels + head * s.head..][..s.head];
                    for (key, weight) in weights.iter().enumerate() {
                        let v = &qkv[key * 3 * s.channels + 2 * s.channels + head * s.head..][..s.head];
                        add_scaled(y, v, *weight);
                    }
                }
            }
        });
        Ok((CpuStorage::F32(output.take()), (s.sequences, s.len, s.channels).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, x_at: &Layout) -> Result<(CudaStorage, Shape)> {
        let s = sizes(x_at, self.heads)?;
        let shape = (s.sequences, s.len, s.channels);
        let of = s.on_gpu(self.heads);
        cuda::run(self.name(), [(x, x_at)], shape, |queue, [x], out| program::forward(queue, of, x, out))
    }

    fn bwd(&self, qkv: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let op = AttentionGradient { heads: self.heads };
        Ok(Some(qkv.contiguous()?.apply_op2_no_bwd(&gradient.contiguous()?, &op)?))
    }
}

impl CustomOp2 for AttentionGradient {
    fn name(&self) -> &'static str {
        "attention, gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        g: &CpuStorage,
        g_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let s = sizes(x_at, self.heads)?;
        expect_shape(self.name(), "the gradient", g_at.dims(), &[s.sequences, s.len, s.channels])?;
        let (x, g) = (values(self.name(), x, x_at)?, values(self.name(), g, g_at)?);
        let (from, to) = (s.len * 3 * s.channels, s.len * s.channels);
        let mut of_qkv = vec![0.0; x.len()];
        of_qkv.par_chunks_mut(from.max(1)).with_min_len(8).enumerate().for_each(|(sequence, of_qkv)| {
            let (qkv, g) = (&x[sequence * from..][..from], &g[sequence * to..][..to]);
            one_gradient(qkv, g, s, self.heads, of_qkv);
        });
        Ok((CpuStorage::F32(of_qkv), x_at.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        g: &CudaStorage,
        g_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let s = sizes(x_at, self.heads)?;
        expect_shape(self.name(), "the gradient", g_at.dims(), &[s.sequences, s.len, s.channels])?;
        let of = s.on_gpu(self.heads);
        cuda::run(self.name(), [(x, x_at), (g, g_at)], x_at.shape().clone(), |queue, from, out| {
            program::gradient(queue, of, from, out)
        })
    }
}

fn one_gradient(qkv: &[f32], gradient: &[f32], s: Sizes, heads: usize, of_qkv: &mut [f32]) {
    let scale = 1.0 / (s.head as f32).sqrt();
    let (mut weights, mut of_weights) = (vec![0.0; s.len], vec![0.0; s.len]);
    let part = |token: usize, which: usize, head: usize| {
        let start = token * 3 * s.channels + which * s.channels + head * s.head;
        start..start + s.head
    };
    for head in 0..heads {
        for query in 0..s.len {
            softmax_weights(qkv, s, head, query, &mut weights);
            let g = &gradient[query * s.channels + head * s.head..][..s.head];
            for key in 0..s.len {
                of_weights[key] = dot(g, &qkv[part(key, 2, head)]);
                add_scaled(&mut of_qkv[part(key, 2, head)], g, weights[key]);
            }
            let mean = dot(&weights, &of_weights);
            for key in 0..s.len {
                let of_score = scale * weights[key] * (of_weights[key] - mean);
                add_scaled(&mut of_qkv[part(query, 0, head)], &qkv[part(key, 1, head)], of_score);
                add_scaled(&mut of_qkv[part(key, 1, head)], &qkv[part(query, 0, head)], of_score);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise_var};
    use candle_core::{D, IndexOp};

    /// The textbook formula in plain tensor operations, one sequence and head at a time.
    fn oracle(qkv: &Tensor, heads: usize) -> Vec<f32> {
        let (sequences, len, width) = qkv.dims3().unwrap();
        let (channels, head) = (width / 3, width / 3 / heads);
        let mut out = vec![0.0; sequences * len * channels];
        for s in 0..sequences {
            for h in 0..heads {
                let part = |which: usize| {
                    let x = qkv.i(s).unwrap().narrow(1, which * channels + h * head, head).unwrap();
                    x.contiguous().unwrap()
                };
                let scores = part(0).matmul(&part(1).t().unwrap()).unwrap();
                let e = (scores / (head as f64).sqrt()).unwrap().exp().unwrap();
                let weights = e.broadcast_div(&e.sum_keepdim(D::Minus1).unwrap()).unwrap();
                let y = weights.matmul(&part(2)).unwrap().to_vec2::<f32>().unwrap();
                for (i, row) in y.iter().enumerate() {
                    out[(s * len + i) * channels + h * head..][..head].copy_from_slice(row);
                }
            }
        }
        out
    }

    #[test]
    fn equals_the_formula() {
        let qkv = noise_var(&[3, 5, 24], 1);
        let found = to_vec(&attention(qkv.as_tensor(), 2).unwrap()).unwrap();
        for (found, expected) in found.iter().zip(oracle(qkv.as_tensor(), 2)) {
            assert!((found - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        check_gradients(&[noise_var(&[2, 4, 18], 1)], |t| attention(&t[0], 3));
    }

    #[test]
    fn heads_that_do_not_divide_are_refused() {
        assert!(attention(noise_var(&[1, 2, 12], 1).as_tensor(), 3).is_err());
    }
}
