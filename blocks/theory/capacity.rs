//! Capacity of the channel with white noise: of any input, of a constellation, and with bit-wise decoding.
//!
//! All in bits per complex channel use, for SNR = Es/N0 in linear terms.

use crate::modem::Modulation;
use std::f64::consts::{LN_2, LOG2_E};

/// Shannon's capacity log2(1 + SNR); NaN below -1.
pub fn shannon_capacity(snr: f64) -> f64 {
    snr.ln_1p() / LN_2
}

/// Capacity of a constellation whose points are equally likely, I(X; Y): what coded modulation can reach.
///
/// - snr: Es/N0, linear; NaN gives NaN, as does a negative one
/// - accuracy: 1e-9 bits (tested against integrals of another form)
pub fn constellation_capacity(modulation: Modulation, snr: f64) -> f64 {
    num_rails(modulation) * rail_information(modulation, snr).symbol
}

/// Capacity of bit-interleaved coded modulation: the sum over bits of I(B; Y), with the Gray labels of
/// [`Modulation`] and exact LLRs.
///
/// - arguments and accuracy as for [`constellation_capacity`]
///
/// Source: Caire, Taricco and Biglieri, "Bit-interleaved coded modulation", IEEE Transactions on Information
/// Theory 44 (1998).
pub fn bicm_capacity(modulation: Modulation, snr: f64) -> f64 {
    num_rails(modulation) * rail_information(modulation, snr).bits
}

fn num_rails(modulation: Modulation) -> f64 {
    if modulation == Modulation::Bpsk { 1.0 } else { 2.0 }
}

/// Information of one real rail, in bits.
struct RailInformation {
    /// I(X; Y).
    symbol: f64,
    /// Sum over the bits of I(B; Y).
    bits: f64,
}

/// Steps of the integration per standard deviation of the noise.
const STEPS: f64 = 16.0;

/// The integration ends this many standard deviations outside the constellation; what is beyond weighs 1e-19.
const TAIL: f64 = 9.0;

/// Integrates H(X | Y = y) and H(B | Y = y) over the density of y.
///
/// The integrand is analytic and vanishes at both ends, where the midpoint rule converges exponentially. The
/// constellation is symmetric and so is every bit's entropy: half the axis is enough.
fn rail_information(modulation: Modulation, snr: f64) -> RailInformation {
    let num_bits = modulation.bits_per_rail();
    // Amplitudes in standard deviations of the noise, whose variance on a rail is N0 / 2.
    let half_step = modulation.half_step() * (2.0 * snr).sqrt();
    if half_step.is_nan() {
        return RailInformation { symbol: f64::NAN, bits: f64::NAN };
    }
    if half_step > 12.0 {
        // The nearest points lie 24 standard deviations apart: errors are rarer than 1e-32.
        return RailInformation { symbol: num_bits as f64, bits: num_bits as f64 };
    }
    let count = 1usize << num_bits;
    let amplitudes: Vec<f64> =
        (0..count).map(|index| (2.0 * index as f64 + 1.0 - count as f64) * half_step).collect();
    let ones: Vec<Vec<bool>> = (0..num_bits).map(|bit| bit_of_amplitudes(num_bits, bit)).collect();
    let num_steps = ((amplitudes[count - 1] + TAIL) * STEPS).ceil() as usize;
    let mut likelihoods = vec![0.0; count];
    let mut lost = RailInformation { symbol: 0.0, bits: 0.0 };
    for step in 0..num_steps {
        let y = (step as f64 + 0.5) / STEPS;
        let mut sum = 0.0;
        for (likelihood, amplitude) in likelihoods.iter_mut().zip(&amplitudes) {
            *likelihood = (-0.5 * (y - amplitude) * (y - amplitude)).exp();
            sum += *likelihood;
        }
        // Density of y times the width of a step, and twice for the other half of the axis.
        let weight = 2.0 * sum / (count as f64 * std::f64::consts::TAU.sqrt() * STEPS);
        lost.symbol +=
            weight * likelihoods.iter().map(|likelihood| entropy_term(likelihood / sum)).sum::<f64>();
        for ones in &ones {
            let of_one =
                likelihoods.iter().zip(ones).filter(|(_, one)| **one).map(|(likelihood, _)| likelihood);
            let one = of_one.sum::<f64>() / sum;
            lost.bits += weight * (entropy_term(one) + entropy_term(1.0 - one));
        }
    }
    // Without signal, rounding alone could leave less than nothing.
    let kept = |lost: f64| (num_bits as f64 - lost).max(0.0);
    RailInformation { symbol: kept(lost.symbol), bits: kept(lost.bits) }
}

/// Whether a bit is 1, for every amplitude of a rail in ascending order: the sign of what folding leaves.
fn bit_of_amplitudes(num_bits: usize, bit: usize) -> Vec<bool> {
    let count = 1i32 << num_bits;
    let folded =
        |index: i32| (1..=bit).fold(2 * index + 1 - count, |place, fold| (count >> fold) - place.abs());
    (0..count).map(|index| folded(index) < 0).collect()
}

