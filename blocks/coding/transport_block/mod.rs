//! Whole transport blocks: from payload to the bits of a transmission, and back through an LDPC decoder.
//!
//! ```text
//!  payload ─► CRC ─► segmentation ─► per block: CRC, LDPC, rate match, interleaver ─► in a row ─► scrambler
//!  payload ◄─ CRC ◄─ joined blocks ◄─ decoder ◄─ soft buffers, over all transmissions ◄───────── descrambler
//! ```
//!
//! The decoder stands between [`TransportBlock::combine`] and [`TransportBlock::assemble`]; any will do.
//! Source: 3GPP TS 38.212, sections 7.2.1 to 7.2.6; TS 38.211, section 7.3.1.1.

mod config;
#[cfg(test)]
mod fuzz_tests;
mod soft;

pub use config::{MAX_CODED_LEN, TransportConfig};
pub use soft::SoftBlocks;

use super::code_block::CodeBlock;
use super::ldpc::LdpcCode;
use super::scrambler::{descramble_llrs, scramble_bits};
use super::segmentation::Segmentation;
use crate::{BlockError, Result};

/// Sender and receiver of transport blocks of one configuration.
#[derive(Clone, Debug)]
pub struct TransportBlock {
    config: TransportConfig,
    segmentation: Segmentation,
    code_block: CodeBlock,
    /// Bits that each code block sends.
    sent_lens: Vec<usize>,
    seed: Option<u32>,
}

/// A transport block after decoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Bits of the payload, wrong ones among them where the check failed.
    pub payload: Vec<u8>,
    /// Whether the CRC of the whole block and those of all code blocks hold.
    pub passed: bool,
    /// Whether each code block passed: by its own CRC or, where there is only one, by that of the whole.
    pub block_passed: Vec<bool>,
}

impl TransportBlock {
    /// Prepares a configuration.
    ///
    /// - errors: the first value of the configuration that is not possible, with what is
    pub fn new(config: TransportConfig) -> Result<Self> {
        let segmentation = config.segmentation()?;
        let code = LdpcCode::new(segmentation.base_graph(), segmentation.lifting_size())?;
        let (block_len, order) = (segmentation.block_len(), config.modulation_order);
        let code_block = CodeBlock::with_code(&code, block_len, order, config.limited_buffer)?;
        let sent_lens = config.sent_lens(segmentation.num_blocks());
        let seed = config.scrambling.map(|ids| ids.seed()).transpose()?;
        Ok(Self { config, segmentation, code_block, sent_lens, seed })
    }

    /// The configuration.
    pub fn config(&self) -> &TransportConfig {
        &self.config
    }

    /// How the block is split.
    pub fn segmentation(&self) -> &Segmentation {
        &self.segmentation
    }

    /// The LDPC code of every code block.
    pub fn code(&self) -> &LdpcCode {
        self.code_block.code()
    }

    /// Bits that each code block sends, E_r.
    pub fn sent_lens(&self) -> &[usize] {
        &self.sent_lens
    }

    /// The bits of one transmission.
    ///
    /// - payload: bits, A of them
    /// - redundancy_version: 0 to 3; 0 first, 0, 2, 3, 1 in the usual order of retransmissions
    /// - returns: bits, G of them
    /// - errors: another length, a byte that is neither 0 nor 1, a version above 3
    pub fn encode(&mut self, payload: &[u8], redundancy_version: u8) -> Result<Vec<u8>> {
        if payload.len() != self.config.payload_len {
            return Err(BlockError::shape("payload bits", self.config.payload_len, payload.len()));
        }
        let blocks = self.segmentation.split(&self.config.crc().attach(payload)?)?;
        let mut coded = vec![0; self.config.coded_len];
        let mut rest = coded.as_mut_slice();
        for (block, len) in blocks.iter().zip(&self.sent_lens) {
            let (sent, later) = rest.split_at_mut(*len);
            self.code_block.encode(block, redundancy_version, sent)?;
            rest = later;
        }
        if let Some(seed) = self.seed {
            scramble_bits(seed, &mut coded);
        }
        Ok(coded)
    }

    /// Soft buffers before anything is received.
    pub fn soft_blocks(&self) -> SoftBlocks {
        SoftBlocks::repeat(&self.code_block.soft_buffer(), self.segmentation.num_blocks())
    }

