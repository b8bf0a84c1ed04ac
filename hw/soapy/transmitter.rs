//! The transmitting front of a radio.

use super::open::Radio;
use crate::{BurstSettings, RadioSettings};
use crate::{Counters, HwError, Result, SampleSink};
use num_complex::Complex32;
use soapysdr::{Device, Direction, ErrorCode, TxStream};
use std::time::{Duration, Instant};

/// Longest wait for space in the device's buffers, in microseconds.
const TIMEOUT_US: i64 = 100_000;
/// A device that takes nothing for so long, when it should be sending, is lost.
const STALL: Duration = Duration::from_secs(10);
/// What a burst may take longer than its samples: the way through driver and device.
const LATENCY: Duration = Duration::from_millis(50);
/// Samples in one transfer of a HackRF: 262144 bytes, two for each sample.
const HACKRF_TRANSFER: usize = 131_072;

/// Transmits bursts through SoapySDR.
///
/// Every burst is followed by zeros (see [`BurstSettings`]) and ends with the end-of-burst flag. Underflows, late
/// bursts and timeouts are counted and survived; drivers report them when they please, so they are complete after
/// [`SampleSink::finish`]. [`Counters::samples`] counts the zeros too. The sender must hold a licence for what he
/// sends, or send into a cable.
pub struct SoapyTransmitter {
    settings: RadioSettings,
    bursts: BurstSettings,
    link: Option<Link>, // `None` while the device is lost
    sample_rate_hz: f64,
    burst_multiple: usize,
    ends_at: Instant, // when the last burst is over
    counters: Counters,
}

struct Link {
    device: Device,
    stream: TxStream<Complex32>,
    mtu: usize,
    has_time: bool,
    has_status: bool,
}

impl SoapyTransmitter {
    /// Opens the device; nothing is sent, and the stream not active, before the first burst.
    ///
    /// - errors: [`HwError::Refused`] without explicit frequency and gain, or where the device cannot be used;
    ///   [`HwError::InvalidSetting`] where a setting is not possible, with what is allowed
    pub fn open(settings: &RadioSettings, bursts: &BurstSettings) -> Result<Self> {
        bursts.validate()?;
        for (key, is_missing) in
            [("frequency_hz", settings.frequency_hz.is_none()), ("gain_db", settings.gain_db.is_none())]
        {
            if is_missing {
                let reason = format!("nothing is transmitted without an explicit {key}: set it");
                return Err(HwError::refused(settings.args.as_str(), reason));
            }
        }
        let mut transmitter = Self {
            settings: settings.clone(),
            bursts: bursts.clone(),
            link: None,
            sample_rate_hz: settings.sample_rate_hz,
            burst_multiple: 1,
            ends_at: Instant::now(),
            counters: Counters::default(),
        };
        transmitter.start(false)?;
        Ok(transmitter)
    }

    fn start(&mut self, is_reopening: bool) -> Result<()> {
        let radio = Radio::open(&self.settings, Direction::Tx, is_reopening)?;
        let args = self.settings.args.as_str();
        let fail = |error: soapysdr::Error| {
            let reason = format!("the stream cannot be set up: {}", error.message);
            if is_reopening { HwError::gone(args, reason) } else { HwError::refused(args, reason) }
        };
        let stream_args = self.settings.stream_args.as_str();
        let stream = radio.device.tx_stream_args(&[self.settings.channel], stream_args).map_err(fail)?;
        let is_hackrf = radio.device.driver_key().is_ok_and(|key| key.eq_ignore_ascii_case("hackrf"));
        let own_multiple = if is_hackrf { HACKRF_TRANSFER } else { 1 };
        self.burst_multiple = self.bursts.burst_multiple.unwrap_or(own_multiple);
        self.sample_rate_hz = radio.sample_rate_hz;
        self.ends_at = Instant::now();
        let mtu = stream.mtu().map_err(fail)?.max(1);
        self.link =
            Some(Link { device: radio.device, stream, mtu, has_time: radio.has_time, has_status: true });
        Ok(())
    }

    /// Zeros after a burst of this length.
    fn tail_len(&self, burst_len: usize) -> usize {
        let len = burst_len + self.bursts.tail_samples;
        len.next_multiple_of(self.burst_multiple) - burst_len
    }

    fn refuse_beyond_limit(&self, len: usize) -> Result<()> {
        let seconds = |samples: u64| samples as f64 / self.sample_rate_hz;
        let (spent, asked) = (seconds(self.counters.samples), seconds(len as u64));
        if spent + asked <= self.bursts.max_seconds {
            return Ok(());
        }
        let reason = format!(
            "a burst of {asked:.3} s after {spent:.3} s on the air exceeds max_seconds = {}: raise it if you mean to",
            self.bursts.max_seconds
        );
        Err(HwError::refused(self.settings.args.as_str(), reason))
    }

