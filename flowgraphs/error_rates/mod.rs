//! Error rates of the 5G NR chain by Monte Carlo: what `sememe ber` runs.
//!
//! ```text
//! payload > [CRC] > [LDPC, rate matching] > symbols > fading, noise > LLRs > soft buffer > decoder > counts
//!                    ^---------- next redundancy version, where the receiver refused -----------'
//! ```
//!
//! | file | what stands there |
//! |---|---|
//! | `config`, `words`, `snr_list` | the run as one flat table, and how its values are written |
//! | `setup`, `frame_format` | checks the table and fills in what it leaves open |
//! | `chain`, `frame_decoder` | sends and receives frames, one after another, without a runtime |
//! | `tally`, `point` | counts, and the frames of one SNR on all threads until the stop rule is met |
//! | `results`, `sweep` | the tables, and all SNRs into one folder |
//! | `screen`, `figures` | what is shown |
//!
//! Conventions: Es/N0 is per complex channel use, with noise CN(0, N0). Eb/N0 = Es/N0 / R, where R is the
//! number of information bits per complex channel use of one transmission. BPSK is one bit per complex use;
//! its noise along the diagonal is N0 / 2, so that uncoded BPSK has the textbook error rate
//! Q(sqrt(2 Eb/N0)), and numbers compare directly with simulators that send BPSK over a real channel with
//! sigma^2 = 1 / (2 Es/N0). Every SNR meets the same payloads, fades and noise, the noise scaled.

mod chain;
mod config;
mod figures;
mod frame_decoder;
mod frame_format;
mod point;
mod results;
mod screen;
mod setup;
mod snr_list;
mod sweep;
mod tally;
#[cfg(test)]
mod tests;
mod words;

pub use config::ErrorRateConfig;
pub use results::{Row, Timing};
pub use setup::Setup;
pub use sweep::{Outcome, run};
pub use tally::Tally;
