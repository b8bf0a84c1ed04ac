//! The entropy-coded segment, read from bytes that may hold anything. Source: ITU-T T.81, F.2.2.

use super::frame::Frame;
use super::huffman::{DecoderTable, TablePair};
use super::quantizer::Block;
use crate::picture::Damaged;

/// Mean levels of pictures of 8 bits stay within, whatever the step.
const LARGEST_MEAN_LEVEL: i32 = 2047;

/// The blocks of a picture; what follows the last of them is not looked at.
///
/// - tables: of each component
/// - errors: bits that are no code, runs beyond the end of a block, levels that no picture has, or an end
///   before the last block
pub(super) fn read_scan(
    bytes: &[u8],
    frame: &Frame,
    tables: [&TablePair<DecoderTable>; 3],
) -> Result<Vec<Block>, Damaged> {
    let num_blocks = frame.num_blocks();
    // Every block takes at least two bits: a short stream cannot make a reader reserve a large picture.
    if num_blocks > 4 * bytes.len() {
        return Err(Damaged::because("the scan is shorter than any picture of this size"));
    }
    let mut bits = BitReader { bytes: bytes.iter(), waiting: 0, num_waiting: 0 };
    let mut means = [0i32; 3];
    let mut blocks = Vec::with_capacity(num_blocks);
    for &component in frame.unit().iter().cycle().take(num_blocks) {
        let TablePair { dc, ac } = tables[component];
        let mut block = Block::EMPTY;
        let category = bits.symbol(dc)?;
        if category > 11 {
            return Err(Damaged::because("a difference has too many bits"));
        }
        means[component] += bits.level(category)?;
        if means[component].abs() > LARGEST_MEAN_LEVEL {
            return Err(Damaged::because("a mean level is out of range"));
        }
        block.set(0, means[component] as i16);
        read_rest(&mut bits, ac, &mut block)?;
        blocks.push(block);
    }
    Ok(blocks)
}

/// All levels of a block but the first.
fn read_rest(bits: &mut BitReader<'_>, table: &DecoderTable, block: &mut Block) -> Result<(), Damaged> {
    let mut place = 1;
    while place < 64 {
        let symbol = bits.symbol(table)?;
        let (zeros, category) = (usize::from(symbol >> 4), symbol & 15);
        match category {
            0 if zeros == 15 => place += 16,
            0 if zeros == 0 => return Ok(()),
            1..=10 => {
                place += zeros;
                if place > 63 {
                    return Err(Damaged::because("a run exceeds its block"));
                }
                block.set(place, bits.level(category)? as i16);
                place += 1;
            }
            _ => return Err(Damaged::because("a symbol that baseline pictures do not use")),
        }
    }
    if place > 64 { Err(Damaged::because("a run exceeds its block")) } else { Ok(()) }
}

/// Takes bits from bytes, first bit highest, without the zeros stuffed behind FF; a marker is the end.
struct BitReader<'a> {
    bytes: std::slice::Iter<'a, u8>,
    /// The low `num_waiting` bits are not taken yet.
    waiting: u64,
    num_waiting: u32,
}

