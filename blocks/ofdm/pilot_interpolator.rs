//! From pilots to all carriers, for delays that are spread evenly up to a latest one.
//!
//! ```text
//! pilots     o           o           o           o           o           o           o
//!                \_______\___\___  |  ___/___/_______/   weights of the nearest ones
//! carriers   . . . . . . . . . . . . * . . . . . . . . . . . . . . . . . . . . . . . . . .
//! ```
//! Carriers are turned by the mean delay first: then weights are real.

use super::ResourceGrid;
use super::correlation::Correlation;
use crate::Result;
use num_complex::{Complex32, Complex64};
use std::collections::HashMap;
use std::f64::consts::TAU;

/// Pilots that one carrier is made of, at most.
pub(super) const TAPS: usize = 8;
/// Noise over signal of pilots that are interpolated: they are means over many symbols.
const NOISE: f64 = 0.005;
/// Pilots on each side that smoothing reaches to, and one more.
const REACH: usize = 4;

/// Combines pilots, for one spread of delays. Carriers stand in ascending frequency, the empty one in the middle
/// included.
#[derive(Clone, Debug)]
pub(super) struct PilotInterpolator {
    /// Places of the pilots among the carriers.
    pilots: Vec<usize>,
    /// What turns a carrier of mean delay 0 to the real one, `[2 side + 1]`.
    centre: Vec<Complex32>,
    smoothing: Vec<Window>,
    interpolation: Vec<Window>,
}

/// First pilot of a combination, and weights.
#[derive(Clone, Copy, Debug)]
struct Window {
    start: usize,
    weights: [f32; TAPS],
}

impl PilotInterpolator {
    /// - latest: delay in samples
    /// - errors: those of the correlation's weights
    pub(super) fn new(grid: &ResourceGrid, latest: f64) -> Result<Self> {
        let side = grid.numerology().side_carriers as i32;
        let frequencies: Vec<i32> = grid.pilots().iter().map(|place| grid.frequency(*place) as i32).collect();
        let (correlation, mean) = Correlation::within(grid, latest).centred();
        let turn = |frequency: i32| {
            let Complex64 { re, im } = Complex64::cis(-TAU * f64::from(frequency) * mean);
            Complex32::new(re as f32, im as f32)
        };
        let mut known: HashMap<Vec<i32>, [f32; TAPS]> = HashMap::new();
        let interpolate = |frequency: i32| -> Result<Window> {
            let taps = TAPS.min(frequencies.len());
            let above = frequencies.partition_point(|pilot| *pilot < frequency);
            let start = above.saturating_sub(taps / 2).min(frequencies.len() - taps);
            let around: Vec<i32> = frequencies[start..start + taps].iter().map(|f| f - frequency).collect();
            let weights = match known.get(&around) {
                Some(weights) => *weights,
                None => {
                    let mut weights = [0.0; TAPS];
                    let found = correlation.weights(&around, NOISE)?;
                    weights.iter_mut().zip(found).for_each(|(weight, found)| *weight = found.re);
                    known.insert(around, weights);
                    weights
                }
            };
            Ok(Window { start, weights })
        };
        Ok(Self {
            pilots: frequencies.iter().map(|frequency| (frequency + side) as usize).collect(),
            centre: (-side..=side).map(turn).collect(),
            smoothing: (0..frequencies.len())
                .map(|pilot| smooth(&correlation, &frequencies, pilot))
                .collect(),
            interpolation: (-side..=side).map(interpolate).collect::<Result<_>>()?,
        })
    }

    /// Turns values of all pilots to a mean delay of 0.
    pub(super) fn centre(&self, pilots: &mut [Complex32]) {
        let turns = self.pilots.iter().map(|place| self.centre[*place].conj());
        pilots.iter_mut().zip(turns).for_each(|(pilot, turn)| *pilot *= turn);
    }

