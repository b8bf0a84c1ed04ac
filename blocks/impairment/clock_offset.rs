//! A receiver whose sample clock is off: y(n) = x(n / (1 + e)), between samples where need be.

use super::fractional_delay::{HALF, weights};
use crate::kernel::{Progress, StreamKernel};
use crate::{BlockError, Result};
use num_complex::Complex32;

/// Largest offset: far more than any oscillator is off.
const MOST: f64 = 1e-3;
/// Places between two samples whose weights are known; between them weights are taken to be straight.
const PHASES: usize = 512;
/// Weights of one place.
const TAPS: usize = 2 * HALF;
/// 2^64.
const ONE: f64 = 18_446_744_073_709_551_616.0;

/// Takes samples at a rate that is off by e: more of them where the receiver's clock is fast.
///
/// - delays by 16 samples; the first outputs are made of silence before the stream
/// - accuracy: 80 dB for signals within 0.4 cycles per sample
/// - time is counted in 2^-64 samples, so that it never drifts
#[derive(Clone, Debug)]
pub struct ClockOffset {
    /// `[PHASES + 1][TAPS]`.
    table: Vec<[f32; TAPS]>,
    /// The last `TAPS` inputs, oldest first.
    history: [Complex32; TAPS],
    /// Inputs to be taken before the next output.
    due: u64,
    /// Place of the next output behind the middle of the history, in 2^-64 samples.
    fraction: u64,
    /// Inputs between two outputs, whole and fraction.
    step: (u64, u64),
}

impl ClockOffset {
    /// - offset: e, the rate of the receiver's clock over that of the transmitter, less one
    /// - errors: an offset beyond 0.001
    pub fn new(offset: f64) -> Result<Self> {
        if !(-MOST..=MOST).contains(&offset) {
            return Err(BlockError::invalid("clock offset", offset, format!("-{MOST} to {MOST}")));
        }
        let table =
            (0..=PHASES).map(|phase| weights(phase as f64 / PHASES as f64).map(|w| w as f32)).collect();
        // 1 / (1 + e) as a whole and 2^64 - e / (1 + e) 2^64: the difference keeps all its digits.
        let less = offset / (1.0 + offset);
        let step = match less > 0.0 {
            true => (0, (ONE * (1.0 - less)) as u64),
            false => (1, (ONE * -less) as u64),
        };
        Ok(Self { table, history: [Complex32::ZERO; TAPS], due: 1, fraction: 0, step })
    }

    fn value(&self) -> Complex32 {
        let place = self.fraction as f64 / ONE * PHASES as f64;
        // Rounding may reach the last place, behind which stands one more.
        let below = (place as usize).min(PHASES - 1);
        let part = (place - below as f64) as f32;
        let (first, second) = (&self.table[below], &self.table[below + 1]);
        let mut sum = Complex32::ZERO;
        for ((sample, first), second) in self.history.iter().zip(first).zip(second) {
            sum += sample * (first + part * (second - first));
        }
        sum
    }
}

impl StreamKernel for ClockOffset {
    type In = Complex32;
    type Out = Complex32;

    fn process(&mut self, input: &[Complex32], output: &mut [Complex32]) -> Result<Progress> {
        let (mut consumed, mut produced) = (0, 0);
        loop {
            while self.due > 0 && consumed < input.len() {
                self.history.rotate_left(1);
                self.history[TAPS - 1] = input[consumed];
                (consumed, self.due) = (consumed + 1, self.due - 1);
            }
            if self.due > 0 || produced == output.len() {
                return Ok(Progress { consumed, produced });
            }
            output[produced] = self.value();
            produced += 1;
            let (fraction, carry) = self.fraction.overflowing_add(self.step.1);
            self.fraction = fraction;
            self.due = self.step.0 + u64::from(carry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex64;
    use std::f64::consts::TAU;

    fn tone(frequency: f64, len: usize) -> Vec<Complex32> {
        let value = |n: usize| {
            let Complex64 { re, im } = Complex64::cis(TAU * (frequency * n as f64).rem_euclid(1.0));
            Complex32::new(re as f32, im as f32)
        };
        (0..len).map(value).collect()
    }

    fn through(kernel: &mut ClockOffset, input: &[Complex32]) -> Vec<Complex32> {
        let mut output = vec![Complex32::ZERO; input.len() + input.len() / 500 + 2];
        let progress = kernel.process(input, &mut output).unwrap();
        assert_eq!(progress.consumed, input.len());
        output.truncate(progress.produced);
        output
    }

    #[test]
    fn tones_come_at_the_times_of_the_other_clock() {
        for offset in [0.0, 40e-6, -40e-6, 1e-3, -1e-3] {
            for frequency in [0.01, -0.25, 0.4] {
                let output = through(&mut ClockOffset::new(offset).unwrap(), &tone(frequency, 60_000));
                // Worst after a long time: 80 dB below the tone.
                for n in (100..output.len()).step_by(611) {
                    let time = n as f64 / (1.0 + offset) - HALF as f64;
                    let expected = Complex64::cis(TAU * (frequency * time).rem_euclid(1.0));
                    let found = Complex64::new(output[n].re.into(), output[n].im.into());
                    assert!(
                        (found - expected).norm() < 2e-4,
                        "{offset}, {frequency}, {n}: {found} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_fast_clock_takes_more_samples() {
        for (offset, expected) in [(0.0, 1_000_000i64), (100e-6, 1_000_100), (-100e-6, 999_900)] {
            let mut kernel = ClockOffset::new(offset).unwrap();
            let found: usize =
                (0..10).map(|_| through(&mut kernel, &vec![Complex32::ONE; 100_000]).len()).sum();
            assert!((found as i64 - expected).abs() <= 1, "{offset}: {found}");
        }
        assert!(ClockOffset::new(0.01).is_err() && ClockOffset::new(f64::NAN).is_err());
    }
}