    /// Adds one received transmission to the soft buffers.
    ///
    /// - llrs: ln P(bit = 0) / P(bit = 1) of the G transmitted bits; NaN counts as unknown, infinite ones
    ///   saturate
    /// - redundancy_version: the one that was sent
    /// - errors: another number of LLRs, a version above 3, soft buffers of another configuration
    pub fn combine(&self, llrs: &[f32], redundancy_version: u8, soft: &mut SoftBlocks) -> Result<()> {
        if llrs.len() != self.config.coded_len {
            return Err(BlockError::shape("LLRs of a transmission", self.config.coded_len, llrs.len()));
        }
        let expected = (self.segmentation.num_blocks(), self.code().codeword_len());
        if (soft.num_blocks(), soft.block_len()) != expected {
            let found = format!("{} of {}", soft.num_blocks(), soft.block_len());
            return Err(BlockError::shape("soft blocks", format!("{} of {}", expected.0, expected.1), found));
        }
        let mut descrambled;
        let mut rest = llrs;
        if let Some(seed) = self.seed {
            descrambled = llrs.to_vec();
            descramble_llrs(seed, &mut descrambled);
            rest = &descrambled;
        }
        for (soft, len) in soft.blocks_mut().zip(&self.sent_lens) {
            let (now, later) = rest.split_at(*len);
            self.code_block.combine(now, redundancy_version, soft)?;
            rest = later;
        }
        Ok(())
    }

