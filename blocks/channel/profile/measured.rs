//! Profiles measured: symbols of known statistics through normalisation, gains and noise.

use super::super::{ChannelConfig, FadingModel};
use super::Profile;
use crate::Grouping;
use crate::access::mean_power;
use crate::equalizer::Equalizer;
use crate::frame::{Destination, Phase, ReceivedFrame, Slot, SymbolFrame};
use crate::kernel::FrameKernel;
use crate::rng::{Purpose, RngKey, complex_normal};
use crate::units::Decibel;
use num_complex::Complex32;

const KEY: RngKey = RngKey::new(77);
const USERS: usize = 4;
const LEN: usize = 8;
const RICIAN: FadingModel = FadingModel::Rician { k_factor: 2.0 };

fn channel(profile: Profile, fading: FadingModel) -> ChannelConfig {
    let channel = ChannelConfig { profile: Some(profile), ..ChannelConfig::new(fading) };
    channel.check().unwrap();
    channel
}

/// Gaussian symbols; the vectors of the users differ in power by 1 : 4 : 9 : 16.
fn drawn(frame: u64) -> SymbolFrame {
    let slot = |user: usize| {
        let amplitude = user as f32 + 1.0;
        let mut rng = KEY.stream(Purpose::Scene, frame, user);
        let symbols = complex_normal(&mut rng, amplitude * amplitude, LEN);
        Slot { destination: Destination::User(user), phase: Phase::Private, symbols }
    };
    SymbolFrame { frame, grouping: Grouping::singletons(USERS), slots: (0..USERS).map(slot).collect() }
}

/// What is sent, and what is heard of it without noise.
fn heard(channel: &ChannelConfig, frame: u64) -> (SymbolFrame, ReceivedFrame) {
    let sent = channel.power_kernel().process(drawn(frame)).unwrap();
    let heard = channel.fading_kernel(KEY).unwrap().process(sent.clone()).unwrap();
    (sent, heard)
}

fn symbols(frame: &ReceivedFrame) -> impl Iterator<Item = &Complex32> {
    frame.users.iter().flatten().flat_map(|slot| &slot.symbols)
}

/// Gains of one user, symbol by symbol: what is heard over what was sent.
fn gains(channel: &ChannelConfig, frame: u64, user: usize) -> Vec<Complex32> {
    let (sent, heard) = heard(channel, frame);
    let pairs = heard.users[user][0].symbols.iter().zip(&sent.slots[user].symbols);
    pairs.map(|(y, x)| y / x).collect()
}

/// Received signal power over noise power, in dB, over many frames.
fn measured_db(channel: &ChannelConfig, label: Decibel, frames: u64) -> f64 {
    let mut awgn = channel.noise_kernel(KEY, label).unwrap();
    let (mut signal, mut noise) = (0.0, 0.0);
    for frame in 0..frames {
        let (_, heard) = heard(channel, frame);
        let noisy = awgn.process(heard.clone()).unwrap();
        for (clean, noisy) in symbols(&heard).zip(symbols(&noisy)) {
            signal += f64::from(clean.norm_sqr());
            noise += f64::from((noisy - clean).norm_sqr());
        }
    }
    10.0 * (signal / noise).log10()
}

#[test]
fn over_white_noise_every_profile_has_the_snr_it_states() {
    // Signal power is 1 by normalisation. 64,000 noise samples: relative standard error 0.40 %; 4 sigma are
    // 0.069 dB. Offsets of the table differ by 3.01 dB.
    let label = Decibel(7.0);
    for (profile, expected) in [
        (Profile::Adjscc, 7.0),
        (Profile::Chunbaobao, 10.0103),
        (Profile::Lizyoko9, 10.0103),
        (Profile::Eunc812, 7.0),
        (Profile::Kmsiapps, 7.0),
        (Profile::Swinjscc, 7.0),
        (Profile::Matthewwang16czap, 7.0),
    ] {
        let channel = channel(profile, FadingModel::Awgn);
        assert!((f64::from(channel.true_snr(label).0) - expected).abs() < 1e-3, "{profile}");
        let measured = measured_db(&channel, label, 2_000);
        assert!((measured - expected).abs() < 0.069, "{profile}: {measured} dB");
    }
}

#[test]
fn over_fading_every_profile_has_the_mean_snr_it_states() {
    // 40,000 frames. Gains that a batch shares have the largest spread: relative standard error 0.5 % of the mean
    // power, 0.09 % of that of the noise; 4 sigma are 0.09 dB.
    let label = Decibel(7.0);
    for (profile, fading, expected) in [
        (Profile::Adjscc, FadingModel::Rayleigh, 7.0),
        (Profile::Adjscc, RICIAN, 7.0),
        (Profile::Chunbaobao, FadingModel::Rayleigh, 10.0103),
        (Profile::Lizyoko9, FadingModel::Rayleigh, 10.0103),
        (Profile::Lizyoko9, RICIAN, 10.0103),
        (Profile::Kmsiapps, FadingModel::Rayleigh, 3.9897),
        (Profile::Kmsiapps, RICIAN, 6.2082),
        (Profile::Swinjscc, FadingModel::Rayleigh, 7.0),
        (Profile::Matthewwang16czap, FadingModel::Rayleigh, 7.0),
    ] {
        let channel = channel(profile, fading);
        assert!((f64::from(channel.true_snr(label).0) - expected).abs() < 1e-3, "{profile} {fading:?}");
        let measured = measured_db(&channel, label, 40_000);
        assert!((measured - expected).abs() < 0.09, "{profile} {fading:?}: {measured} dB");
    }
}

