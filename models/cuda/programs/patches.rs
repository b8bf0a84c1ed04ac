//! Patches of maps as rows and their adjoint: see [`crate::ops::patches`].

use crate::cuda::queue::{Address, Argument, Grid, Queue, int};
use crate::ops::PatchGrid;
use candle_core::Result;

/// Most values of one launch: kernels count them in 32 bits.
const MOST_VALUES: usize = 1 << 30;

/// Values of a sample's map and of all its patches.
pub fn lens(grid: PatchGrid) -> Result<(usize, usize)> {
    let (rows, columns) = grid.patches()?;
    let patch = grid.kernel * grid.kernel * grid.channels;
    Ok((grid.height * grid.width * grid.channels, rows * columns * patch))
}

fn sizes(grid: PatchGrid, len: usize) -> Result<[Argument; 9]> {
    let (rows, columns) = grid.patches()?;
    Ok([
        int(len)?,
        int(grid.height)?,
        int(grid.width)?,
        int(grid.channels)?,
        int(rows)?,
        int(columns)?,
        int(grid.kernel)?,
        int(grid.stride)?,
        int(grid.padding)?,
    ])
}

/// Calls `launch(first sample, samples)` for parts of a batch with at most `MOST_VALUES` values each.
fn in_parts(
    batch: usize,
    per_sample: usize,
    mut launch: impl FnMut(usize, usize) -> Result<()>,
) -> Result<()> {
    let few = (MOST_VALUES / per_sample.max(1)).max(1);
    (0..batch).step_by(few).try_for_each(|first| launch(first, few.min(batch - first)))
}

/// Maps to patches.
pub fn gather<Q: Queue>(queue: &Q, grid: PatchGrid, x: Address, out: Address) -> Result<()> {
    let (map, patches) = lens(grid)?;
    in_parts(grid.batch, patches, |first, samples| {
        let len = samples * patches;
        let mut arguments = vec![x.at(first * map).into(), out.at(first * patches).into()];
        arguments.extend(sizes(grid, len)?);
        queue.launch("gather_patches", Grid::flat(len), &arguments)
    })
}

/// Patches added into maps, plus a bias for each channel, or [`Address::NONE`].
pub fn scatter<Q: Queue>(
    queue: &Q,
    grid: PatchGrid,
    [patches, bias]: [Address; 2],
    out: Address,
) -> Result<()> {
    let (map, of_sample) = lens(grid)?;
    in_parts(grid.batch, map, |first, samples| {
        let len = samples * map;
        let mut arguments =
            vec![patches.at(first * of_sample).into(), bias.into(), out.at(first * map).into()];
        arguments.extend(sizes(grid, len)?);
        queue.launch("scatter_patches", Grid::flat(len), &arguments)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::emulator::{Emulator, agree};
    use crate::ops::testing::noise_var;
    use crate::ops::{gather_patches, scatter_patches_biased};

    #[test]
    fn equals_the_operation() {
        let Some(emulator) = Emulator::shared() else { return };
        for (height, width, channels, kernel, stride, padding) in [
            (8, 6, 3, 4, 2, 1),
            (5, 7, 2, 3, 1, 1),
            (9, 9, 1, 5, 3, 2),
            (8, 8, 3, 4, 4, 0),
            (6, 6, 2, 2, 3, 0),
        ] {
            let grid = PatchGrid { batch: 2, height, width, channels, kernel, stride, padding };
            let x = noise_var(&[2, height, width, channels], 1);
            let at_x = emulator.upload(&x);
            let expected = gather_patches(x.as_tensor(), kernel, stride, padding).unwrap();
            let out =
                emulator.run(expected.elem_count(), |queue, out| gather(queue, grid, at_x.address(), out));
            agree(&out, &expected);
            let (patches, bias) = (noise_var(expected.dims(), 2), noise_var(&[channels], 3));
            let (at_patches, at_bias) = (emulator.upload(&patches), emulator.upload(&bias));
            let expected = scatter_patches_biased(patches.as_tensor(), bias.as_tensor(), grid).unwrap();
            let out = emulator.run(expected.elem_count(), |queue, out| {
                scatter(queue, grid, [at_patches.address(), at_bias.address()], out)
            });
            agree(&out, &expected);
        }
    }

    #[test]
    fn large_batches_go_in_parts() {
        let mut parts = Vec::new();
        in_parts(5, MOST_VALUES / 2, |first, samples| {
            parts.push((first, samples));
            Ok(())
        })
        .unwrap();
        assert_eq!(parts, [(0, 2), (2, 2), (4, 1)]);
    }
}
