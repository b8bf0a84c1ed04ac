//! ReLU followed by global response normalisation, fused, with gradients.
//!
//! With r = max(x, 0), per sample and channel n_c = ||r_c|| / (mean over channels of ||r||), where
//! the norm runs over space: y = scale * r * n + shift + r. Source: ConvNeXt V2 (Woo et al., 2023).

use super::buffers::{expect_shape, values};
use super::lanes::{self, LaneKernel, Lanes};
use super::packed;
use super::shared_out::SharedOut;
#[cfg(feature = "cuda")]
use crate::cuda::{self, programs::response as program, queue::Stored};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use sememe_blocks::isa::Isa;

/// Added to the mean norm, so that a silent sample gives zeros.
const EPSILON: f32 = 1e-6;

/// Applies ReLU and global response normalisation.
///
/// - x `[B, P, C]` with P pixels, weight `[2, C]` (scale, then shift) -> `[B, P, C]`
/// - a channel that is zero everywhere has a zero gradient (plain operations give NaN)
pub fn relu_grn(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op2(weight, ReluGrn)
}

struct ReluGrn;
struct ReluGrnGradient;

/// out += max(x, 0)^2, row by row; with a gradient also the products with it.
struct Energies<'a> {
    x: &'a [f32],
    energy: &'a mut [f32],
}

impl LaneKernel for Energies<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let channels = self.energy.len();
        let vectors = channels / L::LEN * L::LEN;
        for row in self.x.chunks_exact(channels) {
            unsafe {
                for c in (0..vectors).step_by(L::LEN) {
                    let r = L::load(row.as_ptr().add(c)).max(L::splat(0.0));
                    let energy = self.energy.as_mut_ptr().add(c);
                    r.mul_add(r, L::load(energy)).store(energy);
                }
            }
            for (energy, x) in self.energy[vectors..].iter_mut().zip(&row[vectors..]) {
                *energy += x.max(0.0) * x.max(0.0);
            }
        }
    }
}

/// out = max(x, 0) * gain + shift.
struct Apply<'a> {
    x: &'a [f32],
    gain: &'a [f32],
    shift: &'a [f32],
    out: *mut f32,
}

impl LaneKernel for Apply<'_> {
    type Output = ();
    // Safety: `out` must be valid for as many values as `x` has.
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let channels = self.gain.len();
        let vectors = channels / L::LEN * L::LEN;
        for (index, row) in self.x.chunks_exact(channels).enumerate() {
            unsafe {
                let out = self.out.add(index * channels);
                for c in (0..vectors).step_by(L::LEN) {
                    let r = L::load(row.as_ptr().add(c)).max(L::splat(0.0));
                    let gain = L::load(self.gain.as_ptr().add(c));
                    r.mul_add(gain, L::load(self.shift.as_ptr().add(c))).store(out.add(c));
                }
                for (c, x) in row.iter().enumerate().skip(vectors) {
                    *out.add(c) = x.max(0.0) * self.gain[c] + self.shift[c];
                }
            }
        }
    }
}

/// energy += r^2, product += r g, total += g, with r = max(x, 0).
struct Moments<'a> {
    x: &'a [f32],
    gradient: &'a [f32],
    energy: &'a mut [f32],
    product: &'a mut [f32],
    total: &'a mut [f32],
}

impl LaneKernel for Moments<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let channels = self.energy.len();
        let vectors = channels / L::LEN * L::LEN;
        for (row, gradient) in self.x.chunks_exact(channels).zip(self.gradient.chunks_exact(channels)) {
            unsafe {
                for c in (0..vectors).step_by(L::LEN) {
                    let r = L::load(row.as_ptr().add(c)).max(L::splat(0.0));
                    let g = L::load(gradient.as_ptr().add(c));
                    let (energy, product) =
                        (self.energy.as_mut_ptr().add(c), self.product.as_mut_ptr().add(c));
                    r.mul_add(r, L::load(energy)).store(energy);
                    r.mul_add(g, L::load(product)).store(product);
                    let total = self.total.as_mut_ptr().add(c);
                    L::load(total).add(g).store(total);
                }
            }
            for c in vectors..channels {
                let r = row[c].max(0.0);
                self.energy[c] += r * r;
                self.product[c] += r * gradient[c];
                self.total[c] += gradient[c];
            }
        }
    }
}

/// out = (x > 0) * (g * of_gradient + x * of_x).
struct Combine<'a> {
    x: &'a [f32],
    gradient: &'a [f32],
    of_gradient: &'a [f32],
    of_x: &'a [f32],
    out: *mut f32,
}

