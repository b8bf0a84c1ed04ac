//! The six cyclic redundancy checks of 5G NR.
//!
//! The parity bits are the remainder of the message, shifted by the length of the check, divided by the
//! generator polynomial over GF(2): registers start at zero, nothing is reflected or inverted, the first bit
//! is the highest power. Source: 3GPP TS 38.212, section 5.1.

use crate::{BlockError, Result};

/// A generator polynomial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Crc {
    /// D^6 + D^5 + 1.
    Crc6,
    /// D^11 + D^10 + D^9 + D^5 + 1.
    Crc11,
    /// D^16 + D^12 + D^5 + 1.
    Crc16,
    /// D^24 + D^23 + D^18 + D^17 + D^14 + D^11 + D^10 + D^7 + D^6 + D^5 + D^4 + D^3 + D + 1.
    Crc24A,
    /// D^24 + D^23 + D^6 + D^5 + D + 1.
    Crc24B,
    /// D^24 + D^23 + D^21 + D^20 + D^17 + D^15 + D^13 + D^12 + D^8 + D^4 + D^2 + D + 1.
    Crc24C,
}

/// Remainders of all bytes, for a register whose bits stand at the upper end.
type Table = [u32; 256];

impl Crc {
    /// All of them.
    pub const ALL: [Crc; 6] = [Crc::Crc6, Crc::Crc11, Crc::Crc16, Crc::Crc24A, Crc::Crc24B, Crc::Crc24C];

    /// Number of parity bits.
    pub const fn num_bits(self) -> usize {
        match self {
            Crc::Crc6 => 6,
            Crc::Crc11 => 11,
            Crc::Crc16 => 16,
            Crc::Crc24A | Crc::Crc24B | Crc::Crc24C => 24,
        }
    }

    /// Coefficients below the highest, the constant one in the lowest bit.
    const fn polynomial(self) -> u32 {
        match self {
            Crc::Crc6 => 0x21,
            Crc::Crc11 => 0x621,
            Crc::Crc16 => 0x1021,
            Crc::Crc24A => 0x86_4CFB,
            Crc::Crc24B => 0x80_0063,
            Crc::Crc24C => 0xB2_B117,
        }
    }

    /// Parity of a message in bytes, the highest bit of each first; in the low bits, first parity bit highest.
    pub fn of_bytes(self, message: &[u8]) -> u32 {
        let table = self.table();
        let register = message
            .iter()
            .fold(0u32, |register, byte| (register << 8) ^ table[usize::from((register >> 24) as u8 ^ byte)]);
        register >> self.unused()
    }

    /// Parity of a message in bits, one in each byte, first bit first.
    ///
    /// - errors: a byte that is neither 0 nor 1
    pub fn of_bits(self, message: &[u8]) -> Result<u32> {
        if let Some(position) = message.iter().position(|bit| *bit > 1) {
            let found = format!("{} at position {position}", message[position]);
            return Err(BlockError::invalid("bit", found, "0 or 1"));
        }
        let (whole, rest) = message.as_chunks::<8>();
        let packed: Vec<u8> =
            whole.iter().map(|bits| bits.iter().fold(0, |byte, bit| (byte << 1) | bit)).collect();
        let mut register = self.of_bytes(&packed) << self.unused();
        let polynomial = self.polynomial() << self.unused();
        for bit in rest {
            let feedback = (register >> 31) ^ u32::from(*bit);
            register = (register << 1) ^ (feedback * polynomial);
        }
        Ok(register >> self.unused())
    }

    /// The message with its parity bits behind it.
    ///
    /// - errors: a byte that is neither 0 nor 1
    pub fn attach(self, message: &[u8]) -> Result<Vec<u8>> {
        let parity = self.of_bits(message)?;
        let mut bits = message.to_vec();
        bits.extend((0..self.num_bits()).rev().map(|place| ((parity >> place) & 1) as u8));
        Ok(bits)
    }

    /// Whether bits end in the parity of those before; `false` also where there are fewer than parity bits.
    ///
    /// - errors: a byte that is neither 0 nor 1
    pub fn holds(self, bits: &[u8]) -> Result<bool> {
        Ok(bits.len() >= self.num_bits() && self.of_bits(bits)? == 0)
    }

    /// Bits of the register below those of the check.
    const fn unused(self) -> usize {
        32 - self.num_bits()
    }

