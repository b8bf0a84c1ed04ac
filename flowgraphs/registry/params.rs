//! The tables from which the built-in blocks are made: every key, its default, nothing else.

use sememe_blocks::Result;
use sememe_blocks::access::{Access, Mapping, Normalization, Strategy};
use sememe_blocks::channel::{ChannelConfig, FadingModel, GainProcess, Phases, Profile, Variation};
use sememe_blocks::equalizer::Equalizer;
use sememe_blocks::source::{Cifar10Split, FolderConfig, SceneConfig};
use serde::Deserialize;
use std::path::PathBuf;

/// The table of a block without parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

/// Which images of a set become frames.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Walk {
    /// Images per frame, K.
    pub users: usize,
    /// Index of the first image.
    #[serde(default)]
    pub first: usize,
    /// At most this many images; absent: all that follow.
    pub images: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScenesParams {
    pub walk: Walk,
    #[serde(default)]
    pub scenes: SceneConfig,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FolderParams {
    pub walk: Walk,
    pub folder: FolderConfig,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cifar10Params {
    pub walk: Walk,
    pub path: PathBuf,
    pub split: Cifar10Split,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClustererParams {
    #[serde(default)]
    pub strategy: Strategy,
    pub users: usize,
    pub groups: usize,
    #[serde(default)]
    pub seed: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MapperParams {
    #[serde(default)]
    pub mapping: Mapping,
    #[serde(default)]
    pub signalling_uses: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemapperParams {
    #[serde(default)]
    pub mapping: Mapping,
    pub private_len: usize,
    #[serde(default)]
    pub common_len: usize,
    #[serde(default)]
    pub signalling_uses: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PowerParams {
    #[serde(default)]
    pub over: Normalization,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccessParams {
    pub access: Access,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FadingParams {
    pub fading: FadingModel,
    #[serde(default)]
    pub variation: Variation,
    #[serde(default)]
    pub phases: Phases,
    pub doppler: Option<f32>,
    /// Whose gains; absent: Sememe's own.
    pub profile: Option<Profile>,
    #[serde(default)]
    pub seed: u64,
}

impl FadingParams {
    pub(super) fn gains(&self) -> Result<GainProcess> {
        let Self { fading, variation, phases, doppler, profile, .. } = *self;
        let channel = ChannelConfig { variation, phases, doppler, profile, ..ChannelConfig::new(fading) };
        profile.map_or(Ok(()), |profile| profile.check(&channel))?;
        Ok(channel.gains())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AwgnParams {
    pub snr_db: f32,
    #[serde(default)]
    pub spread_db: f32,
    /// Who labels the SNR; absent: it is Es/N0.
    pub profile: Option<Profile>,
    #[serde(default)]
    pub seed: u64,
}

impl AwgnParams {
    /// The channel without its fading.
    pub(super) fn channel(&self) -> Result<ChannelConfig> {
        let Self { spread_db: snr_spread_db, profile, .. } = *self;
        let channel = ChannelConfig { snr_spread_db, profile, ..ChannelConfig::new(FadingModel::Awgn) };
        profile.map_or(Ok(()), |profile| profile.check(&channel))?;
        Ok(channel)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CsiErrorParams {
    pub variance: f32,
    #[serde(default)]
    pub seed: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EqualizerParams {
    pub method: Equalizer,
}

/// A linear code fitted to procedural scenes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KltParams {
    pub height: usize,
    pub width: usize,
    /// Real values per image, 2N.
    pub private_len: usize,
    /// The SNR that the code is designed for.
    pub snr_db: f32,
    /// Scenes to fit to.
    #[serde(default = "default_fit_images")]
    pub fit_images: usize,
    /// Seed of the scenes to fit to.
    #[serde(default)]
    pub fit_seed: u64,
}

fn default_fit_images() -> usize {
    500
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SaveImagesParams {
    pub folder: PathBuf,
}
