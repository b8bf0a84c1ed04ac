//! What sender and receiver of a transport block agree on.

use crate::coding::Crc;
use crate::coding::ldpc::BaseGraph;
use crate::coding::mcs::check_scheme;
use crate::coding::scrambler::ScramblingIds;
use crate::coding::segmentation::{MAX_INPUT_LEN, Segmentation};
use crate::{BlockError, Result};

/// Most coded bits of one transmission.
pub const MAX_CODED_LEN: usize = 1 << 26;

/// One transport block on one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct TransportConfig {
    /// Bits of the payload, A; every size of TS 38.214, section 5.1.3.2 is possible (see `mcs`).
    pub payload_len: usize,
    /// Bits of each transmission, G; a multiple of bits per symbol times layers.
    pub coded_len: usize,
    /// Target code rate, above 0 and below 1: it chooses the base graph. The true rate is A / G.
    pub code_rate: f64,
    /// Bits per symbol, Q_m: 1, 2, 4, 6, 8 or 10.
    pub modulation_order: usize,
    /// Layers that carry the codeword: 1 to 4.
    pub num_layers: usize,
    /// Most bits of each codeword that the receiver keeps, N_ref; `None` keeps all.
    pub limited_buffer: Option<usize>,
    /// Identities of the scrambling sequence; `None` does not scramble.
    pub scrambling: Option<ScramblingIds>,
}

impl TransportConfig {
    /// The CRC of the whole block. Source: 3GPP TS 38.212, section 7.2.1.
    pub fn crc(&self) -> Crc {
        if self.payload_len > 3824 { Crc::Crc24A } else { Crc::Crc16 }
    }

    /// The base graph. Source: 3GPP TS 38.212, section 7.2.2.
    pub fn base_graph(&self) -> BaseGraph {
        BaseGraph::choose(self.payload_len, self.code_rate)
    }

    /// Checks everything that can be checked alone and splits the block.
    ///
    /// - errors: the first value that is not possible, with what is
    pub(super) fn segmentation(&self) -> Result<Segmentation> {
        check_scheme(self.modulation_order, self.code_rate, self.num_layers)?;
        let crc_len = self.crc().num_bits();
        if self.payload_len == 0 || self.payload_len > MAX_INPUT_LEN - crc_len {
            let allowed = format!("1 to {}", MAX_INPUT_LEN - crc_len);
            return Err(BlockError::invalid("payload bits", self.payload_len, allowed));
        }
        let segmentation = Segmentation::new(self.base_graph(), self.payload_len + crc_len)?;
        let unit = self.modulation_order * self.num_layers;
        let least = (segmentation.num_blocks() * segmentation.block_len()).next_multiple_of(unit);
        if !self.coded_len.is_multiple_of(unit) || !(least..=MAX_CODED_LEN).contains(&self.coded_len) {
            let allowed = format!(
                "a multiple of {unit} (bits per symbol times layers) from {least} (the {} payload bits with \
                 all their CRC bits) to {MAX_CODED_LEN}",
                self.payload_len
            );
            return Err(BlockError::invalid("coded bits", self.coded_len, allowed));
        }
        Ok(segmentation)
    }

    /// Bits that each code block sends, E_r; they add up to G. Source: 3GPP TS 38.212, section 5.4.2.1.
    pub(super) fn sent_lens(&self, num_blocks: usize) -> Vec<usize> {
        let unit = self.modulation_order * self.num_layers;
        let symbols = self.coded_len / unit;
        let num_short = num_blocks - symbols % num_blocks;
        let len = |block| {
            unit * if block < num_short { symbols / num_blocks } else { symbols.div_ceil(num_blocks) }
        };
        (0..num_blocks).map(len).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> TransportConfig {
        TransportConfig {
            payload_len: 9992,
            coded_len: 20004,
            code_rate: 0.5,
            modulation_order: 4,
            num_layers: 1,
            limited_buffer: None,
            scrambling: None,
        }
    }

    #[test]
    fn lengths_differ_by_one_symbol_of_all_layers_and_add_up() {
        assert_eq!(config().sent_lens(2), [10000, 10004]);
        for (coded_len, num_layers, num_blocks) in
            [(20000, 2, 3), (19992, 3, 7), (20000, 4, 5), (20004, 1, 1)]
        {
            let lens = TransportConfig { coded_len, num_layers, ..config() }.sent_lens(num_blocks);
            assert_eq!(lens.iter().sum::<usize>(), coded_len);
            assert!(lens.is_sorted());
            assert!(lens[num_blocks - 1] - lens[0] <= 4 * num_layers);
            assert!(lens.iter().all(|len| len % (4 * num_layers) == 0));
        }
    }

    #[test]
    fn crc_and_base_graph_follow_the_payload() {
        let of = |payload_len, code_rate| {
            let config = TransportConfig { payload_len, code_rate, ..config() };
            (config.crc(), config.base_graph())
        };
        assert_eq!(of(3824, 0.5), (Crc::Crc16, BaseGraph::Two));
        assert_eq!(of(3832, 0.5), (Crc::Crc24A, BaseGraph::One));
        assert_eq!(of(9992, 0.2), (Crc::Crc24A, BaseGraph::Two));
    }

    #[test]
    fn every_impossible_value_is_refused_with_what_is_possible() {
        let message = |config: TransportConfig| config.segmentation().unwrap_err().to_string();
        assert!(message(TransportConfig { modulation_order: 3, ..config() }).contains("1, 2, 4, 6, 8 or 10"));
        assert!(message(TransportConfig { num_layers: 0, ..config() }).contains("1 to 4"));
        for code_rate in [0.0, 1.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(message(TransportConfig { code_rate, ..config() }).contains("above 0 and below 1"));
        }
        for payload_len in [0, usize::MAX] {
            assert!(message(TransportConfig { payload_len, ..config() }).contains("1 to "));
        }
        assert!(message(TransportConfig { payload_len: 9993, ..config() }).contains("10016 or 10018"));
        for coded_len in [0, 10060, 20006, usize::MAX] {
            let message = message(TransportConfig { coded_len, ..config() });
            assert!(message.contains("a multiple of 4") && message.contains("from 10064"), "{message}");
        }
    }
}
