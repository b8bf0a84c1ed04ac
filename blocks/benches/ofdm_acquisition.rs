//! How well and how fast frames are found.
//!
//! | measure | bar |
//! |---|---|
//! | preambles missed over white noise at 0 dB | at most 1 in 1,000 |
//! | frames found in noise alone | none in 3e8 samples |
//! | frames found in captures of other systems (`SEMEME_DATA`) | none |
//! | carrier known at 10 dB, in spacings rms | 0.01 |
//! | speed of the search through noise, one core, `wide` | part of what 20 Msps leave |
//!
//! Run with `cargo bench -p sememe-blocks --bench ofdm_acquisition [-- --trials=N --noise=SAMPLES]`.

use num_complex::Complex32;
use rayon::prelude::*;
use sememe_blocks::impairment::{CarrierOffset, InPlace, SampleNoise};
use sememe_blocks::ofdm::{FrameStart, Numerology, Preamble, ResourceGrid, Synchronizer};
use sememe_blocks::rng::{Purpose, RngKey, complex_normal};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// 40 ppm of 2.45 GHz.
const MOST_HZ: f64 = 98e3;

fn argument(name: &str, default: usize) -> usize {
    let prefix = format!("--{name}=");
    std::env::args().find_map(|text| text.strip_prefix(&prefix)?.parse().ok()).unwrap_or(default)
}

fn synchronizer(numerology: Numerology) -> (Preamble, Synchronizer) {
    let grid = ResourceGrid::new(numerology).expect("a preset");
    let preamble = Preamble::new(&grid).expect("a preset");
    let most = MOST_HZ / numerology.sample_rate_hz;
    (preamble, Synchronizer::new(&grid, most).expect("less than half a cycle"))
}

/// What became of one preamble.
enum Outcome {
    /// Timed within the prefix, the carrier off by so many spacings.
    Found(f64),
    /// Found elsewhere than where it is.
    Mistimed,
    Missed,
}

/// One preamble at an odd place, any carrier within 40 ppm, ahead of random symbols.
fn trial(numerology: Numerology, prototype: &(Preamble, Synchronizer), snr_db: f32, trial: usize) -> Outcome {
    let (preamble, synchronizer) = prototype;
    let mut rng = RngKey::new(91).stream(Purpose::Scene, 0, trial);
    let at = 2000 + trial % 997;
    let part = (trial % 201) as f64 / 100.0 - 1.0;
    let offset = part * MOST_HZ / numerology.sample_rate_hz;
    let mut samples = vec![Complex32::ZERO; at];
    samples.extend_from_slice(preamble.samples());
    samples.extend(complex_normal(&mut rng, 0.82, 8 * numerology.symbol_len()));
    let mut carrier = CarrierOffset::new(offset, 0.0).expect("less than half a cycle");
    carrier.apply(&mut samples).expect("any samples do");
    let variance = 10f32.powf(-snr_db / 10.0);
    let mut noise = SampleNoise::new(RngKey::new(92), trial, variance).expect("a variance");
    noise.apply(&mut samples).expect("any samples do");
    let found = synchronizer.clone().push(&samples).expect("any samples do");
    let expected = (at + preamble.long_start()) as i64;
    let is_right = |start: &&FrameStart| {
        let early = expected - start.long_start as i64;
        (-1..=numerology.prefix_len as i64 / 2).contains(&early)
    };
    match (found.iter().find(is_right), found.is_empty()) {
        (Some(start), _) => Outcome::Found((start.carrier_offset - offset) * numerology.fft_len as f64),
        (None, false) => Outcome::Mistimed,
        (None, true) => Outcome::Missed,
    }
}

