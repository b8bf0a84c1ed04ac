//! The decoder's arithmetic bit by bit and check by check: what every fast path must equal.

use super::{LARGEST_MESSAGE, Outcome, Rule};
use crate::coding::ldpc::LdpcCode;

/// Decodes to posterior LLRs, stopping where all checks hold if that is wanted.
pub fn decode(
    code: &LdpcCode,
    rows: usize,
    rule: Rule,
    (iterations, until_codeword): (usize, bool),
    llrs: &[i8],
) -> (Vec<i8>, Outcome) {
    let size = code.lifting_size();
    let checks: Vec<Vec<usize>> = (0..rows)
        .rev()
        .flat_map(|row| (0..size).map(move |lane| (row, lane)))
        .map(|(row, lane)| {
            let bit =
                |column: u16, shift: u16| usize::from(column) * size + (lane + usize::from(shift)) % size;
            code.row(row).iter().map(|entry| bit(entry.column, entry.shift)).collect()
        })
        .collect();
    let mut messages: Vec<Vec<i8>> = checks.iter().map(|bits| vec![0; bits.len()]).collect();
    let mut posteriors = llrs.to_vec();
    let holds = |posteriors: &[i8]| {
        checks.iter().all(|bits| bits.iter().filter(|bit| posteriors[**bit] < 0).count() % 2 == 0)
    };
    let mut done = 0;
    while done < iterations {
        for (bits, messages) in checks.iter().zip(&mut messages) {
            let q: Vec<i8> =
                bits.iter().zip(&*messages).map(|(bit, r)| posteriors[*bit].saturating_sub(*r)).collect();
            for (edge, (bit, message)) in bits.iter().zip(messages).enumerate() {
                let others = || q.iter().enumerate().filter(|(other, _)| *other != edge).map(|(_, q)| *q);
                let least = others().map(i8::unsigned_abs).min().unwrap_or(255).min(LARGEST_MESSAGE as u8);
                let magnitude = match rule {
                    Rule::Factor(numerator) => ((u32::from(least) * numerator as u32 + 64) / 128) as i8,
                    Rule::Offset(offset) => least.saturating_sub(offset as u8) as i8,
                };
                let negative = others().filter(|q| *q < 0).count() % 2 == 1;
                *message = if negative { -magnitude } else { magnitude };
                posteriors[*bit] = q[edge].saturating_add(*message);
            }
        }
        done += 1;
        if until_codeword && holds(&posteriors) {
            break;
        }
    }
    let passed = holds(&posteriors);
    (posteriors, Outcome { iterations: done, passed })
}
