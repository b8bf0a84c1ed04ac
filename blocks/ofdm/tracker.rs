//! Follows a channel from symbol to symbol by its pilots: phase, and the time of the sample clock.
//!
//! ```text
//! pilot = h sign exp(j (phase + 2 pi f time / N)) + noise          f in carrier spacings
//!         known           followed, each with its rate
//! ```
//! What the carrier is still off turns all carriers alike; what the clock is off turns them by their frequency. How h itself
//! changes is left to [`ChannelTracker`].

use super::kalman::Drift;
use super::{ChannelEstimate, ChannelTracker, ResourceGrid};
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
/// Symbols for which a mean delay stays where channels change.
const DELAY_STAYS: f64 = 10.0;
/// Carriers that are turned from one exact value on.
const TURN_BLOCK: usize = 16;

/// What pilots say of one symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tracked {
    /// Samples by which the next symbol should be taken later: the clock has drifted so far.
    pub later: i32,
    /// Correlation of the pilots with what was expected: near 1 where the signal is strong, near 0 where nothing was sent.
    pub coherence: f32,
}

/// Follows one burst after the other. Carriers stand in ascending frequency here, `[2 side + 1]`, the empty one in the
/// middle included.
#[derive(Clone, Debug)]
pub struct Tracker {
    grid: ResourceGrid,
    /// Places of the data carriers among those that are occupied.
    data: Vec<usize>,
    pilots: Vec<Pilot>,
    estimate: Option<ChannelEstimate>,
    /// h at the start, and now: both at the phase and time of the first symbol.
    base: Vec<Complex32>,
    response: Vec<Complex32>,
    noise_variance: f64,
    channel: ChannelTracker,
    phase: Drift,
    time: Drift,
    /// Rate of the time besides, in samples per symbol: what it seemed to be before the channel moved.
    steady_rate: f64,
    symbol: usize,
    /// exp(j (phase + 2 pi f time / N)).
    turns: Vec<Complex32>,
    received: Vec<Complex32>,
    /// h of the pilots in this symbol, less phase and time.
    heard: Vec<Complex32>,
}

#[derive(Clone, Copy, Debug)]
struct Pilot {
    place: usize,
    /// 2 pi f / N.
    slope: f64,
}

impl Tracker {
    /// A tracker that knows of no burst yet: until [`Self::start`], all channels are 0.
    ///
    /// - errors: those of [`ChannelTracker::new`]
    pub fn new(grid: &ResourceGrid) -> Result<Self> {
        let numerology = grid.numerology();
        let side = numerology.side_carriers as f32;
        let place = |carrier: &usize| (grid.frequency(*carrier) + side) as usize;
        let pilot = |carrier: &usize| Pilot {
            place: place(carrier),
            slope: TAU * f64::from(grid.frequency(*carrier)) / numerology.fft_len as f64,
        };
        let zeros = vec![Complex32::ZERO; 2 * numerology.side_carriers + 1];
        let (phase, time) = drifts(grid);
        Ok(Self {
            data: grid.data().iter().map(place).collect(),
            pilots: grid.pilots().iter().map(pilot).collect(),
            estimate: None,
            base: zeros.clone(),
            response: zeros.clone(),
            noise_variance: 0.0,
            channel: ChannelTracker::new(grid)?,
            phase,
            time,
            steady_rate: 0.0,
            symbol: 0,
            turns: vec![Complex32::ONE; zeros.len()],
            received: zeros,
            heard: vec![Complex32::ZERO; grid.pilots().len()],
            grid: grid.clone(),
        })
    }

    /// Begins with a burst.
    ///
    /// - estimate: what its preamble showed
    /// - errors: an estimate of another grid
    pub fn start(&mut self, estimate: ChannelEstimate) -> Result<()> {
        self.learn(estimate)?;
        self.channel.start(&self.base, self.noise_variance as f32);
        (self.phase, self.time) = drifts(&self.grid);
        (self.symbol, self.steady_rate) = (0, 0.0);
        Ok(())
    }

