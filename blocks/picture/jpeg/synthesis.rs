//! From levels to pixels: the same code in the receiver and in the search, so that what the search
//! promises is what the receiver gets.

use super::dct;
use super::frame::Frame;
use super::quantizer::{Block, Quantizer, ZIGZAG};
use crate::picture::Subsampling;
use crate::picture::planar::PlanarImage;

/// Samples of one component, around 0, with the padding of whole units.
#[derive(Debug)]
struct Plane {
    width: usize,
    samples: Vec<f32>,
}

/// Room for one picture, reused for many.
#[derive(Debug)]
pub(super) struct Synthesis {
    frame: Frame,
    planes: [Plane; 3],
    /// One row of each colour plane at full resolution.
    full: [Vec<f32>; 2],
    /// One row of a colour plane between its rows, with one more value at each end.
    between: Vec<f32>,
    image: PlanarImage,
}

impl Synthesis {
    pub(super) fn new(frame: Frame) -> Self {
        let (rows, columns) = frame.units();
        let planes = std::array::from_fn(|component| {
            let side = 8 * frame.blocks_per_side(component);
            Plane { width: columns * side, samples: vec![0.0; rows * columns * side * side] }
        });
        let full = std::array::from_fn(|_| vec![0.0; frame.width]);
        let between = vec![0.0; frame.component_size(1).1 + 2];
        Self { frame, planes, full, between, image: PlanarImage::black(frame.height, frame.width) }
    }

    /// The picture of quantised blocks.
    ///
    /// - blocks: in the order of an interleaved scan
    /// - quantizers: of each component
    pub(super) fn run(&mut self, blocks: &[Block], quantizers: [&Quantizer; 3]) -> &PlanarImage {
        let unit = self.frame.unit();
        let columns = self.frame.units().1;
        for (number, blocks) in blocks.chunks(unit.len()).enumerate() {
            let (unit_row, unit_column) = (number / columns, number % columns);
            for (within, (block, &component)) in blocks.iter().zip(unit).enumerate() {
                let per_side = self.frame.blocks_per_side(component);
                // The blocks of luminance come first; of the other components there is one.
                let place = if component == 0 { within } else { 0 };
                let row = unit_row * per_side + place / per_side;
                let column = unit_column * per_side + place % per_side;
                self.planes[component].put(block, quantizers[component], 8 * row, 8 * column);
            }
        }
        for row in 0..self.frame.height {
            self.finish_row(row);
        }
        &self.image
    }

    /// The picture that was made last.
    pub(super) fn into_image(self) -> PlanarImage {
        self.image
    }

    fn finish_row(&mut self, row: usize) {
        let width = self.frame.width;
        let luminance = &self.planes[0].row(row)[..width];
        let size = self.frame.component_size(1);
        let [blueness, redness] = match self.frame.subsampling {
            Subsampling::S444 => [&self.planes[1].row(row)[..width], &self.planes[2].row(row)[..width]],
            Subsampling::S420 => {
                for (plane, full) in self.planes[1..].iter().zip(&mut self.full) {
                    plane.between_rows(row, size, &mut self.between);
                    double(&self.between, full);
                }
                [&self.full[0][..], &self.full[1][..]]
            }
        };
        let [red, green, blue] =
            self.image.planes.each_mut().map(|plane| &mut plane[row * width..(row + 1) * width]);
        // Source: ITU-T T.871, clause 7.
        let samples = luminance.iter().zip(blueness).zip(redness);
        for (((((y, cb), cr), red), green), blue) in samples.zip(red).zip(green).zip(blue) {
            *red = to_byte(y + 1.402 * cr);
            *green = to_byte(y - 0.344_136_3 * cb - 0.714_136_3 * cr);
            *blue = to_byte(y + 1.772 * cb);
        }
    }
}

impl Plane {
    fn row(&self, row: usize) -> &[f32] {
        &self.samples[row * self.width..(row + 1) * self.width]
    }

    /// Writes the samples of one block.
    fn put(&mut self, block: &Block, quantizer: &Quantizer, top: usize, left: usize) {
        let mut coefficients = [[0.0; 8]; 8];
        let (mut rows, mut columns) = (0, 0);
        let mut rest = block.nonzero;
        while rest != 0 {
            let place = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let (row, column) = (usize::from(ZIGZAG[place] >> 3), usize::from(ZIGZAG[place] & 7));
            coefficients[row][column] = quantizer.restore(place, block.levels[place]);
            (rows, columns) = (rows.max(row + 1), columns.max(column + 1));
        }
        for (row, samples) in dct::inverse(&coefficients, rows, columns).iter().enumerate() {
            let start = (top + row) * self.width + left;
            self.samples[start..start + 8].copy_from_slice(samples);
        }
    }

