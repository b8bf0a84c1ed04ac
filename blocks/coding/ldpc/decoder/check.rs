//! The min-sum update of one register of check nodes.

use super::bytes::Bytes;
use super::config::Rule;

/// What becomes of the least magnitude that a check node saw, limited to `largest` before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// Times this many 128ths, rounded down.
    Factor { numerator: i8, largest: i8 },
    /// Less this much, but not below zero.
    Offset { offset: i8, largest: i8 },
}

impl Correction {
    /// A correction whose messages are at most `largest`: posterior LLRs are bytes, and a message that is large
    /// against them turns the sign of a saturated one when it is taken back.
    pub fn new(rule: Rule, row: usize, degree: usize, largest: i8) -> Self {
        let numerator = match rule {
            Rule::ByDegree => by_degree(row, degree),
            Rule::Factor(numerator) => numerator,
            Rule::Offset(offset) => return Self::Offset { offset, largest: largest.saturating_add(offset) },
        };
        let numerator = numerator.max(1);
        let before = (i32::from(largest) * 128 + i32::from(numerator) - 1) / i32::from(numerator);
        Self::Factor { numerator, largest: before.min(127) as i8 }
    }

    #[inline(always)]
    unsafe fn of<B: Bytes>(self, magnitude: B) -> B {
        unsafe {
            match self {
                Self::Factor { numerator, largest } => magnitude.min(B::splat(largest)).scaled(numerator),
                Self::Offset { offset, largest } => magnitude.min(B::splat(largest)).less(B::splat(offset)),
            }
        }
    }
}

/// Numerators over 128 by the edges of a row: the fewer bits a check joins, the closer is the least magnitude
/// to what sum-product gives. Found by random search at block-error rates of a hundredth, over rates of 0.2 to
/// 0.88 (`benches/ldpc_accuracy.rs` shows what is left).
fn by_degree(row: usize, degree: usize) -> i8 {
    match (row, degree) {
        (0..4, _) => 90,
        (_, 0..=3) => 108,
        (_, 4) => 104,
        (_, 5) => 96,
        _ => 90,
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
        let (of_least, of_second) = (correction.of(least), correction.of(second));
        for (e, q) in q.into_iter().enumerate() {
            let others = q.magnitude().where_equal(least, of_second, of_least);
            let r = others.with_sign(sign.xor(q));
            r.store(messages.add(e * B::LEN));
            store(e, q.add(r));
        }
    }
}
