//! The images of an experiment: which are sent, and which are its training images.

use super::config_error::{ConfigError, Result};
use super::config_value;
use crate::links::Images;
use sememe_blocks::source::{
    Cifar10, Cifar10Split, Correlation, Fit, FolderConfig, ImageFolder, ImageSet, SceneConfig, SceneSet,
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where images come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// Procedural scenes: need no file.
    #[default]
    Scenes,
    /// CIFAR-10 in its binary layout, at `path`.
    Cifar10,
    /// Pictures, at `path`.
    Folder,
}

/// The `[source]` table. Paths are relative to the folder in which the program runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceConfig {
    /// `scenes`, `cifar10` or `folder`.
    pub kind: SourceKind,
    /// Folder, archive or file; needed by `cifar10` and `folder`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// `test`, `validation` or `train`, for `scenes` and `cifar10`.
    pub split: Cifar10Split,
    /// Number of the first image.
    pub first: usize,
    /// At most this many images; only whole frames of K users are sent. Default: 200 scenes, else all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<usize>,
    /// Height and width in pixels, for `scenes` (default 32 x 32) and `folder`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<(usize, usize)>,
    /// What to do with pictures of another size: `exact`, `center-crop`, `resize`, `resize-crop` or `tiles`, for
    /// `folder`.
    pub fit: Fit,
    /// Leaves out pictures that cannot be used and counts them, for `folder`.
    pub skip_bad: bool,
    /// Degree to which the scenes of a true group share content, 0 to 1, for `scenes`. Absent: independent scenes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Images that codes are fitted on: a path of the same kind, or `scenes`. Default: the training split,
    /// where the source has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training: Option<PathBuf>,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            kind: SourceKind::Scenes,
            path: None,
            split: Cifar10Split::Test,
            first: 0,
            images: None,
            size: None,
            fit: Fit::Exact,
            skip_bad: false,
            share: None,
            training: None,
        }
    }
}

/// Images sent when a scene experiment does not say how many.
const DEFAULT_SCENES: usize = 200;
/// Scenes in a training split: far more than a code is fitted on.
const TRAINING_SCENES: usize = 50_000;

/// Images ready to be sent.
pub struct OpenSource {
    /// The images that are sent.
    pub images: Images,
    /// The images to fit codes on, where any are known.
    pub training: Option<Arc<dyn ImageSet>>,
    /// Number of images in whole frames: what is sent.
    pub sent: usize,
    /// Pictures left out because they could not be used.
    pub skipped: usize,
}

impl SourceConfig {
    /// Opens the images.
    ///
    /// - users, groups: of the downlink; correlated scenes have as many true groups
    /// - origin: the configuration file, for error messages
    /// - errors: a key that the kind has no use for, missing or unreadable files, too few images
    pub fn open(&self, users: usize, groups: usize, seed: u64, origin: &str) -> Result<OpenSource> {
        self.check_keys(origin)?;
        let failed = |error| config_value::from_block(error, origin, "source");
        let scenes = |split, len, correlation| -> Result<Arc<dyn ImageSet>> {
            let (height, width) = self.size.unwrap_or((32, 32));
            let seed = scene_seed(seed, split);
            let set = SceneSet::new(SceneConfig { height, width, len, seed, correlation }).map_err(failed)?;
            Ok(Arc::new(set))
        };
        let mut skipped = 0;
        let (set, training): (Arc<dyn ImageSet>, Option<Arc<dyn ImageSet>>) = match self.kind {
            SourceKind::Scenes => {
                let correlation = self.share.map(|share| Correlation { users, groups, share: share as f32 });
                let len = self.first.saturating_add(self.images.unwrap_or(DEFAULT_SCENES));
                (
                    scenes(self.split, len, correlation)?,
                    Some(scenes(Cifar10Split::Train, TRAINING_SCENES, None)?),
                )
            }
            SourceKind::Cifar10 => {
                let path = self.needed_path(origin)?;
                let set = Cifar10::open(path, self.split).map_err(failed)?;
                let training = match &self.training {
                    Some(other) if other != Path::new("scenes") => Some(other.as_path()),
                    Some(_) => None,
                    // A file of records has no split of its own: its training part would hold test images.
                    None => (path.is_dir() || is_archive(path)).then_some(path),
                };
                let training = training.map(|path| Cifar10::open(path, Cifar10Split::Train)).transpose();
                (Arc::new(set), training.map_err(failed)?.map(|set| Arc::new(set) as _))
            }
            SourceKind::Folder => {
                let set = self.folder(self.needed_path(origin)?, self.size).map_err(failed)?;
                skipped = set.skipped().len();
                let size = Some(set.size());
                let training = match &self.training {
                    Some(other) if other != Path::new("scenes") => {
                        Some(self.folder(other, size).map_err(failed)?)
                    }
                    _ => None,
                };
                (Arc::new(set), training.map(|set| Arc::new(set) as _))
            }
        };
        let training = match (training, &self.training) {
            (None, Some(_)) => {
                let (height, width) = set.size();
                let seed = scene_seed(seed, Cifar10Split::Train);
                let config = SceneConfig { height, width, len: TRAINING_SCENES, seed, correlation: None };
                Some(Arc::new(SceneSet::new(config).map_err(failed)?) as _)
            }
            (training, _) => training,
        };
        let images = Images { set, first: self.first, limit: self.images };
        let sent = images.frames(users).map_err(failed)?.num_frames() * users;
        Ok(OpenSource { images, training, sent, skipped })
    }

