//! What bursts lose on their way through samples, from a cold start: any place between samples, carrier and sample clock
//! off by the same share.
//!
//! | measure | bar |
//! |---|---|
//! | headers that do not arrive over white noise at 0 dB, oscillators off by up to 40 ppm | at most 1 in 1,000 |
//! | bias of SNR estimates from 5 to 25 dB | 0.3 dB |
//! | Es/N0 that coded blocks need beyond what they need over symbols alone, at a block error rate of 0.1 | 0.5 dB |
//! | error of analog symbols behind the MMSE equaliser, over 1 / (1 + SNR) | reported |
//! | loss and error against delay spread and carrier offset | reported |
//!
//! Run with `cargo bench -p sememe-blocks --bench ofdm_link [-- --trials=N --blocks=N --only=PART]`, where a part is
//! `loss`, `snr`, `delay`, `carrier` or `coded`. Every trial has its own number, from which alone it is made.

use num_complex::{Complex32, Complex64};
use rand::Rng;
use rayon::prelude::*;
use rustfft::FftPlanner;
use sememe_blocks::Decibel;
use sememe_blocks::coding::ldpc::decoder::{DecoderConfig, LdpcDecoder};
use sememe_blocks::coding::{CodedModulation, TransportFormat};
use sememe_blocks::frame::Destination;
use sememe_blocks::framing::{Burst, BurstReader, BurstWriter, Content, Header, ReceivedBurst};
use sememe_blocks::impairment::{
    CarrierOffset, ClockOffset, DelayProfile, InPlace, Multipath, MultipathConfig, SampleNoise, Tap,
};
use sememe_blocks::kernel::{Demodulator, Modulator, StreamKernel};
use sememe_blocks::metric::{Interval, clopper_pearson};
use sememe_blocks::modem::{Demapping, SoftDemapper};
use sememe_blocks::ofdm::{Numerology, ResourceGrid};
use sememe_blocks::rng::{Purpose, RngKey, complex_normal, random_bits};
use std::f64::consts::TAU;
use std::sync::LazyLock;

const SEED: u64 = 201;
const CARRIER_HZ: f64 = 2.45e9;
/// Most that oscillators are off.
const MOST_PPM: i32 = 40;
/// Channel uses of a slot: an image of 32 x 32 pixels, and one of the Kodak collection on average.
const USES: [usize; 2] = [832, 3080];
/// Block error rate at which links are compared.
const TARGET: f64 = 0.1;
const SCHEMES: [&str; 3] = ["qpsk-449/1024", "16qam-490/1024", "64qam-666/1024"];

/// What samples go through.
#[derive(Clone, Copy)]
struct Air {
    snr_db: f64,
    /// By how many millionths clock and carrier of the receiver are off, one way or the other; `None`: anything up to 40.
    ppm: Option<i32>,
    echoes: Option<MultipathConfig>,
}

/// Where a burst failed.
#[derive(Clone, Copy)]
enum Stage {
    Preamble,
    Header,
    Payload,
    /// Another one arrived.
    Other,
}

/// Sample clocks off by -40 to 40 millionths, as new.
static CLOCKS: LazyLock<Vec<ClockOffset>> = LazyLock::new(|| {
    let clock = |ppm: i32| ClockOffset::new(1e-6 * f64::from(ppm)).expect("less than 1e-3");
    (-MOST_PPM..=MOST_PPM).map(clock).collect()
});

/// Writer and reader of a preset, as new.
struct Link {
    name: &'static str,
    grid: ResourceGrid,
    writer: BurstWriter,
    reader: BurstReader,
}

