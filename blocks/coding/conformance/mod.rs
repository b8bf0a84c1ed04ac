//! The whole chain against vectors of an independent implementation (Sionna 1.2.1, Apache-2.0), bit by bit.
//!
//! The vectors are read from `crc/`, `ldpc/` and `nr_transport_block/` under the folder that the environment
//! variable `SEMEME_DATA` names; every file of the expected kind that lies there is tried.

mod npz;

use super::Crc;
use super::code_block::CodeBlock;
use super::ldpc::{BaseGraph, LdpcCode};
use super::scrambler::ScramblingIds;
use super::transport_block::{TransportBlock, TransportConfig};
use std::path::PathBuf;

/// A folder of vectors, or none, said on the way.
fn folder(name: &str) -> Option<PathBuf> {
    let found = std::env::var_os("SEMEME_DATA").map(|data| PathBuf::from(data).join(name));
    let found = found.filter(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: SEMEME_DATA does not name a folder with {name}/");
    }
    found
}

/// Files of a folder whose names end in `ending`, in order.
fn files(folder: PathBuf, ending: &str) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.to_str().is_some_and(|path| path.ends_with(ending)));
    all.sort();
    all
}

fn bits(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().map(|number| *number as u8).collect()
}

/// The bits that stand as text under a key of one line of JSON.
fn digits(line: &str, key: &str) -> Vec<u8> {
    let (_, behind) = line.split_once(&format!("\"{key}\"")).unwrap();
    behind.split('"').nth(1).unwrap().bytes().map(|digit| digit - b'0').collect()
}

#[test]
fn parity_of_all_crc_vectors() {
    let Some(folder) = folder("crc") else { return };
    let names = ["CRC6", "CRC11", "CRC16", "CRC24A", "CRC24B", "CRC24C"];
    let messages = files(folder.clone(), ".npy").into_iter().filter_map(|file| {
        let name = file.file_stem()?.to_str()?.strip_prefix("crc_u")?.to_owned();
        Some((file, name))
    });
    let mut tried = 0;
    for (file, name) in messages {
        let message = bits(&npz::read_npy(&file));
        let parity = bits(&npz::read_npy(&folder.join(format!("crc_x_ref_np{name}.npy"))));
        let is_met = |crc: &Crc| crc.attach(&message).unwrap() == [&message[..], &parity].concat();
        match names.iter().position(|known| name.starts_with(&format!("_{known}"))) {
            Some(known) => assert!(is_met(&Crc::ALL[known]), "{name}"),
            // A file that does not name its polynomial has that of its number of parity bits.
            None => assert!(Crc::ALL.iter().any(is_met), "{name}: {} parity bits", parity.len()),
        }
        tried += 1;
    }
    assert!(tried >= names.len(), "{tried} vectors");
}

#[test]
fn both_base_graphs_are_those_of_the_tables() {
    let Some(folder) = folder("ldpc") else { return };
    for (base_graph, name) in BaseGraph::ALL.into_iter().zip(["5G_bg1.csv", "5G_bg2.csv"]) {
        // Row;column;shifts of the eight sets, the row where it begins.
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let mut row = 0;
        let mut edges = Vec::new();
        for line in text.lines().skip(2) {
            let numbers: Vec<Option<usize>> =
                line.split(';').map(|number| number.trim().parse().ok()).collect();
            row = numbers[0].unwrap_or(row);
            edges.push((
                row,
                numbers[1].unwrap(),
                numbers[2..10].iter().map(|s| s.unwrap()).collect::<Vec<_>>(),
            ));
        }
        // The largest lifting size of each set.
        for (set, size) in [256, 384, 320, 224, 288, 352, 208, 240].into_iter().enumerate() {
            let code = LdpcCode::new(base_graph, size).unwrap();
            let found = (0..base_graph.num_rows()).flat_map(|row| {
                code.row(row).iter().map(move |edge| (row, usize::from(edge.column), usize::from(edge.shift)))
            });
            let mut expected: Vec<_> =
                edges.iter().map(|(row, column, shifts)| (*row, *column, shifts[set] % size)).collect();
            expected.sort_unstable();
            assert!(found.eq(expected), "{name}, set {set}");
        }
    }
}

#[test]
fn ldpc_vectors_with_rate_matching() {
    let Some(folder) = folder("ldpc") else { return };
    for file in files(folder, "encode_vectors.jsonl") {
        let lines = std::fs::read_to_string(&file).unwrap();
        assert!(lines.lines().count() > 0);
        for line in lines.lines() {
            let (block, expected) = (digits(line, "u"), digits(line, "c"));
            let rate = block.len() as f64 / expected.len() as f64;
            let base_graph = BaseGraph::choose(block.len(), rate);
            let mut sent = vec![7; expected.len()];
            let mut code_block = CodeBlock::new(base_graph, block.len(), 1).unwrap();
            code_block.encode(&block, 0, &mut sent).unwrap();
            assert!(sent == expected, "k = {}, n = {}", block.len(), expected.len());
        }
    }
}

#[test]
fn transport_block_vectors_with_and_without_scrambling() {
    let Some(folder) = folder("nr_transport_block") else { return };
    let all = files(folder, ".npz");
    assert!(!all.is_empty());
    for file in all {
        let arrays = npz::read_npz(&file);
        let whole = |key: &str| arrays[key][0] as usize;
        let payload = bits(&arrays["u_ref"]);
        let ids = ScramblingIds { n_rnti: whole("n_rnti") as u16, codeword: 0, n_id: whole("n_id") as u16 };
        for (key, scrambling) in [("c_ref_no_scr", None), ("c_ref", Some(ids))] {
            let expected = bits(&arrays[key]);
            let mut block = TransportBlock::new(TransportConfig {
                payload_len: payload.len(),
                coded_len: expected.len(),
                code_rate: arrays["coderate"][0],
                modulation_order: whole("num_bits_per_symbol"),
                num_layers: whole("num_layers"),
                limited_buffer: None,
                scrambling,
            })
            .unwrap();
            assert!(block.encode(&payload, 0).unwrap() == expected, "{} {key}", file.display());
        }
    }
}
