//! What one transport block of a number of channel uses holds under a modulation and a code rate.

use super::ldpc::LdpcCode;
use super::rate_match::RateMatcher;
use super::scrambler::ScramblingIds;
use super::segmentation::MAX_INPUT_LEN;
use super::{CodedModulation, TransportBlock, TransportConfig};
use crate::channel::PartSnr;
use crate::frame::Destination;
use crate::theory::effective_snr_db;
use crate::{BlockError, Decibel, Result};

/// Most channel uses of one block: the coded bits of 1024-QAM still fit a transport block.
pub const MAX_USES: usize = 6 << 20;

/// A transport block that fills N channel uses, every CRC bit among them.
///
/// - coded bits: G = N Q_m, all sent
/// - payload bits: the largest multiple of 8 up to R G that leaves room for the CRC bits and splits into
///   equal code blocks. So A / G is at most the code rate R, as where 3GPP TS 38.214, section 5.1.3.2,
///   counts N R Q_m information bits without CRC
#[derive(Clone, Debug)]
pub struct TransportFormat {
    scheme: CodedModulation,
    uses: usize,
    block: TransportBlock,
}

impl TransportFormat {
    /// The format of a scheme over `uses` complex channel uses.
    ///
    /// - errors: no use, more than 6 million, or so few that not one byte fits
    pub fn new(scheme: CodedModulation, uses: usize) -> Result<Self> {
        if !(1..=MAX_USES).contains(&uses) {
            return Err(BlockError::invalid("uses of a block", uses, format!("1 to {MAX_USES}")));
        }
        let modulation_order = scheme.modulation().bits_per_symbol();
        let coded_len = uses * modulation_order;
        // Less than the coded bits, which are counted in usize.
        let most = ((coded_len as f64 * scheme.code_rate()) as usize).min(MAX_INPUT_LEN) / 8;
        let fits = |bytes: usize| {
            let config = TransportConfig {
                payload_len: 8 * bytes,
                coded_len,
                code_rate: scheme.code_rate(),
                modulation_order,
                num_layers: 1,
                limited_buffer: None,
                scrambling: None,
            };
            TransportBlock::new(config).ok()
        };
        match (1..=most).rev().find_map(fits) {
            Some(block) => Ok(Self { scheme, uses, block }),
            None => {
                let allowed =
                    format!("so many that {scheme} carries a byte and its CRC: 24 coded bits or more");
                Err(BlockError::invalid("uses of a block", uses, allowed))
            }
        }
    }

    /// The SNR over white noise at which the block arrives as often as over what it meets under block fading.
    ///
    /// - one part: its own SNR; more: the effective SNR of [`effective_snr_db`]
    pub fn effective_snr(&self, parts: &[PartSnr]) -> Decibel {
        match parts {
            [part] => part.decibel(),
            parts => {
                let parts: Vec<_> = parts.iter().map(|part| (part.linear(), part.uses as f64)).collect();
                Decibel(effective_snr_db(self.scheme.modulation(), &parts) as f32)
            }
        }
    }

    /// Modulation and code rate.
    pub fn scheme(&self) -> CodedModulation {
        self.scheme
    }

    /// Complex channel uses, N.
    pub fn uses(&self) -> usize {
        self.uses
    }

    /// Payload bits, A: what is left for a picture.
    pub fn payload_len(&self) -> usize {
        self.block.config().payload_len
    }

    /// Bits sent, G.
    pub fn coded_len(&self) -> usize {
        self.block.config().coded_len
    }

    /// The block, which does not scramble: users differ in their sequences, see `scrambling_seed`.
    pub fn block(&self) -> &TransportBlock {
        &self.block
    }

    /// The LDPC code of every code block.
    pub fn code(&self) -> &LdpcCode {
        self.block.code()
    }

    /// Rows of the base graph that carry information on what is sent.
    pub fn parity_rows(&self) -> Result<usize> {
        let matcher = RateMatcher::new(self.code(), self.block.segmentation().block_len(), None)?;
        let longest = self.block.sent_lens().iter().copied().max().unwrap_or(0);
        matcher.parity_rows(longest, 0)
    }
}

/// Start of the scrambling sequence of a block: each user its own identity, everyone the last.
pub fn scrambling_seed(destination: Destination) -> Result<u32> {
    let n_rnti = match destination {
        Destination::User(index) | Destination::Group(index) => (index % 0xFFFE + 1) as u16,
        Destination::All => u16::MAX,
    };
    ScramblingIds { n_rnti, codeword: 0, n_id: 0 }.seed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(name: &str, uses: usize) -> Result<TransportFormat> {
        TransportFormat::new(name.parse().unwrap(), uses)
    }

    #[test]
    fn payload_and_uses_of_known_formats() {
        for (name, uses, payload, blocks) in [
            // 1024 of 2048 coded bits.
            ("qpsk-1/2", 1024, 1024, 1),
            // 204.8 down to 200.
            ("bpsk-1/5", 1024, 200, 1),
            // 1512 bits.
            ("16qam-378/1024", 1024, 1512, 1),
            // 7584, in one block of base graph 1.
            ("256qam-948/1024", 1024, 7584, 1),
            // 24 bits would fill 24 coded bits without room for the CRC.
            ("qpsk-99/100", 20, 24, 1),
        ] {
            let format = format(name, uses).unwrap();
            assert_eq!(format.payload_len(), payload, "{name}");
            assert_eq!(format.coded_len(), uses * format.scheme().modulation().bits_per_symbol());
            assert_eq!(format.block().segmentation().num_blocks(), blocks);
        }
    }

    #[test]
    fn long_blocks_split_evenly_and_stay_below_the_rate() {
        for scheme in CodedModulation::grid() {
            for uses in [64, 1000, 1024, 4096, 51_200] {
                let Ok(format) = TransportFormat::new(scheme, uses) else { continue };
                let allowed = format.coded_len() as f64 * scheme.code_rate();
                let payload = format.payload_len() as f64;
                assert!(payload <= allowed && payload > allowed - 400.0, "{scheme} {uses}");
                assert!(payload.rem_euclid(8.0) == 0.0);
                assert!(format.parity_rows().unwrap() >= 4);
            }
        }
    }

    #[test]
    fn too_few_uses_are_refused() {
        assert!(format("qpsk-1/2", 0).is_err());
        assert!(format("qpsk-1/2", usize::MAX).is_err());
        assert!(format("qpsk-1/2", 7).unwrap_err().to_string().contains("24 coded bits"));
        assert_eq!(format("qpsk-1/2", 12).unwrap().payload_len(), 8);
    }

    #[test]
    fn users_have_sequences_of_their_own() {
        let seed = |destination| scrambling_seed(destination).unwrap();
        assert_ne!(seed(Destination::User(0)), seed(Destination::User(1)));
        assert_ne!(seed(Destination::User(65_533)), seed(Destination::All));
        assert_eq!(seed(Destination::User(0)), 1 << 15);
    }
}
