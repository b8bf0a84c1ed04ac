//! One code block on its way: LDPC encoding, rate matching, bit interleaving, and back into a soft buffer.
//!
//! ```text
//!  K' bits ─► filler ─► LDPC encoder ─► rate matching ─► interleaver ─► E bits
//!  soft buffer for the LDPC decoder ◄─ added where they belong ◄─ deinterleaver ◄─ E LLRs
//! ```
//!
//! Alone it is the plain (k, n) code of a link-level simulation: no CRC, no scrambling.
//! Source: 3GPP TS 38.212, sections 5.3.2 and 5.4.2.

use super::interleaver::{check_modulation_order, deinterleave, interleave};
use super::ldpc::{BaseGraph, LdpcCode, LdpcEncoder, lifting};
use super::rate_match::RateMatcher;
use crate::{BlockError, Result};

/// Encodes blocks of one length and collects their LLRs.
#[derive(Clone, Debug)]
pub struct CodeBlock {
    encoder: LdpcEncoder,
    matcher: RateMatcher,
    block_len: usize,
    modulation_order: usize,
    information: Vec<u8>,
    codeword: Vec<u8>,
    selected: Vec<u8>,
}

impl CodeBlock {
    /// A block of its own, with the smallest lifting size that holds it, all parity kept.
    ///
    /// - block_len: bits before coding, k
    /// - modulation_order: bits per symbol for the interleaver; 1 leaves the order of the bits
    /// - errors: a block longer than the base graph takes, or none; bits per symbol that NR does not know
    pub fn new(base_graph: BaseGraph, block_len: usize, modulation_order: usize) -> Result<Self> {
        let columns = lifting::filled_columns(base_graph, block_len);
        let code = LdpcCode::new(base_graph, lifting::smallest_lifting_size(columns, block_len)?)?;
        Self::with_code(&code, block_len, modulation_order, None)
    }

    /// A block of a given code.
    ///
    /// - block_len: bits before filler, K'
    /// - modulation_order: bits per symbol for the interleaver; 1 leaves the order of the bits
    /// - limited_buffer: at most this many bits of the codeword are used, N_ref
    /// - errors: as for [`CodeBlock::new`]; a limited buffer that is too small
    pub fn with_code(
        code: &LdpcCode,
        block_len: usize,
        modulation_order: usize,
        limited_buffer: Option<usize>,
    ) -> Result<Self> {
        let matcher = RateMatcher::new(code, block_len, limited_buffer)?;
        check_modulation_order(modulation_order)?;
        Ok(Self {
            encoder: LdpcEncoder::new(code),
            matcher,
            block_len,
            modulation_order,
            information: vec![0; code.information_len()],
            codeword: vec![0; code.codeword_len()],
            selected: Vec::new(),
        })
    }

    /// The LDPC code.
    pub fn code(&self) -> &LdpcCode {
        self.encoder.code()
    }

    /// The circular buffer.
    pub fn rate_matcher(&self) -> &RateMatcher {
        &self.matcher
    }

    /// Bits before filler, K'.
    pub fn block_len(&self) -> usize {
        self.block_len
    }

    /// Encodes one block into as many bits as `sent` holds.
    ///
    /// - block: K' bits
    /// - redundancy_version: 0 to 3
    /// - errors: another length of the block, a length of `sent` that is no multiple of the bits per symbol,
    ///   a version above 3, a byte that is neither 0 nor 1
    pub fn encode(&mut self, block: &[u8], redundancy_version: u8, sent: &mut [u8]) -> Result<()> {
        if block.len() != self.block_len {
            return Err(BlockError::shape("code block", self.block_len, block.len()));
        }
        // What follows is filler, zero from the beginning.
        self.information[..block.len()].copy_from_slice(block);
        let rows = self.matcher.parity_rows(sent.len(), redundancy_version)?;
        let code = self.encoder.code();
        let len = (code.base_graph().information_columns() + rows) * code.lifting_size();
        self.encoder.encode_rows(&self.information, rows, &mut self.codeword[..len])?;
        self.selected.resize(sent.len(), 0);
        self.matcher.select(&self.codeword[..len], redundancy_version, &mut self.selected)?;
        interleave(&self.selected, self.modulation_order, sent)
    }

    /// A soft buffer before anything is received; see [`RateMatcher::soft_buffer`].
    pub fn soft_buffer(&self) -> Vec<f32> {
        self.matcher.soft_buffer()
    }

