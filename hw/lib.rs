//! Radios and recordings: what stands between the sample streams of `sememe-blocks` and the antenna.
//!
//! | room | what stands there |
//! |---|---|
//! | [`radio`] | the traits that all fronts implement, and what they count |
//! | [`settings`] | what a user sets on a radio, and how long it may transmit |
//! | [`error`] | one error type: every failure a sentence that says what to do |
//! | `soapy` | radios through SoapySDR (feature `soapy`); `loopback/` is a driver for machines that have none |
//! | [`sigmf`] | recordings, as a source and as a sink |
//! | `zeromq` | sample streams from and to GNU Radio (feature `zeromq`) |

pub mod error;
pub mod radio;
pub mod settings;
pub mod sigmf;
#[cfg(feature = "soapy")]
pub mod soapy;
#[cfg(feature = "zeromq")]
pub mod zeromq;

pub use error::{HwError, Result};
pub use radio::{Counters, Read, SampleSink, SampleSource};
pub use settings::{BurstSettings, Gain, RadioSettings};
