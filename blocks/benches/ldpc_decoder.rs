//! The LDPC decoder on one core: information per second, edge updates per second, latency of one frame.
//!
//! Everything a caller waits for is timed: quantised LLRs of frames in, bits out. The limit that stands beside
//! is measured in the same run: saturating additions of signed bytes in registers, as many as the core does.
//! The peers' algorithm is normalised min-sum with the factor 0.75; the default of this decoder, closer to
//! sum-product, stands below it. A check node takes about eleven such instructions for each edge, four of them loads and stores.
//!
//! Run with `cargo bench --workspace --bench ldpc_decoder [-- --seconds=S]`.

use sememe_blocks::coding::ldpc::decoder::{DecoderConfig, LdpcDecoder, Rule, Stop};
use sememe_blocks::coding::ldpc::{BaseGraph, LdpcCode, LdpcEncoder};
use sememe_blocks::isa::{Isa, Set};
use sememe_blocks::rng::{Purpose, RngKey, normal};
use std::hint::black_box;
use std::time::{Duration, Instant};

type Case = (BaseGraph, usize, usize, usize, f64);

/// The cases: base graph, lifting size, used rows, iterations, and the bar in Mbit/s on a core with AVX-512.
const CASES: [Case; 5] = [
    (BaseGraph::Two, 104, 12, 8, 240.0),
    (BaseGraph::Two, 104, 12, 10, 195.0),
    (BaseGraph::One, 192, 24, 6, 250.0),
    (BaseGraph::One, 384, 24, 6, 230.0),
    (BaseGraph::Two, 26, 12, 8, 0.0),
];
/// LLRs that are decoded over and over, about: they fit the second cache, as those of a demapper do.
const LLRS: usize = 150_000;
const EB_N0_DB: f32 = 2.0;

/// One code with frames behind BPSK and noise.
struct Load {
    information: Vec<u8>,
    frames: Vec<Vec<f32>>,
}

impl Load {
    fn new(code: &LdpcCode, rows: usize) -> Self {
        let len = code.information_len();
        let mut rng = RngKey::new(1).stream(Purpose::NoisePrivate, 0, 0);
        let information: Vec<u8> = (0..len).map(|i| u8::from(i * i % 11 < 5)).collect();
        let mut word = vec![0; code.codeword_len()];
        LdpcEncoder::new(code).encode_into(&information, &mut word).expect("lengths of the code");
        let used = (code.base_graph().information_columns() + rows) * code.lifting_size();
        let punctured = 2 * code.lifting_size();
        let rate = len as f32 / (used - punctured) as f32;
        let variance = 1.0 / (2.0 * rate * 10f32.powf(EB_N0_DB / 10.0));
        let mut llr =
            |bit: &u8| 2.0 * (1.0 - 2.0 * f32::from(*bit) + variance.sqrt() * normal(&mut rng)) / variance;
        let mut frame = || {
            let mut llrs: Vec<f32> = word[..used].iter().map(&mut llr).collect();
            llrs[..punctured].fill(0.0);
            llrs
        };
        // Whole registers of frames, for those codes that are decoded so.
        let count = (LLRS / used).next_multiple_of(if used < 3000 { 64 } else { 1 });
        Self { information, frames: (0..count).map(|_| frame()).collect() }
    }
}

/// Seconds of one run: the least of as many as fit.
fn least_seconds(limit: Duration, mut run: impl FnMut()) -> f64 {
    let (start, mut least) = (Instant::now(), f64::INFINITY);
    while start.elapsed() < limit || least.is_infinite() {
        let begin = Instant::now();
        run();
        least = least.min(begin.elapsed().as_secs_f64());
    }
    least
}

fn main() {
    let seconds =
        std::env::args().find_map(|arg| arg.strip_prefix("--seconds=")?.parse().ok()).unwrap_or(0.4);
    let limit = Duration::from_secs_f64(seconds);
    println!("BPSK at Eb/N0 {EB_N0_DB} dB, all iterations, one core, least time of {seconds} s");
    println!(
        "| code, iterations | rule | registers | Mbit/s | bar | G edges/s | of peak | us, one frame | errors |"
    );
    println!("|---|---|---|--:|--:|--:|--:|--:|--:|");
    for isa in Isa::available() {
        let peak = peak_byte_adds(isa, limit);
        for case in CASES {
            for rule in [Rule::Factor(96), Rule::Pairwise] {
                println!("{}", row(case, rule, isa, limit, peak));
            }
        }
        println!("| peak, byte additions | | {isa} | | | {:.0} G/s | 100 % | | |", peak / 1e9);
    }
}

