//! LLRs as bytes.

/// Steps of a byte per nat. Fine enough that rounding costs nothing that can be measured, coarse enough that
/// certain bits still outweigh doubtful ones before the byte ends at 127 / 8 = 15.9 nats.
pub const STEPS_PER_NAT: f32 = 8.0;

/// Rounds LLRs in nats to steps of 1/8, saturating at +-127: infinite ones saturate, NaN is an erasure, 0.
pub fn quantize(llrs: &[f32], out: &mut [i8]) {
    for (llr, out) in llrs.iter().zip(out) {
        let steps = (llr * STEPS_PER_NAT).clamp(-127.0, 127.0);
        // Half a step away from zero, then towards it: a NaN becomes 0.
        *out = (steps + 0.5f32.copysign(steps)) as i8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llrs_are_rounded_to_the_nearest_step_and_saturate() {
        let llrs =
            [0.0, 0.06, 0.07, -0.07, 1.0, -1.0, 15.9, -99.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        let mut bytes = [55; 11];
        quantize(&llrs, &mut bytes);
        assert_eq!(bytes, [0, 0, 1, -1, 8, -8, 127, -127, 127, -127, 0]);
    }
}
