//! The small trained weights inside the program.

use super::error::WeightsError;
use super::file::from_bytes;
use crate::group_splitting::Model;
use std::sync::Arc;

/// Names of the weights that ship with the program.
pub const SHIPPED: &[&str] = &["spatial-compact", "spatial-compact-private"];

/// Loads weights that ship with the program.
///
/// - `spatial-compact`: group splitting at N = 1024, rho = 0.2, 50 users in 10 groups
/// - `spatial-compact-private`: the same networks and budget with rho = 0
/// - errors: an unknown name, with the names known
pub fn shipped(name: &str) -> Result<Arc<Model>, WeightsError> {
    match name {
        "spatial-compact" => from_bytes(include_bytes!("spatial-compact.safetensors")),
        "spatial-compact-private" => from_bytes(include_bytes!("spatial-compact-private.safetensors")),
        _ => Err(WeightsError::Unknown { name: name.into(), known: SHIPPED.join(", ") }),
    }
}
