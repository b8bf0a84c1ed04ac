//! One codeword at a time: the lanes of a register are the lanes of the lifted code.

use super::aligned::Aligned;
use super::bytes::{ByteKernel, Bytes};
use super::check::{Correction, update};
use super::schedule::{Layer, Schedule};

/// Memory of one codeword in decoding.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Posterior LLRs, as the schedule lays them out.
    posteriors: Aligned,
    /// Messages from checks to bits.
    messages: Aligned,
    /// Iterations done.
    pub iterations: usize,
    /// Whether all checks were found to hold.
    pub is_codeword: bool,
}

impl State {
    /// Takes the LLRs of all columns, `size` each, for registers of `lanes` bytes.
    pub fn load(&mut self, schedule: &Schedule, llrs: &[i8], size: usize, lanes: usize) {
        self.posteriors.grow_to(schedule.len + lanes);
        self.messages.clear_to(schedule.num_messages * lanes);
        (self.iterations, self.is_codeword) = (0, false);
        for (column, llrs) in schedule.columns.iter().zip(llrs.chunks_exact(size)) {
            let (end, start) = llrs.split_at(column.rotation);
            let lane = &mut self.posteriors.as_mut_slice()[column.start[0]..][..size + lanes];
            lane[..start.len()].copy_from_slice(start);
            lane[start.len()..size].copy_from_slice(end);
            for at in size..size + lanes {
                lane[at] = lane[at - size];
            }
        }
    }

    /// The posterior LLRs of all columns in order, `size` each.
    pub fn posteriors(&self, schedule: &Schedule, size: usize, out: &mut [i8]) {
        for (column, out) in schedule.columns.iter().zip(out.chunks_exact_mut(size)) {
            let lane = &self.posteriors.as_slice()[column.start[self.iterations % 2]..][..size];
            let (start, end) = lane.split_at(size - column.rotation);
            out[..column.rotation].copy_from_slice(end);
            out[column.rotation..].copy_from_slice(start);
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
    /// Stop where all checks hold.
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
                // SAFETY: the schedule stays inside the buffers, whose lengths were just asserted.
                unsafe {
                    match layer.degree {
                        3 => sweep::<B, 3>(schedule, layer, state, *correction),
                        4 => sweep::<B, 4>(schedule, layer, state, *correction),
                        5 => sweep::<B, 5>(schedule, layer, state, *correction),
                        6 => sweep::<B, 6>(schedule, layer, state, *correction),
                        7 => sweep::<B, 7>(schedule, layer, state, *correction),
                        8 => sweep::<B, 8>(schedule, layer, state, *correction),
                        9 => sweep::<B, 9>(schedule, layer, state, *correction),
                        10 => sweep::<B, 10>(schedule, layer, state, *correction),
                        19 => sweep::<B, 19>(schedule, layer, state, *correction),
                        other => unreachable!("no row of the two base graphs has {other} edges"),
                    }
                }
            }
            state.iterations += 1;
            // SAFETY: as above.
            if self.until_codeword && unsafe { all_checks_hold::<B>(schedule, state) } {
                state.is_codeword = true;
                break;
            }
        }
    }
}

/// Whether all checks hold.
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
        unsafe { all_checks_hold::<B>(self.schedule, self.state) }
    }
}

/// Updates all checks of a layer.
#[inline(always)]
unsafe fn sweep<B: Bytes, const D: usize>(
    schedule: &Schedule,
    layer: &Layer,
    state: &mut State,
    correction: Correction,
) {
    unsafe {
        let parity = state.iterations % 2;
        let posteriors = state.posteriors.as_mut_slice().as_mut_ptr();
        let mut messages = state.messages.as_mut_slice().as_mut_ptr().add(layer.messages * B::LEN);
        let steps = schedule.steps[parity].as_ptr().add(layer.first_edge);
        let mut sources = schedule.sources[parity].as_ptr().add(layer.first_edge * schedule.registers);
        // The first register is stored a second time, behind the last lane.
        update::<B, D>(
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
            update::<B, D>(
                |e| posteriors.add(*sources.add(e) as usize),
                |e, l| l.store(posteriors.add((*steps.add(e)).to as usize + register * B::LEN)),
                messages,
                correction,
            );
        }
    }
}

/// Whether the signs of the posterior LLRs meet every check; leaves at the first layer that fails.
#[inline(always)]
unsafe fn all_checks_hold<B: Bytes>(schedule: &Schedule, state: &State) -> bool {
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
    true
}
