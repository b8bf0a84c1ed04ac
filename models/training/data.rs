//! Training and validation images, and the order in which training meets them.

use super::config::{DataSection, TrainingConfig};
use super::error::TrainingError;
use candle_core::{Device, Tensor};
use ndarray::{Array4, Axis, s};
use rand::RngExt;
use rand::seq::SliceRandom;
use sememe_blocks::rng::{Purpose, RngKey};
use sememe_blocks::source::{
    Cifar10, Cifar10Split, Correlation, FramesInTurn, ImageSet, MixedSet, SceneConfig, SceneSet,
};
use std::sync::Arc;

/// Seeds of scene sets are apart from each other, so that validation scenes are never trained on.
const VALIDATION_SEED: u64 = 0x5EED_0001;
const TRAINING_SEED: u64 = 0x5EED_0002_0000;
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
        if users == 0 {
            let text = "downlink.users = 0 is not possible: allowed is at least 1";
            return Err(TrainingError::Config(text.into()));
        }
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
                let set = |len, seed, correlation| -> Result<Arc<dyn ImageSet>, TrainingError> {
                    let config = SceneConfig { height: *side, width: *side, len, seed, correlation };
                    Ok(Arc::new(SceneSet::new(config)?))
                };
                let groups = config.downlink.groups;
                let sets = |len: usize, seed| -> Result<Arc<dyn ImageSet>, TrainingError> {
                    if share.is_empty() {
                        return set(len, seed, None);
                    }
                    let each = len.div_ceil(users).div_ceil(share.len()).saturating_mul(users);
                    let sets: Result<Vec<_>, _> = share
                        .iter()
                        .zip(seed..)
                        .map(|(share, seed)| {
                            set(each, seed, Some(Correlation { users, groups, share: *share }))
                        })
                        .collect();
                    Ok(Arc::new(FramesInTurn::new(sets?, users)?))
                };
                let validation = users.saturating_mul(config.validation.frames);
                Self {
                    training: sets(*images, TRAINING_SEED)?,
                    validation: sets(validation, VALIDATION_SEED)?,
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

/// Which images of a batch are mirrored.
#[derive(Clone, Copy)]
pub struct Mirror {
    /// Source of the draws.
    pub key: RngKey,
    /// Index of the batch.
    pub step: u64,
    /// One draw for all, so that what images have in common stays common.
    pub together: bool,
}

/// Reads images as a tensor `[K, H, W, 3]` in [0, 1]; mirrors half of them if asked.
pub fn read(set: &dyn ImageSet, indices: &[usize], mirror: Option<Mirror>) -> Result<Tensor, TrainingError> {
    let mut pixels = set.batch(0, indices)?.pixels;
    if let Some(Mirror { key, step, together }) = mirror {
        let mut rng = key.stream(Purpose::Shuffle, step, 1);
        let of_all = together.then(|| rng.random::<bool>());
        for mut image in pixels.axis_iter_mut(Axis(0)) {
            if of_all.unwrap_or_else(|| rng.random()) {
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
        let mirror = Mirror { key: RngKey::new(2), step: 7, together: false };
        let mirrored = read(&set, &indices, Some(mirror)).unwrap();
        let again = read(&set, &indices, Some(mirror)).unwrap();
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
        let turns_of = |step| {
            let rows = rows(&read(&set, &indices, Some(Mirror { step, together: true, ..mirror })).unwrap());
            rows.chunks(32 * 32 * 3).zip(plain.chunks(32 * 32 * 3)).filter(|(a, b)| a != b).count()
        };
        let turns: std::collections::BTreeSet<usize> = (0..20).map(turns_of).collect();
        assert_eq!(turns.into_iter().collect::<Vec<_>>(), [0, 16], "all or none");
    }

    #[test]
    fn shares_take_turns_frame_by_frame() {
        let text = "version = 1\n[model]\npreset = \"spatial-tiny\"\n[downlink]\nusers = 10\ngroups = 2\n\
                    [data]\nkind = \"scenes\"\nimages = 60\nshare = [0.0, 1.0]\n";
        let config: TrainingConfig = toml::from_str(text).unwrap();
        let data = Data::open(&config).unwrap();
        assert_eq!((data.training.len(), data.steps_per_epoch(10)), (60, 6));
        let apart = |frame: usize| {
            let indices: Vec<usize> = (10 * frame..10 * frame + 10).collect();
            let batch = data.training.batch(0, &indices).unwrap();
            let members = &batch.truth.groups.unwrap().members()[0];
            let [a, b] =
                [members[0], members[1]].map(|user| batch.pixels.index_axis(Axis(0), user).mapv(f64::from));
            (a - b).mapv(|d| d * d).mean().unwrap()
        };
        let single: TrainingConfig = toml::from_str(&text.replace("[0.0, 1.0]", "0.5")).unwrap();
        let DataSection::Scenes { share, .. } = &single.data else { panic!("{:?}", single.data) };
        assert_eq!(share, &[0.5]);
        for frame in [0, 2, 4] {
            assert!(apart(frame) > 5.0 * apart(frame + 1), "{frame}: {} {}", apart(frame), apart(frame + 1));
        }
    }
}
