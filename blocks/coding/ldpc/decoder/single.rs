//! One codeword at a time: the lanes of a register are the lanes of the lifted code.

use super::aligned::Aligned;
use super::bytes::{ByteKernel, Bytes};
use super::check::{Correction, update};
use super::layer::{Sweep, update_layer};
use super::schedule::{self, Schedule};

/// Memory of one codeword in decoding.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Posterior LLRs, as the schedule lays them out.
    posteriors: Aligned,
    /// Messages from checks to bits.
    messages: Aligned,
    /// Iterations done.
    pub iterations: usize,
    /// Whether a codeword was found.
    pub is_codeword: bool,
}

impl State {
    /// Takes the LLRs of all columns, for registers of `lanes` bytes.
    pub fn load(&mut self, schedule: &Schedule, llrs: &[i8], lanes: usize) {
        let size = schedule.size;
        self.posteriors.grow_to(schedule.len + lanes);
        self.messages.grow_to(schedule.num_messages * lanes);
        (self.iterations, self.is_codeword) = (0, false);
        for (column, llrs) in schedule.columns.iter().zip(llrs.chunks_exact(size)) {
            let (end, start) = llrs.split_at(column.rotation);
            let lane = &mut self.posteriors.as_mut_slice()[column.start[0]..][..size + lanes];
            lane[..start.len()].copy_from_slice(start);
            lane[start.len()..size].copy_from_slice(end);
            let (lane, repeat) = lane.split_at_mut(size);
            repeat.chunks_mut(size).for_each(|repeat| repeat.copy_from_slice(&lane[..repeat.len()]));
        }
    }

    /// Whether a codeword was ever loaded.
    pub fn is_loaded(&self) -> bool {
        !self.posteriors.as_slice().is_empty()
    }

    /// Whether something speaks for each bit of information: a posterior LLR of zero is an erasure that is left.
    pub fn is_decided(&self, schedule: &Schedule) -> bool {
        schedule.columns[..schedule.information_columns].iter().all(|column| {
            !self.posteriors.as_slice()[column.start[self.iterations % 2]..][..schedule.size].contains(&0)
        })
    }

    /// The posterior LLRs of the leading columns in order, as many as `out` holds: `value` of each.
    pub fn read<T>(&self, schedule: &Schedule, out: &mut [T], value: impl Fn(i8) -> T) {
        let size = schedule.size;
        for (column, out) in schedule.columns.iter().zip(out.chunks_exact_mut(size)) {
            let lane = &self.posteriors.as_slice()[column.start[self.iterations % 2]..][..size];
            let (start, end) = lane.split_at(size - column.rotation);
            let (first, second) = out.split_at_mut(end.len());
            first.iter_mut().zip(end).for_each(|(out, llr)| *out = value(*llr));
            second.iter_mut().zip(start).for_each(|(out, llr)| *out = value(*llr));
        }
    }
}

/// Iterations over all layers, each followed by the check of the whole word if wanted.
pub struct Iterate<'a> {
    /// Layout of the code.
    pub schedule: &'a Schedule,
    /// Corrections of the layers.
    pub corrections: &'a [Correction],
    /// What is decoded.
    pub state: &'a mut State,
    /// Most iterations.
    pub iterations: usize,
    /// Stop where a codeword was found.
    pub until_codeword: bool,
}

impl ByteKernel for Iterate<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<B: Bytes>(self) {
        let Self { schedule, corrections, state, .. } = self;
        let (posteriors, messages) = (state.posteriors.as_slice(), state.messages.as_slice());
        assert!(posteriors.len() >= schedule.len + B::LEN, "room for posteriors");
        assert!(messages.len() >= schedule.num_messages * B::LEN, "room for messages");
        for _ in 0..self.iterations {
            for (layer, correction) in schedule.layers.iter().zip(corrections) {
                let (degree, is_first) = (layer.degree, state.iterations == 0);
                let layer = Layer { schedule, layer, state: &mut *state, correction: *correction };
                // SAFETY: the schedule stays inside the buffers, whose lengths were just asserted.
                unsafe { update_layer::<B>(layer, degree, *correction, is_first) };
            }
            state.iterations += 1;
            // SAFETY: as above.
            if self.until_codeword && unsafe { is_codeword::<B>(schedule, state) } {
                state.is_codeword = true;
                break;
            }
        }
    }
}

/// Whether a codeword was found.
pub struct Audit<'a> {
    /// Layout of the code.
    pub schedule: &'a Schedule,
    /// What was decoded.
    pub state: &'a State,
}

impl ByteKernel for Audit<'_> {
    type Output = bool;

    #[inline(always)]
    unsafe fn run<B: Bytes>(self) -> bool {
        assert!(self.state.posteriors.as_slice().len() >= self.schedule.len + B::LEN, "room for posteriors");
        // SAFETY: the schedule stays inside the buffer, whose length was just asserted.
        unsafe { is_codeword::<B>(self.schedule, self.state) }
    }
}

/// All checks of a layer, register by register.
struct Layer<'a> {
    schedule: &'a Schedule,
    layer: &'a schedule::Layer,
    state: &'a mut State,
    correction: Correction,
}

impl Sweep for Layer<'_> {
    #[inline(always)]
    unsafe fn sweep<B: Bytes, const D: usize, const FIRST: bool, const PAIRS: bool>(self) {
        let Self { schedule, layer, state, correction } = self;
        unsafe {
            let parity = state.iterations % 2;
            let posteriors = state.posteriors.as_mut_slice().as_mut_ptr();
            let mut messages = state.messages.as_mut_slice().as_mut_ptr().add(layer.messages * B::LEN);
            let steps = schedule.steps[parity].as_ptr().add(layer.first_edge);
            let mut sources = schedule.sources[parity].as_ptr().add(layer.first_edge * schedule.registers);
            // The first register is stored a second time, behind the last lane.
            update::<B, D, FIRST, PAIRS>(
                |e| posteriors.add(*sources.add(e) as usize),
                |e, l| {
                    let step = *steps.add(e);
                    l.store(posteriors.add(step.to as usize));
                    l.store(posteriors.add(step.repeat as usize));
                },
                messages,
                correction,
            );
            for register in 1..schedule.registers {
                messages = messages.add(D * B::LEN);
                sources = sources.add(D);
                update::<B, D, FIRST, PAIRS>(
                    |e| posteriors.add(*sources.add(e) as usize),
                    |e, l| l.store(posteriors.add((*steps.add(e)).to as usize + register * B::LEN)),
                    messages,
                    correction,
                );
            }
        }
    }
}

/// Whether the signs of the posterior LLRs meet every check and none of information is zero; leaves at the first
/// layer that fails.
#[inline(always)]
unsafe fn is_codeword<B: Bytes>(schedule: &Schedule, state: &State) -> bool {
    unsafe {
        let posteriors = state.posteriors.as_slice().as_ptr();
        let mut sources = schedule.audit[state.iterations % 2].as_ptr();
        for layer in &schedule.layers {
            let mut failing = B::splat(0);
            for _ in 0..schedule.registers {
                let mut sign = B::splat(0);
                for e in 0..layer.degree {
                    sign = sign.xor(B::load(posteriors.add(*sources.add(e) as usize)));
                }
                failing = failing.or(sign);
                sources = sources.add(layer.degree);
            }
            if failing.negatives() != 0 {
                return false;
            }
        }
    }
    state.is_decided(schedule)
}