    /// Adds received LLRs (ln P(0) / P(1)) to a soft buffer; see [`RateMatcher::combine`].
    ///
    /// - errors: a number of LLRs that is no multiple of the bits per symbol, a version above 3, a soft
    ///   buffer of another length
    pub fn combine(&self, llrs: &[f32], redundancy_version: u8, soft: &mut [f32]) -> Result<()> {
        if self.modulation_order == 1 {
            return self.matcher.combine(llrs, redundancy_version, soft);
        }
        let mut in_order = vec![0.0; llrs.len()];
        deinterleave(llrs, self.modulation_order, &mut in_order)?;
        self.matcher.combine(&in_order, redundancy_version, soft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(len: usize) -> Vec<u8> {
        (0..len).map(|i| u8::from(i * i % 11 < 5)).collect()
    }

    /// LLRs of bits received without noise.
    fn llrs(bits: &[u8]) -> Vec<f32> {
        bits.iter().map(|bit| 1.0 - 2.0 * f32::from(*bit)).collect()
    }

    #[test]
    fn a_short_block_of_an_independent_implementation() {
        // First line of the encoding vectors: k = 64, n = 128, version 0, no interleaver.
        let text = |text: &str| -> Vec<u8> { text.bytes().map(|digit| digit - b'0').collect() };
        let block = text("0110100111000000001100000001011110011100111001100000110111110000");
        let expected = text(
            "0000010111100111001110011000001101111100001101011001010010001110\
             1100001001010001000101111011011111011110100001011111011100111111",
        );
        let mut sent = vec![7; 128];
        CodeBlock::new(BaseGraph::Two, 64, 1).unwrap().encode(&block, 0, &mut sent).unwrap();
        assert_eq!(sent, expected);
    }

    #[test]
    fn llrs_of_every_version_agree_with_the_codeword() {
        for (base_graph, block_len, limit) in
            [(BaseGraph::Two, 100, None), (BaseGraph::One, 700, None), (BaseGraph::One, 700, Some(1300))]
        {
            let code = CodeBlock::new(base_graph, block_len, 6).unwrap().code().clone();
            let mut block = CodeBlock::with_code(&code, block_len, 6, limit).unwrap();
            let mut soft = block.soft_buffer();
            for version in [0, 2, 3, 1] {
                let mut sent = vec![7; 1200];
                block.encode(&bits(block_len), version, &mut sent).unwrap();
                block.combine(&llrs(&sent), version, &mut soft).unwrap();
            }
            let mut information = bits(block_len);
            information.resize(code.information_len(), 0);
            let mut codeword = vec![0; code.codeword_len()];
            LdpcEncoder::new(&code).encode_into(&information, &mut codeword).unwrap();
            let agree =
                soft.iter().zip(&codeword).all(|(llr, bit)| *llr == 0.0 || (*llr < 0.0) == (*bit == 1));
            assert!(agree, "{base_graph:?} {limit:?}");
            assert!(soft[2 * code.lifting_size()..][..600].iter().all(|llr| *llr != 0.0));
        }
    }

    #[test]
    fn a_block_after_another_is_not_touched_by_it() {
        let mut block = CodeBlock::new(BaseGraph::Two, 50, 2).unwrap();
        let (mut first, mut second) = (vec![0; 600], vec![0; 600]);
        block.encode(&bits(50), 1, &mut first).unwrap();
        block.encode(&[1; 50], 0, &mut second).unwrap();
        block.encode(&bits(50), 1, &mut second).unwrap();
        assert_eq!(first, second);
    }

    #[test]
    fn impossible_requests_are_refused() {
        assert!(CodeBlock::new(BaseGraph::Two, 3841, 2).unwrap_err().to_string().contains("at most 3840"));
        assert!(CodeBlock::new(BaseGraph::Two, 0, 2).is_err());
        assert!(CodeBlock::new(BaseGraph::Two, 100, 5).unwrap_err().to_string().contains("1, 2, 4"));
        let mut block = CodeBlock::new(BaseGraph::Two, 10, 4).unwrap();
        assert!(block.encode(&[0; 11], 0, &mut [0; 40]).is_err());
        assert!(block.encode(&[2; 10], 0, &mut [0; 40]).is_err());
        assert!(block.encode(&[0; 10], 4, &mut [0; 40]).is_err());
        assert!(block.encode(&[0; 10], 0, &mut [0; 41]).is_err());
        assert!(block.encode(&[0; 10], 0, &mut []).is_ok());
        let mut soft = block.soft_buffer();
        assert!(block.combine(&[0.0; 7], 0, &mut soft).is_err());
    }
}
