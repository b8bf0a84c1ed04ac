//! The blocks that do to samples what radios and the air do: one line each.

use super::{Entry, specimens};
use num_complex::Complex32;
use sememe_blocks::impairment::{
    CarrierOffset, ClockOffset, DcOffset, IqImbalance, Multipath, MultipathConfig, PhaseNoise,
    PowerAmplifier, Quantizer, SampleDrops, SampleNoise,
};
use sememe_blocks::rng::RngKey;
use serde::Deserialize;

/// Whose randomness it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoiseParams {
    /// Per complex sample.
    variance: f32,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    receiver: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MultipathParams {
    #[serde(default)]
    paths: MultipathConfig,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    receiver: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CarrierParams {
    /// Cycles per sample.
    frequency: f64,
    /// Turns.
    #[serde(default)]
    phase: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockParams {
    /// Rate of the receiver's clock over that of the transmitter, less one.
    offset: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhaseNoiseParams {
    /// Cycles per sample.
    linewidth: f64,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    receiver: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IqParams {
    #[serde(default)]
    gain_db: f32,
    #[serde(default)]
    phase_rad: f32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DcParams {
    /// I and Q.
    offset: [f32; 2],
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AmplifierParams {
    saturation: f32,
    #[serde(default = "two")]
    smoothness: f32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuantizerParams {
    bits: u32,
    #[serde(default = "one")]
    full_scale: f32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DropsParams {
    share: f64,
    /// Mean length of a gap in samples.
    run: f64,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    receiver: usize,
}

fn one() -> f32 {
    1.0
}

fn two() -> f32 {
    2.0
}

/// Names, summaries, specimens and constructors.
#[rustfmt::skip]
pub(super) fn entries() -> Vec<Entry> {
    let any = (1, 1);
    vec![
        Entry::stream("sample_noise", "white noise on samples", specimens::samples, any, |p: NoiseParams| SampleNoise::new(RngKey::new(p.seed), p.receiver, p.variance)).example("variance = 0.1"),
        Entry::stream("multipath", "fading echoes: flat, or tdl-a to tdl-e of TR 38.901", specimens::samples, any, |p: MultipathParams| Multipath::new(RngKey::new(p.seed), p.receiver, p.paths)).example("paths = { profile = \"tdl-c\", delay_spread = 3.0, doppler = 1e-4 }"),
        Entry::stream("carrier_offset", "turns samples by a constant frequency", specimens::samples, any, |p: CarrierParams| CarrierOffset::new(p.frequency, p.phase)).example("frequency = 0.0123"),
        Entry::stream("clock_offset", "samples taken by a clock that is off", specimens::samples, any, |p: ClockParams| ClockOffset::new(p.offset)).example("offset = 40e-6"),
        Entry::stream("phase_noise", "an oscillator whose phase walks", specimens::samples, any, |p: PhaseNoiseParams| PhaseNoise::new(RngKey::new(p.seed), p.receiver, p.linewidth)).example("linewidth = 1e-4"),
        Entry::stream("iq_imbalance", "branches of a mixer that differ", specimens::samples, any, |p: IqParams| IqImbalance::new(p.gain_db, p.phase_rad)).example("gain_db = 0.5\nphase_rad = 0.02"),
        Entry::stream("dc_offset", "a constant on every sample", specimens::samples, any, |p: DcParams| DcOffset::new(Complex32::new(p.offset[0], p.offset[1]))).example("offset = [0.01, -0.02]"),
        Entry::stream("power_amplifier", "Rapp's saturation", specimens::samples, any, |p: AmplifierParams| PowerAmplifier::new(p.saturation, p.smoothness)).example("saturation = 1.5"),
        Entry::stream("quantizer", "a converter of so many bits", specimens::samples, any, |p: QuantizerParams| Quantizer::new(p.bits, p.full_scale)).example("bits = 8"),
        Entry::stream("sample_drops", "loses runs of samples", specimens::samples, any, |p: DropsParams| SampleDrops::new(RngKey::new(p.seed), p.receiver, p.share, p.run)).example("share = 0.01\nrun = 20.0"),
    ]
}
