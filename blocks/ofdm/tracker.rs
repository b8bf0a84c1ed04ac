//! Follows a channel from symbol to symbol by its pilots: phase, and the time of the sample clock.
//!
//! ```text
//! pilot = h sign exp(j (phase + 2 pi f time / N)) + noise          f in carrier spacings
//!         known           followed, each with its rate
//! ```
//! What the carrier is still off turns all carriers alike; what the clock is off turns them by their frequency.

use super::kalman::Drift;
use super::{ChannelEstimate, ResourceGrid};
use crate::impairment::Oscillator;
use crate::{BlockError, Result};
use num_complex::{Complex32, Complex64};
use std::f64::consts::TAU;

/// Deviation of the carrier that acquisition may leave, in spacings.
const CARRIER_DEVIATION: f64 = 0.03;
/// Deviation of clocks.
const CLOCK_DEVIATION: f64 = 40e-6;
/// By which phases wander from symbol to symbol besides, in radians.
const PHASE_WANDER: f64 = 0.01;
/// A whole sample of time is taken off where there is more than this.
const MOST_TIME: f64 = 0.75;

/// One symbol as its pilots show it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackedSymbol {
    /// The data carriers as received, in ascending frequency.
    pub data: Vec<Complex32>,
    /// h of each of them in this symbol.
    pub csi: Vec<Complex32>,
    /// Samples by which the next symbol should be taken later: the clock has drifted so far.
    pub later: i32,
    /// How much of the pilots is what was expected: 1 where they are, near 0 where nothing was sent.
    pub coherence: f32,
}

/// Follows one burst.
#[derive(Clone, Debug)]
pub struct Tracker {
    grid: ResourceGrid,
    estimate: ChannelEstimate,
    phase: Drift,
    time: Drift,
    symbol: usize,
    /// exp(j (phase + 2 pi f time / N)) of all frequencies f from -side to side.
    turns: Vec<Complex32>,
}

impl Tracker {
    /// A tracker that knows what the preamble showed.
    ///
    /// - errors: an estimate of another grid
    pub fn new(grid: &ResourceGrid, estimate: ChannelEstimate) -> Result<Self> {
        let numerology = grid.numerology();
        check(grid, &estimate)?;
        let symbol_len = numerology.symbol_len() as f64;
        let turn = TAU * CARRIER_DEVIATION * symbol_len / numerology.fft_len as f64;
        let drift = CLOCK_DEVIATION * symbol_len;
        let phase = Drift::new([4.0 * turn * turn, turn * turn], [PHASE_WANDER * PHASE_WANDER, 1e-10]);
        let time = Drift::new([4.0 * drift * drift, drift * drift], [1e-10, 1e-14]);
        let turns = vec![Complex32::ONE; 2 * numerology.side_carriers + 1];
        Ok(Self { grid: grid.clone(), estimate, phase, time, symbol: 0, turns })
    }

    /// Replaces what is known of the channel, at the phase and time of the first symbol.
    ///
    /// - errors: an estimate of another grid
    pub fn refine(&mut self, estimate: ChannelEstimate) -> Result<()> {
        check(&self.grid, &estimate)?;
        self.estimate = estimate;
        Ok(())
    }

    /// What is known of the channel, at the phase and time of the first symbol.
    pub fn estimate(&self) -> &ChannelEstimate {
        &self.estimate
    }

    /// Carrier offset that is left, in cycles per sample.
    pub fn carrier_offset(&self) -> f64 {
        self.phase.rate() / TAU / self.grid.numerology().symbol_len() as f64
    }

    /// The transmitter's clock over the receiver's, less one: how much faster symbols come than they are taken.
    pub fn clock_offset(&self) -> f64 {
        self.time.rate() / self.grid.numerology().symbol_len() as f64
    }

