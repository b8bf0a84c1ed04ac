//! Group-wise semantic splitting: private features to each user, a common feature to each group.
//!
//! ```text
//! images > semantic encoder > clusterer > common encoder > air > semantic decoder > images
//! ```
//! Without common features this is the private-only link.

use super::Setting;
use super::air::{Lengths, built, emit, land, send};
use super::ends::{Arrived, Ends};
use super::run::{Delivered, Link};
use super::wiring::{Result, Wiring};
use sememe_blocks::access::Clusterer;
use sememe_blocks::frame::{
    EncodedUsers, Features, GroupedUsers, ImageBatch, ReceivedFeatures, ReceivedFrame, SymbolFrame,
};
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

impl<N: Networks> GroupSplitting<N> {
    /// Images to features, and the decoder for the other end.
    #[allow(clippy::type_complexity, reason = "a name for the pair would hide that it is one")]
    fn features<W: Wiring>(
        &self,
        wiring: &mut W,
        images: W::Port<ImageBatch>,
        setting: &Setting,
    ) -> Result<(W::Port<Features>, N::Decoder)> {
        let (encoder, common_encoder, decoder) = built("networks", self.networks.kernels(setting))?;
        let downlink = &setting.downlink;
        let clusterer = Clusterer::new(downlink.clustering, downlink.users, downlink.groups, setting.key);
        let clusterer = built("clusterer", clusterer)?;
        let encoded = wiring.then_blocking(images, "semantic encoder", encoder)?;
        let grouped = wiring.then_blocking(encoded, "clusterer", clusterer)?;
        Ok((wiring.then_blocking(grouped, "common encoder", common_encoder)?, decoder))
    }
}

impl<N: Networks> Link for GroupSplitting<N> {
    fn wire<W: Wiring>(
        &self,
        wiring: &mut W,
        images: W::Port<ImageBatch>,
        setting: &Setting,
    ) -> Result<Delivered<W>> {
        let (features, decoder) = self.features(wiring, images, setting)?;
        let (received, reports) = send(wiring, features, setting, self.lengths)?.parted();
        let images = wiring.then_blocking(received, "semantic decoder", decoder)?;
        Ok(Delivered { images, reports })
    }
}

impl<N: Networks> Ends for GroupSplitting<N> {
    fn to_symbols<W: Wiring>(
        &self,
        wiring: &mut W,
        images: W::Port<ImageBatch>,
        setting: &Setting,
    ) -> Result<W::Port<SymbolFrame>> {
        let (features, _) = self.features(wiring, images, setting)?;
        emit(wiring, features, setting, self.lengths)
    }

    fn to_images<W: Wiring>(
        &self,
        wiring: &mut W,
        received: W::Port<ReceivedFrame>,
        setting: &Setting,
    ) -> Result<Arrived<W>> {
        let (_, _, decoder) = built("networks", self.networks.kernels(setting))?;
        let (features, loss) = land(wiring, received, setting, self.lengths)?;
        Ok(Arrived { images: wiring.then_blocking(features, "semantic decoder", decoder)?, loss })
    }
}
