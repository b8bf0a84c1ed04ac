//! The kernel at a receiving antenna: samples from a front, found bursts, and what was heard of each frame.

use super::burst_sender::failed;
use super::status::{Shared, Status};
use num_complex::Complex32;
use sememe_blocks::Result;
use sememe_blocks::frame::ReceivedFrame;
use sememe_blocks::framing::FrameDemodulator;
use sememe_blocks::kernel::{Demodulator, FrameSource};
use sememe_hw::sigmf::{Annotation, Gap, RecordingWriter};
use sememe_hw::{HwError, SampleSource};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Samples read at once.
const PIECE: usize = 1 << 14;
/// Between two attempts to open a lost front.
const RETRY: Duration = Duration::from_millis(200);
/// After so long without its front a receiver gives up.
const MOST_ABSENCE: Duration = Duration::from_secs(600);

/// Gaps of a recording that are remembered, to find the places of bursts.
const MOST_SHIFTS: usize = 256;

/// When a receiver is done by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Until {
    /// After so many frames.
    pub frames: Option<u64>,
    /// After so many seconds.
    pub seconds: Option<f64>,
}

/// Receives frames.
pub struct LiveFrames {
    front: Box<dyn SampleSource>,
    demodulator: FrameDemodulator,
    until: Until,
    /// Where samples are kept besides.
    record: Option<RecordingWriter>,
    status: Shared,
    samples: Vec<Complex32>,
    waiting: VecDeque<ReceivedFrame>,
    delivered: u64,
    started: Option<Instant>,
    is_over: bool,
    /// Where samples missing in the recording are: number in the stream from which on, and how many by then.
    shifts: VecDeque<(u64, u64)>,
}

impl LiveFrames {
    /// - record: keeps all samples, bursts marked
    pub fn new(
        front: Box<dyn SampleSource>,
        demodulator: FrameDemodulator,
        until: Until,
        record: Option<RecordingWriter>,
        status: Shared,
    ) -> Self {
        let samples = vec![Complex32::ZERO; PIECE];
        let waiting = VecDeque::new();
        Self {
            front,
            demodulator,
            until,
            record,
            status,
            samples,
            waiting,
            delivered: 0,
            started: None,
            is_over: false,
            shifts: VecDeque::new(),
        }
    }

    /// Reads once, and finds what there is to find.
    fn step(&mut self) -> Result<()> {
        let mut found = vec![];
        match self.front.read(&mut self.samples) {
            Ok(read) => {
                if read.is_torn && read.missing == 0 {
                    self.demodulator.tear();
                } else if read.missing > 0 {
                    self.demodulator.skip(read.missing, &mut found)?;
                }
                let samples = &self.samples[..read.len];
                if let Some(record) = &mut self.record {
                    let shift = self.demodulator.position().saturating_sub(record.num_samples());
                    if self.shifts.back().is_none_or(|(_, last)| *last != shift) {
                        self.shifts.push_back((self.demodulator.position(), shift));
                        self.shifts.drain(..self.shifts.len().saturating_sub(MOST_SHIFTS));
                    }
                    record.append(samples, Gap::from(read)).map_err(failed)?;
                }
                if !samples.is_empty() {
                    let power =
                        samples.iter().map(|sample| sample.norm_sqr()).sum::<f32>() / samples.len() as f32;
                    Status::update(&self.status, |status| status.power = power);
                }
                self.demodulator.read(samples, &mut found)?;
                self.is_over = read.is_end;
            }
            Err(error @ HwError::Gone { .. }) => {
                Status::update(&self.status, |status| status.last_loss = Some(error.to_string()));
                self.demodulator.tear();
                self.reopen()?;
            }
            Err(error @ HwError::Garbled { .. }) => {
                Status::update(&self.status, |status| {
                    (status.garbled, status.last_loss) = (status.garbled + 1, Some(error.to_string()));
                });
                self.demodulator.tear();
            }
            Err(error) => return Err(failed(error)),
        }
        let is_late = |limit: f64| self.started.is_some_and(|start| start.elapsed().as_secs_f64() > limit);
        self.is_over |= Status::is_stopped(&self.status) || self.until.seconds.is_some_and(is_late);
        if self.is_over {
            self.demodulator.finish(&mut found)?;
        }
        self.tell(found.first());
        self.waiting.extend(found);
        Ok(())
    }

    /// Finishes the recording, however the reception ended.
    ///
    /// - errors: a recording that cannot be written
    pub fn close(&mut self) -> Result<()> {
        self.record.as_mut().map_or(Ok(()), |record| record.finish().map_err(failed))
    }

    fn reopen(&mut self) -> Result<()> {
        let since = Instant::now();
        loop {
            match self.front.reopen() {
                Ok(()) => return Ok(()),
                Err(error) if since.elapsed() > MOST_ABSENCE => return Err(failed(error)),
                Err(_) if Status::is_stopped(&self.status) => return Ok(()),
                Err(_) => std::thread::sleep(RETRY),
            }
            let counters = self.front.counters();
            Status::update(&self.status, |status| status.front = counters);
        }
    }

    /// Tells the display what has happened, and marks bursts in the recording.
    fn tell(&mut self, newest: Option<&ReceivedFrame>) {
        let receptions = self.demodulator.take_receptions();
        let mut unmarked = 0;
        if let Some(record) = &mut self.record {
            for (header, reception) in &receptions {
                let before = self.shifts.iter().rev().find(|(from, _)| *from <= reception.start);
                let shift = before.map_or(0, |(_, shift)| *shift);
                let start = reception.start - shift.min(reception.start);
                let end = (reception.end - shift.min(reception.end)).min(record.num_samples());
                let mark = Annotation {
                    sample_start: start,
                    sample_count: Some(end.saturating_sub(start)),
                    label: Some("burst".into()),
                    comment: Some(format!("frame {}, {:?}", header.frame, header.destination)),
                    ..Annotation::default()
                };
                // A recording bears so many marks; samples count more.
                unmarked += u64::from(record.annotate(mark).is_err());
            }
        }
        let counts = self.demodulator.counts();
        let (counters, rate) = (self.front.counters(), self.front.sample_rate_hz());
        let points = newest.map(constellation);
        Status::update(&self.status, |status| {
            (status.reader, status.collector, status.front) = (counts.0, counts.1, counters);
            status.sample_rate_hz = rate;
            status.unmarked += unmarked;
            for (_, reception) in receptions {
                status.hear(&reception);
            }
            if let Some(points) = points.filter(|points| !points.is_empty()) {
                status.points = points;
            }
        });
    }
}

impl FrameSource for LiveFrames {
    type Out = ReceivedFrame;

    fn next_frame(&mut self) -> Result<Option<ReceivedFrame>> {
        self.started.get_or_insert_with(Instant::now);
        if self.until.frames.is_some_and(|most| self.delivered >= most) {
            return Ok(None);
        }
        loop {
            if let Some(frame) = self.waiting.pop_front() {
                self.delivered += 1;
                return Ok(Some(frame));
            }
            if self.is_over {
                return Ok(None);
            }
            self.step()?;
        }
    }
}

/// Some equalised symbols of a frame, to be looked at.
fn constellation(frame: &ReceivedFrame) -> Vec<Complex32> {
    const MOST: usize = 600;
    let slots = frame.users.iter().flatten();
    let pairs = slots.flat_map(|slot| slot.symbols.iter().zip(slot.csi.iter()));
    pairs.filter(|(_, h)| h.norm_sqr() > 0.0).take(MOST).map(|(r, h)| r / h).collect()
}
