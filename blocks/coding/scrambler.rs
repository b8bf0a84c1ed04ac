//! Scrambling with the Gold sequence of NR: other cells and users look like noise, long runs vanish.
//!
//! Source: 3GPP TS 38.211, section 5.2.1 (sequence, N_C = 1600) and 7.3.1.1 (initial value).

use crate::{BlockError, Result};

/// Steps before the first bit that is used, N_C.
const SKIPPED: usize = 1600;
/// Bits given in one step: feedback reaches back 31 bits and takes in those up to the 4th, so 28 follow at
/// once.
const STEP: usize = 28;

/// Who sends what to whom: the initial value of the scrambling sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScramblingIds {
    /// Radio network temporary identifier of the user, n_RNTI.
    pub n_rnti: u16,
    /// Number of the codeword, q: 0 or 1.
    pub codeword: u8,
    /// Identity of cell or user, n_ID: 0 to 1023.
    pub n_id: u16,
}

impl ScramblingIds {
    /// The initial value c_init = n_RNTI 2^15 + q 2^14 + n_ID.
    ///
    /// - errors: q above 1, n_ID above 1023
    pub fn seed(self) -> Result<u32> {
        if self.codeword > 1 {
            return Err(BlockError::invalid("codeword of the scrambler", self.codeword, "0 or 1"));
        }
        if self.n_id > 1023 {
            return Err(BlockError::invalid("n_ID of the scrambler", self.n_id, "0 to 1023"));
        }
        Ok((u32::from(self.n_rnti) << 15) | (u32::from(self.codeword) << 14) | u32::from(self.n_id))
    }
}

/// Scrambles bits in place; a second time undoes it.
///
/// - seed: c_init; bit 31 does not count
pub fn scramble_bits(seed: u32, bits: &mut [u8]) {
    let mut sequence = Gold::new(seed);
    for chunk in bits.chunks_mut(STEP) {
        let word = sequence.next_bits();
        chunk.iter_mut().enumerate().for_each(|(place, bit)| *bit ^= ((word >> place) & 1) as u8);
    }
}

/// Turns the LLRs of scrambled bits into those of the bits before, in place: the sign changes where a one was
/// added.
///
/// - seed: c_init; bit 31 does not count
pub fn descramble_llrs(seed: u32, llrs: &mut [f32]) {
    let mut sequence = Gold::new(seed);
    for chunk in llrs.chunks_mut(STEP) {
        let word = sequence.next_bits();
        for (place, llr) in chunk.iter_mut().enumerate() {
            *llr = f32::from_bits(llr.to_bits() ^ ((word >> place) << 31));
        }
    }
}

/// The two shift registers; the next bit of each stands lowest.
struct Gold {
    x1: u32,
    x2: u32,
}

impl Gold {
    fn new(seed: u32) -> Self {
        let mut sequence = Self { x1: 1, x2: seed & 0x7FFF_FFFF };
        for _ in 0..SKIPPED / STEP {
            sequence.advance(STEP);
        }
        sequence.advance(SKIPPED % STEP);
        sequence
    }

    /// The next bits of the sequence, the first lowest; those above are undefined.
    fn next_bits(&mut self) -> u32 {
        let bits = self.x1 ^ self.x2;
        self.advance(STEP);
        bits
    }

    /// At most `STEP` bits on: x1(n + 31) = x1(n + 3) + x1(n) and
    /// x2(n + 31) = x2(n + 3) + x2(n + 2) + x2(n + 1) + x2(n).
    fn advance(&mut self, bits: usize) {
        let mask = (1 << bits) - 1;
        let new1 = (self.x1 ^ (self.x1 >> 3)) & mask;
        let new2 = (self.x2 ^ (self.x2 >> 1) ^ (self.x2 >> 2) ^ (self.x2 >> 3)) & mask;
        self.x1 = (self.x1 >> bits) | (new1 << (31 - bits));
        self.x2 = (self.x2 >> bits) | (new2 << (31 - bits));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sequence bit by bit, as the standard writes it.
    fn one_by_one(seed: u32, len: usize) -> Vec<u8> {
        let (mut x1, mut x2) = (vec![0u8; 31], vec![0u8; 31]);
        x1[0] = 1;
        x2.iter_mut().enumerate().for_each(|(place, bit)| *bit = ((seed >> place) & 1) as u8);
        for n in 0..SKIPPED + len {
            x1.push(x1[n + 3] ^ x1[n]);
            x2.push(x2[n + 3] ^ x2[n + 2] ^ x2[n + 1] ^ x2[n]);
        }
        (SKIPPED..SKIPPED + len).map(|n| x1[n] ^ x2[n]).collect()
    }

    #[test]
    fn the_sequence_is_that_of_the_standard() {
        for seed in [0, 1, 42, (1 << 15) + 42, 0x7FFF_FFFF] {
            for len in [0, 1, 27, 28, 29, 500] {
                let mut bits = vec![0; len];
                scramble_bits(seed, &mut bits);
                assert_eq!(bits, one_by_one(seed, len), "{seed} {len}");
            }
        }
    }

    #[test]
    fn llrs_change_sign_where_bits_change() {
        let mut bits = vec![0; 100];
        scramble_bits(77, &mut bits);
        let mut llrs = vec![1.5; 100];
        llrs[3] = f32::NAN;
        llrs[4] = f32::INFINITY;
        descramble_llrs(77, &mut llrs);
        assert!(llrs[3].is_nan() && llrs[4].is_infinite());
        let turned = llrs.iter().zip(&bits).filter(|(llr, _)| !llr.is_nan());
        assert!(turned.into_iter().all(|(llr, bit)| (*llr < 0.0) == (*bit == 1)));
    }

    #[test]
    fn scrambling_twice_gives_the_bits_back() {
        let mut bits: Vec<u8> = (0..999).map(|i| u8::from(i % 5 == 2)).collect();
        let before = bits.clone();
        scramble_bits(12345, &mut bits);
        assert_ne!(bits, before);
        scramble_bits(12345, &mut bits);
        assert_eq!(bits, before);
    }

    #[test]
    fn the_seed_holds_all_identities_and_others_are_refused() {
        let ids = ScramblingIds { n_rnti: 65535, codeword: 1, n_id: 1023 };
        assert_eq!(ids.seed().unwrap(), (65535 << 15) + (1 << 14) + 1023);
        assert!(ScramblingIds { n_id: 1024, ..ids }.seed().unwrap_err().to_string().contains("0 to 1023"));
        assert!(ScramblingIds { codeword: 2, ..ids }.seed().unwrap_err().to_string().contains("0 or 1"));
    }
}
