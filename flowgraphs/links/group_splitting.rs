//! Group-wise semantic splitting: private features to each user, a common feature to each group.
//!
//! ```text
//! images > semantic encoder > clusterer > common encoder > air > semantic decoder > images
//! ```
//! Without common features this is the private-only link.

use super::Setting;
use super::air::{Lengths, built, send};
use super::run::{Delivered, Link};
use super::wiring::{Result, Wiring};
use sememe_blocks::access::Clusterer;
use sememe_blocks::frame::{EncodedUsers, Features, GroupedUsers, ImageBatch, ReceivedFeatures};
use sememe_blocks::kernel::FrameKernel;

/// The learned kernels of a link, made afresh for every run.
pub trait Networks {
    /// Images to what is known of each user.
    type Encoder: FrameKernel<In = ImageBatch, Out = EncodedUsers>;
    /// Grouped users to features.
    type Common: FrameKernel<In = GroupedUsers, Out = Features>;
    /// Received features to images.
    type Decoder: FrameKernel<In = ReceivedFeatures, Out = ImageBatch>;

    /// The three kernels, told the SNR of the setting.
    fn kernels(
        &self,
        setting: &Setting,
    ) -> sememe_blocks::Result<(Self::Encoder, Self::Common, Self::Decoder)>;
}

/// The link over given networks.
pub struct GroupSplitting<N> {
    /// What is learned.
    pub networks: N,
    /// Lengths of the vectors sent.
    pub lengths: Lengths,
}

impl<N: Networks> Link for GroupSplitting<N> {
    fn wire<W: Wiring>(
        &self,
        wiring: &mut W,
        images: W::Port<ImageBatch>,
        setting: &Setting,
    ) -> Result<Delivered<W>> {
        let (encoder, common_encoder, decoder) = built("networks", self.networks.kernels(setting))?;
        let downlink = &setting.downlink;
        let clusterer = Clusterer::new(downlink.clustering, downlink.users, downlink.groups, setting.key);
        let clusterer = built("clusterer", clusterer)?;
        let encoded = wiring.then_blocking(images, "semantic encoder", encoder)?;
        let grouped = wiring.then_blocking(encoded, "clusterer", clusterer)?;
        let features = wiring.then_blocking(grouped, "common encoder", common_encoder)?;
        let (received, reports) = send(wiring, features, setting, self.lengths)?.parted();
        let images = wiring.then_blocking(received, "semantic decoder", decoder)?;
        Ok(Delivered { images, reports })
    }
}
