//! A training run as one documented structure: the same words in TOML, command line and weights.

use super::TrainingError;
use super::model_section::ModelSection;
use crate::losses::{Reconstruction, Repulsion};
use crate::ops::Precision;
use crate::transceiver::Architecture;
use sememe_blocks::access::{Accounting, Budget, BudgetConfig, Mapping, Strategy};
use sememe_blocks::channel::FadingModel;
use sememe_blocks::equalizer::Equalizer;
use serde::{Deserialize, Deserializer, Serialize};
use std::path::PathBuf;

/// Format of training files this program writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// Everything that decides the resulting weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Format of this file, 1.
    pub version: u32,
    /// Seed of weights, order of images, fades and noise.
    #[serde(default)]
    pub seed: u64,
    /// The network.
    pub model: ModelSection,
    /// What is sent to whom.
    #[serde(default)]
    pub downlink: DownlinkSection,
    /// Channels and SNRs of training.
    #[serde(default)]
    pub channel: ChannelSection,
    /// Images.
    pub data: DataSection,
    /// What is minimised.
    #[serde(default)]
    pub loss: LossSection,
    /// How it is minimised.
    #[serde(default)]
    pub optimizer: OptimizerSection,
    /// How progress is measured.
    #[serde(default)]
    pub validation: ValidationSection,
}

/// Users, groups and channel uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DownlinkSection {
    /// Users K, the images of a batch.
    pub users: usize,
    /// Groups G.
    pub groups: usize,
    /// Complex channel uses per image, N.
    pub uses: usize,
    /// Ratio of common to all features; 0 trains the private-only line.
    pub rho: f64,
    /// Packing of features into symbols.
    pub mapping: Mapping,
    /// What happens to the uses that groups save.
    pub accounting: Accounting,
    /// How users are grouped.
    pub clustering: Strategy,
    /// What undoes the fade.
    pub equalizer: Equalizer,
}

impl Default for DownlinkSection {
    fn default() -> Self {
        Self {
            users: 50,
            groups: 10,
            uses: 1024,
            rho: 0.2,
            mapping: Mapping::default(),
            accounting: Accounting::default(),
            clustering: Strategy::default(),
            equalizer: Equalizer::Mmse,
        }
    }
}

/// Channels met in training: every step draws a fading and a mean SNR.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelSection {
    /// Range of the mean SNR in dB, drawn evenly.
    pub snr_db: [f32; 2],
    /// Fadings, each as likely as the others; block fading.
    pub fading: Vec<FadingModel>,
}

impl Default for ChannelSection {
    fn default() -> Self {
        Self { snr_db: [-1.0, 22.0], fading: vec![FadingModel::Awgn, FadingModel::Rayleigh] }
    }
}

/// Where images come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum DataSection {
    /// The official CIFAR-10 binary files; the last tenth of the training images validates.
    Cifar10 {
        /// A folder, the official archive, or a file of records.
        path: PathBuf,
        /// One in this many images is a procedural scene; 0 for none.
        #[serde(default)]
        scenes_every: usize,
    },
    /// Procedural scenes.
    Scenes {
        /// Number of training scenes; with shares, rounded up to as many whole frames of each.
        images: usize,
        /// Side of the images in pixels.
        #[serde(default = "default_side")]
        side: usize,
        /// Degree to which the users of a true group share content, 0 to 1, or a list of such degrees, one
        /// frame after the other; empty: independent scenes.
        #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
        share: Vec<f32>,
    },
}

/// A number as a list of one.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "data.share: allowed is a number from 0 to 1 or a list of them")]
    enum Shares {
        One(f32),
        Many(Vec<f32>),
    }
    Ok(match Shares::deserialize(deserializer)? {
        Shares::One(share) => vec![share],
        Shares::Many(shares) => shares,
    })
}

fn default_side() -> usize {
    32
}

/// Terms of the loss.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossSection {
    /// Distance between images.
    pub reconstruction: Reconstruction,
    /// Repulsion between common features.
    pub repulsion: Repulsion,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Decay of the learning rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// The same rate in every step.
    Constant,
    /// Half a cosine from the full rate to zero over the whole run.
    #[default]
    Cosine,
}

/// Adam and its schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerSection {
    /// Highest learning rate.
    pub learning_rate: f64,
    /// How it decays.
    pub schedule: Schedule,
    /// Steps over which it rises from zero.
    pub warmup_steps: u64,
    /// Passes over the training images.
    pub epochs: u64,
    /// Decay of the exponential average of the weights, which is what is kept; 0 keeps the last.
    pub average: f64,
    /// Longest gradient, as a Euclidean norm over all weights; 0 for no limit.
    pub clip: f64,
    /// Mirrors half of the images.
    pub mirror: bool,
    /// Precision of the steps; other than `f32` on a GPU only.
    #[serde(skip_serializing_if = "is_default")]
    pub precision: Precision,
}

