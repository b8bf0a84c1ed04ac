//! Rate matching of one code block: which bits of a codeword are sent, and where their LLRs belong.
//!
//! ```text
//!  codeword   | 2 Z never sent | information | filler | parity                      |
//!  buffer                      | information   ------ | parity        |  cut off by a limited buffer
//!                               ^ version 0      ^ 1       ^ 2      ^ 3   and round again
//! ```
//!
//! Source: 3GPP TS 38.212, section 5.4.2.1.

use super::ldpc::{BaseGraph, LdpcCode};
use crate::{BlockError, Result};
use std::ops::Range;

/// The LLR of filler bits in a soft buffer, which both sides know.
pub const KNOWN_LLR: f32 = 1e6;

/// Largest magnitude of what is received, where infinite LLRs and sums saturate: no channel makes a bit known.
pub const LLR_LIMIT: f32 = 1e5;

/// Bits of a limited buffer, N_ref, for the largest transport block a receiver must keep, in `num_blocks`
/// code blocks: the buffer holds it at rate 2/3. Source: section 5.4.2.1, R_LBRM.
pub fn limited_buffer_len(largest_payload_len: usize, num_blocks: usize) -> usize {
    largest_payload_len.saturating_mul(3) / num_blocks.saturating_mul(2).max(1)
}

/// The circular buffer of one code block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateMatcher {
    base_graph: BaseGraph,
    lifting_size: usize,
    /// Filler bits, as positions in the buffer.
    filler: Range<usize>,
    buffer_len: usize,
}

impl RateMatcher {
    /// Describes the buffer of blocks of one code.
    ///
    /// - block_len: bits of a block before filler, K'; from 1 to [`LdpcCode::information_len`]
    /// - limited_buffer: at most this many bits are kept, N_ref; `None` keeps all
    /// - errors: another block length; a limited buffer that holds no bit that can be sent
    pub fn new(code: &LdpcCode, block_len: usize, limited_buffer: Option<usize>) -> Result<Self> {
        let size = code.lifting_size();
        if block_len == 0 || block_len > code.information_len() {
            let allowed = format!("1 to {} bits", code.information_len());
            return Err(BlockError::invalid("code block length", block_len, allowed));
        }
        let never_sent = 2 * size;
        let filler = block_len.saturating_sub(never_sent)..code.information_len() - never_sent;
        let whole = code.codeword_len() - never_sent;
        let least = if filler.start > 0 { 1 } else { filler.end + 1 };
        let buffer_len = limited_buffer.map_or(whole, |limit| limit.min(whole));
        if buffer_len < least {
            let allowed = format!("at least {least} bits, or no limit");
            return Err(BlockError::invalid("limited buffer", buffer_len, allowed));
        }
        Ok(Self { base_graph: code.base_graph(), lifting_size: size, filler, buffer_len })
    }

    /// Bits of the circular buffer, N_cb, filler included.
    pub fn buffer_len(&self) -> usize {
        self.buffer_len
    }

    /// Where a redundancy version begins in the buffer, k_0. Source: table 5.4.2.1-2.
    ///
    /// - errors: a version above 3
    pub fn start(&self, redundancy_version: u8) -> Result<usize> {
        let (numerators, columns) = match self.base_graph {
            BaseGraph::One => ([0, 17, 33, 56], 66),
            BaseGraph::Two => ([0, 13, 25, 43], 50),
        };
        let numerator: usize = *numerators
            .get(usize::from(redundancy_version))
            .ok_or_else(|| BlockError::invalid("redundancy version", redundancy_version, "0, 1, 2 or 3"))?;
        Ok(numerator * self.buffer_len / (columns * self.lifting_size) * self.lifting_size)
    }

    /// Rows of parity an encoder must give so that `len` bits of a redundancy version can be selected; at
    /// least 4.
    ///
    /// - errors: a version above 3
    pub fn parity_rows(&self, len: usize, redundancy_version: u8) -> Result<usize> {
        let spans = self.spans(self.start(redundancy_version)?, len);
        let columns = spans.map(|span| span.end.div_ceil(self.lifting_size)).max().unwrap_or(0);
        Ok(columns.saturating_sub(self.base_graph.information_columns()).max(4))
    }

