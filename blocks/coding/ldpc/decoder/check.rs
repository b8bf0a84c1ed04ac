//! The min-sum update of one register of check nodes.

use super::bytes::Bytes;
use super::config::Rule;

/// Largest magnitude that a check node passes on, 9.75 nats. Small against a byte, in which posterior LLRs add up:
/// a larger message turns the sign of a saturated one when it is taken back. Large against what a channel says:
/// few smaller ones cannot correct a bit that the channel is sure of. Between both errors lies the least error
/// floor; 39 was found on the (1040, 2080) code at Eb/N0 of 2 and 2.5 dB, where 31 and 47 lose twice as many frames.
pub const LARGEST_MESSAGE: i8 = 39;

/// Beyond it a magnitude gives the largest message anyway; its quarters still are a byte.
const LARGEST_IN_QUARTERS: i8 = 63;

/// What a check node makes of the smallest magnitudes among its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// The least times this many 128ths, rounded down.
    Factor(i8),
    /// The least less this much, but not below zero.
    Offset(i8),
    /// The two smallest as sum-product would join them, in straight lines, less a share for the bits behind them.
    Pairwise {
        /// What two equal magnitudes lose, in quarters of a step: two less for each step by which they differ.
        equal: i8,
        /// What is lost besides, in quarters of a step.
        others: i8,
        /// The same for the message to the bit of the least magnitude, where the second and third are joined.
        others_of_least: i8,
    },
}

impl Correction {
    /// The correction of a row of the base graph.
    pub fn new(rule: Rule, row: usize, degree: usize) -> Self {
        match rule {
            Rule::Factor(numerator) => Self::Factor(numerator),
            Rule::Offset(offset) => Self::Offset(offset),
            Rule::Pairwise => pairwise(row, degree),
        }
    }

    /// The message to a bit, as a magnitude, where the two smallest magnitudes of the other bits are these.
    #[inline(always)]
    unsafe fn joined<B: Bytes>(self, smaller: B, larger: B, is_of_least: bool) -> B {
        unsafe {
            let message = match self {
                Self::Factor(numerator) => smaller.scaled(numerator),
                Self::Offset(offset) => smaller.less(B::splat(offset)),
                Self::Pairwise { equal, others, others_of_least } => {
                    let by_gap = B::splat(equal).less(larger.less(smaller).twice());
                    let by_others = B::splat(if is_of_least { others_of_least } else { others });
                    smaller
                        .min(B::splat(LARGEST_IN_QUARTERS))
                        .twice()
                        .twice()
                        .less(by_gap)
                        .less(by_others)
                        .quarter()
                }
            };
            message.min(B::splat(LARGEST_MESSAGE))
        }
    }
}

/// The correction of a row by the edges of its checks: the more bits, the more is lost to those that are left out.
///
/// Found by random search at block-error rates of a hundredth, over rates of 0.2 to 0.88;
/// `benches/ldpc_accuracy.rs` shows what is left to sum-product.
fn pairwise(row: usize, degree: usize) -> Correction {
    let (others, others_of_least) = match (row, degree) {
        (0..4, _) => (4, 4),
        (_, 0..=3) => (1, 1),
        (_, 4) => (2, 3),
        (_, 5) => (1, 0),
        (_, 6) => (3, 3),
        _ => (4, 3),
    };
    Correction::Pairwise { equal: 11, others, others_of_least }
}

/// Updates `B::LEN` check nodes with `D` edges each.
///
/// ```text
/// q_e = l_e - r_e;   r_e = sign(product of the other q) * corrected(smallest of the other |q|);   l_e = q_e + r_e
/// ```
///
/// - load: edge -> where its posterior LLRs stand; store: edge -> where the new ones go
/// - messages: `D` registers, r of the iteration before, replaced by the new ones; in the `FIRST` iteration r is
///   zero and whatever stands there is not read
/// - `PAIRS`: whether the correction joins two magnitudes, which takes the third smallest of all
///
/// # Safety
/// All addresses must be valid for a register, and the processor must have the instructions of `B`.
#[inline(always)]
pub unsafe fn update<B: Bytes, const D: usize, const FIRST: bool, const PAIRS: bool>(
    load: impl Fn(usize) -> *const i8,
    store: impl Fn(usize, B),
    messages: *mut i8,
    correction: Correction,
) {
    unsafe {
        let mut q = [B::splat(0); D];
        let (mut least, mut second, mut third) = (B::splat(-1), B::splat(-1), B::splat(-1)); // 255, unsigned
        let mut sign = B::splat(0);
        for (e, q) in q.iter_mut().enumerate() {
            *q = B::load(load(e));
            if !FIRST {
                *q = q.sub(B::load(messages.add(e * B::LEN)));
            }
            let magnitude = q.magnitude();
            if PAIRS {
                third = third.min(magnitude.max(second));
            }
            second = second.min(magnitude.max(least));
            least = least.min(magnitude);
            sign = sign.xor(*q);
        }
        let to_most = correction.joined(least, second, false);
        let to_least = correction.joined(second, third, true);
        let to_second = if PAIRS { correction.joined(least, third, false) } else { to_most };
        for (e, q) in q.into_iter().enumerate() {
            let magnitude = q.magnitude();
            let others = if PAIRS { magnitude.where_equal(second, to_second, to_most) } else { to_most };
            let r = magnitude.where_equal(least, to_least, others).with_sign(sign.xor(q));
            r.store(messages.add(e * B::LEN));
            store(e, q.add(r));
        }
    }
}
