//! The standard normal distribution in plain arithmetic, which a compiler puts into registers.

/// Base-2 logarithm of e, halved.
const HALF_LOG2_E: f32 = 0.5 * std::f32::consts::LOG2_E;
/// 1 / sqrt(2 pi).
const DENSITY_AT_ZERO: f32 = 0.398_942_3;
/// Powers of two below this one are not normal numbers.
const LEAST_EXPONENT: f32 = -126.0;
/// Adding it rounds to whole numbers, which then stand in the lowest bits.
const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23
/// 2^f for |f| <= 1/2: interpolation at Chebyshev nodes, within 3e-9.
#[allow(clippy::excessive_precision, reason = "as fitted")]
const POWERS: [f32; 7] =
    [1.0, 0.693147207, 0.240226509, 0.0555032723, 0.00961805668, 0.00134004282, 0.000154614447];

/// With t = 1 / (1 + 0.3 a), Phi(-a) e^(a^2 / 2) = t Q(t). Least squares on Chebyshev nodes, reweighted until
/// the relative error is even: 1.3e-7 for 0 <= a <= 13.5.
const STRETCH: f32 = 0.3;
#[allow(clippy::excessive_precision, reason = "as fitted")]
const TAIL: [f32; 8] = [
    0.119626389,
    0.120798369,
    0.0996374205,
    0.129469468,
    -0.0553944113,
    0.208207287,
    -0.158276437,
    0.0359318505,
];

/// What the standard normal distribution is at a value.
pub struct StandardNormal {
    /// Phi(x), the probability of a smaller value.
    pub below: f32,
    /// The density, e^(-x^2 / 2) / sqrt(2 pi).
    pub density: f32,
}

/// Both at x, within 2.5e-7.
#[inline(always)]
pub fn standard_normal(x: f32) -> StandardNormal {
    let bell = power_of_two(-HALF_LOG2_E * (x * x));
    let t = 1.0 / (1.0 + STRETCH * x.abs());
    let tail = bell * t * polynomial(&TAIL, t);
    let below = if x < 0.0 { tail } else { 1.0 - tail };
    StandardNormal { below, density: DENSITY_AT_ZERO * bell }
}

/// 2^y for y <= 0, with the smallest normal number as its least value.
#[inline(always)]
fn power_of_two(y: f32) -> f32 {
    let y = y.max(LEAST_EXPONENT);
    let shifted = y + ROUND;
    let fraction = y - (shifted - ROUND);
    let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    scale * polynomial(&POWERS, fraction)
}

#[inline(always)]
fn polynomial<const N: usize>(coefficients: &[f32; N], x: f32) -> f32 {
    let mut sum = coefficients[N - 1];
    for coefficient in coefficients[..N - 1].iter().rev() {
        sum = sum * x + coefficient;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_error_function() {
        for at in -14_000..=14_000 {
            let x = at as f32 / 1000.0;
            let found = standard_normal(x);
            let wide = f64::from(x);
            let below = 0.5 * libm::erfc(-wide / 2f64.sqrt());
            let density = (-wide * wide / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            assert!((f64::from(found.below) - below).abs() < 2.5e-7, "{x}: {} {below}", found.below);
            assert!((f64::from(found.density) - density).abs() < 2.5e-7, "{x}: {} {density}", found.density);
            // The far tail loses what x^2 does: its rounding, 2^-24, times half of it.
            let relative = (f64::from(found.below) / below - 1.0).abs();
            assert!(x < -13.0 || relative < 5e-7 + 1.2e-7 * wide * wide / 2.0, "{x}: {relative}");
        }
    }

    #[test]
    fn values_without_a_place_on_the_axis() {
        assert!(standard_normal(f32::NAN).below.is_nan());
        assert_eq!(standard_normal(f32::INFINITY).below, 1.0);
        assert_eq!(standard_normal(f32::NEG_INFINITY).below, 0.0);
    }
}
