//! All that a link is told about one point of an experiment.

use super::{Downlink, StopRule};
use ndarray::Array3;
use sememe_blocks::channel::ChannelConfig;
use sememe_blocks::rng::RngKey;
use sememe_blocks::source::{BatchSource, ImageSet};
use sememe_blocks::{Decibel, Result};
use sememe_models::perceptual::Lpips;
use std::sync::Arc;

/// One point: the downlink, the channel, and the SNR on it.
#[derive(Clone, Debug)]
pub struct Setting {
    /// All randomness of the experiment.
    pub key: RngKey,
    /// Users, groups, channel uses and the choices on the way.
    pub downlink: Downlink,
    /// Everything about the channel but its mean SNR.
    pub channel: ChannelConfig,
    /// Mean SNR of the channel; with a profile, its label.
    pub snr: Decibel,
    /// Mean SNR that encoder and decoder are told; with a profile they are told labels.
    pub told_snr: Decibel,
    /// Height and width of the images.
    pub size: (usize, usize),
}

/// What is measured beside the error.
#[derive(Clone, Debug)]
pub struct Scoring {
    /// Whether structural similarity is measured.
    pub ms_ssim: bool,
    /// Measures the perceptual distance, where it is wanted.
    pub lpips: Option<Arc<Lpips>>,
    /// When a point is known well enough; without it all images are sent.
    pub stop: Option<StopRule>,
    /// So many frames keep their received images.
    pub kept_frames: u64,
    /// What stands in for a lost image, `[H, W, 3]`.
    pub mean_image: Arc<Array3<u8>>,
}

/// The images that a link sends: every link of an experiment the same.
pub struct Images {
    /// The collection.
    pub set: Arc<dyn ImageSet>,
    /// Number of the first image.
    pub first: usize,
    /// At most this many.
    pub limit: Option<usize>,
}

impl Images {
    /// The pictures that the first images sent were cut from, by number from the first image on.
    pub fn pictures(&self, count: usize) -> Vec<usize> {
        let picture = |image| self.set.picture_of(image);
        let first = if count > 0 { picture(self.first) } else { 0 };
        (self.first..self.first + count).map(|image| picture(image).saturating_sub(first)).collect()
    }

    /// A fresh walk in frames of K users.
    pub fn frames(&self, users: usize) -> Result<BatchSource> {
        BatchSource::new(Arc::clone(&self.set), users, self.first, self.limit)
    }
}
