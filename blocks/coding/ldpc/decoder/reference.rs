//! The decoder's arithmetic bit by bit and check by check: what every fast path must equal.

use super::check::LARGEST_MESSAGE;
use super::{Correction, Outcome, Rule};
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
    let checks: Vec<(usize, Vec<usize>)> = (0..rows)
        .rev()
        .flat_map(|row| (0..size).map(move |lane| (row, lane)))
        .map(|(row, lane)| {
            let bit =
                |column: u16, shift: u16| usize::from(column) * size + (lane + usize::from(shift)) % size;
            (row, code.row(row).iter().map(|entry| bit(entry.column, entry.shift)).collect())
        })
        .collect();
    let mut messages: Vec<Vec<i8>> = checks.iter().map(|(_, bits)| vec![0; bits.len()]).collect();
    let mut posteriors = llrs.to_vec();
    let is_decided = |posteriors: &[i8]| !posteriors[..code.information_len()].contains(&0);
    let holds = |posteriors: &[i8]| {
        let even = |bits: &Vec<usize>| bits.iter().filter(|bit| posteriors[**bit] < 0).count() % 2 == 0;
        checks.iter().all(|(_, bits)| even(bits)) && is_decided(posteriors)
    };
    let mut done = 0;
    while done < iterations {
        for ((row, bits), messages) in checks.iter().zip(&mut messages) {
            let correction = Correction::new(rule, *row, bits.len());
            let q: Vec<i8> =
                bits.iter().zip(&*messages).map(|(bit, r)| posteriors[*bit].saturating_sub(*r)).collect();
            for (edge, (bit, message)) in bits.iter().zip(messages).enumerate() {
                let others = || q.iter().enumerate().filter(|(other, _)| *other != edge).map(|(_, q)| *q);
                let mut sizes: Vec<i32> = others().map(|q| i32::from(q.unsigned_abs())).collect();
                sizes.sort_unstable();
                let (smaller, larger) = (sizes[0], sizes[1]);
                let magnitude = match correction {
                    Correction::Factor(numerator) => smaller * i32::from(numerator) / 128,
                    Correction::Offset(offset) => (smaller - i32::from(offset)).max(0),
                    Correction::Pairwise { equal, others, others_of_least } => {
                        let own = i32::from(q[edge].unsigned_abs());
                        let by_gap = (i32::from(equal) - 2 * (larger - smaller)).max(0);
                        let by_others = i32::from(if own <= smaller { others_of_least } else { others });
                        (4 * smaller - by_gap - by_others).max(0) / 4
                    }
                };
                let magnitude = magnitude.min(i32::from(LARGEST_MESSAGE)) as i8;
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
    let (passed, decided) = (holds(&posteriors), is_decided(&posteriors));
    (posteriors, Outcome { iterations: done, passed, decided })
}
