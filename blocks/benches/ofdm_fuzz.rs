//! What nobody should send, into headers and receivers.
//!
//! | measure | bar |
//! |---|---|
//! | random words, and random symbols, taken for headers | none beyond chance |
//! | headers delivered from spoilt bursts that nobody sent | none |
//! | values delivered that are NaN or infinite | none |
//! | memory of a reader | below 4 MiB at any time |
//! | panics | none |
//!
//! Run with `cargo bench -p sememe-blocks --bench ofdm_fuzz [-- --frames=N]`. Every thousand frames have their own number,
//! from which alone they are made.

use num_complex::Complex32;
use rand::Rng;
use rayon::prelude::*;
use sememe_blocks::Decibel;
use sememe_blocks::coding::ldpc::BaseGraph;
use sememe_blocks::coding::scrambler::scramble_bits;
use sememe_blocks::coding::{CodeBlock, Crc};
use sememe_blocks::frame::Destination;
use sememe_blocks::framing::{BurstReader, Content, Header, HeaderCode, HeaderFault, ReaderCounts};
use sememe_blocks::kernel::Demodulator;
use sememe_blocks::modem::Modulation;
use sememe_blocks::ofdm::{BurstModulator, Numerology, ResourceGrid};
use sememe_blocks::rng::{KeyedRng, Purpose, RngKey, complex_normal, random_bits};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::HashSet;
use std::time::Instant;

const SEED: u64 = 301;
/// 40 ppm of 2.45 GHz, in cycles per sample of `narrow`.
const MOST_OFFSET: f64 = 0.098;
/// Frames of one stream.
const PER_STREAM: usize = 1000;
/// Bursts that a stream is made of, before they are spoilt.
const POOL: usize = 48;
/// Start of the sequence that whitens headers.
const HEADER_SEED: u32 = 0x0048_4452;
const MOST_BYTES: isize = 4 << 20;

/// Counts the bytes that each thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
}

fn held() -> isize {
    HELD.with(Cell::get)
}

