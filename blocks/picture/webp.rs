//! Lossy WebP through libwebp, as files or without what both ends know.
//!
//! A simple file is 20 bytes of container, 10 bytes of VP8 key-frame header and the VP8 data. Of the header
//! only the length of the first partition does not follow from the picture's size. It travels in one byte up
//! to 239, in three beyond. Source: RFC 9649, section 2.5; RFC 6386, section 9.1.

use super::codec::{Damaged, Packing, Setting};
use super::ladder::Rung;
use super::planar::PlanarImage;
use crate::{BlockError, Result};

/// Bytes of a file before the VP8 data.
const HEAD_LEN: usize = 30;
/// Bytes of a file that its length fields do not count, before the VP8 chunk's content.
const CONTAINER_LEN: usize = 20;
/// First byte from which two more bytes of a partition's length follow.
const LONG: u8 = 240;
/// From this quality on, sharp colour planes are tried too: below, quantisation hides what they gain.
const SHARP_FROM: u8 = 50;

/// The stream of a picture.
///
/// - quality: 0 to 100; sharp: whether colours are chosen for what they give after upsampling
/// - errors: what libwebp says
pub(super) fn encode(image: &PlanarImage, quality: u8, sharp: bool, packing: Packing) -> Result<Vec<u8>> {
    encode_interleaved(&image.to_interleaved(), (image.height, image.width), quality, sharp, packing)
}

fn encode_interleaved(
    pixels: &[u8],
    (height, width): (usize, usize),
    quality: u8,
    sharp: bool,
    packing: Packing,
) -> Result<Vec<u8>> {
    let failed = |reason: String| BlockError::Kernel(format!("libwebp: {reason}"));
    let mut config =
        webp::WebPConfig::new().map_err(|()| failed("another version than it was built for".into()))?;
    config.quality = f32::from(quality);
    // The most thorough search. One segment: side information of more costs small pictures 0.7 dB.
    config.method = 6;
    config.segments = 1;
    config.use_sharp_yuv = i32::from(sharp);
    if packing == Packing::Mosaic {
        // The deblocking filter would smooth images into each other.
        config.filter_strength = 0;
    }
    // Sides are at most 16,383.
    let encoder = webp::Encoder::from_rgb(pixels, width as u32, height as u32);
    let file = encoder.encode_advanced(&config).map_err(|error| failed(format!("{error:?}")))?;
    match packing {
        Packing::File | Packing::Mosaic => Ok(file.to_vec()),
        Packing::Shared => {
            strip(&file, (height, width)).map_err(|error| failed(format!("wrote no simple file: {error}")))
        }
    }
}

/// Appends all settings whose stream fits.
///
/// - longest: streams with more bytes are left out, which saves decoding them
/// - psnr_db: quality of a decoded picture
/// - errors: what libwebp says
pub(super) fn search(
    image: &PlanarImage,
    packing: Packing,
    longest: usize,
    psnr_db: impl Fn(&PlanarImage) -> f64,
    found: &mut Vec<Rung>,
) -> Result<()> {
    let size = (image.height, image.width);
    let pixels = image.to_interleaved();
    for quality in 0..=100 {
        for sharp in [false, true].into_iter().filter(|sharp| !sharp || quality >= SHARP_FROM) {
            let stream = encode_interleaved(&pixels, size, quality, sharp, packing)?;
            if stream.len() <= longest {
                let decoded = decode(&stream, packing, size)
                    .map_err(|error| BlockError::Kernel(format!("libwebp's own picture: {error}")))?;
                let setting = Setting::Webp { quality, sharp };
                found.push(Rung { setting, bytes: stream.len(), psnr_db: psnr_db(&decoded) });
            }
        }
    }
    Ok(())
}

/// The picture in a stream, which may be followed by anything.
///
/// - size: height and width that the picture must have
/// - errors: another size, or bytes that are no such stream
pub(super) fn decode(bytes: &[u8], packing: Packing, size: (usize, usize)) -> Result<PlanarImage, Damaged> {
    let restored;
    let file = match packing {
        Packing::File | Packing::Mosaic => simple_file(bytes, size)?.0,
        Packing::Shared => {
            restored = restore(bytes, size)?;
            &restored
        }
    };
    // Only simple lossy files of the agreed size get here, so what libwebp allocates is bounded.
    let picture = webp::Decoder::new(file).decode().ok_or(Damaged::because("libwebp finds no picture"))?;
    let (height, width) = size;
    if (picture.height() as usize, picture.width() as usize, picture.len())
        != (height, width, 3 * height * width)
    {
        return Err(Damaged::because("the picture has another size"));
    }
    Ok(PlanarImage::from_interleaved(height, width, &picture))
}