    fn folder(&self, path: &Path, size: Option<(usize, usize)>) -> sememe_blocks::Result<ImageFolder> {
        ImageFolder::open(&FolderConfig { path: path.into(), size, fit: self.fit, skip_bad: self.skip_bad })
    }

    fn needed_path(&self, origin: &str) -> Result<&Path> {
        self.path.as_deref().ok_or_else(|| ConfigError::Missing {
            origin: origin.into(),
            key: "source.path".into(),
            allowed: match self.kind {
                SourceKind::Cifar10 => "the folder, archive or file of CIFAR-10".into(),
                _ => "a folder of PNG, JPEG or WebP pictures, or one picture".into(),
            },
        })
    }

    /// Refuses keys that the kind would silently ignore.
    fn check_keys(&self, origin: &str) -> Result<()> {
        let defaults = Self::default();
        let folder_only = "nothing but with kind = \"folder\"";
        let scenes_only = "nothing but with kind = \"scenes\"";
        let is = |kind| self.kind == kind;
        let unused = [
            ("path", self.path.is_some() && is(SourceKind::Scenes), "nothing with kind = \"scenes\""),
            ("training", self.training.is_some() && is(SourceKind::Scenes), "nothing with kind = \"scenes\""),
            (
                "split",
                self.split != defaults.split && is(SourceKind::Folder),
                "nothing with kind = \"folder\"",
            ),
            ("size", self.size.is_some() && is(SourceKind::Cifar10), "nothing with kind = \"cifar10\""),
            ("fit", self.fit != defaults.fit && !is(SourceKind::Folder), folder_only),
            ("skip_bad", self.skip_bad && !is(SourceKind::Folder), folder_only),
            ("share", self.share.is_some() && !is(SourceKind::Scenes), scenes_only),
        ];
        match unused.into_iter().find(|(_, is_set, _)| *is_set) {
            Some((key, _, allowed)) => Err(ConfigError::Value {
                origin: origin.into(),
                key: format!("source.{key}"),
                found: "set".into(),
                allowed: allowed.into(),
            }),
            None => Ok(()),
        }
    }
}

fn is_archive(path: &Path) -> bool {
    let name = path.to_string_lossy().to_lowercase();
    name.ends_with(".tar.gz") || name.ends_with(".tgz")
}

/// The seed of a split of scenes: far apart, so that no experiment's test scenes are another's training scenes.
fn scene_seed(seed: u64, split: Cifar10Split) -> u64 {
    let offset: u64 = match split {
        Cifar10Split::Train => 0,
        Cifar10Split::Validation => 1,
        Cifar10Split::Test => 2,
    };
    seed.wrapping_add(offset << 61)
}
