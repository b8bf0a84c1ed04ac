//! Follows a channel that changes within a burst, by what pilots are off from what was expected.
//!
//! ```text
//! pilots - base > smoothed over pilots > one filter per speed: value, rate > the best one > all carriers
//!                                        | nothing moves                     by pilots predicted
//!                                        | slow ... fast
//! ```
//! How fast it changes is not known. So several filters run side by side, and the one that has predicted the pilots best is
//! believed: for equal noise, the likelihood of a filter falls with the squares of its predictions' errors. A channel that
//! stays is what is believed first, and others must be better by [`EVIDENCE`]. It predicts the mean of all pilots so far, so
//! that errors of the base do not pass for motion. A burst whose channel once moved is not believed to stand still again.
//!
//! Sources: the alpha-beta filter and its gains, Benedict and Bordner, "Synthesis of an optimal set of radar
//! track-while-scan smoothing equations", IRE Transactions on Automatic Control 7 (1962); the choice among filters, Magill,
//! "Optimal adaptive estimation of sampled stochastic processes", IEEE Transactions on Automatic Control 10 (1965).

use super::ResourceGrid;
use super::pilot_interpolator::{PilotInterpolator, TAPS};
use crate::Result;
use num_complex::Complex32;

/// Parts of what is new in a symbol that filters take in.
const GAINS: [f32; 3] = [0.03, 0.12, 0.4];
/// Latest delays that interpolators stand ready for, over the prefix.
const LATEST: [f64; 4] = [1.0, 0.5, 0.25, 0.125];
/// Logarithm of the likelihood ratio by which a channel must move to be believed to: by chance, it is once in 20,000 bursts.
const EVIDENCE: f64 = 10.0;
/// What is left of likelihoods after a symbol: what was long ago counts less.
const MEMORY: f64 = 1.0 - 1.0 / 256.0;
/// What is left of rates after a symbol that was not received.
const COASTING: f32 = 0.8;
/// Symbols at the start of a burst of which nothing is concluded: phase and time are still settling.
const SETTLING: usize = 8;
/// Symbols that know as much as what the base was estimated from.
const BASE_WEIGHT: f32 = 16.0;
/// Noise over signal below which there is always something that models do not know.
const FLOOR: f32 = 1e-5;

/// Follows the channel of one burst after the other.
#[derive(Clone, Debug)]
pub struct ChannelTracker {
    interpolators: Vec<PilotInterpolator>,
    /// The one whose delays fit.
    fitting: usize,
    /// Places of the pilots among all carriers.
    pilots: Vec<usize>,
    /// The response at the start, at the pilots.
    base: Vec<Complex32>,
    noise: f32,
    symbol: usize,
    /// Squares of errors over the noise, if nothing moves.
    still: f64,
    /// How far pilots are off the base in the mean, and the weight of that.
    mean: Vec<Complex32>,
    weight: f32,
    filters: Vec<Filter>,
    believed: Option<usize>,
    /// How far pilots are off, centred.
    off: Vec<Complex32>,
    /// What is new in them for a filter, and that smoothed.
    new: Vec<Complex32>,
    smooth: Vec<Complex32>,
}

/// A guess at how fast the channel moves.
#[derive(Clone, Debug)]
struct Filter {
    gains: [f32; 2],
    /// How far centred pilots are off the base, and by how much more in every symbol.
    values: Vec<Complex32>,
    rates: Vec<Complex32>,
    /// Squares of its errors over the noise.
    errors: f64,
}

