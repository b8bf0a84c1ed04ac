//! Registers of f32 values on the instruction sets.

use sememe_blocks::isa::{Isa, Set};

/// Number of f32 values in one register.
pub fn count(isa: Isa) -> usize {
    match isa.set() {
        Set::Avx512 => 16,
        Set::Avx2 | Set::Portable => 8,
    }
}

/// Runs a kernel on an instruction set.
#[inline]
pub fn run<K: LaneKernel>(isa: Isa, kernel: K) -> K::Output {
    match isa.set() {
        // SAFETY: an `Isa` of these sets exists only where the processor was found to have them.
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => unsafe { x86::run_avx512(kernel) },
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => unsafe { x86::run_avx2(kernel) },
        // SAFETY: the portable lanes need no instruction beyond the baseline.
        _ => unsafe { kernel.run::<[f32; 8]>() },
    }
}

/// A computation written over lanes. Implementations mark `run` `#[inline(always)]`, so that it is
/// compiled once inside each instruction set's entry.
pub trait LaneKernel {
    /// What it returns.
    type Output;
    /// Runs on one kind of lanes.
    ///
    /// # Safety
    /// The processor must support the instructions of `L`, and pointers must be valid as the
    /// implementing kernel states.
    unsafe fn run<L: Lanes>(self) -> Self::Output;
}

/// A register of f32 values.
///
/// # Safety
/// All methods need the instruction set; `load` and `store` touch `LEN` values without alignment.
#[allow(clippy::missing_safety_doc, reason = "stated once for the whole trait")]
pub trait Lanes: Copy {
    /// Number of values.
    const LEN: usize;
    /// The same value everywhere.
    unsafe fn splat(value: f32) -> Self;
    /// Reads `LEN` values.
    unsafe fn load(from: *const f32) -> Self;
    /// Writes `LEN` values.
    unsafe fn store(self, to: *mut f32);
    /// self * b + c.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    /// self + b.
    unsafe fn add(self, b: Self) -> Self;
    /// self * b.
    unsafe fn mul(self, b: Self) -> Self;
    /// The larger of both, lane by lane.
    unsafe fn max(self, b: Self) -> Self;
    /// self where `gate` is above zero, zero elsewhere.
    unsafe fn where_positive(self, gate: Self) -> Self;
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{LaneKernel, Lanes};
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx512f,avx2,fma")]
    pub unsafe fn run_avx512<K: LaneKernel>(kernel: K) -> K::Output {
        unsafe { kernel.run::<__m512>() }
    }

    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn run_avx2<K: LaneKernel>(kernel: K) -> K::Output {
        unsafe { kernel.run::<__m256>() }
    }

    impl Lanes for __m512 {
        const LEN: usize = 16;
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            unsafe { _mm512_set1_ps(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm512_storeu_ps(to, self) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, b: Self, c: Self) -> Self {
            unsafe { _mm512_fmadd_ps(self, b, c) }
        }
        #[inline(always)]
        unsafe fn add(self, b: Self) -> Self {
            unsafe { _mm512_add_ps(self, b) }
        }
        #[inline(always)]
        unsafe fn mul(self, b: Self) -> Self {
            unsafe { _mm512_mul_ps(self, b) }
        }
        #[inline(always)]
        unsafe fn max(self, b: Self) -> Self {
            unsafe { _mm512_max_ps(self, b) }
        }
        #[inline(always)]
        unsafe fn where_positive(self, gate: Self) -> Self {
            unsafe {
                let mask = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(gate, _mm512_setzero_ps());
                _mm512_maskz_mov_ps(mask, self)
            }
        }
    }

    impl Lanes for __m256 {
        const LEN: usize = 8;
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            unsafe { _mm256_set1_ps(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { _mm256_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm256_storeu_ps(to, self) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, b: Self, c: Self) -> Self {
            unsafe { _mm256_fmadd_ps(self, b, c) }
        }
        #[inline(always)]
        unsafe fn add(self, b: Self) -> Self {
            unsafe { _mm256_add_ps(self, b) }
        }
        #[inline(always)]
        unsafe fn mul(self, b: Self) -> Self {
            unsafe { _mm256_mul_ps(self, b) }
        }
        #[inline(always)]
        unsafe fn max(self, b: Self) -> Self {
            unsafe { _mm256_max_ps(self, b) }
        }
        #[inline(always)]
        unsafe fn where_positive(self, gate: Self) -> Self {
            unsafe { _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(gate, _mm256_setzero_ps()), self) }
        }
    }
}

/// Plain Rust; tests run kernels on other widths than their processor has.
impl<const N: usize> Lanes for [f32; N] {
    const LEN: usize = N;
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        [value; N]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { from.cast::<[f32; N]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { to.cast::<[f32; N]>().write_unaligned(self) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        std::array::from_fn(|lane| self[lane] * b[lane] + c[lane])
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        std::array::from_fn(|lane| self[lane] + b[lane])
    }
    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        std::array::from_fn(|lane| self[lane] * b[lane])
    }
    #[inline(always)]
    unsafe fn max(self, b: Self) -> Self {
        std::array::from_fn(|lane| if self[lane] > b[lane] { self[lane] } else { b[lane] })
    }
    #[inline(always)]
    unsafe fn where_positive(self, gate: Self) -> Self {
        std::array::from_fn(|lane| if gate[lane] > 0.0 { self[lane] } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Probe<'a>(&'a [f32], &'a mut [f32]);

    impl LaneKernel for Probe<'_> {
        type Output = ();
        #[inline(always)]
        unsafe fn run<L: Lanes>(self) {
            unsafe {
                for at in (0..self.0.len()).step_by(L::LEN) {
                    let x = L::load(self.0.as_ptr().add(at));
                    let y = x.mul_add(L::splat(2.0), x.mul(x)).max(L::splat(-0.5)).add(x.where_positive(x));
                    y.store(self.1.as_mut_ptr().add(at));
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_computes_the_same() {
        let input: Vec<f32> = (0..32).map(|i| i as f32 / 8.0 - 2.0).collect();
        for isa in Isa::available() {
            let mut output = vec![f32::NAN; input.len()];
            run(isa, Probe(&input, &mut output));
            for (x, y) in input.iter().zip(&output) {
                assert_eq!(*y, (2.0 * x + x * x).max(-0.5) + x.max(0.0), "{isa} at {x}");
            }
        }
    }
}
