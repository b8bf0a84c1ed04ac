//! What a decoder is told.

use super::check::LARGEST_MESSAGE;
use super::quantize::STEPS_PER_NAT;
use crate::coding::Crc;
use crate::coding::ldpc::LdpcCode;
use crate::{BlockError, Result};

/// What becomes of the least magnitude that a check node saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Rule {
    /// What sum-product would make of the two smallest magnitudes of the other bits, in straight lines, less a
    /// share for the bits behind them: closest to sum-product.
    #[default]
    Pairwise,
    /// Times this many 128ths, rounded down to steps of 1/4 nat: normalised min-sum.
    Factor(i8),
    /// Less this many steps of 1/4 nat, but not below zero: offset min-sum.
    Offset(i8),
}

/// When a decoder is done before its last iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Stop {
    /// Never: all iterations, for measurements of speed.
    Never,
    /// As soon as all parity checks hold.
    #[default]
    Codeword,
    /// As soon as the leading bits of information, parity included, pass their cyclic redundancy check.
    Crc {
        /// The check.
        crc: Crc,
        /// Number of those bits.
        len: usize,
    },
}

/// The `iterations`, `rule` and `stop` of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecoderConfig {
    /// Iterations at most, from 1 to 1000.
    pub iterations: usize,
    /// What becomes of the least magnitude at a check node.
    pub rule: Rule,
    /// When to stop early.
    pub stop: Stop,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        Self { iterations: 20, rule: Rule::default(), stop: Stop::default() }
    }
}

impl DecoderConfig {
    /// Refuses what no decoder can do.
    pub(super) fn check(&self, code: &LdpcCode, rows: usize) -> Result<()> {
        if !(1..=1000).contains(&self.iterations) {
            return Err(BlockError::invalid("iterations", self.iterations, "1 to 1000"));
        }
        let all = code.base_graph().num_rows();
        if !(4..=all).contains(&rows) {
            return Err(BlockError::invalid(
                "rows",
                rows,
                format!("4 to {all}: rows of the base graph in use"),
            ));
        }
        match self.rule {
            Rule::Factor(..=0) => {
                return Err(BlockError::invalid(
                    "rule",
                    format!("{:?}", self.rule),
                    "factors of 1 to 127 / 128",
                ));
            }
            Rule::Offset(offset) if !(0..=LARGEST_MESSAGE).contains(&offset) => {
                return Err(BlockError::invalid(
                    "rule",
                    format!("{:?}", self.rule),
                    format!("offsets of 0 to {LARGEST_MESSAGE} / {STEPS_PER_NAT} nats"),
                ));
            }
            Rule::Pairwise | Rule::Factor(_) | Rule::Offset(_) => {}
        }
        match self.stop {
            Stop::Crc { crc, len } if len <= crc.num_bits() || len > code.information_len() => {
                let allowed = format!("{} to {} bits", crc.num_bits() + 1, code.information_len());
                Err(BlockError::invalid("stop: length of the checked bits", len, allowed))
            }
            _ => Ok(()),
        }
    }
}
