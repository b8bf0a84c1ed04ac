//! LLRs as bytes.

/// Steps of a byte per nat: fine enough that rounding costs less than 0.05 dB at any rate.
pub const STEPS_PER_NAT: f32 = 6.0;

/// Largest magnitude of what a channel says, in steps: 7.7 nats. One step less than the largest message of a
/// check, which can thus correct a parity bit that stands in no other check.
pub const LARGEST_LLR: i8 = 46;

/// Rounds LLRs in nats to steps of 1/6.
///
/// - finite ones saturate at +-46; infinite ones are known bits, +-127; NaN is an erasure, 0
pub fn quantize(llrs: &[f32], out: &mut [i8]) {
    let largest = f32::from(LARGEST_LLR);
    for (llr, out) in llrs.iter().zip(out) {
        let steps = (llr * STEPS_PER_NAT).clamp(-largest, largest);
        // Half a step away from zero, then towards it: a NaN becomes 0.
        let rounded = (steps + 0.5f32.copysign(steps)) as i8;
        *out = if llr.is_infinite() { (127.0f32.copysign(*llr)) as i8 } else { rounded };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llrs_are_rounded_to_the_nearest_step_and_saturate() {
        let llrs =
            [0.0, 0.08, 0.09, -0.09, 1.0, -1.0, 7.6, 99.0, -99.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        let mut bytes = [55; 12];
        quantize(&llrs, &mut bytes);
        assert_eq!(bytes, [0, 0, 1, -1, 6, -6, 46, 46, -46, 127, -127, 0]);
    }
}
