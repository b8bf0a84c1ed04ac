//! From what a layer is to the code that was compiled for it.

use super::bytes::Bytes;
use super::check::Correction;

/// All checks of one layer, in whatever memory they work.
pub trait Sweep {
    /// Updates them.
    ///
    /// - `D`: edges of a check; `FIRST`, `PAIRS`: as for [`super::check::update`]
    ///
    /// # Safety
    /// The processor must have the instructions of `B`, and the layer must lie inside its memory.
    unsafe fn sweep<B: Bytes, const D: usize, const FIRST: bool, const PAIRS: bool>(self);
}

/// Updates all checks of a layer with code for its degree, its correction, and the first iteration or a later one.
///
/// # Safety
/// As for [`Sweep::sweep`].
#[inline(always)]
pub unsafe fn update_layer<B: Bytes>(
    layer: impl Sweep,
    degree: usize,
    correction: Correction,
    is_first: bool,
) {
    let pairs = matches!(correction, Correction::Pairwise { .. });
    unsafe {
        match (is_first, pairs) {
            (true, true) => by_degree::<B, true, true>(layer, degree),
            (true, false) => by_degree::<B, true, false>(layer, degree),
            (false, true) => by_degree::<B, false, true>(layer, degree),
            (false, false) => by_degree::<B, false, false>(layer, degree),
        }
    }
}

#[inline(always)]
unsafe fn by_degree<B: Bytes, const FIRST: bool, const PAIRS: bool>(layer: impl Sweep, degree: usize) {
    unsafe {
        match degree {
            3 => layer.sweep::<B, 3, FIRST, PAIRS>(),
            4 => layer.sweep::<B, 4, FIRST, PAIRS>(),
            5 => layer.sweep::<B, 5, FIRST, PAIRS>(),
            6 => layer.sweep::<B, 6, FIRST, PAIRS>(),
            7 => layer.sweep::<B, 7, FIRST, PAIRS>(),
            8 => layer.sweep::<B, 8, FIRST, PAIRS>(),
            9 => layer.sweep::<B, 9, FIRST, PAIRS>(),
            10 => layer.sweep::<B, 10, FIRST, PAIRS>(),
            19 => layer.sweep::<B, 19, FIRST, PAIRS>(),
            other => unreachable!("no row of the two base graphs has {other} edges"),
        }
    }
}
