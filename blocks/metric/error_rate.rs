//! Counts bit and frame errors of a Monte Carlo run, with exact intervals and a rule that ends the run.

use super::binomial_interval::{Interval, clopper_pearson};
use crate::{BlockError, Result};
use serde::{Deserialize, Serialize};

/// Frames and bits that were decided, and how many of them wrongly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorCount {
    /// Frames received.
    pub frames: u64,
    /// Frames with at least one error.
    pub frame_errors: u64,
    /// Bits received.
    pub bits: u64,
    /// Bits in error.
    pub bit_errors: u64,
}

impl ErrorCount {
    /// Counts one frame; a frame that holds bit errors is a frame error.
    pub fn count_frame(&mut self, bits: u64, bit_errors: u64) {
        let frame_errors = u64::from(bit_errors > 0);
        self.merge(&ErrorCount { frames: 1, frame_errors, bits, bit_errors });
    }

    /// Compares a frame of decided bits with what was sent and counts it.
    ///
    /// - errors: different lengths
    pub fn compare(&mut self, sent: &[u8], decided: &[u8]) -> Result<()> {
        if sent.len() != decided.len() {
            return Err(BlockError::shape("decided bits", sent.len(), decided.len()));
        }
        let bit_errors = sent.iter().zip(decided).filter(|(sent, decided)| sent != decided).count();
        self.count_frame(sent.len() as u64, bit_errors as u64);
        Ok(())
    }

    /// Adds what another run counted, in any order.
    pub fn merge(&mut self, other: &ErrorCount) {
        self.frames = self.frames.saturating_add(other.frames);
        self.frame_errors = self.frame_errors.saturating_add(other.frame_errors);
        self.bits = self.bits.saturating_add(other.bits);
        self.bit_errors = self.bit_errors.saturating_add(other.bit_errors);
    }

    /// Bit error rate; NaN without bits.
    pub fn ber(&self) -> f64 {
        self.bit_errors as f64 / self.bits as f64
    }

    /// Frame (block) error rate; NaN without frames.
    pub fn fer(&self) -> f64 {
        self.frame_errors as f64 / self.frames as f64
    }

    /// The Clopper-Pearson interval of the frame error rate, frames being independent.
    ///
    /// - errors: as [`clopper_pearson`]
    pub fn fer_interval(&self, confidence: f64) -> Result<Interval> {
        clopper_pearson(self.frame_errors, self.frames, confidence)
    }

    /// The Clopper-Pearson interval of the bit error rate.
    ///
    /// It takes bit errors to be independent. Those of uncoded bits nearly are; those behind a decoder come
    /// in bursts, one per wrong frame, and the true interval is wider.
    ///
    /// - errors: as [`clopper_pearson`]
    pub fn ber_interval(&self, confidence: f64) -> Result<Interval> {
        clopper_pearson(self.bit_errors, self.bits, confidence)
    }
}

/// When a run of frames has seen enough: as soon as one of these is reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopRule {
    /// Frame errors that suffice, at least 1; `None` for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_errors: Option<u64>,
    /// Most frames, at least 1.
    pub max_frames: u64,
    /// Half width of the 95 % interval of the frame error rate, over that rate, that suffices: 0.1 needs
    /// about 400 frame errors where the rate is small; `None` for any width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_precision: Option<f64>,
}

