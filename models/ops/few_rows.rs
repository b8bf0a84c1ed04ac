//! Products of a few rows with a large matrix, which cost what it costs to read the matrix once.
//!
//! A general product packs the matrix first and so moves it through memory three times. Here rows of the
//! matrix stream past, several at a time, and are added to the result, which stays in the nearest cache.

use super::lanes::{self, LaneKernel, Lanes};
use rayon::prelude::*;
use sememe_blocks::isa::Isa;
use std::ops::Range;

/// Most rows that are worth it.
pub const MOST_ROWS: usize = 4;
/// Rows of the matrix in one pass over the result.
const PASS: usize = 8;
/// Elements of the matrix in one task, at least, and most tasks: fixed, so that the number of threads
/// changes no bit of the sum.
const TASK_ELEMENTS: usize = 1 << 17;
const MOST_TASKS: usize = 8;

/// out += a b.
///
/// - a `[rows, inner]`, b `[inner, columns]`, out `[rows, columns]`, all row-major
pub fn add_product(a: &[f32], b: &[f32], out: &mut [f32], inner: usize, columns: usize) {
    assert!(b.len() >= inner * columns, "matrix {inner} x {columns} over {} values", b.len());
    if inner * columns == 0 {
        return;
    }
    let isa = Isa::detect();
    let tasks = (inner * columns / TASK_ELEMENTS).clamp(1, MOST_TASKS);
    let inner_of_task = inner.div_ceil(tasks).next_multiple_of(PASS);
    let part = |first: usize, out: &mut [f32]| {
        let end = inner.min(first + inner_of_task);
        lanes::run(
            isa,
            AddRows { a, inner, range: first..end, b: &b[first * columns..end * columns], out, columns },
        );
    };
    if tasks == 1 {
        return part(0, out);
    }
    let partial: Vec<Vec<f32>> = (0..inner)
        .into_par_iter()
        .step_by(inner_of_task)
        .map(|first| {
            let mut sums = vec![0.0; out.len()];
            part(first, &mut sums);
            sums
        })
        .collect();
    for sums in partial {
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
    }
}

/// out += a b over a range of the inner index.
struct AddRows<'a> {
    a: &'a [f32],
    inner: usize,
    range: Range<usize>,
    /// The rows of the range.
    b: &'a [f32],
    out: &'a mut [f32],
    columns: usize,
}

impl LaneKernel for AddRows<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let Self { a, inner, range, b, out, columns } = self;
        let vectors = columns / L::LEN * L::LEN;
        for (first, b) in range.clone().step_by(PASS).zip(b.chunks(PASS * columns)) {
            for (a, out) in a.chunks_exact(inner).zip(out.chunks_exact_mut(columns)) {
                let a = &a[first..range.end.min(first + PASS)];
                if a.len() < PASS {
                    add_plainly(a, b, out, columns, 0);
                    continue;
                }
                // SAFETY: the caller vouches for the instructions.
                let factors: [L; PASS] = std::array::from_fn(|row| unsafe { L::splat(a[row]) });
                for column in (0..vectors).step_by(L::LEN) {
                    // SAFETY: `column + LEN <= columns`, and `b` holds PASS rows of so many values.
                    unsafe {
                        let to = out.as_mut_ptr().add(column);
                        let mut sum = L::load(to);
                        for (row, factor) in factors.iter().enumerate() {
                            sum = L::load(b.as_ptr().add(row * columns + column)).mul_add(*factor, sum);
                        }
                        sum.store(to);
                    }
                }
                add_plainly(a, b, &mut out[vectors..], columns, vectors);
            }
        }
    }
}

/// The definition, for what does not fill registers; `first` is the column of the first value of `out`.
fn add_plainly(a: &[f32], b: &[f32], out: &mut [f32], columns: usize, first: usize) {
    for (factor, row) in a.iter().zip(b.chunks_exact(columns)) {
        out.iter_mut().zip(&row[first..]).for_each(|(out, value)| *out += factor * value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::noise;

    #[test]
    fn equals_the_definition_on_every_instruction_set() {
        for (rows, inner, columns) in [(1, 8, 16), (1, 19, 37), (3, 700, 401), (4, 1, 5), (2, 2048, 530)] {
            let (a, b) = (noise(rows * inner, 1), noise(inner * columns, 2));
            let mut out = vec![0.5; rows * columns];
            add_product(&a, &b, &mut out, inner, columns);
            for (at, found) in out.iter().enumerate() {
                let (row, column) = (at / columns, at % columns);
                let products = (0..inner).map(|i| f64::from(a[row * inner + i] * b[i * columns + column]));
                let expected = 0.5 + products.sum::<f64>();
                assert!((f64::from(*found) - expected).abs() < 2e-4, "{rows} {inner} {columns}: {found}");
            }
            for isa in Isa::available() {
                let mut of_set = vec![0.5; columns];
                let (a, range) = (&a[..inner], 0..inner);
                let kernel = AddRows { a, inner, range, b: &b, out: &mut of_set, columns };
                lanes::run(isa, kernel);
                for (x, y) in of_set.iter().zip(&out) {
                    assert!(
                        (x - y).abs() < 1e-5 * x.abs() + 2e-4,
                        "{isa}, {rows} {inner} {columns}: {x} {y}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let (inner, columns) = (1500, 700);
        let (a, b) = (noise(inner, 3), noise(inner * columns, 4));
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut out = vec![0.0; columns];
            pool.install(|| add_product(&a, &b, &mut out, inner, columns));
            out
        };
        let one = run(1);
        assert!(one == run(2) && one == run(3));
    }

    #[test]
    fn nothing_is_added_by_nothing() {
        let mut out = vec![1.0; 3];
        add_product(&[], &[], &mut out, 0, 3);
        assert_eq!(out, [1.0; 3]);
    }
}
