//! Samples to a ZeroMQ socket.

use super::settings::{Pattern, ZmqSettings};
use super::socket;
use crate::{Counters, HwError, Result, SampleSink};
use num_complex::Complex32;

const BYTES_PER_SAMPLE: usize = 8;

/// Sends samples to SUB or PULL sockets, as those of GNU Radio.
///
/// - PUB never waits: what no receiver is there for, or a receiver's high water mark leaves no room for, is dropped
///   and cannot be counted; receivers need a fraction of a second to arrive after the socket was opened
/// - PUSH waits for a receiver, up to [`ZmqSettings::send_timeout_ms`] without any progress
pub struct ZmqSink {
    settings: ZmqSettings,
    /// `None` once finished.
    socket: Option<zmq::Socket>,
    counters: Counters,
}

impl ZmqSink {
    /// Opens the socket.
    ///
    /// - errors: [`HwError::InvalidSetting`], also where the pattern is one that receives; [`HwError::Refused`]
    pub fn open(settings: ZmqSettings) -> Result<Self> {
        settings.check()?;
        if !matches!(settings.pattern, Pattern::Pub | Pattern::Push) {
            return Err(HwError::invalid(
                "pattern",
                format!("{:?}", settings.pattern),
                "pub or push to send",
            ));
        }
        let socket = Some(socket::open(&settings)?);
        Ok(Self { settings, socket, counters: Counters::default() })
    }

    /// Where the socket is; tells the port where `*` was asked for.
    pub fn endpoint(&self) -> String {
        let here = |socket| socket::endpoint(socket, &self.settings);
        self.socket.as_ref().map_or_else(|| self.settings.endpoint.clone(), here)
    }

    fn send_message(&mut self, samples: &[Complex32]) -> Result<()> {
        let socket = match &mut self.socket {
            Some(socket) => socket,
            closed => closed.insert(socket::open(&self.settings)?),
        };
        let mut message = zmq::Message::with_size(samples.len() * BYTES_PER_SAMPLE);
        for (raw, sample) in message.as_chunks_mut::<BYTES_PER_SAMPLE>().0.iter_mut().zip(samples) {
            let ([a, b, c, d], [e, f, g, h]) = (sample.re.to_le_bytes(), sample.im.to_le_bytes());
            *raw = [a, b, c, d, e, f, g, h];
        }
        let key = self.settings.key.as_bytes();
        let keyed = if key.is_empty() { Ok(()) } else { socket.send(key, zmq::SNDMORE) };
        match keyed.and_then(|()| socket.send(message, 0)) {
            Ok(()) => {
                self.counters.samples += samples.len() as u64;
                Ok(())
            }
            Err(error) => {
                let is_late = matches!(error, zmq::Error::EAGAIN | zmq::Error::EINTR);
                self.counters.timeouts += u64::from(is_late);
                self.counters.losses += 1;
                let reason = match is_late {
                    true => format!("no receiver took samples for {} ms", self.settings.send_timeout_ms),
                    false => error.to_string(),
                };
                Err(HwError::gone(&self.settings.endpoint, reason))
            }
        }
    }
}

impl SampleSink for ZmqSink {
    /// Sends a burst at once, whatever its time, in messages of [`ZmqSettings::message_samples`].
    ///
    /// - errors: [`HwError::Gone`] where nobody takes it (PUSH only); `Counters::samples` says how much had left
    fn send(&mut self, burst: &[Complex32], _at_ns: Option<i64>) -> Result<()> {
        if burst.is_empty() {
            return Ok(());
        }
        for samples in burst.chunks(self.settings.message_samples as usize) {
            self.send_message(samples)?;
        }
        self.counters.bursts += 1;
        Ok(())
    }

    /// Closes the socket, which waits up to [`ZmqSettings::send_timeout_ms`] until all has left; a later burst opens it
    /// again.
    fn finish(&mut self) -> Result<()> {
        self.socket = None;
        Ok(())
    }

    fn reopen(&mut self) -> Result<()> {
        // A bound address is free only once the old socket is closed.
        self.socket = None;
        self.socket = Some(socket::open(&self.settings)?);
        Ok(())
    }

    fn sample_rate_hz(&self) -> f64 {
        self.settings.sample_rate_hz
    }

    fn time_ns(&self) -> Option<i64> {
        None
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}
