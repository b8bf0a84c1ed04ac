//! A code at the limit of theory, in place of the whole chain: the bound of a digital line.

use crate::channel::{ChannelConfig, PartSnr, PhaseSpan, Variation};
use crate::frame::{DecodedFrame, DecodedPayload, Payload, PayloadFrame};
use crate::kernel::FrameKernel;
use crate::rng::RngKey;
use crate::theory::{normal_approximation_rate_over, shannon_capacity};
use crate::units::Decibel;
use crate::{BlockError, Result};
use serde::{Deserialize, Serialize};

/// Error probability at which finite blocks are counted as delivered.
const ERROR_PROBABILITY: f64 = 1e-3;

/// Which limit a code reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Shannon's capacity, log2(1 + SNR): blocks of any length.
    #[default]
    Shannon,
    /// The normal approximation for blocks of N channel uses at error probability 1e-3. Errors themselves are
    /// not drawn.
    FiniteLength,
}

impl Limit {
    /// Bits that N channel uses carry at an SNR, rounded down; 0 where the limit has no value.
    pub fn bits(self, snr: f64, uses: usize) -> usize {
        self.bits_over(&[(snr, uses)])
    }

    /// Bits that a block carries whose parts meet SNRs of their own, known to the receiver alone.
    ///
    /// - parts: linear SNR and channel uses of each
    pub fn bits_over(self, parts: &[(f64, usize)]) -> usize {
        let uses = parts.iter().map(|(_, uses)| *uses).sum::<usize>() as f64;
        let share = |(snr, part): &(f64, usize)| *part as f64 / uses * shannon_capacity(*snr);
        let capacity: f64 = parts.iter().map(share).sum();
        let rate = match self {
            Limit::Shannon => capacity,
            Limit::FiniteLength => {
                let parts: Vec<(f64, u64)> = parts.iter().map(|(snr, part)| (*snr, *part as u64)).collect();
                // The approximation exceeds capacity for blocks of a few bits.
                normal_approximation_rate_over(&parts, ERROR_PROBABILITY).unwrap_or(0.0).min(capacity)
            }
        };
        // NaN and negative numbers become 0.
        (rate * uses) as usize
    }

    /// Bits that a block carries over what it meets under block fading.
    pub fn bits_of(self, parts: &[PartSnr]) -> usize {
        let parts: Vec<(f64, usize)> = parts.iter().map(|part| (part.linear(), part.uses)).collect();
        self.bits_over(&parts)
    }
}

/// Delivers the payloads of users whose fade carries them, loses the others. Nothing is sent.
///
/// - a block of A bits passes where its limit at SNR |h|^2, or over both of a block that spans two fades, is at
///   least A
/// - every user needs its own block, or the one for everyone
#[derive(Clone, Debug)]
pub struct IdealCode {
    key: RngKey,
    channel: ChannelConfig,
    snr: Decibel,
    span: PhaseSpan,
    limit: Limit,
}

impl IdealCode {
    /// A code over a channel that does not change within a block.
    ///
    /// - span: complex channel uses of each block, and in which phases they lie
    /// - errors: fading per symbol; a profile that coded links do not have
    pub fn new(
        key: RngKey,
        channel: ChannelConfig,
        snr: Decibel,
        span: PhaseSpan,
        limit: Limit,
    ) -> Result<Self> {
        channel.check()?;
        channel.check_coded()?;
        if channel.variation == Variation::PerSymbol {
            let allowed = "block: the bound is that of one fade per block, never the ergodic one";
            return Err(BlockError::invalid("variation", "per_symbol", allowed));
        }
        Ok(Self { key, channel, snr, span, limit })
    }

    /// Bits that a user's block can carry in a frame.
    pub fn bits_of(&self, frame: u64, user: usize) -> usize {
        self.limit.bits_of(&self.span.snrs(self.key, &self.channel, self.snr, frame, user))
    }
}

impl FrameKernel for IdealCode {
    type In = PayloadFrame;
    type Out = DecodedFrame;

