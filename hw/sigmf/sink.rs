//! A recording as a sink of bursts, in place of a transmitter.

use super::metadata::Annotation;
use super::writer::{Gap, RecordingWriter};
use crate::{Counters, Result, SampleSink};
use num_complex::Complex32;

/// Zeros that are appended at once.
const FILL_LEN: usize = 4096;

/// Bursts are appended, each with an annotation `burst`.
///
/// The first burst that has a time sets the clock. Later ones lie where their time says: a pause is filled with zeros
/// up to [`WriterSettings::longest_fill_s`](super::WriterSettings::longest_fill_s); a longer one is left out and said
/// to be missing (`core:global_index`), so that no wrong time fills a disk. A burst whose time has passed follows at
/// once and is counted as late.
impl SampleSink for RecordingWriter {
    fn send(&mut self, burst: &[Complex32], at_ns: Option<i64>) -> Result<()> {
        if burst.is_empty() {
            return Ok(());
        }
        let mut gap = Gap::None;
        if let Some(at_ns) = at_ns {
            let pause = self.pause(at_ns);
            if pause < 0 {
                self.counters.late += 1;
            } else if pause as f64 > self.settings.longest_fill_s * self.settings.sample_rate_hz {
                gap = Gap::Samples(u64::try_from(pause).unwrap_or(u64::MAX));
            } else {
                let mut left = usize::try_from(pause).unwrap_or(usize::MAX);
                while left > 0 {
                    let len = left.min(FILL_LEN);
                    self.store(&[Complex32::ZERO; FILL_LEN][..len])?;
                    left -= len;
                }
            }
        }
        let sample_start = self.num_samples();
        self.append(burst, gap)?;
        self.counters.bursts += 1;
        self.annotate(Annotation {
            sample_start,
            sample_count: Some(burst.len() as u64),
            label: Some("burst".into()),
            ..Annotation::default()
        })
    }

    fn finish(&mut self) -> Result<()> {
        RecordingWriter::finish(self)
    }

    /// Does nothing: a recording is not lost.
    fn reopen(&mut self) -> Result<()> {
        Ok(())
    }

    fn sample_rate_hz(&self) -> f64 {
        self.settings.sample_rate_hz
    }

    /// The time of the next sample: it goes on only as samples are appended.
    fn time_ns(&self) -> Option<i64> {
        let (zero_ns, zero_index) = self.clock.unwrap_or_default();
        let seconds = (self.next_index as f64 - zero_index as f64) / self.settings.sample_rate_hz;
        // A conversion to integers saturates.
        Some(zero_ns.saturating_add((seconds * 1e9).round() as i64))
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

impl RecordingWriter {
    /// Samples between the last one and a time; negative where the time has passed.
    fn pause(&mut self, at_ns: i64) -> i128 {
        let (zero_ns, zero_index) = *self.clock.get_or_insert((at_ns, self.next_index));
        let nanos = i128::from(at_ns) - i128::from(zero_ns);
        let samples = (nanos as f64 * 1e-9 * self.settings.sample_rate_hz).round() as i128;
        samples.saturating_add(i128::from(zero_index)) - i128::from(self.next_index)
    }
}
