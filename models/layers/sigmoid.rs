//! The logistic function.

use candle_core::{Result, Tensor};

/// 1 / (1 + exp(-x)), finite with its gradient for every x.
pub fn sigmoid(x: &Tensor) -> Result<Tensor> {
    (x * 0.5)?.tanh()?.affine(0.5, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use candle_core::Var;

    #[test]
    fn value_and_gradient_are_finite_everywhere() {
        let x = Var::new(&[-1e4f32, -1.0, 0.0, 1.0, 1e4], &candle_core::Device::Cpu).unwrap();
        let y = sigmoid(x.as_tensor()).unwrap();
        let gradients = y.sum_all().unwrap().backward().unwrap();
        let found = to_vec(&y).unwrap().into_iter().zip(to_vec(gradients.get(&x).unwrap()).unwrap());
        for ((y, slope), expected) in found.zip([0.0, 0.268_941_4, 0.5, 0.731_058_6, 1.0f32]) {
            assert!((y - expected).abs() < 1e-6 && (slope - expected * (1.0 - expected)).abs() < 1e-6);
        }
    }
}
