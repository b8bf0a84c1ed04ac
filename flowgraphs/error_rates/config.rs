//! A run as users describe it: one flat table whose keys are the options of `sememe ber`.

use super::snr_list::SnrList;
use super::words::{
    ChannelKind, CrcChoice, DecoderKind, FadingKind, FrameKind, GraphChoice, RuleChoice, StopKind, as_text,
};
use sememe_blocks::modem::{Demapping, Modulation};
use serde::{Deserialize, Serialize};

/// The format of the table that this program reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// What is measured, and how long.
///
/// Values left out are filled in by [`super::Setup`], which also writes them to the folder of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRateConfig {
    /// Format of the table: 1.
    #[serde(default = "format_version")]
    pub version: u32,
    /// Title of the figures; by default the code and the modulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Payload bits of a frame, without CRC bits.
    pub k: usize,
    /// Bits of one transmission; without a code it is k with its CRC bits, and may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<usize>,
    /// Constellation.
    pub modulation: Modulation,
    /// Es/N0 per complex channel use, in dB; this or `ebn0_db`.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "esn0")]
    pub esn0_db: Option<SnrList>,
    /// Eb/N0 in dB: Es/N0 over the information bits per complex channel use of one transmission.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "ebn0")]
    pub ebn0_db: Option<SnrList>,
    /// Whether payload is one code block or a transport block.
    #[serde(default)]
    pub frame: FrameKind,
    /// Base graph.
    #[serde(default, with = "as_text")]
    pub base_graph: GraphChoice,
    /// CRC behind the payload of a code block; a transport block has that of the standard.
    #[serde(default, with = "as_text")]
    pub crc: CrcChoice,
    /// Whether CRC bits count as information in Eb/N0, rate and goodput.
    #[serde(default)]
    pub count_crc: bool,
    /// Most bits of each codeword that the receiver keeps; all where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limited_buffer: Option<usize>,
    /// Redundancy versions, one after another until the receiver accepts the frame.
    #[serde(default = "one_transmission", alias = "rv")]
    pub redundancy_versions: Vec<u8>,
    /// Fading.
    #[serde(default)]
    pub channel: ChannelKind,
    /// Power of the direct path over that of the others, in dB; for Rician fading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rician_k_db: Option<f64>,
    /// How long a fade lasts.
    #[serde(default)]
    pub fading: FadingKind,
    /// LLRs: exact, but max-log without a code, where its signs are those of the nearest points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demapping: Option<Demapping>,
    /// Decoder.
    #[serde(default)]
    pub decoder: DecoderKind,
    /// Iterations at most.
    #[serde(default = "iterations")]
    pub iterations: usize,
    /// Check rule: pairwise for min-sum, sum-product for belief propagation.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rule_as_text")]
    pub rule: Option<RuleChoice>,
    /// Early end of decoding.
    #[serde(default)]
    pub stop: StopKind,
    /// Frame errors that end a point; 100 where neither this nor `precision` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_errors: Option<u64>,
    /// Frames that end a point.
    #[serde(default = "max_frames")]
    pub max_frames: u64,
    /// Half width of the 95 % interval of the frame error rate over that rate, which ends a point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<f64>,
    /// Goes on behind a point without any frame error.
    #[serde(default)]
    pub all_points: bool,
    /// Seed of payloads, fades and noise.
    #[serde(default)]
    pub seed: u64,
}

fn format_version() -> u32 {
    FORMAT_VERSION
}

fn one_transmission() -> Vec<u8> {
    vec![0]
}

/// Iterations where nothing is said.
pub(super) const DEFAULT_ITERATIONS: usize = 20;

fn iterations() -> usize {
    DEFAULT_ITERATIONS
}

fn max_frames() -> u64 {
    10_000_000
}

/// As [`as_text`], for a rule that may be absent.
mod rule_as_text {
    use super::{RuleChoice, as_text};
    use serde::{Deserializer, Serializer};

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RuleChoice>, D::Error> {
        as_text::deserialize(deserializer).map(Some)
    }

    pub fn serialize<S: Serializer>(rule: &Option<RuleChoice>, serializer: S) -> Result<S::Ok, S::Error> {
        match rule {
            Some(rule) => as_text::serialize(rule, serializer),
            None => serializer.serialize_none(),
        }
    }
}
