//! Finite differences and reference noise for the tests of operations.

use candle_core::{Device, Result, Tensor, Var};
use sememe_blocks::rng::{Purpose, RngKey, normal};

/// `len` standard normal values.
pub fn noise(len: usize, seed: u64) -> Vec<f32> {
    let mut rng = RngKey::new(seed).stream(Purpose::Weights, 0, 0);
    (0..len).map(|_| normal(&mut rng)).collect()
}

/// A variable of standard normal values.
pub fn noise_var(shape: &[usize], seed: u64) -> Var {
    let values = noise(shape.iter().product(), seed);
    Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu).unwrap()).unwrap()
}

/// Compares the gradients of sum(f(vars) * w), w fixed noise, with central differences at up to 24
/// entries of each variable. f32 limits the agreement to about 1 %.
pub fn check_gradients(vars: &[Var], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let output = f(&tensors).unwrap();
    let weight = Tensor::from_vec(noise(output.elem_count(), 999), output.shape(), &Device::Cpu).unwrap();
    let weights = super::buffers::to_vec(&weight).unwrap();
    let loss = output.mul(&weight).unwrap().sum_all().unwrap();
    let gradients = loss.backward().unwrap();
    let scalar = |inputs: &[Tensor]| -> f64 {
        let out = super::buffers::to_vec(&f(inputs).unwrap()).unwrap();
        out.iter().zip(&weights).map(|(a, b)| *a as f64 * *b as f64).sum()
    };
    for (index, var) in vars.iter().enumerate() {
        let gradient =
            super::buffers::to_vec(gradients.get(var).expect("a gradient for each input")).unwrap();
        let values = super::buffers::to_vec(var.as_tensor()).unwrap();
        let scale =
            (gradient.iter().map(|g| (*g as f64).powi(2)).sum::<f64>() / gradient.len() as f64).sqrt();
        let step = 5e-3f32;
        for entry in (0..values.len()).step_by(values.len().div_ceil(24)) {
            let at = |delta: f32| {
                let mut moved = values.clone();
                moved[entry] += delta;
                let mut inputs = tensors.clone();
                inputs[index] = Tensor::from_vec(moved, var.shape(), &Device::Cpu).unwrap();
                scalar(&inputs)
            };
            let numeric = (at(step) - at(-step)) / (2.0 * step as f64);
            let analytic = gradient[entry] as f64;
            assert!(
                (numeric - analytic).abs() < 0.02 * scale.max(analytic.abs()) + 2e-3,
                "input {index} entry {entry}: finite difference {numeric}, gradient {analytic}"
            );
        }
    }
}