    /// Puts decoded code blocks together and checks them.
    ///
    /// Zeros pass every CRC: blocks for which nothing was received must not be taken for sent ones, which the
    /// outcome of the decoder tells.
    ///
    /// - blocks: decided bits of all code blocks in order; of each the information, filler or more behind it
    ///   or not
    /// - errors: another number of blocks, a block that is too short, a byte that is neither 0 nor 1
    pub fn assemble<B: AsRef<[u8]>>(&self, blocks: &[B]) -> Result<Decoded> {
        let joined = self.segmentation.join(blocks)?;
        let whole = self.config.crc().holds(&joined.bits)?;
        let block_passed = joined.block_passed.unwrap_or_else(|| vec![whole]);
        let mut payload = joined.bits;
        payload.truncate(self.config.payload_len);
        Ok(Decoded { payload, passed: whole && block_passed.iter().all(|passed| *passed), block_passed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::scrambler::ScramblingIds;
    use proptest::prelude::*;

    fn config(payload_len: usize, coded_len: usize) -> TransportConfig {
        TransportConfig {
            payload_len,
            coded_len,
            code_rate: payload_len as f64 / coded_len as f64,
            modulation_order: 4,
            num_layers: 2,
            limited_buffer: None,
            scrambling: Some(ScramblingIds { n_rnti: 1337, codeword: 1, n_id: 42 }),
        }
    }

    fn payload(len: usize) -> Vec<u8> {
        (0..len).map(|i| u8::from(i * i % 13 < 6)).collect()
    }

    /// LLRs of bits received without noise.
    fn llrs(bits: &[u8]) -> Vec<f32> {
        bits.iter().map(|bit| 1.0 - 2.0 * f32::from(*bit)).collect()
    }

    /// Decided information bits of every block, without decoding: enough where the first columns are given.
    fn decide(block: &TransportBlock, soft: &SoftBlocks, truth: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let (never_sent, len) = (2 * block.code().lifting_size(), block.code().information_len());
        soft.blocks()
            .zip(truth)
            .map(|(llrs, truth)| {
                let decided = llrs[never_sent..len].iter().map(|llr| u8::from(*llr < 0.0));
                truth[..never_sent].iter().copied().chain(decided).collect()
            })
            .collect()
    }

    #[test]
    fn without_noise_the_payload_comes_back_over_one_block_and_several() {
        for (payload_len, coded_len) in [(256, 1000), (3824, 8000), (3832, 9000), (20496, 40000)] {
            let mut block = TransportBlock::new(config(payload_len, coded_len)).unwrap();
            let payload = payload(payload_len);
            let sent = block.encode(&payload, 0).unwrap();
            assert_eq!(sent.len(), coded_len);
            let mut soft = block.soft_blocks();
            block.combine(&llrs(&sent), 0, &mut soft).unwrap();
            let truth = block.segmentation.split(&block.config.crc().attach(&payload).unwrap()).unwrap();
            let decoded = block.assemble(&decide(&block, &soft, &truth)).unwrap();
            assert_eq!(decoded.payload, payload);
            assert!(decoded.passed && decoded.block_passed.iter().all(|passed| *passed));
        }
    }

    #[test]
    fn a_wrong_bit_fails_its_block_and_the_whole() {
        for payload_len in [256, 20496] {
            let block = TransportBlock::new(config(payload_len, 2 * payload_len)).unwrap();
            let input = block.config.crc().attach(&payload(payload_len)).unwrap();
            let mut blocks = block.segmentation.split(&input).unwrap();
            blocks[0][9] ^= 1;
            let decoded = block.assemble(&blocks).unwrap();
            assert!(!decoded.passed && !decoded.block_passed[0]);
            assert!(decoded.block_passed[1..].iter().all(|passed| *passed));
        }
    }

    #[test]
    fn retransmissions_combine_in_one_soft_buffer() {
        let mut block = TransportBlock::new(config(3824, 8000)).unwrap();
        let payload = payload(3824);
        let mut soft = block.soft_blocks();
        let known = |soft: &SoftBlocks| soft.as_slice().iter().filter(|llr| **llr != 0.0).count();
        let mut before = known(&soft);
        for version in [0, 2, 3] {
            let sent = block.encode(&payload, version).unwrap();
            block.combine(&llrs(&sent), version, &mut soft).unwrap();
            assert!(known(&soft) > before, "version {version} brings new bits");
            before = known(&soft);
        }
    }

    #[test]
    fn a_limited_buffer_never_sends_what_lies_behind_it() {
        let limit = 6000;
        let mut block =
            TransportBlock::new(TransportConfig { limited_buffer: Some(limit), ..config(3824, 8000) })
                .unwrap();
        let mut soft = block.soft_blocks();
        for version in 0..4 {
            let sent = block.encode(&payload(3824), version).unwrap();
            block.combine(&llrs(&sent), version, &mut soft).unwrap();
        }
        let behind = 2 * block.code().lifting_size() + limit;
        assert!(soft.as_slice()[behind..].iter().all(|llr| *llr == 0.0));
        assert!(soft.as_slice()[behind - 1] != 0.0);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let mut block = TransportBlock::new(config(256, 1000)).unwrap();
        let mut soft = block.soft_blocks();
        assert!(block.encode(&[0; 255], 0).is_err());
        assert!(block.encode(&[0; 256], 4).is_err());
        assert!(block.encode(&[9; 256], 0).is_err());
        assert!(block.combine(&[0.0; 999], 0, &mut soft).is_err());
        let mut other = TransportBlock::new(config(3824, 8000)).unwrap().soft_blocks();
        assert!(block.combine(&[0.0; 1000], 0, &mut other).is_err());
        assert!(block.assemble(&[[0u8; 271]]).is_err());
        let ids = ScramblingIds { n_rnti: 0, codeword: 0, n_id: 1024 };
        let unknown = TransportConfig { scrambling: Some(ids), ..config(256, 1000) };
        assert!(TransportBlock::new(unknown).unwrap_err().to_string().contains("0 to 1023"));
        let small = TransportConfig { limited_buffer: Some(0), ..config(256, 1000) };
        assert!(TransportBlock::new(small).unwrap_err().to_string().contains("at least 1"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn whatever_is_accepted_can_be_sent_and_received(
            (payload_len, coded_len) in (0usize..5000, 0usize..3000),
            (modulation_order, num_layers) in (0usize..12, 0usize..6),
            code_rate in -0.1f64..1.1,
            limited_buffer in proptest::option::of(0usize..3000),
            version in 0u8..5,
        ) {
            let coded_len = coded_len * modulation_order * num_layers;
            let config = TransportConfig {
                modulation_order, num_layers, code_rate, limited_buffer, ..config(payload_len, coded_len)
            };
            let Ok(mut block) = TransportBlock::new(config) else { return Ok(()) };
            let sent = block.encode(&payload(payload_len), version);
            prop_assert_eq!(sent.is_ok(), version < 4);
            let mut soft = block.soft_blocks();
            if let Ok(sent) = sent {
                block.combine(&llrs(&sent), version, &mut soft).unwrap();
                prop_assert!(soft.as_slice().iter().all(|llr| llr.is_finite()));
            }
            let decided = decide(&block, &soft, &vec![vec![0; block.code().information_len()]; 9]);
            prop_assert_eq!(block.assemble(&decided).unwrap().payload.len(), payload_len);
        }
    }
}
