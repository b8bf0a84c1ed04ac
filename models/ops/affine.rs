//! Affine maps y = x W + b, with an optional residual added in the same pass, and their gradients.
//!
//! Weight and bias are one variable `[in + 1, out]` whose last row is the bias: one optimiser step,
//! one gradient, and the product starts from the bias instead of zero.

use super::backward::deliver;
use super::buffers::{expect_shape, values};
use super::precision::Precision;
use super::product::{Matrix, product};
use super::shared_out::SharedOut;
use super::transpose::transpose;
#[cfg(feature = "cuda")]
use crate::cuda::{self, programs::affine as program, queue::Address};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Rows summed in one task of the bias gradient: fixed, so that threads change no bit.
const ROWS_PER_SUM: usize = 256;

/// y = x W + b over the last axis.
///
/// - x `[.., in]`, weight `[in + 1, out]` -> `[.., out]`
pub fn affine(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op2(weight, Affine::new(true))
}

/// y = x W over the last axis.
///
/// - x `[.., in]`, weight `[in, out]` -> `[.., out]`
pub fn linear(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op2(weight, Affine::new(false))
}

/// y = x W + b + residual.
///
/// - x `[.., in]`, weight `[in + 1, out]`, residual `[.., out]` -> `[.., out]`
pub fn affine_residual(x: &Tensor, weight: &Tensor, residual: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op3(weight, &residual.contiguous()?, AffineResidual(Affine::new(true)))
}

#[derive(Clone, Copy)]
struct Affine {
    bias: bool,
    /// Of the result and of both gradients.
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "the processor knows f32 only"))]
    precision: Precision,
}
struct AffineResidual(Affine);
struct InputGradient(Affine);
struct WeightGradient(Affine);

impl Affine {
    fn new(bias: bool) -> Self {
        Self { bias, precision: Precision::current() }
    }

    #[cfg(feature = "cuda")]
    fn sizes(self, rows: usize, inputs: usize, outputs: usize) -> program::Sizes {
        program::Sizes { rows, inputs, outputs, bias: self.bias, may_round: self.precision.may_round() }
    }
}

/// Sizes of a product over the last axis, whatever axes stand before it.
struct Sizes {
    rows: usize,
    inputs: usize,
    outputs: usize,
    /// Of the result.
    shape: Vec<usize>,
}

/// Rows and columns over the last axis.
fn rows_of(x: &Layout) -> (usize, usize) {
    let columns = x.dims().last().copied().unwrap_or(1);
    (x.shape().elem_count() / columns.max(1), columns)
}

/// The shape of x with another last axis.
fn with_last(x: &Layout, last: usize) -> Vec<usize> {
    let mut shape = x.dims().to_vec();
    shape.pop();
    shape.push(last);
    shape
}

fn sizes(op: &str, x: &Layout, weight: &Layout, bias: bool) -> Result<Sizes> {
    let ((rows, inputs), (_, outputs)) = (rows_of(x), weight.shape().dims2()?);
    expect_shape(op, "the weight", weight.dims(), &[inputs + bias as usize, outputs])?;
    Ok(Sizes { rows, inputs, outputs, shape: with_last(x, outputs) })
}

