//! Exact bit error probability of uncoded Gray-mapped constellations, over white noise and over flat fading.
//!
//! The bits are those of [`Modulation`], decided by the nearest point. Every probability is a sum of
//! w erfc(c sqrt(SNR)); fading replaces each erfc by its mean over the fades.
//! Source: Cho and Yoon, "On the general BER expression of one- and two-dimensional amplitude modulations",
//! IEEE Transactions on Communications 50 (2002).

use crate::channel::FadingModel;
use crate::modem::Modulation;
use std::f64::consts::FRAC_PI_2;

/// Bit error probability, the mean over the bits of a symbol.
///
/// - snr: Es/N0, linear, the mean over fades; NaN gives NaN, as does a negative one or a negative K factor
/// - fading: known to the receiver
pub fn bit_error_rate(modulation: Modulation, snr: f64, fading: FadingModel) -> f64 {
    let rates = bit_error_rates(modulation, snr, fading);
    rates.iter().sum::<f64>() / rates.len() as f64
}

/// Bit error probability of each bit of a rail, the sign bit first: bits 2 k and 2 k + 1 of a symbol share
/// entry k.
///
/// - arguments as for [`bit_error_rate`] -> `[bits_per_rail]`
pub fn bit_error_rates(modulation: Modulation, snr: f64, fading: FadingModel) -> Vec<f64> {
    let amplitudes = 1u32 << modulation.bits_per_rail();
    let scale = modulation.half_step() * snr.sqrt();
    let tail = |odd: u32| mean_half_erfc((f64::from(odd) * scale).powi(2), fading);
    (1..=modulation.bits_per_rail())
        .map(|bit| {
            // The weight of a term is how often its distance separates two decisions on this bit.
            let folds = 1u32 << (bit - 1);
            let terms = amplitudes - amplitudes / (2 * folds);
            let sum: f64 = (0..terms)
                .map(|term| {
                    let sign = if (term * folds / amplitudes).is_multiple_of(2) { 1.0 } else { -1.0 };
                    let nearest = (2 * term * folds + amplitudes) / (2 * amplitudes);
                    sign * (f64::from(folds) - f64::from(nearest)) * tail(2 * term + 1)
                })
                .sum();
            2.0 * sum / f64::from(amplitudes)
        })
        .collect()
}

/// The mean of erfc(sqrt(u |h|^2)) / 2, with E|h|^2 = 1.
fn mean_half_erfc(u: f64, fading: FadingModel) -> f64 {
    match fading {
        FadingModel::Awgn => 0.5 * libm::erfc(u.sqrt()),
        FadingModel::Rayleigh => {
            // (1 - sqrt(u / (1 + u))) / 2, without the difference of two numbers close to 1.
            let ratio = 1.0 / (1.0 + 1.0 / u);
            0.5 / ((1.0 + u) * (1.0 + ratio.sqrt()))
        }
        FadingModel::Rician { k_factor } => rician_mean(u, f64::from(k_factor)),
    }
}

