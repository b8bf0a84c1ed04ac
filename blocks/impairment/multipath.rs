//! Echoes that fade: y(n) = sum over taps of h_l(n) x(n - d_l).
//!
//! ```text
//!            +---- h_0(n) ---- delay d_0 ----+
//!      x ----+---- h_1(n) ---- delay d_1 ----+---- y
//!            +----  ...                  ----+
//! ```
//! Taps between samples are spread over 32 of them. Gains are known every [`STRIDE`] samples; between, they are taken to
//! be straight, which is right to 70 dB up to f_D T_s = 1e-4.

use super::delay_profile::DelayProfile;
use super::fractional_delay::{HALF, weights};
use crate::channel::JakesProcess;
use crate::kernel::{Progress, StreamKernel};
use crate::rng::{Purpose, RngKey};
use crate::{BlockError, Result};
use num_complex::{Complex32, Complex64};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Samples between two places at which gains are computed.
const STRIDE: usize = 64;
/// Longest echo in samples.
const MOST_DELAY: f64 = 16_384.0;
/// Where the line of sight stands in the Doppler spectrum: at 0.7 of its edge, as TR 38.901 has it.
const SIGHT_DOPPLER: f64 = 0.7;

/// What echoes there are, and how they change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MultipathConfig {
    /// The echoes.
    pub profile: DelayProfile,
    /// Root-mean-square delay spread, in samples.
    pub delay_spread: f64,
    /// f_D T_s, cycles per sample: the edge of the Jakes spectrum. 0: gains stay.
    pub doppler: f64,
    /// Power of the line of sight over that of the rest, for `flat`: the K factor of a Rician channel.
    pub k_factor: f64,
}

impl Default for MultipathConfig {
    fn default() -> Self {
        Self { profile: DelayProfile::Flat, delay_spread: 0.0, doppler: 0.0, k_factor: 0.0 }
    }
}

/// The gain of one path over time.
#[derive(Clone, Debug)]
struct Path {
    scattered: JakesProcess,
    amplitude: f64,
    sight_amplitude: f64,
    /// Phase of the line of sight at the first sample, in turns.
    sight_phase: f64,
    /// Its place among the samples of the response.
    first: usize,
    weights: [f64; 2 * HALF],
}

/// Echoes with independent, fading gains of mean power 1 together.
///
/// - delays by 16 samples besides
#[derive(Clone, Debug)]
pub struct Multipath {
    config: MultipathConfig,
    paths: Vec<Path>,
    /// Inputs that outputs are still made of, oldest first; as many as the response is long, less one, ahead of the
    /// next one.
    history: Vec<Complex32>,
    len: usize,
    /// Outputs so far.
    time: u64,
    /// Responses at the last and the next stride, newest sample first.
    responses: [Vec<Complex32>; 2],
}

impl Multipath {
    /// - key, receiver: whose channel it is; its gains depend on nothing else
    /// - errors: what [`MultipathConfig`] cannot be
    pub fn new(key: RngKey, receiver: usize, config: MultipathConfig) -> Result<Self> {
        config.check()?;
        let mut taps = config.profile.taps();
        if config.profile == DelayProfile::Flat {
            taps[0].power = 1.0 / (1.0 + config.k_factor);
            taps[0].line_of_sight = 1.0 - taps[0].power;
        }
        let path = |(place, tap): (usize, &super::delay_profile::Tap)| {
            let mut rng = key.stream(Purpose::Multipath, place as u64, receiver);
            let delay = tap.delay * config.delay_spread;
            Path {
                // One unit of its time is a stride.
                scattered: JakesProcess::new(&mut rng, (config.doppler * STRIDE as f64) as f32),
                amplitude: tap.power.sqrt(),
                sight_amplitude: tap.line_of_sight.sqrt(),
                sight_phase: rng.random(),
                first: delay as usize + 1,
                weights: reversed(weights(1.0 - delay.fract())),
            }
        };
        let paths: Vec<Path> = taps.iter().enumerate().map(path).collect();
        let len = paths.iter().map(|path| path.first).max().unwrap_or(0) + 2 * HALF;
        let mut channel = Self {
            config,
            paths,
            history: vec![Complex32::ZERO; len - 1],
            len,
            time: 0,
            responses: [vec![], vec![]],
        };
        channel.responses = [channel.response(0), channel.response(1)];
        Ok(channel)
    }

    /// The impulse response at a stride, newest sample first: entry 16 is a path without delay.
    fn response(&self, stride: u64) -> Vec<Complex32> {
        let mut response = vec![Complex64::ZERO; self.len];
        for path in &self.paths {
            let gain = path.gain(stride, self.config.doppler);
            let place = &mut response[path.first..path.first + 2 * HALF];
            place.iter_mut().zip(&path.weights).for_each(|(entry, weight)| *entry += gain * weight);
        }
        response.iter().map(|entry| Complex32::new(entry.re as f32, entry.im as f32)).collect()
    }

