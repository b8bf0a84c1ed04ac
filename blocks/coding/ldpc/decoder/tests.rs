use super::*;
use crate::coding::Crc;
use crate::coding::ldpc::lifting::LIFTING_SIZES;
use crate::coding::ldpc::{BaseGraph, LdpcEncoder};
use crate::rng::{Purpose, RngKey, normal};
use rand::RngExt;

/// A random codeword and its LLRs behind BPSK and noise.
fn noisy(code: &LdpcCode, rows: usize, deviation: f32, seed: u64) -> (Vec<u8>, Vec<f32>) {
    let mut rng = RngKey::new(seed).stream(Purpose::NoisePrivate, 0, 0);
    let information: Vec<u8> = (0..code.information_len()).map(|_| rng.random_range(0..2)).collect();
    let mut word = vec![0; code.codeword_len()];
    LdpcEncoder::new(code).encode_into(&information, &mut word).unwrap();
    let size = code.lifting_size();
    let used = (code.base_graph().information_columns() + rows) * size;
    let llr =
        |bit: u8, noise: f32| 2.0 * (1.0 - 2.0 * f32::from(bit) + deviation * noise) / deviation.powi(2);
    let mut llrs: Vec<f32> = word[..used].iter().map(|bit| llr(*bit, normal(&mut rng))).collect();
    llrs[..2 * size].fill(0.0);
    (information, llrs)
}

fn steps(llrs: &[f32]) -> Vec<i8> {
    let mut out = vec![0; llrs.len()];
    quantize(llrs, &mut out);
    out
}

#[test]
fn every_path_gives_the_bits_of_the_reference() {
    let cases = [
        (BaseGraph::Two, 2, 42, Rule::Factor(96)),
        (BaseGraph::Two, 7, 12, Rule::Factor(100)),
        (BaseGraph::Two, 36, 42, Rule::Pairwise),
        (BaseGraph::Two, 30, 5, Rule::Offset(4)),
        (BaseGraph::One, 15, 46, Rule::Offset(3)),
        (BaseGraph::One, 64, 9, Rule::Factor(96)),
        (BaseGraph::Two, 104, 12, Rule::Factor(127)),
        (BaseGraph::One, 144, 24, Rule::Pairwise),
        (BaseGraph::One, 3, 46, Rule::Factor(1)),
    ];
    for (base_graph, size, rows, rule) in cases {
        let code = LdpcCode::new(base_graph, size).unwrap();
        for stop in [Stop::Never, Stop::Codeword] {
            let config = DecoderConfig { iterations: 5, rule, stop };
            let frames: Vec<Vec<f32>> =
                (0..70).map(|seed| noisy(&code, rows, 0.55 + 0.01 * seed as f32, seed).1).collect();
            let frames: Vec<&[f32]> = frames.iter().map(|frame| &frame[..]).collect();
            let expected: Vec<_> = frames[..6]
                .iter()
                .map(|llrs| reference::decode(&code, rows, rule, (5, stop == Stop::Codeword), &steps(llrs)))
                .collect();
            let mut of_all = None;
            for isa in Isa::available() {
                let mut decoder = LdpcDecoder::with_isa(&code, rows, config, isa).unwrap();
                let len = decoder.information_len();
                let mut one_by_one = vec![9; 70 * len];
                let mut outcomes = Vec::new();
                for (frame, bits) in frames.iter().zip(one_by_one.chunks_exact_mut(len)) {
                    outcomes.push(decoder.decode(frame, bits).unwrap());
                    if let Some((posteriors, outcome)) = expected.get(outcomes.len() - 1) {
                        assert_eq!(decoder.posteriors(), posteriors, "{isa} {base_graph:?} {size} {rule:?}");
                        assert_eq!(outcomes.last(), Some(outcome), "{isa} {base_graph:?} {size}");
                    }
                }
                let mut many = vec![9; 70 * len];
                assert_eq!(decoder.decode_many(&frames, &mut many).unwrap(), outcomes, "{isa} {size}");
                assert!(many == one_by_one, "{isa} {base_graph:?} {size} {stop:?}");
                let lanes = isa.register_bytes().min(70);
                let mut side_by_side = vec![9; lanes * len];
                assert_eq!(decoder.decode_batch(&frames[..lanes], &mut side_by_side), outcomes[..lanes]);
                assert!(side_by_side == one_by_one[..lanes * len], "{isa} {base_graph:?} {size} {stop:?}");
                assert!(*of_all.get_or_insert(many.clone()) == many, "{isa} differs");
            }
        }
    }
}