/// The mean over Rician fades: 1/pi times the integral over 0..pi/2 of E exp(-u |h|^2 / sin^2 t) dt, where
/// the expectation has a closed form.
///
/// Source: Simon and Alouini, "A unified approach to the performance analysis of digital communication over
/// generalized fading channels", Proceedings of the IEEE 86 (1998).
fn rician_mean(u: f64, k_factor: f64) -> f64 {
    if u == 0.0 {
        return 0.5;
    }
    if !(u > 0.0 && k_factor >= 0.0) {
        return f64::NAN;
    }
    // The integrand is smooth and periodic, so the midpoint rule converges exponentially, at a speed given by
    // its pole at sinh(t) = sqrt(u / (1 + K)); a large K flattens it, and the second term is enough. Doubling
    // the nodes changes the result by 1e-13 of itself.
    let pole = (u / (1.0 + k_factor)).sqrt().asinh();
    let nodes = (40.0 + (20.0 / pole).min(150.0 / u.sqrt().asinh())).min(1e6).ceil();
    let integrand = |node: u32| {
        let sine = (FRAC_PI_2 * (f64::from(node) + 0.5) / nodes).sin();
        let scaled = (1.0 + k_factor) * sine * sine / u;
        let decayed = (-k_factor / (1.0 + scaled)).exp();
        scaled / (1.0 + scaled) * decayed
    };
    (0..nodes as u32).map(integrand).sum::<f64>() / (2.0 * nodes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::clopper_pearson;
    use crate::modem::{Demapping, SoftDemapper};
    use crate::rng::{Purpose, RngKey, complex_normal};
    use rand::Rng;

    fn linear(db: f64) -> f64 {
        10f64.powf(db / 10.0)
    }

    /// The SNR at which uncoded bits have an error rate.
    fn snr_of(modulation: Modulation, rate: f64) -> f64 {
        let (mut low, mut high) = (1e-4, 1e6f64);
        for _ in 0..60 {
            let middle = (low * high).sqrt();
            if bit_error_rate(modulation, middle, FadingModel::Awgn) > rate {
                low = middle
            } else {
                high = middle
            }
        }
        low
    }

    /// Errors by bit of a symbol, hard decisions on max-log LLRs.
    fn simulate(modulation: Modulation, snr: f64, num_symbols: usize, frame: u64) -> Vec<u64> {
        let key = RngKey::new(70);
        let mut rng = key.stream(Purpose::Shuffle, frame, modulation.bits_per_symbol());
        let num_bits = num_symbols * modulation.bits_per_symbol();
        let bits: Vec<u8> = std::iter::repeat_with(|| rng.next_u64())
            .flat_map(|word| (0..64).map(move |place| ((word >> place) & 1) as u8))
            .take(num_bits)
            .collect();
        let noise = (1.0 / snr) as f32;
        let added = complex_normal(&mut rng, noise, num_symbols);
        let received: Vec<_> = modulation.map(&bits).unwrap().iter().zip(added).map(|(x, n)| x + n).collect();
        let llrs = SoftDemapper::new(modulation, Demapping::MaxLog)
            .demap(&received, &[num_complex::Complex32::ONE], &[noise])
            .unwrap();
        let mut errors = vec![0; modulation.bits_per_symbol()];
        for (index, (bit, llr)) in bits.iter().zip(llrs).enumerate() {
            errors[index % modulation.bits_per_symbol()] += u64::from((llr < 0.0) != (*bit == 1));
        }
        errors
    }

    #[test]
    fn simulated_error_rates_lie_in_their_99_97_percent_intervals() {
        let num_symbols = 60_000;
        for modulation in Modulation::ALL {
            for (frame, target) in [0.2, 0.07, 0.02, 5e-3, 1e-3].into_iter().enumerate() {
                let snr = snr_of(modulation, target);
                let errors = simulate(modulation, snr, num_symbols, frame as u64);
                let all = num_symbols as u64 * errors.len() as u64;
                let within = clopper_pearson(errors.iter().sum(), all, 0.9997).unwrap();
                let rate = bit_error_rate(modulation, snr, FadingModel::Awgn);
                assert!(within.contains(rate), "{modulation} at {snr}: {within:?} without {rate}");
                // Equal bits of the two rails err independently, so this interval is exact.
                let rates = bit_error_rates(modulation, snr, FadingModel::Awgn);
                for (bit, rate) in errors.chunks(2).zip(rates) {
                    let trials = num_symbols as u64 * bit.len() as u64;
                    let within = clopper_pearson(bit.iter().sum(), trials, 0.9997).unwrap();
                    assert!(
                        within.contains(rate),
                        "{modulation} {bit:?} at {snr}: {within:?} without {rate}"
                    );
                }
            }
        }
    }

    /// The definition: from each amplitude, the probability of every interval of the other bit.
    fn by_decision_regions(modulation: Modulation, snr: f64) -> Vec<f64> {
        let num_bits = modulation.bits_per_rail();
        let count = 1i32 << num_bits;
        let scale = modulation.half_step() * snr.sqrt();
        let bit_at = |index: i32, bit: usize| {
            let mut place = 2 * index + 1 - count;
            for fold in 0..bit {
                place = (count >> (fold + 1)) - place.abs();
            }
            place < 0
        };
        let below = |edge: f64| 0.5 * libm::erfc(-edge * scale);
        let region = |sent: i32, index: i32| {
            let from = f64::from(2 * (index - sent) - 1);
            let low = if index == 0 { 0.0 } else { below(from) };
            let high = if index == count - 1 { 1.0 } else { below(from + 2.0) };
            high - low
        };
        (0..num_bits)
            .map(|bit| {
                let wrong = |sent: i32| -> f64 {
                    (0..count)
                        .filter(|index| bit_at(*index, bit) != bit_at(sent, bit))
                        .map(|index| region(sent, index))
                        .sum()
                };
                (0..count).map(wrong).sum::<f64>() / f64::from(count)
            })
            .collect()
    }

    #[test]
    fn equals_the_sum_over_decision_regions() {
        for modulation in Modulation::ALL {
            for snr_db in [-20.0, -5.0, 0.0, 7.0, 15.0, 22.0] {
                let snr = linear(snr_db);
                let rates = bit_error_rates(modulation, snr, FadingModel::Awgn);
                for (rate, expected) in rates.iter().zip(by_decision_regions(modulation, snr)) {
                    assert!((rate - expected).abs() < 1e-14, "{modulation} {snr_db} dB: {rate} {expected}");
                }
            }
        }
    }

    #[test]
    fn textbook_values() {
        // BPSK at 9.6 dB: 1e-5 (9.05e-6 to 1e-5 in every textbook); QPSK needs twice the symbol energy.
        let bpsk = bit_error_rate(Modulation::Bpsk, linear(9.6), FadingModel::Awgn);
        assert!((bpsk - 9.74e-6).abs() < 1e-8, "{bpsk}");
        let qpsk = bit_error_rate(Modulation::Qpsk, 2.0 * linear(9.6), FadingModel::Awgn);
        assert!((qpsk / bpsk - 1.0).abs() < 1e-12);
        // Rayleigh at 20 dB: (1 - sqrt(100 / 101)) / 2.
        let rayleigh = bit_error_rate(Modulation::Bpsk, 100.0, FadingModel::Rayleigh);
        assert!((rayleigh - 0.002_481_404).abs() < 1e-9, "{rayleigh}");
    }

    #[test]
    fn fading_averages_are_integrals_over_the_fades() {
        // The density of the power of a Rician fade, integrated by the midpoint rule over the amplitude.
        let bessel = |z: f64| {
            let angle = |node: u32| (f64::from(node) + 0.5) * std::f64::consts::PI / 200.0;
            (0..200).map(|node| (z * angle(node).cos()).exp()).sum::<f64>() / 200.0
        };
        for (fading, k) in [
            (FadingModel::Rayleigh, 0.0),
            (FadingModel::Rician { k_factor: 0.0 }, 0.0),
            (FadingModel::Rician { k_factor: 3.0 }, 3.0),
        ] {
            for (modulation, snr) in
                [(Modulation::Qpsk, 0.3), (Modulation::Qam16, 20.0), (Modulation::Qam1024, 3e3)]
            {
                let steps = 4000;
                let width = 5.0 / f64::from(steps);
                let mean: f64 = (0..steps)
                    .map(|step| {
                        let a = (f64::from(step) + 0.5) * width;
                        let density = 2.0
                            * a
                            * (1.0 + k)
                            * (-k - (1.0 + k) * a * a).exp()
                            * bessel(2.0 * a * f64::sqrt(k * (1.0 + k)));
                        width * density * bit_error_rate(modulation, snr * a * a, FadingModel::Awgn)
                    })
                    .sum();
                let rate = bit_error_rate(modulation, snr, fading);
                assert!((rate / mean - 1.0).abs() < 1e-5, "{modulation} {fading:?}: {rate}, not {mean}");
            }
        }
    }

    #[test]
    fn rician_lies_between_its_limits() {
        for modulation in Modulation::ALL {
            for snr in [1e-3, 1.0, 100.0, 1e5] {
                let rate = |fading| bit_error_rate(modulation, snr, fading);
                let rician = |k_factor| rate(FadingModel::Rician { k_factor });
                assert!((rician(0.0) / rate(FadingModel::Rayleigh) - 1.0).abs() < 1e-9);
                assert!((rician(1e7) - rate(FadingModel::Awgn)).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn the_ends_of_the_scale() {
        for modulation in Modulation::ALL {
            for fading in [FadingModel::Awgn, FadingModel::Rayleigh, FadingModel::Rician { k_factor: 2.0 }] {
                let rate = |snr| bit_error_rate(modulation, snr, fading);
                assert!((rate(0.0) - 0.5).abs() < 1e-12, "{modulation} {fading:?} {}", rate(0.0));
                assert_eq!(rate(f64::INFINITY), 0.0);
                assert!(rate(f64::NAN).is_nan() && rate(-1.0).is_nan());
            }
        }
    }
}
