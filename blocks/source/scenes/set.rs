//! Procedural scenes as an image set.

use super::canvas::Painted;
use super::compose::{compose, dominant_class};
use super::config::{Correlation, SceneConfig};
use super::sharing::{Cast, membership};
use crate::frame::{ImageBatch, Truth};
use crate::rng::RngKey;
use crate::source::ImageSet;
use crate::source::image_set::check_indices;
use crate::{BlockError, Grouping, Result};
use ndarray::{Array3, Array4};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Raised whenever equal configurations begin to give other pixels.
const VERSION: u32 = 1;

/// Scenes painted when they are asked for; nothing is kept.
///
/// Every scene depends on the seed and its own index (and, correlated, on the share, the number of
/// users and the number of groups), never on what else is painted: batches are the same for any
/// number of threads.
#[derive(Clone, Debug)]
pub struct SceneSet {
    config: SceneConfig,
}

impl SceneSet {
    /// A set of scenes.
    ///
    /// - errors: a value out of range, see [`SceneConfig`]
    pub fn new(config: SceneConfig) -> Result<Self> {
        config.validate()?;
        Ok(Self { config })
    }

    /// What scenes these are.
    pub fn config(&self) -> &SceneConfig {
        &self.config
    }

    fn key(&self) -> RngKey {
        RngKey::new(self.config.seed)
    }

    /// The members of every frame that the images belong to, in the order of frames.
    fn memberships(&self, indices: &[usize], correlation: &Correlation) -> BTreeMap<u64, Vec<usize>> {
        let mut frames = BTreeMap::new();
        for index in indices {
            let frame = (index / correlation.users) as u64;
            frames
                .entry(frame)
                .or_insert_with(|| membership(self.key(), frame, correlation.users, correlation.groups));
        }
        frames
    }
}

impl ImageSet for SceneSet {
    fn len(&self) -> usize {
        self.config.len
    }

    fn size(&self) -> (usize, usize) {
        (self.config.height, self.config.width)
    }

    /// Labels and label maps use the numbers of [`CLASSES`](super::CLASSES). Correlated scenes
    /// have groups; those of images from several frames are numbered one frame after the other.
    fn batch(&self, frame: u64, indices: &[usize]) -> Result<ImageBatch> {
        check_indices(indices, self.config.len)?;
        let (height, width) = self.size();
        let mut groups = None;
        let casts: Vec<Cast> = match &self.config.correlation {
            None => indices.iter().map(|index| Cast::independent(self.key(), *index)).collect(),
            Some(correlation) => {
                let frames = self.memberships(indices, correlation);
                let place_of = |index: usize| {
                    let (scene_frame, user) = ((index / correlation.users) as u64, index % correlation.users);
                    (scene_frame, user, frames[&scene_frame][user])
                };
                let offsets: BTreeMap<u64, usize> =
                    frames.keys().enumerate().map(|(n, frame)| (*frame, n * correlation.groups)).collect();
                let of_user = indices.iter().map(|i| place_of(*i)).map(|(f, _, g)| offsets[&f] + g).collect();
                groups = Some(Grouping::new(of_user, (frames.len() * correlation.groups).max(1))?);
                let cast = |(scene_frame, user, group)| {
                    Cast::member(self.key(), scene_frame, user, group, correlation)
                };
                indices.iter().map(|index| cast(place_of(*index))).collect()
            }
        };
        let painted: Vec<Painted> = casts.par_iter().map(|cast| compose(cast, (height, width))).collect();
        let labels = painted.iter().map(|scene| dominant_class(&scene.labels)).collect();
        let mut pixels = Vec::with_capacity(indices.len() * height * width * 3);
        let mut maps = Vec::with_capacity(indices.len() * height * width);
        for scene in painted {
            pixels.extend(scene.pixels);
            maps.extend(scene.labels);
        }
        let count = indices.len();
        let misshapen = |error: ndarray::ShapeError| BlockError::Kernel(error.to_string());
        Ok(ImageBatch {
            frame,
            pixels: Array4::from_shape_vec((count, height, width, 3), pixels).map_err(misshapen)?,
            truth: Truth {
                labels: Some(labels),
                label_maps: Some(Array3::from_shape_vec((count, height, width), maps).map_err(misshapen)?),
                groups,
            },
        })
    }

