//! Reads arrays of numpy, alone (.npy) or in an archive (.npz, stored or deflated): enough for test vectors.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

/// Numbers of an array, flattened, as the largest type of all.
pub type Numbers = Vec<f64>;

/// All arrays of an archive by name.
pub fn read_npz(path: &Path) -> HashMap<String, Numbers> {
    let bytes = std::fs::read(path).unwrap();
    let number = |at: usize, len: usize| -> usize {
        bytes[at..at + len].iter().rev().fold(0, |value, byte| (value << 8) | usize::from(*byte))
    };
    // The end record of the directory has no comment in these files.
    let end = bytes.len() - 22;
    assert_eq!(&bytes[end..end + 4], b"PK\x05\x06", "{} is no plain archive", path.display());
    let (num_files, mut entry) = (number(end + 10, 2), number(end + 16, 4));
    let mut arrays = HashMap::new();
    for _ in 0..num_files {
        let (method, packed_len) = (number(entry + 10, 2), number(entry + 20, 4));
        let (name_len, extra_len) = (number(entry + 28, 2), number(entry + 30, 2));
        let (comment_len, local) = (number(entry + 32, 2), number(entry + 42, 4));
        let name = std::str::from_utf8(&bytes[entry + 46..][..name_len]).unwrap();
        let data = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        let packed = &bytes[data..data + packed_len];
        let mut unpacked = Vec::new();
        match method {
            0 => unpacked.extend_from_slice(packed),
            8 => drop(flate2::read::DeflateDecoder::new(packed).read_to_end(&mut unpacked).unwrap()),
            other => panic!("{name}: compression {other} is neither stored nor deflated"),
        }
        arrays.insert(name.trim_end_matches(".npy").to_owned(), parse_npy(&unpacked));
        entry += 46 + name_len + extra_len + comment_len;
    }
    arrays
}

/// The array of a file.
pub fn read_npy(path: &Path) -> Numbers {
    parse_npy(&std::fs::read(path).unwrap())
}

fn parse_npy(bytes: &[u8]) -> Numbers {
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00", "format 1.0 of numpy");
    let header_len = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let (header, data) = bytes[10..].split_at(header_len);
    let header = std::str::from_utf8(header).unwrap();
    let kind = header.split("'descr': '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    match kind {
        "|u1" => data.iter().map(|byte| f64::from(*byte)).collect(),
        "|i1" => data.iter().map(|byte| f64::from(byte.cast_signed())).collect(),
        "<u2" => data.as_chunks().0.iter().map(|bytes| f64::from(u16::from_le_bytes(*bytes))).collect(),
        "<i4" => data.as_chunks().0.iter().map(|bytes| f64::from(i32::from_le_bytes(*bytes))).collect(),
        "<i8" => data.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes) as f64).collect(),
        "<f4" => data.as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect(),
        "<f8" => data.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
        other => panic!("numbers of type {other} are not read here"),
    }
}
