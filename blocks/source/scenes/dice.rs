//! Draws from one keyed stream. The conversions are our own, so that scenes do not change with the
//! version of a library.

use crate::rng::{self, KeyedRng};
use rand::Rng;

/// One stream of draws.
pub(super) struct Dice(KeyedRng);

impl Dice {
    pub fn new(rng: KeyedRng) -> Self {
        Self(rng)
    }

    /// Uniform in [0, 1), in steps of 2^-24.
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Uniform between two values.
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    /// One of 0 to n - 1; 0 where n is 0. The bias is below n / 2^64.
    pub fn pick(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// An angle in radians, all around.
    pub fn angle(&mut self) -> f32 {
        self.range(0.0, std::f32::consts::TAU)
    }

    /// 32 random bits, for lattice noise.
    pub fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f32 {
        rng::normal(&mut self.0)
    }

    /// Puts a slice into random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.pick(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey};

    fn dice() -> Dice {
        Dice::new(RngKey::new(5).stream(Purpose::Scene, 0, 0))
    }

    #[test]
    fn draws_are_uniform() {
        let mut dice = dice();
        // 60,000 draws: a count of 10,000 has a standard deviation of 91; 4 sigma.
        let mut counts = [0i32; 6];
        (0..60_000).for_each(|_| counts[dice.pick(6)] += 1);
        assert!(counts.iter().all(|c| (c - 10_000).abs() < 365), "{counts:?}");
        // The mean of 60,000 uniforms has a standard deviation of 0.289 / 245 = 0.0012; 4 sigma.
        let mean = (0..60_000).map(|_| f64::from(dice.range(2.0, 4.0))).sum::<f64>() / 60_000.0;
        assert!((mean - 3.0).abs() < 0.0095, "{mean}");
        assert!((0..1000).all(|_| (0.0..1.0).contains(&dice.unit())));
    }

    #[test]
    fn a_shuffle_reaches_every_order() {
        let mut dice = dice();
        let mut counts = std::collections::BTreeMap::<[u8; 3], i32>::new();
        for _ in 0..6000 {
            let mut items = [1, 2, 3];
            dice.shuffle(&mut items);
            *counts.entry(items).or_default() += 1;
        }
        // Each of the 6 orders 1,000 times with a standard deviation of 29; 4 sigma.
        assert!(counts.len() == 6 && counts.values().all(|c| (c - 1000).abs() < 116), "{counts:?}");
        dice.shuffle::<u8>(&mut []);
    }
}