    fn link(&mut self) -> Result<&mut Link> {
        let args = self.settings.args.as_str();
        self.link.as_mut().ok_or_else(|| HwError::gone(args, "it was lost and is not reopened"))
    }

    /// Lets the device go, so that it can be opened again, and says why.
    fn lose(&mut self, reason: String) -> HwError {
        self.link = None;
        self.counters.losses += 1;
        HwError::gone(self.settings.args.as_str(), reason)
    }

    /// Writes all samples; `at_ns` counts for the first of them.
    fn write(&mut self, samples: &[Complex32], mut at_ns: Option<i64>, ends_burst: bool) -> Result<()> {
        let mut rest = samples;
        let mut deadline = self.ends_at.max(Instant::now()) + STALL;
        while !rest.is_empty() {
            let link = self.link()?;
            let len = rest.len().min(link.mtu);
            let is_last = ends_burst && len == rest.len();
            match link.stream.write(&[&rest[..len]], at_ns, is_last, TIMEOUT_US) {
                Ok(written) => {
                    rest = &rest[written..];
                    self.counters.samples += written as u64;
                    if written > 0 {
                        at_ns = None;
                        deadline = self.ends_at.max(Instant::now()) + STALL;
                    }
                }
                Err(error) => match error.code {
                    ErrorCode::Timeout => self.counters.timeouts += 1,
                    ErrorCode::Underflow => self.counters.underflows += 1,
                    ErrorCode::TimeError => {
                        self.counters.late += 1;
                        return Ok(());
                    }
                    _ => return Err(self.lose(format!("writing failed ({error})"))),
                },
            }
            if Instant::now() > deadline {
                return Err(self.lose(format!("it takes no samples for {} s", STALL.as_secs())));
            }
        }
        Ok(())
    }

    /// Takes what the driver has to report.
    fn take_reports(&mut self) -> Result<()> {
        while let Some(link) = self.link.as_mut().filter(|link| link.has_status && link.stream.active()) {
            let (mut channels, mut flags, mut time_ns) = (0, 0, 0);
            match link.stream.read_status(&mut channels, &mut flags, &mut time_ns, 0) {
                Ok(_) => {} // a burst was acknowledged
                Err(error) => match error.code {
                    ErrorCode::Timeout => return Ok(()),
                    ErrorCode::Underflow => self.counters.underflows += 1,
                    ErrorCode::TimeError => self.counters.late += 1,
                    ErrorCode::StreamError => {
                        return Err(self.lose(format!("it reports a failure ({error})")));
                    }
                    _ => link.has_status = false,
                },
            }
        }
        Ok(())
    }

    /// When a burst that begins then, or at once, will be over.
    fn end_of(&self, len: usize, at_ns: Option<i64>) -> Instant {
        let now = Instant::now();
        let start = match (at_ns, self.time_ns()) {
            (Some(at_ns), Some(time_ns)) => {
                now + Duration::from_nanos(at_ns.saturating_sub(time_ns).max(0) as u64)
            }
            _ => now.max(self.ends_at),
        };
        start + Duration::from_secs_f64(len as f64 / self.sample_rate_hz) + LATENCY
    }
}

impl SampleSink for SoapyTransmitter {
    fn send(&mut self, burst: &[Complex32], at_ns: Option<i64>) -> Result<()> {
        if burst.is_empty() {
            return Ok(());
        }
        let len = burst.len() + self.tail_len(burst.len());
        self.refuse_beyond_limit(len)?;
        let tail = vec![Complex32::default(); len - burst.len()];
        let args = self.settings.args.clone();
        let link = self.link()?;
        if at_ns.is_some() && !link.has_time {
            return Err(HwError::refused(args, "the device has no time: send bursts without one"));
        }
        if !link.stream.active()
            && let Err(error) = link.stream.activate(None)
        {
            return Err(self.lose(format!("the stream does not start ({error})")));
        }
        self.ends_at = self.end_of(len, at_ns);
        self.write(burst, at_ns, tail.is_empty())?;
        self.write(&tail, None, true)?;
        self.counters.bursts += 1;
        self.take_reports()
    }

    fn finish(&mut self) -> Result<()> {
        loop {
            self.take_reports()?;
            let left = self.ends_at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
        if let Some(link) = self.link.as_mut().filter(|link| link.stream.active())
            && let Err(error) = link.stream.deactivate(None)
        {
            return Err(self.lose(format!("the stream does not stop ({error})")));
        }
        Ok(())
    }

    fn reopen(&mut self) -> Result<()> {
        self.link = None;
        self.start(true)
    }

    fn sample_rate_hz(&self) -> f64 {
        self.sample_rate_hz
    }

    fn time_ns(&self) -> Option<i64> {
        let link = self.link.as_ref().filter(|link| link.has_time)?;
        link.device.get_hardware_time(None).ok()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}
