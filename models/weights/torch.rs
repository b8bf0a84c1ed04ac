//! Weights that were trained in PyTorch, from its state dictionaries.

use super::error::WeightsError;
use super::tensor_file::{Tensors, parse};
use crate::layers::Parameters;
use crate::transceiver::{Architecture, Model};
use candle_core::Device;
use std::path::Path;

/// Reads a model from a safetensors file of a PyTorch state dictionary.
///
/// Names and shapes are those of [`torch_names`].
/// - errors: a damaged file; a tensor that is missing, superfluous or of another shape, by its name
pub fn import(architecture: Architecture, path: &Path) -> Result<Model, WeightsError> {
    let (tensors, _) = parse(&std::fs::read(path)?)?;
    from_state(architecture, tensors)
}

/// As [`import`], from tensors.
pub fn from_state(architecture: Architecture, tensors: Tensors) -> Result<Model, WeightsError> {
    let parameters = Parameters::from_torch(tensors, &Device::Cpu);
    let model = Model::new(architecture, parameters.clone())?;
    match parameters.unused().first() {
        Some(name) => Err(WeightsError::Metadata(format!("tensor {name} has no place in this architecture"))),
        None => Ok(model),
    }
}

/// Names and shapes of the tensors that PyTorch would hold for an architecture.
pub fn torch_names(architecture: Architecture) -> Result<Vec<(String, Vec<usize>)>, WeightsError> {
    Ok(Model::random(architecture, 0, &Device::Cpu)?.parameters().torch_names())
}
