//! The entropy-coded segment, written. Source: ITU-T T.81, F.1.2.

use super::huffman::{EncoderTable, TablePair};
use super::optimal::Histogram;
use super::quantizer::Block;

/// Sixteen zeros in a row.
const ZERO_RUN: u8 = 0xF0;
/// Nothing but zeros up to the end of the block.
const END_OF_BLOCK: u8 = 0x00;

/// Calls `each` for all symbols of a block in order.
///
/// - each: whether the symbol is of the difference table, the symbol, and a level whose bits follow it
fn for_each_symbol(block: &Block, difference: i16, mut each: impl FnMut(bool, u8, i16)) {
    each(true, category(difference), difference);
    let mut rest = block.nonzero & !1;
    let mut previous = 0;
    while rest != 0 {
        let place = rest.trailing_zeros();
        rest &= rest - 1;
        let mut zeros = place - previous - 1;
        while zeros > 15 {
            each(false, ZERO_RUN, 0);
            zeros -= 16;
        }
        let level = block.levels[place as usize];
        each(false, (zeros as u8) << 4 | category(level), level);
        previous = place;
    }
    if previous != 63 {
        each(false, END_OF_BLOCK, 0);
    }
}

/// Number of bits of a magnitude.
fn category(level: i16) -> u8 {
    (16 - level.unsigned_abs().leading_zeros()) as u8
}

/// Runs through the blocks of a scan with the difference of each mean level to the one before it.
fn with_differences<'a>(
    blocks: &'a [Block],
    unit: &'static [usize],
) -> impl Iterator<Item = (usize, &'a Block, i16)> {
    let mut previous = [0i16; 3];
    blocks.iter().zip(unit.iter().cycle()).map(move |(block, &component)| {
        let difference = block.levels[0] - previous[component];
        previous[component] = block.levels[0];
        (component, block, difference)
    })
}

/// Counts the symbols of luminance and chrominance.
///
/// - unit: component of each block of a unit
pub(super) fn histograms(blocks: &[Block], unit: &'static [usize]) -> [TablePair<Histogram>; 2] {
    let mut counts = [(); 2].map(|()| TablePair { dc: [0; 256], ac: [0; 256] });
    for (component, block, difference) in with_differences(blocks, unit) {
        let TablePair { dc, ac } = &mut counts[component.min(1)];
        for_each_symbol(block, difference, |is_difference, symbol, _| {
            let histogram: &mut Histogram = if is_difference { &mut *dc } else { &mut *ac };
            histogram[usize::from(symbol)] += 1;
        });
    }
    counts
}

/// Bits that the counted symbols need, with the bits that follow them, without stuffing.
pub(super) fn num_bits(counts: &TablePair<Histogram>, tables: &TablePair<EncoderTable>) -> u64 {
    let bits = |histogram: &Histogram, table: &EncoderTable| -> u64 {
        let costs = histogram
            .iter()
            .zip(0..=255u8)
            .map(|(count, symbol)| u64::from(*count) * u64::from(table.code(symbol).0 + (symbol & 15)));
        costs.sum()
    };
    bits(&counts.dc, &tables.dc) + bits(&counts.ac, &tables.ac)
}

/// Appends the segment of all blocks; every symbol must have a code.
///
/// - unit: component of each block of a unit
/// - returns: `false` once `out` exceeds `longest` bytes, where it stops
pub(super) fn write_scan(
    blocks: &[Block],
    unit: &'static [usize],
    tables: [&TablePair<EncoderTable>; 2],
    longest: usize,
    out: &mut Vec<u8>,
) -> bool {
    let mut bits = BitWriter { out, waiting: 0, num_waiting: 0 };
    for (component, block, difference) in with_differences(blocks, unit) {
        let TablePair { dc, ac } = tables[component.min(1)];
        for_each_symbol(block, difference, |is_difference, symbol, level| {
            let (len, code) = if is_difference { dc.code(symbol) } else { ac.code(symbol) };
            let category = symbol & 15;
            // Negative levels are sent less 1, of which the low bits are kept.
            let follow = (level + (level >> 15)) as u16 & ((1u32 << category) - 1) as u16;
            bits.put(u32::from(code) << category | u32::from(follow), u32::from(len + category));
        });
        if bits.out.len() > longest {
            return false;
        }
    }
    bits.finish();
    out.len() <= longest
}

/// Collects bits into bytes, first bit highest; a byte FF is followed by one of zeros.
struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// The low `num_waiting` bits are not written yet.
    waiting: u64,
    num_waiting: u32,
}

