//! The min-sum update of one register of check nodes.

use super::bytes::Bytes;
use super::config::Rule;
use super::quantize::LARGEST_LLR;

/// Largest magnitude that a check node passes on: small against a byte, in which posterior LLRs add up, so that
/// no message turns the sign of a saturated one when it is taken back.
pub const LARGEST_MESSAGE: i8 = LARGEST_LLR + 1;

/// What the two smallest magnitudes are reduced by before the pairwise correction's factors, in steps.
const PAIRWISE_LESS: (i8, i8) = (2, 1);

/// What a check node passes on of the least magnitude, and to the bit that had it of the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// Both times this many 128ths, rounded down.
    Factor(i8),
    /// Both less this much, but not below zero.
    Offset(i8),
    /// Each less some steps, then times its own number of 128ths; the least loses the fewer, the further off
    /// the second is: of two bits, ln(1 + exp(-gap)) nats.
    Pairwise {
        /// Numerator for the least.
        least: i8,
        /// Numerator for the second.
        second: i8,
    },
}

impl Correction {
    /// The correction of a row of the base graph.
    pub fn new(rule: Rule, row: usize, degree: usize) -> Self {
        match rule {
            Rule::Factor(numerator) => Self::Factor(numerator),
            Rule::Offset(offset) => Self::Offset(offset),
            Rule::Pairwise => {
                let (least, second) = pairwise(row, degree);
                Self::Pairwise { least, second }
            }
        }
    }

    #[inline(always)]
    unsafe fn of<B: Bytes>(self, least: B, second: B) -> (B, B) {
        unsafe {
            let (least, second) = match self {
                Self::Factor(numerator) => (least.scaled(numerator), second.scaled(numerator)),
                Self::Offset(offset) => (least.less(B::splat(offset)), second.less(B::splat(offset))),
                Self::Pairwise { least: of_least, second: of_second } => {
                    let by_gap = B::splat(PAIRWISE_LESS.0).less(second.less(least).half());
                    let second = second.less(B::splat(PAIRWISE_LESS.1));
                    (least.less(by_gap).scaled(of_least), second.scaled(of_second))
                }
            };
            let largest = B::splat(LARGEST_MESSAGE);
            (least.min(largest), second.min(largest))
        }
    }
}

/// Numerators over 128 by the edges of a row. Found by random search at block-error rates of a hundredth, over
/// rates of 0.2 to 0.88; `benches/ldpc_accuracy.rs` shows what is left to sum-product.
fn pairwise(row: usize, degree: usize) -> (i8, i8) {
    match (row, degree) {
        (0..4, _) => (81, 99),
        (_, 0..=3) => (116, 106),
        (_, 4) => (84, 109),
        (_, 5) => (97, 95),
        _ => (80, 100),
    }
}

/// Updates `B::LEN` check nodes with `D` edges each.
///
/// ```text
/// q_e = l_e - r_e;   r_e = sign(product of the other q) * corrected(min of the other |q|);   l_e = q_e + r_e
/// ```
///
/// - load: edge -> where its posterior LLRs stand; store: edge -> where the new ones go
/// - messages: `D` registers, r of the iteration before, replaced by the new ones
///
/// # Safety
/// All addresses must be valid for a register, and the processor must have the instructions of `B`.
#[inline(always)]
pub unsafe fn update<B: Bytes, const D: usize>(
    load: impl Fn(usize) -> *const i8,
    store: impl Fn(usize, B),
    messages: *mut i8,
    correction: Correction,
) {
    unsafe {
        let mut q = [B::splat(0); D];
        let (mut least, mut second) = (B::splat(-1), B::splat(-1)); // 255, unsigned
        let mut sign = B::splat(0);
        for (e, q) in q.iter_mut().enumerate() {
            *q = B::load(load(e)).sub(B::load(messages.add(e * B::LEN)));
            let magnitude = q.magnitude();
            second = second.min(magnitude.max(least));
            least = least.min(magnitude);
            sign = sign.xor(*q);
        }
        let (of_least, of_second) = correction.of(least, second);
        for (e, q) in q.into_iter().enumerate() {
            let others = q.magnitude().where_equal(least, of_second, of_least);
            let r = others.with_sign(sign.xor(q));
            r.store(messages.add(e * B::LEN));
            store(e, q.add(r));
        }
    }
}
