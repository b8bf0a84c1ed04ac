//! Layered min-sum decoding on 8-bit LLRs.
//!
//! ```text
//! LLRs of information and used parity > layer R > ... > layer 2 > layer 1 > all checks hold? > bits, soft output
//!                                         ^-------- next iteration ----------------' no
//! ```
//! Each layer is one row of the base graph: its Z checks share no bit, so they are updated together. Layers
//! run from the last row to the first: the last rows hold few bits, of which at most one was not sent, so the
//! punctured columns are known before the wide rows ask for them. That saves about a third of the iterations
//! against the order of the standard's table.
//!
//! | file | what stands there |
//! |---|---|
//! | `check`, `layer` | the min-sum update, of a register and of a layer |
//! | `single`, `schedule` | one codeword: registers hold lanes of the lifted code |
//! | `batch`, `transpose` | many codewords: registers hold frames |
//! | `bytes`, `aligned` | registers of bytes on three instruction sets, and their memory |
//! | `quantize`, `config` | LLRs as bytes; what a decoder is told |
//!
//! An LLR is ln P(bit = 0) / P(bit = 1) in nats: positive means 0. Bits that were not sent have LLR 0, filler
//! bits, which are known, +infinity (or `rate_match::KNOWN_LLR`, as soft buffers have it). NaN is an erasure,
//! 0; what a channel says saturates at 7.5 nats.
//! Source: Chen et al. (2005), "Reduced-complexity decoding of LDPC codes"; layers: Hocevar (2004).

mod aligned;
mod batch;
mod bytes;
mod check;
mod config;
mod layer;
mod quantize;
#[cfg(test)]
mod reference;
mod schedule;
mod single;
mod transpose;

use super::LdpcCode;
use crate::isa::{Isa, Set};
use crate::{BlockError, Result};
use batch::{Batch, Checks, Failing, Undecided};
use check::Correction;
pub use check::LARGEST_MESSAGE;
pub use config::{DecoderConfig, Rule, Stop};
use quantize::quantize_on;
pub use quantize::{LARGEST_LLR, STEPS_PER_NAT, quantize};
use schedule::Schedule;
use single::State;

/// Bytes of a batch that still stay close to the core; beyond them single codewords are faster.
const BATCH_BYTES: usize = 768 << 10;

/// How a decoding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Iterations done.
    pub iterations: usize,
    /// Whether all parity checks hold, or the cyclic redundancy check where that was asked for, and all is decided.
    pub passed: bool,
    /// Whether something speaks for each bit of information. A word of erasures is decoded to zeros, which pass
    /// every check, of parity as of cyclic redundancy: a receiver must not take them for sent ones.
    pub decided: bool,
}

/// A decoder of the first rows of a code.
#[derive(Clone, Debug)]
pub struct LdpcDecoder {
    code: LdpcCode,
    config: DecoderConfig,
    isa: Isa,
    num_columns: usize,
    corrections: Vec<Correction>,
    schedule: Schedule,
    state: State,
    checks: Checks,
    batch: Batch,
    quantized: Vec<i8>,
    posteriors: Vec<i8>,
}

impl LdpcDecoder {
    /// A decoder on the widest instruction set of this machine.
    ///
    /// - rows: rows of the base graph in use, those that the sent bits reach; at least 4
    /// - errors: rows, iterations, factors or lengths outside what is possible
    pub fn new(code: &LdpcCode, rows: usize, config: DecoderConfig) -> Result<Self> {
        Self::with_isa(code, rows, config, Isa::detect())
    }

    /// A decoder on one of the instruction sets, which all give the same bits.
    pub fn with_isa(code: &LdpcCode, rows: usize, config: DecoderConfig, isa: Isa) -> Result<Self> {
        config.check(code, rows)?;
        let order: Vec<usize> = (0..rows).rev().collect();
        Ok(Self {
            code: code.clone(),
            config,
            isa,
            num_columns: code.base_graph().information_columns() + rows,
            corrections: order
                .iter()
                .map(|row| Correction::new(config.rule, *row, code.row(*row).len()))
                .collect(),
            schedule: Schedule::new(code, &order, isa.register_bytes()),
            state: State::default(),
            checks: Checks::new(code, &order),
            batch: Batch::default(),
            quantized: Vec::new(),
            posteriors: Vec::new(),
        })
    }