impl ChannelTracker {
    /// - errors: those of weights that are not determined, which no grid has
    pub fn new(grid: &ResourceGrid) -> Result<Self> {
        let prefix = grid.numerology().prefix_len as f64;
        let side = grid.numerology().side_carriers as f32;
        let pilots: Vec<usize> =
            grid.pilots().iter().map(|place| (grid.frequency(*place) + side) as usize).collect();
        // So that windows always fit.
        let zeros = vec![Complex32::ZERO; pilots.len().max(TAPS)];
        let filter = |gain: f32| Filter {
            gains: [gain, gain * gain / (2.0 - gain)],
            values: zeros.clone(),
            rates: zeros.clone(),
            errors: 0.0,
        };
        Ok(Self {
            interpolators: LATEST
                .into_iter()
                .map(|part| PilotInterpolator::new(grid, part * prefix))
                .collect::<Result<_>>()?,
            fitting: 0,
            base: vec![Complex32::ZERO; pilots.len()],
            noise: f32::INFINITY,
            symbol: 0,
            still: 0.0,
            mean: vec![Complex32::ZERO; pilots.len()],
            weight: BASE_WEIGHT,
            filters: GAINS.into_iter().map(filter).collect(),
            pilots,
            believed: None,
            off: zeros.clone(),
            new: zeros.clone(),
            smooth: zeros,
        })
    }

    /// Begins with a burst.
    ///
    /// - response: h of all carriers in ascending frequency, the empty one in the middle included, `[2 side + 1]`
    /// - noise: variance on a carrier
    pub fn start(&mut self, response: &[Complex32], noise: f32) {
        self.refine(response, noise);
        (self.symbol, self.still) = (0, 0.0);
        self.filters.iter_mut().for_each(|filter| filter.errors = 0.0);
        self.believed = None;
    }

    /// Begins anew with a better response; what was learnt of the speed stays.
    ///
    /// - as for [`Self::start`]
    pub fn refine(&mut self, response: &[Complex32], noise: f32) {
        let misses = self.interpolators.iter().map(|interpolator| interpolator.miss(response)).enumerate();
        self.fitting = misses.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(place, _)| place);
        self.base.iter_mut().zip(&self.pilots).for_each(|(base, place)| *base = response[*place]);
        let power = self.base.iter().map(|h| h.norm_sqr()).sum::<f32>() / self.base.len() as f32;
        self.noise = noise.max(FLOOR * power).max(f32::MIN_POSITIVE);
        self.mean.fill(Complex32::ZERO);
        self.weight = BASE_WEIGHT;
        for filter in &mut self.filters {
            filter.values.fill(Complex32::ZERO);
            filter.rates.fill(Complex32::ZERO);
        }
    }

    /// Takes the pilots of the next symbol.
    ///
    /// - pilots: h of each as it was received, less phase and time that are followed already. Such as are not finite are
    ///   passed over.
    pub fn observe(&mut self, pilots: &[Complex32]) {
        let energy: f32 = pilots.iter().map(|pilot| pilot.norm_sqr()).sum();
        if !energy.is_finite() || pilots.len() != self.base.len() {
            return self.pass();
        }
        let noise = f64::from(self.noise);
        self.symbol += 1;
        let memory = if self.symbol <= SETTLING { 0.0 } else { MEMORY };
        for (off, (pilot, base)) in self.off.iter_mut().zip(pilots.iter().zip(&self.base)) {
            *off = pilot - base;
        }
        if !self.is_moving() {
            self.still = memory * self.still + f64::from(self.error_if_still()) / noise;
        }
        let interpolator = &self.interpolators[self.fitting];
        interpolator.centre(&mut self.off[..pilots.len()]);
        for filter in &mut self.filters {
            filter.step();
            self.new.iter_mut().zip(self.off.iter().zip(&filter.values)).for_each(|(n, (o, v))| *n = o - v);
            let error: f32 = self.new.iter().map(|new| new.norm_sqr()).sum();
            filter.errors = memory * filter.errors + f64::from(error) / noise;
            interpolator.smooth(&self.new, &mut self.smooth);
            filter.update(&self.smooth);
        }
        let best = self.filters.iter().enumerate().min_by(|a, b| a.1.errors.total_cmp(&b.1.errors));
        let was_moving = self.is_moving();
        let moving = best.filter(|(_, filter)| was_moving || filter.errors + EVIDENCE < self.still);
        self.believed = moving.map(|(place, _)| place);
    }

    /// Squares of what the pilots' mean so far is off.
    fn error_if_still(&mut self) -> f32 {
        self.weight += 1.0;
        let (gain, mut error) = (1.0 / self.weight, 0.0);
        for (mean, off) in self.mean.iter_mut().zip(&self.off) {
            let new = off - *mean;
            error += new.norm_sqr();
            *mean += new * gain;
        }
        error
    }

    /// Passes over a symbol that was not received.
    pub fn pass(&mut self) {
        for filter in &mut self.filters {
            filter.step();
            filter.rates.iter_mut().for_each(|rate| *rate *= COASTING);
        }
    }

    /// Whether the channel is believed to move.
    pub fn is_moving(&self) -> bool {
        self.believed.is_some()
    }

    /// The response now.
    ///
    /// - response: that of the start, to which the change is added, `[2 side + 1]`
    pub fn move_on(&self, response: &mut [Complex32]) {
        if let Some(filter) = self.believed.and_then(|believed| self.filters.get(believed)) {
            let changes = self.interpolators[self.fitting].carriers(&filter.values);
            response.iter_mut().zip(changes).for_each(|(h, change)| *h += change);
        }
    }
}