    /// Takes the next symbol.
    ///
    /// - carriers: `[N]`, of samples whose carrier was turned back
    /// - errors: another length
    pub fn track(&mut self, carriers: &[Complex32]) -> Result<TrackedSymbol> {
        let pilots = self.grid.pick(self.grid.pilots(), carriers)?;
        self.predict();
        let coherence = self.observe(&pilots);
        self.turn();
        let data = self.grid.pick(self.grid.data(), carriers)?;
        let csi = self
            .grid
            .data()
            .iter()
            .map(|place| self.estimate.response[*place] * self.turn_of(*place))
            .collect();
        Ok(TrackedSymbol { data, csi, later: self.finish(), coherence })
    }

    /// Passes over a symbol of which nothing was received.
    ///
    /// - returns: one of zeros
    pub fn pass(&mut self) -> TrackedSymbol {
        self.predict();
        let nothing = vec![Complex32::ZERO; self.grid.data().len()];
        TrackedSymbol { data: nothing.clone(), csi: nothing, later: self.finish(), coherence: 0.0 }
    }

    /// The last symbol's carriers as they were at the phase and time of the first.
    ///
    /// - carriers: `[N]`, in place; those that are not occupied mean nothing then
    pub fn turn_back(&self, carriers: &mut [Complex32]) {
        for place in self.grid.occupied() {
            carriers[*place] *= self.turn_of(*place).conj();
        }
    }

    fn predict(&mut self) {
        self.phase.step();
        self.time.step();
    }

    /// Takes whole samples of time off.
    fn finish(&mut self) -> i32 {
        self.symbol += 1;
        // Symbols that come earlier than they are taken turn carriers forward.
        let later = match self.time.value() {
            time if time > MOST_TIME => -1,
            time if time < -MOST_TIME => 1,
            _ => 0,
        };
        self.time.shift(f64::from(later));
        later
    }

    /// Computes how phase and time turn all carriers now.
    fn turn(&mut self) {
        let per_carrier = self.time.value() / self.grid.numerology().fft_len as f64;
        let side = self.grid.numerology().side_carriers as f64;
        let lowest = self.phase.value() / TAU - side * per_carrier;
        self.turns.fill(Complex32::ONE);
        Oscillator::new(per_carrier, lowest).rotate(&mut self.turns);
    }

    fn turn_of(&self, place: usize) -> Complex32 {
        let middle = self.grid.numerology().side_carriers as f32;
        self.turns[(self.grid.frequency(place) + middle) as usize]
    }

    fn observe(&mut self, pilots: &[Complex32]) -> f32 {
        self.turn();
        let len = self.grid.numerology().fft_len as f64;
        let signs = self.grid.pilot_signs(self.symbol);
        // What is left of each pilot's angle, weighted by |h|^2.
        let left: Vec<(f64, Complex64)> = self
            .grid
            .pilots()
            .iter()
            .zip(pilots.iter().zip(signs))
            .map(|(place, (pilot, sign))| {
                let expected = self.estimate.response[*place] * self.turn_of(*place) * *sign;
                let product = pilot * expected.conj();
                (
                    TAU * f64::from(self.grid.frequency(*place)) / len,
                    Complex64::new(product.re.into(), product.im.into()),
                )
            })
            .collect();
        let sum: Complex64 = left.iter().map(|(_, product)| product).sum();
        let places = self.grid.pilots().iter();
        let weights: Vec<f64> =
            places.map(|place| f64::from(self.estimate.response[*place].norm_sqr())).collect();
        let noise = f64::from(self.estimate.noise_variance) / 2.0;
        let power: f64 = weights.iter().sum();
        let common = sum.arg();
        self.phase.observe(common, noise / power);
        // Angles about the common one, along the frequency: pilots lie evenly about the middle.
        let back = Complex64::cis(-common);
        let slope: f64 = left.iter().map(|(frequency, product)| frequency * (product * back).im).sum();
        let spread: f64 =
            left.iter().zip(&weights).map(|((frequency, _), w)| w * frequency * frequency).sum();
        self.time.observe(slope / spread, noise / spread);
        (sum.re / power) as f32
    }
}

fn check(grid: &ResourceGrid, estimate: &ChannelEstimate) -> Result<()> {
    let expected = grid.numerology().fft_len;
    match estimate.response.len() {
        len if len == expected => Ok(()),
        len => Err(BlockError::shape("carriers of a channel estimate", expected, len)),
    }
}
