//! The markers and headers of a JPEG file, read from bytes that may hold anything.
//!
//! Accepted are baseline files of three components in one scan, with luminance at full and colours at full
//! or half resolution, without restart intervals: what the encoder writes, and most files in the world.
//! Source: ITU-T T.81, B.2.

use super::file_writer::{
    BASELINE_FRAME, HUFFMAN_TABLES, QUANTIZATION_TABLES, START_OF_IMAGE, START_OF_SCAN,
};
use super::frame::Frame;
use super::huffman::{DecoderTable, HuffmanTable, TablePair};
use super::quantizer::Quantizer;
use crate::picture::{Damaged, Subsampling};

const RESTART_INTERVAL: u8 = 0xDD;

/// What the headers say.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) frame: Frame,
    /// Of each component.
    pub(super) quantizers: [Quantizer; 3],
    /// Of each component.
    pub(super) tables: [TablePair<DecoderTable>; 3],
    /// The entropy-coded segment and all that follows.
    pub(super) scan: &'a [u8],
}

/// One component as the frame header describes it.
#[derive(Clone, Copy, Debug)]
struct Component {
    name: u8,
    sampling: u8,
    quantizer: u8,
}

/// What was found up to some marker.
#[derive(Debug, Default)]
struct Found {
    quantizers: [Option<Quantizer>; 4],
    dc: [Option<DecoderTable>; 4],
    ac: [Option<DecoderTable>; 4],
    frame: Option<(Frame, [Component; 3])>,
}

/// Reads everything up to the scan.
///
/// - errors: whatever is not a file as described above
pub(super) fn read_head(bytes: &[u8]) -> Result<Head<'_>, Damaged> {
    let mut rest = bytes.strip_prefix(&[0xFF, START_OF_IMAGE]).ok_or(Damaged::because("not a JPEG file"))?;
    let mut found = Found::default();
    loop {
        let marker;
        let content;
        (marker, content, rest) = next_segment(rest)?;
        match marker {
            QUANTIZATION_TABLES => found.read_quantizers(content)?,
            HUFFMAN_TABLES => found.read_huffman(content)?,
            BASELINE_FRAME => found.frame = Some(read_frame(content)?),
            START_OF_SCAN => return found.finish(content, rest),
            RESTART_INTERVAL if content != [0, 0] => {
                return Err(Damaged::because("restart intervals are not used"));
            }
            // Application data, comments, an interval of 0.
            0xE0..=0xEF | 0xFE | RESTART_INTERVAL => {}
            _ => return Err(Damaged::because("a marker that baseline pictures do not use")),
        }
    }
}

/// Marker, content and what follows.
fn next_segment(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), Damaged> {
    const EARLY: Damaged = Damaged::because("the file ends before its scan");
    let [0xFF, marker, rest @ ..] = bytes else { return Err(EARLY) };
    let (len, _) = rest.split_first_chunk::<2>().ok_or(EARLY)?;
    let len = usize::from(u16::from_be_bytes(*len));
    let content = rest.get(2..len).ok_or(EARLY)?;
    Ok((*marker, content, &rest[len..]))
}

fn read_frame(content: &[u8]) -> Result<(Frame, [Component; 3]), Damaged> {
    let &[8, h1, h0, w1, w0, 3, ref components @ ..] = content else {
        return Err(Damaged::because("not three components of 8 bits"));
    };
    let Ok(components) = <[u8; 9]>::try_from(components) else {
        return Err(Damaged::because("a frame header of another length"));
    };
    let components: [Component; 3] = std::array::from_fn(|number| {
        let [name, sampling, quantizer] = [0, 1, 2].map(|field| components[3 * number + field]);
        Component { name, sampling, quantizer }
    });
    let subsampling = match components.map(|component| component.sampling) {
        [0x22, 0x11, 0x11] => Subsampling::S420,
        [0x11, 0x11, 0x11] => Subsampling::S444,
        _ => return Err(Damaged::because("neither 4:2:0 nor 4:4:4")),
    };
    let [height, width] = [[h1, h0], [w1, w0]].map(|side| usize::from(u16::from_be_bytes(side)));
    if height == 0 || width == 0 {
        return Err(Damaged::because("a picture without pixels"));
    }
    Ok((Frame { height, width, subsampling }, components))
}

impl Found {
    fn read_quantizers(&mut self, content: &[u8]) -> Result<(), Damaged> {
        let (tables, []) = content.as_chunks::<65>() else {
            return Err(Damaged::because("quantisation tables of another length"));
        };
        for [number, steps @ ..] in tables {
            let place = self.quantizers.get_mut(usize::from(*number));
            let place = place.ok_or(Damaged::because("a quantisation table not of 8 bits or not 0 to 3"))?;
            let table = Quantizer::from_steps(*steps).ok_or(Damaged::because("a quantisation step of 0"))?;
            *place = Some(table);
        }
        Ok(())
    }

