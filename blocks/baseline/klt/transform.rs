//! The Karhunen-Loeve basis of tiles.

use super::tiling::TILE_LEN;
use crate::{BlockError, Result};
use ndarray::{Array1, Array2, ArrayView2, s};

/// Mean, eigenvectors and variances of tiles, strongest first.
#[derive(Clone, Debug, PartialEq)]
pub struct KltTransform {
    mean: Array1<f32>,
    basis: Array2<f32>,
    variances: Vec<f64>,
}

impl KltTransform {
    /// Builds a transform from its parts.
    ///
    /// - mean: `[TILE_LEN]`, levels 0 to 255
    /// - basis: `[TILE_LEN, TILE_LEN]`, one orthonormal eigenvector per row
    /// - variances: `[TILE_LEN]`, of each coefficient, in squared levels, descending
    /// - errors: other shapes, values that are not finite, variances that are negative or ascend,
    ///   rows that are not orthonormal to 1e-3
    pub fn from_parts(mean: Array1<f32>, basis: Array2<f32>, variances: Vec<f64>) -> Result<Self> {
        let found = (mean.len(), basis.dim(), variances.len());
        let expected = (TILE_LEN, (TILE_LEN, TILE_LEN), TILE_LEN);
        if found != expected {
            let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
            return Err(BlockError::shape("KLT mean, basis and variances", expected, found));
        }
        if let Some(value) = mean.iter().find(|value| !value.is_finite()) {
            return Err(BlockError::invalid("KLT mean", value, "finite numbers"));
        }
        let sound = |variance: f64| variance.is_finite() && variance >= 0.0;
        if let Some(value) = variances.iter().find(|variance| !sound(**variance)) {
            return Err(BlockError::invalid("KLT variance", value, "finite numbers, at least 0"));
        }
        if let Some(pair) = variances.windows(2).find(|pair| pair[0] < pair[1]) {
            let found = format!("{} before {}", pair[0], pair[1]);
            return Err(BlockError::invalid("KLT variances", found, "descending order"));
        }
        let deviation = basis.dot(&basis.t()) - Array2::<f32>::eye(TILE_LEN);
        // A comparison that NaN fails as well.
        if !deviation.iter().all(|value| value.abs() < 1e-3) {
            return Err(BlockError::invalid("KLT basis", "other rows", "orthonormal rows"));
        }
        Ok(Self { mean, basis, variances })
    }

    /// Mean tile, `[TILE_LEN]`.
    pub fn mean(&self) -> &Array1<f32> {
        &self.mean
    }

    /// Eigenvectors in rows, `[TILE_LEN, TILE_LEN]`.
    pub fn basis(&self) -> &Array2<f32> {
        &self.basis
    }

    /// Variance of each coefficient in squared levels, descending.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// The `num` strongest coefficients of tiles.
    ///
    /// - tiles `[tiles, TILE_LEN]` -> `[tiles, num]`, num at most [`TILE_LEN`]
    pub fn analyze(&self, tiles: &Array2<f32>, num: usize) -> Array2<f32> {
        (tiles - &self.mean).dot(&self.basis.slice(s![..num, ..]).t())
    }

    /// Tiles from their strongest coefficients; those absent count as 0.
    ///
    /// - coefficients `[tiles, num]` -> `[tiles, TILE_LEN]`, num at most [`TILE_LEN`]
    pub fn synthesize(&self, coefficients: ArrayView2<f32>) -> Array2<f32> {
        coefficients.dot(&self.basis.slice(s![..coefficients.ncols(), ..])) + &self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> (Array1<f32>, Array2<f32>, Vec<f64>) {
        let variances = (0..TILE_LEN).map(|n| (TILE_LEN - n) as f64).collect();
        (Array1::from_elem(TILE_LEN, 100.0), Array2::eye(TILE_LEN), variances)
    }

    #[test]
    fn synthesis_undoes_analysis_and_starts_from_the_mean() {
        let (mean, basis, variances) = parts();
        let transform = KltTransform::from_parts(mean, basis, variances).unwrap();
        let tiles = Array2::from_shape_fn((3, TILE_LEN), |(tile, place)| (tile * place) as f32);
        let coefficients = transform.analyze(&tiles, TILE_LEN);
        assert_eq!(transform.synthesize(coefficients.view()), tiles);
        let few = transform.analyze(&tiles, 5);
        assert_eq!(few, coefficients.slice(s![.., ..5]));
        assert_eq!(transform.synthesize(few.view())[[2, 5]], 100.0);
    }

    #[test]
    fn unsound_parts_are_refused() {
        let with = |change: fn(&mut Array1<f32>, &mut Array2<f32>, &mut Vec<f64>)| {
            let (mut mean, mut basis, mut variances) = parts();
            change(&mut mean, &mut basis, &mut variances);
            KltTransform::from_parts(mean, basis, variances).map_err(|error| error.to_string())
        };
        assert!(with(|_, _, _| ()).is_ok());
        assert!(with(|mean, _, _| mean[3] = f32::NAN).unwrap_err().contains("finite"));
        assert!(with(|_, basis, _| basis[[4, 7]] = 0.5).unwrap_err().contains("orthonormal"));
        assert!(with(|_, basis, _| basis[[4, 7]] = f32::NAN).unwrap_err().contains("orthonormal"));
        assert!(with(|_, _, variances| variances[5] = 1000.0).unwrap_err().contains("descending"));
        assert!(with(|_, _, variances| variances[191] = -1.0).unwrap_err().contains("at least 0"));
        assert!(with(|_, _, variances| variances.truncate(9)).unwrap_err().contains("192"));
    }
}
