//! Starts of sums, sums over rows, conversion between storage types.

use crate::cuda::queue::{Address, Grid, Queue, Stored, int};
use candle_core::Result;

/// Rows of a matrix whose columns are summed by one block.
const ROWS_PER_SUM: usize = 64;
/// Most partial sums.
const MOST_SUMS: usize = 256;

/// out = row + residual in each of `rows` rows; either may be [`Address::NONE`].
pub fn start<Q: Queue>(
    queue: &Q,
    (row, residual): (Address, Address),
    (out, stored): (Address, Stored),
    (rows, columns): (usize, usize),
) -> Result<()> {
    let kernel = stored.pick(["start_rows_f32", "start_rows_bf16"]);
    let arguments = [out.into(), row.into(), residual.into(), int(rows)?, int(columns)?];
    queue.launch(kernel, Grid::over(columns, rows, 1), &arguments)
}

/// Sums of the columns of `[rows, columns]`, in a fixed order.
pub fn column_sums<Q: Queue>(
    queue: &Q,
    (values, stored): (Address, Stored),
    (rows, columns): (usize, usize),
    out: Address,
) -> Result<()> {
    let kernel = stored.pick(["sum_columns_f32", "sum_columns_bf16"]);
    let parts = rows.div_ceil(ROWS_PER_SUM).clamp(1, MOST_SUMS);
    if parts == 1 {
        let arguments = [values.into(), out.into(), int(rows)?, int(columns)?, int(rows.max(1))?];
        return queue.launch(kernel, Grid::over(columns, 1, 1), &arguments);
    }
    let per_sum = rows.div_ceil(parts);
    let parts = rows.div_ceil(per_sum);
    let partial = queue.reserve(parts * columns)?;
    let sums = queue.address(&partial);
    let arguments = [values.into(), sums.into(), int(rows)?, int(columns)?, int(per_sum)?];
    queue.launch(kernel, Grid::over(columns, 1, parts), &arguments)?;
    let arguments = [sums.into(), out.into(), int(parts)?, int(columns)?, int(parts)?];
    queue.launch("sum_columns_f32", Grid::over(columns, 1, 1), &arguments)
}

/// f32 values in half the memory.
pub fn to_bf16<Q: Queue>(queue: &Q, from: Address, len: usize) -> Result<Q::Memory> {
    let memory = queue.reserve(Stored::Bf16.room(len))?;
    queue.launch("to_bf16", Grid::flat(len), &[from.into(), queue.address(&memory).into(), int(len)?])?;
    Ok(memory)
}
