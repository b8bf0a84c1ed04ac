//! What the best code of n channel uses can reach over white noise: the normal approximation.
//!
//! Source: Polyanskiy, Poor and Verdu, "Channel coding rate in the finite blocklength regime", IEEE
//! Transactions on Information Theory 56 (2010): log2 M = n C - sqrt(n V) Q^-1(e) + log2(n) / 2, here with C
//! and V of a complex channel use.

use super::capacity::shannon_capacity;
use crate::{BlockError, Result};
use std::f64::consts::{LOG2_E, SQRT_2};

/// Dispersion of the complex channel with white noise, snr (snr + 2) / (snr + 1)^2 log2(e)^2, in bits^2 per
/// channel use.
///
/// - snr: Es/N0, linear; twice the dispersion of a real channel use at this SNR
pub fn channel_dispersion(snr: f64) -> f64 {
    // 1 - 1 / (1 + snr)^2, which has no infinity over infinity.
    let noise_share = 1.0 / (1.0 + snr);
    (1.0 - noise_share) * (1.0 + noise_share) * LOG2_E * LOG2_E
}

/// Largest rate at which n channel uses reach an error probability, in bits per complex channel use:
/// C - sqrt(V / n) Q^-1(e) + log2(n) / (2 n), and 0 where that is negative.
///
/// - snr: Es/N0, linear, positive and finite
/// - channel_uses: n, complex, at least 1; good from about 100 on, more at low SNR: where n C is below some
///   ten bits, the last term alone can exceed capacity
/// - error_probability: of a block, between 0 and 1, both excluded
/// - errors: an argument out of its range
///
/// Some authors count 2 n real uses in the last term, which adds 1 / (2 n).
pub fn normal_approximation_rate(snr: f64, channel_uses: u64, error_probability: f64) -> Result<f64> {
    normal_approximation_rate_over(&[(snr, channel_uses)], error_probability)
}

/// The same rate where parts of a block meet SNRs of their own and equal power is sent on all of them, in bits
/// per complex channel use of the whole: capacity and dispersion are means over the uses.
///
/// - parts: SNR, linear, positive and finite, and channel uses, at least 1, of each
/// - errors: an argument out of its range; no part
///
/// Source: parallel channels in Polyanskiy, Poor and Verdu, "Dispersion of Gaussian channels", IEEE ISIT 2009, here
/// with a fixed power on each.
pub fn normal_approximation_rate_over(parts: &[(f64, u64)], error_probability: f64) -> Result<f64> {
    let total = parts.iter().fold(0u64, |total, (_, uses)| total.saturating_add(*uses));
    if !(error_probability > 0.0 && error_probability < 1.0) {
        return Err(BlockError::invalid("error_probability", error_probability, "a number between 0 and 1"));
    }
    let n = check(parts.first().map_or(f64::NAN, |(snr, _)| *snr), total)?;
    let (mut capacity, mut dispersion) = (0.0, 0.0);
    for (snr, uses) in parts {
        let share = check(*snr, *uses)? / n;
        capacity += share * shannon_capacity(*snr);
        dispersion += share * channel_dispersion(*snr);
    }
    let backoff = (dispersion / n).sqrt() * inverse_gaussian_tail(error_probability);
    Ok((capacity - backoff + 0.5 * n.log2() / n).max(0.0))
}

/// Block error probability of the best code of a rate: Q((n C - n R + log2(n) / 2) / sqrt(n V)).
///
/// - snr, channel_uses: as for [`normal_approximation_rate`]
/// - rate: bits per complex channel use, finite and at least 0
/// - errors: an argument out of its range
pub fn normal_approximation_error(snr: f64, channel_uses: u64, rate: f64) -> Result<f64> {
    let n = check(snr, channel_uses)?;
    if !(rate.is_finite() && rate >= 0.0) {
        return Err(BlockError::invalid("rate", rate, "a finite number of bits per channel use, at least 0"));
    }
    let margin = n * (shannon_capacity(snr) - rate) + 0.5 * n.log2();
    Ok(gaussian_tail(margin / (n * channel_dispersion(snr)).sqrt()))
}

fn check(snr: f64, channel_uses: u64) -> Result<f64> {
    if !(snr.is_finite() && snr > 0.0) {
        return Err(BlockError::invalid("snr", snr, "a positive finite power ratio"));
    }
    if channel_uses == 0 {
        return Err(BlockError::invalid("channel_uses", 0, "at least 1"));
    }
    Ok(channel_uses as f64)
}

/// Q(x): the probability that a standard normal number exceeds x.
pub fn gaussian_tail(x: f64) -> f64 {
    0.5 * libm::erfc(x / SQRT_2)
}

