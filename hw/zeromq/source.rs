//! Samples from a ZeroMQ socket.

use super::settings::{Pattern, ZmqSettings};
use super::socket;
use crate::{Counters, HwError, Read, Result, SampleSource};
use num_complex::Complex32;

const BYTES_PER_SAMPLE: usize = 8;

/// Receives samples from a PUB or PUSH socket, as those of GNU Radio.
///
/// Memory is bounded by the high water mark times the longest message. A peer that is not there (yet) is waited for.
pub struct ZmqSource {
    settings: ZmqSettings,
    /// `None` where it could not be opened again.
    socket: Option<zmq::Socket>,
    message: zmq::Message,
    /// Bytes of the message that were read.
    taken: usize,
    /// What was wrong with the message that came last.
    refusal: Option<HwError>,
    refused: u64,
    counters: Counters,
}

impl ZmqSource {
    /// Opens the socket.
    ///
    /// - errors: [`HwError::InvalidSetting`], also where the pattern is one that sends; [`HwError::Refused`]
    pub fn open(settings: ZmqSettings) -> Result<Self> {
        settings.check()?;
        if !matches!(settings.pattern, Pattern::Sub | Pattern::Pull) {
            return Err(HwError::invalid(
                "pattern",
                format!("{:?}", settings.pattern),
                "sub or pull to receive",
            ));
        }
        let socket = Some(socket::open(&settings)?);
        let (message, counters) = (zmq::Message::new(), Counters::default());
        Ok(Self { settings, socket, message, taken: 0, refusal: None, refused: 0, counters })
    }

    /// Where the socket is; tells the port where `*` was asked for.
    pub fn endpoint(&self) -> String {
        let here = |socket| socket::endpoint(socket, &self.settings);
        self.socket.as_ref().map_or_else(|| self.settings.endpoint.clone(), here)
    }

    /// Messages that were not samples.
    pub fn refused_messages(&self) -> u64 {
        self.refused
    }

    /// Receives the next message.
    ///
    /// - returns: whether there was one; what was wrong with it waits in `refusal`
    fn receive(&mut self, flags: i32) -> Result<bool> {
        let Some(socket) = &self.socket else {
            return Err(HwError::gone(&self.settings.endpoint, "its socket is closed"));
        };
        let mut num_parts = 0;
        loop {
            match socket.recv(&mut self.message, flags) {
                Ok(()) => num_parts += 1,
                // A signal, such as a window's change of size, ends the wait like its time.
                Err(zmq::Error::EAGAIN | zmq::Error::EINTR) => {
                    self.message = zmq::Message::new();
                    self.taken = 0;
                    return Ok(false);
                }
                Err(error) => {
                    self.counters.losses += 1;
                    return Err(HwError::gone(&self.settings.endpoint, error));
                }
            }
            if !self.message.get_more() {
                break;
            }
        }
        self.taken = 0;
        let len = self.message.len();
        let has_key = num_parts == 2 && self.settings.pattern == Pattern::Sub;
        let reason = if num_parts > 1 && !has_key {
            format!(
                "a message of {num_parts} parts is no stream of samples: send it with a stream sink, not a message sink"
            )
        } else if !len.is_multiple_of(BYTES_PER_SAMPLE) {
            format!(
                "a message of {len} bytes is no number of complex samples of 8 bytes: send complex items (cf32) with \
                 Pass Tags off"
            )
        } else {
            return Ok(true);
        };
        self.message = zmq::Message::new();
        self.refused += 1;
        self.refusal = Some(HwError::garbled(&self.settings.endpoint, reason));
        Ok(true)
    }
}

impl SampleSource for ZmqSource {
    /// As [`SampleSource::read`]; what PUB dropped is not known, and a stream has no end.
    ///
    /// - errors: [`HwError::Garbled`] for a message that holds no whole number of samples; reading on takes the next
    fn read(&mut self, samples: &mut [Complex32]) -> Result<Read> {
        let mut len = 0;
        while len < samples.len() {
            if self.taken == self.message.len() {
                if let Some(refusal) = self.refusal.take_if(|_| len == 0) {
                    return Err(refusal);
                }
                let flags = if len == 0 { 0 } else { zmq::DONTWAIT };
                if self.refusal.is_some() || !self.receive(flags)? {
                    break;
                }
                // Also where a peer sends nothing but empty messages, a read ends.
                if self.message.is_empty() && self.refusal.is_none() {
                    break;
                }
                continue;
            }
            let (bytes, _) = self.message[self.taken..].as_chunks::<BYTES_PER_SAMPLE>();
            let now = bytes.len().min(samples.len() - len);
            for (sample, raw) in samples[len..].iter_mut().zip(bytes) {
                let [a, b, c, d, e, f, g, h] = *raw;
                *sample = Complex32::new(f32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h]));
            }
            len += now;
            self.taken += now * BYTES_PER_SAMPLE;
        }
        self.counters.timeouts += u64::from(len == 0 && !samples.is_empty());
        self.counters.samples += len as u64;
        Ok(Read { len, ..Read::default() })
    }

    fn reopen(&mut self) -> Result<()> {
        // A bound address is free only once the old socket is closed.
        self.socket = None;
        (self.message, self.taken, self.refusal) = (zmq::Message::new(), 0, None);
        self.socket = Some(socket::open(&self.settings)?);
        Ok(())
    }

    fn sample_rate_hz(&self) -> f64 {
        self.settings.sample_rate_hz
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}
