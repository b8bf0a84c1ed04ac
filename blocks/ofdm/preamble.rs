//! What a frame begins with: a short sequence again and again, then a long one twice.
//!
//! ```text
//! | s | s | s | ... | s | end of l | l | l |
//!   period L, R times      2 prefixes   N each
//! ```
//! The short part shows a receiver that a frame begins and how far its carrier is off; the long part confirms both,
//! times the frame, and gives the first estimate of the channel. All carriers of a part have the same amplitude. The short
//! one has the phases of a Zadoff-Chu sequence, whose peaks are low. Such a sequence mistakes an offset of the carrier
//! for a delay, so the long one has pseudo-random phases: of many, those with the lowest peaks.
//!
//! Source: Schmidl and Cox, "Robust frequency and timing synchronization for OFDM", IEEE Transactions on
//! Communications 45 (1997); Chu, "Polyphase codes with good periodic correlation properties", IEEE Transactions on Information Theory
//! 18 (1972).

use super::{Numerology, ResourceGrid, Transform};
use crate::Result;
use crate::coding::scrambler::scramble_bits;
use num_complex::{Complex32, Complex64};
use std::f32::consts::FRAC_1_SQRT_2;
use std::f64::consts::PI;

/// Samples of the short part at least.
const SHORT_SAMPLES: usize = 512;
/// Repetitions of the short sequence at least.
const LEAST_REPEATS: usize = 20;
/// Amplitude of the preamble over that of symbols: 3 dB. Its peaks stay below theirs.
pub const BOOST: f32 = std::f32::consts::SQRT_2;
/// Long sequences of which the one with the lowest peak is taken.
const CANDIDATES: u32 = 256;

/// The preamble of a numerology.
#[derive(Clone, Debug)]
pub struct Preamble {
    numerology: Numerology,
    period: usize,
    repeats: usize,
    /// Long sequence on all carriers, `[N]`.
    long_carriers: Vec<Complex32>,
    samples: Vec<Complex32>,
}

impl Preamble {
    /// The preamble of a grid: mean power per sample twice that of its symbols.
    ///
    /// - errors: those of [`Numerology::check`]
    pub fn new(grid: &ResourceGrid) -> Result<Self> {
        let numerology = *grid.numerology();
        let Numerology { fft_len, prefix_len, .. } = numerology;
        // Coarse enough to see carriers that are several spacings off, long enough to have many tones.
        let period = (fft_len / 16).max(16);
        let repeats = LEAST_REPEATS.max(SHORT_SAMPLES / period);
        let every = fft_len / period;
        let is_short = |place: &&usize| place.is_multiple_of(every);
        let short: Vec<usize> = grid.occupied().iter().filter(is_short).copied().collect();
        let amplitude = BOOST * (grid.occupied().len() as f32 / short.len() as f32).sqrt();

        let mut transform = Transform::new(numerology)?;
        let mut symbol = vec![Complex32::ZERO; numerology.symbol_len()];
        let mut samples = Vec::new();
        transform.modulate(&zadoff_chu(&short, fft_len, amplitude), &mut symbol)?;
        // The symbol is the short sequence `every` times: begin where its period does.
        let short_period = &symbol[prefix_len..prefix_len + period];
        (0..repeats).for_each(|_| samples.extend_from_slice(short_period));
        let mut lowest = f32::INFINITY;
        let mut long_carriers = vec![];
        for seed in 1..=CANDIDATES {
            let candidate = pseudo_random(grid.occupied(), fft_len, seed);
            transform.modulate(&candidate, &mut symbol)?;
            let peak = symbol.iter().map(|sample| sample.norm_sqr()).fold(0.0, f32::max);
            if peak < lowest {
                (lowest, long_carriers) = (peak, candidate);
            }
        }
        transform.modulate(&long_carriers, &mut symbol)?;
        let long = &symbol[prefix_len..];
        samples.extend_from_slice(&long[fft_len - 2 * prefix_len..]);
        (0..2).for_each(|_| samples.extend_from_slice(long));
        Ok(Self { numerology, period, repeats, long_carriers, samples })
    }

    /// All of its samples.
    pub fn samples(&self) -> &[Complex32] {
        &self.samples
    }

    /// Samples after which the short part repeats, L.
    pub fn period(&self) -> usize {
        self.period
    }

    /// Samples of the short part.
    pub fn short_len(&self) -> usize {
        self.period * self.repeats
    }

    /// Where the first of the two long sequences begins.
    pub fn long_start(&self) -> usize {
        self.short_len() + 2 * self.numerology.prefix_len
    }

    /// The long sequence in time, `[N]`.
    pub fn long(&self) -> &[Complex32] {
        &self.samples[self.long_start()..self.long_start() + self.numerology.fft_len]
    }

    /// The long sequence on carriers, `[N]`, of amplitude sqrt(2) where it is not 0.
    pub fn long_carriers(&self) -> &[Complex32] {
        &self.long_carriers
    }
}

