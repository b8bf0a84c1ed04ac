//! Huffman tables: as they travel, as an encoder needs them and as a decoder needs them.
//!
//! Source: ITU-T T.81, Annex C (codes from lengths), F.2.2.3 (decoding), Annex K.3 (typical tables).

use crate::picture::Damaged;
use std::sync::LazyLock;

/// A table as it travels: how many codes have each length, and their symbols by length.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HuffmanTable {
    /// Number of codes of 1 to 16 bits.
    pub(super) counts: [u8; 16],
    /// As many as all counts together, at most 256.
    pub(super) symbols: Vec<u8>,
}

/// The tables of one kind of component.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TablePair<T> {
    /// Differences of mean levels.
    pub(super) dc: T,
    /// All other levels.
    pub(super) ac: T,
}

impl<T> TablePair<T> {
    pub(super) fn map<U>(&self, mut change: impl FnMut(&T) -> U) -> TablePair<U> {
        TablePair { dc: change(&self.dc), ac: change(&self.ac) }
    }
}

const LUMINANCE_AC: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22,
    0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33,
    0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34,
    0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55,
    0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76,
    0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96,
    0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5,
    0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4,
    0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1,
    0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
];

const CHROMINANCE_AC: [u8; 162] = [
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13,
    0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62,
    0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29,
    0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54,
    0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75,
    0x76, 0x77, 0x78, 0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94,
    0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3,
    0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2,
    0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea,
    0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
];

/// The typical tables for luminance and chrominance (K.3 to K.6).
pub(super) static TYPICAL: LazyLock<[TablePair<HuffmanTable>; 2]> = LazyLock::new(|| {
    let table = |counts, symbols: &[u8]| HuffmanTable { counts, symbols: symbols.to_vec() };
    let differences: Vec<u8> = (0..12).collect();
    [
        TablePair {
            dc: table([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], &differences),
            ac: table([0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125], &LUMINANCE_AC),
        },
        TablePair {
            dc: table([0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], &differences),
            ac: table([0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119], &CHROMINANCE_AC),
        },
    ]
});

/// Length and bits of each symbol's code.
#[derive(Clone, Debug)]
pub(super) struct EncoderTable {
    codes: [(u8, u16); 256],
}

impl EncoderTable {
    /// The codes of a table that [`DecoderTable::new`] accepts.
    pub(super) fn new(table: &HuffmanTable) -> Self {
        let mut codes = [(0, 0); 256];
        let mut symbols = table.symbols.iter();
        let mut code = 0u32;
        for (len, count) in (1..).zip(table.counts) {
            for symbol in symbols.by_ref().take(usize::from(count)) {
                codes[usize::from(*symbol)] = (len, code as u16);
                code += 1;
            }
            code <<= 1;
        }
        Self { codes }
    }

    /// Length in bits, 0 for a symbol without a code, and the code in the low bits.
    pub(super) fn code(&self, symbol: u8) -> (u8, u16) {
        self.codes[usize::from(symbol)]
    }
}

/// What turns bits into symbols.
#[derive(Clone, Debug)]
pub(super) struct DecoderTable {
    /// Of each length: one past the last code up to this length, at the upper end of 16 bits.
    ends: [u32; 16],
    /// Of each length: what to add to a code to get the place of its symbol.
    offsets: [i32; 16],
    symbols: Vec<u8>,
}

impl DecoderTable {
    /// - errors: more codes of a length than bits allow, or another number of symbols than of codes
    pub(super) fn new(table: &HuffmanTable) -> Result<Self, Damaged> {
        let (mut ends, mut offsets) = ([0; 16], [0; 16]);
        let (mut code, mut place) = (0u32, 0);
        for len in 0..16 {
            offsets[len] = place - code as i32;
            code += u32::from(table.counts[len]);
            place += i32::from(table.counts[len]);
            if code > 2 << len {
                return Err(Damaged::because("a Huffman table has too many codes"));
            }
            ends[len] = code << (15 - len);
            code <<= 1;
        }
        if place as usize != table.symbols.len() {
            return Err(Damaged::because("a Huffman table has too few symbols"));
        }
        Ok(Self { ends, offsets, symbols: table.symbols.clone() })
    }

    /// The symbol and the length of the code at the upper end of 16 bits; `None` where there is no such code.
    pub(super) fn symbol(&self, bits: u16) -> Option<(u8, u8)> {
        let bits = u32::from(bits);
        let len = self.ends.iter().position(|end| bits < *end)?;
        let code = (bits >> (15 - len)) as i32;
        let symbol = self.symbols.get((code + self.offsets[len]) as usize)?;
        Some((*symbol, len as u8 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_standard() {
        // T.81, tables K.3 and K.5: category 5 of differences; 0/0, 1/1 and F/0 of the rest.
        let [luminance, chrominance] = TYPICAL.each_ref().map(|pair| pair.map(EncoderTable::new));
        assert_eq!(luminance.dc.code(0), (2, 0b00));
        assert_eq!(luminance.dc.code(5), (3, 0b110));
        assert_eq!(luminance.dc.code(11), (9, 0b1_1111_1110));
        assert_eq!(luminance.ac.code(0x00), (4, 0b1010));
        assert_eq!(luminance.ac.code(0x11), (4, 0b1100));
        assert_eq!(luminance.ac.code(0xF0), (11, 0b111_1111_1001));
        assert_eq!(luminance.ac.code(0xFA), (16, 0xFFFE));
        assert_eq!(chrominance.dc.code(11), (11, 0b111_1111_1110));
        assert_eq!(chrominance.ac.code(0x00), (2, 0b00));
        assert_eq!(chrominance.ac.code(0xF0), (10, 0b11_1111_1010));
        assert_eq!(luminance.ac.code(0x0B).0, 0);
    }

    #[test]
    fn typical_tables_name_every_symbol_once() {
        for pair in TYPICAL.iter() {
            let mut symbols = pair.ac.symbols.clone();
            symbols.sort_unstable();
            let expected: Vec<u8> = (0..=255)
                .filter(|symbol| matches!(symbol & 15, 1..=10) || [0, 0xF0].contains(symbol))
                .collect();
            assert_eq!(symbols, expected);
        }
    }

    #[test]
    fn every_code_is_read_back_whatever_follows() {
        for table in TYPICAL.iter().flat_map(|pair| [&pair.dc, &pair.ac]) {
            let (encoder, decoder) = (EncoderTable::new(table), DecoderTable::new(table).unwrap());
            for symbol in &table.symbols {
                let (len, code) = encoder.code(*symbol);
                let high = code << (16 - len);
                for follow in [0, (1u32 << (16 - len)) - 1] {
                    assert_eq!(decoder.symbol(high | follow as u16), Some((*symbol, len)));
                }
            }
            assert_eq!(decoder.symbol(0xFFFF), None);
        }
    }

    #[test]
    fn impossible_tables_are_refused() {
        let table = |counts: [u8; 3], symbols: usize| {
            let mut all = [0; 16];
            all[..3].copy_from_slice(&counts);
            DecoderTable::new(&HuffmanTable { counts: all, symbols: vec![0; symbols] })
        };
        assert!(table([2, 0, 0], 2).is_ok());
        assert!(table([1, 2, 0], 3).is_ok());
        assert!(table([3, 0, 0], 3).is_err());
        assert!(table([1, 2, 1], 4).is_err());
        assert!(table([1, 1, 0], 3).is_err());
        assert_eq!(table([0, 0, 0], 0).unwrap().symbol(0), None);
    }
}