    /// The gains of all paths at a sample, in the order of the profile.
    pub fn gains(&self, sample: u64) -> Vec<Complex32> {
        let stride = sample / STRIDE as u64;
        let part = (sample % STRIDE as u64) as f64 / STRIDE as f64;
        let at = |path: &Path, stride| path.gain(stride, self.config.doppler);
        let between = |path: &Path| at(path, stride) * (1.0 - part) + at(path, stride + 1) * part;
        let gains = self.paths.iter().map(between);
        gains.map(|gain| Complex32::new(gain.re as f32, gain.im as f32)).collect()
    }
}

impl Path {
    fn gain(&self, stride: u64, doppler: f64) -> Complex64 {
        let scattered = self.scattered.fades(stride as usize, 1)[0];
        let turns = self.sight_phase + SIGHT_DOPPLER * doppler * (stride * STRIDE as u64) as f64;
        let sight = Complex64::cis(TAU * turns.rem_euclid(1.0));
        Complex64::new(scattered.re.into(), scattered.im.into()) * self.amplitude
            + sight * self.sight_amplitude
    }
}

impl MultipathConfig {
    fn check(&self) -> Result<()> {
        let Self { profile, delay_spread, doppler, k_factor } = *self;
        let longest = profile.longest() * delay_spread;
        if !(delay_spread >= 0.0 && longest <= MOST_DELAY) {
            let allowed =
                format!("0 to {:.0} samples with {}", MOST_DELAY / profile.longest(), profile.name());
            return Err(BlockError::invalid("delay_spread", delay_spread, allowed));
        }
        if profile == DelayProfile::Flat && delay_spread > 0.0 {
            return Err(BlockError::invalid("delay_spread", delay_spread, "0 with flat, which has one path"));
        }
        if !(0.0..=1e-2).contains(&doppler) {
            return Err(BlockError::invalid("doppler", doppler, "0 to 0.01 cycles per sample"));
        }
        if !(k_factor.is_finite() && k_factor >= 0.0) || (profile != DelayProfile::Flat && k_factor > 0.0) {
            let allowed = "a finite number, at least 0; 0 with profiles that have their own";
            return Err(BlockError::invalid("k_factor", k_factor, allowed));
        }
        Ok(())
    }
}

fn reversed(mut weights: [f64; 2 * HALF]) -> [f64; 2 * HALF] {
    weights.reverse();
    weights
}

impl StreamKernel for Multipath {
    type In = Complex32;
    type Out = Complex32;

