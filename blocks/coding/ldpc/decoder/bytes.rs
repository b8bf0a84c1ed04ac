//! Registers of signed bytes on the instruction sets.

use crate::isa::{Isa, Set};

/// Runs a kernel on an instruction set.
#[inline]
pub fn run<K: ByteKernel>(isa: Isa, kernel: K) -> K::Output {
    match isa.set() {
        // SAFETY: an `Isa` of these sets exists only where the processor was found to have them.
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => unsafe { x86::run_avx512(kernel) },
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => unsafe { x86::run_avx2(kernel) },
        // SAFETY: the portable registers need no instruction beyond the baseline.
        _ => unsafe { kernel.run::<[i8; 16]>() },
    }
}

/// A computation over registers of bytes. Implementations mark `run` `#[inline(always)]`, so that it is
/// compiled once inside each instruction set's entry.
pub trait ByteKernel {
    /// What it returns.
    type Output;
    /// Runs on one kind of registers.
    ///
    /// # Safety
    /// The processor must support the instructions of `B`, and pointers must be valid as the kernel states.
    unsafe fn run<B: Bytes>(self) -> Self::Output;
}

/// A register of signed bytes.
///
/// # Safety
/// All methods need the instruction set; `load` and `store` touch `LEN` bytes without alignment.
#[allow(clippy::missing_safety_doc, reason = "stated once for the whole trait")]
pub trait Bytes: Copy {
    /// Number of bytes.
    const LEN: usize;
    /// The same value everywhere.
    unsafe fn splat(value: i8) -> Self;
    /// Reads `LEN` bytes.
    unsafe fn load(from: *const i8) -> Self;
    /// Writes `LEN` bytes.
    unsafe fn store(self, to: *mut i8);
    /// self + b, saturating.
    unsafe fn add(self, b: Self) -> Self;
    /// self - b, saturating.
    unsafe fn sub(self, b: Self) -> Self;
    /// The magnitude, as an unsigned byte from 0 to 128.
    unsafe fn magnitude(self) -> Self;
    /// The smaller of unsigned bytes.
    unsafe fn min(self, b: Self) -> Self;
    /// The larger of unsigned bytes.
    unsafe fn max(self, b: Self) -> Self;
    /// Exclusive or.
    unsafe fn xor(self, b: Self) -> Self;
    /// Bitwise or.
    unsafe fn or(self, b: Self) -> Self;
    /// `then` where self equals `b`, `otherwise` elsewhere.
    unsafe fn where_equal(self, b: Self, then: Self, otherwise: Self) -> Self;
    /// -self where `sign` is negative.
    unsafe fn with_sign(self, sign: Self) -> Self;
    /// self * numerator / 128, rounded down, of unsigned bytes up to 128 and a numerator up to 127.
    unsafe fn scaled(self, numerator: i8) -> Self;
    /// Twice unsigned bytes up to 127.
    unsafe fn twice(self) -> Self;
    /// A quarter of unsigned bytes, rounded down.
    unsafe fn quarter(self) -> Self;
    /// self - b of unsigned bytes, zero where b is larger.
    unsafe fn less(self, b: Self) -> Self;
    /// One bit for each byte: whether it is negative, the first byte lowest.
    unsafe fn negatives(self) -> u64;
    /// The same: whether it is zero.
    unsafe fn zeros(self) -> u64;
}

impl Bytes for [i8; 16] {
    const LEN: usize = 16;