impl CustomOp2 for Affine {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        w: &CpuStorage,
        w_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let s = sizes(self.name(), x_at, w_at, self.bias)?;
        let (x, weight) = (values(self.name(), x, x_at)?, values(self.name(), w, w_at)?);
        let (weight, bias) = weight.split_at(s.inputs * s.outputs);
        let mut out = Vec::with_capacity(s.rows * s.outputs);
        if self.bias {
            (0..s.rows).for_each(|_| out.extend_from_slice(bias));
        } else {
            out.resize(s.rows * s.outputs, 0.0);
        }
        let (x, weight) = (Matrix::new(x, s.rows, s.inputs), Matrix::new(weight, s.inputs, s.outputs));
        product(x, weight, &mut out, self.bias);
        Ok((CpuStorage::F32(out), s.shape.into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        w: &CudaStorage,
        w_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let s = sizes(self.name(), x_at, w_at, self.bias)?;
        let of = self.sizes(s.rows, s.inputs, s.outputs);
        cuda::run(self.name(), [(x, x_at), (w, w_at)], s.shape, |queue, [x, w], out| {
            program::forward(queue, of, [x, w, Address::NONE], out)
        })
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        gradients(x, w, &gradient.contiguous()?, *self)
    }
}

fn gradients(
    x: &Tensor,
    w: &Tensor,
    gradient: &Tensor,
    op: Affine,
) -> Result<(Option<Tensor>, Option<Tensor>)> {
    let of_x = x.track_op().then(|| gradient.apply_op2_no_bwd(w, &InputGradient(op))).transpose()?;
    let of_w = w.track_op().then(|| x.apply_op2_no_bwd(gradient, &WeightGradient(op))).transpose()?;
    Ok((of_x, of_w.and_then(|gradient| deliver(w, gradient))))
}

impl CustomOp3 for AffineResidual {
    fn name(&self) -> &'static str {
        "affine with residual"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        w: &CpuStorage,
        w_at: &Layout,
        r: &CpuStorage,
        r_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let s = sizes(self.name(), x_at, w_at, true)?;
        expect_shape(self.name(), "the residual", r_at.dims(), &s.shape)?;
        let (x, weight) = (values(self.name(), x, x_at)?, values(self.name(), w, w_at)?);
        let (weight, bias) = weight.split_at(s.inputs * s.outputs);
        let mut out = Vec::with_capacity(s.rows * s.outputs);
        for row in values(self.name(), r, r_at)?.chunks_exact(s.outputs) {
            out.extend(row.iter().zip(bias).map(|(residual, bias)| residual + bias));
        }
        product(Matrix::new(x, s.rows, s.inputs), Matrix::new(weight, s.inputs, s.outputs), &mut out, true);
        Ok((CpuStorage::F32(out), s.shape.into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        w: &CudaStorage,
        w_at: &Layout,
        r: &CudaStorage,
        r_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let s = sizes(self.name(), x_at, w_at, true)?;
        expect_shape(self.name(), "the residual", r_at.dims(), &s.shape)?;
        let of = self.0.sizes(s.rows, s.inputs, s.outputs);
        cuda::run(self.name(), [(x, x_at), (w, w_at), (r, r_at)], s.shape, |queue, from, out| {
            program::forward(queue, of, from, out)
        })
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        r: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let (of_x, of_w) = gradients(x, w, &gradient, self.0)?;
        Ok((of_x, of_w, r.track_op().then_some(gradient)))
    }
}

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "affine, gradient of the input"
    }

