//! Adds receiver noise, y = h x + n, n ~ CN(0, 1 / SNR), at one mean SNR or at one SNR per user.

use crate::frame::{Phase, ReceivedFrame};
use crate::kernel::FrameKernel;
use crate::rng::{Purpose, RngKey, complex_normal};
use crate::units::Decibel;
use crate::{BlockError, Result};
use num_complex::Complex32;
use rand::RngExt;

/// Adds white noise to every received slot and states its variance in the slot.
///
/// - noise: variance 1 / SNR per complex symbol, half per real dimension; the unit-variance
///   sequence does not depend on the SNR, so every SNR meets the same noise, scaled
/// - users whose mean SNR differs: see [`user_snr`]
/// - infinite SNR adds nothing
#[derive(Clone, Debug)]
pub struct Awgn {
    key: RngKey,
    mean: Decibel,
    spread_db: f32,
}

impl Awgn {
    /// Noise at a mean SNR per complex channel use.
    ///
    /// - spread_db: width in dB of the range that users' SNRs are drawn from; 0 for equal users
    /// - errors: an SNR that is NaN or minus infinity; a spread that is negative or not finite
    pub fn new(key: RngKey, mean: Decibel, spread_db: f32) -> Result<Self> {
        if mean.0.is_nan() || mean.0 == f32::NEG_INFINITY {
            return Err(BlockError::invalid("snr_db", mean.0, "a number of decibels, or inf for no noise"));
        }
        check_spread(spread_db)?;
        Ok(Self { key, mean, spread_db })
    }
}

impl FrameKernel for Awgn {
    type In = ReceivedFrame;
    type Out = ReceivedFrame;

    fn process(&mut self, mut frame: ReceivedFrame) -> Result<ReceivedFrame> {
        for (user, slots) in frame.users.iter_mut().enumerate() {
            let variance = user_snr(self.key, self.mean, self.spread_db, frame.frame, user).noise_variance();
            for phase in [Phase::Common, Phase::Private] {
                let slots: Vec<_> = slots.iter_mut().filter(|slot| slot.phase == phase).collect();
                let len = slots.iter().map(|slot| slot.symbols.len()).sum();
                let noise = white_noise(self.key, phase, frame.frame, user, len);
                let received = slots.into_iter().flat_map(|slot| {
                    slot.noise_variance += variance;
                    slot.symbols.iter_mut()
                });
                received.zip(noise).for_each(|(symbol, n)| *symbol += n * variance.sqrt());
            }
        }
        Ok(frame)
    }
}

/// The noise that one user meets in one phase of one frame, at unit variance.
///
/// - returns: `len` samples of CN(0, 1), to be scaled by sqrt(1 / SNR); a shorter request gives a
///   prefix of a longer one
pub fn white_noise(key: RngKey, phase: Phase, frame: u64, user: usize, len: usize) -> Vec<Complex32> {
    let purpose = match phase {
        Phase::Common => Purpose::NoiseCommon,
        Phase::Private => Purpose::NoisePrivate,
    };
    complex_normal(&mut key.stream(purpose, frame, user), 1.0, len)
}

/// The mean SNR of one user in one frame: uniform, in dB, within half a spread around the mean.
///
/// - keyed by frame and user, so a frame is one drop of users at random places
/// - a spread of 0 gives every user the mean, exactly
pub fn user_snr(key: RngKey, mean: Decibel, spread_db: f32, frame: u64, user: usize) -> Decibel {
    if spread_db == 0.0 {
        return mean;
    }
    let place: f32 = key.stream(Purpose::UserSnr, frame, user).random();
    Decibel(mean.0 + spread_db * (place - 0.5))
}