impl Filter {
    fn step(&mut self) {
        self.values.iter_mut().zip(&self.rates).for_each(|(value, rate)| *value += rate);
    }

    fn update(&mut self, new: &[Complex32]) {
        let [of_value, of_rate] = self.gains;
        self.values.iter_mut().zip(new).for_each(|(value, new)| *value += new * of_value);
        self.rates.iter_mut().zip(new).for_each(|(rate, new)| *rate += new * of_rate);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Numerology;
    use super::*;
    use crate::rng::{Purpose, RngKey, complex_normal, normal};
    use std::f32::consts::TAU;

    /// Paths with a delay in samples, turns per symbol, and a gain.
    struct Paths {
        grid: ResourceGrid,
        paths: Vec<(f32, f32, Complex32)>,
    }

    impl Paths {
        /// Twelve paths up to a delay, whose Doppler shifts are those of all directions.
        fn new(numerology: Numerology, latest: f32, doppler: f32, trial: usize) -> Self {
            let mut rng = RngKey::new(41).stream(Purpose::Fading, 0, trial);
            let gains = complex_normal(&mut rng, 1.0 / 12.0, 12);
            let path = |(n, gain): (usize, Complex32)| {
                let direction = TAU * (n as f32 + 0.3 * normal(&mut rng)) / 12.0;
                (latest * (n * 5 % 12) as f32 / 11.0, doppler * direction.cos(), gain)
            };
            let paths = gains.into_iter().enumerate().map(path).collect();
            Self { grid: ResourceGrid::new(numerology).unwrap(), paths }
        }

        fn response(&self, symbol: usize) -> Vec<Complex32> {
            let side = self.grid.numerology().side_carriers as i32;
            let len = self.grid.numerology().fft_len as f32;
            let of = |f: i32| -> Complex32 {
                let turned = |(delay, shift, gain): &(f32, f32, Complex32)| {
                    gain * Complex32::cis(TAU * (shift * symbol as f32 - f as f32 * delay / len))
                };
                self.paths.iter().map(turned).sum()
            };
            (-side..=side).map(of).collect()
        }

        /// Mean squared error over carriers and the last symbols: of what is followed, and of the base, over the noise.
        fn errors(&self, noise: f32, symbols: usize, trial: usize) -> [f32; 2] {
            let mut tracker = ChannelTracker::new(&self.grid).unwrap();
            let mut rng = RngKey::new(42).stream(Purpose::NoisePrivate, 0, trial);
            let start = self.response(0);
            tracker.start(&start, noise);
            let (mut followed, mut base, mut count) = (0.0, 0.0, 0.0);
            for symbol in 1..=symbols {
                let truth = self.response(symbol);
                let added = complex_normal(&mut rng, noise, tracker.pilots.len());
                let pilots: Vec<Complex32> =
                    tracker.pilots.iter().zip(added).map(|(place, n)| truth[*place] + n).collect();
                tracker.observe(&pilots);
                if symbol * 2 > symbols {
                    let mut response = start.clone();
                    tracker.move_on(&mut response);
                    let error = |found: &[Complex32]| -> f32 {
                        found.iter().zip(&truth).map(|(a, b)| (a - b).norm_sqr()).sum()
                    };
                    followed += error(&response) / noise;
                    base += error(&start) / noise;
                    count += truth.len() as f32;
                }
            }
            [followed / count, base / count]
        }
    }

    #[test]
    fn channels_that_stay_lose_less_than_a_twentieth_of_a_decibel() {
        for (name, numerology) in Numerology::PRESETS {
            for noise in [1.0, 0.03, 0.001] {
                let of = |trial| {
                    let latest = numerology.prefix_len as f32 * [0.0, 0.25, 1.0][trial % 3];
                    Paths::new(numerology, latest, 0.0, trial).errors(noise, 300, trial)[0]
                };
                // Error over noise: 0.0116 is 0.05 dB.
                let mean = (0..12).map(of).sum::<f32>() / 12.0;
                assert!(mean < 0.0116, "{name}, noise {noise}: {mean}");
            }
        }
    }

    #[test]
    fn channels_that_move_are_followed_closer_than_their_noise() {
        for (name, numerology) in Numerology::PRESETS {
            // Turns per symbol: 5 Hz and 50 Hz of `narrow`.
            for (doppler, most) in [(4e-4, 0.5), (4e-3, 1.0)] {
                let (mut followed, mut base) = (0.0, 0.0);
                for trial in 0..10 {
                    let latest = numerology.prefix_len as f32 / 4.0;
                    let errors = Paths::new(numerology, latest, doppler, trial).errors(0.01, 1000, trial);
                    (followed, base) = (followed + errors[0] / 10.0, base + errors[1] / 10.0);
                }
                println!("{name}, {doppler}: {followed} of {base}");
                assert!(followed < most && base > 50.0, "{name}, {doppler}: {followed} of {base}");
            }
        }
    }

    #[test]
    fn what_is_no_number_or_nothing_does_no_harm() {
        let paths = Paths::new(Numerology::NARROW, 3.0, 0.0, 0);
        let start = paths.response(0);
        let mut tracker = ChannelTracker::new(&paths.grid).unwrap();
        // Without a burst, and with one of zeros.
        for _ in 0..20 {
            tracker.observe(&[Complex32::ONE; 8]);
        }
        tracker.start(&vec![Complex32::ZERO; start.len()], 0.0);
        tracker.observe(&[Complex32::ZERO; 8]);
        assert!(!tracker.is_moving());
        tracker.start(&start, 0.01);
        let pilots: Vec<Complex32> = tracker.pilots.iter().map(|place| start[*place]).collect();
        for symbol in 0..200 {
            match symbol % 4 {
                0 => tracker.observe(&[Complex32::new(f32::NAN, 0.0); 8]),
                1 => tracker.pass(),
                2 => tracker.observe(&pilots[1..]),
                _ => tracker.observe(&pilots),
            }
        }
        let mut response = start.clone();
        tracker.move_on(&mut response);
        assert_eq!(response, start);
        // A signal that ends: what is followed goes to nothing and stays finite.
        for _ in 0..300 {
            tracker.observe(&[Complex32::ZERO; 8]);
        }
        tracker.move_on(&mut response);
        assert!(response.iter().all(|h| h.norm() < 1.0), "{response:?}");
        // The next burst does not know of it.
        tracker.start(&start, 0.01);
        assert!(!tracker.is_moving());
    }
}