impl LaneKernel for Combine<'_> {
    type Output = ();
    // Safety: `out` must be valid for as many values as `x` has.
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let channels = self.of_x.len();
        let vectors = channels / L::LEN * L::LEN;
        let rows = self.x.chunks_exact(channels).zip(self.gradient.chunks_exact(channels));
        for (index, (row, gradient)) in rows.enumerate() {
            unsafe {
                let out = self.out.add(index * channels);
                for c in (0..vectors).step_by(L::LEN) {
                    let x = L::load(row.as_ptr().add(c));
                    let g = L::load(gradient.as_ptr().add(c));
                    let from_x = x.mul(L::load(self.of_x.as_ptr().add(c)));
                    let sum = g.mul_add(L::load(self.of_gradient.as_ptr().add(c)), from_x);
                    sum.where_positive(x).store(out.add(c));
                }
                for c in vectors..channels {
                    let sum = gradient[c] * self.of_gradient[c] + row[c] * self.of_x[c];
                    *out.add(c) = if row[c] > 0.0 { sum } else { 0.0 };
                }
            }
        }
    }
}

/// ReLU and response normalisation of one sample `[P, C]`, weight `[2, C]`.
///
/// # Safety
/// `out` must be valid for as many values as `x` has; it may be `x` itself.
pub(super) unsafe fn forward_sample(isa: Isa, x: &[f32], weight: &[f32], out: *mut f32) {
    let (scale, shift) = weight.split_at(weight.len() / 2);
    let mut gain = vec![0.0; scale.len()];
    lanes::run(isa, Energies { x, energy: &mut gain });
    let mean = norms(&mut gain);
    gain.iter_mut().zip(scale).for_each(|(gain, scale)| *gain = 1.0 + scale * (*gain / mean));
    lanes::run(isa, Apply { x, gain: &gain, shift, out });
}

/// Gradients of one sample: writes that of x to `out`, adds that of the weight to `of_weight`.
///
/// # Safety
/// `out` must be valid for as many values as `x` has; it may be the gradient's own memory.
pub(super) unsafe fn add_gradients(
    isa: Isa,
    (x, gradient): (&[f32], &[f32]),
    scale: &[f32],
    of_weight: &mut [f32],
    out: *mut f32,
) {
    let channels = scale.len();
    let (mut norm, mut product) = (vec![0.0; channels], vec![0.0; channels]);
    let (of_scale, of_shift) = of_weight.split_at_mut(channels);
    lanes::run(isa, Moments { x, gradient, energy: &mut norm, product: &mut product, total: of_shift });
    let mean = norms(&mut norm);
    let through_mean =
        (0..channels).map(|c| scale[c] * product[c] * norm[c]).sum::<f32>() / (mean * mean * channels as f32);
    let mut of_gradient = vec![0.0; channels];
    for c in 0..channels {
        let ratio = norm[c] / mean;
        of_scale[c] += product[c] * ratio;
        of_gradient[c] = 1.0 + scale[c] * ratio;
        // d||r|| / dr = r / ||r||; at a dead channel the limit is taken as 0.
        let dead = norm[c] == 0.0;
        norm[c] = if dead { 0.0 } else { (scale[c] * product[c] / mean - through_mean) / norm[c] };
    }
    lanes::run(isa, Combine { x, gradient, of_gradient: &of_gradient, of_x: &norm, out });
}

/// Turns energies into norms in place and returns their mean over channels plus epsilon.
fn norms(energy: &mut [f32]) -> f32 {
    energy.iter_mut().for_each(|e| *e = e.sqrt());
    energy.iter().sum::<f32>() / energy.len() as f32 + EPSILON
}

impl CustomOp2 for ReluGrn {
    fn name(&self) -> &'static str {
        "relu_grn"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        w: &CpuStorage,
        w_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, pixels, channels) = x_at.shape().dims3()?;
        expect_shape(self.name(), "the weight", w_at.dims(), &[2, channels])?;
        let (x, weight) = (values(self.name(), x, x_at)?, values(self.name(), w, w_at)?);
        let len = pixels * channels;
        let isa = Isa::detect();
        let mut output = SharedOut::new(batch * len);
        let out = &output;
        (0..batch).into_par_iter().for_each(|sample| {
            // SAFETY: each task writes its own sample.
            unsafe { forward_sample(isa, &x[sample * len..][..len], weight, out.at(sample * len)) };
        });
        Ok((CpuStorage::F32(output.take()), x_at.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        w: &CudaStorage,
        w_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (batch, pixels, channels) = x_at.shape().dims3()?;
        expect_shape(self.name(), "the weight", w_at.dims(), &[2, channels])?;
        let of = program::Sizes { batch, pixels, channels, stored: Stored::F32 };
        cuda::run(self.name(), [(x, x_at), (w, w_at)], x_at.shape().clone(), |queue, from, out| {
            program::forward(queue, of, from, out)
        })
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        packed::gradients(x, w, gradient, &ReluGrnGradient)
    }
}

