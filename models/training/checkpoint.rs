//! The whole state of a run in one file: weights, moments, averages, step, and the training file.

use super::config::TrainingConfig;
use super::error::TrainingError;
use crate::weights::tensor_file;
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the checkpoint inside a run's folder.
pub const FILE_NAME: &str = "checkpoint.safetensors";

/// Where steps were computed before checkpoints said so.
const PROCESSOR: &str = "cpu";

/// A point from which a run goes on.
pub struct Checkpoint {
    /// Steps done. With the seed this is the position of all randomness.
    pub step: u64,
    /// Kind of device that it comes from: steps elsewhere have other last digits.
    pub device: String,
    /// State by name.
    pub state: BTreeMap<String, Tensor>,
}

impl Checkpoint {
    /// Writes the file in one piece: a crash leaves the old one.
    pub fn save(&self, folder: &Path, config: &TrainingConfig) -> Result<(), TrainingError> {
        let metadata = BTreeMap::from([
            ("step".to_string(), self.step.to_string()),
            ("training".to_string(), identity(config)?),
            ("device".to_string(), self.device.clone()),
        ]);
        tensor_file::write_f32(&folder.join(FILE_NAME), &self.state, metadata)
            .map_err(|error| TrainingError::file(folder.join(FILE_NAME), error))
    }

    /// Reads the checkpoint of a run folder; `None` where there is none.
    ///
    /// - errors: a file that is damaged or belongs to another training file
    pub fn load(folder: &Path, config: &TrainingConfig) -> Result<Option<Self>, TrainingError> {
        let path = folder.join(FILE_NAME);
        if !path.exists() {
            return Ok(None);
        }
        let (state, metadata) =
            tensor_file::read(&path).map_err(|error| TrainingError::file(&path, error))?;
        if metadata.get("training") != Some(&identity(config)?) {
            return Err(TrainingError::file(
                &path,
                "belongs to another training file: give another folder, or the same file",
            ));
        }
        let device = metadata.get("device").cloned().unwrap_or_else(|| PROCESSOR.to_string());
        let step = metadata.get("step").and_then(|step| step.parse().ok());
        let Some(step) = step else {
            return Err(TrainingError::file(&path, "has no readable step in its metadata"));
        };
        Ok(Some(Self { step, device, state }))
    }
}

/// What must be equal for a run to go on. Where the data lies on disk does not matter.
fn identity(config: &TrainingConfig) -> Result<String, TrainingError> {
    let mut config = config.clone();
    if let super::config::DataSection::Cifar10 { path, .. } = &mut config.data {
        *path = "cifar10".into();
    }
    toml::to_string(&config).map_err(|error| TrainingError::Config(error.to_string()))
}
