//! Max-log LLRs of one rail in closed form: the cost per bit does not grow with the constellation.
//!
//! LLR = max over amplitudes with bit 0 of (slope i - curve i^2) minus the same over those with bit 1. The
//! first bit is the sign of i: for slope >= 0 the best negative amplitude is -1 and the best positive one
//! i = 2 j + 1, j = floor(slope / (4 curve)) cut to the amplitudes there are, which gives
//! LLR = 2 (j + 1) (slope - 2 curve j); it is odd in slope. Every later bit is the sign of what folding
//! leaves, i' = 2^(m-1) - |i|: the same problem with half as many amplitudes, the same curve and
//! slope' = 2^m curve - |slope|.

use super::rails::{RAILS, ROUNDER, Rails, smaller};

/// LLRs of rails that hold `BITS` bits each, `llrs[bit][rail]`; they may be infinite but not NaN.
#[inline(always)]
pub(super) fn max_log<const BITS: usize>(rails: &Rails, llrs: &mut [[f32; RAILS]; BITS]) {
    for rail in 0..RAILS {
        let curve = rails.curve[rail];
        let mut slope = rails.slope[rail];
        // In units of four half steps; infinite or NaN without curve, which counts as outermost.
        let mut place = slope / (4.0 * curve);
        for (bit, llrs) in llrs.iter_mut().enumerate() {
            let num_positive = (1u32 << (BITS - 1 - bit)) as f32;
            let size = slope.abs();
            let steps = whole_steps(place.abs(), num_positive - 1.0);
            let llr = 2.0 * (steps + 1.0) * (size - 2.0 * curve * steps);
            llrs[rail] = llr.copysign(slope);
            slope = 2.0 * num_positive * curve - size;
            place = 0.5 * num_positive - place.abs();
        }
    }
}

/// floor(place), at most `last`; either neighbour where place is an integer, since both give the same LLR.
#[inline(always)]
pub(super) fn whole_steps(place: f32, last: f32) -> f32 {
    // Half above the last, so that it rounds to the last itself; NaN falls there too.
    let place = smaller(place, last + 0.5);
    (place - 0.5 + ROUNDER) - ROUNDER
}