impl Default for OptimizerSection {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            schedule: Schedule::Cosine,
            warmup_steps: 200,
            epochs: 20,
            average: 0.999,
            clip: 0.0,
            mirror: true,
            precision: Precision::F32,
        }
    }
}

/// Validation and checkpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValidationSection {
    /// Frames of K images.
    pub frames: usize,
    /// SNRs in dB.
    pub snr_db: Vec<f32>,
    /// Epochs between validations.
    pub every_epochs: u64,
    /// Steps between checkpoints.
    pub checkpoint_steps: u64,
    /// Epochs after which the weights are kept in a file of their own; 0 is the start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep_epochs: Vec<u64>,
}

impl Default for ValidationSection {
    fn default() -> Self {
        Self {
            frames: 10,
            snr_db: vec![0.0, 6.0, 12.0, 18.0],
            every_epochs: 1,
            checkpoint_steps: 500,
            keep_epochs: vec![],
        }
    }
}

impl TrainingConfig {
    /// The channel-use budget for images of this size.
    pub fn budget(&self, (height, width): (usize, usize)) -> Result<Budget, TrainingError> {
        let d = &self.downlink;
        let family = self.model.architecture(1, 0)?.family();
        let config = BudgetConfig {
            uses: d.uses,
            rho: d.rho,
            num_users: d.users,
            num_groups: d.groups,
            height,
            width,
            accounting: d.accounting,
            mapping: d.mapping,
            family,
        };
        Ok(config.budget()?)
    }

    /// The networks' sizes for images of this size.
    pub fn architecture(&self, size: (usize, usize)) -> Result<Architecture, TrainingError> {
        let budget = self.budget(size)?;
        let private = budget.private_channels().unwrap_or(budget.private_len());
        let common = budget.common_channels().unwrap_or(budget.common_len());
        let mut architecture = self.model.architecture(private, common)?;
        match &mut architecture {
            Architecture::GroupSplitting(config) => {
                config.punctured_features = budget.signalling_uses() * self.downlink.mapping.reals_per_use();
            }
            other if common > 0 => {
                return Err(TrainingError::Config(format!(
                    "downlink.rho = {} is not possible: allowed is 0, for {} shares nothing between users",
                    self.downlink.rho,
                    other.name()
                )));
            }
            _ => {}
        }
        match architecture.refuses(size) {
            Some(reason) => Err(TrainingError::Config(format!("data: {reason}"))),
            None => Ok(architecture),
        }
    }

    /// Refuses values that no run could use; names key, value and what is allowed.
    pub fn check(&self) -> Result<(), TrainingError> {
        let refuse = |key: &str, found: String, allowed: &str| {
            Err(TrainingError::Config(format!("{key} = {found} is not possible: allowed is {allowed}")))
        };
        let (o, v, [low, high]) = (&self.optimizer, &self.validation, self.channel.snr_db);
        if self.version != FORMAT_VERSION {
            return refuse("version", self.version.to_string(), "1");
        }
        self.model.architecture(1, 0)?;
        if !(low.is_finite() && high.is_finite() && low <= high) {
            return refuse("channel.snr_db", format!("[{low}, {high}]"), "[lowest, highest], both finite");
        }
        if self.channel.fading.is_empty() {
            return refuse("channel.fading", "[]".into(), "at least one model");
        }
        if !(o.learning_rate > 0.0 && o.learning_rate < 1.0) {
            return refuse("optimizer.learning_rate", o.learning_rate.to_string(), "above 0, below 1");
        }
        if !(0.0..1.0).contains(&o.average) {
            return refuse("optimizer.average", o.average.to_string(), "0 to below 1");
        }
        if !(o.clip.is_finite() && o.clip >= 0.0) {
            return refuse("optimizer.clip", o.clip.to_string(), "0 (no limit) or above");
        }
        let r = &self.loss.repulsion;
        let weights =
            [("weight", r.weight), ("center", r.center), ("euclidean", r.euclidean), ("angular", r.angular)];
        for (key, weight) in weights {
            if !(weight.is_finite() && weight >= 0.0) {
                return refuse(&format!("loss.repulsion.{key}"), weight.to_string(), "0 (off) or above");
            }
        }
        if o.epochs == 0 {
            return refuse("optimizer.epochs", "0".into(), "at least 1");
        }
        if v.every_epochs == 0 || v.checkpoint_steps == 0 || v.frames == 0 {
            return refuse(
                "validation",
                "0 in every_epochs, checkpoint_steps or frames".into(),
                "at least 1",
            );
        }
        if let Some(epoch) = v.keep_epochs.iter().find(|epoch| **epoch > o.epochs) {
            let allowed = format!("0 to optimizer.epochs = {}", o.epochs);
            return refuse("validation.keep_epochs", epoch.to_string(), &allowed);
        }
        if let Some(snr) = v.snr_db.iter().find(|snr| !snr.is_finite()) {
            return refuse("validation.snr_db", snr.to_string(), "finite numbers");
        }
        Ok(())
    }
}
