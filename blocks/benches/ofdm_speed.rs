//! How fast samples become equalised symbols, and bursts become samples, on one core.
//!
//! | measure | bar |
//! |---|---|
//! | receiver, every preset: from samples to equalised symbols | 20 Msps |
//! | transmitter, every preset: from symbols to samples | 20 Msps |
//! | both over GNU Radio's OFDM blocks in the same run | reported |
//!
//! `moving` is the receiver behind a channel that fades, which it follows. GNU Radio's receiver stands there twice: whole,
//! and without its synchroniser, whose sums over many samples decide what the whole reaches; told where frames begin, it
//! does less than the receiver here.
//!
//! Run with `cargo bench -p sememe-blocks --bench ofdm_speed [-- --turns=N --preset=NAME]`. The comparison needs a Python
//! with GNU Radio's modules, named by `SEMEME_GNURADIO_PYTHON`. Ends with an error where a bar is missed.

use num_complex::Complex32;
use sememe_blocks::Decibel;
use sememe_blocks::frame::Destination;
use sememe_blocks::framing::{Burst, BurstReader, BurstWriter, Content, Header};
use sememe_blocks::impairment::{CarrierOffset, InPlace, Multipath, MultipathConfig, SampleNoise};
use sememe_blocks::kernel::{Demodulator, Modulator, StreamKernel};
use sememe_blocks::ofdm::{Numerology, ResourceGrid};
use sememe_blocks::rng::{Purpose, RngKey, complex_normal};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// 40 ppm of 2.45 GHz.
const MOST_HZ: f64 = 98e3;
/// OFDM symbols of a payload.
const SYMBOLS: usize = 100;
/// Bursts of a turn.
const BURSTS: usize = 20;
/// Samples that are taken in and given out at once.
const PIECE: usize = 8192;
/// What every preset must reach, in Msps.
const BAR: f64 = 20.0;
/// What GNU Radio may take for a preset: some 20 s are usual.
const PATIENCE: Duration = Duration::from_secs(120);
/// Edge of the fading's spectrum over the symbol rate.
const DOPPLER: f64 = 2e-3;

/// What stands behind `--name=`.
fn argument(name: &str) -> Option<String> {
    let of = |text: String| Some(text.strip_prefix(name)?.strip_prefix('=')?.to_string());
    std::env::args().find_map(of)
}

fn turns() -> usize {
    argument("--turns").and_then(|text| text.parse().ok()).unwrap_or(9)
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

/// Msps of writer, reader, and reader behind a channel that moves.
fn speeds(numerology: Numerology) -> [f64; 3] {
    let grid = ResourceGrid::new(numerology).expect("a preset");
    let mut writer = BurstWriter::new(&grid, None).expect("a preset");
    let bursts: Vec<Burst> = (0..BURSTS as u32).map(|frame| burst(&grid, frame)).collect();
    let (mut samples, mut piece) = (vec![], vec![Complex32::ZERO; PIECE]);
    let mut write = vec![];
    for turn in 0..turns() {
        let loads = bursts.clone();
        let mut count = 0;
        let start = Instant::now();
        for burst in loads {
            writer.load(burst).expect("a burst that is possible");
            while !writer.is_written() {
                count += writer.write(&mut piece).expect("a burst that is loaded");
            }
            if turn == 0 {
                samples.extend_from_slice(writer.samples());
            }
        }
        write.push(count as f64 / start.elapsed().as_secs_f64() / 1e6);
    }
    let doppler = DOPPLER / numerology.symbol_len() as f64;
    // A strong line of sight beside the fading, so that no burst is lost.
    let config = MultipathConfig { doppler, k_factor: 10.0, ..MultipathConfig::default() };
    let mut faded = vec![Complex32::ZERO; samples.len()];
    Multipath::new(RngKey::new(7), 0, config)
        .and_then(|mut channel| channel.process(&samples, &mut faded))
        .expect("a channel that is possible");
    let still = read_speed(&grid, samples, &bursts);
    [median(write), still, read_speed(&grid, faded, &bursts)]
}

/// Msps of the reader, with noise and carrier offset.
fn read_speed(grid: &ResourceGrid, mut samples: Vec<Complex32>, bursts: &[Burst]) -> f64 {
    let rate = grid.numerology().sample_rate_hz;
    let offset = 0.3 * MOST_HZ / rate;
    CarrierOffset::new(offset, 0.0).and_then(|mut carrier| carrier.apply(&mut samples)).expect("an offset");
    SampleNoise::new(RngKey::new(6), 0, 0.01).and_then(|mut noise| noise.apply(&mut samples)).expect("noise");
    let prototype = BurstReader::new(grid, MOST_HZ / rate).expect("an offset");
    let mut read = vec![];
    for _ in 0..turns() {
        let (mut reader, mut found, mut error) = (prototype.clone(), vec![], 0.0);
        let start = Instant::now();
        for piece in samples.chunks(PIECE) {
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
        assert!(error / (50.0 * BURSTS as f32) < 0.1, "{error}");
    }
    median(read)
}

/// Msps of GNU Radio's transmitter, receiver, and receiver without synchroniser, on one core.
fn gnuradio(numerology: Numerology) -> Option<[f64; 3]> {
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
    command.arg(script).stdout(Stdio::piped());
    arguments.iter().for_each(|(name, value)| {
        command.arg(name).arg(value.to_string());
    });
    let mut child = command.spawn().expect("SEMEME_GNURADIO_PYTHON is a program");
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().and_then(|()| child.wait().map(drop)).expect("a child that is stuck");
            eprintln!("GNU Radio: stopped after {} s", PATIENCE.as_secs());
            return None;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    // Three lines, that the pipe holds until now.
    let output = child.wait_with_output().expect("a child that has ended");
    assert!(output.status.success(), "GNU Radio's receiver fails, see above");
    let text = String::from_utf8_lossy(&output.stdout);
    let of = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|value| value.trim().parse().ok()).expect("a figure")
    };
    Some([of("transmit_msps"), of("receive_msps"), of("receive_synchronised_msps")])
}

fn main() {
    // `cargo test --benches` asks whether it runs at all.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!(
        "{:8} {:>9} {:>9} {:>9}   {:>22} {:>22} {:>26}",
        "Msps", "transmit", "receive", "moving", "GNU Radio: transmit", "receive", "without synchroniser"
    );
    let only = argument("--preset");
    let mut slow = vec![];
    for (name, numerology) in Numerology::PRESETS {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let own = speeds(numerology);
        let [transmit, receive, moving] = own;
        let peer = gnuradio(numerology).map_or(["not there"; 3].map(String::from), |peer| {
            let over = [transmit, receive, receive];
            std::array::from_fn(|n| format!("{:.1} ({:.1} x)", peer[n], over[n] / peer[n]))
        });
        let [of_transmit, of_receive, of_synchronised] = peer;
        println!(
            "{name:8} {transmit:9.1} {receive:9.1} {moving:9.1}   {of_transmit:>22} {of_receive:>22} {of_synchronised:>26}"
        );
        slow.extend(own.iter().any(|speed| *speed < BAR).then_some(name));
    }
    println!(
        "bar of {BAR} Msps: {}",
        if slow.is_empty() { "held".into() } else { format!("missed by {slow:?}") }
    );
    if !slow.is_empty() {
        std::process::exit(1);
    }
}
