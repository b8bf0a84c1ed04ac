//! The min-sum update of one register of check nodes.

use super::bytes::Bytes;

/// What becomes of the smallest magnitude that a check node saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Times this many 128ths, rounded to the nearest, halves up.
    Factor(i8),
    /// Less this much, but not below zero.
    Offset(i8),
}

/// What the checks of a layer pass on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Correction {
    rule: Rule,
    /// Largest magnitude before the rule.
    largest: i8,
}

impl Correction {
    /// A rule whose messages are at most `largest`: posterior LLRs are bytes, and a message that is large
    /// against them turns the sign of a saturated one when it is taken back.
    pub fn new(rule: Rule, largest: i8) -> Self {
        let before = match rule {
            Rule::Factor(numerator) => (i32::from(largest) * 128 + 63) / i32::from(numerator.max(1)),
            Rule::Offset(offset) => i32::from(largest) + i32::from(offset),
        };
        Self { rule, largest: before.min(127) as i8 }
    }

    /// Largest magnitude before the rule.
    #[cfg(test)]
    pub fn largest(self) -> i8 {
        self.largest
    }

    #[inline(always)]
    unsafe fn of<B: Bytes>(self, magnitude: B) -> B {
        unsafe {
            let magnitude = magnitude.min(B::splat(self.largest));
            match self.rule {
                Rule::Factor(numerator) => magnitude.scaled(numerator),
                Rule::Offset(offset) => magnitude.less(B::splat(offset)),
            }
        }
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
