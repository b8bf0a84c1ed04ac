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
//! | [`peaks`] | against the peaks of analog symbols: scrambling of signs, clipping |
//! | [`Waveform`] | what of the time and energy carries data |

mod burst;
mod burst_reader;
mod burst_writer;
mod header;
mod header_code;
pub mod peaks;
#[cfg(test)]
mod reader_tests;
mod sample_buffer;
mod waveform;

pub use burst::{Burst, ReceivedBurst, Reception};
pub use burst_reader::{BurstReader, ReaderCounts};
pub use burst_writer::BurstWriter;
pub use header::{Content, Header, HeaderFault};
pub use header_code::HeaderCode;
pub use waveform::Waveform;