#[test]
fn every_code_is_decoded_from_clean_and_from_doubtful_llrs() {
    for base_graph in BaseGraph::ALL {
        for size in LIFTING_SIZES {
            let code = LdpcCode::new(base_graph, size).unwrap();
            for rows in [7, base_graph.num_rows()] {
                let (information, llrs) = noisy(&code, rows, 0.3, size as u64);
                let mut decoder = LdpcDecoder::new(&code, rows, DecoderConfig::default()).unwrap();
                let mut bits = vec![9; decoder.information_len()];
                let outcome = decoder.decode(&llrs, &mut bits).unwrap();
                assert!(outcome.passed && bits == information, "{base_graph:?} {size} {rows}");
            }
        }
    }
}

#[test]
fn a_check_of_the_payload_stops_the_decoder() {
    let code = LdpcCode::new(BaseGraph::Two, 20).unwrap();
    let payload: Vec<u8> = (0..150).map(|i| u8::from(i % 7 < 3)).collect();
    let mut information = Crc::Crc24A.attach(&payload).unwrap();
    information.resize(200, 0);
    let mut word = vec![0; code.codeword_len()];
    LdpcEncoder::new(&code).encode_into(&information, &mut word).unwrap();
    let mut llrs: Vec<f32> = word[..22 * 20].iter().map(|bit| 3.0 - 6.0 * f32::from(*bit)).collect();
    llrs[..40].fill(0.0);
    llrs[174..200].fill(f32::INFINITY);
    let stop = Stop::Crc { crc: Crc::Crc24A, len: 174 };
    let config = DecoderConfig { stop, ..DecoderConfig::default() };
    let mut decoder = LdpcDecoder::new(&code, 12, config).unwrap();
    let mut bits = vec![9; 200];
    let outcome = decoder.decode(&llrs, &mut bits).unwrap();
    assert!(outcome.passed && outcome.iterations <= 2, "{outcome:?}");
    assert_eq!(bits, information);
    llrs.iter_mut().for_each(|llr| *llr = -*llr * 0.1);
    let outcome = decoder.decode(&llrs, &mut bits).unwrap();
    assert!(!outcome.passed && outcome.iterations == 20, "{outcome:?}");
}

#[test]
fn hostile_llrs_are_decoded_to_something() {
    let code = LdpcCode::new(BaseGraph::One, 9).unwrap();
    let mut decoder = LdpcDecoder::new(&code, 46, DecoderConfig::default()).unwrap();
    let mut bits = vec![9; decoder.information_len()];
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -f32::MAX, f32::MIN_POSITIVE] {
        let llrs = vec![value; decoder.input_len()];
        decoder.decode(&llrs, &mut bits).unwrap();
        assert!(bits.iter().all(|bit| *bit <= 1));
    }
    // Zeros meet every check, and nothing spoke for them.
    let erased = vec![f32::NAN; decoder.input_len()];
    assert_eq!(
        decoder.decode(&erased, &mut bits).unwrap(),
        Outcome { iterations: 20, passed: false, decided: false }
    );
    let mut bits = vec![9; 64 * bits.len()];
    let many = decoder.decode_many(&[&erased[..]; 64], &mut bits).unwrap();
    assert!(
        many.iter().all(|outcome| !outcome.passed && !outcome.decided) && bits.iter().all(|bit| *bit == 0)
    );
}

#[test]
fn what_is_impossible_is_refused() {
    let code = LdpcCode::new(BaseGraph::Two, 4).unwrap();
    let refusal = |rows, config| LdpcDecoder::new(&code, rows, config).unwrap_err().to_string();
    let config = DecoderConfig::default();
    assert!(refusal(3, config).contains("4 to 42"));
    assert!(refusal(43, config).contains("4 to 42"));
    assert!(refusal(12, DecoderConfig { iterations: 0, ..config }).contains("1 to 1000"));
    assert!(refusal(12, DecoderConfig { rule: Rule::Factor(0), ..config }).contains("1 to 127 / 128"));
    assert!(refusal(12, DecoderConfig { rule: Rule::Offset(-1), ..config }).contains("0 to 39 / 4"));
    let stop = Stop::Crc { crc: Crc::Crc24A, len: 24 };
    assert!(refusal(12, DecoderConfig { stop, ..config }).contains("25 to 40 bits"));
    let mut decoder = LdpcDecoder::new(&code, 12, config).unwrap();
    assert!(decoder.decode(&[0.0; 87], &mut [0; 40]).is_err());
    assert!(decoder.decode(&[0.0; 88], &mut [0; 39]).is_err());
    assert!(decoder.decode_many(&[&[0.0; 88], &[0.0; 87]], &mut [0; 80]).is_err());
    assert!(decoder.decode_many(&[], &mut []).unwrap().is_empty());
}
