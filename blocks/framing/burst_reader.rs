//! Samples to bursts, from a cold start: all stages of the receiver, one after the other.
//!
//! ```text
//! samples > synchronizer > carrier turned back > channel from the long sequences > header, symbol by symbol
//!         > channel and noise again, header included > payload, symbol by symbol > burst
//! ```
//! While a burst is read, nothing that looks like another within it counts. Memory is bounded by the longest burst.

use super::burst_writer::most_uses;
use super::peaks::{scramble_signs, sign_seed};
use super::sample_buffer::SampleBuffer;
use super::{Content, Header, HeaderCode, HeaderFault, ReceivedBurst, Reception, SymbolInterleaver};
use crate::Result;
use crate::impairment::Oscillator;
use crate::kernel::Demodulator;
use crate::ofdm::{
    ChannelEstimator, FrameStart, Preamble, ResourceGrid, Sounding, Synchronizer, Tracked, Tracker, Transform,
};
use num_complex::Complex32;
use std::collections::VecDeque;
use std::ops::Range;

/// Samples larger than this are none.
const LARGEST: f32 = 1e9;
/// Most samples that can be missing in a stream without a new start.
const LONGEST_GAP: u64 = 1 << 22;
/// Coherence of all pilots of a payload below which its signal was lost.
const LEAST_COHERENCE: f32 = 0.25;
/// Samples taken in at once.
const PIECE: usize = 1 << 14;

/// What a reader has seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReaderCounts {
    /// Samples, missing ones included.
    pub samples: u64,
    /// Preambles that were confirmed.
    pub preambles: u64,
    /// Headers whose check failed.
    pub bad_checks: u64,
    /// Headers whose check held, but with a field out of range.
    pub bad_fields: u64,
    /// Bursts whose signal was lost in the payload, or whose stream was torn.
    pub lost: u64,
    /// Bursts delivered.
    pub bursts: u64,
    /// Samples known to be missing.
    pub missing: u64,
    /// Samples that are NaN, infinite or absurdly large: taken as 0.
    pub not_samples: u64,
}

/// Reads bursts of one grid.
#[derive(Clone, Debug)]
pub struct BurstReader {
    grid: ResourceGrid,
    preamble_lead: u64,
    synchronizer: Synchronizer,
    estimator: ChannelEstimator,
    transform: Transform,
    /// Of the burst that is read.
    tracker: Tracker,
    /// Samples of a symbol, and its carriers.
    carriers: Vec<Complex32>,
    code: HeaderCode,
    most: usize,
    buffer: SampleBuffer,
    /// Confirmed preambles that wait to be read.
    starts: VecDeque<FrameStart>,
    /// Preambles before this number lie within a burst that was read.
    free_from: u64,
    reading: Option<Reading>,
    counts: ReaderCounts,
}

/// A burst of which symbols are still to come.
#[derive(Clone, Debug)]
struct Reading {
    start: FrameStart,
    oscillator: Oscillator,
    sounding: Sounding,
    power: f32,
    /// First sample of the next symbol's prefix.
    place: u64,
    /// Symbols of the header as they were at the time of the first, `[N]` each.
    header_carriers: Vec<Vec<Complex32>>,
    header: Option<Header>,
    symbols: Vec<Complex32>,
    csi: Vec<Complex32>,
    erased: usize,
    coherence: f32,
    payload_symbols: usize,
}

/// What reading on has led to.
enum Step {
    /// Samples are missing yet.
    Waiting,
    Done(ReceivedBurst),
    Failed,
}

impl BurstReader {
    /// - most_offset: largest carrier offset, in cycles per sample
    /// - errors: those of [`Synchronizer::new`]
    pub fn new(grid: &ResourceGrid, most_offset: f64) -> Result<Self> {
        let preamble = Preamble::new(grid)?;
        let code = HeaderCode::new(grid)?;
        Ok(Self {
            grid: grid.clone(),
            preamble_lead: preamble.long_start() as u64,
            synchronizer: Synchronizer::new(grid, most_offset)?,
            estimator: ChannelEstimator::new(grid, &preamble)?,
            transform: Transform::new(*grid.numerology())?,
            tracker: Tracker::new(grid)?,
            carriers: vec![Complex32::ZERO; grid.numerology().fft_len],
            most: most_uses(grid, code.num_symbols()),
            code,
            buffer: SampleBuffer::default(),
            starts: VecDeque::new(),
            free_from: 0,
            reading: None,
            counts: ReaderCounts::default(),
        })
    }

    /// Number of the next sample, missing ones counted.
    pub fn position(&self) -> u64 {
        self.buffer.end()
    }

    /// What was seen so far.
    pub fn counts(&self) -> ReaderCounts {
        self.counts
    }

