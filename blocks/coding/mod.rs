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
//! | [`CodedModulation`], [`TransportFormat`], [`BlockPlan`] | what a block of N channel uses holds, and who sends which |
//! | [`ChannelEncoder`], [`ChannelDecoder`] | the chain as kernels: payloads to symbols, LLRs to payloads |
//! | [`IdealCode`] | a code at the limit of theory in place of the chain |
//!
//! A bit is a byte of 0 or 1. An LLR is ln P(bit = 0) / P(bit = 1): positive means 0.

mod block_plan;
mod channel_decoder;
mod channel_encoder;
pub mod code_block;
mod coded_modulation;
#[cfg(test)]
mod conformance;
mod crc;
mod ideal_code;
pub mod interleaver;
pub mod ldpc;
pub mod mcs;
pub mod rate_match;
pub mod scrambler;
pub mod segmentation;
pub mod transport_block;
mod transport_format;

pub use block_plan::{BlockPlan, FadeTable, Promises, Recipients};
pub use channel_decoder::ChannelDecoder;
pub use channel_encoder::ChannelEncoder;
pub use code_block::CodeBlock;
pub use coded_modulation::CodedModulation;
pub use crc::Crc;
pub use ideal_code::{IdealCode, Limit};
pub use transport_block::{Decoded, SoftBlocks, TransportBlock, TransportConfig};
pub use transport_format::{MAX_USES, TransportFormat};
