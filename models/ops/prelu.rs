//! The rectifier with a learned slope for negative values, with gradients.
//! Source: He et al., "Delving deep into rectifiers" (2015).

use super::buffers::{expect_shape, values};
use super::packed;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Values of one task: fixed, so that the number of threads changes no bit of the sums.
const VALUES_PER_TASK: usize = 1 << 15;

/// y = x where x > 0, slope * x elsewhere.
///
/// - x of any shape, slope `[1]` -> the shape of x
pub fn prelu(x: &Tensor, slope: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op2(slope, Prelu)
}

struct Prelu;
struct PreluGradient;

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
        expect_shape(self.name(), "the slope", s_at.dims(), &[1])?;
        let (x, slope) = (values(self.name(), x, x_at)?, values(self.name(), s, s_at)?[0]);
        let mut out = vec![0.0; x.len()];
        out.par_chunks_mut(VALUES_PER_TASK).zip(x.par_chunks(VALUES_PER_TASK)).for_each(|(out, x)| {
            out.iter_mut().zip(x).for_each(|(out, x)| *out = if *x > 0.0 { *x } else { slope * x });
        });
        Ok((CpuStorage::F32(out), x_at.shape().clone()))
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
        let (x, slope) = (values(self.name(), x, x_at)?, values(self.name(), s, s_at)?[0]);
        let gradient = values(self.name(), g, g_at)?;
        let mut packed = vec![0.0; x.len() + 1];
        let (of_x, of_slope) = packed.split_at_mut(x.len());
        let sums: Vec<f64> = of_x
            .par_chunks_mut(VALUES_PER_TASK)
            .zip(x.par_chunks(VALUES_PER_TASK).zip(gradient.par_chunks(VALUES_PER_TASK)))
            .map(|(of_x, (x, gradient))| {
                let mut sum = 0.0;
                for (of_x, (x, gradient)) in of_x.iter_mut().zip(x.iter().zip(gradient)) {
                    *of_x = if *x > 0.0 { *gradient } else { slope * gradient };
                    sum += f64::from(x.min(0.0) * gradient);
                }
                sum
            })
            .collect();
        of_slope[0] = sums.into_iter().sum::<f64>() as f32;
        let len = packed.len();
        Ok((CpuStorage::F32(packed), len.into()))
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
        assert!(prelu(&x, &x).is_err());
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        // Away from the kink.
        let x = noise_var(&[2, 5, 3], 1).as_tensor().affine(1.0, 0.0).unwrap();
        let x = (&x + (x.sign().unwrap() * 0.1).unwrap()).unwrap();
        let slope = Var::new(&[0.25f32], &Device::Cpu).unwrap();
        check_gradients(&[Var::from_tensor(&x).unwrap(), slope], |t| prelu(&t[0], &t[1]));
    }
}
