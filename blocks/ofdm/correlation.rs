//! How carriers resemble each other where paths have delays that are spread evenly, and what follows: the linear
//! combination of some carriers that is closest to another.
//!
//! Source: Edfors et al., "OFDM channel estimation by singular value decomposition", IEEE Transactions on
//! Communications 46 (1998): the uniform delay profile.

use super::ResourceGrid;
use crate::{BlockError, Result};
use nalgebra::{Complex, DMatrix, DVector};
use num_complex::{Complex32, Complex64};
use std::f64::consts::PI;

/// Samples by which the first path may come before the time that was taken for it.
const MARGIN: f64 = 3.0;

/// Correlation of carriers over their distance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Correlation {
    /// Mean and width of the delays, in turns per carrier.
    mean: f64,
    width: f64,
}

impl Correlation {
    /// For delays from a little before 0 to a latest one, in samples.
    pub(super) fn within(grid: &ResourceGrid, latest: f64) -> Self {
        let len = grid.numerology().fft_len as f64;
        Self { mean: (latest - MARGIN) / 2.0 / len, width: (latest + MARGIN) / len }
    }

    /// The same about a mean delay of 0, which makes all weights real; and the mean, in turns per carrier.
    pub(super) fn centred(self) -> (Self, f64) {
        (Self { mean: 0.0, ..self }, self.mean)
    }

    /// Part of all delays, as carriers at a spacing can tell them apart, that these are: at most 1.
    pub(super) fn share(&self, spacing: f64) -> f64 {
        (self.width * spacing).min(1.0)
    }

    /// E[h(f + d) h*(f)].
    pub(super) fn at(&self, distance: i32) -> Complex64 {
        let angle = PI * f64::from(distance) * self.width;
        let size = if angle == 0.0 { 1.0 } else { angle.sin() / angle };
        Complex64::cis(-2.0 * PI * f64::from(distance) * self.mean) * size
    }

    /// The weights w with w^T (h + n) closest to h at distance 0.
    ///
    /// - around: distances of the carriers that are combined; noise: variance of n over that of h
    /// - errors: a noise so small that the combination is not determined
    pub(super) fn weights(&self, around: &[i32], noise: f64) -> Result<Vec<Complex32>> {
        let len = around.len();
        let plain = |value: Complex64| Complex::new(value.re, value.im);
        let covariance = DMatrix::from_fn(len, len, |row, column| {
            let own = if row == column { noise } else { 0.0 };
            plain(self.at(around[row] - around[column]) + own)
        });
        // E[h(0) h*(d)], conjugated, so that the solution is the conjugate of the weights.
        let wanted = DVector::from_fn(len, |row, _| plain(self.at(around[row])));
        let solved = covariance
            .cholesky()
            .map(|factor| factor.solve(&wanted))
            .ok_or_else(|| BlockError::Kernel("smoother: a covariance that is not positive".into()))?;
        Ok(solved.iter().map(|w| Complex32::new(w.re as f32, -w.im as f32)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Numerology;
    use super::*;

    #[test]
    fn without_noise_a_carrier_is_itself_and_centred_weights_are_real() {
        let grid = ResourceGrid::new(Numerology::WIDE).unwrap();
        let whole = Correlation::within(&grid, 128.0);
        let weights = whole.weights(&[-12, 0, 12], 1e-6).unwrap();
        for (weight, expected) in weights.iter().zip([0.0, 1.0, 0.0]) {
            assert!((weight - expected).norm() < 1e-4, "{weights:?}");
        }
        let (centred, mean) = whole.centred();
        assert!((mean * 1024.0 - 62.5).abs() < 1e-9);
        let (turned, real) = (whole.weights(&[-5, 7], 0.1).unwrap(), centred.weights(&[-5, 7], 0.1).unwrap());
        for ((turned, real), distance) in turned.iter().zip(&real).zip([-5.0, 7.0]) {
            let turn = Complex64::cis(2.0 * PI * distance * mean);
            assert!(real.im.abs() < 1e-6);
            assert!((turned - real * Complex32::new(turn.re as f32, turn.im as f32)).norm() < 1e-5);
        }
        // Half of it is noise: what is left of one carrier is half.
        assert!((centred.weights(&[0], 1.0).unwrap()[0].re - 0.5).abs() < 1e-6);
    }
}
