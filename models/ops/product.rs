//! Matrix products on slices: of a few rows by `few_rows`, all others through the `gemm` crate.

use super::few_rows;
use rayon::current_num_threads;

/// A matrix in memory: element (r, c) stands at `r * row_stride + c * column_stride`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: isize,
    column_stride: isize,
}

impl<'a> Matrix<'a> {
    /// A row-major matrix. Panics where `values` is too short, which is a defect of the caller.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert!(values.len() >= rows * columns, "matrix {rows} x {columns} over {} values", values.len());
        Self { values, rows, columns, row_stride: columns as isize, column_stride: 1 }
    }

    fn is_row_major(&self) -> bool {
        self.column_stride == 1 && self.row_stride == self.columns as isize
    }

    /// The transposed view.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// Who computes a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// The calling thread.
    One,
    /// The rayon pool, where the product is large enough.
    Pool,
}

/// out = a b, or out += a b, row-major, on the rayon pool.
pub fn product(a: Matrix, b: Matrix, out: &mut [f32], accumulate: bool) {
    product_on(Threads::Pool, a, b, out, accumulate);
}

/// out = a b, or out += a b, row-major.
///
/// Each output element is summed in one order whatever the number of threads.
pub fn product_on(threads: Threads, a: Matrix, b: Matrix, out: &mut [f32], accumulate: bool) {
    assert_eq!(a.columns, b.rows, "inner sizes of a matrix product");
    assert!(out.len() >= a.rows * b.columns, "output of a matrix product");
    // Chosen by sizes and layout alone: both ways sum in different orders.
    if a.rows <= few_rows::MOST_ROWS && a.is_row_major() && b.is_row_major() {
        if !accumulate {
            out[..a.rows * b.columns].fill(0.0);
        }
        let out = &mut out[..a.rows * b.columns];
        return few_rows::add_product(&a.values[..a.rows * a.columns], b.values, out, a.columns, b.columns);
    }
    let pool = current_num_threads();
    let large = a.rows * a.columns * b.columns > 1 << 20;
    let parallelism = match threads {
        Threads::Pool if pool > 1 && large => gemm::Parallelism::Rayon(pool),
        _ => gemm::Parallelism::None,
    };
    // SAFETY: the three matrices lie inside their slices (asserted above), and `out` is exclusive.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            accumulate,
            a.values.as_ptr(),
            a.column_stride,
            a.row_stride,
            b.values.as_ptr(),
            b.column_stride,
            b.row_stride,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::noise;

    fn naive(a: &[f32], b: &[f32], m: usize, k: usize, n: usize) -> Vec<f64> {
        let mut out = vec![0.0; m * n];
        for (row, out) in out.chunks_mut(n).enumerate() {
            for (column, out) in out.iter_mut().enumerate() {
                *out = (0..k).map(|i| a[row * k + i] as f64 * b[i * n + column] as f64).sum();
            }
        }
        out
    }

    #[test]
    fn equals_the_definition_in_all_transpositions() {
        let (m, k, n) = (7, 33, 19);
        let (a, b) = (noise(m * k, 1), noise(k * n, 2));
        let expected = naive(&a, &b, m, k, n);
        let a_t: Vec<f32> = (0..k * m).map(|i| a[(i % m) * k + i / m]).collect();
        let b_t: Vec<f32> = (0..n * k).map(|i| b[(i % k) * n + i / k]).collect();
        let lefts = [Matrix::new(&a, m, k), Matrix::new(&a_t, k, m).transposed()];
        let rights = [Matrix::new(&b, k, n), Matrix::new(&b_t, n, k).transposed()];
        for left in lefts {
            for right in rights {
                let mut out = vec![1.0; m * n];
                product(left, right, &mut out, true);
                for (found, expected) in out.iter().zip(&expected) {
                    assert!((*found as f64 - expected - 1.0).abs() < 1e-4);
                }
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let (m, k, n) = (300, 129, 257);
        let (a, b) = (noise(m * k, 3), noise(k * n, 4));
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut out = vec![0.0; m * n];
            pool.install(|| product(Matrix::new(&a, m, k), Matrix::new(&b, k, n), &mut out, false));
            let mut weights = vec![0.0; k * n];
            let tall = Matrix::new(&a, m, k).transposed();
            pool.install(|| product(tall, Matrix::new(&out, m, n), &mut weights, false));
            (out, weights)
        };
        let one = run(1);
        assert!(one == run(2) && one == run(3) && one == run(4));
    }
}
