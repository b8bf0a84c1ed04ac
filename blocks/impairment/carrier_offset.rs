//! Carriers that differ: y = x exp(j 2 pi f n).

use super::InPlace;
use super::oscillator::Oscillator;
use crate::{BlockError, Result};
use num_complex::Complex32;

/// Turns samples by a constant frequency, as where receiver and transmitter oscillate differently.
#[derive(Clone, Debug)]
pub struct CarrierOffset {
    oscillator: Oscillator,
}

impl CarrierOffset {
    /// - frequency: carrier of the signal less that of the receiver, in cycles per sample
    /// - phase: of the first sample, in turns
    /// - errors: a frequency beyond half a cycle per sample, where it would mean another one
    pub fn new(frequency: f64, phase: f64) -> Result<Self> {
        if !(-0.5..=0.5).contains(&frequency) {
            let allowed = "-0.5 to 0.5 cycles per sample";
            return Err(BlockError::invalid("carrier offset", frequency, allowed));
        }
        if !phase.is_finite() {
            return Err(BlockError::invalid("carrier phase", phase, "a finite number of turns"));
        }
        Ok(Self { oscillator: Oscillator::new(frequency, phase) })
    }
}

impl InPlace for CarrierOffset {
    fn apply(&mut self, samples: &mut [Complex32]) -> Result<()> {
        self.oscillator.rotate(samples);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_a_cycle_per_sample_turns_by_right_angles() {
        let mut samples = vec![Complex32::ONE; 5];
        CarrierOffset::new(0.25, 0.0).unwrap().apply(&mut samples).unwrap();
        for (sample, (re, im)) in samples.iter().zip([(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)]) {
            assert!((sample - Complex32::new(re, im)).norm() < 1e-6, "{samples:?}");
        }
    }

    #[test]
    fn what_it_cannot_be_is_refused() {
        assert!(CarrierOffset::new(0.6, 0.0).is_err() && CarrierOffset::new(f64::NAN, 0.0).is_err());
        assert!(CarrierOffset::new(0.1, f64::INFINITY).is_err());
    }
}
