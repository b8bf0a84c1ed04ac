//! Baseline sequential JPEG, encoder and decoder.
//!
//! ```text
//! pixels > analysis (DCT) > quantizer > scan_writer > file_writer
//! pixels < synthesis (inverse DCT) <  < scan_reader < file_reader
//! ```
//!
//! An exact search tries 200 settings per picture, so transform and levels are shared by all of them, and
//! what it reports is read off the very bytes and pixels that sender and receiver make. Source: ITU-T T.81.

mod analysis;
mod dct;
mod file_reader;
mod file_writer;
mod frame;
mod huffman;
mod optimal;
mod quantizer;
mod scan_reader;
mod scan_writer;
mod search;
mod stream;
mod synthesis;

pub(super) use search::search;
pub(super) use stream::{decode, encode};
