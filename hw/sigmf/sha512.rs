//! SHA-512, which names the bytes of a recording.
//! Source: FIPS 180-4, sections 4.1.3, 5.1.2, 5.3.5 and 6.4.

const BLOCK_LEN: usize = 128;

/// First 64 bits of the fractional parts of the square roots of the first eight primes.
const START: [u64; 8] = [
    0x6a09e667f3bcc908,
    0xbb67ae8584caa73b,
    0x3c6ef372fe94f82b,
    0xa54ff53a5f1d36f1,
    0x510e527fade682d1,
    0x9b05688c2b3e6c1f,
    0x1f83d9abfb41bd6b,
    0x5be0cd19137e2179,
];

/// First 64 bits of the fractional parts of the cube roots of the first eighty primes.
#[rustfmt::skip]
const ROUNDS: [u64; 80] = [
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
];

/// Digests bytes as they come.
#[derive(Clone, Debug)]
pub(super) struct Sha512 {
    state: [u64; 8],
    block: [u8; BLOCK_LEN],
    len: u128,
}

impl Sha512 {
    pub(super) fn new() -> Self {
        Self { state: START, block: [0; BLOCK_LEN], len: 0 }
    }

    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        let filled = (self.len % BLOCK_LEN as u128) as usize;
        self.len += bytes.len() as u128;
        if filled > 0 {
            let taken = bytes.len().min(BLOCK_LEN - filled);
            self.block[filled..filled + taken].copy_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if filled + taken < BLOCK_LEN {
                return;
            }
            compress(&mut self.state, &self.block);
        }
        let (blocks, rest) = bytes.as_chunks::<BLOCK_LEN>();
        for block in blocks {
            compress(&mut self.state, block);
        }
        self.block[..rest.len()].copy_from_slice(rest);
    }

    /// The 128 lower-case digits of what has come so far; more may follow.
    pub(super) fn hex(&self) -> String {
        let mut padded = self.clone();
        let filled = (self.len % BLOCK_LEN as u128) as usize;
        // One bit, zeros, and the length in bits in the last 16 bytes of a block.
        let zeros = (2 * BLOCK_LEN - 17 - filled) % BLOCK_LEN;
        padded.update(&[0x80]);
        padded.update(&[0; BLOCK_LEN][..zeros]);
        padded.update(&(self.len * 8).to_be_bytes());
        padded.state.iter().map(|word| format!("{word:016x}")).collect()
    }
}

fn compress(state: &mut [u64; 8], block: &[u8; BLOCK_LEN]) {
    let mut schedule = [0; 80];
    let (words, _) = block.as_chunks::<8>();
    for (entry, word) in schedule.iter_mut().zip(words) {
        *entry = u64::from_be_bytes(*word);
    }
    for t in 16..80 {
        let (early, late) = (schedule[t - 15], schedule[t - 2]);
        let early = early.rotate_right(1) ^ early.rotate_right(8) ^ (early >> 7);
        let late = late.rotate_right(19) ^ late.rotate_right(61) ^ (late >> 6);
        schedule[t] = schedule[t - 16].wrapping_add(early).wrapping_add(schedule[t - 7]).wrapping_add(late);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (constant, word) in ROUNDS.iter().zip(schedule) {
        let sum = e.rotate_right(14) ^ e.rotate_right(18) ^ e.rotate_right(41);
        let choice = (e & f) ^ (!e & g);
        let first = h.wrapping_add(sum).wrapping_add(choice).wrapping_add(*constant).wrapping_add(word);
        let sum = a.rotate_right(28) ^ a.rotate_right(34) ^ a.rotate_right(39);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let second = sum.wrapping_add(majority);
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(second));
    }
    for (word, change) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The examples of FIPS 180-4 (NIST, "Examples with intermediate values"): no bytes, 24 bits, 896 bits.
    const EXAMPLES: [(&str, &str); 3] = [
        (
            "",
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
             47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
        ),
        (
            "abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr\
             lmnopqrsmnopqrstnopqrstu",
            "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018\
             501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
        ),
    ];

    #[test]
    fn the_examples_of_the_standard() {
        for (text, digest) in EXAMPLES {
            let mut hash = Sha512::new();
            hash.update(text.as_bytes());
            assert_eq!(hash.hex(), digest, "{text}");
        }
    }

    #[test]
    fn pieces_of_any_length_give_the_digest_of_the_whole() {
        let bytes: Vec<u8> = (0..1000u32).map(|n| (n * 7) as u8).collect();
        for len in [0, 1, 111, 112, 113, 127, 128, 129, 255, 256, 1000] {
            let mut whole = Sha512::new();
            whole.update(&bytes[..len]);
            for piece in [1, 3, 127, 128, 129, 500] {
                let mut pieces = Sha512::new();
                bytes[..len].chunks(piece).for_each(|chunk| pieces.update(chunk));
                assert_eq!(pieces.hex(), whole.hex(), "{len} bytes in pieces of {piece}");
            }
        }
    }

    #[test]
    fn the_table_of_rounds_is_that_of_its_formula() {
        let primes = (2u32..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
        for (prime, constant) in primes.zip(ROUNDS) {
            // A double holds the first 48 bits of the fraction.
            let fraction = f64::from(prime).cbrt().fract();
            assert!((fraction - constant as f64 / 2f64.powi(64)).abs() < 1e-14, "{prime}");
        }
    }
}
