//! Turns received symbols into what decides the bits of their two real rails.
//!
//! With h known, ln p(r | x) = -|r - h x|^2 / N0 + const falls apart into the real and the imaginary part of
//! x. For the amplitude i a of a rail, i odd and a half the distance of two neighbours, it is, up to a
//! constant,
//!
//! ```text
//! slope i - curve i^2,   slope = 2 a Re(r conj(h)) / N0 (or Im),   curve = a^2 |h|^2 / N0
//! ```
//!
//! so that no division by h is needed and h = 0 gives zeros.

use num_complex::Complex32;

/// Symbols treated at once.
pub(super) const SYMBOLS: usize = 64;

/// Rails of that many symbols: real and imaginary part of each in turn.
pub(super) const RAILS: usize = 2 * SYMBOLS;

/// |h|^2 / N0 is cut here (120 dB), so that symbols without noise give finite numbers.
const MAX_SNR: f32 = 1e12;

/// A smaller N0 counts as this much.
const MIN_NOISE: f32 = 1e-37;

/// Received values are cut here, beyond which their products with h might overflow.
const MAX_RECEIVED: f32 = 1e19;

/// Slopes are cut here.
const MAX_SLOPE: f32 = 1e38;

/// Slope and curve of every rail.
pub(super) struct Rails {
    pub(super) slope: [f32; RAILS],
    pub(super) curve: [f32; RAILS],
}

impl Rails {
    pub(super) const SILENT: Rails = Rails { slope: [0.0; RAILS], curve: [0.0; RAILS] };

    /// Measures a block of symbols of half step `a`.
    ///
    /// Both numbers are 0 where r or h holds a NaN, |h|^2 overflows, or N0 is NaN or negative. Both are
    /// finite in every case: curve <= 1e12, |slope| <= 1e38.
    #[inline(always)]
    pub(super) fn measure(
        &mut self,
        received: &[Complex32; SYMBOLS],
        csi: &[Complex32; SYMBOLS],
        noise: &[f32; SYMBOLS],
        half_step: f32,
    ) {
        for symbol in 0..SYMBOLS {
            let (r, h, n0) = (received[symbol], csi[symbol], noise[symbol]);
            let power = h.re * h.re + h.im * h.im;
            let usable = (power < f32::INFINITY) & (n0 >= 0.0) & !r.re.is_nan() & !r.im.is_nan();
            let floor = larger(power * (1.0 / MAX_SNR), MIN_NOISE);
            let per_noise = 1.0 / larger(n0, floor);
            let (re, im) = (within(r.re, MAX_RECEIVED), within(r.im, MAX_RECEIVED));
            let scale = 2.0 * half_step * per_noise;
            let slope_re = within((re * h.re + im * h.im) * scale, MAX_SLOPE);
            let slope_im = within((im * h.re - re * h.im) * scale, MAX_SLOPE);
            let curve = power * per_noise * (half_step * half_step);
            self.slope[2 * symbol] = if usable { slope_re } else { 0.0 };
            self.slope[2 * symbol + 1] = if usable { slope_im } else { 0.0 };
            self.curve[2 * symbol] = if usable { curve } else { 0.0 };
            self.curve[2 * symbol + 1] = if usable { curve } else { 0.0 };
        }
    }
}

/// The larger of two numbers, the second where the first is NaN: one instruction, unlike `f32::max`, and the
/// same for zeros of either sign on every machine.
#[inline(always)]
pub(super) fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The smaller of two numbers, the second where the first is NaN.
#[inline(always)]
pub(super) fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// A number moved into -limit..=limit.
#[inline(always)]
pub(super) fn within(value: f32, limit: f32) -> f32 {
    larger(smaller(value, limit), -limit)
}

/// Adding and taking away this number, 1.5 * 2^23, rounds to the nearest integer, ties to the even one; its
/// sum with an integer holds that integer in its lowest bits.
pub(super) const ROUNDER: f32 = 12_582_912.0;