/// Fields of a VP8 frame tag: a key frame of version 0 that is shown.
const TAG_OF_KEY_FRAME: u32 = 0x10;
/// Bits of the tag's first byte that hold the version, which names a kind of loop filter. The frame header
/// names it again, and that is what decoders of key frames go by.
const VERSION: u8 = 0x0E;

/// A file that begins the given bytes, and the length of its first partition.
///
/// - errors: anything but a simple lossy file of this size, of any version
fn simple_file(bytes: &[u8], size: (usize, usize)) -> Result<(&[u8], u32), Damaged> {
    const OTHER: Damaged = Damaged::because("not a simple lossy WebP file of this size");
    let head = bytes.first_chunk::<HEAD_LEN>().ok_or(OTHER)?;
    let len = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
    let file = len.checked_add(8).and_then(|len| bytes.get(..len)).ok_or(OTHER)?;
    let chunk_len = u32::from_le_bytes([head[16], head[17], head[18], head[19]]);
    let tag = u32::from_le_bytes([head[20], head[21], head[22], 0]);
    let partition_len = tag >> 5;
    let expected = head_of(chunk_len, partition_len, size);
    // Chunks are padded to an even length.
    let padded =
        (chunk_len as usize).checked_add(CONTAINER_LEN).and_then(|len| len.checked_next_multiple_of(2));
    let mut known = *head;
    known[20] &= !VERSION;
    if expected != Some(known) || padded != Some(file.len()) {
        return Err(OTHER);
    }
    Ok((file, partition_len))
}

/// The first bytes of a simple file; `None` where a number is too large for its field.
fn head_of(chunk_len: u32, partition_len: u32, (height, width): (usize, usize)) -> Option<[u8; HEAD_LEN]> {
    let file_len = chunk_len.checked_next_multiple_of(2)?.checked_add(CONTAINER_LEN as u32 - 8)?;
    let [height, width] = [height, width].map(|side| u16::try_from(side).ok().filter(|side| *side < 1 << 14));
    let tag = TAG_OF_KEY_FRAME | partition_len.checked_mul(32).filter(|field| *field < 1 << 24)?;
    let parts: [&[u8]; 8] = [
        b"RIFF",
        &file_len.to_le_bytes(),
        b"WEBPVP8 ",
        &chunk_len.to_le_bytes(),
        &tag.to_le_bytes()[..3],
        &[0x9D, 0x01, 0x2A],
        &width?.to_le_bytes(),
        &height?.to_le_bytes(),
    ];
    parts.concat().try_into().ok()
}

/// The stream of a file without its known bytes.
fn strip(file: &[u8], size: (usize, usize)) -> Result<Vec<u8>, Damaged> {
    let (file, partition_len) = simple_file(file, size)?;
    if file[20] & VERSION != 0 {
        return Err(Damaged::because("a version that is not 0"));
    }
    let chunk_len = u32::from_le_bytes([file[16], file[17], file[18], file[19]]) as usize;
    let data = file.get(HEAD_LEN..CONTAINER_LEN + chunk_len).ok_or(Damaged::because("no VP8 data"))?;
    let mut stream = match partition_len {
        0 => return Err(Damaged::because("an empty first partition")),
        len if len < u32::from(LONG) => vec![len as u8],
        // 19 bits: the upper 3 with the mark, the lower 16 behind it.
        len => vec![LONG | (len >> 16) as u8, (len >> 8) as u8, len as u8],
    };
    stream.extend(data);
    Ok(stream)
}