/// Refuses a spread that is negative or not finite.
pub(super) fn check_spread(spread_db: f32) -> Result<()> {
    if spread_db.is_finite() && spread_db >= 0.0 {
        return Ok(());
    }
    Err(BlockError::invalid("snr_spread_db", spread_db, "a finite number, at least 0"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grouping;
    use crate::frame::{Destination, ReceivedSlot};

    fn key() -> RngKey {
        RngKey::new(31)
    }

    fn silent_frame(frame: u64, users: usize, len: usize) -> ReceivedFrame {
        let slot = |destination, phase| ReceivedSlot {
            destination,
            phase,
            symbols: vec![Complex32::ZERO; len],
            csi: vec![Complex32::ONE],
            noise_variance: 0.0,
        };
        let slots =
            |user| vec![slot(Destination::All, Phase::Common), slot(Destination::User(user), Phase::Private)];
        ReceivedFrame { frame, grouping: Grouping::singletons(users), users: (0..users).map(slots).collect() }
    }

    #[test]
    fn noise_has_the_stated_power_in_each_dimension() {
        // 200,000 samples: standard error 0.22 % of the power, 0.32 % of one dimension's; 4 sigma.
        let mut awgn = Awgn::new(key(), Decibel(7.0), 0.0).unwrap();
        let frame = awgn.process(silent_frame(0, 2, 50_000)).unwrap();
        let noise: Vec<_> = frame.users.iter().flatten().flat_map(|slot| &slot.symbols).collect();
        let mean = |of: fn(&Complex32) -> f32| {
            noise.iter().map(|n| f64::from(of(n))).sum::<f64>() / noise.len() as f64 * 10f64.powf(0.7)
        };
        assert_eq!(noise.len(), 200_000);
        assert!((mean(|n| n.norm_sqr()) - 1.0).abs() < 0.009);
        assert!((mean(|n| n.re * n.re) - 0.5).abs() < 0.0065);
        assert!(mean(|n| n.re * n.im).abs() < 0.0045, "the dimensions are uncorrelated");
        assert!(mean(|n| n.re).abs() < 4.0 * (0.5f64 / 2e5).sqrt() * 10f64.powf(0.35));
    }

    #[test]
    fn every_snr_meets_the_same_noise() {
        let at = |db| Awgn::new(key(), Decibel(db), 0.0).unwrap().process(silent_frame(4, 3, 16)).unwrap();
        let (low, high) = (at(0.0), at(20.0));
        for (a, b) in low.users.iter().flatten().zip(high.users.iter().flatten()) {
            assert!((b.noise_variance - 0.01).abs() < 1e-6);
            assert!(a.symbols.iter().zip(&b.symbols).all(|(a, b)| (a * 0.1 - b).norm() < 1e-6));
        }
    }

    #[test]
    fn noise_is_the_public_sequence_and_adds_up_over_slots() {
        let mut frame = silent_frame(4, 1, 8);
        frame.users[0][0].phase = Phase::Private;
        let frame = Awgn::new(key(), Decibel(0.0), 0.0).unwrap().process(frame).unwrap();
        let met: Vec<_> = frame.users[0].iter().flat_map(|slot| slot.symbols.clone()).collect();
        assert_eq!(met, white_noise(key(), Phase::Private, 4, 0, 16));
        assert_ne!(met, white_noise(key(), Phase::Common, 4, 0, 16));
        assert_ne!(met, white_noise(key(), Phase::Private, 5, 0, 16));
        assert_ne!(met, white_noise(key(), Phase::Private, 4, 1, 16));
        assert_eq!(met[..8], white_noise(key(), Phase::Private, 4, 0, 8));
    }

    #[test]
    fn unequal_users_spread_uniformly_around_the_mean() {
        // 10,000 users, uniform over 6 dB: mean within 4 standard errors of 6 / sqrt(12) / 100.
        let snr: Vec<_> = (0..10_000).map(|user| user_snr(key(), Decibel(12.0), 6.0, 0, user).0).collect();
        let mean = snr.iter().sum::<f32>() / snr.len() as f32;
        assert!((mean - 12.0).abs() < 0.07, "{mean}");
        assert!(snr.iter().all(|snr| (9.0..=15.0).contains(snr)));
        assert!(snr.iter().any(|snr| *snr < 9.1) && snr.iter().any(|snr| *snr > 14.9));
        assert_ne!(snr[0], user_snr(key(), Decibel(12.0), 6.0, 1, 0).0, "a new drop in every frame");
        let frame = Awgn::new(key(), Decibel(12.0), 6.0).unwrap().process(silent_frame(0, 2, 1)).unwrap();
        assert_eq!(frame.users[1][0].noise_variance, Decibel(snr[1]).noise_variance());
    }

    #[test]
    fn infinite_snr_adds_nothing_and_nan_is_refused() {
        let mut awgn = Awgn::new(key(), Decibel(f32::INFINITY), 0.0).unwrap();
        assert_eq!(awgn.process(silent_frame(0, 1, 4)).unwrap(), silent_frame(0, 1, 4));
        assert!(Awgn::new(key(), Decibel(f32::NAN), 0.0).is_err());
        assert!(Awgn::new(key(), Decibel(f32::NEG_INFINITY), 0.0).is_err());
        assert!(Awgn::new(key(), Decibel(1.0), -1.0).unwrap_err().to_string().contains("snr_spread_db"));
        assert!(Awgn::new(key(), Decibel(1.0), f32::NAN).is_err());
    }
}
