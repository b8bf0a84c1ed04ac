//! Layered min-sum decoding on 8-bit LLRs.
//!
//! ```text
//! llrs [rows + information columns, Z] > layer 1 > layer 2 > ... > layer R > all checks? > bits, posterior LLRs
//!                                        ^------------ next iteration -----------' no
//! ```
//! Each layer is one row of the base graph: its Z checks share no bit, so they are updated together.
//! Source: Chen et al. (2005), "Reduced-complexity decoding of LDPC codes"; layers: Hocevar (2004).

mod aligned;
pub mod batch;
pub mod bytes;
mod check;
pub mod schedule;
pub mod single;

pub use check::{Correction, Rule};