impl Link {
    fn new((name, numerology): (&'static str, Numerology)) -> Self {
        let grid = ResourceGrid::new(numerology).expect("a preset");
        let writer = BurstWriter::new(&grid, None).expect("a preset");
        let most = f64::from(MOST_PPM) * 1e-6 * CARRIER_HZ / numerology.sample_rate_hz;
        let reader = BurstReader::new(&grid, most).expect("less than half a cycle");
        Self { name, grid, writer, reader }
    }

    /// Sends one burst.
    fn pass(&self, burst: &Burst, air: Air, trial: usize) -> Result<ReceivedBurst, Stage> {
        let numerology = *self.grid.numerology();
        let mut rng = RngKey::new(SEED).stream(Purpose::Scene, 0, trial);
        let mut draw = || f64::from(rng.next_u32()) / 2f64.powi(32);
        let mut writer = self.writer.clone();
        writer.load(burst.clone()).expect("a burst that is possible");
        let mut samples = vec![Complex32::ZERO; 500 + (draw() * 1500.0) as usize];
        samples.extend(between_samples(writer.samples(), draw()));
        samples.resize(samples.len() + 2 * numerology.symbol_len(), Complex32::ZERO);
        if let Some(config) = air.echoes {
            let mut channel = Multipath::new(RngKey::new(SEED), trial, config).expect("possible echoes");
            samples = through(&mut channel, &samples);
        }
        let any = (draw() * f64::from(2 * MOST_PPM + 1)) as i32 - MOST_PPM;
        let ppm = air.ppm.map_or(any, |ppm| if trial.is_multiple_of(2) { ppm } else { -ppm });
        let offset = 1e-6 * f64::from(ppm);
        let carrier = -offset * CARRIER_HZ / numerology.sample_rate_hz;
        let carrier = CarrierOffset::new(carrier, draw());
        carrier.and_then(|mut carrier| carrier.apply(&mut samples)).expect("less than half a cycle");
        samples = through(&mut CLOCKS[(ppm + MOST_PPM) as usize].clone(), &samples);
        let noise = SampleNoise::new(RngKey::new(SEED), trial, linear(-air.snr_db) as f32);
        noise.and_then(|mut noise| noise.apply(&mut samples)).expect("a variance");

        let (mut reader, mut found) = (self.reader.clone(), vec![]);
        samples.chunks(4096).for_each(|piece| reader.read(piece, &mut found).expect("any samples do"));
        reader.finish(&mut found).expect("any samples do");
        let counts = reader.counts();
        match found.pop() {
            Some(received) => {
                let length = burst.symbols.len();
                let sent = Header { length, scale: received.header.scale, ..burst.header };
                if received.header == sent && found.is_empty() { Ok(received) } else { Err(Stage::Other) }
            }
            None if counts.bad_checks + counts.bad_fields > 0 => Err(Stage::Header),
            None if counts.lost > 0 => Err(Stage::Payload),
            None => Err(Stage::Preamble),
        }
    }
}

fn linear(db: f64) -> f64 {
    10f64.powf(db / 10.0)
}

fn decibel(ratio: f64) -> f64 {
    10.0 * ratio.log10()
}

fn through<K: StreamKernel<In = Complex32, Out = Complex32>>(
    kernel: &mut K,
    input: &[Complex32],
) -> Vec<Complex32> {
    let mut output = vec![Complex32::ZERO; input.len() + input.len() / 900 + 2];
    let made = kernel.process(input, &mut output).expect("any samples do").produced;
    output.truncate(made);
    output
}

/// Samples later by a part of one, with some silence on both sides.
fn between_samples(samples: &[Complex32], part: f64) -> Vec<Complex32> {
    let mut padded = vec![Complex32::ZERO; 64];
    padded.extend_from_slice(samples);
    let len = (padded.len() + 64).next_multiple_of(256);
    padded.resize(len, Complex32::ZERO);
    let mut planner = FftPlanner::new();
    planner.plan_fft_forward(len).process(&mut padded);
    for (place, value) in padded.iter_mut().enumerate() {
        let frequency = if place < len / 2 { place as f64 } else { place as f64 - len as f64 };
        let turn = Complex64::from_polar(1.0 / len as f64, -TAU * frequency * part / len as f64);
        *value *= Complex32::new(turn.re as f32, turn.im as f32);
    }
    planner.plan_fft_inverse(len).process(&mut padded);
    padded
}

/// Gaussian symbols whose mean power is 1.
fn analog(uses: usize, trial: usize) -> Vec<Complex32> {
    let mut symbols = complex_normal(&mut RngKey::new(SEED).stream(Purpose::Payload, 0, trial), 1.0, uses);
    let power = symbols.iter().map(|x| x.norm_sqr()).sum::<f32>() / uses as f32;
    symbols.iter_mut().for_each(|x| *x /= power.sqrt());
    symbols
}

fn burst(content: Content, trial: usize, symbols: Vec<Complex32>) -> Burst {
    let user = trial % 6;
    let header = Header {
        content,
        destination: Destination::User(user),
        group: user / 2,
        num_users: 6,
        frame: trial as u32,
        model: 0x0123_4567,
        length: symbols.len(),
        scale: Decibel(0.0),
    };
    Burst { header, symbols }
}

/// Means of |r - h x|^2, and of |x' - x|^2 behind the MMSE equaliser.
fn errors(received: &ReceivedBurst, sent: &[Complex32]) -> [f64; 2] {
    let mut sums = [0.0; 2];
    for ((r, h), x) in received.symbols.iter().zip(&received.csi).zip(sent) {
        let estimate = r * h.conj() / (h.norm_sqr() + received.noise_variance);
        sums[0] += f64::from((r - h * x).norm_sqr());
        sums[1] += f64::from((estimate - x).norm_sqr());
    }
    sums.map(|sum| sum / sent.len() as f64)
}

/// Mean and deviation.
fn moments(values: Vec<f64>) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    (mean, variance.sqrt())
}