    /// Replaces what is known of the channel, at the phase and time of the first symbol.
    ///
    /// - errors: an estimate of another grid
    pub fn refine(&mut self, estimate: ChannelEstimate) -> Result<()> {
        self.learn(estimate)?;
        self.channel.refine(&self.base, self.noise_variance as f32);
        Ok(())
    }

    fn learn(&mut self, estimate: ChannelEstimate) -> Result<()> {
        self.check(estimate.response.len())?;
        unfold(&estimate.response, &mut self.base);
        self.response.copy_from_slice(&self.base);
        self.noise_variance = estimate.noise_variance.into();
        self.estimate = Some(estimate);
        Ok(())
    }

    /// What is known of the channel, at the phase and time of the first symbol.
    pub fn estimate(&self) -> Option<&ChannelEstimate> {
        self.estimate.as_ref()
    }

    /// Carrier offset that is left, in cycles per sample.
    pub fn carrier_offset(&self) -> f64 {
        self.phase.rate() / TAU / self.grid.numerology().symbol_len() as f64
    }

    /// The transmitter's clock over the receiver's, less one: how much faster symbols come than they are taken.
    pub fn clock_offset(&self) -> f64 {
        (self.time.rate() + self.steady_rate) / self.grid.numerology().symbol_len() as f64
    }

    /// Whether the channel itself is believed to change.
    pub fn is_moving(&self) -> bool {
        self.channel.is_moving()
    }

    /// Takes the next symbol.
    ///
    /// - carriers: `[N]`, of samples whose carrier was turned back
    /// - data, csi: get the data carriers as received, in ascending frequency, and h of each in this symbol
    /// - errors: another length
    pub fn track(
        &mut self,
        carriers: &[Complex32],
        data: &mut Vec<Complex32>,
        csi: &mut Vec<Complex32>,
    ) -> Result<Tracked> {
        self.check(carriers.len())?;
        unfold(carriers, &mut self.received);
        self.predict();
        self.turn();
        let coherence = self.observe();
        self.turn();
        self.follow();
        data.extend(self.data.iter().map(|place| self.received[*place]));
        csi.extend(self.data.iter().map(|place| self.response[*place] * self.turns[*place]));
        Ok(Tracked { later: self.finish(), coherence })
    }

    /// Passes over a symbol of which nothing was received.
    ///
    /// - data, csi: get zeros
    pub fn pass(&mut self, data: &mut Vec<Complex32>, csi: &mut Vec<Complex32>) -> Tracked {
        self.predict();
        self.channel.pass();
        for values in [data, csi] {
            values.resize(values.len() + self.data.len(), Complex32::ZERO);
        }
        Tracked { later: self.finish(), coherence: 0.0 }
    }

    /// The last symbol's carriers as they were at the phase and time of the first.
    ///
    /// - carriers: `[N]`, in place; those that are not occupied mean nothing then
    pub fn turn_back(&self, carriers: &mut [Complex32]) {
        let middle = self.grid.numerology().side_carriers as f32;
        for place in self.grid.occupied() {
            carriers[*place] *= self.turns[(self.grid.frequency(*place) + middle) as usize].conj();
        }
    }

    fn predict(&mut self) {
        self.phase.step();
        self.time.step();
        self.time.shift(self.steady_rate);
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
        let per_carrier = TAU * self.time.value() / self.grid.numerology().fft_len as f64;
        let side = self.grid.numerology().side_carriers as f64;
        turn_evenly(self.phase.value() - side * per_carrier, per_carrier, &mut self.turns);
    }

