//! Exact (log-MAP) LLRs of one rail: ln of the summed likelihoods of amplitudes whose bit is 0 over those of
//! the others.
//!
//! Likelihoods are taken relative to the most likely amplitude and scaled by 2^120, which leaves f32 room for
//! ratios of e^165; from 150 on the max-log value stands instead. The Gray label folds: once a bit is
//! decided, amplitudes i and -i of the folded rail share all later bits, so their sums are joined and half as
//! many remain for the next bit.

use super::max_log::whole_steps;
use super::rails::{RAILS, ROUNDER, Rails, larger, smaller};
use std::f32::consts::{LN_2, LOG2_E};

/// Rails treated at once.
const LANES: usize = 32;

/// Most amplitudes of a rail (1024-QAM).
const MAX_AMPLITUDES: usize = 32;

/// LLRs of at least this size stay as max-log found them; they differ from the exact ones by less than 1.
const LARGEST_EXACT: f32 = 150.0;

/// Binary order of the scale that likelihoods bear.
const SCALE: u32 = 120;

/// Likelihoods below 2^-245 of the largest count as that much.
const LARGEST_DISTANCE: f32 = 245.0;

/// Room for likelihoods, `[amplitude][lane]`, kept between calls.
pub(super) type Likelihoods = [[f32; LANES]; MAX_AMPLITUDES];

/// Room before its first use.
pub(super) const NO_LIKELIHOODS: Likelihoods = [[0.0; LANES]; MAX_AMPLITUDES];

/// Replaces max-log LLRs, `llrs[bit][rail]`, by exact ones.
#[inline(always)]
pub(super) fn log_map<const BITS: usize>(
    rails: &Rails,
    room: &mut Likelihoods,
    llrs: &mut [[f32; RAILS]; BITS],
) {
    let (slopes, _) = rails.slope.as_chunks::<LANES>();
    let (curves, _) = rails.curve.as_chunks::<LANES>();
    for (block, (slope, curve)) in slopes.iter().zip(curves).enumerate() {
        likelihoods::<BITS>(slope, curve, room);
        for (bit, llrs) in llrs.iter_mut().enumerate() {
            let (blocks, _) = llrs.as_chunks_mut::<LANES>();
            decide(&mut room[..1 << (BITS - bit)], &mut blocks[block]);
        }
    }
}

/// Fills the likelihoods of amplitudes 1 - 2^m, 3 - 2^m, ..., 2^m - 1.
#[inline(always)]
fn likelihoods<const BITS: usize>(slope: &[f32; LANES], curve: &[f32; LANES], room: &mut Likelihoods) {
    let num_amplitudes = 1usize << BITS;
    let last = (num_amplitudes / 2 - 1) as f32;
    let mut best = [0.0; LANES];
    for lane in 0..LANES {
        let steps = whole_steps((slope[lane] / (4.0 * curve[lane])).abs(), last);
        best[lane] = (2.0 * steps + 1.0).copysign(slope[lane]);
    }
    for (index, room) in room[..num_amplitudes].iter_mut().enumerate() {
        let amplitude = (2 * index + 1) as f32 - num_amplitudes as f32;
        for (lane, room) in room.iter_mut().enumerate() {
            let away = amplitude - best[lane];
            let distance = away * (curve[lane] * (amplitude + best[lane]) - slope[lane]);
            // Below 0 by rounding alone, where two amplitudes are equally near.
            let distance = larger(smaller(distance * LOG2_E, LARGEST_DISTANCE), -1.0);
            *room = scaled_power_of_two(distance);
        }
    }
}

/// The LLR of the sign of the amplitude, then the fold to half as many.
#[inline(always)]
fn decide(room: &mut [[f32; LANES]], llrs: &mut [f32; LANES]) {
    let half = room.len() / 2;
    let (mut ones, mut zeros) = ([0.0; LANES], [0.0; LANES]);
    for index in 0..half {
        for lane in 0..LANES {
            ones[lane] += room[index][lane];
            zeros[lane] += room[half + index][lane];
        }
    }
    for lane in 0..LANES {
        let exact = ln_ratio(zeros[lane], ones[lane]);
        llrs[lane] = if llrs[lane].abs() < LARGEST_EXACT { exact } else { llrs[lane] };
    }
    for index in 0..half {
        let mirrored = room[2 * half - 1 - index];
        for (joined, mirrored) in room[index].iter_mut().zip(mirrored) {
            *joined += mirrored;
        }
    }
}

/// 2^(120 - distance) for distances of -1 to 245; relative error below 3e-7.
#[inline(always)]
fn scaled_power_of_two(distance: f32) -> f32 {
    let rounded = ROUNDER - distance;
    let rest = (ROUNDER - rounded) - distance;
    let series = 1.0
        + rest
            * (LN_2
                + rest
                    * (POWERS[2]
                        + rest * (POWERS[3] + rest * (POWERS[4] + rest * (POWERS[5] + rest * POWERS[6])))));
    // The integer stands in the lowest bits of `rounded`; the shift leaves it alone, as an exponent.
    series * f32::from_bits(rounded.to_bits().wrapping_add(127 + SCALE) << 23)
}

/// ln(2)^k / k!, the series of 2^x.
const POWERS: [f32; 7] = {
    let mut powers = [1.0; 7];
    let mut term = 1.0;
    let mut k = 1;
    while k < 7 {
        term = term * std::f64::consts::LN_2 / k as f64;
        powers[k] = term as f32;
        k += 1;
    }
    powers
};

/// ln(a / b) for positive normal a and b, though a / b may overflow; absolute error below 1e-6 plus rounding.
#[inline(always)]
fn ln_ratio(a: f32, b: f32) -> f32 {
    const MANTISSA: u32 = 0x007f_ffff;
    let one_to_two = |x: f32| f32::from_bits((x.to_bits() & MANTISSA) | 1f32.to_bits());
    let order = (a.to_bits() >> 23) as i32 - (b.to_bits() >> 23) as i32;
    let (a, b) = (one_to_two(a), one_to_two(b));
    // ln(a / b) = 2 artanh((a - b) / (a + b)), and here the argument is at most 1/3.
    let s = (a - b) / (a + b);
    let q = s * s;
    let series =
        1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0)))));
    order as f32 * LN_2 + 2.0 * s * series
}
