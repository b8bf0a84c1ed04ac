//! How fast LDPC blocks are encoded, on one core.
//!
//! Bar: 2 Gbit/s of information for 1040 to 2080 bits (base graph 2, Z = 104) and 8448 to 16896 bits (base
//! graph 1, Z = 384). Printed is the best of many short runs, so that other work on the machine counts
//! little.
//!
//! Run with `cargo bench --workspace --bench ldpc_encoder`.

use sememe_blocks::coding::ldpc::{BaseGraph, LdpcCode, LdpcEncoder};
use std::hint::black_box;
use std::time::Instant;

/// Blocks in one run.
const BLOCKS: usize = 300;
/// Runs, of which the best counts.
const RUNS: usize = 50;

fn main() {
    println!("{:>5} {:>5} {:>4} {:>8} {:>8} {:>10}", "graph", "Z", "rows", "k", "n", "Mbit/s");
    for (base_graph, lifting_size, sent_len) in [
        (BaseGraph::Two, 104, 2080),
        (BaseGraph::Two, 104, 5200),
        (BaseGraph::One, 192, 8448),
        (BaseGraph::One, 384, 16896),
        (BaseGraph::One, 384, 25344),
    ] {
        let code = LdpcCode::new(base_graph, lifting_size).expect("a lifting size of the table");
        // The first two columns are never sent.
        let rows = sent_len / lifting_size + 2 - base_graph.information_columns();
        let seconds = seconds_per_block(&code, rows);
        let information_len = code.information_len();
        println!(
            "{:>5} {lifting_size:>5} {rows:>4} {information_len:>8} {sent_len:>8} {:>10.0}",
            format!("{base_graph:?}"),
            information_len as f64 / seconds / 1e6
        );
    }
}

fn seconds_per_block(code: &LdpcCode, rows: usize) -> f64 {
    let information: Vec<u8> = (0..code.information_len()).map(|i| u8::from(i * i % 7 < 3)).collect();
    let mut codeword = vec![0; information.len() + rows * code.lifting_size()];
    let mut encoder = LdpcEncoder::new(code);
    let run = |_| {
        let start = Instant::now();
        for _ in 0..BLOCKS {
            encoder.encode_rows(black_box(&information), rows, &mut codeword).expect("lengths of the code");
            black_box(&codeword);
        }
        start.elapsed().as_secs_f64() / BLOCKS as f64
    };
    (0..RUNS).map(run).fold(f64::INFINITY, f64::min)
}