    /// Goes on behind samples that are missing in the stream: a burst keeps its place, and symbols that lie in the gap
    /// are erased. Behind a very long gap everything starts anew.
    ///
    /// - missing: their number
    pub fn skip(&mut self, missing: u64, found: &mut Vec<ReceivedBurst>) -> Result<()> {
        self.counts.missing = self.counts.missing.saturating_add(missing);
        if missing > LONGEST_GAP {
            self.tear();
            return Ok(());
        }
        self.buffer.mark_missing(missing);
        let zeros = vec![Complex32::ZERO; PIECE];
        let mut left = missing as usize;
        while left > 0 {
            let len = left.min(PIECE);
            self.take(&zeros[..len], found)?;
            left -= len;
        }
        Ok(())
    }

    /// Goes on behind a gap of unknown length: what was begun is lost.
    pub fn tear(&mut self) {
        self.counts.lost += u64::from(self.reading.take().is_some());
        self.starts.clear();
        self.synchronizer.restart();
        self.free_from = self.buffer.end();
    }

    fn take(&mut self, samples: &[Complex32], found: &mut Vec<ReceivedBurst>) -> Result<()> {
        self.counts.samples += samples.len() as u64;
        self.buffer.extend(samples);
        let starts = self.synchronizer.push(samples)?;
        self.counts.preambles += starts.len() as u64;
        self.starts.extend(starts);
        self.advance(found)?;
        let needed = self.reading.as_ref().map(|reading| reading.place);
        let needed = needed.or(self.starts.front().map(|start| start.long_start));
        let reach = self.synchronizer.lag();
        let oldest = self.buffer.end().saturating_sub(reach);
        self.buffer.forget(needed.map_or(oldest, |needed| needed.min(oldest)), PIECE);
        Ok(())
    }

    fn advance(&mut self, found: &mut Vec<ReceivedBurst>) -> Result<()> {
        loop {
            if self.reading.is_none() {
                let Some(start) = self.starts.pop_front() else { return Ok(()) };
                if start.long_start < self.free_from {
                    continue;
                }
                self.reading = self.begin(start)?;
            }
            let Some(mut reading) = self.reading.take() else { continue };
            match self.read_on(&mut reading)? {
                Step::Waiting => {
                    self.reading = Some(reading);
                    return Ok(());
                }
                Step::Done(burst) => {
                    self.free_from = burst.reception.end;
                    self.counts.bursts += 1;
                    found.push(burst);
                }
                Step::Failed => {}
            }
        }
    }

    /// Prepares to read a burst; `None` where its samples are gone.
    fn begin(&mut self, start: FrameStart) -> Result<Option<Reading>> {
        let long = 2 * self.grid.numerology().fft_len as u64;
        let first = start.long_start..start.long_start + long;
        let Some(samples) = self.buffer.get(first.clone()) else { return Ok(None) };
        let mut turned = samples.to_vec();
        let power = turned.iter().map(|sample| sample.norm_sqr()).sum::<f32>() / long as f32;
        let mut oscillator = Oscillator::new(-start.carrier_offset, 0.0);
        oscillator.rotate(&mut turned);
        let sounding = self.estimator.sound(&turned)?;
        self.tracker.start(self.estimator.smooth(&sounding)?)?;
        Ok(Some(Reading {
            start,
            oscillator,
            sounding,
            power,
            place: first.end,
            header_carriers: vec![],
            header: None,
            symbols: vec![],
            csi: vec![],
            erased: 0,
            coherence: 0.0,
            payload_symbols: 0,
        }))
    }

    fn read_on(&mut self, reading: &mut Reading) -> Result<Step> {
        loop {
            let Some(symbol) = self.next_symbol(reading)? else { return Ok(Step::Waiting) };
            let Some(header) = reading.header else {
                if reading.header_carriers.len() == self.code.num_symbols() {
                    match self.read_header(reading)? {
                        Ok(header) => {
                            reading.header = Some(header);
                            let room = header.length + self.grid.data().len();
                            (reading.symbols, reading.csi) =
                                (Vec::with_capacity(room), Vec::with_capacity(room));
                        }
                        Err(HeaderFault::Check) => {
                            self.counts.bad_checks += 1;
                            return Ok(Step::Failed);
                        }
                        Err(HeaderFault::Range(_)) => {
                            self.counts.bad_fields += 1;
                            return Ok(Step::Failed);
                        }
                    }
                }
                continue;
            };
            reading.coherence += symbol.coherence;
            reading.payload_symbols += 1;
            if reading.symbols.len() >= header.length {
                return Ok(self.finish(reading, header));
            }
        }
    }

