//! Finds where a short sequence repeats: a frame may begin there.
//!
//! ```text
//! block      b-1       b        b+1      ...        sums over the window of W blocks:
//!          | L samples | L samples |                 P = sum conj(x(n)) x(n + L)
//!               \ conj(x) x' /                       E = sum (|x(n)|^2 + |x(n + L)|^2) / 2
//!                                                    metric |P| / E: 1 where blocks repeat, near 0 in noise
//! ```
//! Sums are kept block by block, so the metric is known every L samples. That is coarse, but the long part of the
//! preamble times the frame.
//!
//! Source: Schmidl and Cox, "Robust frequency and timing synchronization for OFDM", IEEE Transactions on
//! Communications 45 (1997), with the energy of both windows below.

use super::Preamble;
use num_complex::{Complex32, Complex64};
use std::collections::VecDeque;
use std::f64::consts::TAU;

/// The metric above which blocks count as repeating. Noise passes it with probability exp(-0.04 W L), 2e-7 for the
/// smallest preamble; at an SNR of 0 dB repetition gives 0.5, at -3 dB 0.33.
const THRESHOLD: f64 = 0.2;
/// A plateau ends where the metric falls below this part of its highest value.
const FALL: f64 = 0.7;

/// A stretch of samples that repeats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    /// Number of the first sample of the window in which repetition was strongest, from the first sample ever on.
    pub start: u64,
    /// Carrier offset in cycles per sample, up to a multiple of 1 / L.
    pub carrier_offset: f64,
    /// |P| / E there.
    pub metric: f64,
}

/// What one block adds to the sums.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    product: Complex64,
    energy: f64,
}

/// Looks for plateaus in blocks of L samples.
#[derive(Clone, Debug)]
pub struct Detector {
    period: usize,
    window: usize,
    /// Longest plateau that a preamble can make, in blocks.
    longest: usize,
    last: Vec<Complex32>,
    last_energy: f64,
    sums: VecDeque<Sums>,
    /// Number of the first sample of the first block.
    first: u64,
    blocks: u64,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The metric is low.
    Quiet,
    /// It is high since so many blocks, and was highest there.
    High(usize, Plateau),
    /// A plateau of this height is over, or lasted longer than a preamble can, as a tone does: what follows is looked at
    /// once the metric is low again, or higher than before.
    Falling(f64),
}

impl Detector {
    /// A detector for a preamble: its window is as long as the short part, less a fifth that may fade or be cut off.
    pub fn new(preamble: &Preamble) -> Self {
        let period = preamble.period();
        let repeats = preamble.short_len() / period;
        // Pairs of blocks, of which there is one less than blocks.
        let window = (repeats - 1) * 4 / 5;
        let sums = VecDeque::with_capacity(window + 1);
        let last = vec![Complex32::ZERO; period];
        Self {
            period,
            window,
            longest: 2 * repeats,
            last,
            last_energy: 0.0,
            sums,
            first: 0,
            blocks: 0,
            state: State::Quiet,
        }
    }

    /// Samples of a block, L.
    pub fn period(&self) -> usize {
        self.period
    }

    /// Samples over which is correlated, W.
    pub fn window_len(&self) -> usize {
        self.window * self.period
    }

    /// Samples before the next block that a plateau may still begin at.
    pub fn reach(&self) -> usize {
        (self.window + 2 + self.longest) * self.period
    }

    /// Forgets everything; the next block begins with a sample of this number.
    pub fn restart(&mut self, sample: u64) {
        self.last.fill(Complex32::ZERO);
        self.sums.clear();
        (self.last_energy, self.first, self.blocks, self.state) = (0.0, sample, 0, State::Quiet);
    }

    /// Takes the next block.
    ///
    /// - block: `[L]`; of a longer one, the rest is left out
    /// - returns: a plateau, once it has ended
    pub fn push(&mut self, block: &[Complex32]) -> Option<Plateau> {
        let block = &block[..self.period.min(block.len())];
        let product: Complex32 = self.last.iter().zip(block).map(|(before, now)| before.conj() * now).sum();
        let energy = f64::from(block.iter().map(|sample| sample.norm_sqr()).sum::<f32>());
        let product = Complex64::new(product.re.into(), product.im.into());
        self.sums.push_back(Sums { product, energy: (energy + self.last_energy) / 2.0 });
        if self.sums.len() > self.window {
            self.sums.pop_front();
        }
        self.last.copy_from_slice(block);
        (self.last_energy, self.blocks) = (energy, self.blocks + 1);
        let found = self.plateau();
        self.advance(found)
    }

    /// What the window that ends with the last block shows.
    fn plateau(&self) -> Plateau {
        let sum = self.sums.iter().fold(Sums::default(), |sum, block| Sums {
            product: sum.product + block.product,
            energy: sum.energy + block.energy,
        });
        // NaN and infinite samples make a metric that is none and never exceeds anything.
        let metric = if sum.energy > 0.0 { sum.product.norm_sqr().sqrt() / sum.energy } else { 0.0 };
        // Seldom needed, and dear.
        let angle = if metric > THRESHOLD { sum.product.arg() } else { 0.0 };
        let carrier_offset = angle / (TAU * self.period as f64);
        let before = (self.blocks as usize).min(self.window + 1) as u64;
        Plateau { start: self.first + (self.blocks - before) * self.period as u64, carrier_offset, metric }
    }