impl StopRule {
    /// Checks the numbers.
    ///
    /// - errors: no frame, no frame error, or a precision that is not a positive number
    pub fn check(&self) -> Result<()> {
        if self.max_frames == 0 {
            return Err(BlockError::invalid("max_frames", 0, "at least 1"));
        }
        if self.frame_errors == Some(0) {
            return Err(BlockError::invalid("frame_errors", 0, "at least 1, or left out"));
        }
        match self.relative_precision {
            Some(precision) if !(precision.is_finite() && precision > 0.0) => {
                Err(BlockError::invalid("relative_precision", precision, "a positive number, or left out"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a run with this count may end.
    pub fn reached(&self, count: &ErrorCount) -> bool {
        count.frames >= self.max_frames
            || self.frame_errors.is_some_and(|errors| count.frame_errors >= errors)
            || self.relative_precision.is_some_and(|precision| is_precise(count, precision))
    }
}

fn is_precise(count: &ErrorCount, precision: f64) -> bool {
    // The interval is never narrower than half the normal one, and costs more than this look.
    let least_errors = (1.0 - count.fer()) / (precision * precision);
    let hopeless = count.frame_errors == 0 || (count.frame_errors as f64) < least_errors;
    let interval = || count.fer_interval(0.95).map(|interval| interval.half_width() / count.fer());
    !hopeless && interval().is_ok_and(|relative| relative <= precision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_bits_are_counted() {
        let mut count = ErrorCount::default();
        assert!(count.ber().is_nan() && count.fer().is_nan());
        count.compare(&[0, 1, 1, 0], &[0, 1, 1, 0]).unwrap();
        count.compare(&[0, 1, 1, 0], &[1, 1, 0, 0]).unwrap();
        assert_eq!(count, ErrorCount { frames: 2, frame_errors: 1, bits: 8, bit_errors: 2 });
        assert_eq!((count.ber(), count.fer()), (0.25, 0.5));
        assert!(count.compare(&[0; 4], &[0; 3]).unwrap_err().to_string().contains("expected 4, found 3"));
    }

    #[test]
    fn counts_merge_in_any_order() {
        let parts = [(100, 3), (40, 0), (7, 7)];
        let sum = |order: &[usize]| {
            let mut sum = ErrorCount::default();
            for part in order {
                let mut count = ErrorCount::default();
                count.count_frame(parts[*part].0, parts[*part].1);
                sum.merge(&count);
            }
            sum
        };
        assert_eq!(sum(&[0, 1, 2]), sum(&[2, 0, 1]));
        assert_eq!(sum(&[0, 1, 2]), ErrorCount { frames: 3, frame_errors: 2, bits: 147, bit_errors: 10 });
        let mut full = ErrorCount { frames: u64::MAX, ..ErrorCount::default() };
        full.count_frame(1, 0);
        assert_eq!(full.frames, u64::MAX);
    }

    #[test]
    fn intervals_hold_the_rate() {
        let count = ErrorCount { frames: 1000, frame_errors: 10, bits: 100_000, bit_errors: 300 };
        let (frames, bits) = (count.fer_interval(0.95).unwrap(), count.ber_interval(0.95).unwrap());
        assert!(frames.contains(count.fer()) && bits.contains(count.ber()));
        assert!(count.fer_interval(0.9997).unwrap().half_width() > frames.half_width());
        assert!(count.fer_interval(1.5).is_err());
    }

    #[test]
    fn a_run_ends_at_the_first_rule_that_is_reached() {
        let count = |frames, frame_errors| ErrorCount { frames, frame_errors, bits: 0, bit_errors: 0 };
        let rule = StopRule { frame_errors: Some(100), max_frames: 10_000, relative_precision: Some(0.1) };
        assert!(!rule.reached(&count(9_999, 99)));
        assert!(rule.reached(&count(5_000, 100)));
        assert!(rule.reached(&count(10_000, 0)));
        let precise = StopRule { frame_errors: None, ..rule };
        let interval = |errors| count(1000, errors).fer_interval(0.95).unwrap().half_width() * 1000.0;
        for errors in [0, 1, 200, 280, 300, 500] {
            let expected = errors > 0 && interval(errors) / errors as f64 <= 0.1;
            assert_eq!(precise.reached(&count(1000, errors)), expected, "{errors}");
        }
        assert!(precise.reached(&count(1000, 300)) && !precise.reached(&count(1000, 200)));
    }

    #[test]
    fn rules_that_cannot_be_meant_are_refused() {
        let rule = StopRule { frame_errors: Some(100), max_frames: 1, relative_precision: None };
        assert!(rule.check().is_ok());
        let error = |rule: StopRule| rule.check().unwrap_err().to_string();
        assert!(error(StopRule { max_frames: 0, ..rule }).contains("max_frames"));
        assert!(error(StopRule { frame_errors: Some(0), ..rule }).contains("frame_errors"));
        for precision in [0.0, -0.1, f64::NAN, f64::INFINITY] {
            assert!(error(StopRule { relative_precision: Some(precision), ..rule }).contains("positive"));
        }
        let table: StopRule = toml::from_str("max_frames = 5").unwrap();
        assert_eq!(table, StopRule { frame_errors: None, max_frames: 5, relative_precision: None });
        assert!(toml::from_str::<StopRule>("max_frames = 5\nerrors = 3").is_err());
    }
}
