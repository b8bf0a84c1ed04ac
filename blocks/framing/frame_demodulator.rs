//! Samples to frames: what one user, or all of them, heard.

use super::{BurstReader, CollectorCounts, FrameCollector, Header, ReaderCounts, ReceivedBurst, Reception};
use crate::Result;
use crate::frame::ReceivedFrame;
use crate::kernel::Demodulator;
use num_complex::Complex32;
use std::collections::VecDeque;

/// Bursts of which is remembered how they were received.
const REMEMBERED: usize = 256;

/// Demodulates whole frames.
#[derive(Clone, Debug)]
pub struct FrameDemodulator {
    reader: BurstReader,
    collector: FrameCollector,
    receptions: VecDeque<(Header, Reception)>,
}

impl FrameDemodulator {
    /// A demodulator of two parts.
    pub fn new(reader: BurstReader, collector: FrameCollector) -> Self {
        Self { reader, collector, receptions: VecDeque::with_capacity(REMEMBERED) }
    }

    /// What the reader and the collector have counted.
    pub fn counts(&self) -> (ReaderCounts, CollectorCounts) {
        (self.reader.counts(), self.collector.counts())
    }

    /// Number of the next sample, missing ones counted.
    pub fn position(&self) -> u64 {
        self.reader.position()
    }

    /// How the last bursts were received, at most 256, each of them told once.
    pub fn take_receptions(&mut self) -> Vec<(Header, Reception)> {
        self.receptions.drain(..).collect()
    }

    /// Goes on behind samples that are missing; see [`BurstReader::skip`].
    pub fn skip(&mut self, missing: u64, found: &mut Vec<ReceivedFrame>) -> Result<()> {
        let mut bursts = vec![];
        self.reader.skip(missing, &mut bursts)?;
        self.collect(bursts, found)
    }

    /// Goes on behind a gap of unknown length; see [`BurstReader::tear`].
    pub fn tear(&mut self) {
        self.reader.tear();
    }

    fn collect(&mut self, bursts: Vec<ReceivedBurst>, found: &mut Vec<ReceivedFrame>) -> Result<()> {
        for burst in bursts {
            if self.receptions.len() == REMEMBERED {
                self.receptions.pop_front();
            }
            self.receptions.push_back((burst.header, burst.reception));
            self.collector.take(burst, found)?;
        }
        Ok(())
    }
}

impl Demodulator for FrameDemodulator {
    type Out = ReceivedFrame;

    fn read(&mut self, input: &[Complex32], found: &mut Vec<ReceivedFrame>) -> Result<()> {
        let mut bursts = vec![];
        self.reader.read(input, &mut bursts)?;
        self.collect(bursts, found)
    }

    fn finish(&mut self, found: &mut Vec<ReceivedFrame>) -> Result<()> {
        let mut bursts = vec![];
        self.reader.finish(&mut bursts)?;
        self.collect(bursts, found)?;
        self.collector.finish(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Audience, BurstWriter, Content, FrameModulator, SlotBursts};
    use super::*;
    use crate::Grouping;
    use crate::frame::{Destination, Phase, Slot, SymbolFrame};
    use crate::impairment::{CarrierOffset, InPlace, SampleNoise};
    use crate::kernel::Modulator;
    use crate::ofdm::{Numerology, ResourceGrid};
    use crate::rng::{Purpose, RngKey, complex_normal};

    fn frame(number: u64) -> SymbolFrame {
        let grouping = Grouping::new(vec![1, 0], 2).unwrap();
        let slot = |destination, phase, place| Slot {
            destination,
            phase,
            symbols: complex_normal(&mut RngKey::new(8).stream(Purpose::Payload, number, place), 1.0, 90),
        };
        let slots = vec![
            slot(Destination::Group(0), Phase::Common, 0),
            slot(Destination::Group(1), Phase::Common, 1),
            slot(Destination::User(0), Phase::Private, 2),
            slot(Destination::User(1), Phase::Private, 3),
        ];
        SymbolFrame { frame: number, grouping, slots }
    }

    #[test]
    fn frames_come_back_slot_by_slot() {
        let grid = ResourceGrid::new(Numerology::NARROW).unwrap();
        for gap in [0, 250] {
            let writer = BurstWriter::new(&grid, None).unwrap();
            let mut modulator = FrameModulator::new(SlotBursts::new(Content::Analog, 5), writer, gap);
            let mut samples = vec![];
            let mut piece = vec![Complex32::ZERO; 777];
            for number in 0..3 {
                modulator.load(frame(number)).unwrap();
                loop {
                    let written = modulator.write(&mut piece).unwrap();
                    if written == 0 {
                        break;
                    }
                    samples.extend_from_slice(&piece[..written]);
                }
            }
            CarrierOffset::new(0.03, 0.0).unwrap().apply(&mut samples).unwrap();
            SampleNoise::new(RngKey::new(9), 0, 1e-3).unwrap().apply(&mut samples).unwrap();
            let reader = BurstReader::new(&grid, 0.09).unwrap();
            let collector = FrameCollector::new(Audience::All, Content::Analog, 5, 2);
            let mut demodulator = FrameDemodulator::new(reader, collector);
            let mut found = vec![];
            demodulator.read(&samples, &mut found).unwrap();
            demodulator.finish(&mut found).unwrap();
            assert_eq!(found.iter().map(|frame| frame.frame).collect::<Vec<_>>(), [0, 1, 2], "gap {gap}");
            assert_eq!(demodulator.take_receptions().len(), 12);
            for received in &found {
                let sent = frame(received.frame);
                assert_eq!(received.grouping.as_slice(), sent.grouping.as_slice());
                for (user, slots) in received.users.iter().enumerate() {
                    let own = [sent.grouping.group_of(user), 2 + user];
                    for (slot, place) in slots.iter().zip(own) {
                        let expected = &sent.slots[place];
                        assert_eq!((slot.destination, slot.phase), (expected.destination, expected.phase));
                        let error: f32 = slot
                            .symbols
                            .iter()
                            .zip(&slot.csi)
                            .zip(&expected.symbols)
                            .map(|((r, h), x)| (r / h - x).norm_sqr())
                            .sum();
                        assert!(error / 90.0 < 3e-3, "gap {gap}, user {user}: {error}");
                    }
                }
            }
        }
    }
}
