//! Headers and bursts as nobody should send them: none may bring a receiver down, pass for another, or fill its memory.
//!
//! `ofdm_fuzz` in `benches` sends a million, and more kinds of them. Every case has its own number, from which alone it is
//! made.

use super::header::tests::header;
use super::*;
use crate::coding::ldpc::BaseGraph;
use crate::coding::scrambler::scramble_bits;
use crate::coding::{CodeBlock, Crc};
use crate::frame::Destination;
use crate::kernel::Demodulator;
use crate::modem::Modulation;
use crate::ofdm::{BurstModulator, Numerology, ResourceGrid};
use crate::rng::{KeyedRng, Purpose, RngKey, complex_normal, random_bits};
use num_complex::Complex32;
use rand::Rng;

const SEED: u64 = 89;
/// Start of the sequence that whitens headers.
const HEADER_SEED: u32 = 0x0048_4452;
/// 40 ppm of 2.45 GHz, in cycles per sample of `narrow`.
const MOST_OFFSET: f64 = 0.098;

fn stream(case: u64) -> KeyedRng {
    RngKey::new(SEED).stream(Purpose::Scene, case, 0)
}

fn below(rng: &mut KeyedRng, limit: usize) -> usize {
    rng.next_u32() as usize % limit
}

/// Any bit patterns, NaN and subnormal numbers among them.
fn any_values(rng: &mut KeyedRng, len: usize) -> Vec<Complex32> {
    let mut value = || f32::from_bits(rng.next_u32());
    (0..len).map(|_| Complex32::new(value(), value())).collect()
}

/// The symbols of a header of any fields under any check.
fn forged(code: &HeaderCode, word: &[u8]) -> Vec<Complex32> {
    let mut block = CodeBlock::new(BaseGraph::Two, word.len(), 2).unwrap();
    let mut coded = vec![0; 2 * code.num_values()];
    block.encode(word, 0, &mut coded).unwrap();
    scramble_bits(HEADER_SEED, &mut coded);
    Modulation::Qpsk.map(&coded).unwrap()
}

#[test]
fn no_random_word_and_no_random_symbols_are_a_header() {
    let mut code = HeaderCode::new(&ResourceGrid::new(Numerology::NARROW).unwrap()).unwrap();
    let len = code.num_values();
    let mut rng = stream(0);
    for case in 0..20_000 {
        let mut word = [0; Header::BITS + 24];
        random_bits(&mut rng, &mut word);
        let fields = &word[..Header::BITS];
        let found = Header::from_bits(fields, 1 << 20);
        // One word in 17 million has a right check, one in a million possible fields.
        assert!(found.is_err() || !Crc::Crc24A.holds(&word).unwrap(), "case {case}");
        assert!(found.is_err() || found.unwrap().to_bits().unwrap() == fields, "case {case}");
    }
    let sent = code.encode(&header()).unwrap();
    assert_eq!(forged(&code, &Crc::Crc24A.attach(&header().to_bits().unwrap()).unwrap()), sent);
    for case in 0..2000 {
        let received =
            if case % 2 == 0 { any_values(&mut rng, len) } else { complex_normal(&mut rng, 9.0, len) };
        let csi = if case % 3 == 0 { any_values(&mut rng, len) } else { sent.clone() };
        let noise = [0.5, 1e-3, 0.0, -1.0, f32::NAN][case % 5];
        let found = code.decode(&received, &csi, noise, 1 << 20).unwrap();
        assert_eq!(found, Err(HeaderFault::Check), "case {case}");
    }
}

/// Samples of bursts, spoilt, and the headers that are in them.
struct Spoilt {
    bursts: Vec<Vec<Complex32>>,
    headers: Vec<Header>,
}

