//! What radios and the air do to samples, one effect a block.
//!
//! | block | effect |
//! |---|---|
//! | [`SampleNoise`] | white noise |
//! | [`Multipath`] | echoes of 3GPP TR 38.901, fading by Doppler, Rayleigh or Rician |
//! | [`CarrierOffset`], [`PhaseNoise`] | carriers that differ, oscillators that wander |
//! | [`ClockOffset`] | sample clocks that differ |
//! | [`IqImbalance`], [`DcOffset`] | mixers |
//! | [`PowerAmplifier`] | saturation |
//! | [`Quantizer`] | converters |
//! | [`SampleDrops`] | overflowing buffers |
//!
//! Frequencies are in cycles per sample, times in samples: a sample rate is not needed here. All give the same samples
//! for any chunking, and the random ones depend on seed and receiver alone.

mod carrier_offset;
mod clock_offset;
mod dc_offset;
mod delay_profile;
mod fractional_delay;
mod in_place;
mod iq_imbalance;
mod multipath;
mod oscillator;
mod phase_noise;
mod power_amplifier;
mod quantizer;
mod sample_drops;
mod sample_noise;

pub use carrier_offset::CarrierOffset;
pub use clock_offset::ClockOffset;
pub use dc_offset::DcOffset;
pub use delay_profile::{DelayProfile, Tap};
pub use in_place::InPlace;
pub use iq_imbalance::IqImbalance;
pub use multipath::{Multipath, MultipathConfig};
pub use oscillator::Oscillator;
pub use phase_noise::PhaseNoise;
pub use power_amplifier::PowerAmplifier;
pub use quantizer::Quantizer;
pub use sample_drops::SampleDrops;
pub use sample_noise::SampleNoise;