const COLUMNS: &str = "| preset | uses | SNR dB | ppm | echoes | spread | no preamble | bad header | lost payload | other \
    | headers lost (95 %) | lost over 3 dB | SNR told, off dB | deviation | error / noise dB | MMSE error (1 + SNR) dB |";

/// Sends many analog bursts and prints what became of them.
fn row(link: &Link, uses: usize, air: Air, trials: usize) {
    let snr = linear(air.snr_db);
    let pass = |trial| {
        let burst = burst(Content::Analog, trial, analog(uses, trial));
        match link.pass(&burst, air, trial) {
            Ok(found) => {
                let [error, equalized] = errors(&found, &burst.symbols);
                Ok([decibel(found.reception.snr.into()), error * snr, equalized * (1.0 + snr)])
            }
            Err(stage) => {
                let power = air.echoes.map_or(1.0, |echoes| power(link, echoes, trial));
                Err((stage, power * snr > linear(3.0)))
            }
        }
    };
    let passed: Vec<_> = (0..trials).into_par_iter().map(pass).collect();
    let of = |part: usize| moments(passed.iter().flatten().map(|found| found[part]).collect());
    let (mut failed, mut strong) = ([0; 4], 0);
    for (stage, is_strong) in passed.iter().filter_map(|found| found.err()) {
        failed[stage as usize] += 1;
        strong += u64::from(is_strong);
    }
    let [preamble, header, payload, other] = failed;
    let rate = (preamble + header) as f64 / trials as f64;
    let Interval { low, high } = clopper_pearson(preamble + header, trials as u64, 0.95).expect("few enough");
    let (echoes, spread) =
        air.echoes.map_or(("none", 0.0), |echoes| (echoes.profile.name(), echoes.delay_spread));
    let ((told, deviation), (error, _), (equalized, _)) = (of(0), of(1), of(2));
    let (error, equalized) = (decibel(error), decibel(equalized));
    let ppm = air.ppm.map_or("up to 40".into(), |ppm| format!("+-{ppm}"));
    print!("| {:6} | {uses} | {:2} | {ppm} | {echoes} | {spread:.2} ", link.name, air.snr_db);
    print!("| {preamble} | {header} | {payload} | {other} | {rate:.1e} ({low:.1e} to {high:.1e}) ");
    println!("| {strong} | {:+.2} | {deviation:.2} | {error:.2} | {equalized:+.3} |", told - air.snr_db);
}

