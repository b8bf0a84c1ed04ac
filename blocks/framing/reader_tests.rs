//! Bursts through writer, impaired samples and reader.

use super::header::tests::header;
use super::*;
use crate::frame::Destination;
use crate::impairment::{
    CarrierOffset, ClockOffset, DelayProfile, InPlace, Multipath, MultipathConfig, SampleNoise,
};
use crate::kernel::{Demodulator, Modulator, StreamKernel};
use crate::ofdm::{Numerology, ResourceGrid};
use crate::rng::{Purpose, RngKey, complex_normal};
use num_complex::Complex32;

/// 40 ppm of 2.45 GHz.
const MOST_HZ: f64 = 98e3;

fn payload(seed: u64, len: usize) -> Vec<Complex32> {
    complex_normal(&mut RngKey::new(seed).stream(Purpose::Payload, 0, 0), 1.0, len)
}

fn burst(frame: u32, len: usize) -> Burst {
    let header = Header { frame, destination: Destination::User(frame as usize % 6), ..header() };
    Burst { header, symbols: payload(100 + u64::from(frame), len) }
}

fn grid(numerology: Numerology) -> ResourceGrid {
    ResourceGrid::new(numerology).unwrap()
}

/// Samples of bursts, so many zeros before each and behind the last.
fn sent(numerology: Numerology, bursts: &[Burst], gap: usize) -> Vec<Complex32> {
    let mut writer = BurstWriter::new(&grid(numerology), None).unwrap();
    let mut samples = vec![];
    for burst in bursts {
        samples.extend(vec![Complex32::ZERO; gap]);
        writer.load(burst.clone()).unwrap();
        samples.extend_from_slice(writer.samples());
    }
    samples.extend(vec![Complex32::ZERO; gap]);
    samples
}

fn reader(numerology: Numerology) -> BurstReader {
    BurstReader::new(&grid(numerology), MOST_HZ / numerology.sample_rate_hz).unwrap()
}

fn noisy(mut samples: Vec<Complex32>, noise: f32, trial: usize) -> Vec<Complex32> {
    SampleNoise::new(RngKey::new(71), trial, noise).unwrap().apply(&mut samples).unwrap();
    samples
}

fn read(reader: &mut BurstReader, samples: &[Complex32], piece: usize) -> Vec<ReceivedBurst> {
    let mut found = vec![];
    samples.chunks(piece).for_each(|piece| reader.read(piece, &mut found).unwrap());
    reader.finish(&mut found).unwrap();
    found
}

/// Error of r / h, in dB under what was sent.
fn error_db(found: &ReceivedBurst, sent: &Burst) -> f32 {
    assert_eq!(found.symbols.len(), sent.symbols.len());
    let (mut error, mut power) = (0.0, 0.0);
    for ((r, h), x) in found.symbols.iter().zip(&found.csi).zip(&sent.symbols) {
        error += (r - h * x).norm_sqr();
        power += (h * x).norm_sqr();
    }
    10.0 * (error / power).log10()
}

#[test]
fn bursts_back_to_back_and_apart_come_back_in_pieces_of_any_length() {
    for (name, numerology) in Numerology::PRESETS {
        let per_symbol = grid(numerology).data().len();
        let bursts: Vec<Burst> = [8 * per_symbol - 5, 1, 3 * per_symbol, 40 * per_symbol + 1]
            .into_iter()
            .enumerate()
            .map(|(frame, len)| burst(frame as u32, len))
            .collect();
        for gap in [0, 3000] {
            let samples = noisy(sent(numerology, &bursts, gap), 1e-4, 1);
            let whole = read(&mut reader(numerology), &samples, usize::MAX);
            assert_eq!(whole.len(), bursts.len(), "{name}, gap {gap}");
            for (found, burst) in whole.iter().zip(&bursts) {
                assert_eq!(
                    (found.header.frame, found.header.length),
                    (burst.header.frame, burst.symbols.len())
                );
                assert_eq!(found.header.destination, burst.header.destination);
                let error = error_db(found, burst);
                assert!(error < -34.0, "{name}, gap {gap}, {:?}: {error} dB", found.header);
            }
            for piece in [97, 5000] {
                assert_eq!(
                    read(&mut reader(numerology), &samples, piece),
                    whole,
                    "{name}, pieces of {piece}"
                );
            }
        }
    }
}

