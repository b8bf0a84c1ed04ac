//! Frames to samples: every slot as a burst, one after the other, with silence between.

use super::{Burst, BurstWriter, SlotBursts};
use crate::Result;
use crate::frame::SymbolFrame;
use crate::kernel::Modulator;
use num_complex::Complex32;
use std::collections::VecDeque;

/// Modulates whole frames.
///
/// - slots of unit power -> samples in which every data carrier has unit mean power
/// - errors: those of [`SlotBursts::split`] and [`BurstWriter`]
#[derive(Clone, Debug)]
pub struct FrameModulator {
    slots: SlotBursts,
    writer: BurstWriter,
    /// Samples of silence behind each burst.
    gap: usize,
    waiting: VecDeque<Burst>,
    silence_left: usize,
}

impl FrameModulator {
    /// - gap: samples of silence behind each burst
    pub fn new(slots: SlotBursts, writer: BurstWriter, gap: usize) -> Self {
        Self { slots, writer, gap, waiting: VecDeque::new(), silence_left: 0 }
    }
}

impl Modulator for FrameModulator {
    type In = SymbolFrame;

    fn load(&mut self, frame: SymbolFrame) -> Result<()> {
        self.waiting.extend(self.slots.split(frame)?);
        Ok(())
    }

    fn write(&mut self, output: &mut [Complex32]) -> Result<usize> {
        let mut written = 0;
        while written < output.len() {
            let rest = &mut output[written..];
            if self.silence_left > 0 {
                let len = self.silence_left.min(rest.len());
                rest[..len].fill(Complex32::ZERO);
                (written, self.silence_left) = (written + len, self.silence_left - len);
                continue;
            }
            match self.writer.write(rest)? {
                0 => match self.waiting.pop_front() {
                    Some(burst) => self.writer.load(burst)?,
                    None => break,
                },
                len => {
                    written += len;
                    if self.writer.is_written() {
                        self.silence_left = self.gap;
                    }
                }
            }
        }
        Ok(written)
    }
}