/// What samples go through in each part.
fn airs(link: &Link, part: &str) -> Vec<Air> {
    let prefix = link.grid.numerology().prefix_len as f64;
    // The longest echo comes so many prefixes late.
    let echo = |profile: DelayProfile, prefixes: f64| {
        let delay_spread = prefixes * prefix / profile.longest();
        Some(MultipathConfig { profile, delay_spread, ..MultipathConfig::default() })
    };
    let profiles = [DelayProfile::TdlA, DelayProfile::TdlC, DelayProfile::TdlD];
    let delays = profiles.map(|profile| [0.0, 0.25, 0.5, 1.0, 2.0].map(|prefixes| echo(profile, prefixes)));
    let (ppms, echoes, snrs): (Vec<Option<i32>>, Vec<_>, &[f64]) = match part {
        "loss" => (vec![None], vec![None], &[-1.0, 0.0, 3.0, 10.0]),
        "delay" => (vec![None], delays.concat(), &[10.0, 20.0]),
        "carrier" => ([0, 10, 20, 30, 40].map(Some).into(), vec![None], &[10.0, 20.0]),
        _ => ([0, 20, 40].map(Some).into(), vec![None], &[0.0, 5.0, 10.0, 15.0, 20.0, 25.0]),
    };
    let mut airs = vec![];
    for ppm in ppms {
        for echoes in &echoes {
            airs.extend(snrs.iter().map(|snr_db| Air { snr_db: *snr_db, ppm, echoes: *echoes }));
        }
    }
    airs
}

/// Mean |h|^2 over the carriers.
fn power(link: &Link, config: MultipathConfig, trial: usize) -> f64 {
    let gains = Multipath::new(RngKey::new(SEED), trial, config).expect("possible echoes").gains(0);
    let taps = config.profile.taps();
    let response = |place: &usize| {
        let cycles = f64::from(link.grid.frequency(*place)) / link.grid.numerology().fft_len as f64;
        let path = |(gain, tap): (&Complex32, &Tap)| {
            let turn = Complex64::cis(-TAU * cycles * tap.delay * config.delay_spread);
            Complex64::new(gain.re.into(), gain.im.into()) * turn
        };
        gains.iter().zip(&taps).map(path).sum::<Complex64>().norm_sqr()
    };
    link.grid.occupied().iter().map(response).sum::<f64>() / link.grid.occupied().len() as f64
}

/// Blocks of one format, coded and decoded.
struct Coded {
    format: TransportFormat,
    decoder: LdpcDecoder,
}

impl Coded {
    fn new(scheme: &str, uses: usize) -> Self {
        let scheme: CodedModulation = scheme.parse().expect("a scheme of the grid");
        let format = TransportFormat::new(scheme, uses).expect("room for a byte");
        let rows = format.parity_rows().expect("a possible format");
        let decoder = LdpcDecoder::new(format.code(), rows, DecoderConfig::default()).expect("a decoder");
        Self { format, decoder }
    }

    /// Whether a block does not come back, over samples or, without a link, over symbols.
    fn is_wrong(&self, link: Option<(&Link, i32)>, snr_db: f64, trial: usize) -> bool {
        let mut payload = vec![0; self.format.payload_len()];
        random_bits(&mut RngKey::new(SEED).stream(Purpose::Payload, 0, trial), &mut payload);
        let bits = self.format.block().clone().encode(&payload, 0).expect("a payload of the format");
        let scheme = self.format.scheme();
        let sent = scheme.modulation().map(&bits).expect("whole symbols");
        let noise = linear(-snr_db) as f32;
        let demapper = SoftDemapper::new(scheme.modulation(), Demapping::Exact);
        let llrs = match link {
            None => {
                let mut rng = RngKey::new(SEED).stream(Purpose::NoisePrivate, 0, trial);
                let added = complex_normal(&mut rng, noise, sent.len());
                let received: Vec<Complex32> = sent.iter().zip(added).map(|(x, n)| x + n).collect();
                demapper.demap(&received, &[Complex32::ONE], &[noise])
            }
            Some((link, ppm)) => {
                let air = Air { snr_db, ppm: Some(ppm), echoes: None };
                let burst = burst(Content::Coded(scheme), trial, sent);
                let Ok(found) = link.pass(&burst, air, trial) else { return true };
                demapper.demap(&found.symbols, &found.csi, &[found.noise_variance])
            }
        };
        let block = self.format.block();
        let mut soft = block.soft_blocks();
        block.combine(&llrs.expect("lengths of the format"), 0, &mut soft).expect("LLRs of the format");
        let soft: Vec<&[f32]> = soft.blocks().collect();
        let mut decoder = self.decoder.clone();
        let mut bits = vec![0; soft.len() * decoder.information_len()];
        decoder.decode_many(&soft, &mut bits).expect("LLRs of the code");
        let blocks: Vec<&[u8]> = bits.chunks_exact(decoder.information_len()).collect();
        block.assemble(&blocks).expect("blocks of the format").payload != payload
    }