    fn process(&mut self, frame: PayloadFrame) -> Result<DecodedFrame> {
        let PayloadFrame { frame, num_users, payloads } = frame;
        let receive = |user: usize| {
            let payload: &Payload = match payloads.as_slice() {
                [shared] => shared,
                own => own.get(user).ok_or_else(|| BlockError::shape("payloads", num_users, own.len()))?,
            };
            let passed = payload.bits.len() <= self.bits_of(frame, user);
            Ok(DecodedPayload { bits: payload.bits.clone(), passed })
        };
        Ok(DecodedFrame { frame, users: (0..num_users).map(receive).collect::<Result<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::super::channel_encoder::tests::payloads;
    use super::*;
    use crate::channel::{FadingModel, Phases, block_fade};
    use crate::frame::Phase;
    use crate::theory::outage_probability;

    fn code(fading: FadingModel, snr: f32, limit: Limit) -> IdealCode {
        let span = PhaseSpan::private(1000);
        IdealCode::new(RngKey::new(4), ChannelConfig::new(fading), Decibel(snr), span, limit).unwrap()
    }

    #[test]
    fn white_noise_carries_the_capacity_and_short_blocks_less() {
        let shannon = code(FadingModel::Awgn, 0.0, Limit::Shannon);
        assert_eq!(shannon.bits_of(0, 0), 1000);
        let short = code(FadingModel::Awgn, 0.0, Limit::FiniteLength);
        assert!((850..950).contains(&short.bits_of(0, 0)), "{}", short.bits_of(0, 0));
        for (len, passed) in [(1000, true), (1001, false)] {
            let decoded = shannon.clone().process(payloads(len)).unwrap();
            assert!(decoded.users.iter().all(|user| user.passed == passed));
        }
        assert_eq!(Limit::Shannon.bits(f64::NAN, 9) + Limit::FiniteLength.bits(0.0, 9), 0);
    }

    #[test]
    fn fades_lose_as_many_blocks_as_outage_says() {
        // 3000 blocks of rate 2: the standard error is below 0.01; 4 sigma.
        let mut code = code(FadingModel::Rayleigh, 7.0, Limit::Shannon);
        let lost = (0..1000)
            .flat_map(|frame| code.process(PayloadFrame { frame, ..payloads(2000) }).unwrap().users)
            .filter(|user| !user.passed)
            .count();
        let snr = f64::from(Decibel(7.0).to_linear().0);
        let expected = outage_probability(FadingModel::Rayleigh, snr, 2.0).unwrap();
        assert!((lost as f64 / 3000.0 - expected).abs() < 0.037, "{lost} of 3000, {expected}");
    }

    #[test]
    fn a_block_over_two_fades_carries_what_both_carry() {
        let channel =
            ChannelConfig { phases: Phases::Independent, ..ChannelConfig::new(FadingModel::Rayleigh) };
        let (key, snr) = (RngKey::new(4), Decibel(7.0));
        let span = PhaseSpan::over(&channel, 1000, 0.2).unwrap();
        let both = |limit| IdealCode::new(key, channel, snr, span, limit).unwrap();
        let (shannon, short) = (both(Limit::Shannon), both(Limit::FiniteLength));
        for (frame, user) in [(0, 0), (3, 1), (9, 2)] {
            let [common, private] = [Phase::Common, Phase::Private].map(|phase| {
                let h = block_fade(key, channel.fading, channel.phases, frame, user, phase);
                (1.0 + f64::from(snr.to_linear().0) * f64::from(h.norm_sqr())).log2()
            });
            let expected = (200.0 * common + 800.0 * private) as usize;
            assert!(shannon.bits_of(frame, user).abs_diff(expected) <= 1, "{expected}");
            assert!(short.bits_of(frame, user) < expected);
        }
        // Half of the symbols at 7 dB, half of them at 7 dB, are all of them at 7 dB.
        let linear = f64::from(snr.to_linear().0);
        for limit in [Limit::Shannon, Limit::FiniteLength] {
            let halves = limit.bits_over(&[(linear, 300), (linear, 700)]);
            assert!(halves.abs_diff(limit.bits(linear, 1000)) <= 1);
        }
    }

    #[test]
    fn fading_within_a_block_is_refused() {
        let channel =
            ChannelConfig { variation: Variation::PerSymbol, ..ChannelConfig::new(FadingModel::Rayleigh) };
        let span = PhaseSpan::private(9);
        let error = IdealCode::new(RngKey::new(0), channel, Decibel(0.0), span, Limit::Shannon).unwrap_err();
        assert!(error.to_string().contains("never the ergodic one"), "{error}");
    }
}
