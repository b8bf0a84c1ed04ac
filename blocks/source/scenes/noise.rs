//! Smooth noise whose spectrum falls off with frequency: octaves of interpolated lattice values.

/// Sum of octaves, each with twice the frequency and 0.55 times the amplitude of the one before.
///
/// - returns: about -1 to 1, mean 0 over many seeds
pub(super) fn fractal(x: f32, y: f32, octaves: u32, seed: u32) -> f32 {
    let (mut sum, mut weight, mut frequency, mut total) = (0.0, 1.0, 1.0, 0.0);
    for octave in 0..octaves {
        sum += weight * lattice(x * frequency, y * frequency, seed.wrapping_add(octave));
        total += weight;
        weight *= 0.55;
        frequency *= 2.0;
    }
    if total > 0.0 { sum / total } else { 0.0 }
}

/// How many octaves fit between a base frequency in cycles per unit and one third of a cycle per
/// pixel, beyond which detail would alias.
pub(super) fn octaves_for(base_frequency: f32, pixels_per_unit: f32) -> u32 {
    let ratio = pixels_per_unit / (3.0 * base_frequency.max(1e-3));
    (ratio.max(1.0).log2() as u32 + 1).min(8)
}

/// Random values in -1 to 1 at whole coordinates, joined by quintic interpolation.
fn lattice(x: f32, y: f32, seed: u32) -> f32 {
    let (x0, y0) = (x.floor(), y.floor());
    let ease = |t: f32| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let (u, v) = (ease(x - x0), ease(y - y0));
    let (i, j) = (x0 as i32, y0 as i32);
    let at = |di: i32, dj: i32| corner(i.wrapping_add(di), j.wrapping_add(dj), seed);
    let top = at(0, 0) + (at(1, 0) - at(0, 0)) * u;
    let bottom = at(0, 1) + (at(1, 1) - at(0, 1)) * u;
    top + (bottom - top) * v
}

/// A value in -1 to 1 for a lattice point: multiply and fold, three times.
fn corner(i: i32, j: i32, seed: u32) -> f32 {
    let mut bits = (i as u32).wrapping_mul(0x9E37_79B1) ^ (j as u32).wrapping_mul(0x85EB_CA77) ^ seed;
    for factor in [0x7FEB_352D_u32, 0x846C_A68B, 0xC2B2_AE3D] {
        bits = (bits ^ (bits >> 16)).wrapping_mul(factor);
    }
    (bits >> 8) as f32 / (1 << 23) as f32 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lattice_values_are_uniform_and_uncorrelated() {
        let values: Vec<f32> =
            (0..200).flat_map(|i| (0..200).map(move |j| corner(i - 100, j - 100, 3))).collect();
        let count = values.len() as f32;
        let mean = values.iter().sum::<f32>() / count;
        let variance = values.iter().map(|v| v * v).sum::<f32>() / count;
        let neighbours = values.windows(2).map(|w| w[0] * w[1]).sum::<f32>() / count;
        // Uniform on -1..1: variance 1/3; 40,000 values, 4 sigma.
        assert!(mean.abs() < 0.0116, "{mean}");
        assert!((variance - 1.0 / 3.0).abs() < 0.006, "{variance}");
        assert!(neighbours.abs() < 0.0067, "{neighbours}");
    }

    #[test]
    fn noise_meets_its_lattice_and_is_continuous() {
        assert_eq!(lattice(3.0, -2.0, 9), corner(3, -2, 9));
        for k in 0..400 {
            let x = k as f32 * 0.05 - 10.0;
            let (here, there) = (fractal(x, 0.3, 3, 1), fractal(x + 1e-3, 0.3, 3, 1));
            assert!((here - there).abs() < 0.02 && here.abs() <= 1.0);
        }
        assert_eq!(fractal(1.0, 1.0, 0, 1), 0.0);
    }

    #[test]
    fn octaves_stop_before_the_pixels() {
        assert_eq!(octaves_for(2.0, 32.0), 3);
        assert_eq!(octaves_for(100.0, 32.0), 1);
        assert_eq!(octaves_for(0.0, 1e9), 8);
    }
}
