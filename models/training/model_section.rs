//! The `[model]` table of a training file: a preset and its switches.

use super::TrainingError;
use crate::deep_jscc::Constellation;
use crate::group_splitting::Stem;
use crate::tensor_error::in_one_line;
use crate::transceiver::Architecture;
use serde::{Deserialize, Serialize};

/// A preset and its switches. A switch that the preset does not have is refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSection {
    /// Sizes, by the names of [`Architecture::presets`].
    pub preset: String,
    /// First layer of the paper family's decoder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stem: Option<Stem>,
    /// Layer norm in the residual blocks of group splitting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer_norm: Option<bool>,
    /// Whether the networks of group splitting are told the SNR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub film: Option<bool>,
    /// Linear paths beside the deep ones of group splitting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bypass: Option<bool>,
    /// Vectors of group splitting carry their own scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain_code: Option<bool>,
    /// Points of the square constellation that DeepJSCC takes its symbols from; absent: symbols are free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constellation: Option<usize>,
}

impl ModelSection {
    /// The architecture for given numbers of features.
    ///
    /// - errors: an unknown preset; a switch that it does not have; an impossible constellation
    pub fn architecture(&self, private: usize, common: usize) -> Result<Architecture, TrainingError> {
        let Some(mut architecture) = Architecture::preset(&self.preset, private, common) else {
            return Err(TrainingError::Config(format!(
                "model.preset = \"{}\" is not known: allowed are {}",
                self.preset,
                Architecture::presets().join(", ")
            )));
        };
        let name = architecture.name();
        match &mut architecture {
            Architecture::GroupSplitting(config) => {
                config.stem = self.stem.unwrap_or(config.stem);
                config.layer_norm = self.layer_norm.unwrap_or(config.layer_norm);
                config.film = self.film.unwrap_or(config.film);
                config.bypass = self.bypass.unwrap_or(config.bypass);
                config.gain_code = self.gain_code.unwrap_or(config.gain_code);
            }
            _ => self.refuse_group_splitting(name)?,
        }
        match (&mut architecture, self.constellation) {
            (Architecture::DeepJscc(config), Some(points)) => {
                Constellation::new(points)
                    .map_err(|error| TrainingError::Config(format!("model.{}", in_one_line(&error))))?;
                config.constellation = Some(points);
            }
            (_, Some(points)) => return Err(self.unused("constellation", points, name)),
            _ => {}
        }
        Ok(architecture)
    }

    fn refuse_group_splitting(&self, architecture: &str) -> Result<(), TrainingError> {
        let switches = [
            ("layer_norm", self.layer_norm),
            ("film", self.film),
            ("bypass", self.bypass),
            ("gain_code", self.gain_code),
        ];
        if let Some(stem) = self.stem {
            return Err(self.unused("stem", format!("{stem:?}"), architecture));
        }
        match switches.into_iter().find_map(|(key, value)| Some((key, value?))) {
            Some((key, value)) => Err(self.unused(key, value, architecture)),
            None => Ok(()),
        }
    }

    fn unused(&self, key: &str, value: impl std::fmt::Display, architecture: &str) -> TrainingError {
        TrainingError::Config(format!(
            "model.{key} = {value} is not possible: allowed is nothing with preset \"{}\", {architecture} has \
             no such switch",
            self.preset
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> ModelSection {
        toml::from_str(text).unwrap()
    }

    fn error(text: &str) -> String {
        section(text).architecture(6, 0).unwrap_err().to_string()
    }

    #[test]
    fn switches_reach_the_architecture_that_has_them() {
        let q = section("preset = \"deep-jscc-tiny\"\nconstellation = 16").architecture(6, 0).unwrap();
        assert!(matches!(q, Architecture::DeepJscc(config) if config.constellation == Some(16)));
        let film = section("preset = \"spatial-tiny\"\nfilm = false").architecture(6, 0).unwrap();
        assert!(matches!(film, Architecture::GroupSplitting(config) if !config.film));
    }

    #[test]
    fn others_are_refused_by_name() {
        assert!(error("preset = \"adjscc\"\nfilm = true").contains("model.film = true"));
        assert!(error("preset = \"vit-jscc\"\nstem = \"reshape\"").contains("model.stem"));
        assert!(error("preset = \"vit-jscc\"\nconstellation = 16").contains("vit-jscc has no such switch"));
        assert!(error("preset = \"deep-jscc\"\nconstellation = 8").contains("model.constellation = 8"));
        assert!(error("preset = \"lstm\"").contains("adjscc-compact"));
    }
}