/// The x with Q(x) = p; infinite at 0 and 1, NaN outside; a p below 1e-300 counts as that much.
pub fn inverse_gaussian_tail(p: f64) -> f64 {
    if p > 0.5 && p <= 1.0 {
        return -inverse_gaussian_tail(1.0 - p);
    }
    if p == 0.0 {
        return f64::INFINITY;
    }
    if !(p > 0.0 && p <= 1.0) {
        return f64::NAN;
    }
    let p = p.max(1e-300);
    // Q is at most exp(-x^2 / 2) / 2, so the start lies at or above the root. There ln Q is concave and
    // falling, so Newton's steps on it descend to the root and never pass it.
    let mut x = (-2.0 * (2.0 * p).ln()).max(0.0).sqrt();
    for _ in 0..60 {
        let tail = gaussian_tail(x);
        let density = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
        let step = (tail / p).ln() * tail / density;
        x += step;
        if step.abs() <= 1e-15 * x.abs() {
            break;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_an_independent_computation() {
        // mpmath, 30 digits, from the formula as printed above.
        let rate = normal_approximation_rate(1.0, 500, 1e-3).unwrap();
        assert!((rate - 0.836_298_007_607_974).abs() < 1e-12, "{rate}");
        let rate = normal_approximation_rate(10.0, 1000, 1e-5).unwrap();
        assert!((rate - 3.270_647_253_498_54).abs() < 1e-12, "{rate}");
        // At 0 dB: V = 3/4 log2(e)^2.
        assert!((channel_dispersion(1.0) - 0.75 * LOG2_E * LOG2_E).abs() < 1e-14);
    }

    #[test]
    fn rate_and_error_probability_are_inverse() {
        for snr in [0.01, 1.0, 30.0, 1e4] {
            for n in [128, 1000, 1_000_000] {
                for error in [1e-9, 1e-3, 0.1, 0.7] {
                    let rate = normal_approximation_rate(snr, n, error).unwrap();
                    if rate > 0.0 {
                        let back = normal_approximation_error(snr, n, rate).unwrap();
                        assert!((back / error - 1.0).abs() < 1e-6, "{snr} {n} {error}: {back}");
                    }
                }
            }
        }
    }

    #[test]
    fn long_blocks_reach_capacity_and_short_ones_less() {
        let rate = |n| normal_approximation_rate(3.0, n, 1e-3).unwrap();
        assert!((rate(1_000_000_000_000) - 2.0).abs() < 1e-5);
        assert!(rate(100) < rate(1000) && rate(1000) < rate(10_000) && rate(10_000) < 2.0);
        assert_eq!(normal_approximation_rate(0.01, 1000, 1e-12).unwrap(), 0.0);
        assert!(normal_approximation_error(3.0, 10_000, 2.5).unwrap() > 0.999_999);
    }

    #[test]
    fn known_quantiles_of_the_normal_distribution() {
        for (p, x) in [
            (0.5, 0.0),
            (0.025, 1.959_963_984_540_054),
            (1e-3, 3.090_232_306_167_813_5),
            (1e-5, 4.264_890_793_922_825),
            (0.975, -1.959_963_984_540_054),
        ] {
            assert!((inverse_gaussian_tail(p) - x).abs() < 1e-12, "{p}: {}", inverse_gaussian_tail(p));
        }
        for p in [0.499_999_9, 0.3, 1e-8, 1e-30, 1e-200, 1e-300] {
            let back = gaussian_tail(inverse_gaussian_tail(p));
            assert!((back / p - 1.0).abs() < 1e-11, "{p}: {back}");
        }
        assert_eq!(inverse_gaussian_tail(0.0), f64::INFINITY);
        assert_eq!(inverse_gaussian_tail(1.0), f64::NEG_INFINITY);
        assert!(inverse_gaussian_tail(1e-310).is_finite());
        assert!([-0.1, 1.1, f64::NAN].iter().all(|p| inverse_gaussian_tail(*p).is_nan()));
    }

    #[test]
    fn arguments_out_of_range_are_refused() {
        let error = |snr, n, p| normal_approximation_rate(snr, n, p).unwrap_err().to_string();
        assert!(error(0.0, 100, 0.1).contains("positive"));
        assert!(error(f64::NAN, 100, 0.1).contains("snr"));
        assert!(error(1.0, 0, 0.1).contains("at least 1"));
        assert!(error(1.0, 100, 1.0).contains("between 0 and 1"));
        assert!(normal_approximation_error(1.0, 100, f64::INFINITY).is_err());
    }
}