    /// Selects as many bits as `selected` holds, in the order of sending, before interleaving.
    ///
    /// - codeword: bits; its beginning, with [`RateMatcher::parity_rows`], is enough
    /// - errors: a version above 3; a codeword that is too short
    pub fn select(&self, codeword: &[u8], redundancy_version: u8, selected: &mut [u8]) -> Result<()> {
        let mut rest = selected;
        for span in self.spans(self.start(redundancy_version)?, rest.len()) {
            let bits = codeword.get(span.clone()).ok_or_else(|| {
                BlockError::shape("codeword", format!("at least {}", span.end), codeword.len())
            })?;
            let (now, later) = rest.split_at_mut(bits.len());
            now.copy_from_slice(bits);
            rest = later;
        }
        Ok(())
    }

    /// A soft buffer before anything is received: LLRs of the whole codeword, filler certain, the rest
    /// unknown.
    pub fn soft_buffer(&self) -> Vec<f32> {
        let mut soft = vec![0.0; self.codeword_len()];
        let never_sent = 2 * self.lifting_size;
        soft[self.filler.start + never_sent..self.filler.end + never_sent].fill(KNOWN_LLR);
        soft
    }

    /// Adds received LLRs, in the order of [`RateMatcher::select`], to a soft buffer: repeated bits and
    /// further redundancy versions combine. NaN counts as unknown, infinite ones and sums saturate at
    /// [`LLR_LIMIT`].
    ///
    /// - soft: LLRs of the whole codeword, from [`RateMatcher::soft_buffer`]
    /// - errors: a version above 3; a soft buffer of another length
    pub fn combine(&self, llrs: &[f32], redundancy_version: u8, soft: &mut [f32]) -> Result<()> {
        if soft.len() != self.codeword_len() {
            return Err(BlockError::shape("soft buffer", self.codeword_len(), soft.len()));
        }
        let mut rest = llrs;
        for span in self.spans(self.start(redundancy_version)?, llrs.len()) {
            let (now, later) = rest.split_at(span.len());
            for (sum, llr) in soft[span].iter_mut().zip(now) {
                let known = if llr.is_nan() { 0.0 } else { llr.clamp(-LLR_LIMIT, LLR_LIMIT) };
                *sum = (*sum + known).clamp(-LLR_LIMIT, LLR_LIMIT);
            }
            rest = later;
        }
        Ok(())
    }

    fn codeword_len(&self) -> usize {
        self.base_graph.num_columns() * self.lifting_size
    }

