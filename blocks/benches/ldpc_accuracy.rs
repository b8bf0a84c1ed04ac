//! What the 8-bit decoder loses: dB against floating point with the same algorithm, and against sum-product.
//!
//! At the Eb/N0 where the 8-bit decoder loses about one block in a hundred, all decoders meet the same noise;
//! the 8-bit decoder meets it at other Eb/N0 too, and the loss is how much more it needs for the block-error
//! rate of the other. BPSK, 20 iterations everywhere; layers in the same order. An error is a wrong bit of
//! information. Against floating point both use the factor 0.75 in all rows; against sum-product the 8-bit
//! decoder has its default, the pairwise correction.
//!
//! Run with `cargo bench --workspace --bench ldpc_accuracy [-- --frames=N]`.

use rayon::prelude::*;
use sememe_blocks::coding::ldpc::belief_propagation::{BeliefPropagation, CheckRule, Order};
use sememe_blocks::coding::ldpc::decoder::{DecoderConfig, LdpcDecoder, Rule};
use sememe_blocks::coding::ldpc::{BaseGraph, LdpcCode, LdpcEncoder};
use sememe_blocks::rng::{Purpose, RngKey, normal};

/// Base graph, lifting size, used rows, and the bar against sum-product in dB.
const CASES: [(BaseGraph, usize, usize, f64); 6] = [
    (BaseGraph::One, 64, 5, 0.1),
    (BaseGraph::One, 64, 13, 0.1),
    (BaseGraph::One, 64, 24, 0.1),
    (BaseGraph::Two, 104, 12, 0.1),
    (BaseGraph::One, 64, 46, 0.25),
    (BaseGraph::Two, 104, 42, 0.25),
];
const ITERATIONS: usize = 20;
/// Offsets in dB at which the 8-bit decoder is tried.
const STEPS: std::ops::RangeInclusive<i32> = -8..=6;
const STEP_DB: f64 = 0.05;

struct Case {
    code: LdpcCode,
    rows: usize,
    information: Vec<u8>,
    word: Vec<u8>,
    rate: f64,
}

impl Case {
    fn new(base_graph: BaseGraph, size: usize, rows: usize) -> Self {
        let code = LdpcCode::new(base_graph, size).expect("a lifting size of the table");
        let information: Vec<u8> = (0..code.information_len()).map(|i| u8::from(i * i % 11 < 5)).collect();
        let mut word = vec![0; code.codeword_len()];
        LdpcEncoder::new(&code).encode_into(&information, &mut word).expect("lengths of the code");
        let columns = base_graph.information_columns();
        word.truncate((columns + rows) * size);
        let rate = columns as f64 / (columns + rows - 2) as f64;
        Self { code, rows, information, word, rate }
    }

    /// LLRs of a frame; its noise does not depend on the SNR but in scale.
    fn llrs(&self, frame: u64, eb_n0_db: f64) -> Vec<f32> {
        let mut rng = RngKey::new(7).stream(Purpose::NoisePrivate, frame, 0);
        let variance = (0.5 / self.rate * 10f64.powf(-eb_n0_db / 10.0)) as f32;
        let llr =
            |bit: &u8| 2.0 * (1.0 - 2.0 * f32::from(*bit) + variance.sqrt() * normal(&mut rng)) / variance;
        let mut llrs: Vec<f32> = self.word.iter().map(llr).collect();
        llrs[..2 * self.code.lifting_size()].fill(0.0);
        llrs
    }

    /// Block errors of the 8-bit decoder.
    fn errors(&self, frames: u64, eb_n0_db: f64, rule: Rule) -> u64 {
        let config = DecoderConfig { iterations: ITERATIONS, rule, ..Default::default() };
        let decoder = LdpcDecoder::new(&self.code, self.rows, config).expect("a possible decoder");
        let state = || (decoder.clone(), vec![0; self.information.len()]);
        let is_wrong = |(decoder, bits): &mut (LdpcDecoder, Vec<u8>), frame| {
            decoder.decode(&self.llrs(frame, eb_n0_db), bits).expect("lengths of the decoder");
            *bits != self.information
        };
        (0..frames).into_par_iter().map_init(state, is_wrong).filter(|wrong| *wrong).count() as u64
    }

    /// Block errors of the oracle.
    fn oracle_errors(&self, frames: u64, eb_n0_db: f64, rule: CheckRule) -> u64 {
        let (code, rows) = (&self.code, self.rows);
        let oracle = BeliefPropagation { code, rows, iterations: ITERATIONS, rule, order: Order::Layered };
        let is_wrong = |frame: &u64| {
            let llrs: Vec<f64> = self.llrs(*frame, eb_n0_db).into_iter().map(f64::from).collect();
            let (found, _) = oracle.decode(&llrs).expect("lengths of the oracle");
            found.iter().zip(&self.information).any(|(llr, bit)| (*llr < 0.0) != (*bit == 1))
        };
        (0..frames).into_par_iter().filter(is_wrong).count() as u64
    }

    /// Where the 8-bit decoder loses one block in a hundred.
    fn one_in_a_hundred(&self, frames: u64) -> f64 {
        let (mut low, mut high) = (-1.0, 6.0);
        for _ in 0..9 {
            let middle = (low + high) / 2.0;
            if self.errors(frames, middle, Rule::Pairwise) * 100 > frames {
                low = middle
            } else {
                high = middle
            }
        }
        high
    }
}

/// The offset at which a falling curve of errors passes a number of them, between its points.
fn crossing(curve: &[(f64, u64)], errors: u64) -> Option<f64> {
    let log = |errors: u64| (errors.max(1) as f64).ln();
    curve.windows(2).find(|pair| pair[0].1 >= errors && pair[1].1 < errors).map(|pair| {
        let (from, to) = (log(pair[0].1), log(pair[1].1));
        pair[0].0 + (from - log(errors)) / (from - to).max(1e-9) * (pair[1].0 - pair[0].0)
    })
}

fn main() {
    let frames =
        std::env::args().find_map(|arg| arg.strip_prefix("--frames=")?.parse().ok()).unwrap_or(10_000);
    println!("BPSK, {ITERATIONS} iterations, {frames} frames a point; loss of the 8-bit decoder in dB");
    println!(
        "| code | rate | Eb/N0, dB | errors, 8-bit | float | sum-product | loss to float (bar 0.05) | loss to sum-product | bar |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (base_graph, size, rows, bar) in CASES {
        let case = Case::new(base_graph, size, rows);
        let at = case.one_in_a_hundred(frames / 2);
        let float = case.oracle_errors(frames, at, CheckRule::Normalized(0.75));
        let sum_product = case.oracle_errors(frames, at, CheckRule::SumProduct);
        let offsets: Vec<f64> = STEPS.map(|step| f64::from(step) * STEP_DB).collect();
        let curve =
            |rule| offsets.iter().map(|db| (*db, case.errors(frames, at + db, rule))).collect::<Vec<_>>();
        let (same, default) = (curve(Rule::Factor(96)), curve(Rule::Pairwise));
        let here = default.iter().find(|(db, _)| db.abs() < 1e-9).map_or(0, |(_, errors)| *errors);
        let loss =
            |curve, errors| crossing(curve, errors).map_or("beyond".to_owned(), |db| format!("{db:+.3}"));
        println!(
            "| {base_graph:?}, {}/{} | {:.2} | {at:.2} | {here} | {float} | {sum_product} | {} | {} | {bar} |",
            case.information.len(),
            case.word.len() - 2 * size,
            case.rate,
            loss(&same, float),
            loss(&default, sum_product),
        );
    }
}
