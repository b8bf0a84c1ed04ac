//! The Gaussian error linear unit, x Phi(x) with Phi the normal distribution, and its gradient.
//! Source: Hendrycks and Gimpel, "Gaussian error linear units" (2016), the exact form.

use super::buffers::{expect_shape, values};
use super::normal_distribution::standard_normal;
#[cfg(feature = "cuda")]
use crate::cuda::{self, programs::maps as program};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use sememe_blocks::isa::{Isa, Loop};

/// Values of one task.
const VALUES_PER_TASK: usize = 1 << 14;

/// y = x Phi(x), value by value; within 4e-7 of it where |x| is below 4, and as close relative to x elsewhere.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Gelu)
}

struct Gelu;
struct GeluGradient;

struct Forward<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
}

impl Loop for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (out, x) in self.out.iter_mut().zip(self.x) {
            *out = x * standard_normal(*x).below;
        }
    }
}

struct Backward<'a> {
    x: &'a [f32],
    gradient: &'a [f32],
    of_x: &'a mut [f32],
}

impl Loop for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (of_x, (x, gradient)) in self.of_x.iter_mut().zip(self.x.iter().zip(self.gradient)) {
            let normal = standard_normal(*x);
            *of_x = gradient * (normal.below + x * normal.density);
        }
    }
}

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, x_at: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(self.name(), x, x_at)?;
        let isa = Isa::detect();
        let mut out = vec![0.0; x.len()];
        out.par_chunks_mut(VALUES_PER_TASK)
            .zip(x.par_chunks(VALUES_PER_TASK))
            .for_each(|(out, x)| isa.run(Forward { x, out }));
        Ok((CpuStorage::F32(out), x_at.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, x_at: &Layout) -> Result<(CudaStorage, Shape)> {
        let len = x_at.shape().elem_count();
        cuda::run(self.name(), [(x, x_at)], x_at.shape().clone(), |queue, [x], out| {
            program::gelu(queue, len, x, out)
        })
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(x.contiguous()?.apply_op2_no_bwd(&gradient.contiguous()?, &GeluGradient)?))
    }
}

impl CustomOp2 for GeluGradient {
    fn name(&self) -> &'static str {
        "gelu, gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        g: &CpuStorage,
        g_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        let (x, gradient) = (values(self.name(), x, x_at)?, values(self.name(), g, g_at)?);
        let isa = Isa::detect();
        let mut of_x = vec![0.0; x.len()];
        of_x.par_chunks_mut(VALUES_PER_TASK)
            .zip(x.par_chunks(VALUES_PER_TASK).zip(gradient.par_chunks(VALUES_PER_TASK)))
            .for_each(|(of_x, (x, gradient))| isa.run(Backward { x, gradient, of_x }));
        Ok((CpuStorage::F32(of_x), x_at.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        g: &CudaStorage,
        g_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        let len = x_at.shape().elem_count();
        cuda::run(self.name(), [(x, x_at), (g, g_at)], x_at.shape().clone(), |queue, from, out| {
            program::gelu_gradient(queue, len, from, out)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise_var};

    #[test]
    fn equals_the_libraries_error_function() {
        // More than one task, with a rest that fills no register.
        let x = (noise_var(&[3, 7001], 1).as_tensor() * 3.0).unwrap();
        let found = to_vec(&gelu(&x).unwrap()).unwrap();
        let x = to_vec(&x).unwrap();
        for (x, found) in x.iter().zip(found) {
            let expected = 0.5 * f64::from(*x) * libm::erfc(-f64::from(*x) / 2f64.sqrt());
            let bound = 1e-7 * f64::from(x.abs()).max(4.0);
            assert!((f64::from(found) - expected).abs() < bound, "{x}: {found}, expected {expected}");
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        check_gradients(&[noise_var(&[4, 37], 1)], |t| gelu(&t[0]));
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let x = to_vec(&noise_var(&[100], 1)).unwrap();
        let run = |isa: Isa| {
            let mut out = vec![0.0; x.len()];
            isa.run(Forward { x: &x, out: &mut out });
            out
        };
        let expected = Isa::available().map(run).collect::<Vec<_>>();
        assert!(expected.iter().all(|out| *out == expected[0]));
    }
}
