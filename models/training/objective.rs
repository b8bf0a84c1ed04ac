//! One pass of a frame through encoder, groups, channel and decoder, and its loss. Source: paper A, Alg. 2.

use super::config::TrainingConfig;
use super::error::TrainingError;
use crate::losses::RepulsionTerms;
use crate::transceiver::{Downlink, Model, Received, Reception};
use candle_core::Tensor;
use ndarray::ArrayView2;
use rand::RngExt;
use sememe_blocks::access::{Budget, Strategy};
use sememe_blocks::channel::{FadeProcess, FadingModel};
use sememe_blocks::rng::{Purpose, RngKey};
use sememe_blocks::{Decibel, Grouping};

/// What stays the same from step to step.
pub struct Objective {
    downlink: Downlink,
    num_groups: usize,
    clustering: Strategy,
    key: RngKey,
}

/// The channel of one frame.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// Index that keys fades, noise and clustering.
    pub frame: u64,
    /// Fading model; one fade per user and frame.
    pub fading: FadingModel,
    /// Mean SNR.
    pub snr: Decibel,
}

/// What one frame gave.
pub struct Passed {
    /// Images as decoded, not clamped.
    pub decoded: Tensor,
    /// Common features of the groups, `[G, L_c]`.
    pub common: Tensor,
}

/// The loss and its terms as numbers.
pub struct Loss {
    /// What is minimised.
    pub total: Tensor,
    /// Reconstruction term.
    pub reconstruction: f32,
    /// Repulsion term before its weight: euclidean, centre, angular; none without common features.
    pub repulsion: Option<[f32; 3]>,
}

impl Objective {
    /// The objective of a training file, drawing under a key.
    pub fn new(config: &TrainingConfig, budget: &Budget, key: RngKey) -> Self {
        let d = &config.downlink;
        let downlink = Downlink {
            mapping: d.mapping,
            equalizer: d.equalizer,
            punctured_uses: budget.signalling_uses(),
            snr_spread_db: 0.0,
            key,
        };
        Self { downlink, num_groups: d.groups, clustering: d.clustering, key }
    }

    /// The conditions of a training step: SNR even over the range, fadings alike.
    pub fn draw(&self, config: &TrainingConfig, step: u64) -> Conditions {
        let mut rng = self.key.stream(Purpose::TrainingSnr, step, 0);
        let [low, high] = config.channel.snr_db;
        let snr = Decibel(low + (high - low) * rng.random::<f32>());
        let fading = config.channel.fading[rng.random_range(0..config.channel.fading.len())];
        Conditions { frame: step, fading, snr }
    }

    /// Sends images `[K, H, W, 3]` through the whole link.
    pub fn pass(&self, model: &Model, images: &Tensor, at: Conditions) -> Result<Passed, TrainingError> {
        let (users, height, width, _) = images.dims4()?;
        let mean_snr = at.snr.to_linear().0;
        let encoded = model.encode(images, mean_snr)?;
        let grouping = if !model.architecture().shares() {
            Grouping::singletons(users)
        } else {
            let private = encoded.private.detach().flatten_all()?.to_vec1::<f32>()?;
            let rows = ArrayView2::from_shape((users, private.len() / users), &private)
                .map_err(|error| TrainingError::Config(error.to_string()))?;
            let mut rng = self.key.stream(Purpose::Clustering, at.frame, 0);
            Grouping::new(self.clustering.group(rows, self.num_groups, &mut rng)?, self.num_groups)?
        };
        let common = model.common(&encoded.maps, &grouping, mean_snr)?;
        let process = FadeProcess::block(at.fading);
        let Received { private, common: copies, snr, common_snr } =
            self.downlink.send(&encoded.private, &common.vectors, &grouping, process, at.frame, at.snr)?;
        let of_user: Vec<u32> = grouping.as_slice().iter().map(|group| *group as u32).collect();
        let of_user = Tensor::new(of_user.as_slice(), images.device())?;
        let common_scale = match &common.scale {
            Some(scale) => scale.index_select(&of_user, 0)?,
            // Nothing is common, and nobody reads this.
            None => encoded.private.narrow(1, 0, 1)?.detach(),
        };
        let reception = Reception {
            private: &private,
            common: &copies,
            mean_snr,
            snr: &snr,
            common_snr: &common_snr,
            true_scales: encoded.scale.as_ref().map(|scale| [scale, &common_scale]),
        };
        let decoded = model.decode(&reception, (height, width))?;
        Ok(Passed { decoded, common: common.features })
    }

    /// The loss of a frame, eq. 7.
    pub fn loss(
        &self,
        config: &TrainingConfig,
        images: &Tensor,
        passed: &Passed,
    ) -> Result<Loss, TrainingError> {
        let reconstruction = config.loss.reconstruction.loss(images, &passed.decoded)?;
        let number = reconstruction.to_scalar::<f32>()?;
        let repulsion = &config.loss.repulsion;
        if passed.common.dim(1)? == 0 || self.num_groups < 2 || repulsion.weight == 0.0 {
            return Ok(Loss { total: reconstruction, reconstruction: number, repulsion: None });
        }
        let RepulsionTerms { euclidean, center, angular, total } = repulsion.terms(&passed.common)?;
        let terms = [euclidean.to_scalar()?, center.to_scalar()?, angular.to_scalar()?];
        let total = (reconstruction + (total * repulsion.weight)?)?;
        Ok(Loss { total, reconstruction: number, repulsion: Some(terms) })
    }
}
