//! One number for the quality of a slot: the SNR at which a flat channel would be as bad.

use num_complex::Complex32;

/// Largest SNR reported, linear (90 dB), so that a channel without noise still has a finite one.
pub const MAX_SNR: f32 = 1e9;

/// The value s for which 1 / (1 + s) is the mean of 1 / (1 + |h|^2 / noise variance).
///
/// - csi: one coefficient for the whole slot, or one per symbol
/// - returns: linear, between 0 and [`MAX_SNR`]; 0 where `csi` is empty
pub fn effective_snr(csi: &[Complex32], noise_variance: f32) -> f32 {
    let noise = f64::from(noise_variance);
    let (mut signal_part, mut error_part) = (0.0, 0.0);
    for h in csi {
        let power = f64::from(h.re).powi(2) + f64::from(h.im).powi(2);
        // A coefficient of 0 gives error 1 with and without noise.
        let error = if power > 0.0 { noise / (power + noise) } else { 1.0 };
        signal_part += 1.0 - error;
        error_part += error;
    }
    if signal_part > 0.0 { (signal_part / error_part).min(f64::from(MAX_SNR)) as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_channel_has_its_own_snr() {
        let h = Complex32::new(0.6, -0.8);
        assert!((effective_snr(&[h], 0.1) - 10.0).abs() < 1e-4);
        assert!((effective_snr(&[h * 2.0; 7], 0.1) - 40.0).abs() < 1e-3);
    }

    #[test]
    fn errors_are_averaged_not_powers() {
        // Gains 1 and 0 at noise 1: errors 1/2 and 1, mean 3/4, so s = 1/3.
        let csi = [Complex32::ONE, Complex32::ZERO];
        assert!((effective_snr(&csi, 1.0) - 1.0 / 3.0).abs() < 1e-6);
        assert!((effective_snr(&csi, 0.0) - 1.0).abs() < 1e-6, "half of the symbols are lost for good");
    }

    #[test]
    fn extremes_stay_finite() {
        assert_eq!(effective_snr(&[Complex32::ONE], 0.0), MAX_SNR);
        assert_eq!(effective_snr(&[Complex32::ZERO], 0.0), 0.0);
        assert_eq!(effective_snr(&[Complex32::ZERO], 0.3), 0.0);
        assert_eq!(effective_snr(&[], 0.3), 0.0);
        assert_eq!(effective_snr(&[Complex32::ONE], f32::INFINITY), 0.0);
    }
}
