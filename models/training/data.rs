//! Training and validation images, and the order in which training meets them.

use super::config::{DataSection, TrainingConfig};
use super::error::TrainingError;
use candle_core::{Device, Tensor};
use ndarray::{Array4, Axis, s};
use rand::RngExt;
use rand::seq::SliceRandom;
use sememe_blocks::rng::{Purpose, RngKey};
use sememe_blocks::source::{Cifar10, Cifar10Split, Correlation, ImageSet, MixedSet, SceneConfig, SceneSet};
use std::sync::Arc;

/// Seeds of scene sets are apart from each other, so that validation scenes are never trained on.
const VALIDATION_SEED: u64 = 0x5EED_0001;
const TRAINING_SEED: u64 = 0x5EED_0002;
const MIXED_SCENES: usize = 20_000;

/// The two sets of a run.
pub struct Data {
    /// Images to learn from.
    pub training: Arc<dyn ImageSet>,
    /// Images that only measure.
    pub validation: Arc<dyn ImageSet>,
}

impl Data {
    /// Opens what the training file names.
    pub fn open(config: &TrainingConfig) -> Result<Self, TrainingError> {
        let users = config.downlink.users;
        let data = match &config.data {
            DataSection::Cifar10 { path, scenes_every } => {
                let cifar: Arc<dyn ImageSet> = Arc::new(Cifar10::open(path, Cifar10Split::Train)?);
                let scenes = SceneConfig { len: MIXED_SCENES, seed: TRAINING_SEED, ..SceneConfig::default() };
                let training = match scenes_every {
                    0 => cifar,
                    every => Arc::new(MixedSet::new(cifar, Arc::new(SceneSet::new(scenes)?), *every)?),
                };
                Self { training, validation: Arc::new(Cifar10::open(path, Cifar10Split::Validation)?) }
            }
            DataSection::Scenes { images, side, share } => {
                let correlation =
                    share.map(|share| Correlation { users, groups: config.downlink.groups, share });
                let set = |len, seed| {
                    SceneSet::new(SceneConfig { height: *side, width: *side, len, seed, correlation })
                };
                let validation = users.saturating_mul(config.validation.frames);
                Self {
                    training: Arc::new(set(*images, TRAINING_SEED)?),
                    validation: Arc::new(set(validation, VALIDATION_SEED)?),
                }
            }
        };
        for (name, set) in [("training", &data.training), ("validation", &data.validation)] {
            if set.len() < users {
                return Err(TrainingError::Config(format!(
                    "data: {} {name} images are fewer than downlink.users = {users}",
                    set.len()
                )));
            }
        }
        Ok(data)
    }

    /// Steps of one pass over the training images; the incomplete last batch is left out.
    pub fn steps_per_epoch(&self, users: usize) -> u64 {
        (self.training.len() / users) as u64
    }
}

/// The order of images in one epoch. Frames of correlated scenes stay whole.
pub fn epoch_order(len: usize, users: usize, whole_frames: bool, key: RngKey, epoch: u64) -> Vec<usize> {
    let mut rng = key.stream(Purpose::Shuffle, epoch, 0);
    if !whole_frames {
        let mut order: Vec<usize> = (0..len).collect();
        order.shuffle(&mut rng);
        return order;
    }
    let mut frames: Vec<usize> = (0..len / users).collect();
    frames.shuffle(&mut rng);
    frames.into_iter().flat_map(|frame| frame * users..(frame + 1) * users).collect()
}

/// Reads images as a tensor `[K, H, W, 3]` in [0, 1]; mirrors half of them if asked.
pub fn read(
    set: &dyn ImageSet,
    indices: &[usize],
    mirror: Option<(RngKey, u64)>,
) -> Result<Tensor, TrainingError> {
    let mut pixels = set.batch(0, indices)?.pixels;
    if let Some((key, step)) = mirror {
        let mut rng = key.stream(Purpose::Shuffle, step, 1);
        for mut image in pixels.axis_iter_mut(Axis(0)) {
            if rng.random::<bool>() {
                let mirrored = image.slice(s![.., ..;-1, ..]).to_owned();
                image.assign(&mirrored);
            }
        }
    }
    Ok(to_tensor(&pixels)?)
}

/// `[K, H, W, 3]` bytes as a tensor in [0, 1].
pub fn to_tensor(pixels: &Array4<u8>) -> candle_core::Result<Tensor> {
    let values: Vec<f32> = pixels.iter().map(|p| f32::from(*p) / 255.0).collect();
    Tensor::from_vec(values, pixels.dim(), &Device::Cpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_meets_every_image_once_and_epochs_differ() {
        let key = RngKey::new(1);
        let order = epoch_order(23, 5, false, key, 0);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..23).collect::<Vec<_>>());
        assert_eq!(order, epoch_order(23, 5, false, key, 0));
        assert_ne!(order, epoch_order(23, 5, false, key, 1));
        let whole = epoch_order(23, 5, true, key, 0);
        assert_eq!(whole.len(), 20);
        assert!(whole.chunks(5).all(|frame| frame[0] % 5 == 0 && frame[4] == frame[0] + 4));
    }

    #[test]
    fn mirroring_is_keyed_by_step_and_reverses_rows() {
        let set = SceneSet::new(SceneConfig { len: 16, ..SceneConfig::default() }).unwrap();
        let indices: Vec<usize> = (0..16).collect();
        let plain = read(&set, &indices, None).unwrap();
        let key = RngKey::new(2);
        let mirrored = read(&set, &indices, Some((key, 7))).unwrap();
        let again = read(&set, &indices, Some((key, 7))).unwrap();
        let rows = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(rows(&mirrored), rows(&again));
        let (plain, mirrored) = (rows(&plain), rows(&mirrored));
        let mut turned = 0;
        for (plain, mirrored) in plain.chunks(32 * 32 * 3).zip(mirrored.chunks(32 * 32 * 3)) {
            let reversed: Vec<f32> = plain
                .chunks(32 * 3)
                .flat_map(|row| row.chunks(3).rev().flatten().copied().collect::<Vec<_>>())
                .collect();
            assert!(mirrored == plain || mirrored == reversed);
            turned += usize::from(mirrored == reversed && mirrored != plain);
        }
        assert!((2..=14).contains(&turned), "{turned} of 16 mirrored");
    }
}
