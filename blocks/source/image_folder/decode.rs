//! Reads one picture file into 8-bit RGB, with bounds on what a hostile file can cost.

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

/// Longest file that is read.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// Longest side that is decoded, in pixels.
const MAX_SIDE: u32 = 16_384;
/// Largest decoded picture, in bytes of its own pixel format.
const MAX_DECODED_BYTES: u64 = 256 << 20;

/// Decodes a PNG, JPEG or WebP file; the content decides the format, not the extension.
///
/// Grey becomes equal red, green and blue, 16 bits are rounded to 8, transparency is laid over
/// white, and a camera's orientation tag is obeyed.
///
/// - memory: files above 256 MiB, sides above 16,384 and pictures above 256 MiB decoded are refused
/// - errors: the reason in one line, without the file's name
pub(super) fn decode(path: &Path) -> Result<RgbImage, String> {
    let bytes = read(path)?;
    decode_bytes(&bytes).map_err(|error| error.replace(['\n', '\r'], " "))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("not a regular file".to_owned());
    }
    match metadata.len() {
        0 => return Err("the file is empty".to_owned()),
        len if len > MAX_FILE_BYTES => {
            return Err(format!("the file has {len} bytes: at most {MAX_FILE_BYTES} are read"));
        }
        _ => {}
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn decode_bytes(bytes: &[u8]) -> Result<RgbImage, String> {
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| error.to_string())?;
    match reader.format() {
        Some(ImageFormat::Png | ImageFormat::WebP) => {}
        Some(ImageFormat::Jpeg) if !jpeg_is_complete(bytes) => {
            return Err("the JPEG data end before their end marker".to_owned());
        }
        Some(ImageFormat::Jpeg) => {}
        _ => return Err("the content is neither PNG, JPEG nor WebP".to_owned()),
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| error.to_string())?;
    if decoder.total_bytes() > MAX_DECODED_BYTES {
        let (w, h) = decoder.dimensions();
        return Err(format!("{h}x{w} pixels decode to more than {MAX_DECODED_BYTES} bytes"));
    }
    if decoder.dimensions().0 == 0 || decoder.dimensions().1 == 0 {
        return Err("the picture has no pixels".to_owned());
    }
    // A tag that cannot be read does not make the pixels worse.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
    image.apply_orientation(orientation);
    Ok(if image.color().has_alpha() { over_white(&image) } else { image.into_rgb8() })
}

/// c = a c + (1 - a) 255, rounded.
fn over_white(image: &DynamicImage) -> RgbImage {
    let image = image.to_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, a] = image.get_pixel(x, y).0;
        let over = |c: u8| ((u32::from(c) * u32::from(a) + 255 * (255 - u32::from(a)) + 127) / 255) as u8;
        image::Rgb([over(r), over(g), over(b)])
    })
}