#[test]
fn without_any_noise_silence_beside_bursts_is_no_preamble() {
    for (name, numerology) in Numerology::PRESETS {
        let bursts: Vec<Burst> = (0..20).map(|frame| burst(frame, 100 + 7 * frame as usize)).collect();
        let mut reader = reader(numerology);
        let found = read(&mut reader, &sent(numerology, &bursts, 2000), 8192);
        assert_eq!((found.len(), reader.counts().bad_checks), (20, 0), "{name}");
    }
}

#[test]
fn scales_come_back_and_silence_is_refused() {
    let mut loud = burst(1, 200);
    loud.symbols.iter_mut().for_each(|symbol| *symbol *= 31.0);
    let samples = noisy(sent(Numerology::NARROW, std::slice::from_ref(&loud), 100), 1e-4, 2);
    let found = read(&mut reader(Numerology::NARROW), &samples, 4096);
    assert!((found[0].header.scale.0 - 20.0 * 31f32.log10()).abs() < 1.0);
    assert!(error_db(&found[0], &loud) < -34.0);
    let mut writer = BurstWriter::new(&grid(Numerology::NARROW), None).unwrap();
    let silent = Burst { symbols: vec![Complex32::ZERO; 5], ..burst(1, 5) };
    assert!(writer.load(silent).unwrap_err().to_string().contains("silent"));
    let error = writer.load(burst(1, 50_000)).unwrap_err().to_string();
    assert!(error.contains("100 ms"), "{error}");
}

#[test]
fn the_longest_burst_passes_with_oscillators_off_by_40_ppm() {
    for (name, numerology) in Numerology::PRESETS {
        let longest = burst_writer::most_uses(
            &grid(numerology),
            HeaderCode::new(&grid(numerology)).unwrap().num_symbols(),
        );
        for offset in [40e-6, -40e-6] {
            let bursts = [burst(9, longest)];
            let mut samples = sent(numerology, &bursts, 901);
            let carrier = -offset * 2.45e9 / numerology.sample_rate_hz;
            CarrierOffset::new(carrier, 0.2).unwrap().apply(&mut samples).unwrap();
            let mut taken = vec![Complex32::ZERO; samples.len() + samples.len() / 900 + 2];
            let made = ClockOffset::new(offset).unwrap().process(&samples, &mut taken).unwrap().produced;
            taken.truncate(made);
            let found = read(&mut reader(numerology), &noisy(taken, 0.01, 3), 10_000);
            assert_eq!(found.len(), 1, "{name}, {offset}");
            let error = error_db(&found[0], &bursts[0]);
            assert!(error < -18.5, "{name}, {offset}: {error} dB of -20");
            let reception = found[0].reception;
            assert!(
                (reception.carrier_offset - carrier).abs() * (numerology.fft_len as f64) < 0.01,
                "{reception:?}"
            );
            assert!((reception.clock_offset + offset).abs() < 1e-6, "{reception:?}");
        }
    }
}

