//! From pixels to coefficients: what an encoder does once for all qualities.

use super::dct::{self, Square};
use super::frame::Frame;
use super::quantizer::{Block, Quantizer, ZIGZAG};
use crate::picture::planar::PlanarImage;

/// Coefficients of a picture, in the order of an interleaved scan, each block in zigzag order.
#[derive(Debug)]
pub(super) struct Coefficients {
    frame: Frame,
    blocks: Vec<[f32; 64]>,
}

/// Y, Cb and Cr of a pixel, all shifted to lie around 0. Source: ITU-T T.871, clause 7.
fn luminance_and_chrominance(red: u8, green: u8, blue: u8) -> [f32; 3] {
    let [red, green, blue] = [red, green, blue].map(f32::from);
    [
        0.299 * red + 0.587 * green + 0.114 * blue - 128.0,
        -0.168_735_89 * red - 0.331_264_1 * green + 0.5 * blue,
        0.5 * red - 0.418_687_59 * green - 0.081_312_41 * blue,
    ]
}

impl Coefficients {
    /// Transforms a picture; beyond its edges the last row and column repeat. Colour planes of lower
    /// resolution hold the mean of four pixels.
    pub(super) fn new(image: &PlanarImage, frame: Frame) -> Self {
        let side = frame.subsampling.unit_side();
        let (rows, columns) = frame.units();
        let mut blocks = Vec::with_capacity(frame.num_blocks());
        for unit_row in 0..rows {
            for unit_column in 0..columns {
                let mut unit = [[[0.0f32; 16]; 16]; 3];
                for row in 0..side {
                    let start = (unit_row * side + row).min(image.height - 1) * image.width;
                    for column in 0..side {
                        let place = start + (unit_column * side + column).min(image.width - 1);
                        let [red, green, blue] = image.planes.each_ref().map(|plane| plane[place]);
                        for (plane, value) in unit.iter_mut().zip(luminance_and_chrominance(red, green, blue))
                        {
                            plane[row][column] = value;
                        }
                    }
                }
                for (component, plane) in unit.iter().enumerate() {
                    for block in component_blocks(plane, &frame, component) {
                        let transformed = dct::forward(&block);
                        blocks.push(ZIGZAG.map(|place| transformed.as_flattened()[usize::from(place)]));
                    }
                }
            }
        }
        Self { frame, blocks }
    }

    /// Rounds all coefficients; what `levels` held is replaced.
    pub(super) fn quantize(&self, [luminance, chrominance]: &[Quantizer; 2], levels: &mut Vec<Block>) {
        levels.clear();
        let components = self.frame.unit().iter().cycle();
        levels.extend(self.blocks.iter().zip(components).map(|(block, component)| {
            let table = if *component == 0 { luminance } else { chrominance };
            table.quantize(block)
        }));
    }
}

/// The blocks of one component in one unit.
fn component_blocks(plane: &[[f32; 16]; 16], frame: &Frame, component: usize) -> Vec<Square> {
    let per_side = frame.blocks_per_side(component);
    let shrink = frame.subsampling.unit_side() / (8 * per_side);
    let block = |block_row: usize, block_column: usize| -> Square {
        std::array::from_fn(|row| {
            std::array::from_fn(|column| {
                let (top, left) = ((8 * block_row + row) * shrink, (8 * block_column + column) * shrink);
                let pixels = (0..shrink).flat_map(|y| (0..shrink).map(move |x| plane[top + y][left + x]));
                pixels.sum::<f32>() / (shrink * shrink) as f32
            })
        })
    };
    (0..per_side * per_side).map(|number| block(number / per_side, number % per_side)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Subsampling;
    use crate::picture::test_pictures::{flat, noise};

    fn coefficients(image: &ndarray::Array3<u8>, subsampling: Subsampling) -> Coefficients {
        let (height, width, _) = image.dim();
        let planar = PlanarImage::from_interleaved(height, width, image.as_slice().unwrap());
        Coefficients::new(&planar, Frame { height, width, subsampling })
    }

    #[test]
    fn primaries_have_the_values_of_the_standard() {
        let close = |colour: [u8; 3], expected: [f32; 3]| {
            let [red, green, blue] = colour;
            let found = luminance_and_chrominance(red, green, blue);
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3), "{found:?}");
        };
        close([255, 255, 255], [127.0, 0.0, 0.0]);
        close([255, 0, 0], [76.245 - 128.0, -43.027_65, 127.5]);
        close([0, 0, 255], [29.07 - 128.0, 127.5, -20.734_66]);
    }

    #[test]
    fn a_flat_picture_has_one_coefficient_per_block() {
        for subsampling in Subsampling::ALL {
            let found = coefficients(&flat(19, 21, [200, 100, 50]), subsampling);
            assert_eq!(found.blocks.len(), found.frame.num_blocks());
            let expected = luminance_and_chrominance(200, 100, 50).map(|level| 8.0 * level);
            for (block, component) in found.blocks.iter().zip(found.frame.unit().iter().cycle()) {
                assert!((block[0] - expected[*component]).abs() < 1e-2);
                assert!(block[1..].iter().all(|value| value.abs() < 1e-2));
            }
        }
    }

    #[test]
    fn pictures_are_continued_by_their_edges() {
        let image = noise(11, 18, 5);
        let wide = ndarray::Array3::from_shape_fn((16, 32, 3), |(row, column, channel)| {
            image[[row.min(10), column.min(17), channel]]
        });
        for subsampling in Subsampling::ALL {
            let (small, large) = (coefficients(&image, subsampling), coefficients(&wide, subsampling));
            // The wider picture has a further column of units where they are small.
            let per_unit = small.frame.unit().len();
            let (columns, wide_columns) = (small.frame.units().1, large.frame.units().1);
            for (number, block) in small.blocks.iter().enumerate() {
                let (unit, within) = (number / per_unit, number % per_unit);
                let unit = unit / columns * wide_columns + unit % columns;
                assert_eq!(block, &large.blocks[unit * per_unit + within]);
            }
        }
    }
}
