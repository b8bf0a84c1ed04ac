//! How a picture of any size becomes one of the size asked for, or several.

use image::RgbImage;
use image::imageops::{self, FilterType};
use serde::{Deserialize, Serialize};

/// What to do with a picture whose size is not the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Nothing: a picture of another size is an error.
    #[default]
    Exact,
    /// Cuts the centre out at its own resolution; a picture smaller than the target is an error.
    CenterCrop,
    /// Resamples (Lanczos, three lobes) to the target, whatever that does to the proportions.
    Resize,
    /// Cuts out the largest centred part with the target's proportions and resamples it (Lanczos,
    /// three lobes): the short side fits, the long side is cropped.
    ResizeCrop,
    /// Cuts the picture into all whole tiles of the target at its own resolution, row by row, and leaves what
    /// remains at its edges out evenly: every tile is an image. A picture smaller than the target is an error.
    Tiles,
}

impl Fit {
    /// The name as configurations write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::CenterCrop => "center-crop",
            Self::Resize => "resize",
            Self::ResizeCrop => "resize-crop",
            Self::Tiles => "tiles",
        }
    }

    /// Brings a picture to `height` x `width`, both at least 1; to several of that size where it is cut into tiles.
    ///
    /// - errors: what is wrong with the picture's size, in one line
    pub(super) fn apply(self, image: RgbImage, (height, width): (u32, u32)) -> Result<Vec<RgbImage>, String> {
        let (w, h) = image.dimensions();
        if (h, w) == (height, width) {
            return Ok(vec![image]);
        }
        let fitted = match self {
            Self::Exact => {
                return Err(format!("{h}x{w} pixels where {height}x{width} are needed (fit = \"exact\")"));
            }
            Self::CenterCrop | Self::Tiles if h < height || w < width => {
                let name = self.name();
                return Err(format!(
                    "{h}x{w} pixels are too few to crop {height}x{width} (fit = \"{name}\")"
                ));
            }
            Self::Tiles => return Ok(tiles(&image, height, width)),
            Self::CenterCrop => centre(&image, height, width),
            Self::Resize => imageops::resize(&image, width, height, FilterType::Lanczos3),
            Self::ResizeCrop => {
                let (crop_h, crop_w) = largest_part((h, w), (height, width));
                let part = centre(&image, crop_h, crop_w);
                imageops::resize(&part, width, height, FilterType::Lanczos3)
            }
        };
        Ok(vec![fitted])
    }
}

/// All whole tiles of the centred part that they fill, row by row.
fn tiles(image: &RgbImage, height: u32, width: u32) -> Vec<RgbImage> {
    let (w, h) = image.dimensions();
    let (rows, columns) = (h / height, w / width);
    let (top, left) = ((h - rows * height) / 2, (w - columns * width) / 2);
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let cut = |(row, column)| {
        imageops::crop_imm(image, left + column * width, top + row * height, width, height).to_image()
    };
    places.map(cut).collect()
}

/// Cuts `height` x `width` out of the middle; the odd pixel stays below and to the right.
fn centre(image: &RgbImage, height: u32, width: u32) -> RgbImage {
    let (w, h) = image.dimensions();
    imageops::crop_imm(image, (w - width) / 2, (h - height) / 2, width, height).to_image()
}

/// The largest height and width inside `h` x `w` with the proportions of the target, rounded to
/// whole pixels and never below one.
fn largest_part((h, w): (u32, u32), (height, width): (u32, u32)) -> (u32, u32) {
    let round = |a: u32, b: u32, c: u32| {
        let (product, c) = (u64::from(a) * u64::from(b), u64::from(c));
        ((product + c / 2) / c).max(1)
    };
    let full_width_at_h = round(h, width, height);
    if full_width_at_h <= u64::from(w) {
        // Not above `w`, so it fits.
        (h, full_width_at_h as u32)
    } else {
        ((round(w, height, width)).min(u64::from(h)) as u32, w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Red is the column, green the row.
    fn ramp(height: u32, width: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 7]))
    }

    fn one(fit: Fit, image: RgbImage, size: (u32, u32)) -> RgbImage {
        let mut images = fit.apply(image, size).unwrap();
        assert_eq!(images.len(), 1);
        images.remove(0)
    }

    #[test]
    fn tiles_lie_row_by_row_around_the_middle() {
        // 9 x 14: two rows of four with one row over, below; two columns of six with one left over on each side.
        let tiles = Fit::Tiles.apply(ramp(9, 14), (4, 6)).unwrap();
        let corners: Vec<[u8; 3]> = tiles.iter().map(|tile| tile.get_pixel(0, 0).0).collect();
        assert_eq!(corners, [[1, 0, 7], [7, 0, 7], [1, 4, 7], [7, 4, 7]]);
        assert!(tiles.iter().all(|tile| tile.dimensions() == (6, 4)));
        assert_eq!(one(Fit::Tiles, ramp(4, 6), (4, 6)), ramp(4, 6));
        let error = Fit::Tiles.apply(ramp(9, 5), (4, 6)).unwrap_err();
        assert!(error.contains("9x5 pixels are too few to crop 4x6 (fit = \"tiles\")"), "{error}");
    }

    #[test]
    fn a_crop_keeps_the_middle_pixels() {
        let image = one(Fit::CenterCrop, ramp(9, 12), (4, 6));
        assert_eq!((image.get_pixel(0, 0).0, image.get_pixel(5, 3).0), ([3, 2, 7], [8, 5, 7]));
        let error = Fit::CenterCrop.apply(ramp(3, 12), (4, 6)).unwrap_err();
        assert!(error.contains("3x12 pixels are too few to crop 4x6"), "{error}");
    }

    #[test]
    fn exact_accepts_only_the_size() {
        assert_eq!(one(Fit::Exact, ramp(4, 6), (4, 6)), ramp(4, 6));
        assert!(Fit::Exact.apply(ramp(6, 4), (4, 6)).unwrap_err().contains("6x4 pixels where 4x6"));
    }

    #[test]
    fn resampling_keeps_a_constant_and_the_order_of_a_ramp() {
        let flat = RgbImage::from_pixel(40, 10, image::Rgb([9, 100, 250]));
        for fit in [Fit::Resize, Fit::ResizeCrop] {
            let image = one(fit, flat.clone(), (16, 16));
            assert!(image.pixels().all(|p| p.0 == [9, 100, 250]));
        }
        let image = one(Fit::Resize, ramp(8, 64), (8, 32));
        // Column 10 of 32 covers columns 20 and 21 of 64.
        assert!((f32::from(image.get_pixel(10, 4).0[0]) - 20.5).abs() <= 1.0);
    }

    #[test]
    fn resize_crop_cuts_the_long_side_only() {
        // 8 x 32 to 8 x 8: columns 12 to 19 at the old resolution.
        let image = one(Fit::ResizeCrop, ramp(8, 32), (8, 8));
        assert_eq!(image.get_pixel(0, 0).0, [12, 0, 7]);
        assert_eq!(largest_part((100, 100), (32, 32)), (100, 100));
        assert_eq!(largest_part((512, 768), (32, 32)), (512, 512));
        assert_eq!(largest_part((1, 10_000), (32, 32)), (1, 1));
    }

    proptest! {
        #[test]
        fn the_largest_part_touches_two_sides_and_never_leaves_the_picture(
            h in 1u32..20_000, w in 1u32..20_000, height in 1u32..5000, width in 1u32..5000
        ) {
            let (ph, pw) = largest_part((h, w), (height, width));
            prop_assert!((1..=h).contains(&ph) && (1..=w).contains(&pw));
            prop_assert!(ph == h || pw == w);
        }
    }
}
