//! A GPU against the processor: every operation, every network, a whole training run.
//!
//! Needs the feature `cuda`; skips with a message where no GPU is found, unless `SEMEME_GPU` is set: then there
//! must be one.
#![cfg(feature = "cuda")]

#[path = "cuda/networks.rs"]
mod networks;
#[path = "cuda/operations.rs"]
mod operations;
#[path = "cuda/trainings.rs"]
mod trainings;

use candle_core::{Device, Tensor, Var};
use sememe_blocks::rng::{Purpose, RngKey, normal};
use sememe_models::ops::buffers::to_vec;

/// The first GPU, or nothing, said on the terminal.
fn gpu() -> Option<Device> {
    match sememe_models::device::named("cuda") {
        Ok(device) => Some(device),
        Err(reason) => {
            assert!(std::env::var_os("SEMEME_GPU").is_none(), "{reason}");
            eprintln!("skipped: {reason}");
            None
        }
    }
}

/// A variable of standard normal values.
fn noise(shape: &[usize], seed: u64) -> Var {
    let mut rng = RngKey::new(seed).stream(Purpose::Weights, 0, 0);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| normal(&mut rng)).collect();
    Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu).unwrap()).unwrap()
}

/// ||found - expected|| / ||expected||; also 0 where both are zero.
fn distance(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.dims(), expected.dims());
    let (found, expected) = (to_vec(found).unwrap(), to_vec(expected).unwrap());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let error = norm(&mut found.iter().zip(&expected).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    let length = norm(&mut expected.iter().map(|b| f64::from(*b)));
    if error == 0.0 { 0.0 } else { error / length }
}
