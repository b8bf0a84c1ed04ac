//! One body of code, compiled for several widths of vectors and chosen when the program runs.
//!
//! All give the same bits: every width runs the same operations in the same order on each value, and no
//! multiplication is fused with an addition.

use super::blockwise::{Observed, demap_all};
use super::constellation::Modulation;
use super::soft_demapper::Demapping;

/// Vector instructions to compile for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Width {
    /// All of them, the narrowest first.
    const ALL: &[Width] = &[
        Width::Portable,
        #[cfg(target_arch = "x86_64")]
        Width::Avx2,
        #[cfg(target_arch = "x86_64")]
        Width::Avx512,
    ];

    /// The widest that this machine has.
    pub(super) fn widest() -> Self {
        Self::available().last().unwrap_or(Width::Portable)
    }

    /// All that this machine has, the narrowest first.
    pub(super) fn available() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|width| width.is_present())
    }

    fn is_present(self) -> bool {
        match self {
            Width::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Width::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Width::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
            }
        }
    }

    /// Computes the LLRs of all symbols.
    pub(super) fn run(
        self,
        modulation: Modulation,
        method: Demapping,
        observed: &Observed,
        llrs: &mut [f32],
    ) {
        match self {
            Width::Portable => demap_all(modulation, method, observed, llrs),
            // SAFETY: a width other than the portable one comes from `available`, so the machine has it.
            #[cfg(target_arch = "x86_64")]
            Width::Avx2 => unsafe { demap_avx2(modulation, method, observed, llrs) },
            #[cfg(target_arch = "x86_64")]
            Width::Avx512 => unsafe { demap_avx512(modulation, method, observed, llrs) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn demap_avx2(modulation: Modulation, method: Demapping, observed: &Observed, llrs: &mut [f32]) {
    demap_all(modulation, method, observed, llrs);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn demap_avx512(modulation: Modulation, method: Demapping, observed: &Observed, llrs: &mut [f32]) {
    demap_all(modulation, method, observed, llrs);
}
