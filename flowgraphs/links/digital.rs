//! The classical link: every user its own compressed picture behind the 5G NR coding chain.
//!
//! ```text
//! images > picture encoder > channel encoder > fading > awgn > csi error > soft demapper > channel decoder
//!                |                 |                                                            |
//!              unfit          uses, energy                         images < picture decoder <---+
//!                                                                     lost <-------+
//! ```
//!
//! No equaliser: the demapper takes h and noise as they are, see [`FrameDemapper`]. Fades and noise are those
//! of every other link of the experiment.

use super::Setting;
use super::air::{built, pass};
use super::ends::{Arrived, Ends};
use super::run::{Delivered, Link, Reports};
use super::tap::{
    AirReport, CommonReport, LossReport, Tap, observe_air, observe_no_groups, observe_payloads,
};
use super::wiring::{Result, Wiring};
use sememe_blocks::coding::ldpc::decoder::DecoderConfig;
use sememe_blocks::coding::{BlockPlan, ChannelDecoder, ChannelEncoder};
use sememe_blocks::frame::{
    DecodedFrame, ImageBatch, PayloadFrame, ReceivedFrame, ReceivedPictures, SymbolFrame,
};
use sememe_blocks::kernel::FrameSplitter;
use sememe_blocks::modem::{Demapping, FrameDemapper};
use sememe_blocks::picture::{LadderStore, PayloadSize, PictureDecoder, PictureEncoder};
use std::sync::Arc;

/// How receivers work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Receiver {
    /// How LLRs are computed.
    pub demapping: Demapping,
    /// Iterations of the LDPC decoder at most.
    pub iterations: usize,
}

impl Default for Receiver {
    fn default() -> Self {
        Self { demapping: Demapping::Exact, iterations: DecoderConfig::default().iterations }
    }
}

/// The link of one point: its formats are chosen.
#[derive(Clone)]
pub struct Digital {
    /// The picture coder, with what is known of the pictures.
    pub ladders: Arc<LadderStore>,
    /// The format of every block.
    pub plan: Arc<BlockPlan>,
    /// How receivers work.
    pub receiver: Receiver,
}

/// Decoded blocks and what was seen on their way.
pub(super) struct Carried<W: Wiring> {
    pub decoded: W::Port<DecodedFrame>,
    pub air: W::Port<AirReport>,
    pub common: W::Port<CommonReport>,
}

/// Sends payloads through coder, channel and decoder.
///
/// - errors: parameters that a block refuses, under the block's name; a profile that coded links do not have
pub(super) fn carry<W: Wiring>(
    wiring: &mut W,
    payloads: W::Port<PayloadFrame>,
    plan: &Arc<BlockPlan>,
    receiver: Receiver,
    setting: &Setting,
) -> Result<Carried<W>> {
    built("channel", setting.channel.check_coded())?;
    let symbols = wiring.then_blocking(payloads, "channel encoder", ChannelEncoder::new(Arc::clone(plan)))?;
    let (symbols, air) = wiring.split(symbols, "watch air", Tap::new(observe_air))?;
    let (symbols, common) = wiring.split(symbols, "watch groups", Tap::new(observe_no_groups))?;
    let received = pass(wiring, symbols, setting)?;
    Ok(Carried { decoded: decode(wiring, received, plan, receiver)?, air, common })
}

/// What was heard to decoded blocks.
fn decode<W: Wiring>(
    wiring: &mut W,
    received: W::Port<ReceivedFrame>,
    plan: &Arc<BlockPlan>,
    receiver: Receiver,
) -> Result<W::Port<DecodedFrame>> {
    let config = DecoderConfig { iterations: receiver.iterations, ..DecoderConfig::default() };
    let decoder = built("channel decoder", ChannelDecoder::new(Arc::clone(plan), config))?;
    let demapper = FrameDemapper::new(Arc::clone(plan), receiver.demapping);
    let llrs = wiring.then_blocking(received, "soft demapper", demapper)?;
    wiring.then_blocking(llrs, "channel decoder", decoder)
}

impl Link for Digital {
    fn wire<W: Wiring>(
        &self,
        wiring: &mut W,
        images: W::Port<ImageBatch>,
        setting: &Setting,
    ) -> Result<Delivered<W>> {
        let size = PayloadSize::Planned(Arc::clone(&self.plan));
        let encoder = PictureEncoder::new(Arc::clone(&self.ladders), size);
        let payloads = wiring.then_blocking(images, "picture encoder", encoder)?;
        let (payloads, payload) = wiring.split(payloads, "watch payloads", Tap::new(observe_payloads))?;
        let Carried { decoded, air, common } = carry(wiring, payloads, &self.plan, self.receiver, setting)?;
        let (images, loss) = unpack(wiring, decoded, &self.ladders)?;
        Ok(Delivered { images, reports: Reports { air, common, loss, payload: Some(payload) } })
    }
}

impl Ends for Digital {
    fn to_symbols<W: Wiring>(
        &self,
        wiring: &mut W,
        images: W::Port<ImageBatch>,
        _: &Setting,
    ) -> Result<W::Port<SymbolFrame>> {
        let size = PayloadSize::Planned(Arc::clone(&self.plan));
        let encoder = PictureEncoder::new(Arc::clone(&self.ladders), size);
        let payloads = wiring.then_blocking(images, "picture encoder", encoder)?;
        wiring.then_blocking(payloads, "channel encoder", ChannelEncoder::new(Arc::clone(&self.plan)))
    }

    fn to_images<W: Wiring>(
        &self,
        wiring: &mut W,
        received: W::Port<ReceivedFrame>,
        _: &Setting,
    ) -> Result<Arrived<W>> {
        let decoded = decode(wiring, received, &self.plan, self.receiver)?;
        let (images, loss) = unpack(wiring, decoded, &self.ladders)?;
        Ok(Arrived { images, loss })
    }
}

/// The pictures in decoded blocks, and who has none.
#[allow(clippy::type_complexity, reason = "a name for the pair would hide that it is one")]
pub(super) fn unpack<W: Wiring>(
    wiring: &mut W,
    decoded: W::Port<DecodedFrame>,
    ladders: &LadderStore,
) -> Result<(W::Port<ImageBatch>, W::Port<LossReport>)> {
    let decoder = PictureDecoder::new(Arc::new(ladders.coder().clone()));
    let pictures = wiring.then_blocking(decoded, "picture decoder", decoder)?;
    wiring.split(pictures, "watch losses", PartLosses)
}

/// Parts images from the marks of what was lost.
struct PartLosses;

impl FrameSplitter for PartLosses {
    type In = ReceivedPictures;
    type First = ImageBatch;
    type Second = LossReport;

    fn split(&mut self, pictures: ReceivedPictures) -> sememe_blocks::Result<(ImageBatch, LossReport)> {
        let ReceivedPictures { images, lost } = pictures;
        let report = LossReport { frame: images.frame, lost };
        Ok((images, report))
    }
}