    fn table(self) -> &'static Table {
        const TABLES: [Table; 6] = {
            let mut tables = [[0; 256]; 6];
            let mut number = 0;
            while number < 6 {
                tables[number] = Crc::ALL[number].remainders();
                number += 1;
            }
            tables
        };
        static REMAINDERS: [Table; 6] = TABLES;
        &REMAINDERS[self as usize]
    }

    const fn remainders(self) -> Table {
        let polynomial = self.polynomial() << self.unused();
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let mut register = (byte as u32) << 24;
            let mut step = 0;
            while step < 8 {
                let feedback = register >> 31;
                register = (register << 1) ^ (feedback * polynomial);
                step += 1;
            }
            table[byte] = register;
            byte += 1;
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Long division as on paper.
    fn division(crc: Crc, message: &[u8]) -> u32 {
        let len = crc.num_bits();
        let mut bits = [message, &vec![0; len]].concat();
        let divisor: Vec<u8> = std::iter::once(1)
            .chain((0..len).rev().map(|place| ((crc.polynomial() >> place) & 1) as u8))
            .collect();
        for start in 0..message.len() {
            if bits[start] == 1 {
                bits[start..].iter_mut().zip(&divisor).for_each(|(bit, divisor)| *bit ^= divisor);
            }
        }
        bits[message.len()..].iter().fold(0, |parity, bit| (parity << 1) | u32::from(*bit))
    }

    #[test]
    fn published_check_values() {
        // Catalogue of parametrised CRC algorithms: CRC-16/XMODEM, CRC-24/LTE-A, CRC-24/LTE-B.
        for (crc, check) in [(Crc::Crc16, 0x31C3), (Crc::Crc24A, 0xCD_E703), (Crc::Crc24B, 0x23_EF52)] {
            assert_eq!(crc.of_bytes(b"123456789"), check, "{crc:?}");
        }
    }

    #[test]
    fn messages_of_an_independent_implementation() {
        let vectors = [
            (Crc::Crc6, "1000110101", "110011"),
            (Crc::Crc11, "1100001001", "00111011000"),
            (Crc::Crc16, "1011001000", "0011111000100110"),
            (Crc::Crc24A, "1111101000", "001011000010010101111110"),
            (Crc::Crc24B, "1000011110", "100000001000001110011101"),
            (Crc::Crc24C, "1111110010", "101010011000100001010001"),
        ];
        let bits = |text: &str| -> Vec<u8> { text.bytes().map(|digit| digit - b'0').collect() };
        for (crc, message, parity) in vectors {
            assert_eq!(crc.attach(&bits(message)).unwrap(), bits(&[message, parity].concat()), "{crc:?}");
        }
    }

    #[test]
    fn every_short_burst_of_errors_is_found() {
        for crc in Crc::ALL {
            let message: Vec<u8> = (0..57).map(|i| u8::from(i % 3 == 0 || i % 7 == 2)).collect();
            let sent = crc.attach(&message).unwrap();
            assert!(crc.holds(&sent).unwrap());
            // A burst of length L begins and ends with an error; what lies between does not matter.
            for len in 1..=crc.num_bits() {
                for start in 0..=sent.len() - len {
                    let mut received = sent.clone();
                    received[start] ^= 1;
                    if len > 1 {
                        received[start + len - 1] ^= 1;
                    }
                    assert!(!crc.holds(&received).unwrap(), "{crc:?}: {len} from {start}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_bit_is_refused_and_what_is_too_short_does_not_hold() {
        assert!(Crc::Crc6.attach(&[0, 1, 2]).unwrap_err().to_string().contains("2 at position 2"));
        assert!(Crc::Crc24A.holds(&[1; 400]).is_ok());
        assert!(!Crc::Crc24A.holds(&[0; 23]).unwrap());
        assert_eq!(Crc::Crc24C.of_bytes(&[]), 0);
    }

    proptest! {
        #[test]
        fn equals_long_division(bits in proptest::collection::vec(0u8..2, 0..200), which in 0usize..6) {
            let crc = Crc::ALL[which];
            prop_assert_eq!(crc.of_bits(&bits).unwrap(), division(crc, &bits));
            let sent = crc.attach(&bits).unwrap();
            prop_assert_eq!(sent.len(), bits.len() + crc.num_bits());
            prop_assert!(crc.holds(&sent).unwrap());
        }

        #[test]
        fn bytes_are_their_bits(bytes in proptest::collection::vec(any::<u8>(), 0..64), which in 0usize..6) {
            let bits: Vec<u8> =
                bytes.iter().flat_map(|byte| (0..8).rev().map(move |place| (byte >> place) & 1)).collect();
            prop_assert_eq!(Crc::ALL[which].of_bytes(&bytes), Crc::ALL[which].of_bits(&bits).unwrap());
        }
    }
}