    fn cpu_fwd(
        &self,
        g: &CpuStorage,
        g_at: &Layout,
        w: &CpuStorage,
        w_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((rows, outputs), (with_bias, _)) = (rows_of(g_at), w_at.shape().dims2()?);
        let inputs = with_bias - self.0.bias as usize;
        let (g, weight) = (values(self.name(), g, g_at)?, values(self.name(), w, w_at)?);
        let mut out = SharedOut::new(rows * inputs);
        let turned = transpose(&weight[..inputs * outputs], inputs, outputs);
        let weight = Matrix::new(&turned, outputs, inputs);
        // SAFETY: the only reference; the product writes all values without reading any.
        let all = unsafe { std::slice::from_raw_parts_mut(out.at(0), rows * inputs) };
        product(Matrix::new(g, rows, outputs), weight, all, false);
        Ok((CpuStorage::F32(out.take()), with_last(g_at, inputs).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        g: &CudaStorage,
        g_at: &Layout,
        w: &CudaStorage,
        w_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let ((rows, outputs), (with_bias, _)) = (rows_of(g_at), w_at.shape().dims2()?);
        let inputs = with_bias - self.0.bias as usize;
        let of = self.0.sizes(rows, inputs, outputs);
        cuda::run(self.name(), [(g, g_at), (w, w_at)], with_last(g_at, inputs), |queue, from, out| {
            program::input_gradient(queue, of, from, out)
        })
    }
}

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "affine, gradient of the weight"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        g: &CpuStorage,
        g_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((rows, inputs), (_, outputs)) = (rows_of(x_at), rows_of(g_at));
        let (x, g) = (values(self.name(), x, x_at)?, values(self.name(), g, g_at)?);
        let rows_out = inputs + self.0.bias as usize;
        let mut out = SharedOut::new(rows_out * outputs);
        // SAFETY: the only reference; product and column sums write all values before reading any.
        let all = unsafe { std::slice::from_raw_parts_mut(out.at(0), rows_out * outputs) };
        let (of_matrix, of_bias) = all.split_at_mut(inputs * outputs);
        let tall = Matrix::new(x, rows, inputs).transposed();
        product(tall, Matrix::new(g, rows, outputs), of_matrix, false);
        if self.0.bias {
            column_sums(g, of_bias);
        }
        Ok((CpuStorage::F32(out.take()), (rows_out, outputs).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        g: &CudaStorage,
        g_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let ((rows, inputs), (_, outputs)) = (rows_of(x_at), rows_of(g_at));
        let shape = (inputs + self.0.bias as usize, outputs);
        let of = self.0.sizes(rows, inputs, outputs);
        cuda::run(self.name(), [(x, x_at), (g, g_at)], shape, |queue, from, out| {
            program::weight_gradient(queue, of, from, out)
        })
    }
}

/// Sums the columns of row-major values, in an order that the number of threads does not change.
pub fn column_sums(values: &[f32], sums: &mut [f32]) {
    let columns = sums.len();
    let parts: Vec<Vec<f32>> = values
        .par_chunks((ROWS_PER_SUM * columns).max(1))
        .map(|rows| {
            let mut sum = vec![0.0; columns];
            for row in rows.chunks_exact(columns) {
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            sum
        })
        .collect();
    sums.fill(0.0);
    for part in &parts {
        sums.iter_mut().zip(part).for_each(|(total, part)| *total += part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise_var};
    use candle_core::{Device, Tensor};

    #[test]
    fn a_product_worked_by_hand() {
        let x = Tensor::new(&[[1f32, 2.0], [0.0, -1.0]], &Device::Cpu).unwrap();
        let weight =
            Tensor::new(&[[1f32, 0.0, 2.0], [3.0, 1.0, 0.0], [10.0, 20.0, 30.0]], &Device::Cpu).unwrap();
        let y = affine(&x, &weight).unwrap();
        assert_eq!(y.to_vec2::<f32>().unwrap(), [[17.0, 22.0, 32.0], [7.0, 19.0, 30.0]]);
        let y = affine_residual(
            &x,
            &weight,
            &Tensor::ones((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap(),
        );
        assert_eq!(y.unwrap().to_vec2::<f32>().unwrap(), [[18.0, 23.0, 33.0], [8.0, 20.0, 31.0]]);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let vars = [noise_var(&[2, 300, 5], 1), noise_var(&[6, 4], 2), noise_var(&[2, 300, 4], 3)];
        check_gradients(&vars[..2], |t| affine(&t[0], &t[1]));
        check_gradients(&vars, |t| affine_residual(&t[0], &t[1], &t[2]));
        check_gradients(&[noise_var(&[7, 5], 1), noise_var(&[5, 4], 2)], |t| linear(&t[0], &t[1]));
    }

    #[test]
    fn threads_change_no_bit_of_the_weight_gradient() {
        let vars = [noise_var(&[1000, 40], 1), noise_var(&[41, 30], 2)];
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let y = affine(vars[0].as_tensor(), vars[1].as_tensor()).unwrap();
                let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
                to_vec(gradients.get(&vars[1]).unwrap()).unwrap()
            })
        };
        assert!(run(1) == run(2));
    }

    #[test]
    fn a_weight_without_bias_row_is_refused() {
        let error = affine(noise_var(&[2, 3], 1).as_tensor(), noise_var(&[3, 3], 2).as_tensor());
        assert!(error.unwrap_err().to_string().contains("expected [4, 3]"));
    }
}
