//! Bursts that say what they carry: a header that survives 0 dB, and the payload of one slot behind it.
//!
//! ```text
//! burst    preamble | header | payload             one for every slot of a frame
//!                     QPSK     analog features, or the QAM symbols of a transport block
//! ```
//!
//! | file | what stands there |
//! |---|---|
//! | [`Header`] | what a burst says of itself, and which values are possible |
//! | [`HeaderCode`] | its check, code and symbols |
//! | [`Burst`], [`ReceivedBurst`] | what goes into samples and what comes out |
//! | [`BurstWriter`] | bursts to samples |
//! | [`BurstReader`] | samples to bursts, from a cold start |
//! | [`SlotBursts`], [`FrameCollector`] | slots of frames to bursts, and what an [`Audience`] heard of them |
//! | [`FrameModulator`], [`FrameDemodulator`] | both ways for whole frames |
//! | [`SymbolInterleaver`] | spreads payloads over their bursts |
//! | `sample_buffer` | samples that may still be needed |
//! | [`peaks`] | against the peaks of analog symbols: scrambling of signs, clipping |
//! | [`Waveform`] | what of the time and energy carries data |

mod burst;
mod burst_reader;
mod burst_writer;
mod frame_collector;
mod frame_demodulator;
mod frame_modulator;
#[cfg(test)]
mod fuzz_tests;
mod header;
mod header_code;
pub mod peaks;
#[cfg(test)]
mod reader_tests;
mod sample_buffer;
mod slot_bursts;
mod symbol_interleaver;
mod waveform;

pub use burst::{Burst, ReceivedBurst, Reception};
pub use burst_reader::{BurstReader, ReaderCounts};
pub use burst_writer::BurstWriter;
pub use frame_collector::{Audience, CollectorCounts, FrameCollector, SlotLengths};
pub use frame_demodulator::FrameDemodulator;
pub use frame_modulator::FrameModulator;
pub use header::{Content, Header, HeaderFault};
pub use header_code::HeaderCode;
pub use slot_bursts::SlotBursts;
pub use symbol_interleaver::SymbolInterleaver;
pub use waveform::Waveform;
