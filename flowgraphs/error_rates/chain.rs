//! Sends and receives frames: kernels in a row, with buffers that are made once.

use super::frame_decoder::FrameDecoder;
use super::frame_format::{Coding, FrameFormat, Soft};
use super::setup::Setup;
use super::tally::Tally;
use num_complex::Complex32;
use sememe_blocks::Result;
use sememe_blocks::channel::{FadeProcess, white_noise};
use sememe_blocks::frame::Phase;
use sememe_blocks::modem::SoftDemapper;
use sememe_blocks::rng::{Purpose, RngKey, random_bits};
use std::ops::Range;
use std::time::{Duration, Instant};

/// The chain of one thread.
pub struct Chain {
    format: FrameFormat,
    versions: Vec<u8>,
    /// The decoder behind each transmission; none without a code.
    decoders: Vec<FrameDecoder>,
    demapper: SoftDemapper,
    fades: FadeProcess,
    key: RngKey,
    fresh: Soft,
    frames: Vec<FrameState>,
    sent: Vec<u8>,
    symbols: Vec<Complex32>,
    llrs: Vec<f32>,
    bits: Vec<u8>,
}

/// One frame on its way.
struct FrameState {
    number: u64,
    payload: Vec<u8>,
    soft: Soft,
    bit_errors: u64,
    accepted: bool,
}

impl Chain {
    /// A chain of a setup.
    pub fn new(setup: &Setup) -> Result<Self> {
        let format = setup.format.clone();
        let fresh = format.soft();
        Ok(Self {
            versions: setup.config.redundancy_versions.clone(),
            decoders: setup.decoders()?,
            demapper: setup.demapper(),
            fades: setup.fades(),
            key: RngKey::new(setup.config.seed),
            fresh,
            frames: vec![],
            sent: vec![0; format.sent_len],
            symbols: vec![],
            llrs: vec![],
            bits: vec![],
            format,
        })
    }

    /// Sends frames over the channel until each is accepted or all redundancy versions are used.
    ///
    /// - frames: their numbers, which fix payload, fades and noise
    /// - snr_db: Es/N0
    /// - returns: the counts, and the time in the decoder
    pub fn run(&mut self, frames: Range<u64>, snr_db: f64) -> Result<(Tally, Duration)> {
        let noise_variance = 10f64.powf(-snr_db / 10.0) as f32;
        let mut tally = Tally::default();
        let mut decoding = Duration::ZERO;
        let mut states = std::mem::take(&mut self.frames);
        let len = (frames.end - frames.start) as usize;
        while states.len() < len {
            states.push(FrameState {
                number: 0,
                payload: vec![0; self.format.payload_len],
                soft: self.fresh.clone(),
                bit_errors: 0,
                accepted: false,
            });
        }
        let active = &mut states[..len];
        for (state, number) in active.iter_mut().zip(frames) {
            state.number = number;
            state.accepted = false;
            state.soft.copy_from(&self.fresh);
            random_bits(&mut self.key.stream(Purpose::Payload, number, 0), &mut state.payload);
        }
        for attempt in 0..self.versions.len() {
            let mut pending: Vec<&mut FrameState> =
                active.iter_mut().filter(|state| !state.accepted).collect();
            for state in &mut pending {
                self.transmit(state, attempt, noise_variance)?;
            }
            tally.transmissions += pending.len() as u64;
            decoding += self.receive(&mut pending, attempt, &mut tally)?;
        }
        for state in active.iter() {
            tally.count_frame(state.payload.len() as u64, state.bit_errors, state.accepted);
        }
        self.frames = states;
        Ok((tally, decoding))
    }

