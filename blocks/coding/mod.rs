//! Channel coding of 5G NR, from payload bits to coded bits and back from LLRs.
//!
//! | room | what stands there |
//! |---|---|
//! | [`Crc`] | the six cyclic redundancy checks |
//! | [`ldpc`] | base graphs, lifted codes, encoder, decoders |
//! | [`segmentation`] | transport block to code blocks |
//! | [`rate_match`], [`interleaver`] | which bits of a codeword are sent, and in what order; soft buffers |
//! | [`code_block`] | these for one code block: the plain (k, n) code |
//! | [`scrambler`] | the Gold sequence |
//! | [`transport_block`] | the whole chain, with retransmissions |
//! | [`mcs`] | modulation and coding schemes, sizes of transport blocks |
//!
//! A bit is a byte of 0 or 1. An LLR is ln P(bit = 0) / P(bit = 1): positive means 0.

pub mod code_block;
#[cfg(test)]
mod conformance;
mod crc;
pub mod interleaver;
pub mod ldpc;
pub mod mcs;
pub mod rate_match;
pub mod scrambler;
pub mod segmentation;
pub mod transport_block;

pub use code_block::CodeBlock;
pub use crc::Crc;
pub use transport_block::{Decoded, SoftBlocks, TransportBlock, TransportConfig};
