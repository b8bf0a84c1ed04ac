//! Estimates of a channel from known symbols: both long sequences of a preamble, and what is known behind them.

use super::preamble::BOOST;
use super::smoother::Smoother;
use super::{Preamble, ResourceGrid, Sounding, Transform};
use crate::{BlockError, Result};
use num_complex::Complex32;
use std::f32::consts::TAU;

/// Ratios of noise to signal, in dB, that smoothers stand ready for.
const READY_DB: [f64; 6] = [5.0, -5.0, -15.0, -25.0, -35.0, -45.0];

/// Most that clocks of both ends differ by.
const CLOCK_LIMIT: f32 = 100e-6;

/// What is known of a channel before the first data arrive.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelEstimate {
    /// h of every carrier, `[N]`; 0 where nothing is sent.
    pub response: Vec<Complex32>,
    /// Variance of the noise on a carrier.
    pub noise_variance: f32,
    /// Mean |h|^2 over the occupied carriers, less what noise adds.
    pub power: f32,
}

impl ChannelEstimate {
    /// Es/N0 per occupied carrier, linear.
    pub fn snr(&self) -> f32 {
        self.power / self.noise_variance
    }
}

/// Estimates channels: least squares on every occupied carrier, then smoothed over carriers.
#[derive(Clone, Debug)]
pub struct ChannelEstimator {
    grid: ResourceGrid,
    transform: Transform,
    /// What a carrier is multiplied by to give h: the inverse of the long sequence.
    inverses: Vec<Complex32>,
    smoothers: Vec<(f64, Smoother)>,
}

impl ChannelEstimator {
    /// - errors: those of [`Transform::new`]
    pub fn new(grid: &ResourceGrid, preamble: &Preamble) -> Result<Self> {
        let smoother = |db: f64| Ok((db, Smoother::new(grid, 10f64.powf(db / 10.0))?));
        Ok(Self {
            grid: grid.clone(),
            transform: Transform::new(*grid.numerology())?,
            inverses: preamble.long_carriers().iter().map(|value| value.conj() / (BOOST * BOOST)).collect(),
            smoothers: READY_DB.into_iter().map(smoother).collect::<Result<_>>()?,
        })
    }

    /// Estimates the channel from a preamble alone.
    ///
    /// - samples: both long sequences, `[2 N]`, their carrier turned back
    /// - errors: another length
    pub fn estimate(&mut self, samples: &[Complex32]) -> Result<ChannelEstimate> {
        let sounding = self.sound(samples)?;
        self.smooth(&sounding)
    }

    /// Both long sequences as a sounding of the channel.
    ///
    /// - samples: as for [`Self::estimate`]
    /// - errors: another length
    pub fn sound(&mut self, samples: &[Complex32]) -> Result<Sounding> {
        let fft_len = self.grid.numerology().fft_len;
        if samples.len() != 2 * fft_len {
            return Err(BlockError::shape("samples of both long sequences", 2 * fft_len, samples.len()));
        }
        let mut halves = [samples[..fft_len].to_vec(), samples[fft_len..].to_vec()];
        for carriers in &mut halves {
            self.transform.demodulate(carriers)?;
            carriers.iter_mut().zip(&self.inverses).for_each(|(carrier, inverse)| *carrier *= inverse);
        }
        // What a clock that is off turns from one to the other is no noise: both go half the way.
        let slope = self.clock_slope(&halves[0], &halves[1]);
        let mut sounding = Sounding::new(&self.grid);
        for (carriers, part) in halves.iter_mut().zip([0.5, -0.5]) {
            for place in self.grid.occupied() {
                carriers[*place] *= Complex32::cis(part * slope * self.grid.frequency(*place));
            }
            // Stronger by the boost than a symbol whose values are known.
            sounding.add(carriers, BOOST * BOOST)?;
        }
        Ok(sounding)
    }

    /// By how many radians per spacing carriers turn from one long sequence to the next, as far as clocks can be off.
    fn clock_slope(&self, first: &[Complex32], second: &[Complex32]) -> f32 {
        let product = |place: &usize| first[*place].conj() * second[*place];
        let common: Complex32 = self.grid.occupied().iter().map(product).sum();
        let back = Complex32::cis(-common.arg());
        let (mut turned, mut spread) = (0.0, 0.0);
        for place in self.grid.occupied() {
            let (frequency, product) = (self.grid.frequency(*place), product(place) * back);
            turned += frequency * product.im;
            spread += frequency * frequency * product.re;
        }
        let most = TAU * CLOCK_LIMIT;
        if spread > 0.0 { (turned / spread).clamp(-most, most) } else { 0.0 }
    }

