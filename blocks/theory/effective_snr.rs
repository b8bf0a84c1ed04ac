//! One SNR that stands for several: link adaptation by mutual information.
//!
//! Source: Brueninghaus et al., "Link performance models for system level simulations of broadband radio
//! access systems", IEEE PIMRC 2005: the effective SNR is that of white noise over which a symbol carries as
//! much as the symbols of the block carry in the mean.

use super::capacity::bicm_capacity;
use crate::modem::Modulation;
use std::sync::OnceLock;

/// Steps of the tables in dB.
const STEP: f64 = 0.25;
/// The first entry in dB: a symbol carries less than 0.002 bits there.
const START: f64 = -30.0;
/// Entries: to 50 dB, where every constellation is full.
const LEN: usize = 321;

/// The SNR over white noise at which bits of a constellation carry as much as over a block that meets several
/// SNRs, in dB.
///
/// - parts: linear SNR and weight of each, weights of any sum
/// - one part: its own SNR, exactly
/// - where the constellation carries nothing, minus infinity; where it is full, the lowest SNR of the table at
///   which it is
/// - accuracy: 0.01 dB between -20 dB and the SNR at which a symbol lacks a thousandth of a bit
pub fn effective_snr_db(modulation: Modulation, parts: &[(f64, f64)]) -> f64 {
    if let [(snr, _)] = parts {
        return 10.0 * snr.log10();
    }
    let table = table(modulation);
    let weights: f64 = parts.iter().map(|(_, weight)| weight).sum();
    let carried: f64 = parts.iter().map(|(snr, weight)| weight * carried(table, *snr)).sum();
    let mean = carried / weights;
    if mean.is_nan() || mean <= table[0] {
        return f64::NEG_INFINITY;
    }
    // At least 1: the first entry is below the mean.
    let above = table.partition_point(|bits| *bits < mean).min(LEN - 1);
    let (low, high) = (table[above - 1], table[above]);
    let part = if high > low { ((mean - low) / (high - low)).min(1.0) } else { 0.0 };
    START + STEP * (above as f64 - 1.0 + part)
}

/// Bits that a symbol carries, between the entries of a table.
fn carried(table: &[f64], snr: f64) -> f64 {
    let place = (10.0 * snr.log10() - START) / STEP;
    if place.is_nan() || place <= 0.0 {
        return 0.0;
    }
    let below = (place as usize).min(LEN - 1);
    let above = (below + 1).min(LEN - 1);
    let part = (place - below as f64).min(1.0);
    table[below] * (1.0 - part) + table[above] * part
}

/// Capacities of a constellation at all steps, computed when first asked for.
fn table(modulation: Modulation) -> &'static [f64] {
    static TABLES: [OnceLock<Vec<f64>>; Modulation::ALL.len()] =
        [const { OnceLock::new() }; Modulation::ALL.len()];
    let capacity = |step: usize| {
        let snr = 10f64.powf((START + STEP * step as f64) / 10.0);
        bicm_capacity(modulation, snr)
    };
    // The order of `ALL` is that of the variants.
    TABLES[modulation as usize].get_or_init(|| (0..LEN).map(capacity).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(db: f64) -> f64 {
        10f64.powf(db / 10.0)
    }

    #[test]
    fn equal_parts_have_the_snr_of_each() {
        for modulation in Modulation::ALL {
            let bits = modulation.bits_per_symbol() as f64;
            for db in (-19..40).map(|db| f64::from(db) + 0.1) {
                let found = effective_snr_db(modulation, &[(linear(db), 1.0), (linear(db), 3.0)]);
                let is_full = bits - bicm_capacity(modulation, linear(db)) < 1e-3;
                assert!(is_full || (found - db).abs() < 0.01, "{modulation} {db}: {found}");
            }
            assert_eq!(effective_snr_db(modulation, &[(10.0, 0.3)]), 10.0);
        }
    }

    #[test]
    fn information_is_what_is_averaged() {
        for modulation in [Modulation::Qpsk, Modulation::Qam16, Modulation::Qam256] {
            for (first, second, share) in [(0.0, 12.0, 0.2), (20.0, 3.0, 0.5), (-5.0, 5.0, 0.7)] {
                let parts = [(linear(first), share), (linear(second), 1.0 - share)];
                let expected: f64 = parts.iter().map(|(snr, w)| w * bicm_capacity(modulation, *snr)).sum();
                let found = bicm_capacity(modulation, linear(effective_snr_db(modulation, &parts)));
                assert!((found - expected).abs() < 2e-3, "{modulation}: {found}, not {expected}");
            }
        }
    }

    #[test]
    fn a_strong_part_helps_a_small_constellation_no_more_than_it_can_carry() {
        // Half of the symbols full, half of them lost: one bit of two, the rate-1/2 threshold of QPSK.
        let found = effective_snr_db(Modulation::Qpsk, &[(1e9, 1.0), (0.0, 1.0)]);
        assert!((found - 0.187).abs() < 0.02, "{found}");
        assert_eq!(effective_snr_db(Modulation::Qpsk, &[(0.0, 1.0), (0.0, 1.0)]), f64::NEG_INFINITY);
        assert_eq!(effective_snr_db(Modulation::Qpsk, &[(f64::NAN, 1.0), (1.0, 0.0)]), f64::NEG_INFINITY);
        assert!(effective_snr_db(Modulation::Bpsk, &[(1e9, 1.0), (1e8, 1.0)]) < 20.0);
    }
}
