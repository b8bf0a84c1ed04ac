//! LLRs as bytes.

use crate::coding::rate_match::KNOWN_LLR;
use crate::isa::{Isa, Loop};

/// Steps of a byte per nat. Finer ones round less and saturate earlier: posterior LLRs, which add up many
/// messages, reach 32 nats with these, and a bit that is wrong can still be turned.
pub const STEPS_PER_NAT: f32 = 4.0;

/// Largest magnitude of what a channel says, in steps: 7.5 nats.
pub const LARGEST_LLR: i8 = 30;

/// Rounds LLRs in nats to steps of 1/4, as many as both slices hold.
///
/// - what a channel says saturates at +-30; from [`KNOWN_LLR`] on, where soft buffers keep filler, and for
///   infinite ones a bit is known: +-127; NaN is an erasure, 0
pub fn quantize(llrs: &[f32], out: &mut [i8]) {
    quantize_on(Isa::detect(), llrs, out);
}

/// The same on an instruction set.
pub(super) fn quantize_on(isa: Isa, llrs: &[f32], out: &mut [i8]) {
    isa.run(Quantize { llrs, out });
}

struct Quantize<'a> {
    llrs: &'a [f32],
    out: &'a mut [i8],
}

impl Loop for Quantize<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (llr, out) in self.llrs.iter().zip(self.out) {
            *out = step(*llr);
        }
    }
}

/// Selections only, no branches, so that a loop of it is computed in registers.
#[inline(always)]
fn step(llr: f32) -> i8 {
    let largest = f32::from(LARGEST_LLR);
    let steps = (llr * STEPS_PER_NAT).clamp(-largest, largest);
    // Half a step away from zero, then towards it.
    let rounded = steps + 0.5f32.copysign(steps);
    let known = if llr.abs() >= KNOWN_LLR { 127f32.copysign(llr) } else { rounded };
    let number = if llr.is_nan() { 0.0 } else { known };
    // SAFETY: it is a number between -127 and 127.
    unsafe { number.to_int_unchecked::<i32>() as i8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llrs_are_rounded_to_the_nearest_step_and_saturate() {
        let llrs =
            [0.0, 0.12, 0.13, -0.13, 1.0, -1.0, 7.4, 99.0, -99.0, KNOWN_LLR, f32::NEG_INFINITY, f32::NAN];
        let mut bytes = [55; 12];
        quantize(&llrs, &mut bytes);
        assert_eq!(bytes, [0, 0, 1, -1, 4, -4, 30, 30, -30, 127, -127, 0]);
    }

    #[test]
    fn all_instruction_sets_round_alike() {
        let llrs: Vec<f32> = (0..1000).map(|i| (i as f32 - 500.0) / 37.0).collect();
        let expected: Vec<i8> = llrs.iter().map(|llr| step(*llr)).collect();
        for isa in Isa::available() {
            let mut bytes = vec![99; 1000];
            quantize_on(isa, &llrs, &mut bytes);
            assert_eq!(bytes, expected, "{isa}");
        }
    }
}