fn missed(name: &str, numerology: Numerology, snr_db: f32, trials: usize) {
    let prototype = synchronizer(numerology);
    let outcomes: Vec<Outcome> =
        (0..trials).into_par_iter().map(|n| trial(numerology, &prototype, snr_db, n)).collect();
    let errors: Vec<f64> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Found(error) => Some(*error),
            _ => None,
        })
        .collect();
    let rms = (errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64).sqrt();
    let mistimed = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Mistimed)).count();
    println!(
        "{name:6}  {snr_db:5.1} dB  missed {:5}, mistimed {mistimed:5} of {trials}   carrier {rms:.4} spacings rms",
        trials - errors.len() - mistimed
    );
}

fn noise(name: &str, numerology: Numerology, samples: usize) {
    let (_, prototype) = synchronizer(numerology);
    let per_stream = 10_000_000.min(samples);
    let streams = samples.div_ceil(per_stream);
    let counts: Vec<(usize, u64)> = (0..streams)
        .into_par_iter()
        .map(|stream| {
            let mut synchronizer = prototype.clone();
            let mut source = SampleNoise::new(RngKey::new(93), stream, 1.0).expect("a variance");
            let mut found = 0;
            for _ in 0..per_stream / 100_000 {
                let mut piece = vec![Complex32::ZERO; 100_000];
                source.apply(&mut piece).expect("noise is always possible");
                found += synchronizer.push(&piece).expect("any samples do").len();
            }
            (found, synchronizer.refused())
        })
        .collect();
    let (found, refused) = counts.iter().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    println!(
        "{name:6}  noise    {found} frames, {refused} plateaus refused in {} samples",
        streams * per_stream
    );
}

fn speed(name: &str, numerology: Numerology) {
    let (_, mut synchronizer) = synchronizer(numerology);
    let mut samples = vec![Complex32::ZERO; 4_000_000];
    SampleNoise::new(RngKey::new(94), 0, 1.0).and_then(|mut noise| noise.apply(&mut samples)).expect("noise");
    let turns = (0..5).map(|_| {
        let started = Instant::now();
        for piece in samples.chunks(65_536) {
            synchronizer.push(piece).expect("any samples do");
        }
        samples.len() as f64 / started.elapsed().as_secs_f64() / 1e6
    });
    println!("{name:6}  search   {:.0} Msps on one core", turns.fold(0.0, f64::max));
}

/// Captures as 16-bit I and Q (`.dat`) or as floats (`.cf32`).
fn capture(path: &Path) -> Option<Vec<Complex32>> {
    let bytes = std::fs::read(path).ok()?;
    match path.extension()?.to_str()? {
        "dat" => {
            let value = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 2048.0;
            Some(bytes.chunks_exact(4).map(|iq| Complex32::new(value(&iq[..2]), value(&iq[2..]))).collect())
        }
        "cf32" => {
            let value = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
            Some(bytes.chunks_exact(8).map(|iq| Complex32::new(value(&iq[..4]), value(&iq[4..]))).collect())
        }
        _ => None,
    }
}

fn captures(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { captures(&path) } else { vec![path] }).collect()
}

fn main() {
    let (trials, samples) = (argument("trials", 2000), argument("noise", 20_000_000));
    for (name, numerology) in Numerology::PRESETS {
        for snr_db in [-3.0, 0.0, 10.0] {
            missed(name, numerology, snr_db, trials);
        }
        noise(name, numerology, samples);
        speed(name, numerology);
    }
    let Some(data) = std::env::var_os("SEMEME_DATA") else {
        println!("captures: skipped, SEMEME_DATA names no folder");
        return;
    };
    for (name, numerology) in Numerology::PRESETS {
        let (mut found, mut refused, mut total) = (0, 0, 0);
        for path in captures(&Path::new(&data).join("iq")) {
            let Some(samples) = capture(&path) else { continue };
            let (_, mut synchronizer) = synchronizer(numerology);
            found += synchronizer.push(&samples).expect("any samples do").len();
            (refused, total) = (refused + synchronizer.refused(), total + samples.len());
        }
        println!("{name:6}  captures {found} frames, {refused} plateaus refused in {total} samples");
    }
}
