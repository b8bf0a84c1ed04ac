//! Instruction sets for vectors, found when the program runs.
//!
//! Code that is written once is compiled for each set and entered through [`Isa`], which exists only for sets
//! that the processor was found to have: whoever holds one may run on it. Kernels over registers of their own
//! (bytes in `coding::ldpc::decoder`, f32 in the networks) dispatch on [`Isa::set`]; plain loops, which the
//! compiler puts into registers itself, are a [`Loop`].

use crate::{BlockError, Result};
use std::fmt;
use std::sync::OnceLock;

/// The variable that narrows what [`Isa::detect`] chooses, for tests and measurements.
pub const VARIABLE: &str = "SEMEME_SIMD";

/// The sets that code is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Set {
    /// Plain Rust, 16 bytes at a time.
    Portable,
    /// AVX2 and FMA: 32 bytes.
    Avx2,
    /// AVX-512 with its F, BW and VL parts, and all of AVX2: 64 bytes.
    Avx512,
}

impl Set {
    const ALL: [Self; 3] = [Self::Avx512, Self::Avx2, Self::Portable];

    fn is_present(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_present()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// The name by which the variable asks for it.
    fn key(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// The set that a name asks for.
    fn named(key: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|set| set.key() == key)
            .ok_or_else(|| BlockError::invalid(VARIABLE, key, "avx512, avx2, portable"))
    }
}

/// An instruction set of this processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Isa(Set);

impl Isa {
    /// The widest set of this processor, no wider than [`VARIABLE`] says.
    ///
    /// What the variable says in vain narrows nothing; [`Self::check_variable`] reports it.
    pub fn detect() -> Self {
        static DETECTED: OnceLock<Isa> = OnceLock::new();
        *DETECTED.get_or_init(|| {
            let limit = Self::limit().ok().flatten().unwrap_or(Set::Avx512);
            Self::available().find(|isa| isa.0 <= limit).unwrap_or(Self(Set::Portable))
        })
    }

    /// All sets of this processor, the widest first; the last is the portable one.
    pub fn available() -> impl Iterator<Item = Self> {
        Set::ALL.into_iter().filter(|set| set.is_present()).map(Self)
    }

    /// Refuses a value of [`VARIABLE`] that names no set.
    pub fn check_variable() -> Result<()> {
        Self::limit().map(|_| ())
    }

    fn limit() -> Result<Option<Set>> {
        std::env::var_os(VARIABLE).map(|value| Set::named(&value.to_string_lossy())).transpose()
    }

    /// Which set it is.
    pub const fn set(self) -> Set {
        self.0
    }

    /// Bytes of a register.
    pub const fn register_bytes(self) -> usize {
        match self.0 {
            Set::Avx512 => 64,
            Set::Avx2 => 32,
            Set::Portable => 16,
        }
    }

    /// Runs a loop compiled for this set.
    #[inline]
    pub fn run<L: Loop>(self, of: L) -> L::Output {
        match self.0 {
            // SAFETY: an `Isa` of these sets exists only where the processor was found to have them.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { run_avx512(of) },
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { run_avx2(of) },
            _ => of.run(),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Set::Avx512 => "AVX-512",
            Set::Avx2 => "AVX2",
            Set::Portable => "portable",
        })
    }
}

/// A computation in plain Rust that gains from wider registers. Implementations mark `run`
/// `#[inline(always)]`, so that it is compiled inside each set's entry. All sets give the same bits: nothing
/// is reordered, and no product is fused with a sum.
pub trait Loop {
    /// What it returns.
    type Output;
    /// Computes it.
    fn run(self) -> Self::Output;
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,fma")]
fn run_avx512<L: Loop>(of: L) -> L::Output {
    of.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<L: Loop>(of: L) -> L::Output {
    of.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Squares<'a>(&'a mut [f32]);

    impl Loop for Squares<'_> {
        type Output = f32;
        #[inline(always)]
        fn run(self) -> f32 {
            self.0.iter_mut().for_each(|value| *value = *value * *value + 0.1);
            self.0[7]
        }
    }

    #[test]
    fn a_loop_gives_the_same_bits_on_every_set() {
        let squares = |isa: Isa| {
            let mut values: Vec<f32> = (0..100).map(|i| i as f32 / 7.0).collect();
            assert_eq!(isa.run(Squares(&mut values)), 1.1);
            values
        };
        let expected: Vec<f32> = (0..100).map(|i| (i as f32 / 7.0) * (i as f32 / 7.0) + 0.1).collect();
        for isa in Isa::available() {
            assert_eq!(squares(isa), expected, "{isa}");
        }
    }

    #[test]
    fn the_widest_set_comes_first_and_the_portable_one_last() {
        let sets: Vec<Set> = Isa::available().map(Isa::set).collect();
        assert!(sets.is_sorted_by(|a, b| a > b));
        assert_eq!(sets.last(), Some(&Set::Portable));
        assert!(sets.contains(&Isa::detect().set()));
    }

    #[test]
    fn a_set_that_does_not_exist_is_refused_by_name() {
        assert_eq!(Set::named("avx2").unwrap(), Set::Avx2);
        let error = Set::named("sse9").unwrap_err().to_string();
        assert!(
            error.contains("SEMEME_SIMD") && error.contains("sse9") && error.contains("portable"),
            "{error}"
        );
    }
}