    fn advance(&mut self, found: Plateau) -> Option<Plateau> {
        let is_high = found.metric > THRESHOLD && self.sums.len() == self.window;
        let is_low = found.metric < FALL * THRESHOLD;
        let (state, ended) = match self.state {
            State::Quiet if is_high => (State::High(1, found), None),
            State::Quiet => (State::Quiet, None),
            State::High(_, best) if !is_high || found.metric < FALL * best.metric => {
                (if is_low { State::Quiet } else { State::Falling(best.metric) }, Some(best))
            }
            State::High(blocks, best) if blocks >= self.longest => (State::Falling(best.metric), None),
            State::High(blocks, best) => {
                let best = if found.metric > best.metric { found } else { best };
                (State::High(blocks + 1, best), None)
            }
            State::Falling(_) if is_low => (State::Quiet, None),
            State::Falling(before) if is_high && found.metric > before => (State::High(1, found), None),
            State::Falling(before) => (State::Falling(before), None),
        };
        self.state = state;
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Numerology, ResourceGrid};
    use super::*;
    use crate::impairment::{CarrierOffset, InPlace, SampleNoise};
    use crate::rng::{Purpose, RngKey, complex_normal};

    fn preamble(numerology: Numerology) -> Preamble {
        Preamble::new(&ResourceGrid::new(numerology).unwrap()).unwrap()
    }

    /// Plateaus in samples, and the detector behind them.
    fn plateaus(preamble: &Preamble, samples: &[Complex32]) -> Vec<Plateau> {
        let mut detector = Detector::new(preamble);
        samples.chunks_exact(preamble.period()).filter_map(|block| detector.push(block)).collect()
    }

    /// A preamble behind silence and ahead of random symbols, with its carrier off, in noise.
    fn received(preamble: &Preamble, at: usize, offset: f64, noise: f32, trial: usize) -> Vec<Complex32> {
        let mut samples = vec![Complex32::ZERO; at];
        samples.extend_from_slice(preamble.samples());
        samples.extend(complex_normal(&mut RngKey::new(6).stream(Purpose::Scene, 0, trial), 0.82, 4000));
        CarrierOffset::new(offset, 0.1).unwrap().apply(&mut samples).unwrap();
        SampleNoise::new(RngKey::new(77), trial, noise).unwrap().apply(&mut samples).unwrap();
        samples
    }

    #[test]
    fn a_preamble_is_found_once_wherever_it_begins() {
        for (_, numerology) in Numerology::PRESETS {
            let preamble = preamble(numerology);
            for at in [0, 1, 777, 1000 + preamble.period() / 2] {
                let found = plateaus(&preamble, &received(&preamble, at, 1e-3, 1e-4, at));
                assert_eq!(found.len(), 1, "{numerology:?} at {at}: {found:?}");
                assert!(found[0].metric > 0.95 && (found[0].carrier_offset - 1e-3).abs() < 1e-5, "{found:?}");
                // The window lies within the short part, but for what a block cuts off.
                let (start, period) = (found[0].start as usize, preamble.period());
                let window = Detector::new(&preamble).window_len() + period;
                assert!(start + period >= at && start + window <= at + preamble.short_len() + period);
            }
        }
    }

    #[test]
    fn at_0_db_few_are_missed_and_carriers_are_known_to_a_fraction_of_a_spacing() {
        for (_, numerology) in Numerology::PRESETS {
            let preamble = preamble(numerology);
            // Es/N0 of 0 dB on every carrier: unit variance per sample.
            let (mut missed, mut squares) = (0, 0.0);
            for trial in 0..200 {
                let found = plateaus(&preamble, &received(&preamble, 600 + trial, 2e-3, 1.0, trial));
                match found.as_slice() {
                    [one] => squares += ((one.carrier_offset - 2e-3) * numerology.fft_len as f64).powi(2),
                    other => {
                        println!("{trial}: {other:?}");
                        missed += 1;
                    }
                }
            }
            // The bar of one in a thousand is measured by a longer run; here none of 200 may be missed.
            assert_eq!(missed, 0, "{numerology:?}");
            let deviation = (squares / 200.0).sqrt();
            assert!(deviation < 0.15, "{numerology:?}: {deviation} spacings");
        }
    }

    #[test]
    fn noise_and_tones_are_no_frames() {
        let preamble = preamble(Numerology::NARROW);
        let mut noise = vec![Complex32::ZERO; 2_000_000];
        SampleNoise::new(RngKey::new(5), 0, 1.0).unwrap().apply(&mut noise).unwrap();
        // Of 125,000 blocks, 2e-7 of which pass: any at all has a probability of 3 %, and this seed has none.
        assert_eq!(plateaus(&preamble, &noise), []);
        let mut tone = vec![Complex32::ONE; 100_000];
        CarrierOffset::new(0.01, 0.0).unwrap().apply(&mut tone).unwrap();
        assert_eq!(plateaus(&preamble, &tone), [], "it never ends");
        tone[50_000..].fill(Complex32::ZERO);
        assert_eq!(plateaus(&preamble, &tone), []);
        assert_eq!(plateaus(&preamble, &vec![Complex32::ZERO; 10_000]), []);
        assert_eq!(plateaus(&preamble, &vec![Complex32::new(f32::NAN, f32::INFINITY); 10_000]), []);
    }
}
