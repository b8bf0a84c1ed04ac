//! Confirms that a frame begins: where its long sequences stand, and how far its carrier is off.
//!
//! ```text
//! plateau > for every carrier offset it leaves open: turn back, correlate with the long sequence > strongest
//!         > impulse response > window that holds its paths > carrier offset from both long sequences
//! ```
//! A plateau alone also comes from the training fields of other systems; the long sequence is ours.

use super::preamble::BOOST;
use super::{Plateau, Preamble, ResourceGrid, Transform};
use crate::impairment::Oscillator;
use crate::{BlockError, Result};
use num_complex::{Complex32, Complex64};
use rustfft::{Fft, FftPlanner};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Correlation, in units of 1 / N, that noise exceeds at one place with probability 1e-10. Symbols of other systems exceed
/// what noise would, so there is something to spare.
const LEAST: f32 = 13.0;
/// Smallest correlation at any N: what is weaker resembles the long sequence by chance, as other systems' symbols can.
const LEAST_SHARE: f32 = 0.04;
/// Part of all paths' power that may lie outside the prefix.
const OUTSIDE: f32 = 0.01;
/// Power over that of noise from which on a path counts: noise alone passes at one place with probability 6e-6.
const OVER_NOISE: f32 = 12.0;

/// Smallest part of the strongest path that counts as one: below are sidelobes.
const LEAST_PATH: f32 = 0.01;

/// Energy, over the highest of the places that are tried, below which a place is silent.
const SILENCE: f32 = 1e-6;

/// A confirmed preamble.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Acquired {
    /// Where the first long sequence begins on the first path, from the plateau's first sample on, or up to two samples
    /// earlier.
    pub long_start: usize,
    /// Carrier offset in cycles per sample.
    pub carrier_offset: f64,
    /// Share of the energy that is the long sequence on its strongest path: 1 without noise and echoes.
    pub quality: f32,
}

/// Confirms plateaus of one preamble.
#[derive(Clone)]
pub struct Acquisition {
    preamble: Preamble,
    grid: ResourceGrid,
    transform: Transform,
    /// Largest carrier offset looked for, in cycles per sample.
    most: f64,
    /// Places of the long sequence that are tried, behind `earliest`.
    places: usize,
    earliest: usize,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    /// Conjugate spectrum of the long sequence, padded.
    spectrum: Vec<Complex32>,
}

