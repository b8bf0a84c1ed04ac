//! An RGB picture as three planes, which is how codecs work on it.

use ndarray::{Array3, ArrayView3};

/// Three planes of 8 bits, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PlanarImage {
    pub(super) height: usize,
    pub(super) width: usize,
    /// Red, green, blue; `[H * W]` each.
    pub(super) planes: [Vec<u8>; 3],
}

impl PlanarImage {
    /// A black picture.
    pub(super) fn black(height: usize, width: usize) -> Self {
        Self { height, width, planes: std::array::from_fn(|_| vec![0; height * width]) }
    }

    /// - pixels: RGB interleaved, `[H * W * 3]`; rows that are missing stay black
    pub(super) fn from_interleaved(height: usize, width: usize, pixels: &[u8]) -> Self {
        let mut image = Self::black(height, width);
        for (place, pixel) in pixels.as_chunks::<3>().0.iter().take(height * width).enumerate() {
            for (plane, value) in image.planes.iter_mut().zip(pixel) {
                plane[place] = *value;
            }
        }
        image
    }

    /// RGB interleaved, `[H * W * 3]`.
    pub(super) fn to_interleaved(&self) -> Vec<u8> {
        let [red, green, blue] = &self.planes;
        red.iter().zip(green).zip(blue).flat_map(|((red, green), blue)| [*red, *green, *blue]).collect()
    }

    /// Copies an image to a place in this picture, which must be large enough.
    ///
    /// - image: `[H, W, 3]`
    pub(super) fn paste(&mut self, image: ArrayView3<'_, u8>, top: usize, left: usize) {
        for ((row, column, channel), value) in image.indexed_iter() {
            self.planes[channel][(top + row) * self.width + left + column] = *value;
        }
    }

    /// The part of the given size at a place, `[H, W, 3]`.
    pub(super) fn cut(&self, top: usize, left: usize, (height, width): (usize, usize)) -> Array3<u8> {
        Array3::from_shape_fn((height, width, 3), |(row, column, channel)| {
            self.planes[channel][(top + row) * self.width + left + column]
        })
    }

    /// Mean square error over pixels and channels of a part, against another picture of the same size.
    pub(super) fn error_in(
        &self,
        other: &Self,
        top: usize,
        left: usize,
        (height, width): (usize, usize),
    ) -> f64 {
        let mut total = 0u64;
        for (plane, counterpart) in self.planes.iter().zip(&other.planes) {
            for row in top..top + height {
                let part = row * self.width + left..row * self.width + left + width;
                total += squared_difference(&plane[part.clone()], &counterpart[part]);
            }
        }
        total as f64 / (3 * height * width) as f64
    }
}

/// Sum of squared differences. A row has at most 65,535 pixels, so 64 bits cannot overflow; 32 bits hold
/// the sum of the 2^16 squares of one chunk.
fn squared_difference(row: &[u8], counterpart: &[u8]) -> u64 {
    let chunks = row.chunks(1 << 16).zip(counterpart.chunks(1 << 16));
    chunks
        .map(|(row, counterpart)| {
            let squares = row.iter().zip(counterpart).map(|(a, b)| {
                let difference = i32::from(*a) - i32::from(*b);
                (difference * difference) as u32
            });
            u64::from(squares.sum::<u32>())
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::mean_square_error;
    use crate::picture::test_pictures::noise;

    #[test]
    fn interleaving_pasting_and_cutting_are_inverse() {
        let image = noise(5, 7, 1);
        let mut picture = PlanarImage::black(9, 11);
        picture.paste(image.view(), 3, 2);
        assert_eq!(picture.cut(3, 2, (5, 7)), image);
        assert_eq!(picture.planes[1][0], 0);
        assert_eq!(PlanarImage::from_interleaved(9, 11, &picture.to_interleaved()), picture);
    }

    #[test]
    fn errors_equal_those_of_the_metric() {
        let (one, other) = (noise(6, 9, 2), noise(6, 9, 3));
        let planar = [&one, &other].map(|image| {
            let mut picture = PlanarImage::black(8, 12);
            picture.paste(image.view(), 1, 3);
            picture
        });
        let expected = mean_square_error(one.view(), other.view()).unwrap();
        assert_eq!(planar[0].error_in(&planar[1], 1, 3, (6, 9)), expected);
        assert!(planar[0].error_in(&planar[1], 0, 0, (8, 12)) < expected);
    }

    #[test]
    fn the_largest_possible_error_does_not_overflow() {
        assert_eq!(squared_difference(&[0; 65_537], &[255; 65_537]), 65_537 * 65_025);
    }
}
