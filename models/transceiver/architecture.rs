//! Which networks a transceiver is made of, with everything that fixes the shapes of their tensors.

use super::network::Network;
use crate::deep_jscc::{self, DeepJscc, DeepJsccConfig};
use crate::group_splitting::{self, GroupSplitting, ModelConfig};
use crate::layers::Scope;
use crate::vit_jscc::{self, VitJscc, VitJsccConfig};
use candle_core::Result;
use sememe_blocks::access::Family;

/// An architecture with its sizes.
#[derive(Clone, Debug, PartialEq)]
pub enum Architecture {
    /// System A.
    GroupSplitting(ModelConfig),
    /// DeepJSCC and its kin: single images, convolutions.
    DeepJscc(DeepJsccConfig),
    /// Single images, convolutions and a vision transformer.
    VitJscc(VitJsccConfig),
}

/// Names of the architectures, as in weights files and experiments.
const NAMES: [&str; 3] = ["group-splitting", "deep-jscc", "vit-jscc"];

impl Architecture {
    /// The sizes of a preset, for given numbers of features; `None` for an unknown name.
    pub fn preset(name: &str, private_features: usize, common_features: usize) -> Option<Self> {
        ModelConfig::preset(name, private_features, common_features)
            .map(Self::GroupSplitting)
            .or_else(|| DeepJsccConfig::preset(name, private_features).map(Self::DeepJscc))
            .or_else(|| VitJsccConfig::preset(name, private_features).map(Self::VitJscc))
    }

    /// Names of all presets.
    pub fn presets() -> Vec<&'static str> {
        [&group_splitting::PRESETS[..], &deep_jscc::PRESETS, &vit_jscc::PRESETS].concat()
    }

    /// Name of the architecture.
    pub fn name(&self) -> &'static str {
        match self {
            Self::GroupSplitting(_) => NAMES[0],
            Self::DeepJscc(_) => NAMES[1],
            Self::VitJscc(_) => NAMES[2],
        }
    }

    /// Its sizes as JSON.
    pub fn to_json(&self) -> serde_json::Result<String> {
        match self {
            Self::GroupSplitting(config) => serde_json::to_string(config),
            Self::DeepJscc(config) => serde_json::to_string(config),
            Self::VitJscc(config) => serde_json::to_string(config),
        }
    }

    /// Reads what [`Architecture::name`] and [`Architecture::to_json`] wrote.
    ///
    /// - errors: an unknown name, with the known ones; sizes of another architecture
    pub fn from_json(name: &str, json: &str) -> std::result::Result<Self, String> {
        let parsed = match name {
            "group-splitting" => serde_json::from_str(json).map(Self::GroupSplitting),
            "deep-jscc" => serde_json::from_str(json).map(Self::DeepJscc),
            "vit-jscc" => serde_json::from_str(json).map(Self::VitJscc),
            _ => {
                let known = NAMES.join(", ");
                return Err(format!("architecture \"{name}\" is not known: allowed are {known}"));
            }
        };
        parsed.map_err(|error| error.to_string())
    }

    /// Builds the networks over the variables of a scope.
    pub fn network(&self, scope: &Scope) -> Result<Box<dyn Network>> {
        Ok(match self {
            Self::GroupSplitting(config) => Box::new(GroupSplitting::new(config.clone(), scope)?),
            Self::DeepJscc(config) => Box::new(DeepJscc::new(config, scope)?),
            Self::VitJscc(config) => Box::new(VitJscc::new(config, scope)?),
        })
    }

    /// How features are shaped.
    pub fn family(&self) -> Family {
        match self {
            Self::GroupSplitting(config) => config.family,
            Self::DeepJscc(_) | Self::VitJscc(_) => Family::Spatial,
        }
    }

    /// Whether groups of users share anything.
    pub fn shares(&self) -> bool {
        matches!(self, Self::GroupSplitting(config) if config.common_features > 0)
    }

    /// Length of a user's private vector for images of this size.
    pub fn private_len(&self, size: (usize, usize)) -> usize {
        match self {
            Self::GroupSplitting(config) => config.private_len(size),
            Self::DeepJscc(config) => config.code_len(size),
            Self::VitJscc(config) => config.code_len(size),
        }
    }

    /// Length of a group's common vector for images of this size.
    pub fn common_len(&self, size: (usize, usize)) -> usize {
        match self {
            Self::GroupSplitting(config) => config.common_len(size),
            Self::DeepJscc(_) | Self::VitJscc(_) => 0,
        }
    }

    /// Values at the end of a private vector that the networks leave unsent; nothing where they work with any
    /// number.
    pub fn punctured_features(&self) -> Option<usize> {
        match self {
            Self::GroupSplitting(config) if config.gain_code => Some(config.punctured_features),
            _ => None,
        }
    }

    /// Says why images of this size do not fit, or nothing where they do.
    pub fn refuses(&self, size: (usize, usize)) -> Option<String> {
        match self {
            Self::GroupSplitting(config) => config.refuses(size),
            Self::DeepJscc(config) => config.refuses(size),
            Self::VitJscc(config) => config.refuses(size),
        }
    }
}

impl From<ModelConfig> for Architecture {
    fn from(config: ModelConfig) -> Self {
        Self::GroupSplitting(config)
    }
}

impl From<DeepJsccConfig> for Architecture {
    fn from(config: DeepJsccConfig) -> Self {
        Self::DeepJscc(config)
    }
}

impl From<VitJsccConfig> for Architecture {
    fn from(config: VitJsccConfig) -> Self {
        Self::VitJscc(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_known_once_and_survives_storage() {
        let names = Architecture::presets();
        for name in &names {
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
            let architecture = Architecture::preset(name, 26, 0).unwrap();
            let stored = architecture.to_json().unwrap();
            assert_eq!(Architecture::from_json(architecture.name(), &stored).unwrap(), architecture);
        }
        assert!(Architecture::preset("huge", 1, 0).is_none());
        assert!(Architecture::from_json("lstm", "{}").unwrap_err().contains("deep-jscc"));
    }
}
