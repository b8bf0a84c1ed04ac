//! Many images of one size in one picture.

use super::codec::Damaged;
use super::mean_colour::mean_colour;
use super::planar::PlanarImage;
use crate::metric::psnr_db;
use ndarray::{Array3, ArrayView3};

/// Where the images of a frame lie in one picture: row by row in a nearly square grid.
///
/// Each image is the upper left part of a tile whose sides are multiples of the codec's unit; the rest of
/// the tile repeats the image's last row and column. So no unit holds pixels of two images;
/// only where a decoder doubles the resolution of colours does it look one sample beyond.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mosaic {
    image: (usize, usize),
    tile: (usize, usize),
    num_images: usize,
    columns: usize,
    rows: usize,
}

impl Mosaic {
    /// - image: height and width in pixels; num_images: at least 1
    /// - unit: side of the units in which the codec works; 1 for a single image that fills the picture
    pub(super) fn new(image: (usize, usize), num_images: usize, unit: usize) -> Self {
        let tile = (image.0.next_multiple_of(unit), image.1.next_multiple_of(unit));
        let columns = num_images.isqrt() + usize::from(num_images.isqrt().pow(2) < num_images);
        Self { image, tile, num_images, columns, rows: num_images.div_ceil(columns) }
    }

    /// Height and width of the picture.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.rows * self.tile.0, self.columns * self.tile.1)
    }

    fn corners(&self) -> impl Iterator<Item = (usize, usize)> {
        let (tile, columns) = (self.tile, self.columns);
        (0..self.num_images).map(move |number| (number / columns * tile.0, number % columns * tile.1))
    }

    /// The picture of the given images. Tiles without an image have the mean colour of the last image.
    ///
    /// - images: `num_images` of the agreed size
    pub(super) fn compose(&self, images: &[ArrayView3<'_, u8>]) -> PlanarImage {
        let (height, width) = self.size();
        let mut picture = PlanarImage::black(height, width);
        if let Some(last) = images.last().filter(|_| self.num_images < self.rows * self.columns) {
            for (plane, value) in picture.planes.iter_mut().zip(mean_colour(last.view())) {
                plane.fill(value);
            }
        }
        for (image, (top, left)) in images.iter().zip(self.corners()) {
            picture.paste(image.view(), top, left);
            for plane in &mut picture.planes {
                self.repeat_edges(plane, top, left);
            }
        }
        picture
    }

    fn repeat_edges(&self, plane: &mut [u8], top: usize, left: usize) {
        let stride = self.size().1;
        for row in top..top + self.image.0 {
            let start = row * stride + left;
            let last = plane[start + self.image.1 - 1];
            plane[start + self.image.1..start + self.tile.1].fill(last);
        }
        let last = (top + self.image.0 - 1) * stride + left;
        for row in top + self.image.0..top + self.tile.0 {
            plane.copy_within(last..last + self.tile.1, row * stride + left);
        }
    }

    /// The images in a picture, `[H, W, 3]` each.
    ///
    /// - errors: a picture of another size
    pub(super) fn split(&self, picture: &PlanarImage) -> Result<Vec<Array3<u8>>, Damaged> {
        if (picture.height, picture.width) != self.size() {
            return Err(Damaged::because("the picture has another size"));
        }
        Ok(self.corners().map(|(top, left)| picture.cut(top, left, self.image)).collect())
    }

    /// Mean over the images of their PSNR in decibels; pictures of this mosaic's size.
    pub(super) fn psnr_db(&self, original: &PlanarImage, received: &PlanarImage) -> f64 {
        let each =
            self.corners().map(|(top, left)| psnr_db(original.error_in(received, top, left, self.image)));
        each.sum::<f64>() / self.num_images as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::mean_square_error;
    use crate::picture::test_pictures::noise;

    #[test]
    fn grids_are_nearly_square_and_hold_all() {
        let sizes = [1, 2, 3, 4, 5, 9, 10, 50].map(|num| Mosaic::new((5, 9), num, 8).size());
        let tiles = sizes.map(|(height, width)| (height / 8, width / 16));
        assert_eq!(tiles, [(1, 1), (1, 2), (2, 2), (2, 2), (2, 3), (3, 3), (3, 4), (7, 8)]);
    }

    #[test]
    fn a_single_image_fills_its_picture() {
        let image = noise(5, 9, 1);
        let mosaic = Mosaic::new((5, 9), 1, 1);
        assert_eq!(mosaic.size(), (5, 9));
        let picture = mosaic.compose(&[image.view()]);
        assert_eq!(picture.to_interleaved(), image.as_slice().unwrap());
    }

    #[test]
    fn tiles_repeat_the_edges_of_their_own_image() {
        let images: Vec<_> = (0..5).map(|seed| noise(5, 9, seed)).collect();
        let mosaic = Mosaic::new((5, 9), 5, 8);
        let picture = mosaic.compose(&images.iter().map(|image| image.view()).collect::<Vec<_>>());
        assert_eq!(mosaic.split(&picture).unwrap(), images);
        let (width, colour) = (picture.width, mean_colour(images[4].view()));
        for row in 0..16 {
            for column in 0..48 {
                let number = row / 8 * 3 + column / 16;
                let (y, x) = ((row % 8).min(4), (column % 16).min(8));
                for channel in 0..3 {
                    let expected = images.get(number).map_or(colour[channel], |image| image[[y, x, channel]]);
                    assert_eq!(picture.planes[channel][row * width + column], expected, "{row} {column}");
                }
            }
        }
    }

    #[test]
    fn the_score_is_the_mean_over_images_without_padding() {
        let mosaic = Mosaic::new((5, 9), 3, 8);
        let [sent, got] = [10, 20].map(|seed| (0..3).map(|i| noise(5, 9, seed + i)).collect::<Vec<_>>());
        let compose =
            |images: &[Array3<u8>]| mosaic.compose(&images.iter().map(|i| i.view()).collect::<Vec<_>>());
        let expected: f64 =
            sent.iter().zip(&got).map(|(a, b)| psnr_db(mean_square_error(a.view(), b.view()).unwrap())).sum();
        assert!((mosaic.psnr_db(&compose(&sent), &compose(&got)) - expected / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_picture_of_another_size_is_refused() {
        assert!(Mosaic::new((5, 9), 3, 8).split(&PlanarImage::black(16, 31)).is_err());
    }
}
