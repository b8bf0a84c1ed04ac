//! `sememe record`: samples of a front into a recording.

use super::ends::front_error;
use super::front::{open_source, recording_settings};
use crate::experiment::RunError;
use num_complex::Complex32;
use sememe_hw::sigmf::{Datatype, Gap, RecordingWriter};
use sememe_hw::{Counters, HwError, RadioSettings};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Samples read at once.
const PIECE: usize = 1 << 16;
/// Between two attempts to open a lost front.
const RETRY: Duration = Duration::from_millis(200);

/// After so long without its front a recording ends.
const MOST_ABSENCE: Duration = Duration::from_secs(600);

/// How a recording is made.
pub struct RecordOptions<'a> {
    /// Where samples come from.
    pub from: &'a str,
    /// Name of the recording.
    pub to: &'a str,
    /// Frequency, gain and so on, and the sample rate.
    pub settings: &'a RadioSettings,
    /// How samples are stored.
    pub datatype: Datatype,
    /// After so many samples it is done; `None`: when it is stopped, or at the end.
    pub samples: Option<u64>,
    /// Whether a recording of this name may be replaced.
    pub may_overwrite: bool,
    /// Raised to end it; what was recorded is kept.
    pub stop: Arc<AtomicBool>,
}

/// Records.
///
/// - progress: told the samples so far, from time to time
/// - returns: what the front has counted, and how many samples were clipped
pub fn record(
    options: &RecordOptions,
    mut progress: impl FnMut(u64, &Counters),
) -> Result<(Counters, u64), RunError> {
    let rate = options.settings.sample_rate_hz;
    let mut front = open_source(options.from, options.settings, rate).map_err(front_error)?;
    let settings = recording_settings(options.settings, rate, options.may_overwrite);
    let settings = sememe_hw::sigmf::WriterSettings { datatype: options.datatype, ..settings };
    let mut recording = RecordingWriter::create(options.to, settings).map_err(front_error)?;
    let failed = |error: HwError| RunError::Failed(error.to_string());
    let mut samples = vec![Complex32::ZERO; PIECE];
    let mut written = 0;
    let is_over = |written: u64| {
        options.stop.load(Ordering::Relaxed) || options.samples.is_some_and(|most| written >= most)
    };
    while !is_over(written) {
        let room = options.samples.map_or(PIECE as u64, |most| (most - written).min(PIECE as u64)) as usize;
        match front.read(&mut samples[..room]) {
            Ok(read) => {
                recording.append(&samples[..read.len], Gap::from(read)).map_err(failed)?;
                written += read.len as u64;
                if read.is_end {
                    break;
                }
            }
            Err(HwError::Gone { .. }) => {
                let since = Instant::now();
                while let Err(error) = front.reopen() {
                    if is_over(written) || since.elapsed() > MOST_ABSENCE {
                        recording.finish().map_err(failed)?;
                        return Err(failed(error));
                    }
                    progress(written, &front.counters());
                    std::thread::sleep(RETRY);
                }
            }
            Err(HwError::Garbled { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
        progress(written, &front.counters());
    }
    recording.finish().map_err(failed)?;
    Ok((front.counters(), recording.clipped()))
}