impl CustomOp3 for ReluGrnGradient {
    fn name(&self) -> &'static str {
        "relu_grn, gradient"
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
        let (batch, pixels, channels) = x_at.shape().dims3()?;
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        let (x, g) = (values(self.name(), x, x_at)?, values(self.name(), g, g_at)?);
        let scale = &values(self.name(), w, w_at)?[..channels];
        let len = pixels * channels;
        let isa = Isa::detect();
        let mut output = SharedOut::new(batch * len);
        let out = &output;
        let of_weights: Vec<Vec<f32>> = (0..batch)
            .into_par_iter()
            .map(|sample| {
                let (x, gradient) = (&x[sample * len..][..len], &g[sample * len..][..len]);
                let mut of_weight = vec![0.0; 2 * channels];
                // SAFETY: each task writes its own sample.
                unsafe { add_gradients(isa, (x, gradient), scale, &mut of_weight, out.at(sample * len)) };
                of_weight
            })
            .collect();
        let mut packed = output.take();
        let start = packed.len();
        packed.resize(start + 2 * channels, 0.0);
        for part in &of_weights {
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
        let (batch, pixels, channels) = x_at.shape().dims3()?;
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        let of = program::Sizes { batch, pixels, channels, stored: Stored::F32 };
        let len = x_at.shape().elem_count();
        let inputs = [(x, x_at), (w, w_at), (g, g_at)];
        cuda::run(self.name(), inputs, len + 2 * channels, |queue, from, out| {
            program::gradients(queue, of, from, [out, out.at(len)])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise_var};
    use candle_core::{Device, Var};

    fn oracle(x: &[f32], weight: &[f32], pixels: usize, channels: usize) -> Vec<f64> {
        let relu = |v: f32| v.max(0.0) as f64;
        let norm: Vec<f64> = (0..channels)
            .map(|c| (0..pixels).map(|p| relu(x[p * channels + c]).powi(2)).sum::<f64>().sqrt())
            .collect();
        let mean = norm.iter().sum::<f64>() / channels as f64 + EPSILON as f64;
        (0..x.len())
            .map(|i| {
                let c = i % channels;
                relu(x[i]) * (1.0 + weight[c] as f64 * norm[c] / mean) + weight[channels + c] as f64
            })
            .collect()
    }

    #[test]
    fn equals_the_definition() {
        let (x, weight) = (noise_var(&[2, 6, 21], 1), noise_var(&[2, 21], 2));
        let y = to_vec(&relu_grn(x.as_tensor(), weight.as_tensor()).unwrap()).unwrap();
        let (x, weight) = (to_vec(x.as_tensor()).unwrap(), to_vec(weight.as_tensor()).unwrap());
        for sample in 0..2 {
            let part = sample * 6 * 21..(sample + 1) * 6 * 21;
            for (found, expected) in y[part.clone()].iter().zip(oracle(&x[part], &weight, 6, 21)) {
                assert!((*found as f64 - expected).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        // Values away from zero: the ReLU has no derivative there to compare with.
        let x = noise_var(&[2, 6, 19], 1).as_tensor().affine(1.0, 0.0).unwrap();
        let away = (x.sign().unwrap() * 0.1).unwrap();
        let vars = [Var::from_tensor(&(x + away).unwrap()).unwrap(), noise_var(&[2, 19], 2)];
        check_gradients(&vars, |t| relu_grn(&t[0], &t[1]));
    }

    #[test]
    fn a_dead_channel_and_a_silent_sample_have_finite_gradients() {
        let x =
            Var::from_slice(&[-1f32, 2.0, -3.0, 4.0, 0.0, 0.0, -1.0, -1.0], (2, 2, 2), &Device::Cpu).unwrap();
        let weight = noise_var(&[2, 2], 2);
        let loss = relu_grn(x.as_tensor(), weight.as_tensor()).unwrap().sqr().unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        for var in [&x, &weight] {
            assert!(to_vec(gradients.get(var).unwrap()).unwrap().iter().all(|g| g.is_finite()));
        }
    }
}
