//! The markers and headers of a JPEG file, written.
//!
//! Source: ITU-T T.81, B.2; ITU-T T.871, 10.1 (JFIF segment). All quantisation tables stand in one segment
//! and all Huffman tables in another, and the three components in one scan: the shortest form.

use super::frame::Frame;
use super::huffman::{HuffmanTable, TablePair};
use super::quantizer::Quantizer;
use crate::picture::Subsampling;

pub(super) const START_OF_IMAGE: u8 = 0xD8;
pub(super) const END_OF_IMAGE: u8 = 0xD9;
pub(super) const QUANTIZATION_TABLES: u8 = 0xDB;
pub(super) const BASELINE_FRAME: u8 = 0xC0;
pub(super) const HUFFMAN_TABLES: u8 = 0xC4;
pub(super) const START_OF_SCAN: u8 = 0xDA;
const JFIF: u8 = 0xE0;

/// Bytes of a file that are not its scan.
pub(super) fn overhead(tables: &[TablePair<HuffmanTable>; 2]) -> usize {
    let symbols: usize = tables.iter().map(|pair| pair.dc.symbols.len() + pair.ac.symbols.len()).sum();
    // Start and end, JFIF, quantisation tables, frame, Huffman tables, scan header.
    2 + 2 + 18 + (4 + 2 * 65) + 19 + (4 + 4 * 17 + symbols) + 14
}

/// Appends everything up to the scan.
pub(super) fn write_head(
    frame: &Frame,
    quantizers: &[Quantizer; 2],
    tables: &[TablePair<HuffmanTable>; 2],
    out: &mut Vec<u8>,
) {
    out.extend([0xFF, START_OF_IMAGE]);
    // Version 1.01, no density given, no thumbnail.
    write_segment(JFIF, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0", out);
    let steps = (0..).zip(quantizers).flat_map(|(number, table)| [&[number], &table.steps()[..]].concat());
    write_segment(QUANTIZATION_TABLES, &steps.collect::<Vec<u8>>(), out);
    // Sides are at most 65,535.
    let [height, width] = [frame.height, frame.width].map(|side| (side as u16).to_be_bytes());
    let luminance = if frame.subsampling == Subsampling::S420 { 0x22 } else { 0x11 };
    let components = [3, 1, luminance, 0, 2, 0x11, 1, 3, 0x11, 1];
    write_segment(BASELINE_FRAME, &[&[8][..], &height, &width, &components].concat(), out);
    let huffman = (0..).zip(tables).flat_map(|(number, pair)| {
        [(number, &pair.dc), (0x10 | number, &pair.ac)]
            .map(|(class, table)| [&[class], &table.counts[..], &table.symbols].concat())
            .concat()
    });
    write_segment(HUFFMAN_TABLES, &huffman.collect::<Vec<u8>>(), out);
    write_segment(START_OF_SCAN, &[3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0], out);
}

/// Appends the end marker.
pub(super) fn write_end(out: &mut Vec<u8>) {
    out.extend([0xFF, END_OF_IMAGE]);
}

/// - content: at most 65,533 bytes
fn write_segment(marker: u8, content: &[u8], out: &mut Vec<u8>) {
    out.extend([0xFF, marker]);
    out.extend((content.len() as u16 + 2).to_be_bytes());
    out.extend(content);
}

#[cfg(test)]
mod tests {
    use super::super::huffman::TYPICAL;
    use super::*;

    #[test]
    fn the_head_has_the_length_and_the_segments_it_should() {
        let frame = Frame { height: 0x0102, width: 0x0304, subsampling: Subsampling::S420 };
        let mut out = Vec::new();
        write_head(&frame, &Quantizer::pair(50), &TYPICAL, &mut out);
        write_end(&mut out);
        assert_eq!(out.len(), overhead(&TYPICAL));
        let mut markers = vec![];
        let mut place = 2;
        while place < out.len() - 2 {
            markers.push(out[place + 1]);
            place += 2 + usize::from(u16::from_be_bytes([out[place + 2], out[place + 3]]));
        }
        assert_eq!(markers, [JFIF, QUANTIZATION_TABLES, BASELINE_FRAME, HUFFMAN_TABLES, START_OF_SCAN]);
        assert_eq!(place, out.len() - 2);
        let frame_header = [0xFF, 0xC0, 0, 17, 8, 1, 2, 3, 4, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
        assert!(out.windows(frame_header.len()).any(|window| window == frame_header));
    }
}
