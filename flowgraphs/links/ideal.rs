//! The bound of a classical link: the same pictures over a code at the limit of theory. Nothing is simulated.
//!
//! ```text
//! images > picture encoder > ideal code > picture decoder > images
//! ```

use super::Setting;
use super::air::built;
use super::digital::unpack;
use super::run::{Delivered, Link, Reports};
use super::tap::{AirReport, CommonReport, Tap, observe_payloads};
use super::wiring::{Result, Wiring};
use sememe_blocks::Grouping;
use sememe_blocks::channel::PhaseSpan;
use sememe_blocks::coding::{IdealCode, Limit};
use sememe_blocks::frame::{ImageBatch, PayloadFrame};
use sememe_blocks::kernel::FrameSplitter;
use sememe_blocks::picture::{LadderStore, PayloadSize, PictureEncoder};
use std::sync::Arc;

/// The bound of one point: its payload is chosen.
#[derive(Clone)]
pub struct Ideal {
    /// The picture coder, with what is known of the pictures.
    pub ladders: Arc<LadderStore>,
    /// Bits of each block.
    pub payload_bits: usize,
    /// In which phases the symbols of a block lie.
    pub span: PhaseSpan,
    /// Which limit the code reaches.
    pub limit: Limit,
}

impl Link for Ideal {
    fn wire<W: Wiring>(
        &self,
        wiring: &mut W,
        images: W::Port<ImageBatch>,
        setting: &Setting,
    ) -> Result<Delivered<W>> {
        let Setting { key, channel, snr, downlink, .. } = setting;
        let sharers = self.ladders.coder().num_images();
        let code = IdealCode::new(*key, *channel, *snr, self.span, self.limit);
        let code = built("ideal code", code)?;
        let size = PayloadSize::Bits(self.payload_bits);
        let encoder = PictureEncoder::new(Arc::clone(&self.ladders), size);
        let payloads = wiring.then_blocking(images, "picture encoder", encoder)?;
        let (payloads, payload) = wiring.split(payloads, "watch payloads", Tap::new(observe_payloads))?;
        let (payloads, air) =
            wiring.split(payloads, "watch air", CountUses { uses: downlink.uses, sharers })?;
        let (payloads, common) = wiring.split(payloads, "watch groups", Tap::new(observe_no_groups))?;
        let decoded = wiring.then(payloads, "ideal code", code)?;
        let (images, loss) = unpack(wiring, decoded, &self.ladders)?;
        Ok(Delivered { images, reports: Reports { air, common, loss, payload: Some(payload) } })
    }
}

/// Counts the uses that a real link would fill, at unit power.
struct CountUses {
    /// Of each image.
    uses: usize,
    /// Images in a block, which every sharer hears.
    sharers: usize,
}

impl FrameSplitter for CountUses {
    type In = PayloadFrame;
    type First = PayloadFrame;
    type Second = AirReport;

    fn split(&mut self, frame: PayloadFrame) -> sememe_blocks::Result<(PayloadFrame, AirReport)> {
        let uses = self.uses * frame.num_users;
        let (users, heard) = (frame.num_users, uses * self.sharers);
        let air = AirReport { frame: frame.frame, users, uses, heard, energy: uses as f64 };
        Ok((frame, air))
    }
}

fn observe_no_groups(frame: &PayloadFrame) -> CommonReport {
    let grouping = Grouping::singletons(frame.num_users);
    CommonReport { frame: frame.frame, grouping, mean_cosine: None }
}