impl Acquisition {
    /// - most: largest carrier offset in cycles per sample, such as 40 ppm of 2.45 GHz over the sample rate
    /// - errors: an offset that is none, or beyond half a cycle
    pub fn new(preamble: &Preamble, grid: &ResourceGrid, window_len: usize, most: f64) -> Result<Self> {
        if !(0.0..=0.5).contains(&most) {
            return Err(BlockError::invalid("largest carrier offset", most, "0 to 0.5 cycles per sample"));
        }
        let numerology = *grid.numerology();
        let guard = 2 * numerology.prefix_len;
        // The window may begin before the short part by as much as noise hides, and end as much too late.
        let slack = window_len / 8 + preamble.period();
        let earliest = (window_len + preamble.period() + guard).saturating_sub(slack);
        let places = preamble.short_len() + guard + slack - earliest;
        let len = (places + 2 * numerology.fft_len).next_power_of_two();
        let mut planner = FftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(len), planner.plan_fft_inverse(len));
        let mut spectrum = vec![Complex32::ZERO; len];
        spectrum[..numerology.fft_len].copy_from_slice(preamble.long());
        forward.process(&mut spectrum);
        spectrum.iter_mut().for_each(|value| *value = value.conj() / len as f32);
        Ok(Self {
            preamble: preamble.clone(),
            grid: grid.clone(),
            transform: Transform::new(numerology)?,
            most,
            places,
            earliest,
            forward,
            inverse,
            spectrum,
        })
    }

    /// Samples from a plateau's first one on that are needed to confirm it.
    pub fn needed(&self) -> usize {
        self.earliest + self.places + 2 * self.grid.numerology().fft_len
    }

    /// Looks for the long sequences behind a plateau.
    ///
    /// - samples: from the plateau's first one on, `[needed]` or more
    /// - returns: `None` where there is none
    /// - errors: too few samples
    pub fn confirm(&mut self, plateau: &Plateau, samples: &[Complex32]) -> Result<Option<Acquired>> {
        if samples.len() < self.needed() {
            return Err(BlockError::shape("samples behind a plateau", self.needed(), samples.len()));
        }
        let part = &samples[self.earliest..self.needed()];
        let mut best = (0.0, 0, 0.0);
        for offset in self.candidates(plateau.carrier_offset) {
            let (quality, place) = self.strongest(part, offset);
            if quality > best.0 {
                best = (quality, place, offset);
            }
        }
        let (quality, place, offset) = best;
        let fft_len = self.grid.numerology().fft_len;
        if quality < LEAST_SHARE.max(LEAST / fft_len as f32) {
            return Ok(None);
        }
        let carrier_offset = offset + residual(&samples[self.earliest + place..], fft_len, offset);
        let ahead = self.ahead_of_strongest(samples, self.earliest + place, carrier_offset)?;
        Ok(Some(Acquired { long_start: self.earliest + place - ahead, carrier_offset, quality }))
    }

    /// All offsets that look the same to the detector.
    fn candidates(&self, seen: f64) -> Vec<f64> {
        let step = 1.0 / self.preamble.period() as f64;
        // Half a spacing more, for what the detector is off.
        let most = self.most + 0.5 / self.grid.numerology().fft_len as f64;
        let around = (most / step).ceil() as i32 + 1;
        (-around..=around).map(|n| seen + f64::from(n) * step).filter(|offset| offset.abs() <= most).collect()
    }

    /// The strongest correlation with both long sequences, and where.
    fn strongest(&self, part: &[Complex32], offset: f64) -> (f32, usize) {
        let fft_len = self.grid.numerology().fft_len;
        let mut turned = vec![Complex32::ZERO; self.spectrum.len()];
        turned[..part.len()].copy_from_slice(part);
        Oscillator::new(-offset, 0.0).rotate(&mut turned[..part.len()]);
        let mut energy: f64 = turned[..2 * fft_len].iter().map(|x| f64::from(x.norm_sqr())).sum();
        let energies: Vec<f32> = (0..self.places)
            .map(|place| {
                let now = energy;
                let (gone, come) = (part[place].norm_sqr(), part[place + 2 * fft_len].norm_sqr());
                energy = (energy + f64::from(come) - f64::from(gone)).max(0.0);
                now as f32
            })
            .collect();
        // In silence beside a signal, what correlates is the rounding of the transform.
        let least = energies.iter().copied().fold(f32::MIN_POSITIVE, f32::max) * SILENCE;
        self.forward.process(&mut turned);
        turned.iter_mut().zip(&self.spectrum).for_each(|(value, long)| *value *= long);
        self.inverse.process(&mut turned);
        let long_energy: f32 = self.preamble.long().iter().map(|x| x.norm_sqr()).sum();
        let quality = |place: usize| {
            let both = turned[place].norm_sqr() + turned[place + fft_len].norm_sqr();
            both / (long_energy * energies[place].max(least))
        };
        (0..self.places).map(|place| (quality(place), place)).fold((0.0, 0), |best, found| {
            // NaN is never larger.
            if found.0 > best.0 { found } else { best }
        })
    }

    /// How many samples the paths begin ahead of the strongest one.
    fn ahead_of_strongest(&mut self, samples: &[Complex32], strongest: usize, offset: f64) -> Result<usize> {
        let numerology = *self.grid.numerology();
        let (fft_len, prefix) = (numerology.fft_len, numerology.prefix_len);
        // A whole prefix early: the guard of two prefixes makes the response cyclic.
        let start = strongest - prefix;
        let mut both = samples[start..start + 2 * fft_len].to_vec();
        Oscillator::new(-offset, 0.0).rotate(&mut both);
        let (first, second) = both.split_at_mut(fft_len);
        // Two equal symbols differ by noise alone; their mean has a quarter of the variance of the difference.
        let mut noise = 0.0;
        for (a, b) in first.iter_mut().zip(second) {
            noise += (*a - *b).norm_sqr() / (4 * fft_len) as f32;
            *a = (*a + *b) / 2.0;
        }
        self.transform.demodulate(first)?;
        let mut response = vec![Complex32::ZERO; fft_len];
        let side = numerology.side_carriers as f32 + 1.0;
        let mut tapers = 0.0;
        for place in self.grid.occupied() {
            // A taper over carriers keeps sidelobes of the strongest path below the threshold.
            let taper = 0.5 + 0.5 * (std::f32::consts::PI * self.grid.frequency(*place) / side).cos();
            // Noise on a response is that on a carrier over the amplitude of the preamble.
            tapers += taper * taper / (BOOST * BOOST);
            response[*place] =
                first[*place] * self.preamble.long_carriers()[*place].conj() * (taper / (BOOST * BOOST));
        }
        // The empty carrier in the middle would leave something of the strongest path, which stands at one prefix, all
        // over the response: it is put in between its neighbours as that path alone has it.
        let turn = Complex32::cis((TAU * prefix as f64 / fft_len as f64) as f32);
        response[0] = (response[1] * turn + response[fft_len - 1] * turn.conj()) / 2.0;
        let mut impulses = vec![Complex32::ZERO; numerology.symbol_len()];
        self.transform.modulate(&response, &mut impulses)?;
        let peak = impulses[prefix..].iter().map(|h| h.norm_sqr()).fold(0.0, f32::max);
        let least = (LEAST_PATH * peak).max(OVER_NOISE * noise * tapers / fft_len as f32);
        let of_path = |h: &Complex32| Some(h.norm_sqr()).filter(|power| *power >= least).unwrap_or(0.0);
        let powers: Vec<f32> = impulses[prefix..].iter().map(of_path).collect();
        Ok(prefix - latest_window(&powers, prefix))
    }
}

