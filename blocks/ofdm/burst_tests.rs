//! Whole bursts from values to values: all stages of the receiver, over impaired samples.

use super::*;
use crate::impairment::{CarrierOffset, ClockOffset, InPlace, Oscillator, SampleNoise};
use crate::kernel::StreamKernel;
use crate::rng::{Purpose, RngKey, complex_normal};
use num_complex::Complex32;

/// 2.45 GHz.
const CARRIER_HZ: f64 = 2.45e9;

/// What came of a burst.
struct Received {
    /// Values behind a division by h.
    values: Vec<Complex32>,
    /// Es/N0 as the preamble showed it, in dB.
    snr_db: f32,
    clock_offset: f64,
}

/// A burst whose receiver's oscillator, which makes carrier and clock, is off.
fn through_air(
    numerology: Numerology,
    values: &[Complex32],
    offset: f64,
    noise: f32,
    trial: usize,
) -> Vec<Complex32> {
    let grid = ResourceGrid::new(numerology).unwrap();
    let mut samples = vec![Complex32::ZERO; 700 + trial];
    samples.extend(BurstModulator::new(&grid).unwrap().modulate(values).unwrap());
    samples.extend(vec![Complex32::ZERO; 500]);
    // A receiver that oscillates too fast sees carriers too low and takes too many samples.
    let carrier = -offset * CARRIER_HZ / numerology.sample_rate_hz;
    CarrierOffset::new(carrier, 0.2).unwrap().apply(&mut samples).unwrap();
    let mut taken = vec![Complex32::ZERO; samples.len() + samples.len() / 900 + 2];
    let made = ClockOffset::new(offset).unwrap().process(&samples, &mut taken).unwrap().produced;
    taken.truncate(made);
    SampleNoise::new(RngKey::new(51), trial, noise).unwrap().apply(&mut taken).unwrap();
    taken
}

fn receive(numerology: Numerology, samples: &[Complex32], count: usize) -> Option<Received> {
    let grid = ResourceGrid::new(numerology).unwrap();
    let preamble = Preamble::new(&grid).unwrap();
    let most = 42e-6 * CARRIER_HZ / numerology.sample_rate_hz;
    let found = Synchronizer::new(&grid, most).unwrap().push(samples).unwrap();
    let [start] = found.as_slice() else { return None };
    let mut place = start.long_start as usize;
    let mut turned = samples[place..].to_vec();
    Oscillator::new(-start.carrier_offset, 0.0).rotate(&mut turned);
    let (fft_len, prefix) = (numerology.fft_len, numerology.prefix_len);
    let estimate = ChannelEstimator::new(&grid, &preamble).unwrap().estimate(&turned[..2 * fft_len]).unwrap();
    let snr_db = 10.0 * estimate.snr().log10();
    let mut tracker = Tracker::new(&grid).unwrap();
    tracker.start(estimate).unwrap();
    let (mut data, mut csi) = (vec![], vec![]);
    let mut transform = Transform::new(numerology).unwrap();
    let mut values = vec![];
    place = 2 * fft_len;
    while values.len() < count {
        let mut carriers = turned.get(place + prefix..place + prefix + fft_len)?.to_vec();
        transform.demodulate(&mut carriers).unwrap();
        data.clear();
        csi.clear();
        let symbol = tracker.track(&carriers, &mut data, &mut csi).unwrap();
        values.extend(data.iter().zip(&csi).map(|(y, h)| y / h));
        place = place.saturating_add_signed(numerology.symbol_len() as isize + symbol.later as isize);
    }
    values.truncate(count);
    Some(Received { values, snr_db, clock_offset: tracker.clock_offset() })
}

/// Power of what is wrong with the values, in dB.
fn error_db(found: &[Complex32], sent: &[Complex32]) -> f32 {
    let error: f32 = found.iter().zip(sent).map(|(a, b)| (a - b).norm_sqr()).sum();
    10.0 * (error / sent.len() as f32).log10()
}

/// Values of unit size at random angles, that a division by h leaves at unit power.
fn values(count: usize) -> Vec<Complex32> {
    complex_normal(&mut RngKey::new(52).stream(Purpose::Payload, 0, 0), 1.0, count)
        .into_iter()
        .map(|value| value / value.norm())
        .collect()
}

#[test]
fn values_come_back_whatever_the_oscillator_and_the_length() {
    for (_, numerology) in Numerology::PRESETS {
        // 40 ms and more of `narrow`; in `wide` the clock drifts by 11 samples at 40 ppm.
        let sent = values(if numerology.fft_len == 64 { 32 * 500 } else { 770 * 240 });
        for offset in [0.0, 40e-6, -40e-6, 13e-6] {
            let samples = through_air(numerology, &sent, offset, 1e-4, 3);
            let found = receive(numerology, &samples, sent.len()).unwrap();
            let error = error_db(&found.values, &sent);
            assert!(error < -25.0, "{numerology:?}, {offset}: {error} dB");
            assert!((found.clock_offset + offset).abs() < 2e-6, "{offset}: {}", found.clock_offset);
        }
    }
}

#[test]
fn noise_is_what_limits_at_10_db() {
    for (_, numerology) in Numerology::PRESETS {
        let sent = values(32 * 200);
        let mut errors = vec![];
        for trial in 0..5 {
            let samples = through_air(numerology, &sent, 25e-6, 0.1, trial);
            let found = receive(numerology, &samples, sent.len()).unwrap();
            errors.push(error_db(&found.values, &sent));
            assert!((found.snr_db - 10.0).abs() < 2.0, "{} dB", found.snr_db);
        }
        // -10 dB of noise, and what one channel estimate adds, which differs from burst to burst where carriers are few:
        // one part in six in the mean of 64 carriers, one in ten of 1024.
        let mean = errors.iter().sum::<f32>() / errors.len() as f32;
        assert!(
            (-10.1..-9.2).contains(&mean) && errors.iter().all(|db| *db < -8.7),
            "{numerology:?}: {errors:?}"
        );
    }
}
