//! The blocks of the classical chain: one line each. All of one chain are told the same format.

use super::{Entry, NoParams, specimens};
use sememe_blocks::Decibel;
use sememe_blocks::Result;
use sememe_blocks::channel::{ChannelConfig, FadingModel, PhaseSpan};
use sememe_blocks::coding::ldpc::decoder::DecoderConfig;
use sememe_blocks::coding::{
    BlockPlan, ChannelDecoder, ChannelEncoder, CodedModulation, IdealCode, Limit, Recipients, TransportFormat,
};
use sememe_blocks::frame::{
    DecodedFrame, DecodedPayload, LlrFrame, PayloadFrame, ReceivedFrame, SymbolFrame,
};
use sememe_blocks::kernel::{FrameKernel, Tee};
use sememe_blocks::modem::{Demapping, FrameDemapper};
use sememe_blocks::picture::{
    LadderStore, Packing, PayloadSize, PictureCodec, PictureCoder, PictureDecoder, PictureEncoder,
};
use sememe_blocks::rng::RngKey;
use serde::Deserialize;
use std::sync::Arc;

/// What a block holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormatParams {
    /// Complex channel uses of each user's block.
    uses: usize,
    /// Modulation and code rate, such as `qpsk-1/2`.
    mcs: String,
    /// Share of each block's symbols that travels in the common phase.
    #[serde(default)]
    common_share: f64,
}

