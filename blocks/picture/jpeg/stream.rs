//! Whole JPEG streams, as files or without what both ends know.

use super::analysis::Coefficients;
use super::file_reader::read_head;
use super::file_writer::{overhead, write_end, write_head};
use super::frame::Frame;
use super::huffman::{DecoderTable, EncoderTable, TYPICAL, TablePair};
use super::optimal::optimal_table;
use super::quantizer::{Block, Quantizer};
use super::scan_reader::read_scan;
use super::scan_writer::{histograms, num_bits, write_scan};
use super::synthesis::Synthesis;
use crate::picture::planar::PlanarImage;
use crate::picture::{Damaged, Packing, Subsampling};
use std::sync::LazyLock;

/// Marks colours at half resolution in the byte before a stripped scan.
const HALF: u8 = 0x80;

static TYPICAL_ENCODERS: LazyLock<[TablePair<EncoderTable>; 2]> =
    LazyLock::new(|| TYPICAL.each_ref().map(|pair| pair.map(EncoderTable::new)));

static TYPICAL_DECODERS: LazyLock<[TablePair<DecoderTable>; 2]> = LazyLock::new(|| {
    // A test of `huffman` builds these very tables.
    TYPICAL.each_ref().map(|pair| pair.map(|table| DecoderTable::new(table).expect("tables of the standard")))
});

/// Appends the stream of quantised blocks.
///
/// - returns: `false` if it has more than `longest` bytes; then `out` holds some of it
pub(super) fn write(
    blocks: &[Block],
    frame: &Frame,
    (quality, quantizers): (u8, &[Quantizer; 2]),
    packing: Packing,
    longest: usize,
    out: &mut Vec<u8>,
) -> bool {
    match packing {
        Packing::Shared => {
            out.push(quality | if frame.subsampling == Subsampling::S420 { HALF } else { 0 });
            write_scan(blocks, frame.unit(), TYPICAL_ENCODERS.each_ref(), longest, out)
        }
        Packing::File | Packing::Mosaic => write_file(blocks, frame, quantizers, longest, out),
    }
}

/// The shorter of two files: with tables made for the picture, and with the typical ones.
fn write_file(
    blocks: &[Block],
    frame: &Frame,
    quantizers: &[Quantizer; 2],
    longest: usize,
    out: &mut Vec<u8>,
) -> bool {
    let counts = histograms(blocks, frame.unit());
    let tables = counts.each_ref().map(|pair| pair.map(optimal_table));
    let encoders = tables.each_ref().map(|pair| pair.map(EncoderTable::new));
    write_head(frame, quantizers, &tables, out);
    let mut fits = write_scan(blocks, frame.unit(), encoders.each_ref(), longest, out);
    write_end(out);
    fits &= out.len() <= longest;
    // Without stuffing, which only adds to it.
    let pairs = counts.iter().zip(TYPICAL_ENCODERS.iter());
    let bits: u64 = pairs.map(|(counts, tables)| num_bits(counts, tables)).sum();
    let least = overhead(&TYPICAL) + bits.div_ceil(8) as usize;
    if least < out.len() && least <= longest {
        let mut other = Vec::with_capacity(least);
        write_head(frame, quantizers, &TYPICAL, &mut other);
        let complete = write_scan(blocks, frame.unit(), TYPICAL_ENCODERS.each_ref(), longest, &mut other);
        write_end(&mut other);
        if complete && other.len() <= longest && (!fits || other.len() < out.len()) {
            *out = other;
            return true;
        }
    }
    fits
}

/// The stream of a picture.
///
/// - quality: 1 to 100
pub(in crate::picture) fn encode(
    image: &PlanarImage,
    quality: u8,
    subsampling: Subsampling,
    packing: Packing,
) -> Vec<u8> {
    let frame = Frame { height: image.height, width: image.width, subsampling };
    let quantizers = Quantizer::pair(quality);
    let mut blocks = Vec::new();
    Coefficients::new(image, frame).quantize(&quantizers, &mut blocks);
    let mut out = Vec::new();
    write(&blocks, &frame, (quality, &quantizers), packing, usize::MAX, &mut out);
    out
}

