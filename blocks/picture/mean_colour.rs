//! The fallback of an image that does not fit: its mean colour, 24 bits behind a byte of value 0.
//!
//! No other stream begins with 0: a JPEG file begins with FF, a WebP file with R, and the stripped streams
//! keep 0 free for this purpose. So a receiver knows by the first byte, and that byte is counted.

use super::codec::Damaged;
use ndarray::{Array3, ArrayView3, Axis};

/// What tells a stream of mean colours from any other.
pub(super) const MARK: u8 = 0;

/// Length of the stream in bytes.
pub(super) const fn stream_len(num_images: usize) -> usize {
    1 + 3 * num_images
}

/// The colour nearest to the mean over an image, for which the squared error is least.
///
/// - image: `[H, W, 3]`, at least one pixel
pub(super) fn mean_colour(image: ArrayView3<'_, u8>) -> [u8; 3] {
    std::array::from_fn(|channel| {
        let plane = image.index_axis(Axis(2), channel);
        let sum: u64 = plane.iter().map(|value| u64::from(*value)).sum();
        // A mean of bytes is at most 255.
        (sum as f64 / plane.len() as f64).round() as u8
    })
}

/// The stream for the given images.
pub(super) fn encode(images: &[ArrayView3<'_, u8>]) -> Vec<u8> {
    std::iter::once(MARK).chain(images.iter().flat_map(|image| mean_colour(image.view()))).collect()
}

/// The colours in a stream that begins with [`MARK`].
///
/// - errors: fewer bytes than the images need
pub(super) fn decode(stream: &[u8], num_images: usize) -> Result<Vec<[u8; 3]>, Damaged> {
    let colours =
        stream.get(1..stream_len(num_images)).ok_or(Damaged::because("a mean colour is missing"))?;
    Ok(colours.as_chunks::<3>().0.to_vec())
}

/// An image of one colour, `[H, W, 3]`.
pub(super) fn fill((height, width): (usize, usize), colour: [u8; 3]) -> Array3<u8> {
    Array3::from_shape_fn((height, width, 3), |(.., channel)| colour[channel])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::mean_square_error;
    use crate::picture::test_pictures::{flat, scene};

    #[test]
    fn colours_travel_in_three_bytes_each_behind_the_mark() {
        let images = [flat(3, 4, [1, 2, 3]), flat(3, 4, [0, 255, 9])];
        let stream = encode(&images.each_ref().map(|image| image.view()));
        assert_eq!(stream, [0, 1, 2, 3, 0, 255, 9]);
        assert_eq!(stream.len(), stream_len(2));
        assert_eq!(decode(&[stream, vec![7; 5]].concat(), 2).unwrap(), [[1, 2, 3], [0, 255, 9]]);
        assert!(decode(&[0, 1, 2], 1).is_err());
    }

    #[test]
    fn no_other_colour_is_nearer() {
        let image = scene(13, 9, 4);
        let colour = mean_colour(image.view());
        let error = |colour| mean_square_error(image.view(), fill((13, 9), colour).view()).unwrap();
        for channel in 0..3 {
            for step in [-1i16, 1] {
                let mut other = colour;
                other[channel] = (i16::from(other[channel]) + step) as u8;
                assert!(error(other) >= error(colour));
            }
        }
    }
}