#[test]
fn paths_all_over_the_prefix_do_no_harm() {
    for (name, numerology) in Numerology::PRESETS {
        let prefix = numerology.prefix_len;
        let mut losses = vec![];
        for trial in 0..10 {
            let bursts = [burst(trial, 30 * grid(numerology).data().len())];
            let whole = sent(numerology, &bursts, 500);
            let mut rng = RngKey::new(81).stream(Purpose::Fading, 0, trial as usize);
            // Power falls by 10 dB over the prefix; the last path is as late as can be.
            let gains = complex_normal(&mut rng, 1.0, 4);
            let paths = [0, prefix / 3, 2 * prefix / 3, prefix - 2];
            let mut samples = vec![Complex32::ZERO; whole.len()];
            for (path, (delay, gain)) in paths.into_iter().zip(gains).enumerate() {
                let gain = gain * 10f32.powf(-(path as f32) / 6.0);
                samples[delay..].iter_mut().zip(&whole).for_each(|(y, x)| *y += gain * x);
            }
            let found = read(&mut reader(numerology), &noisy(samples, 1e-3, trial as usize), 10_000);
            assert_eq!(found.len(), 1, "{name}, trial {trial}");
            let error = error_db(&found[0], &bursts[0]);
            let floor = -10.0 * found[0].reception.snr.log10();
            losses.push(error - floor);
        }
        // A first path too weak to be seen lies outside, and so does what it does.
        let mean = losses.iter().sum::<f32>() / losses.len() as f32;
        assert!(mean < 1.0 && losses.iter().all(|loss| *loss < 2.5), "{name}: {losses:?} dB over the noise");
    }
}

#[test]
fn gaps_of_known_length_erase_symbols_and_nothing_else() {
    for (name, numerology) in Numerology::PRESETS {
        let per_symbol = grid(numerology).data().len();
        let bursts = [burst(0, 30 * per_symbol), burst(1, 10 * per_symbol)];
        let samples = noisy(sent(numerology, &bursts, 700), 1e-3, 4);
        // Three symbols' worth in the middle of the first payload.
        let from = 700 + Waveform::new(&grid(numerology)).unwrap().samples(10 * per_symbol);
        let until = from + 3 * numerology.symbol_len() - 5;
        let mut reader = reader(numerology);
        let mut found = vec![];
        reader.read(&samples[..from], &mut found).unwrap();
        reader.skip((until - from) as u64, &mut found).unwrap();
        reader.read(&samples[until..], &mut found).unwrap();
        reader.finish(&mut found).unwrap();
        assert_eq!(found.len(), 2, "{name}");
        let erased = found[0].csi.iter().filter(|h| **h == Complex32::ZERO).count();
        assert!(
            erased == found[0].reception.erased && (3..=4).contains(&(erased / per_symbol)),
            "{name}: {erased}"
        );
        assert!(error_db(&found[1], &bursts[1]) < -27.0);
        // What was not erased is as it was.
        let kept: Vec<usize> = (0..30 * per_symbol).filter(|n| found[0].csi[*n] != Complex32::ZERO).collect();
        let error: f32 = kept
            .iter()
            .map(|n| (found[0].symbols[*n] - found[0].csi[*n] * bursts[0].symbols[*n]).norm_sqr())
            .sum();
        assert!(10.0 * (error / kept.len() as f32).log10() < -27.0, "{name}");

        // Torn in the middle, the first is lost and the second is not.
        let mut torn = self::reader(numerology);
        found.clear();
        torn.read(&samples[..from], &mut found).unwrap();
        torn.tear();
        torn.read(&samples[until + 100..], &mut found).unwrap();
        torn.finish(&mut found).unwrap();
        assert_eq!(found.iter().map(|burst| burst.header.frame).collect::<Vec<_>>(), [1], "{name}");
        assert_eq!(torn.counts().lost, 1);
    }
}

#[test]
fn a_signal_that_ends_early_is_no_burst() {
    for (name, numerology) in Numerology::PRESETS {
        let bursts = [burst(0, 60 * grid(numerology).data().len())];
        let mut samples = sent(numerology, &bursts, 300);
        let cut = 300 + Waveform::new(&grid(numerology)).unwrap().samples(5 * grid(numerology).data().len());
        samples[cut..].fill(Complex32::ZERO);
        let mut reader = reader(numerology);
        assert_eq!(read(&mut reader, &noisy(samples, 0.01, 5), 4096), [], "{name}");
        assert_eq!((reader.counts().lost, reader.counts().preambles), (1, 1));
    }
}

