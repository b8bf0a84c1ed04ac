//! One model's common features on some frames of images.

use crate::links::{Downlink, Images};
use ndarray::{Array2, Axis};
use sememe_blocks::access::Clusterer;
use sememe_blocks::kernel::{FrameKernel, FrameSource};
use sememe_blocks::metric::{Separation, tsne};
use sememe_blocks::rng::{Purpose, RngKey};
use sememe_blocks::{BlockError, Decibel, Result};
use sememe_models::transceiver::Model;
use sememe_models::transceiver::kernels::{CommonEncoder, SemanticEncoder};
use std::sync::Arc;

/// Under what conditions models are looked at: the same for all of them.
pub struct Conditions<'a> {
    /// Users, groups, clustering.
    pub downlink: Downlink,
    /// The images.
    pub images: &'a Images,
    /// Mean SNR that the encoders are told.
    pub snr: Decibel,
    /// Frames of K images at most.
    pub frames: usize,
    /// Neighbours of a point in the layout.
    pub perplexity: f64,
    /// Of clustering and layout.
    pub key: RngKey,
}

/// What one model makes of them.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Name of the model.
    pub name: String,
    /// Of each common feature: frame, group, place in the plane.
    pub places: Vec<(u64, usize, [f64; 2])>,
    /// Cosines between the groups of the first frame, `[G, G]`.
    pub cosines: Array2<f64>,
    /// Mean over frames of the mean cosine between different groups.
    pub mean_cosine: f64,
    /// Where all cosines would stand if groups were as far apart as can be, -1 / (G - 1).
    pub target: f64,
}

impl Snapshot {
    /// Looks at a model.
    ///
    /// - errors: a model that shares nothing; no images; fewer than two groups with users; a perplexity that is
    ///   impossible for the number of features
    pub fn of(name: &str, model: &Arc<Model>, conditions: &Conditions) -> Result<Self> {
        if !model.architecture().shares() {
            return Err(BlockError::Kernel(format!("{name}: its users have nothing in common to look at")));
        }
        let Conditions { downlink, images, snr, frames, perplexity, key } = conditions;
        let mut encoder = SemanticEncoder::new(Arc::clone(model), *snr);
        let mut clusterer = Clusterer::new(downlink.clustering, downlink.users, downlink.groups, *key)?;
        let mut common_encoder = CommonEncoder::new(Arc::clone(model), *snr);
        let mut source = images.frames(downlink.users)?;
        let (mut origins, mut rows) = (Vec::new(), Vec::new());
        let (mut first, mut means) = (None, Vec::new());
        while means.len() < *frames
            && let Some(batch) = source.next_frame()?
        {
            let features = common_encoder.process(clusterer.process(encoder.process(batch)?)?)?;
            let separation = Separation::of(&features)?;
            means.push(separation.mean);
            first.get_or_insert(separation);
            let sizes = features.grouping.sizes();
            for (group, row) in features.common.axis_iter(Axis(0)).enumerate().filter(|(g, _)| sizes[*g] > 0)
            {
                origins.push((features.frame, group));
                let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
                rows.extend(row.iter().map(|v| v / length));
            }
        }
        let Some(first) = first else {
            return Err(BlockError::invalid("frames", frames, "at least 1"));
        };
        let columns = rows.len() / origins.len();
        let rows = Array2::from_shape_vec((origins.len(), columns), rows)
            .map_err(|error| BlockError::Kernel(error.to_string()))?;
        let layout = tsne(rows.view(), *perplexity, &mut key.stream(Purpose::Embedding, 0, 0))?;
        let places = origins.into_iter().zip(layout).map(|((frame, group), at)| (frame, group, at));
        Ok(Self {
            name: name.to_owned(),
            places: places.collect(),
            mean_cosine: means.iter().sum::<f64>() / means.len() as f64,
            target: first.target,
            cosines: first.cosines,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sememe_blocks::source::{SceneConfig, SceneSet};
    use sememe_models::weights::shipped;

    fn look(weights: &str, frames: usize) -> Result<Snapshot> {
        let model = shipped(weights).unwrap();
        let set = SceneSet::new(SceneConfig { len: 24, ..SceneConfig::default() }).unwrap();
        let images = Images { set: Arc::new(set), first: 0, limit: None };
        let downlink = Downlink { users: 8, groups: 4, ..Downlink::default() };
        let conditions = Conditions {
            downlink,
            images: &images,
            snr: Decibel(10.0),
            frames,
            perplexity: 3.0,
            key: RngKey::new(1),
        };
        Snapshot::of("a model", &model, &conditions)
    }

    #[test]
    fn every_group_of_every_frame_has_a_place() {
        let snapshot = look("spatial-compact", 3).unwrap();
        let origins: Vec<(u64, usize)> = snapshot.places.iter().map(|(f, g, _)| (*f, *g)).collect();
        assert_eq!(origins, (0..3).flat_map(|f| (0..4).map(move |g| (f, g))).collect::<Vec<_>>());
        assert_eq!(snapshot.cosines.dim(), (4, 4));
        assert!((snapshot.target + 1.0 / 3.0).abs() < 1e-12);
        assert!((-1.0..=1.0).contains(&snapshot.mean_cosine));
        assert_eq!(look("spatial-compact", 3).unwrap().places, snapshot.places);
    }

    #[test]
    fn models_without_common_features_are_refused() {
        assert!(
            look("spatial-compact-private", 3)
                .unwrap_err()
                .to_string()
                .contains("a model: its users have nothing in common")
        );
        assert!(look("spatial-compact", 0).unwrap_err().to_string().contains("at least 1"));
    }
}
