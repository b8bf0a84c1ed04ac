//! Fits the Karhunen-Loeve basis to images: eigenvectors of the covariance of their tiles.

use super::tiling::{TILE_LEN, Tiling};
use super::transform::KltTransform;
use crate::frame::ImageBatch;
use crate::{BlockError, Result};
use nalgebra::{DMatrix, DVector, SymmetricEigen};
use ndarray::{Array1, Array2, Axis};

/// Tiles kept before they are added to the covariance in one matrix product.
const TILES_AT_ONCE: usize = 1024;

/// Mid grey is subtracted before squares are summed, which keeps digits that matter.
const MID_GREY: f64 = 127.5;

/// Collects images, then finds the basis of their tiles.
///
/// Images of any size may be mixed; sides that are not multiples of the tile's are padded as
/// [`Tiling`] says. The result depends on the images alone, not on how they are batched, but for
/// rounding.
pub struct KltFit {
    num_tiles: u64,
    sum: DVector<f64>,
    products: DMatrix<f64>,
    /// Levels of tiles not yet added, `TILE_LEN` values a tile.
    pending: Vec<f64>,
}

impl Default for KltFit {
    fn default() -> Self {
        Self::new()
    }
}

impl KltFit {
    /// A fit that has seen nothing.
    pub fn new() -> Self {
        Self {
            num_tiles: 0,
            sum: DVector::zeros(TILE_LEN),
            products: DMatrix::zeros(TILE_LEN, TILE_LEN),
            pending: Vec::with_capacity(TILES_AT_ONCE * TILE_LEN),
        }
    }

    /// Adds the images of a batch.
    ///
    /// - errors: images without pixels
    pub fn add(&mut self, batch: &ImageBatch) -> Result<()> {
        let (height, width) = batch.size();
        let tiling = Tiling::new(height, width)?;
        for image in batch.pixels.axis_iter(Axis(0)) {
            for tile in tiling.cut(image)?.axis_iter(Axis(0)) {
                self.pending.extend(tile.iter().map(|level| f64::from(*level) - MID_GREY));
                if self.pending.len() == TILES_AT_ONCE * TILE_LEN {
                    self.add_pending();
                }
            }
        }
        Ok(())
    }

    /// The basis of all tiles added.
    ///
    /// - errors: no image was added
    pub fn finish(mut self) -> Result<KltTransform> {
        self.add_pending();
        if self.num_tiles == 0 {
            return Err(BlockError::invalid("images to fit the KLT to", 0, "at least 1"));
        }
        let mean = self.sum / self.num_tiles as f64;
        let covariance = self.products / self.num_tiles as f64 - &mean * mean.transpose();
        let SymmetricEigen { eigenvalues, eigenvectors } = SymmetricEigen::new(covariance);
        let mut order: Vec<usize> = (0..TILE_LEN).collect();
        order.sort_by(|&a, &b| eigenvalues[b].total_cmp(&eigenvalues[a]));
        let mut basis = Array2::zeros((TILE_LEN, TILE_LEN));
        for (mut row, &place) in basis.axis_iter_mut(Axis(0)).zip(&order) {
            let vector = eigenvectors.column(place);
            // An eigenvector has no sign of its own: its largest value is made positive.
            let sign = vector[vector.iamax()].signum();
            row.iter_mut().zip(&vector).for_each(|(value, entry)| *value = (entry * sign) as f32);
        }
        // Rounding may leave tiny negative variances.
        let variances = order.iter().map(|&place| eigenvalues[place].max(0.0)).collect();
        let mean = Array1::from_iter(mean.iter().map(|level| (level + MID_GREY) as f32));
        KltTransform::from_parts(mean, basis, variances)
    }

    fn add_pending(&mut self) {
        let num_tiles = self.pending.len() / TILE_LEN;
        let tiles = DMatrix::from_column_slice(TILE_LEN, num_tiles, &self.pending);
        self.products.gemm(1.0, &tiles, &tiles.transpose(), 1.0);
        self.sum += tiles.column_sum();
        self.num_tiles += num_tiles as u64;
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::klt::code_tests::smooth_images;
    use crate::frame::Truth;
    use ndarray::Array4;

    fn fit(batches: &[ImageBatch]) -> KltTransform {
        let mut fit = KltFit::new();
        batches.iter().for_each(|batch| fit.add(batch).unwrap());
        fit.finish().unwrap()
    }

    #[test]
    fn coefficients_of_the_fitted_images_are_uncorrelated_with_the_stated_variances() {
        let batch = smooth_images(0, 40, 32);
        let transform = fit(std::slice::from_ref(&batch));
        let tiling = Tiling::new(32, 32).unwrap();
        let mut moments = Array2::<f64>::zeros((TILE_LEN, TILE_LEN));
        for image in batch.pixels.axis_iter(Axis(0)) {
            let found = transform.analyze(&tiling.cut(image).unwrap(), TILE_LEN).mapv(f64::from);
            moments += &(found.t().dot(&found) / (40.0 * 16.0));
        }
        let largest = transform.variances()[0];
        for ((row, column), found) in moments.indexed_iter() {
            let expected = if row == column { transform.variances()[row] } else { 0.0 };
            assert!((found - expected).abs() < 1e-4 * largest, "({row}, {column}): {found}, {expected}");
        }
        assert!(transform.variances()[0] > 10.0 * transform.variances()[20], "energy is compacted");
    }

    #[test]
    fn batches_do_not_matter() {
        let whole = smooth_images(0, 6, 32);
        let part = |range: std::ops::Range<usize>| ImageBatch {
            frame: 0,
            pixels: whole.pixels.slice(ndarray::s![range, .., .., ..]).to_owned(),
            truth: Truth::default(),
        };
        let (one, two) = (fit(std::slice::from_ref(&whole)), fit(&[part(0..2), part(2..6)]));
        assert!(one.mean().iter().zip(two.mean()).all(|(a, b)| (a - b).abs() < 1e-3));
        let pairs = one.variances().iter().zip(two.variances());
        assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-6 * one.variances()[0]);
    }

    #[test]
    fn a_flat_image_has_a_mean_and_no_variance() {
        let pixels = Array4::from_elem((2, 8, 8, 3), 77);
        let transform = fit(&[ImageBatch { frame: 0, pixels, truth: Truth::default() }]);
        assert!(transform.mean().iter().all(|level| *level == 77.0));
        assert!(transform.variances().iter().all(|variance| *variance < 1e-9));
    }

    #[test]
    fn nothing_to_fit_is_an_error() {
        assert!(KltFit::new().finish().unwrap_err().to_string().contains("at least 1"));
        let pixels = Array4::zeros((1, 0, 8, 3));
        assert!(KltFit::new().add(&ImageBatch { frame: 0, pixels, truth: Truth::default() }).is_err());
    }
}
