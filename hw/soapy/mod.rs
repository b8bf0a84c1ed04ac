//! Radios through the SoapySDR library that is installed: whatever `SoapySDRUtil --find` shows.
//!
//! | file | what stands there |
//! |---|---|
//! | `listing` | what is installed and what is plugged in |
//! | `library` | the few functions of the C library that the `soapysdr` crate does not wrap |
//! | `open` | opens and tunes a device; every failure a sentence that says what to do |
//! | `fault` | error codes of the library as sentences |
//! | `receiver`, `transmitter` | the two fronts |
//! | `sample_clock` | finds gaps from timestamps |
//!
//! One process may hold both a receiver and a transmitter. Open the receiver first: it is active from then on,
//! the transmitter from its first burst, as radios that share a clock or a switch want it. Where the two name one
//! device by one string, SoapySDR gives both the same device, and once it is lost it comes back only when both
//! have noticed. A HackRF is half duplex: transmit and receive from separate processes with separate devices.

mod fault;
mod library;
mod listing;
mod open;
mod receiver;
mod sample_clock;
mod transmitter;

pub use listing::{FoundDevice, Module, devices, drivers, library_version, modules, search_paths};
pub use receiver::SoapyReceiver;
pub use transmitter::SoapyTransmitter;
