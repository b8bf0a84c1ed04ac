//! The discrete cosine transform of 8 x 8 blocks and its inverse.
//!
//! S(v, u) = C(u) C(v) / 4 * sum over y, x of s(y, x) cos((2x + 1) u pi / 16) cos((2y + 1) v pi / 16),
//! with C(0) = 1 / sqrt 2 and C = 1 otherwise. Source: ITU-T T.81, A.3.3. In single precision and without
//! fused operations, so that every machine gets the same bits.

use std::f64::consts::FRAC_1_SQRT_2;

/// A block, row by row.
pub(super) type Square = [[f32; 8]; 8];

/// `BASIS[u][x]` = C(u) / 2 * cos((2x + 1) u pi / 16).
const BASIS: Square = basis();

const fn basis() -> Square {
    // cos(k pi / 16) for k = 0 to 8.
    const COSINES: [f64; 9] = [
        1.0,
        0.980_785_280_403_230_4,
        0.923_879_532_511_286_7,
        0.831_469_612_302_545_2,
        FRAC_1_SQRT_2,
        0.555_570_233_019_602_2,
        0.382_683_432_365_089_8,
        0.195_090_322_016_128_28,
        0.0,
    ];
    let mut basis = [[0.0; 8]; 8];
    let mut frequency = 0;
    while frequency < 8 {
        let scale = if frequency == 0 { FRAC_1_SQRT_2 / 2.0 } else { 0.5 };
        let mut place = 0;
        while place < 8 {
            // The cosine repeats after 32, is even around 0 and odd around 8.
            let angle = (2 * place + 1) * frequency % 32;
            let folded = if angle > 16 { 32 - angle } else { angle };
            let cosine = if folded > 8 { -COSINES[16 - folded] } else { COSINES[folded] };
            basis[frequency][place] = (scale * cosine) as f32;
            place += 1;
        }
        frequency += 1;
    }
    basis
}

fn add_scaled(sum: &mut [f32; 8], row: &[f32; 8], factor: f32) {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += value * factor;
    }
}

/// Samples to coefficients.
pub(super) fn forward(samples: &Square) -> Square {
    let mut transformed = [[0.0; 8]; 8];
    for (vertical, basis) in transformed.iter_mut().zip(&BASIS) {
        let mut columns = [0.0; 8];
        for (row, weight) in samples.iter().zip(basis) {
            add_scaled(&mut columns, row, *weight);
        }
        for (coefficient, basis) in vertical.iter_mut().zip(&BASIS) {
            *coefficient = columns.iter().zip(basis).map(|(value, weight)| value * weight).sum();
        }
    }
    transformed
}

/// One row of samples from coefficients that are transformed back in the other direction.
fn across(coefficients: &[f32; 8], columns: usize) -> [f32; 8] {
    let mut samples = [0.0; 8];
    for (coefficient, basis) in coefficients.iter().zip(&BASIS).take(columns) {
        add_scaled(&mut samples, basis, *coefficient);
    }
    samples
}

/// Coefficients to samples.
///
/// - rows, columns: coefficients at and beyond them are zero and not looked at; at most 8
pub(super) fn inverse(coefficients: &Square, rows: usize, columns: usize) -> Square {
    let mut samples = [[0.0; 8]; 8];
    for row in 0..4 {
        // Rows mirrored in the middle of the block share the even frequencies and differ in sign in the odd.
        let (mut even, mut odd) = ([0.0; 8], [0.0; 8]);
        for (values, basis) in coefficients.iter().zip(&BASIS).take(rows).step_by(2) {
            add_scaled(&mut even, values, basis[row]);
        }
        for (values, basis) in coefficients.iter().zip(&BASIS).take(rows).skip(1).step_by(2) {
            add_scaled(&mut odd, values, basis[row]);
        }
        let mut upper = even;
        add_scaled(&mut upper, &odd, 1.0);
        let mut lower = even;
        add_scaled(&mut lower, &odd, -1.0);
        samples[row] = across(&upper, columns);
        samples[7 - row] = across(&lower, columns);
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey, normal};
    use std::f64::consts::PI;

    fn random_square(seed: u64) -> Square {
        let mut rng = RngKey::new(seed).stream(Purpose::Scene, 0, 0);
        std::array::from_fn(|_| std::array::from_fn(|_| 50.0 * normal(&mut rng)))
    }

    /// The double sum of the standard.
    fn double_sum(samples: &Square, v: usize, u: usize) -> f64 {
        let scale = |index| if index == 0 { FRAC_1_SQRT_2 } else { 1.0 };
        let wave = |place: usize, index: usize| ((2 * place + 1) as f64 * index as f64 * PI / 16.0).cos();
        let mut sum = 0.0;
        for (y, row) in samples.iter().enumerate() {
            for (x, sample) in row.iter().enumerate() {
                sum += f64::from(*sample) * wave(x, u) * wave(y, v);
            }
        }
        sum * scale(u) * scale(v) / 4.0
    }

    #[test]
    fn coefficients_equal_the_double_sum() {
        let samples = random_square(1);
        for (v, row) in forward(&samples).iter().enumerate() {
            for (u, coefficient) in row.iter().enumerate() {
                assert!((f64::from(*coefficient) - double_sum(&samples, v, u)).abs() < 1e-3, "{v} {u}");
            }
        }
    }

    #[test]
    fn the_inverse_restores_the_samples() {
        let samples = random_square(2);
        let restored = inverse(&forward(&samples), 8, 8);
        for (a, b) in samples.as_flattened().iter().zip(restored.as_flattened()) {
            assert!((a - b).abs() < 1e-3);
        }
    }

    #[test]
    fn leaving_out_zeros_changes_no_bit() {
        for (rows, columns) in [(0, 0), (1, 1), (3, 1), (2, 5), (8, 7)] {
            let mut coefficients = random_square(3);
            for (v, row) in coefficients.iter_mut().enumerate() {
                row.iter_mut()
                    .enumerate()
                    .filter(|(u, _)| v >= rows || *u >= columns)
                    .for_each(|(_, c)| *c = 0.0);
            }
            assert_eq!(inverse(&coefficients, rows, columns), inverse(&coefficients, 8, 8));
        }
    }

    #[test]
    fn a_flat_block_has_eight_times_its_level_and_nothing_else() {
        let transformed = forward(&[[-128.0; 8]; 8]);
        assert!((transformed[0][0] + 1024.0).abs() < 1e-3);
        assert!(transformed.as_flattened()[1..].iter().all(|value| value.abs() < 1e-3));
    }
}