    fn process(&mut self, input: &[Complex32], output: &mut [Complex32]) -> Result<Progress> {
        let len = input.len().min(output.len());
        self.history.extend_from_slice(&input[..len]);
        for (n, value) in output[..len].iter_mut().enumerate() {
            let place = (self.time % STRIDE as u64) as usize;
            if place == 0 && self.time > 0 && self.config.doppler > 0.0 {
                let next = self.response(self.time / STRIDE as u64 + 1);
                self.responses = [std::mem::take(&mut self.responses[1]), next];
            }
            let samples = &self.history[n..n + self.len];
            let of = |response: &[Complex32]| -> Complex32 {
                samples.iter().rev().zip(response).map(|(sample, entry)| sample * entry).sum()
            };
            *value = of(&self.responses[0]);
            if self.config.doppler > 0.0 {
                let part = place as f32 / STRIDE as f32;
                *value = *value * (1.0 - part) + of(&self.responses[1]) * part;
            }
            self.time += 1;
        }
        self.history.drain(..len);
        Ok(Progress { consumed: len, produced: len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(config: MultipathConfig, receiver: usize) -> Multipath {
        Multipath::new(RngKey::new(12), receiver, config).unwrap()
    }

    fn through(channel: &mut Multipath, input: &[Complex32]) -> Vec<Complex32> {
        let mut output = vec![Complex32::ZERO; input.len()];
        channel.process(input, &mut output).unwrap();
        output
    }

    #[test]
    fn one_path_scales_and_delays() {
        let mut flat = channel(MultipathConfig::default(), 0);
        let gain = flat.gains(0)[0];
        let input: Vec<Complex32> = (0..50).map(|n| Complex32::new(n as f32, 1.0)).collect();
        let output = through(&mut flat, &input);
        for n in 0..50 - HALF {
            assert!((output[n + HALF] - gain * input[n]).norm() < 1e-4, "{n}");
        }
    }

    #[test]
    fn echoes_come_at_their_times_with_their_gains() {
        // A tone of frequency f is multiplied by sum h_l exp(-j 2 pi f d_l), and the delay of the kernel.
        let config =
            MultipathConfig { profile: DelayProfile::TdlC, delay_spread: 7.3, ..MultipathConfig::default() };
        let mut kernel = channel(config, 3);
        let gains = kernel.gains(0);
        for frequency in [0.0, 0.11, -0.3] {
            let mut fresh = channel(config, 3);
            let tone = |n: usize| Complex64::cis(TAU * (frequency * n as f64).rem_euclid(1.0));
            let input: Vec<Complex32> =
                (0..400).map(|n| Complex32::new(tone(n).re as f32, tone(n).im as f32)).collect();
            let output = through(&mut fresh, &input);
            let response: Complex64 = gains
                .iter()
                .zip(DelayProfile::TdlC.taps())
                .map(|(gain, tap)| {
                    let delay = tap.delay * 7.3 + HALF as f64;
                    Complex64::new(gain.re.into(), gain.im.into()) * Complex64::cis(-TAU * frequency * delay)
                })
                .sum();
            for (n, found) in output.iter().enumerate().skip(200) {
                let expected = response * tone(n);
                let found = Complex64::new(found.re.into(), found.im.into());
                assert!((found - expected).norm() < 1e-3, "{frequency}, {n}: {found} {expected}");
            }
        }
        assert_eq!(through(&mut kernel, &[]).len(), 0);
    }

    #[test]
    fn powers_over_realisations_are_those_of_the_profile() {
        // 2,000 channels: |h|^2 of a tap is exponential, its mean has a relative standard error of 2.2 %; 4 sigma.
        for profile in [DelayProfile::TdlA, DelayProfile::TdlD] {
            let config = MultipathConfig { profile, delay_spread: 2.0, ..MultipathConfig::default() };
            let taps = profile.taps();
            let mut powers = vec![0.0; taps.len()];
            for receiver in 0..2000 {
                let gains = channel(config, receiver).gains(0);
                powers
                    .iter_mut()
                    .zip(gains)
                    .for_each(|(power, h)| *power += f64::from(h.norm_sqr()) / 2000.0);
            }
            for (found, tap) in powers.iter().zip(&taps) {
                let expected = tap.power + tap.line_of_sight;
                assert!((found / expected - 1.0).abs() < 0.09, "{}: {found} {expected}", profile.name());
            }
        }
    }

    #[test]
    fn gains_change_as_doppler_says_and_meet_the_same_fades_in_any_chunks() {
        // Autocorrelation J0(2 pi f_D d) over 600 channels; standard error below 0.05.
        let config = MultipathConfig { doppler: 1e-4, ..MultipathConfig::default() };
        for (distance, expected) in [(0, 1.0), (1000, 0.903_7), (3827, 0.0), (5000, -0.304_2)] {
            let sum: f64 = (0..600)
                .map(|receiver| {
                    let channel = channel(config, receiver);
                    f64::from((channel.gains(distance)[0] * channel.gains(0)[0].conj()).re)
                })
                .sum();
            assert!((sum / 600.0 - expected).abs() < 0.15, "{distance}: {}", sum / 600.0);
        }
        let input: Vec<Complex32> = (0..1000).map(|n| Complex32::new(1.0, (n % 7) as f32)).collect();
        let whole = through(&mut channel(config, 1), &input);
        let mut pieces = channel(config, 1);
        let found: Vec<Complex32> = input.chunks(37).flat_map(|piece| through(&mut pieces, piece)).collect();
        assert_eq!(found, whole);
        let at_500 = pieces.gains(500)[0] * Complex32::new(1.0, ((500 - HALF) % 7) as f32);
        assert!((whole[500] - at_500).norm() < 1e-3);
    }

    #[test]
    fn a_k_factor_leaves_little_to_fade_and_nonsense_is_refused() {
        let config = MultipathConfig { k_factor: 1e6, ..MultipathConfig::default() };
        assert!((0..20).all(|receiver| (channel(config, receiver).gains(0)[0].norm() - 1.0).abs() < 0.01));
        let refused = |config: MultipathConfig| Multipath::new(RngKey::new(0), 0, config).is_err();
        let plain = MultipathConfig::default();
        assert!(refused(MultipathConfig { delay_spread: 1.0, ..plain }));
        assert!(refused(MultipathConfig { profile: DelayProfile::TdlE, delay_spread: 1e5, ..plain }));
        assert!(refused(MultipathConfig { profile: DelayProfile::TdlE, k_factor: 1.0, ..plain }));
        assert!(refused(MultipathConfig { doppler: f64::NAN, ..plain }));
    }
}