/// How pictures are compressed, and what their blocks hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EncoderParams {
    codec: PictureCodec,
    #[serde(default = "shared")]
    packing: Packing,
    height: usize,
    width: usize,
    /// Images of a mosaic.
    #[serde(default = "one")]
    users: usize,
    format: FormatParams,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PictureParams {
    codec: PictureCodec,
    #[serde(default = "shared")]
    packing: Packing,
    height: usize,
    width: usize,
    #[serde(default = "one")]
    users: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DemapperParams {
    format: FormatParams,
    #[serde(default = "exact")]
    demapping: Demapping,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DecoderParams {
    format: FormatParams,
    #[serde(default = "twenty")]
    iterations: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdealParams {
    uses: usize,
    snr_db: f32,
    fading: FadingModel,
    #[serde(default)]
    limit: Limit,
    #[serde(default)]
    seed: u64,
}

fn shared() -> Packing {
    Packing::Shared
}

fn one() -> usize {
    1
}

fn exact() -> Demapping {
    Demapping::Exact
}

fn twenty() -> usize {
    DecoderConfig::default().iterations
}

/// Names, summaries, specimens and constructors.
#[rustfmt::skip]
pub(super) fn entries() -> Vec<Entry> {
    vec![
        Entry::frame("picture_encoder", "images to the best JPEG or WebP stream that fits", specimens::images, picture_encoder).example(ENCODER).blocking(),
        Entry::frame("picture_decoder", "decoded payloads to images", decoded, |p: PictureParams| Ok(PictureDecoder::new(Arc::new(coder(&p)?)))).example(PICTURE).blocking(),
        Entry::frame("channel_encoder", "payloads to symbols: CRC, 5G NR LDPC, scrambling, QAM", payloads, |p: FormatParams| Ok(ChannelEncoder::new(plan(&p, Recipients::Each)?))).example(FORMAT).blocking(),
        Entry::frame("soft_demapper", "received symbols to LLRs", heard, |p: DemapperParams| Ok(FrameDemapper::new(plan(&p.format, Recipients::Each)?, p.demapping))).example(IN_FORMAT).blocking(),
        Entry::frame("channel_decoder", "LLRs to payloads: LDPC decoding and CRC", llrs, |p: DecoderParams| ChannelDecoder::new(plan(&p.format, Recipients::Each)?, DecoderConfig { iterations: p.iterations, ..DecoderConfig::default() })).example(IN_FORMAT).blocking(),
        Entry::frame("ideal_code", "payloads through a code at the limit of theory", payloads, |p: IdealParams| IdealCode::new(RngKey::new(p.seed), ChannelConfig::new(p.fading), Decibel(p.snr_db), PhaseSpan::private(p.uses), p.limit)).example(IDEAL),
        Entry::splitter("tee_payloads", "copies payloads to two outputs", payloads, |_: NoParams| Ok(Tee::<PayloadFrame>::new())),
        Entry::splitter("tee_llrs", "copies LLRs to two outputs", llrs, |_: NoParams| Ok(Tee::<LlrFrame>::new())),
    ]
}

const FORMAT: &str = "uses = 512\nmcs = \"16qam-1/2\"";
const IN_FORMAT: &str = "format = { uses = 512, mcs = \"16qam-1/2\" }";
const PICTURE: &str = "codec = \"jpeg\"\nheight = 16\nwidth = 16";
const ENCODER: &str =
    "codec = \"jpeg\"\nheight = 16\nwidth = 16\nformat = { uses = 512, mcs = \"16qam-1/2\" }";
const IDEAL: &str = "uses = 512\nsnr_db = 7.0\nfading = { model = \"rayleigh\" }";

fn format(params: &FormatParams) -> Result<TransportFormat> {
    TransportFormat::new(params.mcs.parse::<CodedModulation>()?, params.uses)
}

fn plan(params: &FormatParams, recipients: Recipients) -> Result<Arc<BlockPlan>> {
    Ok(Arc::new(BlockPlan::fixed(format(params)?, recipients).spanning(params.common_share)?))
}

fn coder(p: &PictureParams) -> Result<PictureCoder> {
    PictureCoder::new(p.codec, p.packing, (p.height, p.width), p.users)
}

fn picture_encoder(p: EncoderParams) -> Result<PictureEncoder> {
    let EncoderParams { codec, packing, height, width, users, format: of_block } = p;
    let coder = coder(&PictureParams { codec, packing, height, width, users })?;
    let payload = format(&of_block)?.payload_len();
    Ok(PictureEncoder::new(Arc::new(LadderStore::new(coder, payload)), PayloadSize::Bits(payload)))
}

/// The specimen images behind the encoder.
fn payloads() -> Vec<PayloadFrame> {
    through(specimens::images(), params::<EncoderParams>(ENCODER).and_then(picture_encoder))
}

/// What users hear of their blocks over a channel of one fade per user.
fn heard() -> Vec<ReceivedFrame> {
    let encoder = params(FORMAT).and_then(|p| Ok(ChannelEncoder::new(plan(&p, Recipients::Each)?)));
    let sent: Vec<SymbolFrame> = through(payloads(), encoder);
    let channel = ChannelConfig::new(FadingModel::Rayleigh);
    let faded = through(sent, channel.fading_kernel(RngKey::new(3)));
    through(faded, channel.noise_kernel(RngKey::new(3), Decibel(12.0)))
}

fn llrs() -> Vec<LlrFrame> {
    let demapper =
        params(FORMAT).and_then(|p| Ok(FrameDemapper::new(plan(&p, Recipients::Each)?, Demapping::Exact)));
    through(heard(), demapper)
}

/// Blocks as they were sent, but for one user of every frame, whose block failed.
fn decoded() -> Vec<DecodedFrame> {
    let decode = |frame: PayloadFrame| {
        let failed = frame.frame as usize % specimens::NUM_USERS;
        let user = |(user, payload): (usize, sememe_blocks::frame::Payload)| DecodedPayload {
            bits: payload.bits,
            passed: user != failed,
        };
        DecodedFrame { frame: frame.frame, users: frame.payloads.into_iter().enumerate().map(user).collect() }
    };
    payloads().into_iter().map(decode).collect()
}

fn params<P: serde::de::DeserializeOwned>(text: &str) -> Result<P> {
    toml::from_str(text).map_err(|error| sememe_blocks::BlockError::Kernel(error.to_string()))
}

fn through<K: FrameKernel>(frames: Vec<K::In>, kernel: Result<K>) -> Vec<K::Out> {
    let mut kernel = kernel.expect("the examples of this file are possible");
    let outputs = frames.into_iter().map(|frame| kernel.process(frame));
    outputs.collect::<Result<_>>().expect("specimens fit the examples of this file")
}
