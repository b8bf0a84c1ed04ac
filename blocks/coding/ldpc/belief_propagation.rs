//! Belief propagation in floating point, written for reading: the oracle of the fast decoder.
//!
//! Messages pass along every edge of the lifted graph as the definition says, with no lanes, no
//! quantisation and no thought of speed. Source: Kschischang, Frey and Loeliger (2001); layers: Hocevar (2004).

use super::LdpcCode;
use super::decoder::Outcome;
use crate::{BlockError, Result};

/// How a check node combines what its other bits say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CheckRule {
    /// The exact rule: 2 atanh of the product of tanh(q / 2).
    SumProduct,
    /// The least magnitude times a factor, with the product of the signs.
    Normalized(f64),
    /// The least magnitude less an offset, not below zero, with the product of the signs.
    Offset(f64),
}

/// In which order messages are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// All checks on the messages of the iteration before.
    Flooding,
    /// Row after row of the base graph, the last row first as in the fast decoder, each on what was found so far.
    Layered,
}

/// A decoder of the first `rows` rows of a code.
#[derive(Clone, Debug)]
pub struct BeliefPropagation<'a> {
    /// The code.
    pub code: &'a LdpcCode,
    /// Rows of the base graph that are used, those that the sent bits reach.
    pub rows: usize,
    /// Iterations at most; fewer where all checks hold and something speaks for each bit of information.
    pub iterations: usize,
    /// The check node.
    pub rule: CheckRule,
    /// The order.
    pub order: Order,
}

/// Magnitude beyond which tanh is 1 in double precision.
const CERTAIN: f64 = 38.0;

impl BeliefPropagation<'_> {
    /// The posterior LLRs of all bits of information and of the parity of the used rows, and how it ended.
    ///
    /// - llrs: `(information columns + rows) Z` LLRs, ln P(0) / P(1); not sent: 0; filler: +infinity
    /// - errors: another length; a NaN
    pub fn decode(&self, llrs: &[f64]) -> Result<(Vec<f64>, Outcome)> {
        let size = self.code.lifting_size();
        let expected = (self.code.base_graph().information_columns() + self.rows) * size;
        if llrs.len() != expected {
            return Err(BlockError::shape("LLRs", expected, llrs.len()));
        }
        if let Some(position) = llrs.iter().position(|llr| llr.is_nan()) {
            return Err(BlockError::invalid("LLR", format!("NaN at position {position}"), "numbers"));
        }
        let channel: Vec<f64> = llrs.iter().map(|llr| llr.clamp(-1e6, 1e6)).collect();
        let checks: Vec<Vec<usize>> = (0..self.rows)
            .rev()
            .flat_map(|row| (0..size).map(move |lane| (row, lane)))
            .map(|(row, lane)| {
                let bit = |entry: &super::Entry| {
                    usize::from(entry.column) * size + (lane + usize::from(entry.shift)) % size
                };
                self.code.row(row).iter().map(bit).collect()
            })
            .collect();
        let mut messages: Vec<Vec<f64>> = checks.iter().map(|bits| vec![0.0; bits.len()]).collect();
        let mut posterior = channel.clone();
        let mut outcome = Outcome { iterations: 0, passed: false, decided: false };
        while !outcome.passed && outcome.iterations < self.iterations {
            let before = posterior.clone();
            for (bits, messages) in checks.iter().zip(&mut messages) {
                let heard = match self.order {
                    Order::Flooding => &before,
                    Order::Layered => &posterior,
                };
                let said = |(bit, r): (&usize, &f64)| self.rule.prepare(heard[*bit] - r);
                let q: Vec<(f64, f64)> = bits.iter().zip(&*messages).map(said).collect();
                for (edge, (bit, message)) in bits.iter().zip(messages).enumerate() {
                    let others = q.iter().enumerate().filter(|(other, _)| *other != edge).map(|(_, q)| *q);
                    let renewed = self.rule.combine(others);
                    posterior[*bit] += renewed - *message;
                    *message = renewed;
                }
            }
            let odd = |bits: &Vec<usize>| bits.iter().filter(|bit| posterior[**bit] < 0.0).count() % 2 == 1;
            let decided = !posterior[..self.code.information_len()].contains(&0.0);
            let passed = decided && !checks.iter().any(odd);
            outcome = Outcome { iterations: outcome.iterations + 1, passed, decided };
        }
        Ok((posterior, outcome))
    }
}

