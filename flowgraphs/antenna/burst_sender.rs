//! The kernel at a transmitting antenna: slots of frames to bursts, and these to a front, one after the other.

use super::status::{Shared, Status};
use num_complex::Complex32;
use sememe_blocks::frame::SymbolFrame;
use sememe_blocks::framing::{BurstWriter, SlotBursts};
use sememe_blocks::kernel::{FrameSink, Modulator};
use sememe_blocks::{BlockError, Result};
use sememe_hw::{HwError, SampleSink};
use std::time::{Duration, Instant};

/// How far ahead of its time the first burst is handed over.
const LEAD_NS: i64 = 50_000_000;
/// How far ahead every later one must be; otherwise time is taken anew.
const LEAST_LEAD_NS: i64 = 5_000_000;
/// Between two attempts to open a lost front.
const RETRY: Duration = Duration::from_millis(200);
/// After so long without its front a transmitter gives up.
const MOST_ABSENCE: Duration = Duration::from_secs(60);

/// Sends frames.
pub struct BurstSender {
    slots: SlotBursts,
    writer: BurstWriter,
    front: Box<dyn SampleSink>,
    amplitude: f32,
    gap: usize,
    /// Whether the front has a clock by which bursts are sent.
    is_timed: bool,
    /// When the front is free for the next burst, in its own time.
    free_at_ns: Option<i64>,
    status: Shared,
}

impl BurstSender {
    /// - amplitude: what samples are multiplied by
    /// - gap: samples of silence behind each burst
    pub fn new(
        slots: SlotBursts,
        writer: BurstWriter,
        front: Box<dyn SampleSink>,
        (amplitude, gap): (f32, usize),
        status: Shared,
    ) -> Self {
        Self { slots, writer, front, amplitude, gap, is_timed: false, free_at_ns: None, status }
    }

    /// Sends bursts by the front's clock, where it has one: for radios, whose time passes by itself.
    pub fn timed(self) -> Self {
        let is_timed = self.front.time_ns().is_some();
        Self { is_timed, ..self }
    }

    /// Sends one burst; a front that is lost is opened again, until it stays away for too long or all is to stop.
    fn send(&mut self, samples: &[Complex32]) -> Result<()> {
        let mut lost_since = None;
        loop {
            let now = self.front.time_ns().filter(|_| self.is_timed);
            let at = now.map(|now| match self.free_at_ns {
                Some(free) if free > now + LEAST_LEAD_NS => free,
                _ => now + LEAD_NS,
            });
            let error = match self.front.send(samples, at) {
                Ok(()) => {
                    let len = (samples.len() + self.gap) as f64 / self.front.sample_rate_hz();
                    self.free_at_ns = at.map(|at| at + (len * 1e9) as i64);
                    return Ok(());
                }
                Err(error @ HwError::Gone { .. }) => error,
                Err(error) => return Err(failed(error)),
            };
            let since = *lost_since.get_or_insert_with(Instant::now);
            self.free_at_ns = None;
            Status::update(&self.status, |status| status.last_loss = Some(error.to_string()));
            if Status::is_stopped(&self.status) {
                return Ok(());
            }
            if since.elapsed() > MOST_ABSENCE {
                return Err(failed(error));
            }
            if self.front.reopen().is_err() {
                std::thread::sleep(RETRY);
            }
        }
    }

    /// Waits until everything is sent.
    ///
    /// - errors: a front that fails while it waits
    pub fn finish(&mut self) -> Result<()> {
        let outcome = self.front.finish();
        Status::update(&self.status, |status| status.front = self.front.counters());
        outcome.map_err(failed)
    }
}

impl FrameSink for BurstSender {
    type In = SymbolFrame;

    fn consume(&mut self, frame: SymbolFrame) -> Result<()> {
        for burst in self.slots.split(frame)? {
            if Status::is_stopped(&self.status) && self.front.counters().losses > 0 {
                return Ok(());
            }
            let uses = burst.symbols.len() as u64;
            self.writer.load(burst)?;
            let peak = self.writer.peak_to_average();
            let amplitude = self.amplitude;
            let mut samples: Vec<Complex32> = self.writer.samples().iter().map(|x| x * amplitude).collect();
            let beyond = samples.iter().filter(|x| x.re.abs() > 1.0 || x.im.abs() > 1.0).count() as u64;
            if !self.is_timed {
                // Without a clock silence is sent as samples.
                samples.extend(std::iter::repeat_n(Complex32::ZERO, self.gap));
            }
            self.send(&samples)?;
            let (clipped, counters) = (self.writer.clipped() as u64, self.front.counters());
            Status::update(&self.status, |status| {
                status.bursts += 1;
                status.uses += uses;
                status.samples += samples.len() as u64;
                status.clipped += clipped;
                status.beyond_full_scale += beyond;
                status.front = counters;
                if let Some(peak) = peak {
                    status.highest_peak_db = status.highest_peak_db.max(peak.0);
                }
            });
        }
        Status::update(&self.status, |status| status.frames += 1);
        Ok(())
    }
}

/// A front's sentence as an error of a block.
pub fn failed(error: HwError) -> BlockError {
    BlockError::Kernel(error.to_string())
}