    /// One transmission of one frame, up to the soft buffer.
    fn transmit(&mut self, state: &mut FrameState, attempt: usize, noise_variance: f32) -> Result<()> {
        let version = self.versions[attempt];
        let with_crc;
        let block = match self.format.crc {
            Some(crc) if !matches!(self.format.coding, Coding::Transport(_)) => {
                with_crc = crc.attach(&state.payload)?;
                &with_crc
            }
            _ => &state.payload,
        };
        match &mut self.format.coding {
            Coding::None => self.sent.copy_from_slice(block),
            Coding::Block(code) => code.encode(block, version, &mut self.sent)?,
            Coding::Transport(code) => self.sent = code.encode(block, version)?,
        }
        self.demapper.modulation().map_into(&self.sent, &mut self.symbols)?;
        let uses = self.symbols.len();
        let h = self.fades.of_user(self.key, state.number, attempt).slot(Phase::Private, 0, uses);
        let noise = white_noise(self.key, Phase::Private, state.number, attempt, uses);
        let scale = noise_variance.sqrt();
        match h[..] {
            [one] => self.symbols.iter_mut().zip(&noise).for_each(|(x, n)| *x = one * *x + n * scale),
            _ => self.symbols.iter_mut().zip(&h).zip(&noise).for_each(|((x, h), n)| *x = h * *x + n * scale),
        }
        self.demapper.demap_into(&self.symbols, &h, &[noise_variance], &mut self.llrs)?;
        match (&self.format.coding, &mut state.soft) {
            (Coding::Block(code), Soft::One(soft)) => code.combine(&self.llrs, version, soft),
            (Coding::Transport(code), Soft::Many(soft)) => code.combine(&self.llrs, version, soft),
            (_, Soft::One(soft)) => {
                soft.copy_from_slice(&self.llrs);
                Ok(())
            }
            // A buffer is made by the format that uses it.
            (_, Soft::Many(_)) => Ok(()),
        }
    }

    /// Decides on frames and compares; returns the time in the decoder.
    fn receive(
        &mut self,
        pending: &mut [&mut FrameState],
        attempt: usize,
        tally: &mut Tally,
    ) -> Result<Duration> {
        let Some(decoder) = self.decoders.get_mut(attempt) else {
            for state in pending {
                self.bits.clear();
                self.bits.extend(state.soft.parts().flatten().map(|llr| u8::from(*llr < 0.0)));
                let passed = self.format.crc.is_none_or(|crc| crc.holds(&self.bits).unwrap_or(false));
                judge(state, &self.bits, passed);
            }
            return Ok(Duration::ZERO);
        };
        let parts: Vec<&[f32]> = pending.iter().flat_map(|state| state.soft.parts()).collect();
        let begun = Instant::now();
        let outcomes = decoder.decode(&parts, &mut self.bits)?;
        let spent = begun.elapsed();
        tally.decoded_blocks += outcomes.len() as u64;
        tally.iterations += outcomes.iter().map(|outcome| outcome.iterations as u64).sum::<u64>();
        let (blocks, len) = (self.format.num_blocks(), decoder.information_len());
        let frames = self.bits.chunks_exact(blocks * len).zip(outcomes.chunks_exact(blocks));
        for (state, (bits, outcomes)) in pending.iter_mut().zip(frames) {
            let decided = outcomes.iter().all(|outcome| outcome.decided);
            match &self.format.coding {
                Coding::Transport(code) => {
                    let blocks: Vec<&[u8]> = bits.chunks_exact(len).collect();
                    let decoded = code.assemble(&blocks)?;
                    judge(state, &decoded.payload, decided && decoded.passed);
                }
                _ => {
                    let passed = match self.format.block_crc() {
                        Some((crc, block_len)) => decided && crc.holds(&bits[..block_len])?,
                        None => outcomes.iter().all(|outcome| outcome.passed),
                    };
                    judge(state, bits, passed);
                }
            }
        }
        Ok(spent)
    }
}

fn judge(state: &mut FrameState, decided: &[u8], accepted: bool) {
    let wrong = state.payload.iter().zip(decided).filter(|(sent, decided)| sent != decided).count();
    state.bit_errors = wrong as u64;
    state.accepted = accepted;
}
