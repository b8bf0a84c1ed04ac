//! A numerically controlled oscillator: exp(j 2 pi f n), exact however long it runs.
//!
//! The phase is a 64-bit fraction of a turn, so it wraps without error. A table of 64 rotations turns one exact
//! value into 64 samples, which keeps the error of f32 arithmetic from growing.

use num_complex::{Complex32, Complex64};
use std::f64::consts::TAU;

/// Samples between two exact values.
const BLOCK: usize = 64;

/// Rotates samples by a constant frequency.
#[derive(Clone, Debug)]
pub struct Oscillator {
    /// Phase of the first sample, in turns / 2^64.
    start: u64,
    /// Phase of the next sample, in turns / 2^64.
    phase: u64,
    /// Advance per sample, in turns / 2^64.
    step: u64,
    /// Samples since the last exact value.
    place: usize,
    /// Value of the block's first sample.
    anchor: Complex32,
    rotations: Vec<Complex32>,
}

impl Oscillator {
    /// - frequency: cycles per sample; whole cycles do not matter
    /// - phase: of the first sample, in turns
    pub fn new(frequency: f64, phase: f64) -> Self {
        let step = fraction(frequency);
        let rotations = (0..BLOCK as u64).map(|n| value(step.wrapping_mul(n))).collect();
        let phase = fraction(phase);
        Self { start: phase, phase, step, place: 0, anchor: value(phase), rotations }
    }

    /// Goes to a sample, counted from the first one on.
    pub fn seek(&mut self, sample: u64) {
        self.phase = self.start.wrapping_add(self.step.wrapping_mul(sample));
        (self.place, self.anchor) = (0, value(self.phase));
    }

    /// Phase of the next sample, in turns from 0 to 1.
    pub fn phase(&self) -> f64 {
        self.phase as f64 / TURN
    }

    /// Multiplies the next samples by the oscillation.
    pub fn rotate(&mut self, samples: &mut [Complex32]) {
        let mut rest = samples;
        while !rest.is_empty() {
            let len = rest.len().min(BLOCK - self.place);
            let (now, later) = rest.split_at_mut(len);
            let rotations = &self.rotations[self.place..self.place + len];
            let anchor = self.anchor;
            now.iter_mut().zip(rotations).for_each(|(sample, rotation)| *sample *= anchor * rotation);
            self.phase = self.phase.wrapping_add(self.step.wrapping_mul(len as u64));
            self.place += len;
            if self.place == BLOCK {
                (self.place, self.anchor) = (0, value(self.phase));
            }
            rest = later;
        }
    }
}

/// 2^64.
const TURN: f64 = 18_446_744_073_709_551_616.0;

/// The fraction of turns, in turns / 2^64; NaN and infinity are none.
fn fraction(turns: f64) -> u64 {
    // 1.0 itself can come out of rounding; the conversion saturates, and that is as good as 0.
    (turns.rem_euclid(1.0) * TURN) as u64
}

fn value(phase: u64) -> Complex32 {
    let Complex64 { re, im } = Complex64::cis(TAU * (phase as f64 / TURN));
    Complex32::new(re as f32, im as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_samples_are_as_exact_as_the_first() {
        for frequency in [0.0, 0.1, -0.037_123, 0.499_9, 3.25] {
            let mut samples = vec![Complex32::ONE; 1_000_000];
            Oscillator::new(frequency, 0.2).rotate(&mut samples);
            for n in (0..1_000_000).step_by(997) {
                // In f64, the fraction of n f is known to 1e-10 here.
                let expected = Complex64::cis(TAU * (0.2 + frequency * n as f64).rem_euclid(1.0));
                let found = Complex64::new(samples[n].re.into(), samples[n].im.into());
                assert!((found - expected).norm() < 1e-6, "{frequency} at {n}: {found} {expected}");
            }
        }
    }

    #[test]
    fn pieces_of_any_length_are_the_whole() {
        let mut whole = vec![Complex32::new(0.3, -0.4); 1000];
        let mut pieces = whole.clone();
        Oscillator::new(0.123, 0.0).rotate(&mut whole);
        let mut oscillator = Oscillator::new(0.123, 0.0);
        let mut start = 0;
        for len in (1..).take_while(|len| len * (len + 1) / 2 <= 1000) {
            oscillator.rotate(&mut pieces[start..start + len]);
            start += len;
        }
        assert_eq!(pieces[..start], whole[..start]);
        assert!((oscillator.phase() - (0.123 * start as f64).fract()).abs() < 1e-9);
        // From anywhere, as if it had come there.
        let mut rest = vec![Complex32::new(0.3, -0.4); 1000 - 640];
        oscillator.seek(640);
        oscillator.rotate(&mut rest);
        assert_eq!(rest, whole[640..]);
    }
}
