//! The header's way to symbols and back: CRC-24A, an LDPC code of low rate, QPSK over whole symbols.
//!
//! ```text
//! 160 bits > CRC-24A > 184 bits > LDPC, base graph 2 > at least 768 bits > Gold sequence > QPSK
//! ```
//! At most a rate of 0.24, two and a half times what QPSK carries at 0 dB.

use super::{Header, HeaderFault};
use crate::Result;
use crate::coding::Crc;
use crate::coding::code_block::CodeBlock;
use crate::coding::ldpc::BaseGraph;
use crate::coding::ldpc::decoder::{DecoderConfig, LdpcDecoder, Stop};
use crate::coding::scrambler::{descramble_llrs, scramble_bits};
use crate::modem::{Demapping, Modulation, SoftDemapper};
use crate::ofdm::ResourceGrid;
use num_complex::Complex32;

/// QPSK symbols of a header at least.
const LEAST_VALUES: usize = 384;
/// Start of the sequence that whitens a header.
const SEED: u32 = 0x0048_4452;
/// Iterations of the decoder at most.
const ITERATIONS: usize = 50;

/// Encodes and decodes headers of one grid.
#[derive(Clone, Debug)]
pub struct HeaderCode {
    block: CodeBlock,
    decoder: LdpcDecoder,
    demapper: SoftDemapper,
    num_symbols: usize,
    num_values: usize,
    information: Vec<u8>,
}

impl HeaderCode {
    /// The code of a grid: as many whole symbols as hold the header.
    pub fn new(grid: &ResourceGrid) -> Result<Self> {
        let num_symbols = LEAST_VALUES.div_ceil(grid.data().len());
        let num_values = num_symbols * grid.data().len();
        let len = Header::BITS + Crc::Crc24A.num_bits();
        let block = CodeBlock::new(BaseGraph::Two, len, 2)?;
        let rows = block.rate_matcher().parity_rows(2 * num_values, 0)?;
        let stop = Stop::Crc { crc: Crc::Crc24A, len };
        let config = DecoderConfig { iterations: ITERATIONS, stop, ..DecoderConfig::default() };
        let decoder = LdpcDecoder::new(block.code(), rows, config)?;
        let information = vec![0; decoder.information_len()];
        let demapper = SoftDemapper::new(Modulation::Qpsk, Demapping::Exact);
        Ok(Self { block, decoder, demapper, num_symbols, num_values, information })
    }

    /// OFDM symbols of a header.
    pub fn num_symbols(&self) -> usize {
        self.num_symbols
    }

    /// Channel uses of a header: all data carriers of its symbols.
    pub fn num_values(&self) -> usize {
        self.num_values
    }

    /// The QPSK symbols of a header, `[num_values]`.
    ///
    /// - errors: fields out of range
    pub fn encode(&mut self, header: &Header) -> Result<Vec<Complex32>> {
        self.encode_bits(&header.to_bits()?)
    }

    fn encode_bits(&mut self, fields: &[u8]) -> Result<Vec<Complex32>> {
        let mut coded = vec![0; 2 * self.num_values];
        self.block.encode(&Crc::Crc24A.attach(fields)?, 0, &mut coded)?;
        scramble_bits(SEED, &mut coded);
        Modulation::Qpsk.map(&coded)
    }

