//! The rectifier with a learned slope for negative values, with gradients.
//! Source: He et al., "Delving deep into rectifiers" (2015).

use super::buffers::{expect_shape, values};
use super::packed;
#[cfg(feature = "cuda")]
use crate::cuda::{self, programs::maps as program};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use sememe_blocks::isa::{Isa, Loop};

/// Values of one task: fixed, so that the number of threads changes no bit of the sums.
const VALUES_PER_TASK: usize = 1 << 15;
/// Copies of a single slope that are summed apart: as many as fill registers.
const COPIES: usize = 64;

/// y = x where x > 0, slope * x elsewhere.
///
/// - x `[.., C]`, slope `[1]` or one for each channel, `[C]` -> the shape of x
pub fn prelu(x: &Tensor, slope: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op2(slope, Prelu)
}

struct Prelu;
struct PreluGradient;

/// One task of the forward pass: rows as long as `slopes`, the last one perhaps shorter.
struct Forward<'a> {
    slopes: &'a [f32],
    x: &'a [f32],
    out: &'a mut [f32],
}

impl Loop for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let width = self.slopes.len();
        for (out, x) in self.out.chunks_mut(width).zip(self.x.chunks(width)) {
            for ((out, x), slope) in out.iter_mut().zip(x).zip(self.slopes) {
                *out = if *x > 0.0 { *x } else { slope * x };
            }
        }
    }
}

/// One task of the backward pass; returns the gradient of each slope.
struct Backward<'a> {
    slopes: &'a [f32],
    x: &'a [f32],
    gradient: &'a [f32],
    of_x: &'a mut [f32],
}

impl Loop for Backward<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run(self) -> Vec<f32> {
        let width = self.slopes.len();
        let mut sums = vec![0.0; width];
        let rows = self.of_x.chunks_mut(width).zip(self.x.chunks(width).zip(self.gradient.chunks(width)));
        for (of_x, (x, gradient)) in rows {
            let values = of_x.iter_mut().zip(x.iter().zip(gradient));
            for ((of_x, (x, gradient)), (slope, sum)) in values.zip(self.slopes.iter().zip(&mut sums)) {
                *of_x = if *x > 0.0 { *gradient } else { slope * gradient };
                *sum += x.min(0.0) * gradient;
            }
        }
        sums
    }
}

/// Slopes for rows that fill registers.
fn widened(slopes: &[f32]) -> Vec<f32> {
    if slopes.len() == 1 { vec![slopes[0]; COPIES] } else { slopes.to_vec() }
}

/// The number of slopes, and values of a task: whole rows of as many.
///
/// - errors: no slope, or slopes that are neither one nor as many as channels
fn sizes(op: &str, x: &Layout, slope: &Layout) -> Result<(usize, usize)> {
    let slopes = slope.shape().dims1()?;
    let channels = x.dims().last().copied().unwrap_or(1);
    if slopes != 1 || channels == 0 {
        expect_shape(op, "the slope", slope.dims(), &[channels.max(1)])?;
    }
    let width = if slopes == 1 { COPIES } else { slopes.max(1) };
    Ok((slopes, (VALUES_PER_TASK / width).max(1) * width))
}

impl CustomOp2 for Prelu {
    fn name(&self) -> &'static str {
        "prelu"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        s: &CpuStorage,
        s_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, per_task) = sizes(self.name(), x_at, s_at)?;
        let x = values(self.name(), x, x_at)?;
        let (isa, slopes) = (Isa::detect(), &widened(values(self.name(), s, s_at)?));
        let mut out = vec![0.0; x.len()];
        out.par_chunks_mut(per_task)
            .zip(x.par_chunks(per_task))
            .for_each(|(out, x)| isa.run(Forward { slopes, x, out }));
        Ok((CpuStorage::F32(out), x_at.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        s: &CudaStorage,
        s_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (slopes, _) = sizes(self.name(), x_at, s_at)?;
        let len = x_at.shape().elem_count();
        cuda::run(self.name(), [(x, x_at), (s, s_at)], x_at.shape().clone(), |queue, from, out| {
            program::prelu(queue, (len, slopes), from, out)
        })
    }

    fn bwd(
        &self,
        x: &Tensor,
        slope: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        packed::gradients(x, slope, gradient, &PreluGradient)
    }
}