/// The latest place at which paths can begin and leave next to nothing outside the prefix.
///
/// - powers: of the impulse response; the strongest path stands at one prefix, the first at 0 or later
fn latest_window(powers: &[f32], prefix: usize) -> usize {
    let mut inside: f32 = powers[..=prefix].iter().sum();
    let mut windows = vec![inside];
    for start in 0..prefix {
        inside += powers[(start + prefix + 1) % powers.len()] - powers[start];
        windows.push(inside);
    }
    let most = windows.iter().copied().fold(0.0, f32::max);
    // Where noise hides all paths, the strongest is the first.
    windows.iter().rposition(|inside| *inside >= (1.0 - OUTSIDE) * most).unwrap_or(prefix)
}

/// Carrier offset that is left, from two equal stretches of N samples: up to half a cycle in N.
fn residual(samples: &[Complex32], fft_len: usize, offset: f64) -> f64 {
    let (first, second) = samples[..2 * fft_len].split_at(fft_len);
    let product: Complex32 = first.iter().zip(second).map(|(a, b)| a.conj() * b).sum();
    let turn = Complex64::cis(-TAU * (offset * fft_len as f64).rem_euclid(1.0));
    (Complex64::new(product.re.into(), product.im.into()) * turn).arg() / (TAU * fft_len as f64)
}

