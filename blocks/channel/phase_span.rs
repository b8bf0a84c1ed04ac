//! How a code word lies over the two phases of a frame, and which SNRs it meets there.
//!
//! ```text
//! share 0.2, 10 uses:   place    0 1 2 3 4 5 6 7 8 9
//!                       phase    p p p p c p p p p c
//! ```
//!
//! Places alternate, so that every part of a code word, and every code block of a long one, meets both fades.

use super::fade_process::block_fade;
use super::{ChannelConfig, Phases, user_snr};
use crate::frame::Phase;
use crate::rng::RngKey;
use crate::units::{Decibel, LinearPower};
use crate::{BlockError, Result};

/// Which symbols of a block travel in the common phase; the others travel in the private one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseSpan {
    uses: usize,
    common: usize,
}

/// What some channel uses of a block meet under block fading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PartSnr {
    /// Mean SNR of the user.
    pub mean: Decibel,
    /// |h|^2.
    pub gain: f32,
    /// Channel uses.
    pub uses: usize,
}

impl PartSnr {
    /// SNR, linear.
    pub fn linear(self) -> f64 {
        f64::from(self.mean.to_linear().0) * f64::from(self.gain)
    }

    /// SNR in dB; minus infinity for a fade of exactly nothing.
    pub fn decibel(self) -> Decibel {
        Decibel(self.mean.0 + LinearPower(self.gain).to_decibel().0)
    }
}

impl PhaseSpan {
    /// All symbols in the private phase.
    ///
    /// - uses: symbols of a block
    pub fn private(uses: usize) -> Self {
        Self { uses, common: 0 }
    }

