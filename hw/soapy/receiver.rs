//! The receiving front of a radio.

use super::listing;
use super::open::Radio;
use super::sample_clock::{Gap, SampleClock};
use crate::RadioSettings;
use crate::{Counters, HwError, Read, Result, SampleSource};
use num_complex::Complex32;
use soapysdr::{Direction, ErrorCode, RxStream};

/// Longest wait for samples, in microseconds.
const TIMEOUT_US: i64 = 200_000;
/// After this many waits for nothing it is asked whether the device is still there: five seconds.
const SILENT_WAITS: u32 = 25;
/// Reports without samples that one call bears before it returns with none.
const MAX_REPORTS: u32 = 32;

/// Receives through SoapySDR.
///
/// Overflows, timeouts and corrupt blocks are counted and survived. Where the driver stamps samples with a time,
/// [`Read::missing`] is exact; where it does not, a gap is only known to be there.
pub struct SoapyReceiver {
    settings: RadioSettings,
    stream: Option<RxStream<Complex32>>, // `None` while the device is lost
    clock: Option<SampleClock>,          // `None` without time
    sample_rate_hz: f64,
    is_torn: bool,
    silent_waits: u32,
    counters: Counters,
}

impl SoapyReceiver {
    /// Opens the device and starts to receive.
    ///
    /// - errors: [`HwError::InvalidSetting`] where a setting is not possible, with what is allowed;
    ///   [`HwError::Refused`] where the device cannot be used, with what to do
    pub fn open(settings: &RadioSettings) -> Result<Self> {
        let mut receiver = Self {
            settings: settings.clone(),
            stream: None,
            clock: None,
            sample_rate_hz: settings.sample_rate_hz,
            is_torn: false,
            silent_waits: 0,
            counters: Counters::default(),
        };
        receiver.start(false)?;
        Ok(receiver)
    }

    /// Whether samples bear the device's time.
    pub fn has_time(&self) -> bool {
        self.clock.is_some()
    }

    fn start(&mut self, is_reopening: bool) -> Result<()> {
        let radio = Radio::open(&self.settings, Direction::Rx, is_reopening)?;
        let args = self.settings.args.as_str();
        let fail = |error: soapysdr::Error| {
            let reason = format!("the stream does not start: {}", error.message);
            if is_reopening { HwError::gone(args, reason) } else { HwError::refused(args, reason) }
        };
        let stream_args = self.settings.stream_args.as_str();
        let mut stream = radio.device.rx_stream_args(&[self.settings.channel], stream_args).map_err(fail)?;
        stream.activate(None).map_err(fail)?;
        self.stream = Some(stream);
        self.sample_rate_hz = radio.sample_rate_hz;
        self.clock = radio.has_time.then(|| SampleClock::new(radio.sample_rate_hz));
        self.silent_waits = 0;
        Ok(())
    }

    /// Lets the device go, so that it can be opened again, and says why.
    fn lose(&mut self, reason: String) -> HwError {
        self.stream = None;
        self.counters.losses += 1;
        HwError::gone(self.settings.args.as_str(), reason)
    }

    fn wait_was_silent(&mut self) -> Result<Read> {
        self.counters.timeouts += 1;
        self.silent_waits += 1;
        if self.silent_waits.is_multiple_of(SILENT_WAITS)
            && listing::devices(&self.settings.args).is_ok_and(|found| found.is_empty())
        {
            return Err(self.lose("no samples come, and it is not found any more".to_string()));
        }
        Ok(Read::default())
    }

    fn arrived(&mut self, len: usize, time_ns: i64) -> Read {
        self.silent_waits = 0;
        self.counters.samples += len as u64;
        let mut read = Read { len, is_torn: std::mem::take(&mut self.is_torn), ..Read::default() };
        // Some drivers have a time and do not stamp samples with it: they show one time for ever.
        if self.clock.as_ref().is_some_and(|clock| clock.has_just_seen(time_ns)) {
            self.clock = None;
        }
        if let Some(clock) = &mut self.clock {
            read.time_ns = Some(time_ns);
            match clock.advance(time_ns, len) {
                Gap::First => {}
                Gap::None => read.is_torn = false, // an overflow that took nothing
                Gap::Missing(missing) => {
                    read.missing = missing;
                    read.is_torn = true;
                    self.counters.missing += missing;
                }
                Gap::Unknown => read.is_torn = true,
            }
        }
        read
    }
}

impl SampleSource for SoapyReceiver {
    fn read(&mut self, samples: &mut [Complex32]) -> Result<Read> {
        if samples.is_empty() {
            return Ok(Read::default());
        }
        for _ in 0..MAX_REPORTS {
            let Some(stream) = &mut self.stream else {
                return Err(HwError::gone(self.settings.args.as_str(), "it was lost and is not reopened"));
            };
            match stream.read(&mut [samples], TIMEOUT_US) {
                Ok(0) => return self.wait_was_silent(),
                Ok(len) => {
                    let time_ns = stream.time_ns();
                    return Ok(self.arrived(len, time_ns));
                }
                Err(error) => match error.code {
                    ErrorCode::Timeout => return self.wait_was_silent(),
                    ErrorCode::Overflow => {
                        self.counters.overflows += 1;
                        self.is_torn = true;
                    }
                    ErrorCode::Corruption | ErrorCode::TimeError | ErrorCode::Underflow => {
                        self.is_torn = true
                    }
                    _ => return Err(self.lose(format!("reading failed ({error})"))),
                },
            }
        }
        Ok(Read::default())
    }

    fn reopen(&mut self) -> Result<()> {
        self.stream = None;
        self.start(true)?;
        self.is_torn = true;
        Ok(())
    }

    fn sample_rate_hz(&self) -> f64 {
        self.sample_rate_hz
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}