impl BitReader<'_> {
    /// Waits for at least 32 bits, unless the end is near.
    fn fill(&mut self) {
        while self.num_waiting <= 32 {
            let Some(byte) = self.bytes.next() else { return };
            if *byte == 0xFF && self.bytes.next() != Some(&0) {
                self.bytes = [].iter();
                return;
            }
            self.waiting = self.waiting << 8 | u64::from(*byte);
            self.num_waiting += 8;
        }
    }

    fn symbol(&mut self, table: &DecoderTable) -> Result<u8, Damaged> {
        self.fill();
        let next = if self.num_waiting >= 16 {
            self.waiting >> (self.num_waiting - 16)
        } else {
            self.waiting << (16 - self.num_waiting)
        };
        let (symbol, len) = table.symbol(next as u16).ok_or(Damaged::because("bits that are no code"))?;
        self.take(u32::from(len))?;
        Ok(symbol)
    }

    /// A level of a category: the bits of a magnitude, or for a negative level their complement.
    ///
    /// - category: at most 16
    fn level(&mut self, category: u8) -> Result<i32, Damaged> {
        self.fill();
        let bits = self.take(u32::from(category))? as i32;
        let negative = bits < (1 << category) >> 1;
        Ok(if negative { bits + 1 - (1 << category) } else { bits })
    }

    fn take(&mut self, len: u32) -> Result<u64, Damaged> {
        let left = self.num_waiting.checked_sub(len).ok_or(Damaged::because("the scan ends early"))?;
        let bits = self.waiting >> left & ((1 << len) - 1);
        self.num_waiting = left;
        Ok(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::super::huffman::{EncoderTable, TYPICAL};
    use super::super::scan_writer::write_scan;
    use super::*;
    use crate::picture::Subsampling;
    use proptest::prelude::*;

    fn frame(subsampling: Subsampling) -> Frame {
        Frame { height: 20, width: 40, subsampling }
    }

    fn read(bytes: &[u8], frame: &Frame) -> Result<Vec<Block>, Damaged> {
        let [luminance, chrominance] =
            TYPICAL.each_ref().map(|pair| pair.map(|t| DecoderTable::new(t).unwrap()));
        read_scan(bytes, frame, [&luminance, &chrominance, &chrominance])
    }

    fn written(blocks: &[Block], frame: &Frame) -> Vec<u8> {
        let tables = TYPICAL.each_ref().map(|pair| pair.map(EncoderTable::new));
        let mut out = Vec::new();
        assert!(write_scan(blocks, frame.unit(), tables.each_ref(), usize::MAX, &mut out));
        out
    }

    /// Bytes of codes written as text, filled with zeros.
    fn packed(codes: &[&str]) -> Vec<u8> {
        let bits: Vec<u8> = codes.concat().bytes().map(|digit| digit - b'0').collect();
        let bytes =
            bits.chunks(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit) << (8 - bits.len()));
        bytes.flat_map(|byte: u8| if byte == 0xFF { vec![byte, 0] } else { vec![byte] }).collect()
    }

    #[test]
    fn a_scan_without_its_last_byte_is_refused_and_more_bytes_change_nothing() {
        let frame = frame(Subsampling::S444);
        let mut blocks = vec![Block::EMPTY; frame.num_blocks()];
        blocks.iter_mut().enumerate().for_each(|(number, block)| block.set(0, number as i16 - 20));
        let bytes = written(&blocks, &frame);
        assert_eq!(read(&bytes, &frame).unwrap(), blocks);
        assert_eq!(read(&[&bytes[..], &[0xFF, 0xD9, 1]].concat(), &frame).unwrap(), blocks);
        assert_eq!(read(&[&bytes[..], &[0; 9]].concat(), &frame).unwrap(), blocks);
        for len in 0..bytes.len() {
            assert!(read(&bytes[..len], &frame).is_err(), "{len}");
        }
    }

    #[test]
    fn impossible_scans_are_refused() {
        let frame = Frame { height: 8, width: 8, subsampling: Subsampling::S444 };
        let reason = |bytes: &[u8]| read(bytes, &frame).unwrap_err().to_string();
        // A difference of 11 bits, 1111 1111 0 1111..., twice of the same component is not possible here, so
        // one of 2047 is followed in another unit by a second.
        let wide = Frame { width: 16, ..frame };
        let mut blocks = vec![Block::EMPTY; 6];
        blocks[0].set(0, 2047);
        blocks[3].set(0, 2047);
        assert!(read(&written(&blocks, &wide), &wide).is_ok());
        blocks[3].set(0, 2048);
        assert!(read(&written(&blocks, &wide), &wide).unwrap_err().to_string().contains("out of range"));
        // Difference 0, then sixteen zeros four times: 64 levels behind the first.
        assert!(
            reason(&packed(&["00", "11111111001", "11111111001", "11111111001", "11111111001"]))
                .contains("exceeds")
        );
        // Fifteen zeros and a level (F/1) five times.
        assert!(reason(&packed(&["00", &"11111111111101010".repeat(5)])).contains("exceeds"));
        assert!(reason(&[0xFF, 0, 0xFF, 0, 0xFF, 0]).contains("no code"));
        assert!(reason(&[0xFF, 0xD9, 0, 0]).contains("early"));
        assert!(reason(&[]).contains("shorter"));
    }

    proptest! {
        #[test]
        fn blocks_come_back(
            levels in proptest::collection::vec((0usize..6 * 12, 1usize..64, -1023i16..=1023), 0..300),
            means in proptest::collection::vec(-1023i16..=1023, 6 * 12),
            full in any::<bool>(),
        ) {
            let frame = frame(if full { Subsampling::S444 } else { Subsampling::S420 });
            let mut blocks = vec![Block::EMPTY; frame.num_blocks()];
            means.iter().zip(&mut blocks).for_each(|(mean, block)| block.set(0, *mean));
            for (number, place, level) in levels.into_iter().filter(|(.., level)| *level != 0) {
                let number = number % blocks.len();
                blocks[number].set(place, level);
            }
            prop_assert_eq!(read(&written(&blocks, &frame), &frame).unwrap(), blocks);
        }
    }
}
