//! LDPC codes of 5G NR. Source: 3GPP TS 38.212, section 5.3.2.

mod base_graph;
pub mod belief_propagation;
mod code;
pub mod decoder;
mod encoder;
pub mod lifting;
mod shifts;

pub use base_graph::BaseGraph;
pub use code::{Entry, LdpcCode};
pub use encoder::LdpcEncoder;