#[test]
fn power_is_that_of_each_vector_or_of_the_batch() {
    for profile in Profile::ALL {
        let (sent, _) = heard(&channel(profile, FadingModel::Awgn), 3);
        let powers: Vec<f64> = sent.slots.iter().map(|slot| mean_power(&slot.symbols)).collect();
        let is_batch = matches!(profile, Profile::Kmsiapps | Profile::Swinjscc | Profile::Matthewwang16czap);
        let mean = powers.iter().sum::<f64>() / USERS as f64;
        assert!((mean - 1.0).abs() < 1e-5, "{profile}: {powers:?}");
        if is_batch {
            let before = |user: usize| mean_power(&drawn(3).slots[user].symbols);
            assert!((powers[3] / powers[0] / (before(3) / before(0)) - 1.0).abs() < 1e-5, "{profile}");
        } else {
            assert!(powers.iter().all(|power| (power - 1.0).abs() < 1e-5), "{profile}: {powers:?}");
        }
    }
}

#[test]
fn gains_are_shared_as_each_repository_shares_them() {
    let of = |profile, user| gains(&channel(profile, FadingModel::Rayleigh), 5, user);
    let is_flat = |gains: &[Complex32]| gains.iter().all(|gain| (gain - gains[0]).norm() < 1e-4);
    let is_real = |gains: &[Complex32]| gains.iter().all(|gain| gain.im.abs() < 1e-4);
    let is_positive = |gains: &[Complex32]| gains.iter().all(|gain| gain.re > 0.0);

    // One complex fade per user.
    let [a, b] = [0, 1].map(|user| of(Profile::Adjscc, user));
    assert!(is_flat(&a) && !is_real(&a) && (a[0] - b[0]).norm() > 1e-3);
    // One magnitude per user.
    let [a, b] = [0, 1].map(|user| of(Profile::Lizyoko9, user));
    assert!(is_flat(&a) && is_real(&a) && is_positive(&a) && (a[0] - b[0]).norm() > 1e-3);
    // Real, flat on each half, equal for all users.
    let [a, b] = [0, 1].map(|user| of(Profile::Chunbaobao, user));
    assert!(is_flat(&a[..LEN / 2]) && is_flat(&a[LEN / 2..]) && !is_flat(&a) && is_real(&a));
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).norm() < 1e-4));
    // New for every symbol: magnitudes, or phases too.
    let swin = of(Profile::Swinjscc, 0);
    assert!(!is_flat(&swin) && is_real(&swin) && is_positive(&swin));
    let matthew = of(Profile::Matthewwang16czap, 0);
    assert!(!is_flat(&matthew) && !is_real(&matthew));
    // I and Q each by its own real gain, equal for all users.
    let (sent, heard) = heard(&channel(Profile::Kmsiapps, FadingModel::Rayleigh), 5);
    let rails = |user: usize| {
        let (y, x) = (heard.users[user][0].symbols[2], sent.slots[user].symbols[2]);
        [y.re / x.re, y.im / x.im]
    };
    let [first, second] = rails(0);
    assert!((first - second).abs() > 1e-3);
    assert!(rails(3).iter().zip([first, second]).all(|(a, b)| (a - b).abs() < 1e-4));
}

#[test]
fn receivers_know_what_those_of_the_repository_know() {
    let label = Decibel(10.0);
    for profile in Profile::ALL.into_iter().filter(|profile| *profile != Profile::Eunc812) {
        let channel = channel(profile, FadingModel::Rayleigh);
        let fixed = channel.profile.unwrap().conventions().fading.unwrap().equalizer;
        let (sent, heard) = heard(&channel, 1);
        let noisy = channel.noise_kernel(KEY, label).unwrap().process(heard.clone()).unwrap();
        let noise = channel.unfaded_snr(label).noise_variance();
        assert!(noisy.users.iter().flatten().all(|slot| slot.noise_variance == noise), "{profile}");
        let mut equalizer = fixed.unwrap_or(Equalizer::Zf);
        let clean = equalizer.process(heard.clone()).unwrap();
        let equalized = equalizer.process(noisy).unwrap();
        for user in 0..USERS {
            let (slot, heard, sent) = (&clean.users[user][0], &heard.users[user][0], &sent.slots[user]);
            let snr = equalized.users[user][0].snr;
            if fixed == Some(Equalizer::None) {
                assert_eq!((&slot.symbols, &heard.csi), (&heard.symbols, &vec![Complex32::ONE]), "{profile}");
                assert!((snr * noise - 1.0).abs() < 1e-5, "{profile}: the SNR of the noise alone");
            } else {
                let worst =
                    slot.symbols.iter().zip(&sent.symbols).map(|(a, b)| (a - b).norm()).fold(0.0, f32::max);
                assert!(worst < 1e-5, "{profile}: {worst}");
                assert!((snr * noise / heard.csi[0].norm_sqr() - 1.0).abs() < 1e-5, "{profile}");
            }
        }
    }
}

#[test]
fn every_label_meets_the_same_gains_and_the_same_noise() {
    for profile in Profile::ALL {
        let channel = channel(profile, FadingModel::Awgn);
        let (_, heard) = heard(&channel, 9);
        let at = |label| channel.noise_kernel(KEY, Decibel(label)).unwrap().process(heard.clone()).unwrap();
        let (low, high) = (at(0.0), at(20.0));
        for ((clean, low), high) in symbols(&heard).zip(symbols(&low)).zip(symbols(&high)) {
            assert!(((low - clean) * 0.1 - (high - clean)).norm() < 1e-5, "{profile}");
        }
    }
}
