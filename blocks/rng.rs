//! Counter-based randomness, keyed by (seed, purpose, frame, user).
//!
//! The key fills the 256-bit key of ChaCha8, so every (seed, purpose, frame, user) owns a stream
//! that no other draw disturbs: results are identical for any schedule and number of threads, and
//! every link of an experiment meets the same fades and the same noise.

use num_complex::Complex32;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// What a stream of random numbers is used for. The numbers are part of every stored result:
/// append, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Purpose {
    /// Fading coefficients.
    Fading = 1,
    /// Receiver noise of the private phase.
    NoisePrivate = 2,
    /// Receiver noise of the common phase.
    NoiseCommon = 3,
    /// Errors of the receiver's channel knowledge.
    CsiError = 4,
    /// Mean SNR of each user.
    UserSnr = 5,
    /// Seeding and random assignment in clustering.
    Clustering = 6,
    /// Procedural scenes.
    Scene = 7,
    /// Order and augmentation of training images.
    Shuffle = 8,
    /// Initial weights.
    Weights = 9,
    /// SNR and channel of a training step.
    TrainingSnr = 10,
    /// Second, independent fade of a frame (the common phase where phases fade independently).
    FadingCommon = 11,
    /// Payload bits where no picture fills them.
    Payload = 12,
    /// Fades that a whole batch shares.
    BatchFading = 13,
    /// First places of an embedding.
    Embedding = 14,
    /// Noise of a receiver's samples.
    SampleNoise = 15,
    /// Walk of an oscillator's phase.
    PhaseNoise = 16,
    /// Gains of the paths that samples take.
    Multipath = 17,
    /// Where samples are lost.
    SampleDrops = 18,
}

/// One stream of random numbers.
pub type KeyedRng = ChaCha8Rng;

/// A family of streams under one seed.
///
/// ```
/// use sememe_blocks::rng::{Purpose, RngKey};
/// let key = RngKey::new(7);
/// let a: Vec<_> = sememe_blocks::rng::complex_normal(&mut key.stream(Purpose::Fading, 0, 3), 1.0, 4);
/// let b: Vec<_> = sememe_blocks::rng::complex_normal(&mut key.stream(Purpose::Fading, 0, 3), 1.0, 4);
/// assert_eq!(a, b);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RngKey {
    seed: u64,
}

impl RngKey {
    /// All streams under this seed.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The seed.
    pub fn seed(self) -> u64 {
        self.seed
    }

    /// The stream of one purpose, frame and user (or group, or index: whatever the purpose counts).
    pub fn stream(self, purpose: Purpose, frame: u64, user: usize) -> KeyedRng {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..12].copy_from_slice(&(purpose as u32).to_le_bytes());
        key[12..20].copy_from_slice(&frame.to_le_bytes());
        key[20..28].copy_from_slice(&(user as u64).to_le_bytes());
        key[28..].copy_from_slice(b"sem1");
        ChaCha8Rng::from_seed(key)
    }
}

/// One sample of the standard normal distribution.
pub fn normal(rng: &mut impl Rng) -> f32 {
    StandardNormal.sample(rng)
}

/// `len` independent samples of CN(0, variance): variance / 2 in each real dimension.
pub fn complex_normal(rng: &mut impl Rng, variance: f32, len: usize) -> Vec<Complex32> {
    let scale = (variance / 2.0).sqrt();
    (0..len).map(|_| Complex32::new(normal(rng) * scale, normal(rng) * scale)).collect()
}

/// Fills `bits` with independent bits, 0 and 1 equally likely; a shorter request gives a prefix of a longer one.
pub fn random_bits(rng: &mut impl Rng, bits: &mut [u8]) {
    for bits in bits.chunks_mut(64) {
        let word = rng.next_u64();
        bits.iter_mut().enumerate().for_each(|(place, bit)| *bit = ((word >> place) & 1) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_independent_of_each_other_and_repeat() {
        let key = RngKey::new(1);
        let first = |p, f, u| key.stream(p, f, u).next_u64();
        let reference = first(Purpose::Fading, 0, 0);
        assert_eq!(reference, first(Purpose::Fading, 0, 0));
        assert_ne!(reference, first(Purpose::CsiError, 0, 0));
        assert_ne!(reference, first(Purpose::Fading, 1, 0));
        assert_ne!(reference, first(Purpose::Fading, 0, 1));
        assert_ne!(reference, RngKey::new(2).stream(Purpose::Fading, 0, 0).next_u64());
    }

    #[test]
    fn complex_normal_has_the_stated_variance() {
        // 200,000 samples: the standard error of the power is 1 / sqrt(200,000) = 0.22 %; 4 sigma.
        let x = complex_normal(&mut RngKey::new(3).stream(Purpose::NoisePrivate, 0, 0), 2.5, 200_000);
        let power = x.iter().map(|v| v.norm_sqr() as f64).sum::<f64>() / x.len() as f64;
        let real = x.iter().map(|v| (v.re as f64).powi(2)).sum::<f64>() / x.len() as f64;
        assert!((power / 2.5 - 1.0).abs() < 0.009, "power {power}");
        assert!((real / 1.25 - 1.0).abs() < 0.013, "real part {real}");
    }
    #[test]
    fn random_bits_are_fair_and_a_prefix_of_more() {
        let mut bits = vec![7; 100_000];
        random_bits(&mut RngKey::new(3).stream(Purpose::Payload, 0, 0), &mut bits);
        let ones: usize = bits.iter().map(|bit| usize::from(*bit)).sum();
        // 4 sigma of 100,000 fair bits are 632.
        assert!(bits.iter().all(|bit| *bit <= 1) && ones.abs_diff(50_000) < 632, "{ones} ones");
        let mut prefix = [7; 70];
        random_bits(&mut RngKey::new(3).stream(Purpose::Payload, 0, 0), &mut prefix);
        assert_eq!(prefix, bits[..70]);
    }
}