    /// What noisy, centred pilots say together.
    ///
    /// - pilots: as many as there are, at least [`TAPS`]
    /// - smooth: one value for each
    pub(super) fn smooth(&self, pilots: &[Complex32], smooth: &mut [Complex32]) {
        smooth.iter_mut().zip(&self.smoothing).for_each(|(value, window)| *value = window.of(pilots));
    }

    /// Values of all carriers behind centred pilots.
    ///
    /// - pilots: as many as there are, at least [`TAPS`]
    pub(super) fn carriers(&self, pilots: &[Complex32]) -> impl Iterator<Item = Complex32> {
        self.interpolation.iter().zip(&self.centre).map(|(window, turn)| window.of(pilots) * turn)
    }

    /// How far carriers are from what their pilots say of them: sum of squares.
    ///
    /// - response: `[2 side + 1]`
    pub(super) fn miss(&self, response: &[Complex32]) -> f32 {
        let mut pilots: Vec<Complex32> = self.pilots.iter().map(|place| response[*place]).collect();
        self.centre(&mut pilots);
        pilots.resize(pilots.len().max(TAPS), Complex32::ZERO);
        let middle = response.len() / 2;
        let misses = self.carriers(&pilots).zip(response).enumerate();
        misses.filter(|(place, _)| *place != middle).map(|(_, (found, h))| (found - h).norm_sqr()).sum()
    }
}

/// A pilot out of its neighbours: their correlation, under a triangle. Both are positive definite, and so is their product:
/// what is taken in again and again through such windows never grows.
fn smooth(correlation: &Correlation, frequencies: &[i32], pilot: usize) -> Window {
    let start = pilot.saturating_sub(REACH - 1).min(frequencies.len().saturating_sub(TAPS));
    let mut weights = [0.0; TAPS];
    for (other, weight) in (start..frequencies.len()).zip(&mut weights) {
        let triangle = 1.0 - other.abs_diff(pilot) as f64 / REACH as f64;
        let distance = frequencies[other] - frequencies[pilot];
        let spacing = (frequencies[1] - frequencies[0]).into();
        *weight = (correlation.share(spacing) * correlation.at(distance).re * triangle.max(0.0)) as f32;
    }
    Window { start, weights }
}

impl Window {
    #[inline]
    fn of(&self, pilots: &[Complex32]) -> Complex32 {
        let around = &pilots[self.start..self.start + TAPS];
        // Two sums side by side, so that neither waits for the other.
        let mut sums = [Complex32::ZERO; 2];
        for (pilots, weights) in around.chunks_exact(2).zip(self.weights.chunks_exact(2)) {
            sums[0] += pilots[0] * weights[0];
            sums[1] += pilots[1] * weights[1];
        }
        sums[0] + sums[1]
    }
}

#[cfg(test)]
mod tests {
    use super::super::Numerology;
    use super::*;

    #[test]
    fn paths_within_the_delays_are_interpolated_and_others_are_missed() {
        for (name, numerology) in Numerology::PRESETS {
            let grid = ResourceGrid::new(numerology).unwrap();
            let (side, len) = (numerology.side_carriers as i32, numerology.fft_len as f32);
            let latest = numerology.prefix_len as f64 / 4.0;
            let interpolator = PilotInterpolator::new(&grid, latest).unwrap();
            let miss = |delay: f32| {
                let carrier = |f: i32| Complex32::cis(-std::f32::consts::TAU * f as f32 * delay / len);
                let response: Vec<Complex32> = (-side..=side).map(carrier).collect();
                interpolator.miss(&response) / (2 * side) as f32
            };
            // The weights allow for noise 23 dB below; at a delay out of reach nothing fits.
            for delay in [0.0, latest as f32 / 2.0, latest as f32] {
                assert!(miss(delay) < 0.03, "{name}, {delay}: {}", miss(delay));
            }
            assert!(miss(numerology.prefix_len as f32) > 0.3, "{name}");
        }
    }
}
