//! Frames to registers: bytes `[frames, bits]` to `[bits, frames]`.

/// Side of a tile.
const TILE: usize = 16;

/// `[rows, columns]` -> `[columns, rows]`; rows of either side may stand further apart than they are long.
///
/// - from: row r begins at `r * from_stride`; to: row c begins at `c * to_stride`
pub fn transpose(
    (from, from_stride): (&[i8], usize),
    (rows, columns): (usize, usize),
    (to, to_stride): (&mut [i8], usize),
) {
    for row in (0..rows).step_by(TILE) {
        for column in (0..columns).step_by(TILE) {
            let (height, width) = (TILE.min(rows - row), TILE.min(columns - column));
            let (from, to) = (&from[row * from_stride + column..], &mut to[column * to_stride + row..]);
            if (height, width) == (TILE, TILE) {
                tile((from, from_stride), (to, to_stride));
            } else {
                for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                    to[x * to_stride + y] = from[y * from_stride + x];
                }
            }
        }
    }
}

/// A whole tile, in four rounds that interleave row i with row i + 8.
fn tile((from, from_stride): (&[i8], usize), (to, to_stride): (&mut [i8], usize)) {
    let mut rows = [[0i8; TILE]; TILE];
    for (y, row) in rows.iter_mut().enumerate() {
        row.copy_from_slice(&from[y * from_stride..][..TILE]);
    }
    for _ in 0..4 {
        let mut next = [[0i8; TILE]; TILE];
        for pair in 0..8 {
            let (upper, lower) = (rows[pair], rows[pair + 8]);
            for i in 0..8 {
                next[2 * pair][2 * i] = upper[i];
                next[2 * pair][2 * i + 1] = lower[i];
                next[2 * pair + 1][2 * i] = upper[8 + i];
                next[2 * pair + 1][2 * i + 1] = lower[8 + i];
            }
        }
        rows = next;
    }
    for (x, row) in rows.iter().enumerate() {
        to[x * to_stride..][..TILE].copy_from_slice(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_changes_row_and_column() {
        for (rows, columns) in [(16, 16), (64, 48), (5, 40), (33, 7), (0, 3), (17, 17)] {
            let (from_stride, to_stride) = (columns + 3, rows + 5);
            let from: Vec<i8> = (0..rows * from_stride).map(|i| (i * 37 % 251) as u8 as i8).collect();
            let mut to = vec![0; columns * to_stride];
            transpose((&from, from_stride), (rows, columns), (&mut to, to_stride));
            for (row, column) in (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))) {
                assert_eq!(to[column * to_stride + row], from[row * from_stride + column]);
            }
        }
    }
}