    /// A share of the symbols in the common phase, rounded to whole ones.
    ///
    /// - errors: a share outside 0 to 1
    pub fn sharing(uses: usize, common_share: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&common_share) {
            return Err(BlockError::invalid("common_share", common_share, "a number from 0 to 1"));
        }
        Ok(Self { uses, common: (common_share * uses as f64).round() as usize })
    }

    /// How blocks lie on a channel: over both phases where those fade independently, else in one.
    ///
    /// - errors: a share outside 0 to 1
    pub fn over(channel: &ChannelConfig, uses: usize, common_share: f64) -> Result<Self> {
        match channel.phases {
            Phases::Shared => Ok(Self::private(uses)),
            Phases::Independent => Self::sharing(uses, common_share),
        }
    }

    /// Symbols of a block.
    pub fn uses(self) -> usize {
        self.uses
    }

    /// Symbols in the common phase.
    pub fn common_uses(self) -> usize {
        self.common
    }

    /// Phases in which something is sent, and how many symbols, in sending order.
    pub fn phases(self) -> impl Iterator<Item = (Phase, usize)> {
        [(Phase::Common, self.common), (Phase::Private, self.uses - self.common)]
            .into_iter()
            .filter(move |(phase, len)| *len > 0 || (*phase == Phase::Private && self.common == 0))
    }

    fn phase_of(self, place: usize) -> Phase {
        // 128 bits hold the product of any two sizes.
        let before = |place: usize| place as u128 * self.common as u128 / self.uses.max(1) as u128;
        if before(place + 1) > before(place) { Phase::Common } else { Phase::Private }
    }

    /// The values of one phase.
    ///
    /// - values: `[uses]`, in code order
    pub fn part<T: Copy>(self, values: &[T], phase: Phase) -> Vec<T> {
        let of_phase = values.iter().enumerate().filter(|(place, _)| self.phase_of(*place) == phase);
        of_phase.map(|(_, value)| *value).collect()
    }

    /// The values of both phases in code order: what [`PhaseSpan::part`] took apart.
    ///
    /// - errors: parts of other lengths
    pub fn join<T: Copy>(self, common: &[T], private: &[T]) -> Result<Vec<T>> {
        for (what, expected, found) in [
            ("symbols of the common phase", self.common, common.len()),
            ("symbols of the private phase", self.uses - self.common, private.len()),
        ] {
            if expected != found {
                return Err(BlockError::shape(what, expected, found));
            }
        }
        let (mut common, mut private) = (common.iter(), private.iter());
        let next = |place: usize| match self.phase_of(place) {
            Phase::Common => common.next().copied(),
            Phase::Private => private.next().copied(),
        };
        Ok((0..self.uses).filter_map(next).collect())
    }

    /// The SNRs that a user's block meets under block fading, phase by phase.
    ///
    /// - depends on nothing but the arguments, as the fades do
    pub fn snrs(
        self,
        key: RngKey,
        channel: &ChannelConfig,
        snr: Decibel,
        frame: u64,
        user: usize,
    ) -> Vec<PartSnr> {
        let mean = user_snr(key, snr, channel.snr_spread_db, frame, user);
        let part = |(phase, uses)| {
            let h = block_fade(key, channel.fading, channel.phases, frame, user, phase);
            PartSnr { mean, gain: h.norm_sqr(), uses }
        };
        self.phases().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::FadingModel;

    #[test]
    fn parts_have_their_sizes_and_join_to_the_whole() {
        for (uses, share, common) in
            [(10, 0.2, 2), (1024, 0.2, 205), (7, 0.0, 0), (7, 1.0, 7), (1, 0.4, 0), (0, 0.5, 0)]
        {
            let span = PhaseSpan::sharing(uses, share).unwrap();
            assert_eq!((span.uses(), span.common_uses()), (uses, common));
            let values: Vec<usize> = (0..uses).collect();
            let (first, second) = (span.part(&values, Phase::Common), span.part(&values, Phase::Private));
            assert_eq!((first.len(), second.len()), (common, uses - common));
            assert_eq!(span.join(&first, &second).unwrap(), values);
            assert_eq!(span.phases().map(|(_, len)| len).sum::<usize>(), uses);
            assert!(span.phases().count() >= 1, "an empty block is still a slot");
        }
    }

    #[test]
    fn every_stretch_meets_both_phases_in_proportion() {
        let span = PhaseSpan::sharing(1000, 0.3).unwrap();
        let values: Vec<usize> = (0..1000).collect();
        let common = span.part(&values, Phase::Common);
        for start in (0..1000).step_by(50) {
            let here = common.iter().filter(|place| (start..start + 50).contains(*place)).count();
            assert!((14..=16).contains(&here), "{here} of 50 from {start}");
        }
    }

    #[test]
    fn wrong_shares_and_lengths_are_refused() {
        for share in [-0.1, 1.1, f64::NAN] {
            let error = PhaseSpan::sharing(10, share).unwrap_err().to_string();
            assert!(error.contains("common_share") && error.contains("0 to 1"), "{error}");
        }
        let span = PhaseSpan::sharing(10, 0.2).unwrap();
        assert!(span.join(&[1], &[2; 8]).unwrap_err().to_string().contains("expected 2, found 1"));
        assert!(span.join(&[1; 2], &[2; 9]).unwrap_err().to_string().contains("expected 8, found 9"));
    }

    #[test]
    fn snrs_are_those_of_the_fades() {
        let key = RngKey::new(8);
        let shared = ChannelConfig::new(FadingModel::Rayleigh);
        let channel = ChannelConfig { phases: Phases::Independent, snr_spread_db: 4.0, ..shared };
        let found = PhaseSpan::over(&channel, 100, 0.2).unwrap().snrs(key, &channel, Decibel(9.0), 3, 5);
        let mean = user_snr(key, Decibel(9.0), 4.0, 3, 5);
        let gain = |phase| block_fade(key, channel.fading, Phases::Independent, 3, 5, phase).norm_sqr();
        let expected = [(Phase::Common, 20), (Phase::Private, 80)].map(|(phase, uses)| PartSnr {
            mean,
            gain: gain(phase),
            uses,
        });
        assert_eq!(found, expected);
        assert_ne!(found[0].gain, found[1].gain);
        let linear = 10f64.powf(f64::from(found[0].decibel().0) / 10.0);
        assert!((found[0].linear() / linear - 1.0).abs() < 1e-5);
        let one = PhaseSpan::over(&shared, 100, 0.2).unwrap().snrs(key, &shared, Decibel(9.0), 3, 5);
        assert_eq!(one.iter().map(|part| part.uses).collect::<Vec<_>>(), [100]);
    }
}
