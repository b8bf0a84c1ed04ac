//! All frames of one SNR: chunks of fixed length on all threads, merged in their order.

use super::chain::Chain;
use super::setup::Setup;
use super::tally::Tally;
use rayon::prelude::*;
use sememe_blocks::Result;
use sememe_blocks::metric::{ErrorCount, StopRule};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A round of chunks between two looks at the counts takes about so long.
const ROUND: Duration = Duration::from_millis(100);

/// Measures points of one setup.
pub struct Engine<'a> {
    setup: &'a Setup,
    chunk_len: u64,
    /// Chains that no thread uses now; their buffers outlive chunks and points.
    idle: Mutex<Vec<Chain>>,
}

/// What was counted at one SNR.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The counts. They do not depend on threads, nor on interruptions before.
    pub tally: Tally,
    /// Time in decoders, added up over threads.
    pub decoding: Duration,
    /// Whether it was stopped before the rule was met.
    pub interrupted: bool,
}

impl<'a> Engine<'a> {
    /// An engine without chains; threads make them when they need one.
    pub fn new(setup: &'a Setup) -> Self {
        Self { setup, chunk_len: setup.chunk_len(), idle: Mutex::new(vec![]) }
    }

    /// Sends frames until the stop rule is met.
    ///
    /// The rule is judged behind every chunk in order; chunks that other threads finished behind that are
    /// thrown away, so that the counts do not depend on the number of threads.
    ///
    /// - snr_db: Es/N0
    /// - before: counts of an earlier run that was interrupted, at the end of a chunk
    /// - stop: once true, what is counted so far is returned
    /// - progress: called with the counts after every round
    pub fn measure(
        &self,
        snr_db: f64,
        before: Tally,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(&Tally),
    ) -> Result<Measured> {
        let rule = self.setup.stop_rule();
        let mut measured = Measured { tally: before, decoding: Duration::ZERO, interrupted: false };
        let threads = rayon::current_num_threads();
        let mut chunks = threads;
        while !rule.reached(&measured.tally.errors) {
            if stop.load(Ordering::Relaxed) {
                measured.interrupted = true;
                break;
            }
            let begun = Instant::now();
            for (tally, decoding) in self.round(chunks, measured.tally.errors.frames, &rule, snr_db)? {
                if rule.reached(&measured.tally.errors) {
                    break;
                }
                measured.tally.merge(&tally);
                measured.decoding += decoding;
            }
            progress(&measured.tally);
            let took = begun.elapsed();
            if 2 * took < ROUND {
                chunks = (chunks * 2).min(threads << 12);
            } else if took > 2 * ROUND {
                chunks = (chunks / 2).max(threads);
            }
        }
        Ok(measured)
    }

    /// The counts of some chunks from a frame on, in order.
    fn round(
        &self,
        chunks: usize,
        first: u64,
        rule: &StopRule,
        snr_db: f64,
    ) -> Result<Vec<(Tally, Duration)>> {
        let frames = |chunk: usize| {
            let start = first + chunk as u64 * self.chunk_len;
            start..(start + self.chunk_len).min(rule.max_frames)
        };
        let chunks: Vec<Range<u64>> = (0..chunks).map(frames).filter(|range| !range.is_empty()).collect();
        chunks.into_par_iter().map(|frames| self.chunk(frames, snr_db)).collect()
    }

    fn chunk(&self, frames: Range<u64>, snr_db: f64) -> Result<(Tally, Duration)> {
        // A list of chains stays usable whatever a thread that held it did.
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let chain = idle().pop();
        let mut chain = match chain {
            Some(chain) => chain,
            None => Chain::new(self.setup)?,
        };
        let counted = chain.run(frames, snr_db);
        idle().push(chain);
        counted
    }
}

/// How much of the way to the end of a point lies behind, from 0 to 1.
pub fn fraction_done(rule: &StopRule, count: &ErrorCount) -> f64 {
    /// Quantile of the normal distribution for 95 %.
    const QUANTILE: f64 = 1.96;
    let by_frames = count.frames as f64 / rule.max_frames as f64;
    let by_errors = rule.frame_errors.map_or(0.0, |errors| count.frame_errors as f64 / errors as f64);
    let by_precision = rule.relative_precision.map_or(0.0, |precision| {
        count.frame_errors as f64 * (precision / QUANTILE).powi(2) / (1.0 - count.fer()).max(1e-3)
    });
    by_frames.max(by_errors).max(by_precision).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_follows_the_criterion_that_is_nearest() {
        let rule = StopRule { frame_errors: Some(100), max_frames: 1000, relative_precision: None };
        let count = |frames, frame_errors| ErrorCount { frames, frame_errors, ..ErrorCount::default() };
        assert_eq!(fraction_done(&rule, &count(100, 50)), 0.5);
        assert_eq!(fraction_done(&rule, &count(900, 50)), 0.9);
        assert_eq!(fraction_done(&rule, &count(128, 128)), 1.0);
        let precise = StopRule { frame_errors: None, max_frames: u64::MAX, relative_precision: Some(0.1) };
        let half = fraction_done(&precise, &count(1_000_000, 192));
        assert!((half - 0.5).abs() < 0.01, "{half}");
    }
}