    /// Es/N0 at which one block in ten is lost, from somewhere below it on.
    fn needed(&self, link: Option<(&Link, i32)>, from: f64, blocks: usize) -> f64 {
        let rate = |snr_db, blocks| {
            let wrong = (0..blocks).into_par_iter().filter(|trial| self.is_wrong(link, snr_db, *trial));
            wrong.count() as f64 / blocks as f64
        };
        // A few blocks tell roughly where.
        let about = (0..40).map(|n| from + 0.25 * f64::from(n)).find(|db| rate(*db, blocks / 8) <= TARGET);
        let Some(about) = about else { return f64::INFINITY };
        let start = rate(about, blocks);
        let step = if start > TARGET { 0.1 } else { -0.1 };
        let (mut last, mut db) = (start, about);
        loop {
            let next = rate(db + step, blocks);
            if (next > TARGET) != (start > TARGET) {
                let log = |rate: f64| rate.max(0.5 / blocks as f64).ln();
                return db + step * (log(last) - log(TARGET)) / (log(last) - log(next));
            }
            (last, db) = (next, db + step);
        }
    }
}

fn coded(links: &[&Link], blocks: usize) {
    for scheme in SCHEMES {
        for uses in USES {
            let code = Coded::new(scheme, uses);
            let limit = decibel(2f64.powf(code.format.scheme().spectral_efficiency()) - 1.0);
            let symbols = code.needed(None, limit, blocks);
            for link in links {
                print!("| {:6} | {scheme} | {uses} | {symbols:.2} |", link.name);
                for ppm in [0, 20] {
                    let samples = code.needed(Some((link, ppm)), symbols - 0.1, blocks);
                    print!(" {samples:.2} | {:+.2} |", samples - symbols);
                }
                println!();
            }
        }
    }
}

fn main() {
    // `cargo test --benches` asks whether it runs at all.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let argument = |name: &str| std::env::args().find_map(|text| Some(text.strip_prefix(name)?.to_owned()));
    let number = |name, default| argument(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (trials, blocks): (usize, usize) = (number("--trials=", 1000), number("--blocks=", 400));
    let only = argument("--only=");
    let is_wanted = |part: &&str| only.as_ref().is_none_or(|only| only == part);
    let links = Numerology::PRESETS.map(Link::new);
    for part in ["loss", "snr", "delay", "carrier"].into_iter().filter(is_wanted) {
        println!("\n{part}, {trials} bursts a row\n{COLUMNS}\n|{}", "--:|".repeat(16));
        for link in &links {
            for uses in if part == "snr" { &USES[..] } else { &USES[..1] } {
                airs(link, part).into_iter().for_each(|air| row(link, *uses, air, trials));
            }
        }
    }
    if is_wanted(&"coded") {
        println!("\ncoded, {blocks} blocks a point; Es/N0 in dB");
        println!(
            "| preset | scheme | uses | symbols | 0 ppm | loss | 20 ppm | loss |\n|{}",
            "--:|".repeat(8)
        );
        coded(&[&links[0], &links[2]], blocks);
    }
}
