//! How fast samples become equalised symbols, and bursts become samples, on one core.
//!
//! | measure | bar |
//! |---|---|
//! | receiver, `wide`: from samples to equalised symbols | 20 Msps |
//! | transmitter, `wide`: from symbols to samples | 20 Msps |
//! | both over GNU Radio's OFDM blocks in the same run | reported |
//!
//! Run with `cargo bench -p sememe-blocks --bench ofdm_speed [-- --turns=N]`. The comparison needs a Python with GNU
//! Radio's modules, named by `SEMEME_GNURADIO_PYTHON`.

use num_complex::Complex32;
use sememe_blocks::Decibel;
use sememe_blocks::frame::Destination;
use sememe_blocks::framing::{Burst, BurstReader, BurstWriter, Content, Header};
use sememe_blocks::impairment::{CarrierOffset, InPlace, SampleNoise};
use sememe_blocks::kernel::{Demodulator, Modulator};
use sememe_blocks::ofdm::{Numerology, ResourceGrid};
use sememe_blocks::rng::{Purpose, RngKey, complex_normal};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// 40 ppm of 2.45 GHz.
const MOST_HZ: f64 = 98e3;
/// OFDM symbols of a payload.
const SYMBOLS: usize = 100;
/// Bursts of a turn.
const BURSTS: usize = 20;

fn turns() -> usize {
    let of = |text: String| text.strip_prefix("--turns=")?.parse().ok();
    std::env::args().find_map(of).unwrap_or(9)
}

fn burst(grid: &ResourceGrid, frame: u32) -> Burst {
    let symbols = complex_normal(
        &mut RngKey::new(5).stream(Purpose::Payload, frame.into(), 0),
        1.0,
        SYMBOLS * grid.data().len(),
    );
    let header = Header {
        content: Content::Analog,
        destination: Destination::All,
        group: 0,
        num_users: 1,
        frame,
        model: 0,
        length: symbols.len(),
        scale: Decibel(0.0),
    };
    Burst { header, symbols }
}

fn median(mut speeds: Vec<f64>) -> f64 {
    speeds.sort_by(f64::total_cmp);
    speeds[speeds.len() / 2]
}

/// Msps of writer and reader.
fn speeds(numerology: Numerology) -> [f64; 2] {
    let grid = ResourceGrid::new(numerology).expect("a preset");
    let mut writer = BurstWriter::new(&grid, None).expect("a preset");
    let bursts: Vec<Burst> = (0..BURSTS as u32).map(|frame| burst(&grid, frame)).collect();
    let mut samples = vec![];
    let mut write = vec![];
    for _ in 0..turns() {
        samples.clear();
        let loads = bursts.clone();
        let start = Instant::now();
        for burst in loads {
            writer.load(burst).expect("a burst that is possible");
            samples.extend_from_slice(writer.samples());
        }
        write.push(samples.len() as f64 / start.elapsed().as_secs_f64() / 1e6);
    }
    let offset = 0.3 * MOST_HZ / numerology.sample_rate_hz;
    CarrierOffset::new(offset, 0.0).and_then(|mut carrier| carrier.apply(&mut samples)).expect("an offset");
    SampleNoise::new(RngKey::new(6), 0, 0.01).and_then(|mut noise| noise.apply(&mut samples)).expect("noise");
    let prototype = BurstReader::new(&grid, MOST_HZ / numerology.sample_rate_hz).expect("an offset");
    let mut read = vec![];
    for _ in 0..turns() {
        let (mut reader, mut found, mut error) = (prototype.clone(), vec![], 0.0);
        let start = Instant::now();
        for piece in samples.chunks(8192) {
            reader.read(piece, &mut found).expect("any samples do");
            for burst in found.drain(..) {
                // The MMSE estimate of every symbol.
                let equalized: Vec<Complex32> = burst
                    .symbols
                    .iter()
                    .zip(&burst.csi)
                    .map(|(r, h)| r * h.conj() / (h.norm_sqr() + burst.noise_variance))
                    .collect();
                let sent = &bursts[burst.header.frame as usize].symbols;
                error += equalized.iter().zip(sent).take(50).map(|(a, b)| (a - b).norm_sqr()).sum::<f32>();
            }
        }
        read.push(samples.len() as f64 / start.elapsed().as_secs_f64() / 1e6);
        reader.finish(&mut found).expect("any samples do");
        assert_eq!(reader.counts().bursts as usize, BURSTS, "{:?}", reader.counts());
        assert!(error / (50.0 * BURSTS as f32) < 0.02, "{error}");
    }
    [median(write), median(read)]
}

/// Msps of GNU Radio's transmitter and receiver on one core.
fn gnuradio(numerology: Numerology) -> Option<[f64; 2]> {
    let python = std::env::var("SEMEME_GNURADIO_PYTHON").ok()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/gnuradio_ofdm.py");
    let Numerology { fft_len, prefix_len, side_carriers, pilot_spacing, .. } = numerology;
    let arguments = [
        ("--fft", fft_len),
        ("--prefix", prefix_len),
        ("--occupied", 2 * side_carriers),
        ("--pilot-spacing", pilot_spacing),
        ("--seconds", 2),
        ("--threads", 1),
    ];
    let mut command = Command::new(python);
    command.arg(script);
    arguments.iter().for_each(|(name, value)| {
        command.arg(name).arg(value.to_string());
    });
    let output = command.output().expect("SEMEME_GNURADIO_PYTHON is a program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let of = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|value| value.trim().parse().ok()).expect("a figure")
    };
    Some([of("transmit_msps"), of("receive_msps")])
}

fn main() {
    // `cargo test --benches` asks whether it runs at all.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!(
        "{:8} {:>14} {:>14} {:>20} {:>20}",
        "preset", "transmit Msps", "receive Msps", "GNU Radio transmit", "GNU Radio receive"
    );
    for (name, numerology) in Numerology::PRESETS {
        let [transmit, receive] = speeds(numerology);
        let peer = gnuradio(numerology).map_or(["not there".into(), "not there".into()], |peer| {
            [
                format!("{:.1} ({:.1} x)", peer[0], transmit / peer[0]),
                format!("{:.1} ({:.1} x)", peer[1], receive / peer[1]),
            ]
        });
        println!("{name:8} {transmit:14.1} {receive:14.1} {:>20} {:>20}", peer[0], peer[1]);
    }
}
