//! The small trained weights inside the program.

use super::error::WeightsError;
use super::file::from_bytes;
use crate::transceiver::Model;
use std::sync::Arc;

/// Names of the weights that ship with the program.
pub const SHIPPED: &[&str] = &[
    "spatial-compact",
    "spatial-compact-tenth",
    "spatial-compact-private",
    "scenes-compact",
    "scenes-compact-private",
    "deep-jscc",
    "deep-jscc-q",
    "deep-jscc-wide-compact",
    "adjscc-compact",
    "vit-jscc-compact",
];

/// Loads weights that ship with the program.
///
/// All for N = 1024, 50 users in 10 groups:
/// - `spatial-compact`: group splitting at rho = 0.2, trained on independent photographs
/// - `spatial-compact-tenth`: the same at rho = 0.1
/// - `spatial-compact-private`: the same networks and training budget with rho = 0
/// - `scenes-compact`: group splitting at rho = 0.3, trained on scenes of which groups share none to all
/// - `scenes-compact-private`: the same with rho = 0
/// - `deep-jscc`, `deep-jscc-q`, `deep-jscc-wide-compact`, `adjscc-compact`: small DeepJSCC, the same on 64-QAM, wide
///   DeepJSCC, ADJSCC, all trained as `spatial-compact-private`
/// - `vit-jscc-compact`: the ViT baseline, trained so for two epochs instead of ten
/// - errors: an unknown name, with the names known
pub fn shipped(name: &str) -> Result<Arc<Model>, WeightsError> {
    match name {
        "spatial-compact" => from_bytes(include_bytes!("spatial-compact.safetensors")),
        "spatial-compact-tenth" => from_bytes(include_bytes!("spatial-compact-tenth.safetensors")),
        "spatial-compact-private" => from_bytes(include_bytes!("spatial-compact-private.safetensors")),
        "scenes-compact" => from_bytes(include_bytes!("scenes-compact.safetensors")),
        "scenes-compact-private" => from_bytes(include_bytes!("scenes-compact-private.safetensors")),
        "deep-jscc" => from_bytes(include_bytes!("deep-jscc.safetensors")),
        "deep-jscc-q" => from_bytes(include_bytes!("deep-jscc-q.safetensors")),
        "deep-jscc-wide-compact" => from_bytes(include_bytes!("deep-jscc-wide-compact.safetensors")),
        "adjscc-compact" => from_bytes(include_bytes!("adjscc-compact.safetensors")),
        "vit-jscc-compact" => from_bytes(include_bytes!("vit-jscc-compact.safetensors")),
        _ => Err(WeightsError::Unknown { name: name.into(), known: SHIPPED.join(", ") }),
    }
}
