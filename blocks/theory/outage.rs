//! Outage of block fading: how often a fade leaves too little capacity for a rate.
//!
//! One coefficient h stays for a whole block, known to the receiver alone; a block of rate R is lost where
//! log2(1 + SNR |h|^2) < R. Rates are in bits per complex channel use.

use super::capacity::shannon_capacity;
use crate::channel::FadingModel;
use crate::{BlockError, Result};
use std::f64::consts::{FRAC_PI_2, LN_2, PI, SQRT_2};

/// Probability that the capacity of a block lies below a rate.
///
/// - snr: mean Es/N0, linear, at least 0; rate: at least 0
/// - errors: an SNR, rate or K factor that is negative, NaN or infinite
pub fn outage_probability(fading: FadingModel, snr: f64, rate: f64) -> Result<f64> {
    check("snr", snr)?;
    check("rate", rate)?;
    fading.check()?;
    if rate == 0.0 {
        return Ok(0.0);
    }
    Ok(power_below(fading, (rate * LN_2).exp_m1() / snr))
}

/// Largest rate whose outage probability is at most `outage`.
///
/// - snr: mean Es/N0, linear, at least 0
/// - outage: between 0 and 1, both excluded
/// - errors: an argument out of its range
pub fn outage_capacity(fading: FadingModel, snr: f64, outage: f64) -> Result<f64> {
    check("snr", snr)?;
    fading.check()?;
    if !(outage > 0.0 && outage < 1.0) {
        return Err(BlockError::invalid("outage", outage, "a number between 0 and 1"));
    }
    Ok(shannon_capacity(snr * power_quantile(fading, outage)))
}

fn check(name: &'static str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(BlockError::invalid(name, value, "a finite number, at least 0"))
}

/// P(|h|^2 < power).
fn power_below(fading: FadingModel, power: f64) -> f64 {
    match fading {
        FadingModel::Awgn => f64::from(power > 1.0),
        FadingModel::Rayleigh => -(-power).exp_m1(),
        FadingModel::Rician { k_factor } => rician_below(f64::from(k_factor), power),
    }
}

/// The power that |h|^2 stays below with a probability.
fn power_quantile(fading: FadingModel, probability: f64) -> f64 {
    match fading {
        FadingModel::Awgn => 1.0,
        FadingModel::Rayleigh => -(-probability).ln_1p(),
        FadingModel::Rician { k_factor } => {
            let below = |power| rician_below(f64::from(k_factor), power) < probability;
            let (mut low, mut high) = (0.0, 1.0);
            while below(high) {
                (low, high) = (high, 2.0 * high);
            }
            while high - low > 1e-13 * high {
                let middle = 0.5 * (low + high);
                if below(middle) { low = middle } else { high = middle }
            }
            low
        }
    }
}

