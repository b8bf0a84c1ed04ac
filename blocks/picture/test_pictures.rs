//! Made-up pictures for the tests of this folder.

use crate::rng::{Purpose, RngKey};
use ndarray::Array3;
use rand::Rng;

/// Independent random bytes, `[H, W, 3]`.
pub(super) fn noise(height: usize, width: usize, seed: u64) -> Array3<u8> {
    let mut rng = RngKey::new(seed).stream(Purpose::Scene, 0, 0);
    Array3::from_shape_fn((height, width, 3), |_| rng.next_u32() as u8)
}

/// A coloured gradient, a bright disc with a hard edge, and a little grain: `[H, W, 3]`.
pub(super) fn scene(height: usize, width: usize, seed: u64) -> Array3<u8> {
    let grain = noise(height, width, seed);
    let mut rng = RngKey::new(seed).stream(Purpose::Scene, 0, 1);
    let mut uniform = || f64::from(rng.next_u32()) / f64::from(u32::MAX);
    let tint: [f64; 3] = std::array::from_fn(|_| 60.0 + 120.0 * uniform());
    let slope: [f64; 3] = std::array::from_fn(|_| 120.0 * (uniform() - 0.5));
    let (middle_row, middle_column, radius) = (uniform(), uniform(), 0.15 + 0.2 * uniform());
    Array3::from_shape_fn((height, width, 3), |(row, column, channel)| {
        let (y, x) = (row as f64 / height as f64, column as f64 / width as f64);
        let inside = (y - middle_row).hypot(x - middle_column) < radius;
        let disc = if inside { 50.0 * (channel as f64 - 0.6) } else { 0.0 };
        let texture = 12.0 * (14.0 * (x + 0.7 * y)).sin();
        let level = tint[channel] + slope[channel] * (x + y - 1.0) + disc + texture;
        (level + f64::from(grain[[row, column, channel]]) / 32.0).clamp(0.0, 255.0) as u8
    })
}

/// One colour everywhere.
pub(super) fn flat(height: usize, width: usize, colour: [u8; 3]) -> Array3<u8> {
    Array3::from_shape_fn((height, width, 3), |(.., channel)| colour[channel])
}
