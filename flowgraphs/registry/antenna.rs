//! The blocks between frames and samples: one line each.

use super::{Entry, specimens};
use sememe_blocks::Result;
use sememe_blocks::coding::CodedModulation;
use sememe_blocks::framing::peaks::Clipper;
use sememe_blocks::framing::{
    Audience, BurstReader, BurstWriter, Content, FrameCollector, FrameDemodulator, FrameModulator, SlotBursts,
};
use sememe_blocks::ofdm::{Numerology, ResourceGrid};
use serde::Deserialize;

/// What both ends agree on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModulatorParams {
    /// `narrow`, `wlan` or `wide`.
    numerology: String,
    /// A scheme of coded payloads; absent: analog features.
    mcs: Option<String>,
    #[serde(default)]
    model: u32,
    /// Over the mean power.
    clip_db: Option<Clipper>,
    /// Samples of silence behind each burst.
    #[serde(default)]
    gap: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DemodulatorParams {
    numerology: String,
    mcs: Option<String>,
    #[serde(default)]
    model: u32,
    users: usize,
    /// Only what this user hears; absent: every user.
    user: Option<usize>,
    /// Largest carrier offset in cycles per sample.
    #[serde(default)]
    most_offset: f64,
}

fn content(mcs: Option<String>) -> Result<Content> {
    mcs.map_or(Ok(Content::Analog), |mcs| mcs.parse::<CodedModulation>().map(Content::Coded))
}

fn grid(numerology: &str) -> Result<ResourceGrid> {
    ResourceGrid::new(numerology.parse::<Numerology>()?)
}

fn modulator(p: ModulatorParams) -> Result<FrameModulator> {
    let writer = BurstWriter::new(&grid(&p.numerology)?, p.clip_db)?;
    Ok(FrameModulator::new(SlotBursts::new(content(p.mcs)?, p.model), writer, p.gap))
}

fn demodulator(p: DemodulatorParams) -> Result<FrameDemodulator> {
    let reader = BurstReader::new(&grid(&p.numerology)?, p.most_offset)?;
    let audience = p.user.map_or(Audience::All, Audience::One);
    Ok(FrameDemodulator::new(reader, FrameCollector::new(audience, content(p.mcs)?, p.model, p.users)))
}

/// Names, summaries, specimens and constructors.
#[rustfmt::skip]
pub(super) fn entries() -> Vec<Entry> {
    vec![
        Entry::modulator("ofdm_modulator", "slots to bursts of OFDM samples, with preamble and header", specimens::symbols, modulator).example("numerology = \"narrow\"\ngap = 100"),
        Entry::demodulator("ofdm_demodulator", "finds bursts in samples, and what each user heard of a frame", specimens::bursts, demodulator).example("numerology = \"narrow\"\nusers = 3\nmost_offset = 0.01"),
    ]
}
