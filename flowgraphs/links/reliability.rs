//! How often blocks of a format arrive: measured on random payloads with fades and noise of their own.
//!
//! A block whose user knows its one coefficient h is decoded as often as over white noise at SNR |h|^2. So one
//! curve for each format over white noise serves every block-fading channel at every SNR: the curve is averaged
//! over drawn fades. A block that spans two independent fades is taken at its effective SNR. Channels that change
//! within a block, or are known roughly, are tried as they are.
//!
//! Error rates of linear codes behind a scrambler do not depend on the payload, so random bits stand in for
//! pictures.

use super::digital::{Receiver, carry};
use super::downlink::Downlink;
use super::wiring::{Direct, Result};
use super::{Setting, built};
use rayon::prelude::*;
use sememe_blocks::Decibel;
use sememe_blocks::channel::{ChannelConfig, FadingModel, PartSnr, PhaseSpan, Variation};
use sememe_blocks::coding::{BlockPlan, Recipients, TransportFormat};
use sememe_blocks::frame::{Destination, Payload, PayloadFrame};
use sememe_blocks::picture::Setting as PictureSetting;
use sememe_blocks::rng::{Purpose, RngKey, random_bits};
use sememe_blocks::theory::shannon_capacity;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Blocks tried at once.
const USERS: usize = 50;
/// Blocks tried at a point, where they are short.
const TRIALS: usize = 400;
/// The same at a point of a curve over which fades are averaged.
const CURVE_TRIALS: usize = 200;
/// Steps of a curve in dB.
const STEP: f32 = 0.5;
/// A curve ends here, in dB above the SNR at which capacity equals the rate, even if blocks still fail.
const CURVE_END: f32 = 15.0;
/// Fades over which a curve is averaged: frames of [`USERS`].
const FADE_FRAMES: u64 = 80;
/// A scheme whose rate exceeds the capacity at this many dB more is not tried.
const MARGIN: f32 = 3.0;
/// What the strongest of some hundred fades adds, in dB.
const STRONGEST_FADE: f32 = 10.0;

/// Probabilities of some formats, measured when first asked for.
pub struct Reliability {
    key: RngKey,
    formats: Vec<TransportFormat>,
    recipients: Recipients,
    receiver: Receiver,
    common_share: f64,
    curves: Vec<OnceLock<Curve>>,
    tried: Mutex<HashMap<(usize, String, u32), f64>>,
}

/// Share of blocks that arrive over white noise.
#[derive(Clone, Debug)]
struct Curve {
    /// SNR of the first value in dB; below, nothing arrives.
    start: f32,
    /// At steps of [`STEP`]; beyond the last one, blocks arrive as there.
    shares: Vec<f64>,
}

impl Reliability {
    /// - seed: that of the experiment; trials draw from streams of their own
    /// - common_share: share of a block's symbols in the common phase, where phases fade independently
    pub fn new(
        seed: u64,
        formats: Vec<TransportFormat>,
        recipients: Recipients,
        receiver: Receiver,
        common_share: f64,
    ) -> Self {
        let curves = formats.iter().map(|_| OnceLock::new()).collect();
        let key = Self::apart(seed);
        Self { key, formats, recipients, receiver, common_share, curves, tried: Mutex::default() }
    }

    /// The formats.
    pub fn formats(&self) -> &[TransportFormat] {
        &self.formats
    }

    /// The randomness of trials: apart from that of the experiment with this seed.
    pub fn apart(seed: u64) -> RngKey {
        const APART: u64 = 0x9E37_79B9_7F4A_7C15;
        RngKey::new(seed ^ APART)
    }

    /// Share of each format's blocks that arrive.
    ///
    /// - errors: the block that failed and why
    pub fn shares(&self, channel: &ChannelConfig, snr: Decibel) -> Result<Vec<f64>> {
        (0..self.formats.len()).into_par_iter().map(|format| self.share(format, channel, snr)).collect()
    }

    /// Share of a format's blocks that arrive.
    pub fn share(&self, format: usize, channel: &ChannelConfig, snr: Decibel) -> Result<f64> {
        let flat = channel.variation == Variation::Block && channel.csi_error_variance == 0.0;
        if !flat {
            return self.tried(format, channel, snr);
        }
        if channel.fading == FadingModel::Awgn && channel.snr_spread_db == 0.0 {
            return self.over_white_noise(format, snr);
        }
        let curve = self.curve(format)?;
        let format = &self.formats[format];
        let span = built("channel encoder", PhaseSpan::over(channel, format.uses(), self.common_share))?;
        let draws = snr_draws(self.key, channel, snr, span);
        let shares = draws.iter().map(|parts| curve.at(format.effective_snr(parts).0));
        Ok(shares.sum::<f64>() / draws.len() as f64)
    }

    /// Share over white noise, interpolated between the steps of the curve.
    pub fn interpolated(&self, format: usize, snr: Decibel) -> Result<f64> {
        Ok(self.curve(format)?.at(snr.0))
    }

    /// At the foot and at the head of the curve nothing is left to try.
    fn over_white_noise(&self, format: usize, snr: Decibel) -> Result<f64> {
        let curve = self.curve(format)?;
        let end = curve.start + STEP * (curve.shares.len() - 1) as f32;
        if snr.0 <= curve.start || snr.0 >= end {
            return Ok(curve.at(snr.0));
        }
        self.tried(format, &ChannelConfig::new(FadingModel::Awgn), snr)
    }