    /// LLRs of a frame: all information columns, punctured and filler bits included, and the used parity.
    pub fn input_len(&self) -> usize {
        self.num_columns * self.code.lifting_size()
    }

    /// Bits that a frame is decoded to, filler included.
    pub fn information_len(&self) -> usize {
        self.code.information_len()
    }

    /// Soft output: the posterior LLRs of the last frame given to [`Self::decode`], in steps of 1/4 nat.
    pub fn posteriors(&mut self) -> &[i8] {
        let size = self.code.lifting_size();
        self.posteriors.resize(self.num_columns * size, 0);
        if self.state.is_loaded() {
            self.state.read(&self.schedule, &mut self.posteriors, |llr| llr);
        }
        &self.posteriors
    }

    /// Decodes one frame.
    ///
    /// - llrs: [`Self::input_len`] LLRs in nats; more, such as those of a whole codeword, are ignored
    /// - bits: [`Self::information_len`] bits
    /// - errors: other lengths
    pub fn decode(&mut self, llrs: &[f32], bits: &mut [u8]) -> Result<Outcome> {
        self.expect_lengths(&[llrs], bits)?;
        let mut quantized = std::mem::take(&mut self.quantized);
        quantized.resize(self.input_len(), 0);
        quantize_on(self.isa, llrs, &mut quantized);
        let outcome = self.decode_quantized(&quantized, bits);
        self.quantized = quantized;
        outcome
    }

    /// Decodes one frame of LLRs in steps of 1/4 nat, at most [`LARGEST_LLR`] where they are not known for certain.
    ///
    /// - llrs: exactly [`Self::input_len`]; bits: [`Self::information_len`]
    pub fn decode_quantized(&mut self, llrs: &[i8], bits: &mut [u8]) -> Result<Outcome> {
        if llrs.len() != self.input_len() {
            return Err(BlockError::shape("LLRs of a frame", self.input_len(), llrs.len()));
        }
        if bits.len() != self.information_len() {
            return Err(BlockError::shape("bits of a frame", self.information_len(), bits.len()));
        }
        self.state.load(&self.schedule, llrs, self.isa.register_bytes());
        let passed = match self.config.stop {
            Stop::Never => {
                self.iterate(self.config.iterations, false);
                bytes::run(self.isa, single::Audit { schedule: &self.schedule, state: &self.state })
            }
            Stop::Codeword => {
                self.iterate(self.config.iterations, true);
                self.state.is_codeword
            }
            Stop::Crc { crc, len } => {
                let mut passed = false;
                while !passed && self.state.iterations < self.config.iterations {
                    self.iterate(1, false);
                    self.state.read(&self.schedule, bits, is_one);
                    passed = self.state.is_decided(&self.schedule) && crc.holds(&bits[..len])?;
                }
                passed
            }
        };
        self.state.read(&self.schedule, bits, is_one);
        let decided = passed || self.state.is_decided(&self.schedule);
        Ok(Outcome { iterations: self.state.iterations, passed, decided })
    }

    /// Decodes many frames, side by side where that is faster; the results are those of one by one.
    ///
    /// - llrs: of each frame, as for [`Self::decode`]; bits: `[frames, information_len]`
    pub fn decode_many(&mut self, llrs: &[&[f32]], bits: &mut [u8]) -> Result<Vec<Outcome>> {
        self.expect_lengths(llrs, bits)?;
        let (len, lanes) = (self.information_len(), self.isa.register_bytes());
        let mut outcomes = Vec::with_capacity(llrs.len());
        let (mut rest, mut bits) = (llrs, bits);
        while !rest.is_empty() {
            let count = if self.batch_pays(rest.len()) { lanes.min(rest.len()) } else { 1 };
            let (frames, left) = rest.split_at(count);
            let (decoded, undecoded) = bits.split_at_mut(count * len);
            match frames {
                [frame] => outcomes.push(self.decode(frame, decoded)?),
                _ => outcomes.extend(self.decode_batch(frames, decoded)),
            }
            (rest, bits) = (left, undecoded);
        }
        Ok(outcomes)
    }

