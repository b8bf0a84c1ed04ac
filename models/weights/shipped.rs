//! The small trained weights inside the program.

use super::error::WeightsError;
use super::file::from_bytes;
use crate::transceiver::Model;
use std::sync::Arc;

/// Names of the weights that ship with the program.
pub const SHIPPED: &[&str] =
    &["spatial-compact", "spatial-compact-private", "scenes-compact", "scenes-compact-private", "deep-jscc"];

/// Loads weights that ship with the program.
///
/// All for N = 1024, 50 users in 10 groups:
/// - `spatial-compact`: group splitting at rho = 0.2, trained on independent photographs
/// - `spatial-compact-private`: the same networks and training budget with rho = 0
/// - `scenes-compact`: group splitting at rho = 0.3, trained on scenes of which groups share none to all
/// - `scenes-compact-private`: the same with rho = 0
/// - `deep-jscc`: small DeepJSCC, trained as `spatial-compact-private`
/// - errors: an unknown name, with the names known
pub fn shipped(name: &str) -> Result<Arc<Model>, WeightsError> {
    match name {
        "spatial-compact" => from_bytes(include_bytes!("spatial-compact.safetensors")),
        "spatial-compact-private" => from_bytes(include_bytes!("spatial-compact-private.safetensors")),
        "scenes-compact" => from_bytes(include_bytes!("scenes-compact.safetensors")),
        "scenes-compact-private" => from_bytes(include_bytes!("scenes-compact-private.safetensors")),
        "deep-jscc" => from_bytes(include_bytes!("deep-jscc.safetensors")),
        _ => Err(WeightsError::Unknown { name: name.into(), known: SHIPPED.join(", ") }),
    }
}
