//! Finds frames in a stream: the detector's plateaus, confirmed.

use super::{Acquisition, Detector, Plateau, Preamble, ResourceGrid};
use crate::Result;
use num_complex::Complex32;
use std::collections::VecDeque;

/// Where a frame begins in a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameStart {
    /// Number of the first sample of the first long sequence, from the first sample of the stream on; up to two earlier.
    pub long_start: u64,
    /// Carrier offset in cycles per sample.
    pub carrier_offset: f64,
    /// Share of the energy that is the preamble on its strongest path.
    pub quality: f32,
}

/// Finds frames in samples that come in pieces of any length.
///
/// Memory: the samples that a plateau may reach back to, some preambles.
#[derive(Clone, Debug)]
pub struct Synchronizer {
    detector: Detector,
    acquisition: Acquisition,
    /// Samples from number `base` on.
    buffer: Vec<Complex32>,
    base: u64,
    /// Number of the first sample that the detector has not seen.
    scanned: u64,
    /// Plateaus behind which samples are missing.
    waiting: VecDeque<Plateau>,
    /// How far back a plateau may begin.
    reach: usize,
    refused: u64,
}

impl Synchronizer {
    /// - most: largest carrier offset, in cycles per sample
    /// - errors: those of [`Acquisition::new`]
    pub fn new(grid: &ResourceGrid, most: f64) -> Result<Self> {
        let preamble = Preamble::new(grid)?;
        let detector = Detector::new(&preamble);
        let acquisition = Acquisition::new(&preamble, grid, detector.window_len(), most)?;
        let reach = detector.reach();
        Ok(Self {
            detector,
            acquisition,
            buffer: vec![],
            base: 0,
            scanned: 0,
            waiting: VecDeque::new(),
            reach,
            refused: 0,
        })
    }

    /// Plateaus that were no frames, so far.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Samples by which a preamble is confirmed late at most, counted from its first long sequence.
    pub fn lag(&self) -> u64 {
        (2 * self.reach + self.acquisition.needed()) as u64
    }

    /// Forgets what the detector has seen, as behind a gap of unknown length. Samples keep their numbers.
    pub fn restart(&mut self) {
        self.waiting.clear();
        let end = self.base + self.buffer.len() as u64;
        self.buffer.clear();
        (self.base, self.scanned) = (end, end);
        self.detector.restart(end);
    }

    /// Takes the next samples.
    ///
    /// - returns: the frames whose preambles are confirmed by now, in order
    pub fn push(&mut self, samples: &[Complex32]) -> Result<Vec<FrameStart>> {
        let mut found = vec![];
        // In pieces, so that the buffer does not grow with what comes at once.
        for piece in samples.chunks(self.reach) {
            self.buffer.extend_from_slice(piece);
            self.scan();
            self.confirm(&mut found)?;
            self.forget();
        }
        Ok(found)
    }

    fn scan(&mut self) {
        let new = (self.scanned - self.base) as usize;
        for block in self.buffer[new..].chunks_exact(self.detector.period()) {
            self.waiting.extend(self.detector.push(block));
            self.scanned += block.len() as u64;
        }
    }

    fn confirm(&mut self, found: &mut Vec<FrameStart>) -> Result<()> {
        while let Some(plateau) = self.waiting.front() {
            let samples = &self.buffer[(plateau.start - self.base) as usize..];
            if samples.len() < self.acquisition.needed() {
                return Ok(());
            }
            match self.acquisition.confirm(plateau, samples)? {
                Some(acquired) => found.push(FrameStart {
                    long_start: plateau.start + acquired.long_start as u64,
                    carrier_offset: acquired.carrier_offset,
                    quality: acquired.quality,
                }),
                None => self.refused += 1,
            }
            self.waiting.pop_front();
        }
        Ok(())
    }

    /// Drops samples that nothing can reach back to.
    fn forget(&mut self) {
        let oldest = self.scanned.saturating_sub(self.reach as u64);
        let oldest = self.waiting.front().map_or(oldest, |plateau| plateau.start.min(oldest));
        let count = oldest.saturating_sub(self.base) as usize;
        // Seldom, so that moving what is left costs little.
        if count > self.reach {
            self.buffer.drain(..count);
            self.base += count as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Numerology;
    use super::*;
    use crate::impairment::{CarrierOffset, InPlace, SampleNoise};
    use crate::rng::{Purpose, RngKey, complex_normal};

    /// Preambles at some places among random symbols, in noise.
    fn stream(preamble: &Preamble, places: &[usize], len: usize) -> Vec<Complex32> {
        let mut samples = complex_normal(&mut RngKey::new(3).stream(Purpose::Scene, 0, 0), 0.82, len);
        for place in places {
            samples[*place..place + preamble.samples().len()].copy_from_slice(preamble.samples());
        }
        CarrierOffset::new(0.002, 0.0).unwrap().apply(&mut samples).unwrap();
        SampleNoise::new(RngKey::new(4), 0, 0.1).unwrap().apply(&mut samples).unwrap();
        samples
    }

    #[test]
    fn frames_one_after_the_other_are_found_in_pieces_of_any_length() {
        for (_, numerology) in Numerology::PRESETS {
            let grid = ResourceGrid::new(numerology).unwrap();
            let preamble = Preamble::new(&grid).unwrap();
            // Back to back, with no more between than a header, and far apart.
            let gap = preamble.samples().len() + 8 * numerology.symbol_len();
            let places = [0, gap, 2 * gap + 13, 60_000, 120_001];
            let samples = stream(&preamble, &places, 160_000);
            let of = |piece: usize| {
                let mut synchronizer = Synchronizer::new(&grid, 0.005).unwrap();
                let pieces = samples.chunks(piece);
                let found: Vec<FrameStart> =
                    pieces.flat_map(|piece| synchronizer.push(piece).unwrap()).collect();
                assert!(synchronizer.buffer.len() < 20_000, "memory does not grow with the stream");
                found
            };
            let whole = of(usize::MAX);
            assert_eq!(whole.len(), places.len(), "{numerology:?}: {whole:?}");
            for (found, place) in whole.iter().zip(places) {
                let early = (place + preamble.long_start()) as i64 - found.long_start as i64;
                assert!((0..=2).contains(&early), "{numerology:?} at {place}: {early} early");
                assert!((found.carrier_offset - 0.002).abs() < 0.02 / numerology.fft_len as f64);
            }
            for piece in [1000, 4097, 77] {
                assert_eq!(of(piece), whole);
            }
        }
    }
}