impl std::fmt::Debug for Acquisition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { most, places, earliest, .. } = self;
        f.debug_struct("Acquisition")
            .field("most", most)
            .field("places", places)
            .field("earliest", earliest)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Detector, Numerology};
    use super::*;
    use crate::impairment::{CarrierOffset, InPlace, SampleNoise};
    use crate::rng::{Purpose, RngKey, complex_normal};

    /// 40 ppm of 2.45 GHz.
    const MOST_HZ: f64 = 98e3;

    struct Receiver {
        preamble: Preamble,
        detector: Detector,
        acquisition: Acquisition,
    }

    fn receiver(numerology: Numerology) -> Receiver {
        let grid = ResourceGrid::new(numerology).unwrap();
        let preamble = Preamble::new(&grid).unwrap();
        let detector = Detector::new(&preamble);
        let most = MOST_HZ / numerology.sample_rate_hz;
        let acquisition = Acquisition::new(&preamble, &grid, detector.window_len(), most).unwrap();
        Receiver { preamble, detector, acquisition }
    }

    impl Receiver {
        /// A preamble at a place among random symbols of equal power behind some paths, in noise.
        fn heard(
            &self,
            at: usize,
            offset: f64,
            paths: &[(usize, Complex32)],
            noise: f32,
            trial: usize,
        ) -> Vec<Complex32> {
            let mut rng = RngKey::new(41).stream(Purpose::Scene, 0, trial);
            let mut sent = vec![Complex32::ZERO; at];
            sent.extend_from_slice(self.preamble.samples());
            sent.extend(complex_normal(&mut rng, 0.82, 4000));
            let mut samples = vec![Complex32::ZERO; sent.len()];
            for (delay, gain) in paths {
                samples[*delay..].iter_mut().zip(&sent).for_each(|(y, x)| *y += gain * x);
            }
            CarrierOffset::new(offset, 0.3).unwrap().apply(&mut samples).unwrap();
            SampleNoise::new(RngKey::new(43), trial, noise).unwrap().apply(&mut samples).unwrap();
            samples
        }

        /// Where long sequences begin, counted from the first sample, and the carrier offset.
        fn acquired(&mut self, samples: &[Complex32]) -> Vec<(usize, f64)> {
            let mut detector = self.detector.clone();
            let found: Vec<Plateau> =
                samples.chunks_exact(detector.period()).filter_map(|block| detector.push(block)).collect();
            let mut acquired = vec![];
            for plateau in found {
                let start = plateau.start as usize;
                if let Some(found) = self.acquisition.confirm(&plateau, &samples[start..]).unwrap() {
                    acquired.push((start + found.long_start, found.carrier_offset));
                }
            }
            acquired
        }
    }

    const ONE_PATH: [(usize, Complex32); 1] = [(0, Complex32::ONE)];

    #[test]
    fn any_place_and_carrier_up_to_40_ppm_is_found() {
        for (_, numerology) in Numerology::PRESETS {
            let mut receiver = receiver(numerology);
            for (trial, part) in [-1.0, -0.77, -0.4, 0.0, 0.013, 0.51, 1.0].into_iter().enumerate() {
                let (at, offset) = (301 + 97 * trial, part * MOST_HZ / numerology.sample_rate_hz);
                let samples = receiver.heard(at, offset, &ONE_PATH, 1e-3, trial);
                let found = receiver.acquired(&samples);
                assert_eq!(found.len(), 1, "{numerology:?}, {part}: {found:?}");
                // A little early lies in the prefix and does no harm; late does.
                let early = (at + receiver.preamble.long_start()).checked_sub(found[0].0);
                assert!(early.is_some_and(|early| early <= 2), "{numerology:?}, {part}: {early:?}");
                let off = (found[0].1 - offset) * numerology.fft_len as f64;
                assert!(off.abs() < 0.01, "{numerology:?}, {part}: {off} spacings");
            }
        }
    }

    #[test]
    fn a_weaker_first_path_times_the_frame() {
        for (_, numerology) in Numerology::PRESETS {
            let mut receiver = receiver(numerology);
            let late = numerology.prefix_len - 1;
            let paths = [
                (0, Complex32::new(0.5, 0.1)),
                (late / 2, Complex32::new(0.0, 0.8)),
                (late, Complex32::new(-0.4, 0.0)),
            ];
            let samples = receiver.heard(500, 1e-3, &paths, 1e-3, 1);
            let found = receiver.acquired(&samples);
            let expected = 500 + receiver.preamble.long_start();
            assert_eq!(found.len(), 1, "{numerology:?}");
            // The taper makes a path three samples wide.
            assert!(found[0].0.abs_diff(expected) <= 2, "{numerology:?}: {} {expected}", found[0].0);
        }
    }

    #[test]
    fn at_0_db_frames_are_timed_and_carriers_known() {
        for (_, numerology) in Numerology::PRESETS {
            let mut receiver = receiver(numerology);
            let offset = 0.6 * MOST_HZ / numerology.sample_rate_hz;
            let (mut missed, mut squares) = (0, 0.0);
            for trial in 0..100 {
                let samples = receiver.heard(700 + trial, offset, &ONE_PATH, 1.0, trial);
                let found = receiver.acquired(&samples);
                let expected = 700 + trial + receiver.preamble.long_start();
                match found.as_slice() {
                    [(start, carrier)] if start.abs_diff(expected) <= numerology.prefix_len / 4 => {
                        squares += ((carrier - offset) * numerology.fft_len as f64).powi(2);
                    }
                    other => {
                        println!("{trial}: {other:?}, not {expected}");
                        missed += 1;
                    }
                }
            }
            assert_eq!(missed, 0, "{numerology:?}");
            // Over N samples at 0 dB: sqrt(3 / (2 N)) / (2 pi) of a spacing.
            let bound = 1.5 * (1.5 / numerology.fft_len as f64).sqrt() / TAU;
            let deviation = (squares / 100.0).sqrt();
            assert!(deviation < bound, "{numerology:?}: {deviation} spacings, bound {bound}");
        }
    }

    #[test]
    fn repetitions_of_others_and_short_stretches_are_no_frames() {
        let mut receiver = receiver(Numerology::WLAN);
        // Sixteen samples again and again, as in the training field of wireless LAN, then something else.
        let mut rng = RngKey::new(2).stream(Purpose::Scene, 0, 0);
        let period = complex_normal(&mut rng, 1.0, 16);
        let mut samples = vec![Complex32::ZERO; 100];
        (0..32).for_each(|_| samples.extend_from_slice(&period));
        samples.extend(complex_normal(&mut rng, 1.0, 4000));
        SampleNoise::new(RngKey::new(4), 0, 0.01).unwrap().apply(&mut samples).unwrap();
        let mut detector = receiver.detector.clone();
        assert!(samples.chunks_exact(16).filter_map(|block| detector.push(block)).count() > 0);
        assert_eq!(receiver.acquired(&samples), []);
        let plateau = Plateau { start: 0, carrier_offset: 0.0, metric: 1.0 };
        let error = receiver.acquisition.confirm(&plateau, &samples[..100]).unwrap_err().to_string();
        assert!(error.contains("samples behind a plateau"), "{error}");
        let nothing = vec![Complex32::new(f32::NAN, 0.0); receiver.acquisition.needed()];
        assert_eq!(receiver.acquisition.confirm(&plateau, &nothing).unwrap(), None);
    }
}