impl CheckRule {
    /// The sign of an LLR, and what the rule takes of its magnitude.
    fn prepare(self, q: f64) -> (f64, f64) {
        let size = match self {
            CheckRule::SumProduct => (q.abs().min(CERTAIN) / 2.0).tanh(),
            CheckRule::Normalized(_) | CheckRule::Offset(_) => q.abs(),
        };
        (if q < 0.0 { -1.0 } else { 1.0 }, size)
    }

    /// The message from what the other bits say, prepared.
    fn combine(self, others: impl Iterator<Item = (f64, f64)>) -> f64 {
        let (mut sign, mut least, mut product) = (1.0, f64::INFINITY, 1.0);
        for (of_other, size) in others {
            sign *= of_other;
            least = size.min(least);
            product *= size;
        }
        sign * match self {
            CheckRule::SumProduct => 2.0 * product.min(1.0 - f64::EPSILON).atanh(),
            CheckRule::Normalized(factor) => factor * least,
            CheckRule::Offset(offset) => (least - offset).max(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::ldpc::{BaseGraph, LdpcEncoder};

    fn oracle(code: &LdpcCode, rule: CheckRule, order: Order) -> BeliefPropagation<'_> {
        BeliefPropagation { code, rows: 12, iterations: 20, rule, order }
    }

    #[test]
    fn two_bits_that_must_be_equal_add_up_what_the_channel_says() {
        // A check of two bits passes on the LLR of the other, whatever the rule's correction leaves of it.
        let message = |rule: CheckRule, others: &[f64]| rule.combine(others.iter().map(|q| rule.prepare(*q)));
        assert!((message(CheckRule::SumProduct, &[-1.5]) + 1.5).abs() < 1e-12);
        assert_eq!(message(CheckRule::Normalized(0.75), &[2.0, -4.0]), -1.5);
        assert_eq!(message(CheckRule::Offset(0.5), &[2.0, -4.0]), -1.5);
        assert_eq!(message(CheckRule::Offset(0.5), &[0.2, 4.0]), 0.0);
        let exact = 2.0 * ((1.0f64).tanh() * (2.0f64).tanh()).atanh();
        assert!((message(CheckRule::SumProduct, &[2.0, 4.0]) - exact).abs() < 1e-12);
    }

    #[test]
    fn erased_and_wrong_bits_are_found() {
        let code = LdpcCode::new(BaseGraph::Two, 16).unwrap();
        let information: Vec<u8> = (0..160).map(|i| u8::from(i * i % 7 < 3)).collect();
        let mut word = vec![0; code.codeword_len()];
        LdpcEncoder::new(&code).encode_into(&information, &mut word).unwrap();
        let mut llrs: Vec<f64> =
            word[..22 * 16].iter().map(|bit| 4.0 * (1.0 - 2.0 * f64::from(*bit))).collect();
        llrs[..32].fill(0.0);
        (0..352).step_by(17).for_each(|at| llrs[at] *= -0.3);
        for rule in [CheckRule::SumProduct, CheckRule::Normalized(0.75), CheckRule::Offset(0.5)] {
            for order in [Order::Flooding, Order::Layered] {
                let (found, outcome) = oracle(&code, rule, order).decode(&llrs).unwrap();
                assert!(outcome.passed && (1..20).contains(&outcome.iterations), "{rule:?} {outcome:?}");
                assert!(
                    found.iter().zip(&word).all(|(llr, bit)| (*llr < 0.0) == (*bit == 1)),
                    "{rule:?} {order:?}"
                );
            }
        }
    }

    #[test]
    fn another_length_and_nan_are_refused() {
        let code = LdpcCode::new(BaseGraph::Two, 2).unwrap();
        let oracle = oracle(&code, CheckRule::SumProduct, Order::Flooding);
        assert!(oracle.decode(&[0.0; 43]).is_err());
        let mut llrs = [0.0; 44];
        llrs[5] = f64::NAN;
        assert!(oracle.decode(&llrs).unwrap_err().to_string().contains("position 5"));
        let (found, outcome) = oracle.decode(&[f64::INFINITY; 44]).unwrap();
        assert!(outcome.passed && found.iter().all(|llr| llr.is_finite()));
    }
}
