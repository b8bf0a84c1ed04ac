//! What a receiver knows of a transport block so far.

/// LLRs of the whole codeword of every code block, combined over all transmissions: ln P(bit = 0) / P(bit =
/// 1).
///
/// Bits that were never received are 0, filler bits stand at
/// [`LLR_LIMIT`](crate::coding::rate_match::LLR_LIMIT).
#[derive(Clone, Debug, PartialEq)]
pub struct SoftBlocks {
    llrs: Vec<f32>,
    block_len: usize,
}

impl SoftBlocks {
    /// `num_blocks` times the same block.
    pub(super) fn repeat(block: &[f32], num_blocks: usize) -> Self {
        Self { llrs: block.repeat(num_blocks), block_len: block.len() }
    }

    /// Number of code blocks.
    pub fn num_blocks(&self) -> usize {
        self.llrs.len() / self.block_len
    }

    /// LLRs of one code block: those of its codeword, the bits that are never sent included.
    pub fn block_len(&self) -> usize {
        self.block_len
    }

    /// The code blocks in order.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.llrs.chunks_exact(self.block_len)
    }

    /// The code blocks in order, to be changed.
    pub fn blocks_mut(&mut self) -> impl ExactSizeIterator<Item = &mut [f32]> {
        self.llrs.chunks_exact_mut(self.block_len)
    }

    /// All LLRs, block after block.
    pub fn as_slice(&self) -> &[f32] {
        &self.llrs
    }
}
