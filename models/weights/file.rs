//! A model in one file: tensors, architecture, recipe and data.

use super::error::WeightsError;
use super::tensor_file::{Metadata, Tensors, parse, write_f16};
use crate::layers::Parameters;
use crate::transceiver::{Architecture, Model};
use candle_core::Device;
use std::path::Path;
use std::sync::Arc;

/// Format of the metadata this program writes and reads.
pub const FORMAT_VERSION: &str = "1";
const FORMAT_KEY: &str = "sememe_weights";
const ARCHITECTURE_KEY: &str = "architecture";
const MODEL_KEY: &str = "model";
/// What files without the key hold.
const FIRST_ARCHITECTURE: &str = "group-splitting";

/// Writes a model as f16 with its architecture and `origin` (recipe, data and so on) in the metadata.
pub fn save(model: &Model, origin: Metadata, path: &Path) -> Result<(), WeightsError> {
    let tensors: Tensors = model
        .parameters()
        .named()
        .into_iter()
        .map(|(name, variable)| (name, variable.as_tensor().detach()))
        .collect();
    let sizes = model.architecture().to_json().map_err(|e| WeightsError::Metadata(e.to_string()))?;
    let mut metadata = origin;
    metadata.insert(FORMAT_KEY.into(), FORMAT_VERSION.into());
    metadata.insert(ARCHITECTURE_KEY.into(), model.architecture().name().into());
    metadata.insert(MODEL_KEY.into(), sizes);
    write_f16(path, &tensors, metadata)
}

/// Reads a model for inference.
///
/// - errors: a damaged file, another format, a tensor that is missing, superfluous or of another shape
pub fn load(path: &Path) -> Result<Arc<Model>, WeightsError> {
    from_bytes(&std::fs::read(path)?)
}

/// As [`load`], from memory.
pub fn from_bytes(bytes: &[u8]) -> Result<Arc<Model>, WeightsError> {
    let (tensors, mut metadata) = parse(bytes)?;
    match metadata.remove(FORMAT_KEY).as_deref() {
        Some(FORMAT_VERSION) => {}
        Some(other) => {
            return Err(WeightsError::Metadata(format!(
                "format {other} is unknown: allowed is {FORMAT_VERSION}"
            )));
        }
        None => return Err(WeightsError::Metadata(format!("no {FORMAT_KEY}: not weights of this program"))),
    }
    let Some(sizes) = metadata.remove(MODEL_KEY) else {
        return Err(WeightsError::Metadata("no model: the architecture is unknown".into()));
    };
    let name = metadata.remove(ARCHITECTURE_KEY).unwrap_or_else(|| FIRST_ARCHITECTURE.into());
    let architecture = Architecture::from_json(&name, &sizes).map_err(WeightsError::Metadata)?;
    let parameters = Parameters::frozen(tensors, &Device::Cpu);
    let mut model = Model::new(architecture, parameters.clone())?;
    if let Some(name) = parameters.unused().first() {
        return Err(WeightsError::Metadata(format!("tensor {name} has no place in this architecture")));
    }
    model.origin = metadata;
    Ok(Arc::new(model))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group_splitting::ModelConfig;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise;
    use candle_core::Tensor;

    fn tiny() -> Model {
        Model::random(ModelConfig::preset("spatial-tiny", 6, 0).unwrap(), 1, &Device::Cpu).unwrap()
    }

    #[test]
    fn a_stored_model_encodes_as_the_original() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let model = tiny();
        save(&model, Metadata::from([("data".into(), "noise".into())]), &path).unwrap();
        let loaded = load(&path).unwrap();
        assert_eq!((loaded.architecture(), loaded.origin["data"].as_str()), (model.architecture(), "noise"));
        let images = Tensor::from_vec(noise(2 * 16 * 16 * 3, 1), (2, 16, 16, 3), &Device::Cpu).unwrap();
        let encode = |model: &Model| to_vec(&model.encode(&images, 10.0).unwrap().private).unwrap();
        for (a, b) in encode(&model).iter().zip(encode(&loaded)) {
            assert!((a - b).abs() < 0.02 * a.abs().max(1.0), "{a} {b}");
        }
    }

    #[test]
    fn wrong_weights_name_the_tensor_and_the_shapes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let model = tiny();
        let tensors: Tensors =
            model.parameters().named().into_iter().map(|(n, v)| (n, v.as_tensor().clone())).collect();
        let config = ModelConfig::preset("spatial-tiny", 7, 0).unwrap();
        let metadata = Metadata::from([
            (FORMAT_KEY.to_string(), FORMAT_VERSION.to_string()),
            (MODEL_KEY.to_string(), serde_json::to_string(&config).unwrap()),
        ]);
        write_f16(&path, &tensors, metadata).unwrap();
        let error = load(&path).err().unwrap().to_string();
        assert!(error.contains("tensor encoder.") && error.contains("expected ["), "{error}");
    }
}