/// A sequence of quarter turns on some carriers of N, from the Gold sequence of a seed.
fn pseudo_random(places: &[usize], fft_len: usize, seed: u32) -> Vec<Complex32> {
    let mut bits = vec![0; 2 * places.len()];
    scramble_bits(seed, &mut bits);
    let mut carriers = vec![Complex32::ZERO; fft_len];
    for (pair, place) in bits.chunks(2).zip(places) {
        let [re, im] = [pair[0], pair[1]].map(|bit| (1.0 - 2.0 * f32::from(bit)) * FRAC_1_SQRT_2 * BOOST);
        carriers[*place] = Complex32::new(re, im);
    }
    carriers
}

/// The Zadoff-Chu sequence of root 1 on some carriers of N.
fn zadoff_chu(places: &[usize], fft_len: usize, amplitude: f32) -> Vec<Complex32> {
    let mut carriers = vec![Complex32::ZERO; fft_len];
    let len = places.len();
    for (n, place) in places.iter().enumerate() {
        // For even lengths exp(-j pi n^2 / L), for odd ones exp(-j pi n (n + 1) / L).
        let square = n * (n + len % 2);
        let value = Complex64::cis(-PI * (square % (2 * len)) as f64 / len as f64);
        carriers[*place] = Complex32::new(value.re as f32, value.im as f32) * amplitude;
    }
    carriers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preambles() -> impl Iterator<Item = Preamble> {
        Numerology::PRESETS
            .into_iter()
            .map(|(_, numerology)| Preamble::new(&ResourceGrid::new(numerology).unwrap()).unwrap())
    }

    fn power(samples: &[Complex32]) -> f32 {
        samples.iter().map(|sample| sample.norm_sqr()).sum::<f32>() / samples.len() as f32
    }

    #[test]
    fn the_short_part_repeats_and_the_long_one_comes_twice_behind_its_end() {
        for preamble in preambles() {
            let Numerology { fft_len, prefix_len, .. } = preamble.numerology;
            let samples = preamble.samples();
            assert_eq!(samples.len(), preamble.long_start() + 2 * fft_len);
            let (period, short) = (preamble.period(), preamble.short_len());
            assert!((0..short - period).all(|n| (samples[n] - samples[n + period]).norm() < 1e-6));
            assert!(short >= 512 && short - period >= 128, "enough to correlate over");
            // No shorter period hides in it.
            let half = period / 2;
            assert!((0..half).any(|n| (samples[n] - samples[n + half]).norm() > 0.1));
            let start = preamble.long_start();
            assert!((0..fft_len).all(|n| samples[start + n] == samples[start + n + fft_len]));
            let guard = &samples[start - 2 * prefix_len..start];
            assert_eq!(guard, &preamble.long()[fft_len - 2 * prefix_len..]);
        }
    }

    #[test]
    fn both_parts_have_the_power_of_symbols_and_low_peaks() {
        for preamble in preambles() {
            let Numerology { fft_len, side_carriers, .. } = preamble.numerology;
            let expected = 2.0 * 2.0 * side_carriers as f32 / fft_len as f32;
            // Symbols of random data reach 10 dB and more over half this power.
            for (part, most_db) in [(&preamble.samples()[..preamble.period()], 5.0), (preamble.long(), 8.0)] {
                assert!((power(part) / expected - 1.0).abs() < 1e-4, "{} {expected}", power(part));
                let peak = part.iter().map(|sample| sample.norm_sqr()).fold(0.0, f32::max);
                let ratio_db = 10.0 * (peak / power(part)).log10();
                assert!(ratio_db < most_db, "{ratio_db} dB");
            }
        }
    }

    #[test]
    fn the_long_sequence_resembles_itself_at_no_other_delay_or_carrier() {
        for preamble in preambles() {
            let long = preamble.long();
            let len = long.len();
            let at = |delay: usize, carriers: usize| -> f32 {
                let sum: Complex32 = (0..len)
                    .map(|n| {
                        let turn = std::f32::consts::TAU * ((n * carriers) % len) as f32 / len as f32;
                        long[n].conj() * long[(n + delay) % len] * Complex32::cis(turn)
                    })
                    .sum();
                sum.norm() / power(long) / len as f32
            };
            assert!((at(0, 0) - 1.0).abs() < 1e-4);
            // The empty carriers make the peak as wide as the inverse of the bandwidth. Random sequences have sidelobes
            // of sqrt(ln(places) / carriers): 0.4 of 40, 0.1 of 840; the edges of the spectrum have some of 0.13.
            let carriers = 2 * preamble.numerology.side_carriers;
            let bound = 0.14f32.max(3.3 / (carriers as f32).sqrt());
            for carriers in 0..8 {
                let worst = (3..len - 2).map(|delay| at(delay, carriers)).fold(0.0, f32::max);
                assert!(worst < bound, "{carriers} carriers off: {worst}");
            }
        }
    }

    #[test]
    fn the_period_sees_carriers_as_far_off_as_oscillators_are() {
        for preamble in preambles() {
            let numerology = preamble.numerology;
            // A lag of L samples tells carriers apart up to half a cycle in L; what is beyond, the long part tells.
            let seen = numerology.sample_rate_hz / (2 * preamble.period()) as f64;
            let needed = 40e-6 * 2.45e9;
            let beyond = (needed / (2.0 * seen)).ceil();
            assert!(beyond <= 2.0, "{seen} Hz, {needed} Hz");
        }
    }
}
