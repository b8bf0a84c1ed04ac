//! Segmentation of a transport block into code blocks of equal length, each with a CRC where there are several.
//!
//! ```text
//!  transport block with its CRC, B bits
//!  | part 0 | part 1 | ... | part C-1 |
//!  | part 0 | CRC24B | filler | ...         K' bits with the CRC, K bits with filler
//! ```
//!
//! Source: 3GPP TS 38.212, section 5.2.2.

use super::Crc;
use super::ldpc::{BaseGraph, lifting};
use crate::{BlockError, Result};

/// Longest transport block, its CRC included, that this crate takes; NR itself stays below a tenth of it.
pub const MAX_INPUT_LEN: usize = 1 << 24;

/// How a transport block is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segmentation {
    base_graph: BaseGraph,
    input_len: usize,
    num_blocks: usize,
    lifting_size: usize,
}

/// What a receiver puts together from decoded code blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The transport block with its CRC, errors and all.
    pub bits: Vec<u8>,
    /// Whether the CRC of each code block holds; `None` where there is only one block, which has none.
    pub block_passed: Option<Vec<bool>>,
}

impl Segmentation {
    /// Splits `input_len` bits: a transport block with its CRC.
    ///
    /// - errors: a length of 0, above [`MAX_INPUT_LEN`], or one that does not split into equal parts; the
    ///   sizes that TS 38.214, section 5.1.3.2 gives always do
    pub fn new(base_graph: BaseGraph, input_len: usize) -> Result<Self> {
        if !(1..=MAX_INPUT_LEN).contains(&input_len) {
            let allowed = format!("1 to {MAX_INPUT_LEN} bits");
            return Err(BlockError::invalid("transport block length with CRC", input_len, allowed));
        }
        if !splits_evenly(base_graph, input_len) {
            let below = (1..input_len).rev().find(|len| splits_evenly(base_graph, *len)).unwrap_or(1);
            let above = (input_len..).find(|len| splits_evenly(base_graph, *len)).unwrap_or(MAX_INPUT_LEN);
            let allowed = format!("a length that splits into equal code blocks, such as {below} or {above}");
            return Err(BlockError::invalid("transport block length with CRC", input_len, allowed));
        }
        let num_blocks = num_blocks(base_graph, input_len);
        let mut split = Self { base_graph, input_len, num_blocks, lifting_size: 0 };
        let columns = lifting::filled_columns(base_graph, input_len);
        split.lifting_size = lifting::smallest_lifting_size(columns, split.block_len())?;
        Ok(split)
    }

    /// The base graph.
    pub fn base_graph(&self) -> BaseGraph {
        self.base_graph
    }

    /// Code blocks, C.
    pub fn num_blocks(&self) -> usize {
        self.num_blocks
    }

    /// Bits of a code block with its CRC, before filler, K'.
    pub fn block_len(&self) -> usize {
        self.part_len() + self.crc_len()
    }

    /// Lanes of the LDPC code, Z_c.
    pub fn lifting_size(&self) -> usize {
        self.lifting_size
    }

    /// Filler bits of each code block, K - K'.
    pub fn filler_len(&self) -> usize {
        self.base_graph.information_columns() * self.lifting_size - self.block_len()
    }

    /// The code blocks of a transport block: K' bits each, filler not among them.
    ///
    /// - input: bits of the transport block with its CRC
    /// - errors: another length; a byte that is neither 0 nor 1
    pub fn split(&self, input: &[u8]) -> Result<Vec<Vec<u8>>> {
        if input.len() != self.input_len {
            return Err(BlockError::shape("transport block with CRC", self.input_len, input.len()));
        }
        let parts = input.chunks_exact(self.part_len());
        match self.num_blocks {
            1 => Ok(parts.map(<[u8]>::to_vec).collect()),
            _ => parts.map(|part| Crc::Crc24B.attach(part)).collect(),
        }
    }

