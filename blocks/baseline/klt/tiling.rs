//! Cuts images into square colour tiles and joins them again.

use crate::{BlockError, Result};
use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

/// Side of a tile in pixels.
pub const TILE_SIDE: usize = 8;

/// Values in a tile: rows, columns, then red, green, blue.
pub const TILE_LEN: usize = TILE_SIDE * TILE_SIDE * 3;

/// Tiles that cover images of one size.
///
/// Where a side is not a multiple of [`TILE_SIDE`], the last row or column of pixels is repeated to
/// fill the last tiles, and what was added is cut off again on joining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling {
    height: usize,
    width: usize,
}

impl Tiling {
    /// Tiles for images of this height and width in pixels.
    ///
    /// - errors: a side of 0
    pub fn new(height: usize, width: usize) -> Result<Self> {
        if height == 0 || width == 0 {
            let found = format!("{height} x {width}");
            return Err(BlockError::invalid("image size", found, "at least 1 x 1 pixels"));
        }
        Ok(Self { height, width })
    }

    /// Height and width in pixels.
    pub fn size(self) -> (usize, usize) {
        (self.height, self.width)
    }

    /// Number of tiles of an image.
    pub fn num_tiles(self) -> usize {
        self.height.div_ceil(TILE_SIDE) * self.width.div_ceil(TILE_SIDE)
    }

    /// Cuts an image `[height, width, 3]` into tiles, row by row.
    ///
    /// - returns: `[num_tiles, TILE_LEN]`, levels 0 to 255
    /// - errors: an image of another size
    pub fn cut(self, image: ArrayView3<u8>) -> Result<Array2<f32>> {
        if image.dim() != (self.height, self.width, 3) {
            let expected = format!("{:?}", (self.height, self.width, 3));
            return Err(BlockError::shape("image", expected, format!("{:?}", image.dim())));
        }
        Ok(Array2::from_shape_fn((self.num_tiles(), TILE_LEN), |(tile, place)| {
            let (row, column, colour) = self.pixel(tile, place);
            f32::from(image[[row.min(self.height - 1), column.min(self.width - 1), colour]])
        }))
    }

    /// Joins tiles `[num_tiles, TILE_LEN]` to an image, rounded and clamped to 0 to 255.
    ///
    /// - errors: another number or length of tiles
    pub fn join(self, tiles: ArrayView2<f32>) -> Result<Array3<u8>> {
        if tiles.dim() != (self.num_tiles(), TILE_LEN) {
            let expected = format!("{:?}", (self.num_tiles(), TILE_LEN));
            return Err(BlockError::shape("tiles", expected, format!("{:?}", tiles.dim())));
        }
        let mut image = Array3::zeros((self.height, self.width, 3));
        for ((tile, place), level) in tiles.indexed_iter() {
            let (row, column, colour) = self.pixel(tile, place);
            if row < self.height && column < self.width {
                // A cast from float saturates, so it also clamps; NaN becomes 0.
                image[[row, column, colour]] = level.round() as u8;
            }
        }
        Ok(image)
    }

    /// Row, column and colour of a place in a tile; may lie beyond the image.
    fn pixel(self, tile: usize, place: usize) -> (usize, usize, usize) {
        let across = self.width.div_ceil(TILE_SIDE);
        let row = tile / across * TILE_SIDE + place / (3 * TILE_SIDE);
        let column = tile % across * TILE_SIDE + place / 3 % TILE_SIDE;
        (row, column, place % 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(height: usize, width: usize) -> Array3<u8> {
        Array3::from_shape_fn((height, width, 3), |(row, column, colour)| {
            (row * 31 + column * 7 + colour * 101) as u8
        })
    }

    #[test]
    fn joining_undoes_cutting_for_any_size() {
        for (height, width) in [(8, 8), (32, 24), (4, 4), (12, 20), (1, 9)] {
            let tiling = Tiling::new(height, width).unwrap();
            let tiles = tiling.cut(image(height, width).view()).unwrap();
            assert_eq!(tiling.join(tiles.view()).unwrap(), image(height, width), "{height} x {width}");
        }
    }

    #[test]
    fn tiles_hold_neighbours_and_repeat_the_edge() {
        let tiles = Tiling::new(8, 12).unwrap().cut(image(8, 12).view()).unwrap();
        assert_eq!(tiles.dim(), (2, 192));
        // Second tile, third row, first column, green: pixel (2, 8).
        assert_eq!(tiles[[1, 2 * 24 + 1]], f32::from(image(8, 12)[[2, 8, 1]]));
        // Columns 12 to 15 do not exist: column 11 instead.
        assert_eq!(tiles[[1, 7 * 3]], f32::from(image(8, 12)[[0, 11, 0]]));
    }

    #[test]
    fn levels_are_rounded_and_clamped() {
        let mut tiles = Array2::from_elem((1, TILE_LEN), 99.6);
        (tiles[[0, 0]], tiles[[0, 1]], tiles[[0, 2]]) = (-5.0, 300.0, f32::NAN);
        let image = Tiling::new(8, 8).unwrap().join(tiles.view()).unwrap();
        assert_eq!((image[[0, 0, 0]], image[[0, 0, 1]], image[[0, 0, 2]]), (0, 255, 0));
        assert_eq!(image[[7, 7, 2]], 100);
    }

    #[test]
    fn wrong_sizes_are_named() {
        assert!(Tiling::new(0, 8).unwrap_err().to_string().contains("0 x 8"));
        let tiling = Tiling::new(8, 8).unwrap();
        assert!(tiling.cut(image(8, 9).view()).unwrap_err().to_string().contains("(8, 9, 3)"));
        assert!(tiling.join(Array2::zeros((2, TILE_LEN)).view()).is_err());
    }
}