    #[inline(always)]
    unsafe fn splat(value: i8) -> Self {
        [value; 16]
    }
    #[inline(always)]
    unsafe fn load(from: *const i8) -> Self {
        unsafe { from.cast::<Self>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut i8) {
        unsafe { to.cast::<Self>().write_unaligned(self) }
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i].saturating_add(b[i]))
    }
    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i].saturating_sub(b[i]))
    }
    #[inline(always)]
    unsafe fn magnitude(self) -> Self {
        self.map(|value| value.unsigned_abs() as i8)
    }
    #[inline(always)]
    unsafe fn min(self, b: Self) -> Self {
        std::array::from_fn(|i| (self[i] as u8).min(b[i] as u8) as i8)
    }
    #[inline(always)]
    unsafe fn max(self, b: Self) -> Self {
        std::array::from_fn(|i| (self[i] as u8).max(b[i] as u8) as i8)
    }
    #[inline(always)]
    unsafe fn xor(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i] ^ b[i])
    }
    #[inline(always)]
    unsafe fn or(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i] | b[i])
    }
    #[inline(always)]
    unsafe fn where_equal(self, b: Self, then: Self, otherwise: Self) -> Self {
        std::array::from_fn(|i| if self[i] == b[i] { then[i] } else { otherwise[i] })
    }
    #[inline(always)]
    unsafe fn with_sign(self, sign: Self) -> Self {
        std::array::from_fn(|i| if sign[i] < 0 { self[i].wrapping_neg() } else { self[i] })
    }
    #[inline(always)]
    unsafe fn scaled(self, numerator: i8) -> Self {
        self.map(|value| ((i32::from(value as u8) * i32::from(numerator)) >> 7) as i8)
    }
    #[inline(always)]
    unsafe fn twice(self) -> Self {
        self.map(|value| value.wrapping_add(value))
    }
    #[inline(always)]
    unsafe fn quarter(self) -> Self {
        self.map(|value| (value as u8 / 4) as i8)
    }
    #[inline(always)]
    unsafe fn less(self, b: Self) -> Self {
        std::array::from_fn(|i| (self[i] as u8).saturating_sub(b[i] as u8) as i8)
    }
    #[inline(always)]
    unsafe fn negatives(self) -> u64 {
        (0..16).fold(0, |bits, i| bits | (u64::from(self[i] < 0) << i))
    }
    #[inline(always)]
    unsafe fn zeros(self) -> u64 {
        (0..16).fold(0, |bits, i| bits | (u64::from(self[i] == 0) << i))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{ByteKernel, Bytes};
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub unsafe fn run_avx512<K: ByteKernel>(kernel: K) -> K::Output {
        unsafe { kernel.run::<__m512i>() }
    }

    #[target_feature(enable = "avx2")]
    pub unsafe fn run_avx2<K: ByteKernel>(kernel: K) -> K::Output {
        unsafe { kernel.run::<__m256i>() }
    }

    impl Bytes for __m512i {
        const LEN: usize = 64;

        #[inline(always)]
        unsafe fn splat(value: i8) -> Self {
            unsafe { _mm512_set1_epi8(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const i8) -> Self {
            unsafe { _mm512_loadu_si512(from.cast()) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut i8) {
            unsafe { _mm512_storeu_si512(to.cast(), self) }
        }
        #[inline(always)]
        unsafe fn add(self, b: Self) -> Self {
            unsafe { _mm512_adds_epi8(self, b) }
        }
        #[inline(always)]
        unsafe fn sub(self, b: Self) -> Self {
            unsafe { _mm512_subs_epi8(self, b) }
        }
        #[inline(always)]
        unsafe fn magnitude(self) -> Self {
            unsafe { _mm512_abs_epi8(self) }
        }
        #[inline(always)]
        unsafe fn min(self, b: Self) -> Self {
            unsafe { _mm512_min_epu8(self, b) }
        }
        #[inline(always)]
        unsafe fn max(self, b: Self) -> Self {
            unsafe { _mm512_max_epu8(self, b) }
        }
        #[inline(always)]
        unsafe fn xor(self, b: Self) -> Self {
            unsafe { _mm512_xor_si512(self, b) }
        }
        #[inline(always)]
        unsafe fn or(self, b: Self) -> Self {
            unsafe { _mm512_or_si512(self, b) }
        }
        #[inline(always)]
        unsafe fn where_equal(self, b: Self, then: Self, otherwise: Self) -> Self {
            unsafe { _mm512_mask_mov_epi8(otherwise, _mm512_cmpeq_epi8_mask(self, b), then) }
        }
        #[inline(always)]
        unsafe fn with_sign(self, sign: Self) -> Self {
            unsafe { _mm512_mask_sub_epi8(self, _mm512_movepi8_mask(sign), _mm512_setzero_si512(), self) }
        }
        #[inline(always)]
        unsafe fn scaled(self, numerator: i8) -> Self {
            unsafe {
                if numerator == 96 {
                    // 3 m / 4 = m - (m + 3) / 4.
                    let quarter = _mm512_srli_epi16::<2>(_mm512_add_epi8(self, _mm512_set1_epi8(3)));
                    return _mm512_sub_epi8(self, _mm512_and_si512(quarter, _mm512_set1_epi8(0x3f)));
                }
                let numerator = i16::from(numerator);
                let even = _mm512_maddubs_epi16(self, _mm512_set1_epi16(numerator));
                let odd = _mm512_maddubs_epi16(self, _mm512_set1_epi16(numerator << 8));
                let even = _mm512_srli_epi16::<7>(even);
                let odd = _mm512_slli_epi16::<1>(odd);
                _mm512_mask_mov_epi8(even, 0xaaaa_aaaa_aaaa_aaaa, odd)
            }
        }
        #[inline(always)]
        unsafe fn twice(self) -> Self {
            unsafe { _mm512_add_epi8(self, self) }
        }
        #[inline(always)]
        unsafe fn quarter(self) -> Self {
            unsafe { _mm512_and_si512(_mm512_srli_epi16::<2>(self), _mm512_set1_epi8(0x3f)) }
        }
        #[inline(always)]
        unsafe fn less(self, b: Self) -> Self {
            unsafe { _mm512_subs_epu8(self, b) }
        }
        #[inline(always)]
        unsafe fn negatives(self) -> u64 {
            unsafe { _mm512_movepi8_mask(self) }
        }
        #[inline(always)]
        unsafe fn zeros(self) -> u64 {
            unsafe { _mm512_testn_epi8_mask(self, self) }
        }
    }

    impl Bytes for __m256i {
        const LEN: usize = 32;

        #[inline(always)]
        unsafe fn splat(value: i8) -> Self {
            unsafe { _mm256_set1_epi8(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const i8) -> Self {
            unsafe { _mm256_loadu_si256(from.cast()) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut i8) {
            unsafe { _mm256_storeu_si256(to.cast(), self) }
        }
        #[inline(always)]
        unsafe fn add(self, b: Self) -> Self {
            unsafe { _mm256_adds_epi8(self, b) }
        }
        #[inline(always)]
        unsafe fn sub(self, b: Self) -> Self {
            unsafe { _mm256_subs_epi8(self, b) }
        }
        #[inline(always)]
        unsafe fn magnitude(self) -> Self {
            unsafe { _mm256_abs_epi8(self) }
        }
        #[inline(always)]
        unsafe fn min(self, b: Self) -> Self {
            unsafe { _mm256_min_epu8(self, b) }
        }
        #[inline(always)]
        unsafe fn max(self, b: Self) -> Self {
            unsafe { _mm256_max_epu8(self, b) }
        }
        #[inline(always)]
        unsafe fn xor(self, b: Self) -> Self {
            unsafe { _mm256_xor_si256(self, b) }
        }
        #[inline(always)]
        unsafe fn or(self, b: Self) -> Self {
            unsafe { _mm256_or_si256(self, b) }
        }
        #[inline(always)]
        unsafe fn where_equal(self, b: Self, then: Self, otherwise: Self) -> Self {
            unsafe { _mm256_blendv_epi8(otherwise, then, _mm256_cmpeq_epi8(self, b)) }
        }
        #[inline(always)]
        unsafe fn with_sign(self, sign: Self) -> Self {
            // A zero sign would clear the value: with its lowest bit set it counts as positive.
            unsafe { _mm256_sign_epi8(self, _mm256_or_si256(sign, _mm256_set1_epi8(1))) }
        }
        #[inline(always)]
        unsafe fn scaled(self, numerator: i8) -> Self {
            unsafe {
                if numerator == 96 {
                    let quarter = _mm256_srli_epi16::<2>(_mm256_add_epi8(self, _mm256_set1_epi8(3)));
                    return _mm256_sub_epi8(self, _mm256_and_si256(quarter, _mm256_set1_epi8(0x3f)));
                }
                let numerator = i16::from(numerator);
                let even = _mm256_maddubs_epi16(self, _mm256_set1_epi16(numerator));
                let odd = _mm256_maddubs_epi16(self, _mm256_set1_epi16(numerator << 8));
                let even = _mm256_srli_epi16::<7>(even);
                let odd = _mm256_slli_epi16::<1>(odd);
                _mm256_blendv_epi8(even, odd, _mm256_set1_epi16(i16::MIN | 0xff00u16 as i16))
            }
        }
        #[inline(always)]
        unsafe fn twice(self) -> Self {
            unsafe { _mm256_add_epi8(self, self) }
        }
        #[inline(always)]
        unsafe fn quarter(self) -> Self {
            unsafe { _mm256_and_si256(_mm256_srli_epi16::<2>(self), _mm256_set1_epi8(0x3f)) }
        }
        #[inline(always)]
        unsafe fn less(self, b: Self) -> Self {
            unsafe { _mm256_subs_epu8(self, b) }
        }
        #[inline(always)]
        unsafe fn negatives(self) -> u64 {
            unsafe { u64::from(_mm256_movemask_epi8(self) as u32) }
        }
        #[inline(always)]
        unsafe fn zeros(self) -> u64 {
            unsafe { _mm256_cmpeq_epi8(self, _mm256_setzero_si256()).negatives() }
        }
    }
}