    /// The values at the height of a row of pixels: three quarters of the nearer row, one of the farther.
    ///
    /// - values: one more at each end, which repeat the first and the last
    fn between_rows(&self, row: usize, (height, width): (usize, usize), values: &mut [f32]) {
        let near = row / 2;
        let far = if row.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(height - 1) };
        let rows = self.row(near)[..width].iter().zip(&self.row(far)[..width]);
        for (value, (near, far)) in values[1..].iter_mut().zip(rows) {
            *value = 0.75 * near + 0.25 * far;
        }
        values[0] = values[1];
        values[width + 1] = values[width];
    }
}

/// Up to twice as many values, each three quarters of the nearer one and one of the farther.
///
/// - half: with one further value at each end
fn double(half: &[f32], full: &mut [f32]) {
    for (values, pair) in half.array_windows().zip(full.chunks_mut(2)) {
        let [before, near, after] = values;
        pair[0] = 0.75 * near + 0.25 * before;
        if let Some(second) = pair.get_mut(1) {
            *second = 0.75 * near + 0.25 * after;
        }
    }
}

/// Shifts a sample back to lie around 128, limits and rounds it.
fn to_byte(sample: f32) -> u8 {
    // Added to 1.5 * 2^23, a number is rounded to an integer that stands in the low bits of the sum.
    const SHIFT: f32 = 12_582_912.0;
    ((sample + 128.0).clamp(0.0, 255.0) + SHIFT).to_bits() as u8
}

#[cfg(test)]
mod tests {
    use super::super::analysis::Coefficients;
    use super::*;
    use crate::metric::psnr_db;
    use crate::picture::test_pictures::{flat, scene};
    use ndarray::Array3;

    fn there_and_back(image: &Array3<u8>, subsampling: Subsampling, quality: u8) -> (PlanarImage, f64) {
        let (height, width, _) = image.dim();
        let planar = PlanarImage::from_interleaved(height, width, image.as_slice().unwrap());
        let frame = Frame { height, width, subsampling };
        let [luminance, chrominance] = Quantizer::pair(quality);
        let mut blocks = Vec::new();
        Coefficients::new(&planar, frame).quantize(&[luminance.clone(), chrominance.clone()], &mut blocks);
        let mut synthesis = Synthesis::new(frame);
        synthesis.run(&blocks, [&luminance, &chrominance, &chrominance]);
        let restored = synthesis.into_image();
        let error = planar.error_in(&restored, 0, 0, (height, width));
        (restored, psnr_db(error))
    }

    #[test]
    fn the_highest_quality_at_full_resolution_is_nearly_lossless() {
        let (_, psnr) = there_and_back(&scene(21, 35, 1), Subsampling::S444, 100);
        assert!(psnr > 47.0, "{psnr}");
    }

    #[test]
    fn flat_pictures_of_any_size_come_back() {
        for subsampling in Subsampling::ALL {
            for size in [(1, 1), (2, 3), (8, 17), (33, 16)] {
                let image = flat(size.0, size.1, [190, 60, 90]);
                let (restored, _) = there_and_back(&image, subsampling, 100);
                let far = restored.to_interleaved().iter().zip(&image).any(|(a, b)| a.abs_diff(*b) > 1);
                assert!(!far, "{size:?} {subsampling:?}");
            }
        }
    }

    #[test]
    fn a_ramp_of_colour_passes_half_resolution_unharmed() {
        // Linear interpolation restores what is linear, but for the ends.
        let half: Vec<f32> = [0, 0, 1, 2, 3, 4, 5, 6, 7, 7].map(|place| 4.0 * place as f32 + 1.0).to_vec();
        let mut full = [0.0; 16];
        double(&half, &mut full);
        let expected: Vec<f32> = (0..16).map(|place| 2.0 * place as f32).collect();
        assert_eq!(full[1..15], expected[1..15]);
        assert_eq!((full[0], full[15]), (1.0, 29.0));
        let mut odd = [0.0; 15];
        double(&half, &mut odd);
        assert_eq!(odd, full[..15]);
    }

    #[test]
    fn bytes_are_limited_and_rounded() {
        assert_eq!(
            [-1e6, -128.4, -127.4, 0.0, 126.6, 127.0, 1e6].map(to_byte),
            [0, 0, 1, 128, 255, 255, 255]
        );
    }

    #[test]
    fn leftovers_of_the_last_picture_do_not_show() {
        let frame = Frame { height: 20, width: 20, subsampling: Subsampling::S420 };
        let [luminance, chrominance] = Quantizer::pair(30);
        let mut busy = vec![Block::EMPTY; frame.num_blocks()];
        busy.iter_mut().enumerate().for_each(|(number, block)| block.set(number % 64, 9));
        let empty = vec![Block::EMPTY; frame.num_blocks()];
        let tables = [&luminance, &chrominance, &chrominance];
        let mut synthesis = Synthesis::new(frame);
        synthesis.run(&busy, tables);
        let reused = synthesis.run(&empty, tables).clone();
        assert_eq!(&reused, Synthesis::new(frame).run(&empty, tables));
    }
}
