//! Samples that are lost on their way to the computer, as where a buffer overflows.

use crate::kernel::{Progress, StreamKernel};
use crate::rng::{KeyedRng, Purpose, RngKey};
use crate::{BlockError, Result};
use num_complex::Complex32;
use rand_distr::{Distribution, Exp1};

/// Loses runs of samples and closes the gaps, so that the stream jumps ahead in time.
///
/// Lengths of runs, and of what lies between them, are exponential, rounded up.
#[derive(Clone, Debug)]
pub struct SampleDrops {
    rng: KeyedRng,
    /// Mean length of a run and of what lies between two.
    means: [f64; 2],
    is_gap: bool,
    /// Samples until the other begins.
    left: u64,
    dropped: u64,
}

impl SampleDrops {
    /// - key, receiver: whose samples they are
    /// - share: of the samples that is lost
    /// - run: mean length of a run of lost samples
    /// - errors: a share outside 0 to 0.5, a run below one sample or above a million
    pub fn new(key: RngKey, receiver: usize, share: f64, run: f64) -> Result<Self> {
        if !(0.0..=0.5).contains(&share) {
            return Err(BlockError::invalid("share of dropped samples", share, "0 to 0.5"));
        }
        if !(1.0..=1e6).contains(&run) {
            return Err(BlockError::invalid("run of dropped samples", run, "1 to 1000000 samples"));
        }
        let between = if share > 0.0 { run * (1.0 - share) / share } else { f64::INFINITY };
        let rng = key.stream(Purpose::SampleDrops, 0, receiver);
        let mut drops = Self { rng, means: [between, run], is_gap: false, left: 0, dropped: 0 };
        drops.left = drops.length();
        Ok(drops)
    }

    /// Samples lost so far.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn length(&mut self) -> u64 {
        let drawn: f64 = Exp1.sample(&mut self.rng);
        // An endless stretch saturates. Rounding up adds half a sample in the mean, which is taken off.
        let mean = self.means[usize::from(self.is_gap)];
        ((drawn * (mean - 0.5)).ceil() as u64).max(1)
    }
}

impl StreamKernel for SampleDrops {
    type In = Complex32;
    type Out = Complex32;

    fn process(&mut self, input: &[Complex32], output: &mut [Complex32]) -> Result<Progress> {
        let (mut consumed, mut produced) = (0, 0);
        while consumed < input.len() && (self.is_gap || produced < output.len()) {
            let room = if self.is_gap { usize::MAX } else { output.len() - produced };
            let left = usize::try_from(self.left).unwrap_or(usize::MAX);
            let len = left.min(input.len() - consumed).min(room);
            if self.is_gap {
                self.dropped += len as u64;
            } else {
                output[produced..produced + len].copy_from_slice(&input[consumed..consumed + len]);
                produced += len;
            }
            consumed += len;
            self.left -= len as u64;
            if self.left == 0 {
                self.is_gap = !self.is_gap;
                self.left = self.length();
            }
        }
        Ok(Progress { consumed, produced })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(share: f64, run: f64, len: usize) -> (Vec<Complex32>, u64) {
        let mut kernel = SampleDrops::new(RngKey::new(2), 0, share, run).unwrap();
        let input: Vec<Complex32> = (0..len).map(|n| Complex32::new(n as f32, 0.0)).collect();
        let mut output = vec![Complex32::ZERO; len];
        let progress = kernel.process(&input, &mut output).unwrap();
        assert_eq!(progress.consumed, len);
        output.truncate(progress.produced);
        (output, kernel.dropped())
    }

    #[test]
    fn the_share_is_lost_in_runs_of_the_length_and_counted() {
        let len = 4_000_000;
        let (left, dropped) = through(0.01, 100.0, len);
        assert_eq!(left.len() as u64 + dropped, len as u64);
        // About 400 runs: the share has a relative standard error of sqrt(2 / 400); 4 sigma.
        let share = dropped as f64 / len as f64;
        assert!((share / 0.01 - 1.0).abs() < 0.28, "{share}");
        let jumps = left.windows(2).filter(|pair| pair[1].re != pair[0].re + 1.0).count();
        assert!((dropped as f64 / jumps as f64 / 100.0 - 1.0).abs() < 0.25, "{jumps} runs");
    }

    #[test]
    fn nothing_is_lost_of_a_whole_stream_and_what_cannot_be_is_refused() {
        assert_eq!(through(0.0, 10.0, 1000).1, 0);
        assert!(SampleDrops::new(RngKey::new(0), 0, 0.9, 1.0).is_err());
        assert!(SampleDrops::new(RngKey::new(0), 0, f64::NAN, 1.0).is_err());
        assert!(SampleDrops::new(RngKey::new(0), 0, 0.1, 0.5).is_err());
    }
}
