//! Follows a channel from symbol to symbol by its pilots: phase, and the time of the sample clock.
//!
//! ```text
//! pilot = h sign exp(j (phase + 2 pi f time / N)) + noise          f in carrier spacings
//!         known           followed, each with its rate
//! ```
//! What the carrier is still off turns all carriers alike; what the clock is off turns them by their frequency.

use super::kalman::Drift;
use super::{ChannelEstimate, ResourceGrid};
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
#[derive(Clone, Debug, PartialEq)]
pub struct TrackedSymbol {
    /// The data carriers as received, in ascending frequency.
    pub data: Vec<Complex32>,
    /// h of each of them in this symbol.
    pub csi: Vec<Complex32>,
    /// Samples by which the next symbol should be taken later: the clock has drifted so far.
    pub later: i32,
}

/// Follows one burst.
#[derive(Clone, Debug)]
pub struct Tracker {
    grid: ResourceGrid,
    estimate: ChannelEstimate,
    phase: Drift,
    time: Drift,
    symbol: usize,
}

impl Tracker {
    /// A tracker that knows what the preamble showed.
    ///
    /// - errors: an estimate of another grid
    pub fn new(grid: &ResourceGrid, estimate: ChannelEstimate) -> Result<Self> {
        let numerology = grid.numerology();
        if estimate.response.len() != numerology.fft_len {
            let found = estimate.response.len();
            return Err(BlockError::shape("carriers of a channel estimate", numerology.fft_len, found));
        }
        let symbol_len = numerology.symbol_len() as f64;
        let turn = TAU * CARRIER_DEVIATION * symbol_len / numerology.fft_len as f64;
        let drift = CLOCK_DEVIATION * symbol_len;
        let phase = Drift::new([4.0 * turn * turn, turn * turn], [PHASE_WANDER * PHASE_WANDER, 1e-10]);
        let time = Drift::new([4.0 * drift * drift, drift * drift], [1e-10, 1e-14]);
        Ok(Self { grid: grid.clone(), estimate, phase, time, symbol: 0 })
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
        self.phase.step();
        self.time.step();
        self.observe(&self.grid.pick(self.grid.pilots(), carriers)?);
        let data = self.grid.pick(self.grid.data(), carriers)?;
        let turned = |place: &usize| self.estimate.response[*place] * self.turn(*place);
        let csi = self.grid.data().iter().map(turned).collect();
        self.symbol += 1;
        // Symbols that come earlier than they are taken turn carriers forward.
        let later = match self.time.value() {
            time if time > MOST_TIME => -1,
            time if time < -MOST_TIME => 1,
            _ => 0,
        };
        self.time.shift(f64::from(later));
        Ok(TrackedSymbol { data, csi, later })
    }

    /// How phase and time turn a carrier now.
    fn turn(&self, place: usize) -> Complex32 {
        let len = self.grid.numerology().fft_len as f64;
        let angle =
            self.phase.value() + TAU * f64::from(self.grid.frequency(place)) * self.time.value() / len;
        let turn = Complex64::cis(angle);
        Complex32::new(turn.re as f32, turn.im as f32)
    }

    fn observe(&mut self, pilots: &[Complex32]) {
        let len = self.grid.numerology().fft_len as f64;
        let signs = self.grid.pilot_signs(self.symbol);
        // What is left of each pilot's angle, weighted by |h|^2.
        let left: Vec<(f64, Complex64)> = self
            .grid
            .pilots()
            .iter()
            .zip(pilots.iter().zip(signs))
            .map(|(place, (pilot, sign))| {
                let expected = self.estimate.response[*place] * self.turn(*place) * *sign;
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
    }
}