/// P(|h|^2 < power) for Rician fading: the weight of a disc around 0 under a normal density about the direct
/// path, integrated over the real part u = sqrt(power) sin(t), the imaginary part in closed form.
fn rician_below(k_factor: f64, power: f64) -> f64 {
    // Beyond this the fade varies by less than 1e-4.
    if k_factor > 1e8 {
        return power_below(FadingModel::Awgn, power);
    }
    let direct = (k_factor / (1.0 + k_factor)).sqrt();
    let deviation = (0.5 / (1.0 + k_factor)).sqrt();
    let radius = power.sqrt();
    if radius > direct + 40.0 * deviation {
        return 1.0;
    }
    // The integrand is periodic and analytic: nodes that resolve the density give full accuracy.
    let nodes = (64.0 + 32.0 * radius / deviation).ceil();
    let integrand = |node: u32| {
        let angle = PI * (f64::from(node) + 0.5) / nodes - FRAC_PI_2;
        let away = (radius * angle.sin() - direct) / deviation;
        let half_chord = radius * angle.cos();
        (-0.5 * away * away).exp() * libm::erf(half_chord / (SQRT_2 * deviation)) * half_chord
    };
    let sum: f64 = (0..nodes as u32).map(integrand).sum();
    (sum * PI / nodes / (deviation * (2.0 * PI).sqrt())).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey, complex_normal};

    const RICIAN: FadingModel = FadingModel::Rician { k_factor: 4.0 };

    #[test]
    fn known_probabilities_of_fading_power() {
        // P(|h|^2 < x) by mpmath: the density of the amplitude with the Bessel function I0, integrated.
        for (k_factor, power, expected) in [
            (4.0, 0.1, 0.016_301_531_529_013),
            (10.0, 0.5, 0.099_148_580_434_849),
            (3.0, 1e-4, 1.992_279_301_250e-5),
            (1.0, 2.0, 0.876_618_552_145_177),
        ] {
            let found = rician_below(k_factor, power);
            assert!((found / expected - 1.0).abs() < 1e-11, "{k_factor} {power}: {found}");
        }
        for power in [1e-9, 0.01, 0.7, 3.0, 30.0] {
            let rayleigh = power_below(FadingModel::Rayleigh, power);
            assert!((rician_below(0.0, power) / rayleigh - 1.0).abs() < 1e-12, "{power}");
        }
    }

    #[test]
    fn outage_of_rayleigh_fading_by_hand() {
        // Rate 1 at 10 dB: 1 - exp(-1 / 10).
        let outage = outage_probability(FadingModel::Rayleigh, 10.0, 1.0).unwrap();
        assert!((outage - 0.095_162_581_964_040_43).abs() < 1e-15);
        // 1 % at 20 dB: log2(1 - 100 ln 0.99).
        let rate = outage_capacity(FadingModel::Rayleigh, 100.0, 0.01).unwrap();
        assert!((rate - (1.0 - 100.0 * 0.99f64.ln()).log2()).abs() < 1e-12);
    }

    #[test]
    fn probability_and_capacity_are_inverse() {
        for fading in [FadingModel::Rayleigh, RICIAN, FadingModel::Rician { k_factor: 500.0 }] {
            for snr in [0.1, 10.0, 1e4] {
                for outage in [1e-6, 0.01, 0.5, 0.95] {
                    let rate = outage_capacity(fading, snr, outage).unwrap();
                    let back = outage_probability(fading, snr, rate).unwrap();
                    assert!((back / outage - 1.0).abs() < 1e-6, "{fading:?} {snr} {outage}: {back}");
                }
            }
        }
    }

    #[test]
    fn drawn_fades_fail_as_often() {
        // 100,000 fades: the standard error is below 0.0016; 4 sigma.
        let mut rng = RngKey::new(72).stream(Purpose::Fading, 0, 0);
        let diffuse = complex_normal(&mut rng, 1.0, 100_000);
        for fading in [FadingModel::Rayleigh, RICIAN] {
            let lost = diffuse.iter().filter(|d| {
                let snr = 5.0 * f64::from(fading.fade_of(**d).norm_sqr());
                shannon_capacity(snr) < 2.0
            });
            let expected = outage_probability(fading, 5.0, 2.0).unwrap();
            assert!((lost.count() as f64 / 1e5 - expected).abs() < 0.0064, "{fading:?}");
        }
    }

    #[test]
    fn ends_of_the_scale_and_bad_arguments() {
        for fading in
            [FadingModel::Awgn, FadingModel::Rayleigh, RICIAN, FadingModel::Rician { k_factor: 1e9 }]
        {
            assert_eq!(outage_probability(fading, 1.0, 0.0).unwrap(), 0.0);
            assert_eq!(outage_probability(fading, 0.0, 0.5).unwrap(), 1.0);
            assert_eq!(outage_probability(fading, 1.0, 1e6).unwrap(), 1.0);
            assert_eq!(outage_capacity(fading, 0.0, 0.1).unwrap(), 0.0);
        }
        assert_eq!(outage_probability(FadingModel::Awgn, 3.0, 1.99).unwrap(), 0.0);
        assert_eq!(outage_capacity(FadingModel::Awgn, 3.0, 0.01).unwrap(), 2.0);
        assert!(outage_probability(RICIAN, -1.0, 1.0).is_err());
        assert!(outage_probability(RICIAN, 1.0, f64::NAN).is_err());
        assert!(outage_capacity(RICIAN, 1.0, 1.0).is_err());
        assert!(outage_capacity(FadingModel::Rician { k_factor: -1.0 }, 1.0, 0.1).is_err());
    }
}