    /// The channel behind a sounding: noise from what its symbols differ by, the response smoothed over carriers.
    ///
    /// - errors: a sounding of less than two symbols
    pub fn smooth(&self, sounding: &Sounding) -> Result<ChannelEstimate> {
        let noise_variance = sounding.noise_variance()?.max(f32::MIN_POSITIVE);
        let rough = sounding.means();
        let seen = rough.iter().map(|h| h.norm_sqr()).sum::<f32>() / rough.len() as f32;
        let left = noise_variance / sounding.weight();
        let power = (seen - left).max(f32::MIN_POSITIVE);
        let ratio_db = 10.0 * f64::from(left / power).log10();
        let distance = |ready: &&(f64, Smoother)| (ready.0 - ratio_db).abs();
        let nearest = self.smoothers.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        // There are always some.
        let smooth = nearest.map_or(Ok(rough.clone()), |(_, smoother)| smoother.smooth(&rough))?;
        let mut response = vec![Complex32::ZERO; self.grid.numerology().fft_len];
        self.grid.occupied().iter().zip(smooth).for_each(|(place, h)| response[*place] = h);
        Ok(ChannelEstimate { response, noise_variance, power })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Numerology;
    use super::*;
    use crate::impairment::{InPlace, SampleNoise};
    use crate::rng::{Purpose, RngKey, complex_normal};

    struct Case {
        grid: ResourceGrid,
        preamble: Preamble,
        estimator: ChannelEstimator,
    }

    fn case(numerology: Numerology) -> Case {
        let grid = ResourceGrid::new(numerology).unwrap();
        let preamble = Preamble::new(&grid).unwrap();
        let estimator = ChannelEstimator::new(&grid, &preamble).unwrap();
        Case { grid, preamble, estimator }
    }

    /// Long sequences behind paths at whole samples, and the response that follows from them.
    fn heard(case: &Case, taps: &[Complex32], noise: f32, trial: usize) -> (Vec<Complex32>, Vec<Complex32>) {
        let sent = case.preamble.samples();
        let start = case.preamble.long_start();
        let fft_len = case.grid.numerology().fft_len;
        let at = |n: usize| taps.iter().enumerate().map(|(delay, gain)| gain * sent[n - delay]).sum();
        let mut samples: Vec<Complex32> = (start..start + 2 * fft_len).map(at).collect();
        SampleNoise::new(RngKey::new(23), trial, noise).unwrap().apply(&mut samples).unwrap();
        let response = |place: usize| -> Complex32 {
            let turn = |delay: usize| {
                Complex32::cis(-std::f32::consts::TAU * ((place * delay) % fft_len) as f32 / fft_len as f32)
            };
            taps.iter().enumerate().map(|(delay, gain)| gain * turn(delay)).sum()
        };
        (samples, (0..fft_len).map(response).collect())
    }

    #[test]
    fn without_noise_the_channel_is_known() {
        for (_, numerology) in Numerology::PRESETS {
            let mut case = case(numerology);
            let taps = [
                Complex32::new(0.8, 0.1),
                Complex32::ZERO,
                Complex32::new(0.0, -0.5),
                Complex32::new(0.2, 0.2),
            ];
            let (samples, expected) = heard(&case, &taps, 0.0, 0);
            let found = case.estimator.estimate(&samples).unwrap();
            for place in case.grid.occupied() {
                let off = (found.response[*place] - expected[*place]).norm();
                assert!(off < 0.05, "{numerology:?}, {place}: {off}");
            }
            assert!(found.snr() > 1e6);
            assert!(case.estimator.estimate(&samples[1..]).is_err());
        }
    }

    #[test]
    fn snr_is_estimated_without_bias_from_5_to_25_db() {
        for (_, numerology) in Numerology::PRESETS {
            let mut case = case(numerology);
            for snr_db in [0.0f32, 5.0, 15.0, 25.0] {
                let (mut noise, mut power) = (0.0, 0.0);
                for trial in 0..200 {
                    let (samples, _) = heard(&case, &[Complex32::ONE], 10f32.powf(-snr_db / 10.0), trial);
                    let found = case.estimator.estimate(&samples).unwrap();
                    (noise, power) = (noise + found.noise_variance, power + found.power);
                }
                // 200 trials of 52 or more carriers: the noise is known to 1 %, 0.04 dB.
                let off = 10.0 * (power / noise).log10() - snr_db;
                assert!(off.abs() < 0.2, "{numerology:?}, {snr_db} dB: {off} dB off");
            }
        }
    }

    #[test]
    fn smoothing_leaves_less_noise_than_two_sequences_have() {
        for (_, numerology) in Numerology::PRESETS {
            let mut case = case(numerology);
            let noise = 0.1;
            let (mut error, mut count) = (0.0, 0);
            for trial in 0..50 {
                let mut rng = RngKey::new(29).stream(Purpose::Fading, 0, trial);
                let len = numerology.prefix_len;
                let taps = complex_normal(&mut rng, 1.0 / len as f32, len);
                let (samples, expected) = heard(&case, &taps, noise, trial);
                let found = case.estimator.estimate(&samples).unwrap();
                for place in case.grid.occupied() {
                    error += (found.response[*place] - expected[*place]).norm_sqr();
                    count += 1;
                }
            }
            // A quarter of the variance without smoothing; paths all over the prefix are the worst case.
            let gain_db = 10.0 * (noise / 4.0 / (error / count as f32)).log10();
            let least = if numerology.fft_len == 64 { 2.5 } else { 5.5 };
            assert!(gain_db > least, "{numerology:?}: {gain_db} dB");
        }
    }
}