    fn read_huffman(&mut self, mut content: &[u8]) -> Result<(), Damaged> {
        const SHORT: Damaged = Damaged::because("a Huffman table is cut off");
        while let Some((class, rest)) = content.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or(SHORT)?;
            let num: usize = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.split_at_checked(num).ok_or(SHORT)?;
            let kind = if class >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            let place = kind.get_mut(usize::from(class & 15)).filter(|_| class >> 4 <= 1);
            let place = place.ok_or(Damaged::because("a Huffman table of another kind or not 0 to 3"))?;
            *place = Some(DecoderTable::new(&HuffmanTable { counts: *counts, symbols: symbols.to_vec() })?);
            content = rest;
        }
        Ok(())
    }

    /// Puts together what the scan header refers to.
    fn finish<'a>(&self, content: &[u8], scan: &'a [u8]) -> Result<Head<'a>, Damaged> {
        const MISSING: Damaged = Damaged::because("a table is missing");
        let (frame, components) = self.frame.ok_or(Damaged::because("a scan before its frame"))?;
        let &[3, name0, table0, name1, table1, name2, table2, 0, 63, 0] = content else {
            return Err(Damaged::because("not one scan of all components"));
        };
        if components.map(|component| component.name) != [name0, name1, name2] {
            return Err(Damaged::because("the scan has other components than the frame"));
        }
        let quantizer =
            |number: u8| self.quantizers.get(usize::from(number)).cloned().flatten().ok_or(MISSING);
        let pair = |numbers: u8| -> Result<_, Damaged> {
            let dc = self.dc.get(usize::from(numbers >> 4)).cloned().flatten().ok_or(MISSING)?;
            let ac = self.ac.get(usize::from(numbers & 15)).cloned().flatten().ok_or(MISSING)?;
            Ok(TablePair { dc, ac })
        };
        let [first, second, third] = components;
        Ok(Head {
            frame,
            quantizers: [
                quantizer(first.quantizer)?,
                quantizer(second.quantizer)?,
                quantizer(third.quantizer)?,
            ],
            tables: [pair(table0)?, pair(table1)?, pair(table2)?],
            scan,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::file_writer::write_head;
    use super::super::huffman::TYPICAL;
    use super::*;

    fn head() -> Vec<u8> {
        let mut out = Vec::new();
        let frame = Frame { height: 300, width: 20, subsampling: Subsampling::S420 };
        write_head(&frame, &Quantizer::pair(37), &TYPICAL, &mut out);
        out
    }

    /// The file with some bytes replaced where they occur first.
    fn replaced(from: &[u8], to: &[u8]) -> Result<(), Damaged> {
        let bytes = head();
        let place = bytes.windows(from.len()).position(|window| window == from).unwrap();
        let changed = [&bytes[..place], to, &bytes[place + from.len()..]].concat();
        read_head(&changed).map(|_| ())
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = [&head()[..], &[1, 2, 3]].concat();
        let read = read_head(&bytes).unwrap();
        assert_eq!(read.frame, Frame { height: 300, width: 20, subsampling: Subsampling::S420 });
        let [luminance, chrominance] = Quantizer::pair(37);
        assert_eq!(read.quantizers, [luminance, chrominance.clone(), chrominance]);
        assert_eq!(read.tables[2].dc.symbol(0), Some((0, 2)));
        assert_eq!(read.scan, [1, 2, 3]);
    }

    #[test]
    fn comments_are_skipped() {
        replaced(&[0xFF, 0xDB], &[0xFF, 0xFE, 0, 4, 9, 9, 0xFF, 0xDB]).unwrap();
        replaced(&[0xFF, 0xDB], &[0xFF, 0xDD, 0, 4, 0, 0, 0xFF, 0xDB]).unwrap();
    }

    #[test]
    fn every_shorter_head_is_refused() {
        let bytes = head();
        for len in 0..bytes.len() {
            assert!(read_head(&bytes[..len]).is_err(), "{len}");
        }
    }

    #[test]
    fn other_kinds_of_files_are_refused() {
        let cases: [(&[u8], &[u8], &str); 12] = [
            (&[0xFF, 0xD8], &[0xFF, 0xD9], "not a JPEG"),
            (&[0xFF, 0xC0], &[0xFF, 0xC2], "marker"),
            (&[0xFF, 0xDB], &[0xFF, 0xDD, 0, 4, 0, 1, 0xFF, 0xDB], "restart"),
            (&[0, 17, 8], &[0, 17, 12], "8 bits"),
            (&[1, 0x22, 0], &[1, 0x12, 0], "4:2:0"),
            (&[1, 0x22, 0], &[1, 0x22, 3], "missing"),
            (&[1, 44], &[0, 0], "without pixels"),
            (&[0, 132, 0], &[0, 132, 16], "quantisation table not"),
            (&[0xFF, 0xDA, 0, 12, 3], &[0xFF, 0xDA, 0, 12, 1], "one scan"),
            (&[3, 1, 0, 2, 0x11], &[3, 2, 0, 1, 0x11], "other components"),
            (&[3, 1, 0, 2, 0x11], &[3, 1, 0x20, 2, 0x11], "missing"),
            (&[0, 1, 5, 1, 1], &[0, 9, 5, 1, 1], "too many codes"),
        ];
        for (from, to, reason) in cases {
            let error = replaced(from, to).unwrap_err().to_string();
            assert!(error.contains(reason), "{error} but not {reason}");
        }
    }
}
