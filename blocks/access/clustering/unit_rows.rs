//! Rows of unit length: what clustering looks at is the direction of a feature, not its size.

use crate::{BlockError, Result};
use ndarray::{Array2, ArrayView2};

/// Scales every row to unit length; rows of zeros stay zero.
///
/// - features: `[K, L]`, of any finite magnitude
/// - errors: NaN or infinity, naming the user
pub fn unit_rows(features: ArrayView2<'_, f32>) -> Result<Array2<f32>> {
    let (_, row_len) = features.dim();
    let mut values: Vec<f32> = features.iter().copied().collect();
    for (user, row) in values.chunks_exact_mut(row_len.max(1)).enumerate() {
        let peak = largest_magnitude(row);
        if !peak.is_finite() {
            return Err(not_finite(user, row));
        }
        if peak > 0.0 {
            // Squares of values in this range neither overflow nor vanish, for any length of row.
            if !(1e-12..1e12).contains(&peak) {
                row.iter_mut().for_each(|value| *value /= peak);
            }
            let scale = 1.0 / sum_of_squares(row).sqrt();
            row.iter_mut().for_each(|value| *value *= scale);
        }
    }
    Ok(Array2::from_shape_vec(features.dim(), values).expect("one value was copied per element"))
}

/// Parallel sums and maxima: enough to keep SIMD units busy, and the same on every machine.
const LANES: usize = 16;

/// The largest |value|; not finite if any value is not. Without its sign bit a float orders like its
/// bits as an integer, NaN above infinity.
fn largest_magnitude(row: &[f32]) -> f32 {
    let magnitude = |value: f32| (value.to_bits() & 0x7fff_ffff) as i32;
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0i32; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = lanes[lane].max(magnitude(chunk[lane]));
        }
    }
    let most = rest.iter().map(|value| magnitude(*value)).chain(lanes).max().unwrap_or(0);
    f32::from_bits(most as u32)
}

fn sum_of_squares(row: &[f32]) -> f32 {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0f32; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += chunk[lane] * chunk[lane];
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|value| value * value).sum::<f32>()
}

fn not_finite(user: usize, row: &[f32]) -> BlockError {
    let position = row.iter().position(|value| !value.is_finite()).unwrap_or(0);
    BlockError::NotFinite {
        what: "private feature",
        who: format!("user {user}"),
        position,
        value: row.get(position).copied().unwrap_or(f32::NAN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn rows_get_unit_length_whatever_their_magnitude() {
        let rows = unit_rows(array![[3.0, -4.0], [3e38, 3e38], [1e-44, 0.0], [0.0, -0.0]].view()).unwrap();
        assert!((rows[[0, 0]] - 0.6).abs() < 1e-6 && (rows[[0, 1]] + 0.8).abs() < 1e-6);
        assert!((rows[[1, 0]] - 0.5f32.sqrt()).abs() < 1e-6);
        assert_eq!(rows[[2, 0]], 1.0);
        assert_eq!(rows.row(3).to_vec(), [0.0, 0.0]);
    }

    #[test]
    fn lanes_and_remainder_sum_to_the_whole() {
        let row: Vec<f32> = (0..45).map(|n| n as f32).collect();
        let direct: f32 = row.iter().map(|value| value * value).sum();
        assert_eq!(sum_of_squares(&row), direct);
    }

    #[test]
    fn what_is_not_finite_is_named() {
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = unit_rows(array![[1.0, 2.0], [0.5, bad]].view()).unwrap_err().to_string();
            assert!(error.contains("user 1") && error.contains("position 1"), "{error}");
        }
        assert_eq!(unit_rows(Array2::zeros((3, 0)).view()).unwrap().dim(), (3, 0));
    }
}
