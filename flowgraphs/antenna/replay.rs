//! `sememe replay`: a recording into a front, as one burst after the other.

use super::ends::front_error;
use super::front::open_sink;
use crate::experiment::RunError;
use num_complex::Complex32;
use sememe_hw::sigmf::RecordingReader;
use sememe_hw::{BurstSettings, Counters, RadioSettings, SampleSource};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Longest burst in samples: what is held in memory at once.
const MOST: usize = 1 << 24;

/// How a recording is replayed.
pub struct ReplayOptions<'a> {
    /// Name of the recording.
    pub from: &'a str,
    /// Where samples go.
    pub to: &'a str,
    /// Frequency, gain and so on. The sample rate is that of the recording.
    pub settings: &'a RadioSettings,
    /// How long may be transmitted.
    pub bursts: &'a BurstSettings,
    /// What samples are multiplied by.
    pub amplitude: f32,
    /// Raised to end it behind the burst under way.
    pub stop: Arc<AtomicBool>,
}

/// Replays.
///
/// - progress: told the samples so far
/// - errors: a recording that cannot be read, a front that fails
pub fn replay(options: &ReplayOptions, mut progress: impl FnMut(u64)) -> Result<Counters, RunError> {
    let mut recording = RecordingReader::open(options.from).map_err(front_error)?;
    let rate = recording.sample_rate_hz();
    let mut front =
        open_sink(options.to, options.settings, options.bursts, rate, false).map_err(front_error)?;
    let mut samples = vec![];
    let mut piece = vec![Complex32::ZERO; 1 << 16];
    let mut is_end = false;
    while !is_end && !options.stop.load(Ordering::Relaxed) {
        let read = recording.read(&mut piece).map_err(|error| RunError::Failed(error.to_string()))?;
        // A gap in the recording, or a long one, ends a burst.
        if !samples.is_empty() && (read.is_torn || samples.len() + read.len > MOST || read.is_end) {
            front.send(&samples, None).map_err(|error| RunError::Failed(error.to_string()))?;
            samples.clear();
        }
        samples.extend(piece[..read.len].iter().map(|sample| sample * options.amplitude));
        is_end = read.is_end;
        progress(recording.position());
    }
    front.finish().map_err(|error| RunError::Failed(error.to_string()))?;
    Ok(front.counters())
}
