//! Signal processing kernels of Sememe: plain structs with one method, tested without a runtime.
//!
//! | room | what stands there |
//! |---|---|
//! | [`kernel`] | the traits every block implements |
//! | [`frame`] | what travels between frame blocks |
//! | [`grouping`] | which user belongs to which group |
//! | [`rng`], [`units`], [`error`] | keyed randomness, decibels, one error type |
//! | [`isa`] | instruction sets for vectors, found when the program runs |
//! | [`source`] | image folders, CIFAR-10, procedural scenes |
//! | [`access`] | clustering, mapping of features to symbols, power, multiplexing, channel-use accounting |
//! | [`coding`] | channel coding of 5G NR |
//! | [`picture`] | JPEG and WebP within a given number of bits |
//! | [`modem`] | constellations, soft demapping |
//! | [`framing`] | headers and bursts: what a frame of samples carries |
//! | [`ofdm`] | frames of samples: carriers, preamble, synchronisation |
//! | [`channel`] | fading, noise, imperfect channel knowledge |
//! | [`impairment`] | what radios and the air do to samples |
//! | [`equalizer`] | none, zero forcing, MMSE |
//! | [`baseline`] | training-free codes to compare with |
//! | [`metric`] | image quality, separation of features, counts of errors |
//! | [`theory`] | closed-form error rates, capacities, bounds |
//!
//! Conventions, stated once: SNR is Es/N0 per complex channel use at the receiver, averaged over
//! fading with E|h|^2 = 1 and unit transmit power per transmitted vector; noise is CN(0, 1/SNR),
//! half of it in each real dimension. Channel uses are complex and everything sent is counted.

pub mod access;
pub mod baseline;
pub mod channel;
pub mod coding;
pub mod equalizer;
pub mod error;
pub mod frame;
pub mod framing;
pub mod grouping;
pub mod impairment;
pub mod isa;
pub mod kernel;
pub mod metric;
pub mod modem;
pub mod ofdm;
pub mod picture;
pub mod rng;
pub mod source;
pub mod theory;
pub mod units;

pub use error::{BlockError, Result};
pub use grouping::Grouping;
pub use units::{Decibel, LinearPower};