impl BitWriter<'_> {
    /// - len: at most 32
    fn put(&mut self, bits: u32, len: u32) {
        self.waiting = self.waiting << len | u64::from(bits);
        self.num_waiting += len;
        if self.num_waiting >= 32 {
            self.num_waiting -= 32;
            self.flush(((self.waiting >> self.num_waiting) as u32).to_be_bytes());
        }
    }

    fn flush<const N: usize>(&mut self, bytes: [u8; N]) {
        if bytes.contains(&0xFF) {
            self.out.extend(
                bytes.iter().flat_map(|byte| std::iter::once(*byte).chain((*byte == 0xFF).then_some(0))),
            );
        } else {
            self.out.extend_from_slice(&bytes);
        }
    }

    /// Fills the last byte with ones.
    fn finish(mut self) {
        let unfilled = self.num_waiting.wrapping_neg() % 8;
        self.put((1 << unfilled) - 1, unfilled);
        while self.num_waiting > 0 {
            self.num_waiting -= 8;
            self.flush([(self.waiting >> self.num_waiting) as u8]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::huffman::TYPICAL;
    use super::super::optimal::optimal_table;
    use super::*;

    const ONE_COMPONENT: &[usize] = &[0];

    fn block(levels: &[(usize, i16)]) -> Block {
        let mut block = Block::EMPTY;
        levels.iter().for_each(|(place, level)| block.set(*place, *level));
        block
    }

    fn written(blocks: &[Block]) -> Vec<u8> {
        let tables = TYPICAL.each_ref().map(|pair| pair.map(EncoderTable::new));
        let mut out = Vec::new();
        assert!(write_scan(blocks, ONE_COMPONENT, tables.each_ref(), usize::MAX, &mut out));
        out
    }

    #[test]
    fn blocks_written_by_hand() {
        // Difference 0: 00; end of block: 1010; filled with ones.
        assert_eq!(written(&[Block::EMPTY]), [0b0010_1011]);
        // Difference 3: 011 11. One zero, then -1: 1100 0. End of block 1010. Ones.
        assert_eq!(written(&[block(&[(0, 3), (2, -1)])]), [0b0111_1110, 0b0010_1011]);
        // Difference -2: 011 01; end of block 1010; then, of an equal mean level, 00 and 1010. Ones.
        assert_eq!(written(&[block(&[(0, -2)]); 2]), [0b0110_1101, 0b0001_0101]);
    }

    #[test]
    fn long_runs_and_full_blocks() {
        let mut symbols = Vec::new();
        for_each_symbol(&block(&[(35, 5), (63, 1)]), 0, |_, symbol, _| symbols.push(symbol));
        assert_eq!(symbols, [0, ZERO_RUN, ZERO_RUN, 0x23, ZERO_RUN, 0xB1]);
    }

    #[test]
    fn bytes_of_ones_are_stuffed() {
        let mut out = Vec::new();
        let mut bits = BitWriter { out: &mut out, waiting: 0, num_waiting: 0 };
        bits.put(0x7FF, 11);
        bits.put(0, 1);
        bits.put(u32::MAX, 32);
        bits.finish();
        assert_eq!(out, [0xFF, 0, 0b1110_1111, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0]);
    }

    #[test]
    fn writing_stops_at_the_limit() {
        let tables = TYPICAL.each_ref().map(|pair| pair.map(EncoderTable::new));
        let blocks = vec![block(&[(0, 900), (1, 77), (9, -400)]); 200];
        let full = written(&blocks).len();
        let mut out = Vec::new();
        assert!(write_scan(&blocks, ONE_COMPONENT, tables.each_ref(), full, &mut out));
        out.clear();
        assert!(!write_scan(&blocks, ONE_COMPONENT, tables.each_ref(), full - 1, &mut out));
        out.clear();
        assert!(!write_scan(&blocks, ONE_COMPONENT, tables.each_ref(), 100, &mut out));
        assert!(out.len() < 150);
    }

    #[test]
    fn counted_bits_are_those_written() {
        let blocks: Vec<Block> =
            (0..50i16).map(|i| block(&[(0, 3 * i), (i as usize + 1, i - 25), (63, 1)])).collect();
        let [counts, _] = histograms(&blocks, ONE_COMPONENT);
        let typical = TYPICAL[0].map(EncoderTable::new);
        let stuffing = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == 0xFF).count();
        let plain = written(&blocks);
        assert_eq!(num_bits(&counts, &typical).div_ceil(8) as usize, plain.len() - stuffing(&plain));
        let best = counts.map(optimal_table).map(EncoderTable::new);
        assert!(num_bits(&counts, &best) < num_bits(&counts, &typical));
        let mut out = Vec::new();
        assert!(write_scan(&blocks, ONE_COMPONENT, [&best; 2], usize::MAX, &mut out));
        assert_eq!(num_bits(&counts, &best).div_ceil(8) as usize, out.len() - stuffing(&out));
    }
}