    /// The next symbol; `None` where its samples are yet to come.
    fn next_symbol(&mut self, reading: &mut Reading) -> Result<Option<Tracked>> {
        let numerology = *self.grid.numerology();
        let from = reading.place + numerology.prefix_len as u64;
        let body: Range<u64> = from..from + numerology.fft_len as u64;
        let Some(samples) = self.buffer.get(body.clone()) else { return Ok(None) };
        let symbol = if self.buffer.is_torn(body) {
            if reading.header.is_some() {
                reading.erased += self.grid.data().len();
            } else {
                reading.header_carriers.push(vec![]);
            }
            self.tracker.pass(&mut reading.symbols, &mut reading.csi)
        } else {
            self.carriers.copy_from_slice(samples);
            reading.oscillator.seek(from - reading.start.long_start);
            reading.oscillator.rotate(&mut self.carriers);
            self.transform.demodulate(&mut self.carriers)?;
            let symbol = self.tracker.track(&self.carriers, &mut reading.symbols, &mut reading.csi)?;
            if reading.header.is_none() {
                self.tracker.turn_back(&mut self.carriers);
                reading.header_carriers.push(self.carriers.clone());
            }
            symbol
        };
        let next = numerology.symbol_len() as i64 + i64::from(symbol.later);
        reading.place = reading.place.saturating_add_signed(next);
        Ok(Some(symbol))
    }

    /// Decodes the header, and learns from it what the channel is.
    fn read_header(&mut self, reading: &mut Reading) -> Result<Result<Header, HeaderFault>> {
        let noise = self.tracker.estimate().map_or(f32::INFINITY, |estimate| estimate.noise_variance);
        let (symbols, csi) = (std::mem::take(&mut reading.symbols), std::mem::take(&mut reading.csi));
        let header = match self.code.decode(&symbols, &csi, noise, self.most)? {
            Ok(header) => header,
            Err(fault) => return Ok(Err(fault)),
        };
        let sent = self.code.encode(&header)?;
        let per_symbol = self.grid.data().len();
        for (symbol, (mut carriers, data)) in
            reading.header_carriers.drain(..).zip(sent.chunks(per_symbol)).enumerate()
        {
            // Of symbols in a gap there is nothing.
            if carriers.is_empty() {
                continue;
            }
            // All are of unit size: multiplying by the conjugate divides.
            for (place, value) in self.grid.data().iter().zip(data) {
                carriers[*place] *= value.conj();
            }
            for (place, sign) in self.grid.pilots().iter().zip(self.grid.pilot_signs(symbol)) {
                carriers[*place] *= *sign;
            }
            reading.sounding.add(&carriers, 1.0)?;
        }
        self.tracker.refine(self.estimator.smooth(&reading.sounding)?)?;
        Ok(Ok(header))
    }

    fn finish(&mut self, reading: &mut Reading, header: Header) -> Step {
        let is_coherent = reading.coherence >= LEAST_COHERENCE * reading.payload_symbols as f32;
        let Some(estimate) = self.tracker.estimate().filter(|_| is_coherent) else {
            self.counts.lost += 1;
            return Step::Failed;
        };
        let (mut symbols, mut csi) = (std::mem::take(&mut reading.symbols), std::mem::take(&mut reading.csi));
        symbols.truncate(header.length);
        csi.truncate(header.length);
        if header.content == Content::Analog {
            scramble_signs(sign_seed(header.frame, header.destination), &mut symbols);
        }
        let interleaver = SymbolInterleaver::new(header.length);
        let (symbols, mut csi) = (interleaver.gather(&symbols), interleaver.gather(&csi));
        // The payload's own power is part of h.
        let gain = 1.0 / header.scale.to_linear().0.sqrt();
        csi.iter_mut().for_each(|h| *h *= gain);
        let reception = Reception {
            start: reading.start.long_start.saturating_sub(self.preamble_lead),
            end: reading.place,
            snr: estimate.snr(),
            carrier_offset: reading.start.carrier_offset + self.tracker.carrier_offset(),
            clock_offset: self.tracker.clock_offset(),
            power: reading.power,
            erased: reading.erased.min(header.length),
        };
        Step::Done(ReceivedBurst { header, symbols, csi, noise_variance: estimate.noise_variance, reception })
    }
}

impl Demodulator for BurstReader {
    type Out = ReceivedBurst;

    fn read(&mut self, input: &[Complex32], found: &mut Vec<ReceivedBurst>) -> Result<()> {
        let is_sample = |sample: &Complex32| sample.re.abs() <= LARGEST && sample.im.abs() <= LARGEST;
        for piece in input.chunks(PIECE) {
            let wrong = u64::from(piece.iter().map(|sample| u32::from(!is_sample(sample))).sum::<u32>());
            if wrong == 0 {
                self.take(piece, found)?;
                continue;
            }
            self.counts.not_samples += wrong;
            let clean = |sample: &Complex32| if is_sample(sample) { *sample } else { Complex32::ZERO };
            self.take(&piece.iter().map(clean).collect::<Vec<_>>(), found)?;
        }
        Ok(())
    }

    /// The last burst may end a little later than the samples do, by what the clock has drifted; a preamble at the very end
    /// is confirmed by what is behind it.
    fn finish(&mut self, found: &mut Vec<ReceivedBurst>) -> Result<()> {
        let counts = self.counts;
        let behind = self.synchronizer.lag() as usize + self.grid.numerology().symbol_len();
        self.take(&vec![Complex32::ZERO; behind], found)?;
        self.counts.samples = counts.samples;
        if self.reading.take().is_some() {
            self.counts.lost += 1;
        }
        Ok(())
    }
}
