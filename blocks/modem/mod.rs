//! From bits to symbols and from received symbols to log-likelihood ratios.
//!
//! ```text
//! bits > Modulation::map_into > x > channel > r = h x + n > SoftDemapper > LLRs
//! ```
//!
//! Conventions: a bit is a byte of 0 or 1; symbols have unit mean energy; n ~ CN(0, N0), half of it in each
//! real dimension, so that N0 = 1 / SNR where E|h|^2 = 1. An LLR is ln(P(bit = 0) / P(bit = 1)): positive
//! means 0, zero means nothing is known, and its size never exceeds [`LLR_LIMIT`].

mod blockwise;
mod constellation;
mod frame_demapper;
mod log_map;
mod max_log;
mod rails;
mod soft_demapper;

pub use constellation::Modulation;
pub use frame_demapper::FrameDemapper;
pub use soft_demapper::{Demapping, LLR_LIMIT, SoftDemapper};