    /// The header in received symbols r = h x + n.
    ///
    /// - received, csi: `[num_values]`; noise: variance of n
    /// - most: the longest payload that is possible, in symbols
    /// - returns: the header, or why there is none
    /// - errors: other lengths
    pub fn decode(
        &mut self,
        received: &[Complex32],
        csi: &[Complex32],
        noise: f32,
        most: usize,
    ) -> Result<Result<Header, HeaderFault>> {
        if received.len() != self.num_values {
            let (expected, found) = (self.num_values, received.len());
            return Err(crate::BlockError::shape("symbols of a header", expected, found));
        }
        let mut llrs = self.demapper.demap(received, csi, &[noise])?;
        descramble_llrs(SEED, &mut llrs);
        let mut soft = self.block.soft_buffer();
        self.block.combine(&llrs, 0, &mut soft)?;
        let outcome = self.decoder.decode(&soft, &mut self.information)?;
        let checked = &self.information[..self.block.block_len()];
        // Words of erasures are decoded to zeros, which pass.
        if !outcome.decided || !Crc::Crc24A.holds(checked)? {
            return Ok(Err(HeaderFault::Check));
        }
        Ok(Header::from_bits(&checked[..Header::BITS], most))
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::tests::header;
    use super::*;
    use crate::ofdm::Numerology;
    use crate::rng::{Purpose, RngKey, complex_normal};

    fn codes() -> impl Iterator<Item = (&'static str, HeaderCode)> {
        Numerology::PRESETS.into_iter().map(|(name, numerology)| {
            (name, HeaderCode::new(&ResourceGrid::new(numerology).unwrap()).unwrap())
        })
    }

    fn decode(code: &mut HeaderCode, received: &[Complex32], noise: f32) -> Result<Header, HeaderFault> {
        let csi = vec![Complex32::ONE; received.len()];
        code.decode(received, &csi, noise, 1 << 20).unwrap()
    }

    #[test]
    fn headers_come_back_and_have_the_lengths_of_the_presets() {
        let lens: Vec<(usize, usize)> =
            codes().map(|(_, code)| (code.num_symbols(), code.num_values())).collect();
        assert_eq!(lens, [(12, 384), (9, 387), (1, 770)]);
        for (name, mut code) in codes() {
            let sent = code.encode(&header()).unwrap();
            assert!(sent.iter().all(|value| (value.norm() - 1.0).abs() < 1e-6));
            assert_eq!(decode(&mut code, &sent, 0.1), Ok(header()), "{name}");
            assert!(code.decode(&sent[1..], &sent[1..], 0.1, 1000).is_err());
        }
    }

    /// With a perfectly known channel; `ofdm_link` in `benches` measures it behind the whole receiver.
    #[test]
    fn at_0_db_and_below_headers_pass() {
        for (name, mut code) in codes() {
            for (snr_db, trials) in [(0.0f32, 1000), (-1.5, 300)] {
                let noise = 10f32.powf(-snr_db / 10.0);
                let sent = code.encode(&header()).unwrap();
                let mut lost = 0;
                for trial in 0..trials {
                    let mut rng = RngKey::new(61).stream(Purpose::NoisePrivate, 0, trial);
                    let added = complex_normal(&mut rng, noise, sent.len());
                    let received: Vec<Complex32> = sent.iter().zip(&added).map(|(x, n)| x + n).collect();
                    lost += u64::from(decode(&mut code, &received, noise) != Ok(header()));
                }
                // None of 1,000 bounds the rate to 3.7e-3 with 97.5 % confidence; at -1.5 dB the margin is gone.
                let most = if snr_db == 0.0 { 0 } else { trials as u64 / 10 };
                assert!(lost <= most, "{name} at {snr_db} dB: {lost} of {trials}");
            }
        }
    }

    #[test]
    fn noise_zeros_and_other_versions_are_no_headers() {
        for (name, mut code) in codes() {
            let len = code.num_values();
            for trial in 0..200 {
                let mut rng = RngKey::new(62).stream(Purpose::NoisePrivate, 0, trial);
                let noise = complex_normal(&mut rng, 1.0, len);
                assert_eq!(decode(&mut code, &noise, 0.5), Err(HeaderFault::Check), "{name}");
            }
            assert_eq!(decode(&mut code, &vec![Complex32::ZERO; len], 1.0), Err(HeaderFault::Check));
            assert_eq!(
                decode(&mut code, &vec![Complex32::new(f32::NAN, 0.0); len], 1.0),
                Err(HeaderFault::Check)
            );
            let mut fields = header().to_bits().unwrap();
            fields[3] ^= 1;
            let other = code.encode_bits(&fields).unwrap();
            assert_eq!(decode(&mut code, &other, 0.1), Err(HeaderFault::Range("version")));
        }
    }
}