    /// Whether frames as lanes are faster than one by one: a matter of sizes alone.
    ///
    /// Without early stops a batch wins while its memory stays close. With them it works on until its last
    /// frame is done, which only pays where single codewords would leave most of their registers empty.
    fn batch_pays(&self, frames: usize) -> bool {
        let (size, lanes) = (self.code.lifting_size(), self.isa.register_bytes());
        let bytes = (self.checks.num_bits() + self.checks.num_edges()) * lanes;
        match self.config.stop {
            Stop::Crc { .. } => false,
            _ if frames < lanes / 2 || bytes > BATCH_BYTES => false,
            Stop::Never => self.isa.set() != Set::Portable || size < lanes,
            Stop::Codeword => 2 * size <= lanes,
        }
    }

    fn iterate(&mut self, iterations: usize, until_codeword: bool) {
        let (schedule, corrections, state) = (&self.schedule, &self.corrections[..], &mut self.state);
        bytes::run(self.isa, single::Iterate { schedule, corrections, state, iterations, until_codeword });
    }

    /// At most as many frames as a register has lanes.
    fn decode_batch(&mut self, frames: &[&[f32]], bits: &mut [u8]) -> Vec<Outcome> {
        let (lanes, input, information) =
            (self.isa.register_bytes(), self.input_len(), self.information_len());
        self.quantized.resize(frames.len() * input, 0);
        for (llrs, quantized) in frames.iter().zip(self.quantized.chunks_exact_mut(input)) {
            quantize_on(self.isa, llrs, quantized);
        }
        self.batch.grow_to(&self.checks, lanes);
        let posteriors = self.batch.posteriors.as_mut_slice();
        transpose::transpose((&self.quantized, input), (frames.len(), input), (posteriors, lanes));

        let mut outcomes = vec![Outcome { iterations: 0, passed: false, decided: false }; frames.len()];
        let mut active = u64::MAX >> (64 - frames.len());
        let until_codeword = self.config.stop == Stop::Codeword;
        let mut last_llrs = vec![0i8; frames.len() * information];
        for iteration in 1..=self.config.iterations {
            let (checks, corrections, batch) = (&self.checks, &self.corrections[..], &mut self.batch);
            bytes::run(self.isa, batch::Iterate { checks, corrections, batch, is_first: iteration == 1 });
            let is_last = iteration == self.config.iterations;
            if !until_codeword && !is_last {
                continue;
            }
            let batch = &self.batch;
            let mut failing = bytes::run(self.isa, Failing { checks, batch, asked: active });
            let mut undecided = 0;
            if is_last || failing != active {
                undecided = bytes::run(self.isa, Undecided { checks, batch });
                failing |= undecided;
            }
            let done = if is_last { active } else { active & !failing };
            if done == 0 {
                continue;
            }
            // Frames that are done keep what they have come to, whatever becomes of their lanes.
            let from = (self.batch.posteriors.as_slice(), lanes);
            if done.count_ones() as usize == frames.len() {
                transpose::transpose(from, (information, frames.len()), (&mut last_llrs, information));
            }
            for (frame, outcome) in outcomes.iter_mut().enumerate().filter(|(f, _)| done >> f & 1 == 1) {
                let is_clear = |frames: u64| frames >> frame & 1 == 0;
                let (passed, decided) = (is_clear(failing), is_clear(undecided));
                *outcome = Outcome { iterations: iteration, passed, decided };
                if (done.count_ones() as usize) < frames.len() {
                    let llrs = &mut last_llrs[frame * information..][..information];
                    llrs.iter_mut().enumerate().for_each(|(bit, llr)| *llr = from.0[bit * lanes + frame]);
                }
            }
            active &= !done;
            if active == 0 {
                break;
            }
        }
        bits.iter_mut().zip(&last_llrs).for_each(|(bit, llr)| *bit = is_one(*llr));
        outcomes
    }

    fn expect_lengths(&self, frames: &[&[f32]], bits: &[u8]) -> Result<()> {
        let (input, information) = (self.input_len(), self.information_len());
        if let Some(llrs) = frames.iter().find(|llrs| llrs.len() < input) {
            return Err(BlockError::shape("LLRs of a frame", format!("at least {input}"), llrs.len()));
        }
        if bits.len() != frames.len() * information {
            return Err(BlockError::shape("decoded bits", frames.len() * information, bits.len()));
        }
        Ok(())
    }
}

/// The bit that an LLR speaks for.
fn is_one(llr: i8) -> u8 {
    u8::from(llr < 0)
}

#[cfg(test)]
mod tests;
