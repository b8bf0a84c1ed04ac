//! Values between samples: a sinc under a Kaiser window.

/// Samples on each side that a value between two is made of.
pub const HALF: usize = 16;

/// Shape of the window: 90 dB below what it lets pass, from 0.6 cycles per sample on.
const SHAPE: f64 = 9.0;

/// Weights of the samples from `HALF - 1` before to `HALF` after, for a place `fraction` behind the sample in the middle.
///
/// - fraction: 0 to 1
/// - returns: `[2 HALF]`, in the order of time
/// - accuracy: 80 dB for signals within 0.4 cycles per sample
pub fn weights(fraction: f64) -> [f64; 2 * HALF] {
    std::array::from_fn(|tap| {
        let distance = tap as f64 - (HALF as f64 - 1.0) - fraction;
        sinc(distance) * kaiser(distance / HALF as f64)
    })
}

fn sinc(x: f64) -> f64 {
    let angle = std::f64::consts::PI * x;
    if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle }
}

/// The window over -1 to 1.
fn kaiser(place: f64) -> f64 {
    let inside = (1.0 - place * place).max(0.0).sqrt();
    bessel_i0(SHAPE * inside) / bessel_i0(SHAPE)
}

/// Modified Bessel function of the first kind and order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..60 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex64;
    use std::f64::consts::TAU;

    #[test]
    fn known_values_of_the_bessel_function() {
        // Abramowitz and Stegun, table 9.8.
        for (x, expected) in [(0.0, 1.0), (1.0, 1.266_065_877_752), (5.0, 27.239_871_823_604)] {
            assert!((bessel_i0(x) / expected - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn tones_are_delayed_by_the_fraction() {
        for frequency in [0.0, 0.05, -0.2, 0.33, 0.4] {
            for fraction in [0.0, 0.13, 0.5, 0.99, 1.0] {
                let found: Complex64 = weights(fraction)
                    .iter()
                    .enumerate()
                    .map(|(tap, weight)| {
                        Complex64::cis(TAU * frequency * (tap as f64 - (HALF as f64 - 1.0))) * weight
                    })
                    .sum();
                let error = (found - Complex64::cis(TAU * frequency * fraction)).norm();
                assert!(error < 1e-4, "{frequency}, {fraction}: {error}");
            }
        }
    }
}