    /// Learns phase and time from what is left of each pilot's angle, weighted by |h|^2.
    ///
    /// - returns: coherence
    fn observe(&mut self) -> f32 {
        let (mut sum, mut moment, mut energy) = (Complex64::ZERO, Complex64::ZERO, 0.0);
        let (mut power, mut spread) = (0.0, 0.0);
        for (pilot, sign) in self.pilots.iter().zip(self.grid.pilot_signs(self.symbol)) {
            let (h, received) = (self.response[pilot.place], self.received[pilot.place]);
            let product = received * (h * self.turns[pilot.place] * *sign).conj();
            let (product, weight) =
                (Complex64::new(product.re.into(), product.im.into()), f64::from(h.norm_sqr()));
            sum += product;
            moment += product * pilot.slope;
            energy += f64::from(received.norm_sqr());
            power += weight;
            spread += weight * pilot.slope * pilot.slope;
        }
        let noise = self.noise_variance / 2.0;
        let common = sum.arg();
        self.phase.observe(common, noise / power);
        // Angles about the common one, along the frequency: pilots lie evenly about the middle.
        let slope = (moment * sum.conj()).im / sum.norm();
        match self.channel.is_moving() {
            false => self.time.observe(slope / spread, noise / spread),
            true => self.time.observe(self.delay(), self.delay_variance()),
        }
        let most = (energy * power).sqrt();
        if most > 0.0 { (sum.re / most) as f32 } else { 0.0 }
    }

    /// The mean delay of what was received over that of the base, in samples of time still to be taken back. The channel's
    /// changes move it to and fro, the clock on and on.
    fn delay(&self) -> f64 {
        let (mut now, mut before) = (Complex32::ZERO, Complex32::ZERO);
        let signs = self.grid.pilot_signs(self.symbol);
        for (pair, signs) in self.pilots.windows(2).zip(signs.windows(2)) {
            let [low, high] = [pair[0].place, pair[1].place];
            let heard = |place: usize| self.received[place] * self.turns[place].conj();
            now += heard(high) * heard(low).conj() * (signs[0] * signs[1]);
            before += self.base[high] * self.base[low].conj();
        }
        let numerology = self.grid.numerology();
        let slope = TAU * numerology.pilot_spacing as f64 / numerology.fft_len as f64;
        f64::from((now * before.conj()).arg()) / slope
    }

    /// How far a changing channel moves the mean delay: squared samples, times symbols for which it stays.
    fn delay_variance(&self) -> f64 {
        let spread = self.grid.numerology().prefix_len as f64 / 8.0;
        DELAY_STAYS * spread * spread
    }

    /// Learns how the channel has changed.
    fn follow(&mut self) {
        let pilots = self.pilots.iter().zip(self.grid.pilot_signs(self.symbol));
        for (heard, (pilot, sign)) in self.heard.iter_mut().zip(pilots) {
            *heard = self.received[pilot.place] * self.turns[pilot.place].conj() * *sign;
        }
        let moved = self.channel.is_moving();
        self.channel.observe(&self.heard);
        if self.channel.is_moving() {
            if !moved {
                // What seemed to be the clock may have been the channel.
                let (time, rate) = (self.time.value(), self.time.rate());
                self.time = drifts(&self.grid).1;
                self.time.shift(time);
                self.steady_rate += rate;
            }
            self.response.copy_from_slice(&self.base);
            self.channel.move_on(&mut self.response);
        }
    }

    fn check(&self, found: usize) -> Result<()> {
        match self.grid.numerology().fft_len {
            expected if expected == found => Ok(()),
            expected => Err(BlockError::shape("carriers of a tracker", expected, found)),
        }
    }
}

/// Phase and time of which nothing was seen.
fn drifts(grid: &ResourceGrid) -> (Drift, Drift) {
    let numerology = grid.numerology();
    let symbol_len = numerology.symbol_len() as f64;
    let turn = TAU * CARRIER_DEVIATION * symbol_len / numerology.fft_len as f64;
    let drift = CLOCK_DEVIATION * symbol_len;
    let phase = Drift::new([4.0 * turn * turn, turn * turn], [PHASE_WANDER * PHASE_WANDER, 1e-10]);
    (phase, Drift::new([4.0 * drift * drift, drift * drift], [1e-10, 1e-14]))
}