    fn name(&self) -> String {
        let SceneConfig { height, width, len, seed, correlation } = &self.config;
        let shared = correlation.map_or_else(String::new, |c| {
            format!(", {} users in {} groups sharing {}", c.users, c.groups, c.share)
        });
        format!("scenes v{VERSION}, {len} images, {height}x{width}, seed {seed}{shared}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::CLASSES;
    use super::*;
    use ndarray::{Axis, s};

    fn scenes(count: usize, correlation: Option<Correlation>) -> ImageBatch {
        let set = SceneSet::new(SceneConfig { len: count, seed: 1, correlation, ..SceneConfig::default() });
        set.unwrap().batch(0, &(0..count).collect::<Vec<_>>()).unwrap()
    }

    /// Mean squared difference of the images i and j.
    fn difference(batch: &ImageBatch, i: usize, j: usize) -> f64 {
        let [a, b] = [i, j].map(|k| batch.pixels.index_axis(Axis(0), k));
        a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum::<f64>() / a.len() as f64
    }

    #[test]
    fn pixels_depend_on_seed_and_index_alone() {
        let config = SceneConfig { height: 16, width: 24, len: 100, ..SceneConfig::default() };
        for correlation in [None, Some(Correlation { users: 10, groups: 3, share: 0.6 })] {
            let set = SceneSet::new(SceneConfig { correlation, ..config.clone() }).unwrap();
            let all = set.batch(0, &(0..100).collect::<Vec<_>>()).unwrap();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
            let some = pool.install(|| set.batch(9, &[57, 3, 57])).unwrap();
            for (place, index) in [57, 3, 57].into_iter().enumerate() {
                assert_eq!(some.pixels.index_axis(Axis(0), place), all.pixels.index_axis(Axis(0), index));
            }
            assert_eq!(some.frame, 9);
            let other = SceneSet::new(SceneConfig { correlation, seed: 1, ..config.clone() }).unwrap();
            assert_ne!(other.batch(9, &[57, 3, 57]).unwrap().pixels, some.pixels);
        }
    }

    #[test]
    fn labels_agree_with_their_maps_and_every_class_dominates_sometimes() {
        let batch = scenes(1000, None);
        let (labels, maps) = (batch.truth.labels.unwrap(), batch.truth.label_maps.unwrap());
        assert_eq!(maps.dim(), (1000, 32, 32));
        let mut seen = [0; CLASSES.len()];
        for (label, map) in labels.iter().zip(maps.outer_iter()) {
            let count = |class: usize| map.iter().filter(|l| usize::from(**l) == class).count();
            let largest = (1..CLASSES.len()).max_by_key(|class| (count(*class), CLASSES.len() - class));
            assert_eq!(usize::from(*label), largest.unwrap());
            assert!(map.iter().all(|l| usize::from(*l) < CLASSES.len()));
            seen[usize::from(*label)] += 1;
        }
        assert!(seen[0] == 0 && seen[1..].iter().all(|n| *n >= 20), "{seen:?}");
        assert!(batch.truth.groups.is_none());
    }

    #[test]
    fn neighbouring_pixels_correlate_as_in_photographs() {
        let pixels = scenes(600, None).pixels.mapv(f64::from);
        let mean = pixels.mean().unwrap();
        let variance = pixels.mapv(|v| (v - mean).powi(2)).mean().unwrap();
        let step = &pixels.slice(s![.., .., 1.., ..]) - &pixels.slice(s![.., .., ..-1, ..]);
        let correlation = 1.0 - step.mapv(|v| v * v).mean().unwrap() / (2.0 * variance);
        // CIFAR-10: mean 121, variance 4,072, correlation 0.93.
        assert!((100.0..140.0).contains(&mean), "{mean}");
        assert!((2500.0..5000.0).contains(&variance), "{variance}");
        assert!((0.91..0.97).contains(&correlation), "{correlation}");
    }

    #[test]
    fn a_larger_share_brings_the_images_of_a_group_together() {
        let (mut last, users) = (f64::INFINITY, 40);
        for (share, least, most) in
            [(0.0, 0.85, 1.15), (0.25, 0.75, 1.0), (0.5, 0.2, 0.45), (0.75, 0.1, 0.3), (1.0, 0.001, 0.04)]
        {
            let (mut inside, mut outside) = ((0.0, 0), (0.0, 0));
            let batch = scenes(3 * users, Some(Correlation { users, groups: 8, share }));
            let groups = batch.truth.groups.as_ref().unwrap();
            for (i, j) in (0..3 * users).flat_map(|i| (0..i).map(move |j| (i, j))) {
                let same = groups.group_of(i) == groups.group_of(j);
                let sum = if same { &mut inside } else { &mut outside };
                let apart = difference(&batch, i, j);
                assert!(apart > 0.0, "images {i} and {j} are the same");
                *sum = (sum.0 + apart, sum.1 + 1);
            }
            let ratio = (inside.0 / inside.1 as f64) / (outside.0 / outside.1 as f64);
            assert!((least..most).contains(&ratio) && ratio < last, "share {share}: {ratio}, before {last}");
            last = ratio;
        }
    }

    #[test]
    fn half_a_share_lets_pixels_alone_tell_the_groups() {
        use crate::access::clustering::balanced_clusters;
        use crate::metric::adjusted_rand;
        let key = RngKey::new(1);
        let mut sum = 0.0;
        let batch = scenes(500, Some(Correlation { users: 50, groups: 10, share: 0.5 }));
        let truth = batch.truth.groups.unwrap();
        for frame in 0..10 {
            let images = batch.pixels.slice(s![frame * 50..(frame + 1) * 50, .., .., ..]);
            let rows: Vec<f32> = images.iter().map(|v| f32::from(*v) - 114.0).collect();
            let rows = ndarray::Array2::from_shape_vec((50, 3072), rows).unwrap();
            let mut rng = key.stream(crate::rng::Purpose::Clustering, frame as u64, 0);
            let found = Grouping::new(balanced_clusters(rows.view(), 10, &mut rng).unwrap(), 10).unwrap();
            let true_groups = truth.as_slice()[frame * 50..][..50].iter().map(|g| g - 10 * frame).collect();
            sum += adjusted_rand(&found, &Grouping::new(true_groups, 10).unwrap()).unwrap();
        }
        // 0.89 over 40 frames; 0 would be chance.
        assert!(sum / 10.0 > 0.8, "{}", sum / 10.0);
    }

    #[test]
    fn a_single_picture_is_as_likely_under_any_share() {
        // Groups of one user: independent pictures whose parts come from the group or the user.
        let brightness = |share| {
            let batch = scenes(600, Some(Correlation { users: 600, groups: 600, share }));
            let means: Vec<f64> =
                batch.pixels.outer_iter().map(|i| i.mapv(f64::from).mean().unwrap()).collect();
            let mean = means.iter().sum::<f64>() / 600.0;
            (mean, means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / 599.0)
        };
        let ((mean_0, var_0), (mean_1, var_1)) = (brightness(0.0), brightness(1.0));
        // Two means of 600: 4 sigma. Two variances of 600, none heavier tailed than normal: 4 sigma.
        assert!((mean_0 - mean_1).abs() < 4.0 * ((var_0 + var_1) / 600.0).sqrt(), "{mean_0} {mean_1}");
        assert!((var_0 / var_1).ln().abs() < 4.0 * (4.0f64 / 600.0).sqrt(), "{var_0} {var_1}");
    }

    #[test]
    fn groups_are_balanced_shuffled_and_numbered_across_frames() {
        let correlation = Some(Correlation { users: 7, groups: 3, share: 0.5 });
        let set = SceneSet::new(SceneConfig { len: 14, correlation, ..SceneConfig::default() }).unwrap();
        let groups = |indices: &[usize]| set.batch(0, indices).unwrap().truth.groups.unwrap();
        let (first, both) = (groups(&[0, 1, 2, 3, 4, 5, 6]), groups(&(0..14).collect::<Vec<_>>()));
        let mut sizes = first.sizes();
        sizes.sort_unstable();
        assert_eq!(sizes, [2, 2, 3]);
        assert_eq!(both.num_groups(), 6);
        assert_eq!(&both.as_slice()[..7], first.as_slice());
        assert!(both.as_slice()[7..].iter().all(|g| (3..6).contains(g)));
        let one = groups(&[4]);
        assert_eq!((one.num_users(), one.group_of(0)), (1, first.group_of(4)));
        assert_eq!(groups(&[]).num_users(), 0);
    }

    #[test]
    fn any_size_is_painted_and_what_is_out_of_range_refused() {
        for (height, width) in [(8, 8), (64, 96), (9, 200)] {
            let set = SceneSet::new(SceneConfig { height, width, len: 3, ..SceneConfig::default() }).unwrap();
            let batch = set.batch(0, &[0, 1, 2]).unwrap();
            assert_eq!((batch.size(), set.size()), ((height, width), (height, width)));
            assert!(batch.truth.labels.unwrap().iter().all(|l| *l > 0));
            assert!(set.batch(0, &[3]).unwrap_err().to_string().contains("0 to 2"));
        }
        assert!(SceneSet::new(SceneConfig { height: 0, ..SceneConfig::default() }).is_err());
        let correlation = Some(Correlation { users: 50, groups: 10, share: 0.5 });
        let set = SceneSet::new(SceneConfig { correlation, ..SceneConfig::default() }).unwrap();
        assert_eq!(set.name(), "scenes v1, 10000 images, 32x32, seed 0, 50 users in 10 groups sharing 0.5");
    }

    /// Guards [`VERSION`]: mean pixel of the first scenes of seed 1. Within half a level, because
    /// the last bit of sine and cosine differs between machines.
    #[test]
    fn the_first_scenes_are_those_of_this_version() {
        let batch = scenes(6, None);
        let means: Vec<f64> = batch.pixels.outer_iter().map(|i| i.mapv(f64::from).mean().unwrap()).collect();
        let expected = [153.24, 75.31, 139.92, 188.53, 98.18, 121.78];
        assert!(means.iter().zip(expected).all(|(m, e): (&f64, f64)| (m - e).abs() < 0.5), "{means:.2?}");
        assert_eq!(batch.truth.labels, Some(vec![2, 1, 2, 9, 6, 6]));
    }
}
