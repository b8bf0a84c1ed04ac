//! What every front is to the rest: samples in order, what is missing among them, and counts.

use crate::Result;
use num_complex::Complex32;

/// Where samples come from: a radio, a recording, a socket.
pub trait SampleSource: Send {
    /// Reads the next samples: waits until there are some, but no longer than a fraction of a second.
    ///
    /// - samples: filled from the front; `Read::len` says how many
    /// - returns: also where nothing came in time, with `len` 0
    /// - errors: [`HwError::Gone`](crate::HwError::Gone) where the front is lost but may come back (see
    ///   [`SampleSource::reopen`]), [`HwError::Garbled`](crate::HwError::Garbled) for what is passed over, others for good
    fn read(&mut self, samples: &mut [Complex32]) -> Result<Read>;

    /// Tries to open the front again after it was lost.
    ///
    /// - errors: as when it was first opened
    fn reopen(&mut self) -> Result<()>;

    /// Samples per second.
    fn sample_rate_hz(&self) -> f64;

    /// What has happened since the start.
    fn counters(&self) -> Counters;
}

/// Where samples go: a radio, a recording, a socket.
pub trait SampleSink: Send {
    /// Sends one burst, which ends with its last sample.
    ///
    /// - at_ns: when its first sample is to leave, in nanoseconds of [`SampleSink::time_ns`]; `None`: at once
    /// - errors: [`HwError::Gone`](crate::HwError::Gone) where the front is lost but may come back, others for good.
    ///   A burst that came too late or ran dry is counted, and no error
    fn send(&mut self, burst: &[Complex32], at_ns: Option<i64>) -> Result<()>;

    /// Waits until everything is sent.
    fn finish(&mut self) -> Result<()>;

    /// Tries to open the front again after it was lost.
    ///
    /// - errors: as when it was first opened
    fn reopen(&mut self) -> Result<()>;

    /// Samples per second.
    fn sample_rate_hz(&self) -> f64;

    /// The front's own time in nanoseconds, where it has one.
    fn time_ns(&self) -> Option<i64>;

    /// What has happened since the start.
    fn counters(&self) -> Counters;
}

/// What one call of [`SampleSource::read`] brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Samples that were written.
    pub len: usize,
    /// Samples that are missing before the first of them, where the front knows.
    pub missing: u64,
    /// Whether samples are missing before the first of them, known in number or not.
    pub is_torn: bool,
    /// The front's time of the first sample in nanoseconds, where it has one.
    pub time_ns: Option<i64>,
    /// Whether nothing will ever follow.
    pub is_end: bool,
}

/// What a front counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Samples read or sent.
    pub samples: u64,
    /// Samples known to be missing.
    pub missing: u64,
    /// Times the receiver was not read fast enough.
    pub overflows: u64,
    /// Times the transmitter was not fed fast enough.
    pub underflows: u64,
    /// Bursts whose time had passed.
    pub late: u64,
    /// Waits that ended with nothing.
    pub timeouts: u64,
    /// Times that the front was lost.
    pub losses: u64,
    /// Bursts sent.
    pub bursts: u64,
}
