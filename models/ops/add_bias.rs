//! Adds one value per channel, in parallel in both directions.

use super::affine::column_sums;
use super::buffers::{expect_shape, values};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// y = x + b over the last axis.
///
/// - x `[.., C]`, bias `[C]` -> `[.., C]`
pub fn add_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op2(bias, AddBias)
}

struct AddBias;
struct ColumnSums {
    columns: usize,
}

impl CustomOp2 for AddBias {
    fn name(&self) -> &'static str {
        "add_bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        b: &CpuStorage,
        b_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let channels = x_at.dims().last().copied().unwrap_or(0);
        expect_shape(self.name(), "the bias", b_at.dims(), &[channels])?;
        let bias = values(self.name(), b, b_at)?;
        let mut out = values(self.name(), x, x_at)?.to_vec();
        out.par_chunks_mut((channels * 64).max(1)).for_each(|rows| {
            for row in rows.chunks_exact_mut(channels) {
                row.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
            }
        });
        Ok((CpuStorage::F32(out), x_at.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        bias: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let of_bias = gradient.apply_op1_no_bwd(&ColumnSums { columns: bias.elem_count() })?;
        Ok((x.track_op().then_some(gradient), Some(of_bias)))
    }
}

impl CustomOp1 for ColumnSums {
    fn name(&self) -> &'static str {
        "column sums"
    }

    fn cpu_fwd(&self, g: &CpuStorage, g_at: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut sums = vec![0.0; self.columns];
        column_sums(values(self.name(), g, g_at)?, &mut sums);
        Ok((CpuStorage::F32(sums), self.columns.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check_gradients, noise_var};

    #[test]
    fn equals_broadcasting_and_has_its_gradients() {
        let vars = [noise_var(&[2, 3, 5], 1), noise_var(&[5], 2)];
        let y = add_bias(vars[0].as_tensor(), vars[1].as_tensor()).unwrap();
        let expected = vars[0].broadcast_add(vars[1].as_tensor()).unwrap();
        assert_eq!(y.to_vec3::<f32>().unwrap(), expected.to_vec3::<f32>().unwrap());
        check_gradients(&vars, |t| add_bias(&t[0], &t[1]));
    }
}
