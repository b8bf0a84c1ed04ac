//! Receivers under bytes of all kinds: none may panic, and what they return has the agreed size.
//!
//! `SEMEME_FUZZ_CASES=1000000 cargo test --workspace --lib picture::fuzz` runs a million cases; every case
//! has its own number, from which alone it is made. libwebp is reached too, behind the checks of its file.

use super::test_pictures::{noise, scene};
use super::{Packing, PictureCodec, PictureCoder, Setting, Subsampling};
use crate::rng::{KeyedRng, Purpose, RngKey};
use ndarray::ArrayView3;
use rand::Rng;

const DEFAULT_CASES: u64 = 4000;
const SEED: u64 = 71;
const SIZE: (usize, usize) = (19, 26);

fn below(rng: &mut KeyedRng, limit: usize) -> usize {
    rng.next_u32() as usize % limit
}

/// A coder and valid streams of it.
fn targets() -> Vec<(PictureCoder, Vec<Vec<u8>>)> {
    let packings = [(Packing::File, 1), (Packing::Shared, 1), (Packing::Mosaic, 3)];
    let mut targets = Vec::new();
    for codec in [PictureCodec::Jpeg, PictureCodec::Webp] {
        for (packing, num_images) in packings {
            let coder = PictureCoder::new(codec, packing, SIZE, num_images).unwrap();
            let mut streams = Vec::new();
            for quality in [1, 20, 60, 95] {
                let settings = match codec {
                    PictureCodec::Jpeg => {
                        Subsampling::ALL.map(|subsampling| Setting::Jpeg { quality, subsampling })
                    }
                    PictureCodec::Webp => [false, true].map(|sharp| Setting::Webp { quality, sharp }),
                };
                for (seed, setting) in (0..).zip(settings) {
                    let picture = if seed == 0 { scene } else { noise };
                    let images: Vec<_> = (0..num_images as u64).map(|n| picture(SIZE.0, SIZE.1, n)).collect();
                    let views: Vec<ArrayView3<'_, u8>> = images.iter().map(|image| image.view()).collect();
                    streams.push(coder.encode(&views, setting).unwrap());
                    if quality == 1 && seed == 0 {
                        streams.push(coder.encode(&views, Setting::MeanColour).unwrap());
                    }
                }
            }
            targets.push((coder, streams));
        }
    }
    targets
}

/// A stream as no sender makes it.
fn damaged(stream: &[u8], other: &[u8], rng: &mut KeyedRng) -> Vec<u8> {
    let mut bytes = stream.to_vec();
    match below(rng, 6) {
        // Nothing but random bytes, which may begin as the stream does.
        0 => {
            bytes = (0..below(rng, 700)).map(|_| rng.next_u32() as u8).collect();
            let kept = below(rng, 40).min(bytes.len()).min(stream.len());
            bytes[..kept].copy_from_slice(&stream[..kept]);
        }
        // Bit errors anywhere.
        1 => flip_bits(&mut bytes, rng),
        // Bit errors in what stands at the beginning: the headers.
        2 => {
            let len = bytes.len().min(1 + below(rng, 64));
            flip_bits(&mut bytes[..len], rng);
        }
        // Bytes missing at the end or in the middle.
        3 => bytes.truncate(below(rng, stream.len() + 1)),
        4 => {
            let start = below(rng, bytes.len());
            let end = (start + 1 + below(rng, 20)).min(bytes.len());
            bytes.drain(start..end);
        }
        // The beginning of one stream, the end of another.
        _ => {
            bytes.truncate(below(rng, stream.len() + 1));
            bytes.extend(&other[below(rng, other.len())..]);
        }
    }
    bytes
}

fn flip_bits(bytes: &mut [u8], rng: &mut KeyedRng) {
    for _ in 0..1 + below(rng, 12) {
        let place = below(rng, bytes.len());
        bytes[place] ^= 1 << below(rng, 8);
    }
}

#[test]
fn receivers_survive_damaged_streams() {
    let cases = std::env::var("SEMEME_FUZZ_CASES").map_or(DEFAULT_CASES, |cases| cases.parse().unwrap());
    let targets = targets();
    let mut refused = vec![0u64; targets.len()];
    for case in 0..cases {
        let mut rng = RngKey::new(SEED).stream(Purpose::Scene, case, 0);
        let number = below(&mut rng, targets.len());
        let (coder, streams) = &targets[number];
        let [stream, other] = [(); 2].map(|()| &streams[below(&mut rng, streams.len())]);
        match coder.decode(&damaged(stream, other, &mut rng)) {
            Ok(images) => {
                assert_eq!(images.len(), coder.num_images(), "case {case}");
                assert!(images.iter().all(|image| image.dim() == (SIZE.0, SIZE.1, 3)), "case {case}");
            }
            Err(_) => refused[number] += 1,
        }
    }
    println!("{cases} cases; refused by each receiver: {refused:?}");
    // Some damage is noticed and some is not, by every receiver.
    let each = cases / targets.len() as u64;
    assert!(refused.iter().all(|refused| (each / 5..each).contains(refused)), "{refused:?}");
}
