//! Samples of a stream that may still be needed, by their number in it, and which of them are missing.

use num_complex::Complex32;
use std::collections::VecDeque;
use std::ops::Range;

/// Samples from number `base` on.
#[derive(Clone, Debug, Default)]
pub struct SampleBuffer {
    samples: Vec<Complex32>,
    base: u64,
    /// Stretches that were not received, in order.
    missing: VecDeque<Range<u64>>,
}

impl SampleBuffer {
    /// Number of the sample behind the last one.
    pub fn end(&self) -> u64 {
        self.base + self.samples.len() as u64
    }

    /// Adds samples.
    pub fn extend(&mut self, samples: &[Complex32]) {
        self.samples.extend_from_slice(samples);
    }

    /// Marks the next samples, which are yet to be added, as missing.
    pub fn mark_missing(&mut self, count: u64) {
        self.missing.push_back(self.end()..self.end() + count);
    }

    /// Samples by their numbers; `None` where some are not there yet, or no more.
    pub fn get(&self, range: Range<u64>) -> Option<&[Complex32]> {
        let start = usize::try_from(range.start.checked_sub(self.base)?).ok()?;
        let end = usize::try_from(range.end.checked_sub(self.base)?).ok()?;
        self.samples.get(start..end)
    }

    /// Whether any of some samples is missing.
    pub fn is_torn(&self, range: Range<u64>) -> bool {
        self.missing.iter().any(|gap| gap.start < range.end && range.start < gap.end)
    }

    /// Drops samples before a number, once they are as many as `slack`, so that moving the rest costs little.
    pub fn forget(&mut self, before: u64, slack: usize) {
        let count = before.saturating_sub(self.base).min(self.samples.len() as u64) as usize;
        if count > slack {
            self.samples.drain(..count);
            self.base += count as u64;
            while self.missing.front().is_some_and(|gap| gap.end <= self.base) {
                self.missing.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_keep_their_numbers() {
        let sample = |n: u64| Complex32::new(n as f32, 0.0);
        let mut buffer = SampleBuffer::default();
        for start in (0..1000).step_by(10) {
            if start == 500 {
                buffer.mark_missing(10);
            }
            buffer.extend(&(start..start + 10).map(sample).collect::<Vec<_>>());
            buffer.forget(start.saturating_sub(20), 50);
            assert!(buffer.samples.len() <= 90 && buffer.end() == start + 10);
            assert_eq!(
                buffer.get(start..start + 3).unwrap(),
                [sample(start), sample(start + 1), sample(start + 2)]
            );
            assert_eq!(buffer.get(start + 8..start + 11), None);
        }
        assert_eq!(buffer.get(0..1), None);
        assert!(buffer.missing.is_empty(), "what is forgotten is not missed");
        buffer.mark_missing(5);
        assert!(!buffer.is_torn(990..1000) && buffer.is_torn(990..1001) && buffer.is_torn(1004..1009));
        assert!(!buffer.is_torn(1005..1009));
    }
}