    /// Undoes [`Segmentation::split`] and checks the CRC of each block.
    ///
    /// - blocks: bits of all blocks in order, at least K' of each; what follows in a block (filler) is left
    ///   out
    /// - errors: another number of blocks, a block that is too short, or a byte that is neither 0 nor 1
    pub fn join<B: AsRef<[u8]>>(&self, blocks: &[B]) -> Result<Joined> {
        if blocks.len() != self.num_blocks {
            return Err(BlockError::shape("code blocks", self.num_blocks, blocks.len()));
        }
        let mut bits = Vec::with_capacity(self.input_len);
        let mut passed = Vec::with_capacity(blocks.len());
        for block in blocks.iter().map(AsRef::as_ref) {
            let block = block.get(..self.block_len()).ok_or_else(|| {
                BlockError::shape("code block", format!("at least {}", self.block_len()), block.len())
            })?;
            passed.push(Crc::Crc24B.holds(block)?);
            bits.extend_from_slice(&block[..self.part_len()]);
        }
        Ok(Joined { bits, block_passed: (self.num_blocks > 1).then_some(passed) })
    }

    fn part_len(&self) -> usize {
        self.input_len / self.num_blocks
    }

    fn crc_len(&self) -> usize {
        if self.num_blocks > 1 { Crc::Crc24B.num_bits() } else { 0 }
    }
}

fn num_blocks(base_graph: BaseGraph, input_len: usize) -> usize {
    if input_len <= base_graph.max_block_len() {
        1
    } else {
        input_len.div_ceil(base_graph.max_block_len() - Crc::Crc24B.num_bits())
    }
}

fn splits_evenly(base_graph: BaseGraph, input_len: usize) -> bool {
    input_len.is_multiple_of(num_blocks(base_graph, input_len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(len: usize) -> Vec<u8> {
        (0..len).map(|i| u8::from(i * i % 7 < 3)).collect()
    }

    #[test]
    fn numbers_are_those_worked_out_by_hand() {
        // (B, base graph) -> C, K', Z_c.
        for (base_graph, input_len, expected) in [
            (BaseGraph::Two, 40, (1, 40, 7)),
            (BaseGraph::Two, 640, (1, 640, 72)),
            (BaseGraph::Two, 641, (1, 641, 72)),
            (BaseGraph::Two, 3840, (1, 3840, 384)),
            (BaseGraph::Two, 3842, (2, 1945, 208)),
            (BaseGraph::One, 8448, (1, 8448, 384)),
            (BaseGraph::One, 8450, (2, 4249, 208)),
            (BaseGraph::One, 94272, (12, 7880, 384)),
        ] {
            let split = Segmentation::new(base_graph, input_len).unwrap();
            assert_eq!((split.num_blocks(), split.block_len(), split.lifting_size()), expected);
            let information = base_graph.information_columns() * split.lifting_size();
            assert_eq!(split.filler_len(), information - split.block_len());
        }
    }

    #[test]
    fn blocks_join_to_what_was_split() {
        for (base_graph, input_len) in
            [(BaseGraph::Two, 100), (BaseGraph::Two, 7632), (BaseGraph::One, 16848)]
        {
            let split = Segmentation::new(base_graph, input_len).unwrap();
            let blocks = split.split(&bits(input_len)).unwrap();
            assert!(blocks.iter().all(|block| block.len() == split.block_len()));
            let joined = split.join(&blocks).unwrap();
            assert_eq!(joined.bits, bits(input_len));
            assert_eq!(joined.block_passed, (split.num_blocks() > 1).then(|| vec![true; split.num_blocks()]));
        }
    }

    #[test]
    fn filler_is_left_out_and_a_wrong_block_is_named() {
        let split = Segmentation::new(BaseGraph::Two, 7632).unwrap();
        let mut blocks = split.split(&bits(7632)).unwrap();
        blocks.iter_mut().for_each(|block| block.resize(3840, 0));
        blocks[1][17] ^= 1;
        let joined = split.join(&blocks).unwrap();
        assert_eq!(joined.block_passed, Some(vec![true, false]));
        assert_eq!(joined.bits.iter().zip(bits(7632)).filter(|(a, b)| *a != b).count(), 1);
    }

    #[test]
    fn impossible_lengths_are_refused_with_the_nearest_that_work() {
        let message = |len| Segmentation::new(BaseGraph::One, len).unwrap_err().to_string();
        assert!(message(8449).contains("such as 8448 or 8450"));
        assert!(message(0).contains("1 to"));
        assert!(message(MAX_INPUT_LEN + 1).contains("1 to"));
        let split = Segmentation::new(BaseGraph::One, 8450).unwrap();
        assert!(split.split(&[0; 8449]).is_err());
        assert!(split.join(&[[0u8; 4249]]).is_err());
        assert!(split.join(&[[0u8; 4248], [0; 4248]]).is_err());
        assert!(split.join(&[[2u8; 4249], [0; 4249]]).is_err());
    }
}