    /// Contiguous parts of the codeword that make up `len` bits from `start` of the buffer on.
    fn spans(&self, start: usize, len: usize) -> impl Iterator<Item = Range<usize>> {
        let (mut position, mut left) = (start, len);
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            if self.filler.contains(&position) {
                position = self.filler.end;
            }
            if position >= self.buffer_len {
                // A buffer that begins with filler goes on behind it; `new` leaves a bit there.
                position = if self.filler.start == 0 { self.filler.end } else { 0 };
            }
            let end = if position < self.filler.start { self.filler.start } else { self.buffer_len };
            let span = position..end.min(self.buffer_len).min(position + left);
            position = span.end;
            left -= span.len();
            Some(span.start + 2 * self.lifting_size..span.end + 2 * self.lifting_size)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Positions of the codeword that are sent, bit by bit as the standard writes it.
    fn one_by_one(matcher: &RateMatcher, redundancy_version: u8, len: usize) -> Vec<usize> {
        let start = matcher.start(redundancy_version).unwrap();
        (start..)
            .map(|position| position % matcher.buffer_len)
            .filter(|position| !matcher.filler.contains(position))
            .map(|position| position + 2 * matcher.lifting_size)
            .take(len)
            .collect()
    }

    fn matchers() -> Vec<(LdpcCode, RateMatcher)> {
        let mut all = Vec::new();
        for (base_graph, size, block_len, limit) in [
            (BaseGraph::One, 8, 176, None),
            (BaseGraph::One, 8, 150, None),
            (BaseGraph::One, 16, 300, Some(600)),
            (BaseGraph::Two, 8, 48, None),
            (BaseGraph::Two, 9, 80, Some(77)),
            (BaseGraph::Two, 2, 1, None),
            (BaseGraph::Two, 2, 4, Some(17)),
            (BaseGraph::Two, 2, 5, Some(1)),
        ] {
            let code = LdpcCode::new(base_graph, size).unwrap();
            let matcher = RateMatcher::new(&code, block_len, limit).unwrap();
            all.push((code, matcher));
        }
        all
    }

    #[test]
    fn selection_equals_the_walk_bit_by_bit() {
        for (code, matcher) in matchers() {
            for (version, len) in (0..4).flat_map(|version| [0, 1, 40, 333, 2000].map(|len| (version, len))) {
                let positions = one_by_one(&matcher, version, len);
                let codeword: Vec<u8> = (0..code.codeword_len()).map(|i| (i * 37 % 251) as u8).collect();
                let mut selected = vec![0; len];
                matcher.select(&codeword, version, &mut selected).unwrap();
                assert!(selected.iter().zip(&positions).all(|(bit, i)| *bit == codeword[*i]));
                // No column beyond the stated rows is touched.
                let rows = matcher.parity_rows(len, version).unwrap();
                let needed = (code.base_graph().information_columns() + rows) * code.lifting_size();
                assert!(positions.iter().all(|i| *i < needed));
                assert!(needed <= code.codeword_len());
                matcher.select(&codeword[..needed], version, &mut selected).unwrap();
            }
        }
    }

    #[test]
    fn llrs_of_all_versions_add_up_where_their_bits_came_from() {
        for (code, matcher) in matchers() {
            let mut soft = matcher.soft_buffer();
            let mut expected = soft.clone();
            assert_eq!(soft.len(), code.codeword_len());
            for version in [0, 2, 3, 1] {
                let llrs: Vec<f32> = (0..500).map(|i| (i % 17) as f32 - 8.0).collect();
                matcher.combine(&llrs, version, &mut soft).unwrap();
                for (position, llr) in one_by_one(&matcher, version, llrs.len()).into_iter().zip(&llrs) {
                    expected[position] += llr;
                }
            }
            assert_eq!(soft, expected);
        }
    }

    #[test]
    fn versions_begin_where_the_table_says() {
        let code = LdpcCode::new(BaseGraph::One, 384).unwrap();
        let whole = RateMatcher::new(&code, 8448, None).unwrap();
        assert_eq!([0, 1, 2, 3].map(|version| whole.start(version).unwrap()), [0, 6528, 12672, 21504]);
        // A limited buffer of 40 columns: floor(17 x 40 / 66) = 10, floor(33 x 40 / 66) = 20, 33.
        let limited = RateMatcher::new(&code, 8448, Some(40 * 384)).unwrap();
        assert_eq!([0, 1, 2, 3].map(|version| limited.start(version).unwrap() / 384), [0, 10, 20, 33]);
        let code = LdpcCode::new(BaseGraph::Two, 10).unwrap();
        let whole = RateMatcher::new(&code, 100, None).unwrap();
        assert_eq!([0, 1, 2, 3].map(|version| whole.start(version).unwrap()), [0, 130, 250, 430]);
        assert!(whole.start(4).unwrap_err().to_string().contains("0, 1, 2 or 3"));
    }

    #[test]
    fn nan_is_an_erasure_and_infinity_saturates() {
        let code = LdpcCode::new(BaseGraph::Two, 2).unwrap();
        let matcher = RateMatcher::new(&code, 20, None).unwrap();
        let mut soft = matcher.soft_buffer();
        matcher.combine(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX], 0, &mut soft).unwrap();
        assert_eq!(soft[4..8], [0.0, LLR_LIMIT, -LLR_LIMIT, LLR_LIMIT]);
        matcher.combine(&[1.0, f32::INFINITY, f32::INFINITY, -1.0], 0, &mut soft).unwrap();
        assert_eq!(soft[4..8], [1.0, LLR_LIMIT, 0.0, LLR_LIMIT - 1.0]);
    }

    #[test]
    fn impossible_buffers_are_refused() {
        let code = LdpcCode::new(BaseGraph::Two, 2).unwrap();
        let message = |len, limit| RateMatcher::new(&code, len, limit).unwrap_err().to_string();
        assert!(message(0, None).contains("1 to 20"));
        assert!(message(21, None).contains("1 to 20"));
        assert!(message(4, Some(16)).contains("at least 17"));
        assert!(message(20, Some(0)).contains("at least 1 "));
        let matcher = RateMatcher::new(&code, 20, None).unwrap();
        assert!(matcher.select(&[0; 20], 0, &mut [0; 17]).is_err());
        assert!(matcher.combine(&[1.0], 0, &mut [0.0; 103]).is_err());
        assert_eq!(limited_buffer_len(1000, 3), 500);
        assert_eq!(limited_buffer_len(usize::MAX, 0), usize::MAX);
    }
}