/// Whether the end marker follows the first scan. The decoder itself fills missing rows with grey
/// and reports nothing. Segments before the scan are skipped, for they may hold a whole thumbnail.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xDA;
    const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];
    let mut at = 2;
    while let Some([0xFF, marker]) = bytes.get(at..at + 2) {
        match marker {
            // Fill bytes, and markers without a segment.
            0xFF => at += 1,
            0x01 | 0xD0..=0xD7 => at += 2,
            &START_OF_SCAN => return bytes[at..].windows(2).any(|pair| pair == END_OF_IMAGE),
            _ => match bytes.get(at + 2..at + 4) {
                Some(&[high, low]) => at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2),
                _ => return false,
            },
        }
    }
    // Bytes between segments: leave the verdict to the decoder.
    bytes.len() > at && bytes.windows(2).any(|pair| pair == END_OF_IMAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, ImageBuffer, Luma, LumaA, Rgb, Rgba};
    use proptest::prelude::*;

    fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn picture() -> RgbImage {
        RgbImage::from_fn(24, 16, |x, y| Rgb([(x * 9) as u8, (y * 12) as u8, (x * y) as u8]))
    }

    #[test]
    fn lossless_formats_are_exact_and_jpeg_is_near() {
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            assert_eq!(decode_bytes(&encode(picture(), format)).unwrap(), picture());
        }
        let smooth = RgbImage::from_fn(24, 16, |x, y| Rgb([(x * 5) as u8, (y * 5) as u8, 90]));
        let near = decode_bytes(&encode(smooth.clone(), ImageFormat::Jpeg)).unwrap();
        assert!(near.iter().zip(smooth.iter()).all(|(a, b)| a.abs_diff(*b) < 24));
    }

    #[test]
    fn grey_sixteen_bit_and_transparent_pictures_become_rgb() {
        let first = |bytes: Vec<u8>| decode_bytes(&bytes).unwrap().get_pixel(0, 0).0;
        assert_eq!(first(encode(GrayImage::from_pixel(3, 2, Luma([77])), ImageFormat::Png)), [77; 3]);
        // 0x8040 / 65535 * 255 = 128.0 after rounding.
        let deep = ImageBuffer::from_pixel(3, 2, Rgb([0u16, 0x8040, 0xFFFF]));
        assert_eq!(first(encode(deep, ImageFormat::Png)), [0, 128, 255]);
        let half = ImageBuffer::from_pixel(3, 2, Rgba([0u8, 100, 255, 51]));
        assert_eq!(first(encode(half, ImageFormat::Png)), [204, 224, 255]);
        let clear = ImageBuffer::from_pixel(3, 2, LumaA([10u8, 0]));
        assert_eq!(first(encode(clear, ImageFormat::Png)), [255; 3]);
    }

    #[test]
    fn damaged_files_are_errors() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let bytes = encode(picture(), format);
            for keep in [0, 1, 12, bytes.len() / 2, bytes.len() - 5] {
                assert!(decode_bytes(&bytes[..keep]).is_err(), "{format:?} cut to {keep} bytes");
            }
        }
        assert!(decode_bytes(b"this is text").unwrap_err().contains("neither PNG, JPEG nor WebP"));
        assert!(decode_bytes(b"GIF89a-and-more").unwrap_err().contains("neither PNG"));
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        // A valid PNG whose header is rewritten to 65,000 x 65,000 pixels, checksum included.
        let mut bytes = encode(picture(), ImageFormat::Png);
        bytes[16..20].copy_from_slice(&65_000u32.to_be_bytes());
        bytes[20..24].copy_from_slice(&65_000u32.to_be_bytes());
        let crc = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        let error = decode_bytes(&bytes).unwrap_err().to_lowercase();
        assert!(error.contains("limit") || error.contains("dimension"), "{error}");
    }

    /// CRC-32 of ISO 3309, bit by bit, as PNG chunks carry it.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ (0xEDB8_8320 & (c & 1).wrapping_neg()))
        })
    }

    #[test]
    fn a_thumbnail_inside_does_not_hide_a_cut() {
        let inner = encode(picture(), ImageFormat::Jpeg);
        let outer = encode(picture(), ImageFormat::Jpeg);
        let segment = [&[0xFF, 0xE1][..], &((inner.len() + 2) as u16).to_be_bytes(), &inner].concat();
        let whole = [&outer[..2], &segment, &outer[2..]].concat();
        assert!(decode_bytes(&whole).is_ok());
        assert!(decode_bytes(&whole[..whole.len() - 40]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn altered_bytes_never_panic(
            kind in 0usize..3, changes in proptest::collection::vec((0usize..4000, any::<u8>()), 1..8)
        ) {
            let format = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP][kind];
            let mut bytes = encode(picture(), format);
            let len = bytes.len();
            changes.into_iter().for_each(|(at, value)| bytes[at % len] = value);
            if let Ok(image) = decode_bytes(&bytes) {
                prop_assert!(image.width() <= MAX_SIDE && image.height() <= MAX_SIDE);
            }
        }
    }
}