impl CustomOp3 for PreluGradient {
    fn name(&self) -> &'static str {
        "prelu, gradient"
    }

    // One flat vector: the gradient of x, then that of the slope.
    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        s: &CpuStorage,
        s_at: &Layout,
        g: &CpuStorage,
        g_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        let (count, per_task) = sizes(self.name(), x_at, s_at)?;
        let x = values(self.name(), x, x_at)?;
        let (isa, slopes) = (Isa::detect(), &widened(values(self.name(), s, s_at)?));
        let gradient = values(self.name(), g, g_at)?;
        let mut packed = vec![0.0; x.len() + count];
        let (of_x, of_slope) = packed.split_at_mut(x.len());
        let sums: Vec<Vec<f32>> = of_x
            .par_chunks_mut(per_task)
            .zip(x.par_chunks(per_task).zip(gradient.par_chunks(per_task)))
            .map(|(of_x, (x, gradient))| isa.run(Backward { slopes, x, gradient, of_x }))
            .collect();
        // Copies of a single slope are added up.
        for (at, of_slope) in of_slope.iter_mut().enumerate() {
            let copies = sums.iter().flat_map(|sums| sums[at..].iter().step_by(count));
            *of_slope = copies.map(|sum| f64::from(*sum)).sum::<f64>() as f32;
        }
        let len = packed.len();
        Ok((CpuStorage::F32(packed), len.into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        s: &CudaStorage,
        s_at: &Layout,
        g: &CudaStorage,
        g_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        let (slopes, _) = sizes(self.name(), x_at, s_at)?;
        let len = x_at.shape().elem_count();
        let channels = x_at.dims().last().copied().unwrap_or(1);
        let size = [len / channels.max(1), channels, slopes];
        cuda::run(self.name(), [(x, x_at), (s, s_at), (g, g_at)], len + slopes, |queue, from, out| {
            program::prelu_gradients(queue, size, from, [out, out.at(len)])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise_var};
    use candle_core::{Device, Var};

    #[test]
    fn worked_by_hand() {
        let x = Tensor::new(&[[-2f32, 0.0], [3.0, -0.5]], &Device::Cpu).unwrap();
        let slope = Tensor::new(&[0.25f32], &Device::Cpu).unwrap();
        assert_eq!(to_vec(&prelu(&x, &slope).unwrap()).unwrap(), [-0.5, 0.0, 3.0, -0.125]);
        let slopes = Tensor::new(&[0.25f32, 0.5], &Device::Cpu).unwrap();
        assert_eq!(to_vec(&prelu(&x, &slopes).unwrap()).unwrap(), [-0.5, 0.0, 3.0, -0.25]);
        assert!(prelu(&x, &x).is_err());
        assert!(prelu(&x, &Tensor::new(&[0.25f32; 3], &Device::Cpu).unwrap()).is_err());
    }

    #[test]
    fn long_rows_and_many_values_equal_the_definition() {
        for (rows, channels) in [(700, 100), (3, 7), (1, 40_000)] {
            for slopes in [1, channels] {
                let (x, slope) = (noise_var(&[rows, channels], 1), noise_var(&[slopes], 2));
                let y = prelu(x.as_tensor(), slope.as_tensor()).unwrap();
                let g = noise_var(&[rows, channels], 3);
                let gradients = y.mul(g.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
                let of = |v: &Var| to_vec(gradients.get(v).unwrap()).unwrap();
                let [x_of, slope_of] = [of(&x), of(&slope)];
                let [y, x, g, slope] = [&y, &x, &g, &slope].map(|t| to_vec(t).unwrap());
                let mut sums = vec![0.0; slopes];
                for (at, x) in x.iter().enumerate() {
                    let channel = at % channels % slopes;
                    let factor = if *x > 0.0 { 1.0 } else { slope[channel] };
                    assert!(y[at] == factor * x && x_of[at] == factor * g[at]);
                    sums[channel] += f64::from(x.min(0.0) * g[at]);
                }
                for (found, expected) in slope_of.iter().zip(sums) {
                    assert!(
                        (f64::from(*found) - expected).abs()
                            < 1e-6 * (rows * channels) as f64 / slopes as f64
                    );
                }
            }
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        // Away from the kink.
        let x = noise_var(&[2, 5, 3], 1).as_tensor().affine(1.0, 0.0).unwrap();
        let x = (&x + (x.sign().unwrap() * 0.1).unwrap()).unwrap();
        let slope = Var::new(&[0.25f32], &Device::Cpu).unwrap();
        check_gradients(&[Var::from_tensor(&x).unwrap(), slope], |t| prelu(&t[0], &t[1]));
        let slopes = Var::new(&[0.25f32, -0.5, 0.1], &Device::Cpu).unwrap();
        check_gradients(&[Var::from_tensor(&x).unwrap(), slopes], |t| prelu(&t[0], &t[1]));
    }
}
