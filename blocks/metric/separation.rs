//! Separation of common features: how far the directions of the groups' features lie apart.

use crate::frame::Features;
use crate::{BlockError, Result};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

/// Pairwise cosines of common features, summarised.
#[derive(Clone, Debug, PartialEq)]
pub struct Separation {
    /// Cosine of every pair, `[G, G]`, 1 on the diagonal.
    pub cosines: Array2<f64>,
    /// Mean of the cosines off the diagonal.
    pub mean: f64,
    /// Least cosine off the diagonal.
    pub min: f64,
    /// Largest cosine off the diagonal.
    pub max: f64,
    /// -1 / (G - 1): where all cosines stand when the features are as far apart as can be.
    pub target: f64,
}

/// Measures how far common features lie apart.
///
/// - common: `[G, L_c]`, the rows of non-empty groups only, G at least 2
/// - errors: fewer than two rows; a row that is zero or not finite, named by its index
///
/// Source: eq. 10 of the group-splitting paper gives the target.
pub fn separation(common: ArrayView2<'_, f32>) -> Result<Separation> {
    let num_groups = common.nrows();
    if num_groups < 2 {
        return Err(BlockError::invalid(
            "groups",
            num_groups,
            "at least 2 with a common feature, to compare",
        ));
    }
    let cosines = cosines(common)?;
    let pairs =
        || cosines.indexed_iter().filter(|((row, column), _)| row != column).map(|(_, cosine)| *cosine);
    let count = (num_groups * (num_groups - 1)) as f64;
    let mean = pairs().sum::<f64>() / count;
    let min = pairs().fold(f64::INFINITY, f64::min);
    let max = pairs().fold(f64::NEG_INFINITY, f64::max);
    Ok(Separation { mean, min, max, target: -1.0 / (num_groups - 1) as f64, cosines })
}

impl Separation {
    /// Measures the common features of one frame, leaving out empty groups.
    ///
    /// - errors: as [`separation`]
    pub fn of(features: &Features) -> Result<Self> {
        let sizes = features.grouping.sizes();
        if sizes.len() != features.common.nrows() {
            return Err(BlockError::shape("rows of common features", sizes.len(), features.common.nrows()));
        }
        let filled: Vec<usize> = (0..sizes.len()).filter(|group| sizes[*group] > 0).collect();
        separation(features.common.select(Axis(0), &filled).view())
    }
}

/// The cosine of every pair of rows.
///
/// - rows: `[G, L]` -> `[G, G]`
/// - errors: a row that is zero or not finite, named by its index
pub fn cosines(rows: ArrayView2<'_, f32>) -> Result<Array2<f64>> {
    let mut unit = rows.mapv(f64::from);
    for (group, mut row) in unit.rows_mut().into_iter().enumerate() {
        check_row(group, row.view())?;
        // Squares of f32 values neither overflow nor vanish in f64.
        let length = row.dot(&row).sqrt();
        row /= length;
    }
    Ok(unit.dot(&unit.t()))
}

fn check_row(group: usize, row: ArrayView1<'_, f64>) -> Result<()> {
    let (what, who) = ("common feature", format!("group {group}"));
    if let Some((position, value)) = row.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(BlockError::NotFinite { what, who, position, value: *value as f32 });
    }
    if row.iter().all(|value| *value == 0.0) {
        return Err(BlockError::Silent { what, who, len: row.len() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grouping;
    use ndarray::array;

    #[test]
    fn a_simplex_stands_at_the_target() {
        // The corners of a tetrahedron, at different lengths.
        let corners = array![[1.0, 1.0, 1.0], [2.0, -2.0, -2.0], [-0.1, 0.1, -0.1], [-1e30, -1e30, 1e30]];
        let found = separation(corners.view()).unwrap();
        for cosine in [found.mean, found.min, found.max] {
            assert!((cosine - found.target).abs() < 1e-7, "{cosine}");
        }
        assert_eq!(found.target, -1.0 / 3.0);
    }

    #[test]
    fn a_known_matrix() {
        let found = separation(array![[1.0, 0.0], [1.0, 1.0], [0.0, -2.0]].view()).unwrap();
        let half = 0.5f64.sqrt();
        let expected = array![[1.0, half, 0.0], [half, 1.0, -half], [0.0, -half, 1.0]];
        assert!((&found.cosines - &expected).iter().all(|error| error.abs() < 1e-12));
        assert!(
            found.mean.abs() < 1e-12 && (found.max - half).abs() < 1e-12 && (found.min + half).abs() < 1e-12
        );
    }

    #[test]
    fn empty_groups_are_left_out() {
        let grouping = Grouping::new(vec![0, 2], 3).unwrap();
        let common = array![[1.0, 0.0], [0.0, 0.0], [-1.0, 0.0]];
        let features = Features { frame: 0, private: Array2::zeros((2, 0)), common, grouping };
        let found = Separation::of(&features).unwrap();
        assert_eq!((found.mean, found.target), (-1.0, -1.0));
    }

    #[test]
    fn what_cannot_be_compared_is_named() {
        let error = |rows: Array2<f32>| separation(rows.view()).unwrap_err().to_string();
        assert!(error(array![[1.0]]).contains("at least 2"));
        assert!(error(array![[1.0, 0.0], [0.0, 0.0]]).contains("group 1 is silent"));
        assert!(error(array![[1.0, f32::NAN], [0.0, 1.0]]).contains("group 0"));
    }
}