#[test]
fn what_are_no_samples_is_counted_and_survived() {
    let numerology = Numerology::NARROW;
    let bursts = [burst(0, 300)];
    let mut samples =
        vec![Complex32::new(f32::NAN, 1.0), Complex32::new(0.0, f32::INFINITY), Complex32::new(1e30, 0.0)];
    samples.extend(noisy(sent(numerology, &bursts, 1000), 1e-3, 6));
    let mut reader = reader(numerology);
    let found = read(&mut reader, &samples, 1024);
    assert_eq!((found.len(), reader.counts().not_samples), (1, 3));
}

#[test]
fn snr_is_estimated_without_bias_from_5_to_25_db() {
    for (name, numerology) in Numerology::PRESETS {
        for snr_db in [5.0f32, 15.0, 25.0] {
            let (mut sum, trials) = (0.0, 40);
            for trial in 0..trials {
                let bursts = [burst(trial, 4 * grid(numerology).data().len())];
                let samples =
                    noisy(sent(numerology, &bursts, 600), 10f32.powf(-snr_db / 10.0), trial as usize);
                let found = read(&mut reader(numerology), &samples, 8192);
                sum += 10.0 * found[0].reception.snr.log10() / trials as f32;
            }
            // One estimate scatters by 0.2 dB, the mean of 40 by 0.03.
            assert!((sum - snr_db).abs() < 0.3, "{name}: {sum} dB of {snr_db}");
        }
    }
}

#[test]
fn channels_that_fade_within_a_burst_are_followed() {
    // Preset, Doppler in Hz, milliseconds, and most error over the noise, in dB: 17 to 19 if the channel were taken to stay.
    // With 8 and 9 pilots, the latest echoes are hard to tell from the earliest.
    for (numerology, doppler_hz, milliseconds, most) in [
        (Numerology::NARROW, 5.0, 95, 4.0),
        (Numerology::NARROW, 20.0, 40, 4.5),
        (Numerology::WLAN, 100.0, 20, 7.5),
        (Numerology::WIDE, 20.0, 40, 2.2),
        (Numerology::WIDE, 100.0, 10, 2.5),
    ] {
        let samples = milliseconds * (numerology.sample_rate_hz / 1e3) as usize;
        let symbols = samples / numerology.symbol_len() - 20;
        let (mut error, mut count) = (0.0, 0);
        for trial in 0..6 {
            let bursts = [burst(trial, symbols * grid(numerology).data().len())];
            let whole = sent(numerology, &bursts, 600);
            let config = MultipathConfig {
                profile: DelayProfile::TdlA,
                delay_spread: numerology.prefix_len as f64 / 16.0,
                doppler: doppler_hz / numerology.sample_rate_hz,
                k_factor: 0.0,
            };
            let mut faded = vec![Complex32::ZERO; whole.len()];
            Multipath::new(RngKey::new(91), trial as usize, config)
                .and_then(|mut channel| channel.process(&whole, &mut faded))
                .unwrap();
            let found = read(&mut reader(numerology), &noisy(faded, 0.01, trial as usize), 10_000);
            assert_eq!(found.len(), 1, "{doppler_hz} Hz, trial {trial}");
            let values = found[0].symbols.iter().zip(&found[0].csi).zip(&bursts[0].symbols);
            error += values.map(|((r, h), x)| (r - h * x).norm_sqr()).sum::<f32>();
            count += found[0].symbols.len();
        }
        let over_db = 10.0 * (error / count as f32 / 0.01).log10();
        println!("{} carriers, {doppler_hz} Hz: {over_db} dB over the noise", numerology.fft_len);
        assert!(over_db < most, "{numerology:?}, {doppler_hz} Hz: {over_db} dB over the noise");
    }
}