/// The picture in a stream, which may be followed by anything, and its colour resolution.
///
/// - size: height and width that the picture must have, which may depend on the colour resolution
/// - errors: another size, or bytes that are no such stream
pub(in crate::picture) fn decode(
    bytes: &[u8],
    packing: Packing,
    size: impl Fn(Subsampling) -> (usize, usize),
) -> Result<(PlanarImage, Subsampling), Damaged> {
    match packing {
        Packing::Shared => {
            let (first, scan) = bytes.split_first().ok_or(Damaged::because("an empty stream"))?;
            let quality = first & !HALF;
            if !(1..=100).contains(&quality) {
                return Err(Damaged::because("a quality beyond 1 to 100"));
            }
            let subsampling = if first & HALF == 0 { Subsampling::S444 } else { Subsampling::S420 };
            let (height, width) = size(subsampling);
            let frame = Frame { height, width, subsampling };
            let [luminance, chrominance] = &*TYPICAL_DECODERS;
            let blocks = read_scan(scan, &frame, [luminance, chrominance, chrominance])?;
            let [luminance, chrominance] = &Quantizer::pair(quality);
            Ok((synthesize(frame, &blocks, [luminance, chrominance, chrominance]), subsampling))
        }
        Packing::File | Packing::Mosaic => {
            let head = read_head(bytes)?;
            if (head.frame.height, head.frame.width) != size(head.frame.subsampling) {
                return Err(Damaged::because("the picture has another size"));
            }
            let blocks = read_scan(head.scan, &head.frame, head.tables.each_ref())?;
            Ok((synthesize(head.frame, &blocks, head.quantizers.each_ref()), head.frame.subsampling))
        }
    }
}

fn synthesize(frame: Frame, blocks: &[Block], quantizers: [&Quantizer; 3]) -> PlanarImage {
    let mut synthesis = Synthesis::new(frame);
    synthesis.run(blocks, quantizers);
    synthesis.into_image()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::test_pictures::{noise, scene};

    fn planar(image: &ndarray::Array3<u8>) -> PlanarImage {
        PlanarImage::from_interleaved(image.dim().0, image.dim().1, image.as_slice().unwrap())
    }

    #[test]
    fn both_forms_hold_the_same_picture() {
        let image = planar(&scene(21, 35, 1));
        for subsampling in Subsampling::ALL {
            for quality in [1, 13, 50, 99] {
                let [file, shared] = [Packing::File, Packing::Shared].map(|packing| {
                    let stream = encode(&image, quality, subsampling, packing);
                    let padded = [stream, vec![0; 40]].concat();
                    decode(&padded, packing, |_| (21, 35)).unwrap()
                });
                assert_eq!(file, shared);
            }
        }
    }

    #[test]
    fn the_stripped_stream_is_the_quality_and_the_scan_of_the_file_with_typical_tables() {
        let image = planar(&scene(20, 20, 2));
        let frame = Frame { height: 20, width: 20, subsampling: Subsampling::S420 };
        let quantizers = Quantizer::pair(60);
        let mut blocks = Vec::new();
        Coefficients::new(&image, frame).quantize(&quantizers, &mut blocks);
        let mut scan = Vec::new();
        write_scan(&blocks, frame.unit(), TYPICAL_ENCODERS.each_ref(), usize::MAX, &mut scan);
        let shared = encode(&image, 60, Subsampling::S420, Packing::Shared);
        assert_eq!(shared, [&[60 | 0x80][..], &scan].concat());
    }

    #[test]
    fn a_file_is_never_longer_than_with_typical_tables() {
        // Noise uses nearly all symbols in nearly the typical way: the only case where those may win.
        for image in [planar(&noise(64, 64, 3)), planar(&scene(64, 64, 3))] {
            for quality in [20, 50, 80] {
                let subsampling = Subsampling::S444;
                let file = encode(&image, quality, subsampling, Packing::File).len();
                let scan = encode(&image, quality, subsampling, Packing::Shared).len() - 1;
                assert!(file <= scan + overhead(&TYPICAL), "{file} {scan}");
            }
        }
    }

    #[test]
    fn a_length_limit_is_exact() {
        let image = planar(&noise(24, 24, 4));
        let frame = Frame { height: 24, width: 24, subsampling: Subsampling::S444 };
        let quantizers = Quantizer::pair(30);
        let mut blocks = Vec::new();
        Coefficients::new(&image, frame).quantize(&quantizers, &mut blocks);
        for packing in [Packing::File, Packing::Shared] {
            let len = encode(&image, 30, Subsampling::S444, packing).len();
            for (longest, fits) in [(len, true), (len - 1, false), (0, false)] {
                let mut out = Vec::new();
                assert_eq!(write(&blocks, &frame, (30, &quantizers), packing, longest, &mut out), fits);
            }
        }
    }

    #[test]
    fn sizes_and_qualities_that_were_not_agreed_are_refused() {
        let image = planar(&scene(21, 35, 1));
        let stream = encode(&image, 50, Subsampling::S420, Packing::File);
        assert!(decode(&stream, Packing::File, |_| (21, 34)).is_err());
        let mut stream = encode(&image, 50, Subsampling::S420, Packing::Shared);
        for first in [0, 101, 127, 0x80, 0x80 | 101] {
            stream[0] = first;
            assert!(decode(&stream, Packing::Shared, |_| (21, 35)).is_err());
        }
        assert!(decode(&[], Packing::Shared, |_| (21, 35)).is_err());
    }
}