// SAFETY: everything is left to the allocator of the system.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends no longer counts.
        let _ = HELD.try_with(|held| held.set(held.get() + layout.size() as isize));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let _ = HELD.try_with(|held| held.set(held.get() - layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn stream(purpose: Purpose, number: usize) -> KeyedRng {
    RngKey::new(SEED).stream(purpose, 0, number)
}

fn below(rng: &mut KeyedRng, limit: usize) -> usize {
    rng.next_u32() as usize % limit
}

fn grid() -> ResourceGrid {
    ResourceGrid::new(Numerology::NARROW).expect("a preset")
}

/// Bits as fields and check of a header.
fn random_word(rng: &mut KeyedRng) -> [u8; Header::BITS + 24] {
    let mut word = [0; Header::BITS + 24];
    random_bits(rng, &mut word);
    word
}

fn header(rng: &mut KeyedRng, length: usize) -> Header {
    let num_users = 1 + below(rng, 4095);
    Header {
        content: Content::Analog,
        destination: Destination::User(below(rng, num_users)),
        group: below(rng, num_users),
        num_users,
        frame: rng.next_u32(),
        model: rng.next_u32(),
        length,
        scale: Decibel(below(rng, 30_721) as f32 / 256.0 - 60.0),
    }
}

/// The symbols of a header of any fields under any check.
fn forged(code: &HeaderCode, word: &[u8]) -> Vec<Complex32> {
    let mut block = CodeBlock::new(BaseGraph::Two, word.len(), 2).expect("a block of that length");
    let mut coded = vec![0; 2 * code.num_values()];
    block.encode(word, 0, &mut coded).expect("bits");
    scramble_bits(HEADER_SEED, &mut coded);
    Modulation::Qpsk.map(&coded).expect("bits")
}

/// Random words as bits of headers: fields that are possible, checks that hold, both.
fn words(frames: usize) -> [u64; 3] {
    let of = |number| {
        let mut rng = stream(Purpose::Payload, number);
        let mut counts = [0; 3];
        for _ in 0..PER_STREAM {
            let word = random_word(&mut rng);
            let fields = &word[..Header::BITS];
            let found = Header::from_bits(fields, (1 << 24) - 1);
            let holds = Crc::Crc24A.holds(&word).expect("bits");
            if let Ok(header) = found {
                assert_eq!(header.to_bits().expect("what was read can be sent"), fields);
            }
            counts[0] += u64::from(found.is_ok());
            counts[1] += u64::from(holds);
            counts[2] += u64::from(found.is_ok() && holds);
        }
        counts
    };
    (0..frames.div_ceil(PER_STREAM)).into_par_iter().map(of).reduce(|| [0; 3], add)
}

fn add<const N: usize>(mut a: [u64; N], b: [u64; N]) -> [u64; N] {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

/// Any bit patterns, NaN and subnormal numbers among them.
fn any_values(rng: &mut KeyedRng, len: usize) -> Vec<Complex32> {
    let mut value = || f32::from_bits(rng.next_u32());
    (0..len).map(|_| Complex32::new(value(), value())).collect()
}

/// Random symbols as headers: taken for one that was sent, for one that was not, check held but fields did not.
fn symbols(frames: usize) -> [u64; 3] {
    let prototype = HeaderCode::new(&grid()).expect("a preset");
    let of = |number| {
        let (mut code, mut rng) = (prototype.clone(), stream(Purpose::NoisePrivate, number));
        let len = code.num_values();
        let mut counts = [0; 3];
        for frame in 0..PER_STREAM {
            let length = 1 + below(&mut rng, 1000);
            let sent = header(&mut rng, length);
            let mut csi = vec![Complex32::ONE; len];
            let mut noise = [0.5, 1e-3, 1e3, 0.0, -1.0, f32::NAN][below(&mut rng, 6)];
            let received = match frame % 4 {
                0 => {
                    let power = 10f32.powi(below(&mut rng, 9) as i32 - 4);
                    complex_normal(&mut rng, power, len)
                }
                1 => any_values(&mut rng, len),
                2 => {
                    csi = any_values(&mut rng, len);
                    complex_normal(&mut rng, 1.0, len)
                }
                // A header, most of which was replaced.
                _ => {
                    noise = 0.5;
                    let mut values = code.encode(&sent).expect("possible fields");
                    let kept = below(&mut rng, len);
                    let other = complex_normal(&mut rng, 1.0, len - kept);
                    values[kept..].copy_from_slice(&other);
                    values
                }
            };
            match code.decode(&received, &csi, noise, 40_000).expect("as many symbols as a header has") {
                Ok(found) => counts[usize::from(found != sent)] += 1,
                Err(HeaderFault::Range(_)) => counts[2] += 1,
                Err(HeaderFault::Check) => {}
            }
        }
        counts
    };
    (0..frames.div_ceil(PER_STREAM)).into_par_iter().map(of).reduce(|| [0; 3], add)
}

/// Bursts before they are spoilt, and the bits of their headers.
struct Pool {
    bursts: Vec<Vec<Complex32>>,
    headers: HashSet<Vec<u8>>,
    /// Of those whose checks fail: what they were before up to three bits were turned.
    turned: HashSet<Vec<u8>>,
}

impl Pool {
    /// Headers whose lengths are right or wrong, whose fields are possible or not, and, every fourth, whose check fails.
    fn new(rng: &mut KeyedRng, code: &HeaderCode, modulator: &mut BurstModulator) -> Self {
        let (mut bursts, mut headers, mut turned) = (vec![], HashSet::new(), HashSet::new());
        for number in 0..POOL {
            let uses = 1 + below(rng, 100);
            let length = match number % 8 {
                // Longer or shorter than what follows, in one case by up to 100 ms.
                1 => 1 + below(rng, 400),
                5 if number == 5 => 1 + below(rng, 39_000),
                _ => uses,
            };
            let mut fields = header(rng, length).to_bits().expect("possible fields");
            if number % 8 == 3 {
                random_bits(rng, &mut fields);
            }
            let mut word = Crc::Crc24A.attach(&fields).expect("bits");
            if number % 4 == 2 {
                // Up to three turned bits are never a word of the check.
                (0..1 + below(rng, 3)).for_each(|turn| word[below(rng, 60) * 3 + turn] ^= 1);
                turned.insert(fields);
            } else {
                headers.insert(fields);
            }
            let mut values = forged(code, &word);
            values.extend(complex_normal(rng, 1.0, uses));
            bursts.push(modulator.modulate(&values).expect("finite values"));
        }
        Self { bursts, headers, turned }
    }

    fn any(&self, rng: &mut KeyedRng) -> &[Complex32] {
        &self.bursts[below(rng, POOL)]
    }

    /// The samples of one spoilt burst.
    fn spoilt(&self, rng: &mut KeyedRng) -> Vec<Complex32> {
        let mut samples = self.any(rng).to_vec();
        let len = samples.len();
        match below(rng, 10) {
            0 => samples.truncate(below(rng, len)),
            1 => {
                samples.truncate(below(rng, len));
                let other = self.any(rng);
                samples.extend_from_slice(&other[below(rng, other.len())..]);
            }
            2 => samples.extend_from_within(..),
            3 => {
                let (other, at) = (self.any(rng), below(rng, len));
                samples.resize(len.max(at + other.len()), Complex32::ZERO);
                samples[at..].iter_mut().zip(other).for_each(|(sample, other)| *sample += other);
            }
            4 => {
                let scale = 10f32.powf(below(rng, 4001) as f32 / 100.0 - 20.0);
                samples.iter_mut().for_each(|sample| *sample *= scale);
            }
            5 => {
                let wrong = [f32::NAN, f32::INFINITY, -f32::MAX, 1e9][below(rng, 4)];
                let count = 1 + below(rng, 200);
                (0..count).for_each(|_| samples[below(rng, len)].im = wrong);
            }
            6 => {
                let len = below(rng, 3000);
                let garbage = match below(rng, 4) {
                    0 => any_values(rng, len),
                    1 => vec![Complex32::new(1.0, -3.0); len],
                    2 => vec![Complex32::ZERO; len],
                    _ => {
                        let power = 10f32.powi(below(rng, 16) as i32 - 8);
                        complex_normal(rng, power, len)
                    }
                };
                samples.splice(..0, garbage);
            }
            7 => {
                let power = 0.01 * (1 + below(rng, 100)) as f32;
                let noise = complex_normal(rng, power, len);
                samples.iter_mut().zip(noise).for_each(|(sample, noise)| *sample += noise);
            }
            // Some are left whole.
            _ => {}
        }
        samples
    }
}

/// What came of streams.
#[derive(Clone, Copy, Default)]
struct Tally {
    /// Bursts; with headers as they were before bits were turned; with those nobody sent; with values that are none.
    delivered: [u64; 4],
    seen: [u64; 6],
    most_bytes: isize,
}

fn read(number: usize, prototype: &(BurstReader, HeaderCode, BurstModulator)) -> Tally {
    let (mut reader, code, mut modulator) = prototype.clone();
    let mut rng = stream(Purpose::Scene, number);
    let pool = Pool::new(&mut rng, &code, &mut modulator);
    let (mut found, mut tally) = (vec![], Tally::default());
    let before = held();
    for _ in 0..PER_STREAM {
        let samples = pool.spoilt(&mut rng);
        match below(&mut rng, 40) {
            0 => reader.tear(),
            1 => {
                let missing = below(&mut rng, 3000) as u64;
                reader.skip(missing, &mut found).expect("any gap does");
            }
            _ => {}
        }
        let piece = 1 + below(&mut rng, 4000);
        for piece in samples.chunks(piece) {
            reader.read(piece, &mut found).expect("any samples do");
        }
        for burst in found.drain(..) {
            let bits = burst.header.to_bits().expect("what was read can be sent");
            let is_turned = pool.turned.contains(&bits);
            let is_sent = is_turned || pool.headers.contains(&bits);
            let values = burst.symbols.iter().chain(&burst.csi);
            let is_sound = burst.noise_variance.is_finite()
                && burst.noise_variance > 0.0
                && (burst.symbols.len(), burst.csi.len()) == (burst.header.length, burst.header.length)
                && values.into_iter().all(|value| value.is_finite());
            let counts = [1, u64::from(is_turned), u64::from(!is_sent), u64::from(!is_sound)];
            tally.delivered = add(tally.delivered, counts);
        }
        drop(samples);
        tally.most_bytes = tally.most_bytes.max(held() - before);
    }
    let ReaderCounts { samples, preambles, bad_checks, bad_fields, lost, not_samples, .. } = reader.counts();
    tally.seen = [samples, preambles, bad_checks, bad_fields, lost, not_samples];
    tally
}

fn main() {
    // `cargo test --benches` asks whether it runs at all.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let of = |text: String| text.strip_prefix("--frames=")?.parse().ok();
    let frames = std::env::args().find_map(of).unwrap_or(20_000usize).next_multiple_of(PER_STREAM);
    let millions = frames as f64 / 1e6;
    let start = Instant::now();
    let [fields, checks, both] = words(frames);
    // Of all words, 1.04e-5 have possible fields and 6e-8 hold their check.
    println!(
        "{frames} random words: {fields} have possible fields (by chance {:.1}), {checks} hold their check (by chance {:.2}), {both} are headers",
        10.43 * millions,
        millions * 1e6 / 16_777_216.0
    );
    println!("  {:.0} s", start.elapsed().as_secs_f64());

    let start = Instant::now();
    let [right, wrong, range] = symbols(frames);
    println!(
        "{frames} vectors of symbols: {right} taken for the header in them, {wrong} for another one, {range} refused for a field"
    );
    println!("  {:.0} s", start.elapsed().as_secs_f64());

    let start = Instant::now();
    let grid = grid();
    let prototype = (
        BurstReader::new(&grid, MOST_OFFSET).expect("an offset"),
        HeaderCode::new(&grid).expect("a preset"),
        BurstModulator::new(&grid).expect("a preset"),
    );
    let join = |a: Tally, b: Tally| Tally {
        delivered: add(a.delivered, b.delivered),
        seen: add(a.seen, b.seen),
        most_bytes: a.most_bytes.max(b.most_bytes),
    };
    let streams = (0..frames / PER_STREAM).into_par_iter().map(|number| read(number, &prototype));
    let Tally { delivered: [bursts, turned, forged, unsound], seen, most_bytes } =
        streams.reduce(Tally::default, join);
    let [samples, preambles, bad_checks, bad_fields, lost, not_samples] = seen;
    println!(
        "{frames} spoilt bursts in {samples} samples, {not_samples} of them none: {preambles} preambles"
    );
    println!(
        "  {bad_checks} checks failed, {bad_fields} refused for a field, {lost} lost, {bursts} delivered"
    );
    println!("  {turned} with a header of which up to three bits had been turned, as it was before");
    println!("  {forged} with a header that nobody sent, {unsound} with values that are none");
    println!("  memory grew by {} KiB at most, {:.0} s", most_bytes >> 10, start.elapsed().as_secs_f64());
    assert!(wrong + forged + unsound == 0 && most_bytes < MOST_BYTES, "a bar is not kept");
}
