//! Channel coding of 5G NR.

mod crc;

pub use crc::Crc;
