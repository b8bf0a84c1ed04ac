//! Receivers of transport blocks under LLRs of all kinds: none may panic, and what they return has the agreed
//! length.
//!
//! `SEMEME_FUZZ_CASES=1000000 cargo test --workspace --lib transport_block::fuzz` runs a million cases; every
//! case has its own number, from which alone it is made.

use super::{TransportBlock, TransportConfig};
use crate::coding::ldpc::decoder::{DecoderConfig, LdpcDecoder};
use crate::coding::scrambler::ScramblingIds;
use crate::rng::{KeyedRng, Purpose, RngKey};
use rand::Rng;

const DEFAULT_CASES: u64 = 4000;
const SEED: u64 = 83;

struct Target {
    block: TransportBlock,
    decoder: LdpcDecoder,
    payload: Vec<u8>,
    sent: Vec<Vec<u8>>,
}

fn below(rng: &mut KeyedRng, limit: usize) -> usize {
    rng.next_u32() as usize % limit
}

fn targets() -> Vec<Target> {
    let sizes = [(8, 40, 1), (24, 240, 2), (136, 288, 4), (320, 600, 6), (1000, 1600, 8), (4000, 6000, 10)];
    let shapes = sizes.into_iter().flat_map(|size| [(size, None), (size, Some(700))]);
    let ids = ScramblingIds { n_rnti: 9, codeword: 0, n_id: 3 };
    let with = |((payload_len, coded_len, modulation_order), limited_buffer): (
        (usize, usize, u8),
        Option<usize>,
    )| {
        let block = TransportBlock::new(TransportConfig {
            payload_len,
            coded_len,
            code_rate: payload_len as f64 / coded_len as f64,
            modulation_order: modulation_order.into(),
            num_layers: 1,
            limited_buffer: limited_buffer.filter(|_| payload_len < 500),
            scrambling: (modulation_order > 1).then_some(ids),
        });
        let mut block = block.unwrap();
        let payload: Vec<u8> = (0..payload_len).map(|i| u8::from(i * i % 7 < 3)).collect();
        let sent = (0..4).map(|version| block.encode(&payload, version).unwrap()).collect();
        let rows = block.code().base_graph().num_rows();
        let config = DecoderConfig { iterations: 3, ..DecoderConfig::default() };
        let decoder = LdpcDecoder::new(block.code(), rows, config).unwrap();
        Target { block, decoder, payload, sent }
    };
    shapes.map(with).collect()
}

/// LLRs as no channel makes them, or some that a channel does make.
fn hostile(sent: &[u8], rng: &mut KeyedRng) -> Vec<f32> {
    let mut llrs: Vec<f32> = sent.iter().map(|bit| 4.0 - 8.0 * f32::from(*bit)).collect();
    match below(rng, 6) {
        // Bit patterns of all kinds, NaN with a payload and subnormal numbers among them.
        0 => llrs.iter_mut().for_each(|llr| *llr = f32::from_bits(rng.next_u32())),
        1 => {
            let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, f32::MAX, -f32::MIN_POSITIVE];
            llrs.iter_mut().for_each(|llr| *llr = values[below(rng, 6)]);
        }
        // Some bits turned, with certainty.
        2 => (0..1 + below(rng, 30)).for_each(|_| {
            let at = below(rng, llrs.len());
            llrs[at] *= -f32::INFINITY;
        }),
        // Too short, too long, nothing.
        3 => llrs.truncate(below(rng, sent.len())),
        4 => llrs.resize(sent.len() + below(rng, 3), 1.0),
        _ => {}
    }
    llrs
}

#[test]
fn no_llrs_bring_a_receiver_down() {
    let cases = std::env::var("SEMEME_FUZZ_CASES").ok().and_then(|count| count.parse().ok());
    let mut targets = targets();
    let (mut refused, mut passed) = (0u64, 0u64);
    for case in 0..cases.unwrap_or(DEFAULT_CASES) {
        let mut rng = RngKey::new(SEED).stream(Purpose::Shuffle, case, 0);
        let index = below(&mut rng, targets.len());
        let Target { block, decoder, payload, sent } = &mut targets[index];
        let mut soft = block.soft_blocks();
        for _ in 0..1 + below(&mut rng, 2) {
            // A fifth version does not exist.
            let version = below(&mut rng, 5);
            let llrs = hostile(&sent[version.min(3)], &mut rng);
            let is_possible = version < 4 && llrs.len() == block.config().coded_len;
            let is_taken = block.combine(&llrs, version as u8, &mut soft).is_ok();
            assert_eq!(is_taken, is_possible, "case {case}");
            refused += u64::from(!is_taken);
        }
        assert!(soft.as_slice().iter().all(|llr| llr.is_finite()), "case {case}");
        let llrs: Vec<&[f32]> = soft.blocks().collect();
        let len = decoder.information_len();
        let mut bits = vec![0; llrs.len() * len];
        decoder.decode_many(&llrs, &mut bits).unwrap();
        let blocks: Vec<&[u8]> = bits.chunks_exact(len).collect();
        let decoded = block.assemble(&blocks).unwrap();
        assert_eq!(decoded.payload.len(), payload.len());
        passed += u64::from(decoded.passed && decoded.payload == *payload);
    }
    assert!(refused > 0 && passed > 0, "{refused} refused, {passed} passed");
}