/// -p log2 p, 0 for p = 0.
fn entropy_term(p: f64) -> f64 {
    if p > 0.0 { -p * p.ln() * LOG2_E } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::{Demapping, SoftDemapper};
    use crate::rng::{Purpose, RngKey, complex_normal};
    use rand::Rng;

    fn linear(db: f64) -> f64 {
        10f64.powf(db / 10.0)
    }

    #[test]
    fn known_capacities() {
        assert_eq!(shannon_capacity(1.0), 1.0);
        assert!((shannon_capacity(linear(20.0)) - 101f64.log2()).abs() < 1e-12);
        // The threshold of rate 1/2 on the channel with binary input is Eb/N0 = 0.187 dB.
        assert!((bicm_capacity(Modulation::Qpsk, linear(0.187)) - 1.0).abs() < 2e-5);
        assert!((bicm_capacity(Modulation::Bpsk, linear(0.187) / 2.0) - 0.5).abs() < 1e-5);
    }

    #[test]
    fn integrals_of_another_form_agree() {
        // mpmath, 20 digits: bits per symbol less the mean, over the noise, of log2 of the sum of all
        // likelihoods over that of the sent symbol, or over the sum of those that share the sent bit.
        for (modulation, db, symbol, bits) in [
            (Modulation::Bpsk, 0.0, 0.721_451_590_790, 0.721_451_590_790),
            (Modulation::Bpsk, 5.0, 0.976_177_233_596, 0.976_177_233_596),
            (Modulation::Qpsk, 0.0, 0.971_888_308_266, 0.971_888_308_266),
            (Modulation::Qam16, 0.0, 0.989_741_372_130, 0.899_340_227_044),
            (Modulation::Qam16, 5.0, 1.973_167_347_846, 1.931_573_125_136),
            (Modulation::Qam16, 10.0, 3.163_943_188_051, 3.163_578_935_042),
            (Modulation::Qam64, 10.0, 3.268_572_356_45, 3.168_520_109_79),
        ] {
            let found =
                (constellation_capacity(modulation, linear(db)), bicm_capacity(modulation, linear(db)));
            assert!((found.0 - symbol).abs() < 1e-10, "{modulation} {db} dB: {found:?}");
            assert!((found.1 - bits).abs() < 1e-10, "{modulation} {db} dB: {found:?}");
        }
    }

    #[test]
    fn bits_carry_no_more_than_symbols_and_those_no_more_than_any_input() {
        for modulation in Modulation::ALL {
            let mut before = 0.0;
            for db in -30..=50 {
                let snr = linear(f64::from(db));
                let (symbol, bits) =
                    (constellation_capacity(modulation, snr), bicm_capacity(modulation, snr));
                assert!(
                    bits <= symbol + 1e-12 && symbol <= shannon_capacity(snr) + 1e-12,
                    "{modulation} {db}"
                );
                assert!(
                    bits >= before - 1e-12 && bits <= modulation.bits_per_symbol() as f64,
                    "{modulation} {db}"
                );
                if modulation <= Modulation::Qpsk {
                    assert!((bits - symbol).abs() < 1e-12);
                }
                before = bits;
            }
            assert!(modulation.bits_per_symbol() as f64 - before < 1e-9);
            assert_eq!(bicm_capacity(modulation, f64::INFINITY), modulation.bits_per_symbol() as f64);
            assert!(bicm_capacity(modulation, 0.0).abs() < 1e-12);
            assert!(
                bicm_capacity(modulation, -1.0).is_nan()
                    && constellation_capacity(modulation, f64::NAN).is_nan()
            );
        }
    }

    #[test]
    fn labels_are_those_of_the_constellation() {
        for modulation in Modulation::ALL {
            let num_bits = modulation.bits_per_rail();
            for (label, point) in modulation.points().into_iter().enumerate() {
                let part =
                    f64::from(point.re) * if num_bits == 1 { 1e3 } else { 1.0 / modulation.half_step() };
                let index =
                    ((part + (1 << num_bits) as f64) / 2.0).clamp(0.0, (1 << num_bits) as f64 - 1.0) as usize;
                for bit in 0..num_bits {
                    let place = modulation.bits_per_symbol() - 1 - 2 * bit;
                    assert_eq!(
                        bit_of_amplitudes(num_bits, bit)[index],
                        (label >> place) & 1 == 1,
                        "{modulation}"
                    );
                }
            }
        }
    }

    #[test]
    fn exact_llrs_carry_the_bicm_capacity_and_max_log_a_little_less() {
        // 1 - E log2(1 + exp(-(1 - 2 b) LLR)) over 40,000 symbols; a symbol's bits vary by less than 1 bit
        // about their mean, so the standard error of their sum is below 0.01; 4 sigma.
        let num_symbols = 40_000;
        for modulation in [Modulation::Qpsk, Modulation::Qam16, Modulation::Qam256] {
            let snr = linear(8.0);
            let noise = (1.0 / snr) as f32;
            let mut rng = RngKey::new(71).stream(Purpose::NoisePrivate, 0, 0);
            let num_bits = modulation.bits_per_symbol();
            let bits: Vec<u8> = (0..num_symbols * num_bits).map(|_| (rng.next_u32() & 1) as u8).collect();
            let sent: Vec<_> = modulation.map(&bits).unwrap();
            let added = complex_normal(&mut rng, noise, num_symbols);
            let received: Vec<_> = sent.iter().zip(added).map(|(x, n)| x + n).collect();
            let carried = |method| {
                let one = [num_complex::Complex32::ONE];
                let llrs = SoftDemapper::new(modulation, method).demap(&received, &one, &[noise]).unwrap();
                let lost = |(llr, bit): (&f32, &u8)| {
                    let agreement = f64::from(*llr) * (1.0 - 2.0 * f64::from(*bit));
                    (-agreement).exp().ln_1p() * LOG2_E
                };
                num_bits as f64 - llrs.iter().zip(&bits).map(lost).sum::<f64>() / num_symbols as f64
            };
            let (exact, max_log) = (carried(Demapping::Exact), carried(Demapping::MaxLog));
            let capacity = bicm_capacity(modulation, snr);
            assert!((exact - capacity).abs() < 0.04, "{modulation}: {exact}, not {capacity}");
            assert!(max_log <= exact + 1e-6 && max_log > 0.9 * exact, "{modulation}: {max_log}, {exact}");
        }
    }
}