    fn tried(&self, format: usize, channel: &ChannelConfig, snr: Decibel) -> Result<f64> {
        let fades = channel.fading != FadingModel::Awgn && channel.variation == Variation::Block;
        let strongest = channel.snr_spread_db / 2.0 + if fades { STRONGEST_FADE } else { 0.0 };
        if self.efficiency(format) > capacity(snr.0 + strongest + MARGIN) {
            return Ok(0.0);
        }
        let key = (format, channel.name(), snr.0.to_bits());
        let tried = || self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = tried().get(&key) {
            return Ok(*share);
        }
        let share = self.trials(format, channel, snr, TRIALS)?;
        tried().insert(key, share);
        Ok(share)
    }

    fn efficiency(&self, format: usize) -> f64 {
        let format = &self.formats[format];
        format.payload_len() as f64 / format.uses() as f64
    }

    fn curve(&self, format: usize) -> Result<&Curve> {
        if let Some(curve) = self.curves[format].get() {
            return Ok(curve);
        }
        let limit = 10.0 * (self.efficiency(format).exp2() - 1.0).log10() as f32;
        let start = (limit / STEP).floor() * STEP - STEP;
        let channel = ChannelConfig::new(FadingModel::Awgn);
        let mut shares = vec![0.0];
        while shares.last() != Some(&1.0) && STEP * (shares.len() as f32) < CURVE_END {
            let snr = Decibel(start + STEP * shares.len() as f32);
            shares.push(self.trials(format, &channel, snr, CURVE_TRIALS)?);
        }
        Ok(self.curves[format].get_or_init(|| Curve { start, shares }))
    }

    /// Sends blocks and counts those that arrive. Where none of the first does, no more are tried.
    fn trials(&self, format: usize, channel: &ChannelConfig, snr: Decibel, most: usize) -> Result<f64> {
        let plan = self.over(channel, BlockPlan::fixed(self.formats[format].clone(), self.recipients))?;
        let uses = self.formats[format].uses();
        // Long blocks differ little from each other, and take long.
        let most = (most * 2048 / uses.max(2048)).max(8);
        let users = most.min(USERS);
        let setting = Setting {
            key: self.key,
            downlink: Downlink { users, uses, ..Downlink::default() },
            channel: *channel,
            snr,
            told_snr: snr,
            size: (1, 1),
        };
        let arrived = |frames: std::ops::Range<usize>| -> Result<usize> {
            let frames = frames.map(|frame| self.payloads(format, frame as u64, users)).collect();
            let carried = carry(&mut Direct, frames, &plan, self.receiver, &setting)?;
            Ok(carried.decoded.iter().flat_map(|frame| &frame.users).filter(|user| user.passed).count())
        };
        let num_frames = most.div_ceil(users);
        let first = arrived(0..1)?;
        if first == 0 && channel.fading == FadingModel::Awgn {
            return Ok(0.0);
        }
        Ok((first + arrived(1..num_frames)?) as f64 / (num_frames * users) as f64)
    }

    /// A plan as its blocks lie on a channel.
    ///
    /// - errors: a share of the common phase that is none
    pub fn over(&self, channel: &ChannelConfig, plan: BlockPlan) -> Result<Arc<BlockPlan>> {
        Ok(Arc::new(built("channel encoder", plan.over(channel, self.common_share))?))
    }

    fn payloads(&self, format: usize, frame: u64, num_users: usize) -> PayloadFrame {
        let payload = |destination, user| {
            let mut bits = vec![0; self.formats[format].payload_len()];
            random_bits(&mut self.key.stream(Purpose::Payload, frame, user), &mut bits);
            Payload { destination, bits, setting: PictureSetting::MeanColour }
        };
        let payloads = match self.recipients {
            Recipients::Each => (0..num_users).map(|user| payload(Destination::User(user), user)).collect(),
            Recipients::All => vec![payload(Destination::All, 0)],
        };
        PayloadFrame { frame, num_users, payloads }
    }
}

/// The SNRs that many blocks of a channel meet which is constant within each phase.
pub(super) fn snr_draws(
    key: RngKey,
    channel: &ChannelConfig,
    snr: Decibel,
    span: PhaseSpan,
) -> Vec<Vec<PartSnr>> {
    let draw = |(frame, user)| span.snrs(key, channel, snr, frame, user);
    (0..FADE_FRAMES).flat_map(|frame| (0..USERS).map(move |user| (frame, user))).map(draw).collect()
}

fn capacity(snr_db: f32) -> f64 {
    shannon_capacity(10f64.powf(f64::from(snr_db) / 10.0))
}

impl Curve {
    fn at(&self, snr: f32) -> f64 {
        let place = f64::from((snr - self.start) / STEP);
        // A fade of exactly nothing is minus infinity.
        if place.is_nan() || place <= 0.0 {
            return 0.0;
        }
        let below = (place as usize).min(self.shares.len() - 1);
        let above = (below + 1).min(self.shares.len() - 1);
        let part = (place - below as f64).min(1.0);
        self.shares[below] * (1.0 - part) + self.shares[above] * part
    }
}