/// The occupied carriers of a transform, and the one in their middle, in ascending frequency.
fn unfold(carriers: &[Complex32], ascending: &mut [Complex32]) {
    let side = ascending.len() / 2;
    let (below, above) = ascending.split_at_mut(side);
    below.copy_from_slice(&carriers[carriers.len() - side..]);
    above.copy_from_slice(&carriers[..=side]);
}

/// exp(j (start + n step)): one block of rotations from an exact value for each.
fn turn_evenly(start: f64, step: f64, turns: &mut [Complex32]) {
    let narrow = |value: Complex64| Complex32::new(value.re as f32, value.im as f32);
    let (one, mut rotation) = (Complex64::cis(step), Complex64::ONE);
    let mut rotations = [Complex32::ONE; TURN_BLOCK];
    for value in &mut rotations {
        *value = narrow(rotation);
        rotation *= one;
    }
    let mut first = Complex64::cis(start);
    for block in turns.chunks_mut(TURN_BLOCK) {
        let exact = narrow(first);
        block.iter_mut().zip(&rotations).for_each(|(turn, rotation)| *turn = exact * rotation);
        first *= rotation;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Numerology;
    use super::*;

    #[test]
    fn carriers_are_turned_as_exactly_as_floats_allow() {
        let mut turns = vec![Complex32::ZERO; 1793];
        for (start, step) in [(0.3, 0.0), (-500.2, 0.012_345), (2.0, -0.75)] {
            turn_evenly(start, step, &mut turns);
            for (n, turn) in turns.iter().enumerate() {
                let expected = Complex64::cis(start + n as f64 * step);
                assert!((Complex64::new(turn.re.into(), turn.im.into()) - expected).norm() < 3e-7);
            }
        }
    }

    #[test]
    fn before_a_burst_there_is_nothing_and_other_lengths_are_refused() {
        let grid = ResourceGrid::new(Numerology::NARROW).unwrap();
        let mut tracker = Tracker::new(&grid).unwrap();
        let (mut data, mut csi) = (vec![], vec![]);
        let tracked = tracker.track(&[Complex32::ONE; 64], &mut data, &mut csi).unwrap();
        assert_eq!((tracked, data.len()), (Tracked::default(), 32));
        assert!(csi.iter().all(|h| *h == Complex32::ZERO));
        assert!(tracker.track(&[Complex32::ONE; 63], &mut data, &mut csi).is_err());
        let short = ChannelEstimate { response: vec![Complex32::ONE; 63], noise_variance: 0.1, power: 1.0 };
        assert!(tracker.start(short.clone()).is_err() && tracker.refine(short).is_err());
    }

    #[test]
    fn symbols_that_are_passed_over_or_no_numbers_leave_what_is_known() {
        let grid = ResourceGrid::new(Numerology::WLAN).unwrap();
        let mut tracker = Tracker::new(&grid).unwrap();
        let estimate =
            ChannelEstimate { response: vec![Complex32::ONE; 64], noise_variance: 1e-3, power: 1.0 };
        tracker.start(estimate).unwrap();
        let (mut data, mut csi, mut carriers) = (vec![], vec![], vec![Complex32::ZERO; 64]);
        for symbol in 0..300 {
            csi.clear();
            grid.fill(symbol, &vec![Complex32::ONE; grid.data().len()], &mut carriers).unwrap();
            match symbol {
                50..90 => tracker.pass(&mut data, &mut csi),
                100..120 => {
                    carriers.fill(Complex32::new(f32::NAN, f32::INFINITY));
                    tracker.track(&carriers, &mut data, &mut csi).unwrap()
                }
                _ => tracker.track(&carriers, &mut data, &mut csi).unwrap(),
            };
        }
        assert_eq!(data.len(), 300 * grid.data().len());
        assert!(csi.iter().all(|h| (h - 1.0).norm() < 1e-3), "{csi:?}");
    }
}
