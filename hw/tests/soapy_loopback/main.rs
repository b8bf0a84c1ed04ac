//! The whole radio path through the real SoapySDR library, over the loopback driver of `hw/loopback`.
#![cfg(feature = "soapy")]

mod bursts;
mod channel;
mod faults;
mod gaps;
mod processes;
mod rig;
mod sentences;