/// The file of a stripped stream.
fn restore(stream: &[u8], size: (usize, usize)) -> Result<Vec<u8>, Damaged> {
    let (partition_len, data) = match stream {
        [0, ..] => return Err(Damaged::because("an empty first partition")),
        [len, data @ ..] if *len < LONG => (u32::from(*len), data),
        [high, middle, low, data @ ..] => (u32::from_be_bytes([0, high & 15, *middle, *low]), data),
        _ => return Err(Damaged::because("a stream without picture")),
    };
    let chunk_len = u32::try_from(data.len() + HEAD_LEN - CONTAINER_LEN).ok();
    let head = chunk_len.and_then(|len| head_of(len, partition_len, size));
    let head = head.ok_or(Damaged::because("a partition that is too long"))?;
    let padding = &[0][..data.len() % 2];
    Ok([&head[..], data, padding].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::psnr_db;
    use crate::picture::test_pictures::{noise, scene};

    fn planar(image: &ndarray::Array3<u8>) -> PlanarImage {
        PlanarImage::from_interleaved(image.dim().0, image.dim().1, image.as_slice().unwrap())
    }

    #[test]
    fn stripping_and_restoring_gives_the_file_again() {
        // Noise of this size has a first partition beyond 239 bytes at high quality.
        for (image, qualities) in [(scene(33, 20, 1), [0, 40, 75]), (noise(400, 400, 2), [1, 50, 95])] {
            let (image, size) = (planar(&image), (image.dim().0, image.dim().1));
            for quality in qualities {
                let file = encode(&image, quality, false, Packing::File).unwrap();
                let stream = encode(&image, quality, false, Packing::Shared).unwrap();
                let long = simple_file(&file, size).unwrap().1 >= 240;
                let saved = file.len() - stream.len();
                assert!((if long { 27..=28 } else { 29..=30 }).contains(&saved), "{saved}");
                assert_eq!(restore(&stream, size).unwrap(), file);
                assert_ne!(stream[0], 0);
            }
        }
    }

    #[test]
    fn what_follows_a_stream_does_not_change_its_picture() {
        let image = planar(&scene(20, 20, 3));
        for packing in [Packing::File, Packing::Shared] {
            for quality in [0, 30, 90] {
                let stream = encode(&image, quality, true, packing).unwrap();
                let decoded = decode(&stream, packing, (20, 20)).unwrap();
                for filling in [0, 0xFF] {
                    let padded = [&stream[..], &[filling; 33]].concat();
                    assert_eq!(decode(&padded, packing, (20, 20)).unwrap(), decoded);
                }
            }
        }
    }

    #[test]
    fn what_is_promised_is_what_streams_give() {
        let image = planar(&scene(16, 24, 4));
        let score = |decoded: &PlanarImage| psnr_db(image.error_in(decoded, 0, 0, (16, 24)));
        for packing in [Packing::File, Packing::Shared] {
            let mut found = Vec::new();
            search(&image, packing, 300, score, &mut found).unwrap();
            assert!(found.len() > 30);
            for rung in found.iter().step_by(7) {
                let Setting::Webp { quality, sharp } = rung.setting else { panic!("{rung:?}") };
                let stream = encode(&image, quality, sharp, packing).unwrap();
                assert_eq!(stream.len(), rung.bytes);
                assert_eq!(score(&decode(&stream, packing, (16, 24)).unwrap()), rung.psnr_db);
            }
        }
    }

    #[test]
    fn files_of_another_kind_or_size_are_refused() {
        let image = planar(&scene(20, 24, 5));
        let file = encode(&image, 50, false, Packing::File).unwrap();
        assert!(decode(&file, Packing::File, (20, 24)).is_ok());
        assert!(decode(&file, Packing::File, (24, 20)).is_err());
        for place in (0..20).chain(23..30) {
            let mut changed = file.clone();
            changed[place] ^= 0x41;
            assert!(decode(&changed, Packing::File, (20, 24)).is_err(), "{place}");
        }
        for len in 0..file.len() {
            assert!(decode(&file[..len], Packing::File, (20, 24)).is_err(), "{len}");
        }
        let lossless = webp::Encoder::from_rgb(&image.to_interleaved(), 24, 20).encode_lossless();
        assert!(decode(&lossless, Packing::File, (20, 24)).is_err());
    }

    #[test]
    fn a_mosaic_is_a_file_without_deblocking() {
        let image = planar(&scene(32, 48, 7));
        let [file, mosaic] =
            [Packing::File, Packing::Mosaic].map(|packing| encode(&image, 10, false, packing).unwrap());
        assert_eq!(file[20] & VERSION, 0);
        // libwebp calls a frame without filter version 2.
        assert_eq!(mosaic[20] & VERSION, 4);
        assert!(decode(&mosaic, Packing::Mosaic, (32, 48)).is_ok());
        assert!(strip(&mosaic, (32, 48)).is_err());
    }

    #[test]
    fn lengths_that_no_file_has_are_refused() {
        for stream in [&[][..], &[0, 1, 2], &[240], &[255, 255], &[255, 255, 255], &[1], &[200, 1, 2]] {
            assert!(decode(stream, Packing::Shared, (16, 16)).is_err(), "{stream:?}");
        }
        assert!(head_of(u32::MAX, 1, (16, 16)).is_none());
        assert!(head_of(100, 1 << 19, (16, 16)).is_none());
        assert!(head_of(100, 1, (16, 16_384)).is_none());
        let mut huge = encode(&planar(&scene(16, 16, 6)), 50, false, Packing::File).unwrap();
        huge[4..8].fill(0xFF);
        assert!(decode(&huge, Packing::File, (16, 16)).is_err());
    }
}