impl Spoilt {
    /// Every fourth header has a wrong check, every fifth a wrong length.
    fn new(rng: &mut KeyedRng) -> Self {
        let grid = ResourceGrid::new(Numerology::NARROW).unwrap();
        let code = HeaderCode::new(&grid).unwrap();
        let mut modulator = BurstModulator::new(&grid).unwrap();
        let (mut bursts, mut headers) = (vec![], vec![]);
        for frame in 0..40 {
            let uses = 1 + below(rng, 100);
            let length = if frame % 5 == 0 { 1 + below(rng, 400) } else { uses };
            let destination = Destination::User(below(rng, 6));
            let header = Header { frame, length, destination, ..header() };
            let mut word = Crc::Crc24A.attach(&header.to_bits().unwrap()).unwrap();
            if frame % 4 == 0 {
                word[below(rng, Header::BITS)] ^= 1;
            } else {
                headers.push(header);
            }
            let mut values = forged(&code, &word);
            values.extend(complex_normal(rng, 1.0, uses));
            bursts.push(modulator.modulate(&values).unwrap());
        }
        Self { bursts, headers }
    }

    fn any(&self, rng: &mut KeyedRng) -> &[Complex32] {
        &self.bursts[below(rng, self.bursts.len())]
    }

    fn samples(&self, rng: &mut KeyedRng) -> Vec<Complex32> {
        let mut samples = self.any(rng).to_vec();
        let (len, other) = (samples.len(), self.any(rng));
        match below(rng, 8) {
            0 => samples.truncate(below(rng, len)),
            1 => {
                samples.truncate(below(rng, len));
                samples.extend_from_slice(&other[below(rng, other.len())..]);
            }
            2 => samples.extend_from_within(..),
            3 => {
                let at = below(rng, len);
                samples.resize(len.max(at + other.len()), Complex32::ZERO);
                samples[at..].iter_mut().zip(other).for_each(|(sample, other)| *sample += other);
            }
            4 => {
                let scale = 10f32.powi(below(rng, 41) as i32 - 20);
                samples.iter_mut().for_each(|sample| *sample *= scale);
            }
            5 => {
                let wrong = [f32::NAN, f32::INFINITY, -f32::MAX, 1e9][below(rng, 4)];
                (0..100).for_each(|_| samples[below(rng, len)].im = wrong);
            }
            6 => {
                let garbage = below(rng, 3000);
                samples.extend(any_values(rng, garbage));
            }
            _ => {}
        }
        samples
    }
}

#[test]
fn spoilt_bursts_deliver_only_what_was_sent_and_memory_stays_bounded() {
    let mut rng = stream(1);
    let spoilt = Spoilt::new(&mut rng);
    let grid = ResourceGrid::new(Numerology::NARROW).unwrap();
    let mut reader = BurstReader::new(&grid, MOST_OFFSET).unwrap();
    // All values that a reader holds stand in its text, in less than 50 letters each.
    let text_len = |reader: &BurstReader| format!("{reader:?}").len();
    let before = text_len(&reader);
    let mut found = vec![];
    for case in 0..3000 {
        let samples = spoilt.samples(&mut rng);
        match case % 50 {
            10 => reader.tear(),
            20 => reader.skip(below(&mut rng, 3000) as u64, &mut found).unwrap(),
            _ => {}
        }
        let piece = 1 + below(&mut rng, 4000);
        samples.chunks(piece).for_each(|piece| reader.read(piece, &mut found).unwrap());
        for burst in found.drain(..) {
            assert!(spoilt.headers.contains(&burst.header), "case {case}: {:?}", burst.header);
            let mut values = burst.symbols.iter().chain(&burst.csi);
            assert!(values.all(|value| value.is_finite()) && burst.noise_variance.is_finite(), "case {case}");
            assert_eq!((burst.symbols.len(), burst.csi.len()), (burst.header.length, burst.header.length));
        }
        if case % 500 == 499 {
            assert!(text_len(&reader) < before + 50 * 50_000, "case {case}: {}", text_len(&reader) - before);
        }
    }
    reader.finish(&mut found).unwrap();
    let counts = reader.counts();
    assert!(counts.bursts > 500 && counts.bad_checks > 500 && counts.lost > 50, "{counts:?}");
}
