//! The transpose of a matrix, tile by tile.
//!
//! Products with a transposed weight are prepared with it: packing such a weight inside the product reads
//! it value by value at strides that share a cache set, once for each task.

use super::shared_out::SharedOut;
use rayon::prelude::*;

/// Side of a tile: one cache line of values.
const TILE: usize = 16;
/// Columns of a task: a few lines of each page that is visited.
const STRIP: usize = 4 * TILE;

/// `values` `[rows, columns]`, row-major -> `[columns, rows]`, on the rayon pool.
pub fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    assert_eq!(values.len(), rows * columns, "a matrix to transpose");
    let mut output = SharedOut::new(rows * columns);
    let out = &output;
    (0..columns.div_ceil(STRIP)).into_par_iter().for_each(|strip| {
        let first = strip * STRIP;
        let strip = STRIP.min(columns - first);
        // SAFETY: each task fills its own rows of the result.
        let out = unsafe { std::slice::from_raw_parts_mut(out.at(first * rows), strip * rows) };
        for row in (0..rows).step_by(TILE) {
            for column in (0..strip).step_by(TILE) {
                let (height, width) = (TILE.min(rows - row), TILE.min(strip - column));
                let source = &values[row * columns + first + column..];
                let out = &mut out[column * rows + row..];
                if (height, width) == (TILE, TILE) {
                    whole_tile(source, columns, out, rows);
                } else {
                    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                        out[x * rows + y] = source[y * columns + x];
                    }
                }
            }
        }
    });
    output.take()
}

/// A full tile: every line of source and result is touched once.
fn whole_tile(source: &[f32], columns: usize, out: &mut [f32], rows: usize) {
    let mut tile = [[0f32; TILE]; TILE];
    for (y, line) in tile.iter_mut().enumerate() {
        line.copy_from_slice(&source[y * columns..][..TILE]);
    }
    for x in 0..TILE {
        let line: &mut [f32] = &mut out[x * rows..][..TILE];
        for (to, from) in line.iter_mut().zip(&tile) {
            *to = from[x];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_changes_row_and_column() {
        for (rows, columns) in [(1, 1), (16, 16), (33, 70), (5, 48), (64, 3), (0, 4)] {
            let values: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let turned = transpose(&values, rows, columns);
            for (row, column) in (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))) {
                assert_eq!(turned[column * rows + row], values[row * columns + column]);
            }
        }
    }
}