/// Measures a case and formats its row.
fn row(case: Case, rule: Rule, isa: Isa, limit: Duration, peak: f64) -> String {
    let (base_graph, size, rows, iterations, bar) = case;
    let code = LdpcCode::new(base_graph, size).expect("cases name possible codes");
    let load = Load::new(&code, rows);
    let config = DecoderConfig { iterations, stop: Stop::Never, rule };
    let mut decoder = LdpcDecoder::with_isa(&code, rows, config, isa).expect("cases name possible decoders");
    let len = decoder.information_len();
    let frames: Vec<&[f32]> = load.frames.iter().map(|frame| &frame[..]).collect();
    let mut bits = vec![0; frames.len() * len];
    let together = least_seconds(limit, || {
        black_box(decoder.decode_many(&frames, &mut bits)).expect("frames of the decoder's length");
    });
    let errors = bits.chunks_exact(len).filter(|bits| *bits != load.information).count();
    let mut one = vec![0; len];
    let alone = least_seconds(limit / 4, || {
        black_box(decoder.decode(frames[0], &mut one)).expect("a frame of the decoder's length");
    });
    let edges = (0..rows).map(|row| code.row(row).len()).sum::<usize>() * size * iterations;
    let sent = (base_graph.information_columns() + rows - 2) * size;
    let rate = frames.len() as f64 / together;
    let has_bar = bar > 0.0 && isa.set() == Set::Avx512 && rule != Rule::Pairwise;
    format!(
        "| {len}/{sent}, {iterations} | {} | {isa} | {:.0} | {} | {:.1} | {:.1} % | {:.1} | {errors}/{} |",
        if rule == Rule::Pairwise { "pairwise" } else { "0.75" },
        rate * len as f64 / 1e6,
        if has_bar { format!("{bar}") } else { "-".into() },
        rate * edges as f64 / 1e9,
        100.0 * rate * edges as f64 / peak,
        alone * 1e6,
        frames.len(),
    )
}

/// Saturating additions of signed bytes per second, in registers.
fn peak_byte_adds(isa: Isa, limit: Duration) -> f64 {
    const ROUNDS: usize = 1 << 20;
    let bytes = (ROUNDS * CHAINS * isa.register_bytes()) as f64;
    bytes
        / least_seconds(limit, || {
            black_box(match isa.set() {
                // SAFETY: the two sets are among those that the processor was found to have.
                #[cfg(target_arch = "x86_64")]
                Set::Avx512 => unsafe { adds_avx512(ROUNDS) },
                #[cfg(target_arch = "x86_64")]
                Set::Avx2 => unsafe { adds_avx2(ROUNDS) },
                _ => adds::<16>(ROUNDS),
            });
        })
}

/// Additions that do not wait for each other.
const CHAINS: usize = 12;

#[inline(always)]
fn adds<const LANES: usize>(rounds: usize) -> i8 {
    let step: [i8; LANES] = black_box([3; LANES]);
    let mut sums = [[0i8; LANES]; CHAINS];
    for _ in 0..rounds {
        for sum in &mut sums {
            for (sum, step) in sum.iter_mut().zip(step) {
                *sum = sum.saturating_add(step);
            }
        }
        sums = black_box(sums);
    }
    sums.iter().flatten().fold(0, |total, value| total ^ value)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn adds_avx512(rounds: usize) -> i8 {
    use std::arch::x86_64::*;
    let step = _mm512_set1_epi8(black_box(3));
    let mut sums = [_mm512_setzero_si512(); CHAINS];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm512_adds_epi8(*sum, step);
        }
    }
    let total = sums.into_iter().fold(_mm512_setzero_si512(), |total, sum| _mm512_xor_si512(total, sum));
    _mm512_cvtsi512_si32(total) as i8
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn adds_avx2(rounds: usize) -> i8 {
    use std::arch::x86_64::*;
    let step = _mm256_set1_epi8(black_box(3));
    let mut sums = [_mm256_setzero_si256(); CHAINS];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm256_adds_epi8(*sum, step);
        }
    }
    let total = sums.into_iter().fold(_mm256_setzero_si256(), |total, sum| _mm256_xor_si256(total, sum));
    _mm256_extract_epi8::<0>(total) as i8
}
