//! Gathering k x k patches of NHWC maps into rows, and its adjoint: with a product, the pair gives
//! convolution and transposed convolution with all gradients.

use super::affine::column_sums;
use super::backward::deliver;
use super::buffers::{expect_shape, values};
use super::shared_out::SharedOut;
#[cfg(feature = "cuda")]
use crate::cuda::{
    self,
    programs::{patches as program, rows},
    queue::{Address, Stored},
};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// Sizes of a gathering of patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatchGrid {
    /// Samples.
    pub batch: usize,
    /// Height of the maps.
    pub height: usize,
    /// Width of the maps.
    pub width: usize,
    /// Channels of the maps.
    pub channels: usize,
    /// Side of a patch.
    pub kernel: usize,
    /// Step between patches.
    pub stride: usize,
    /// Zeros around the maps.
    pub padding: usize,
}

impl PatchGrid {
    /// Rows and columns of patches.
    ///
    /// - errors: a patch larger than the padded map, a patch of no pixel, or a step of zero
    pub fn patches(&self) -> Result<(usize, usize)> {
        let fits = |side: usize| {
            let padded = side + 2 * self.padding;
            let is_possible = padded >= self.kernel && self.kernel > 0 && self.stride > 0;
            is_possible.then(|| (padded - self.kernel) / self.stride + 1)
        };
        match (fits(self.height), fits(self.width)) {
            (Some(rows), Some(columns)) => Ok((rows, columns)),
            _ => bail!(
                "patches of {k} x {k} at stride {} do not fit a map of {} x {} with padding {}",
                self.stride,
                self.height,
                self.width,
                self.padding,
                k = self.kernel
            ),
        }
    }

    fn row_len(&self) -> usize {
        self.kernel * self.kernel * self.channels
    }

    fn sample_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// The position in the map of a patch's row or column `tap`, if it is inside.
    fn inside(&self, patch: usize, tap: usize, side: usize) -> Option<usize> {
        (patch * self.stride + tap).checked_sub(self.padding).filter(|at| *at < side)
    }
}

/// `[B, H, W, C]` -> `[B, rows, columns, k * k * C]`, zeros outside the map.
pub fn gather_patches(x: &Tensor, kernel: usize, stride: usize, padding: usize) -> Result<Tensor> {
    let (batch, height, width, channels) = x.dims4()?;
    let grid = PatchGrid { batch, height, width, channels, kernel, stride, padding };
    x.contiguous()?.apply_op1(Gather(grid))
}

/// The adjoint of [`gather_patches`]: adds patches `[B, rows, columns, k * k * C]` into maps `[B, H, W, C]`.
pub fn scatter_patches(patches: &Tensor, grid: PatchGrid) -> Result<Tensor> {
    patches.contiguous()?.apply_op1(Scatter(grid))
}

/// [`scatter_patches`] plus a bias `[C]` in every pixel.
pub fn scatter_patches_biased(patches: &Tensor, bias: &Tensor, grid: PatchGrid) -> Result<Tensor> {
    patches.contiguous()?.apply_op2(bias, BiasedScatter(grid))
}

struct Gather(PatchGrid);
struct Scatter(PatchGrid);
struct BiasedScatter(PatchGrid);

/// The gradient of a bias that stands in every pixel.
struct ColumnSums {
    columns: usize,
}

impl CustomOp1 for Gather {
    fn name(&self) -> &'static str {
        "gather patches"
    }

    fn cpu_fwd(&self, x: &CpuStorage, x_at: &Layout) -> Result<(CpuStorage, Shape)> {
        let grid = self.0;
        let (rows, columns) = grid.patches()?;
        expect_shape(
            self.name(),
            "the maps",
            x_at.dims(),
            &[grid.batch, grid.height, grid.width, grid.channels],
        )?;
        let x = values(self.name(), x, x_at)?;
        let strip = columns * grid.row_len();
        let mut output = SharedOut::new(grid.batch * rows * strip);
        let out = &output;
        (0..grid.batch * rows).into_par_iter().for_each(|task| {
            let sample = &x[task / rows * grid.sample_len()..][..grid.sample_len()];
            // SAFETY: each task fills the whole of its own strip.
            let strip = unsafe { std::slice::from_raw_parts_mut(out.at(task * strip), strip) };
            for (column, patch) in strip.chunks_exact_mut(grid.row_len()).enumerate() {
                gather_one(grid, sample, (task % rows, column), patch);
            }
        });
        Ok((CpuStorage::F32(output.take()), (grid.batch, rows, columns, grid.row_len()).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, x_at: &Layout) -> Result<(CudaStorage, Shape)> {
        let grid = self.0;
        let (rows, columns) = grid.patches()?;
        let shape = [grid.batch, grid.height, grid.width, grid.channels];
        expect_shape(self.name(), "the maps", x_at.dims(), &shape)?;
        let shape = (grid.batch, rows, columns, grid.row_len());
        cuda::run(self.name(), [(x, x_at)], shape, |queue, [x], out| program::gather(queue, grid, x, out))
    }

    fn bwd(&self, _x: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(gradient.contiguous()?.apply_op1_no_bwd(&Scatter(self.0))?))
    }
}

/// Adds the patches of one sample into its map.
fn scatter_map(grid: PatchGrid, patches: &[f32], map: &mut [f32]) {
    let columns = grid.patches().map_or(1, |(_, columns)| columns);
    for (index, patch) in patches.chunks_exact(grid.row_len().max(1)).enumerate() {
        scatter_one(grid, patch, (index / columns, index % columns), map);
    }
}

fn gather_one(grid: PatchGrid, sample: &[f32], (row, column): (usize, usize), patch: &mut [f32]) {
    for (ky, line) in patch.chunks_exact_mut(grid.kernel * grid.channels).enumerate() {
        let y = grid.inside(row, ky, grid.height);
        for (kx, pixel) in line.chunks_exact_mut(grid.channels).enumerate() {
            match (y, grid.inside(column, kx, grid.width)) {
                (Some(y), Some(x)) => {
                    pixel.copy_from_slice(&sample[(y * grid.width + x) * grid.channels..][..grid.channels]);
                }
                _ => pixel.fill(0.0),
            }
        }
    }
}

impl CustomOp1 for Scatter {
    fn name(&self) -> &'static str {
        "scatter patches"
    }

    fn cpu_fwd(&self, p: &CpuStorage, p_at: &Layout) -> Result<(CpuStorage, Shape)> {
        scatter(self.name(), self.0, (values(self.name(), p, p_at)?, p_at), &[])
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, p: &CudaStorage, p_at: &Layout) -> Result<(CudaStorage, Shape)> {
        let shape = shape_of_maps(self.name(), self.0, p_at)?;
        cuda::run(self.name(), [(p, p_at)], shape, |queue, [p], out| {
            program::scatter(queue, self.0, [p, Address::NONE], out)
        })
    }

    fn bwd(&self, _rows: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(gradient.contiguous()?.apply_op1_no_bwd(&Gather(self.0))?))
    }
}

impl CustomOp2 for BiasedScatter {
    fn name(&self) -> &'static str {
        "scatter patches, biased"
    }

    fn cpu_fwd(
        &self,
        p: &CpuStorage,
        p_at: &Layout,
        b: &CpuStorage,
        b_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        expect_shape(self.name(), "the bias", b_at.dims(), &[self.0.channels])?;
        let bias = values(self.name(), b, b_at)?;
        scatter(self.name(), self.0, (values(self.name(), p, p_at)?, p_at), bias)
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        p: &CudaStorage,
        p_at: &Layout,
        b: &CudaStorage,
        b_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        expect_shape(self.name(), "the bias", b_at.dims(), &[self.0.channels])?;
        let shape = shape_of_maps(self.name(), self.0, p_at)?;
        cuda::run(self.name(), [(p, p_at), (b, b_at)], shape, |queue, from, out| {
            program::scatter(queue, self.0, from, out)
        })
    }

    fn bwd(
        &self,
        _patches: &Tensor,
        bias: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let of_bias = gradient.apply_op1_no_bwd(&ColumnSums { columns: self.0.channels })?;
        Ok((Some(gradient.apply_op1_no_bwd(&Gather(self.0))?), deliver(bias, of_bias)))
    }
}

impl CustomOp1 for ColumnSums {
    fn name(&self) -> &'static str {
        "column sums"
    }

    fn cpu_fwd(&self, g: &CpuStorage, g_at: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut sums = vec![0.0; self.columns];
        column_sums(values(self.name(), g, g_at)?, &mut sums);
        Ok((CpuStorage::F32(sums), self.columns.into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, g: &CudaStorage, g_at: &Layout) -> Result<(CudaStorage, Shape)> {
        let size = (g_at.shape().elem_count() / self.columns.max(1), self.columns);
        cuda::run(self.name(), [(g, g_at)], self.columns, |queue, [g], out| {
            rows::column_sums(queue, (g, Stored::F32), size, out)
        })
    }
}

/// The shape of maps from patches on a GPU.
#[cfg(feature = "cuda")]
fn shape_of_maps(op: &str, grid: PatchGrid, at: &Layout) -> Result<Shape> {
    let (rows, columns) = grid.patches()?;
    expect_shape(op, "the patches", at.dims(), &[grid.batch, rows, columns, grid.row_len()])?;
    Ok((grid.batch, grid.height, grid.width, grid.channels).into())
}

/// Maps from patches, sample by sample, then the bias, unless it is empty.
fn scatter(
    op: &str,
    grid: PatchGrid,
    (patches, at): (&[f32], &Layout),
    bias: &[f32],
) -> Result<(CpuStorage, Shape)> {
    let (rows, columns) = grid.patches()?;
    expect_shape(op, "the patches", at.dims(), &[grid.batch, rows, columns, grid.row_len()])?;
    let (len, per_sample) = (grid.sample_len(), rows * columns * grid.row_len());
    let mut output = SharedOut::new(grid.batch * len);
    let out = &output;
    (0..grid.batch).into_par_iter().for_each(|sample| {
        // SAFETY: each task fills its own map.
        let map = unsafe { std::slice::from_raw_parts_mut(out.at(sample * len), len) };
        map.fill(0.0);
        let patches = &patches[sample * per_sample..][..per_sample];
        scatter_map(grid, patches, map);
        for pixel in map.chunks_exact_mut(bias.len().max(1)) {
            pixel.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
        }
    });
    Ok((CpuStorage::F32(output.take()), (grid.batch, grid.height, grid.width, grid.channels).into()))
}

fn scatter_one(grid: PatchGrid, patch: &[f32], (row, column): (usize, usize), map: &mut [f32]) {
    for (ky, line) in patch.chunks_exact(grid.kernel * grid.channels).enumerate() {
        let Some(y) = grid.inside(row, ky, grid.height) else { continue };
        for (kx, pixel) in line.chunks_exact(grid.channels).enumerate() {
            let Some(x) = grid.inside(column, kx, grid.width) else { continue };
            let to = &mut map[(y * grid.width + x) * grid.channels..][..grid.channels];
            to.iter_mut().zip(pixel).for_each(|(to, value)| *to += value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise_var};

    fn grid(kernel: usize, stride: usize, padding: usize) -> PatchGrid {
        PatchGrid { batch: 2, height: 5, width: 6, channels: 3, kernel, stride, padding }
    }

    #[test]
    fn every_value_stands_where_the_definition_says() {
        for (kernel, stride, padding) in [(4, 2, 1), (3, 1, 1), (1, 1, 0), (2, 3, 0)] {
            let x = noise_var(&[2, 5, 6, 3], 1);
            let rows = to_vec(&gather_patches(x.as_tensor(), kernel, stride, padding).unwrap()).unwrap();
            let x = to_vec(x.as_tensor()).unwrap();
            let grid = grid(kernel, stride, padding);
            let (across, down) = (grid.patches().unwrap().1, grid.patches().unwrap().0);
            for (index, value) in rows.iter().enumerate() {
                let (row, at) = (index / grid.row_len(), index % grid.row_len());
                let (sample, patch) = (row / (down * across), row % (down * across));
                let y = (patch / across * stride + at / (kernel * 3)) as isize - padding as isize;
                let column = (patch % across * stride + at / 3 % kernel) as isize - padding as isize;
                let inside = (0..5).contains(&y) && (0..6).contains(&column);
                let expected = if inside {
                    x[((sample * 5 + y as usize) * 6 + column as usize) * 3 + at % 3]
                } else {
                    0.0
                };
                assert_eq!(*value, expected);
            }
        }
    }

    #[test]
    fn scatter_is_the_adjoint_of_gather() {
        let grid = grid(4, 2, 1);
        let (x, p) = (noise_var(&[2, 5, 6, 3], 1), noise_var(&[2, 2, 3, 48], 2));
        let dot = |a: &Tensor, b: &Tensor| -> f64 {
            to_vec(a).unwrap().iter().zip(to_vec(b).unwrap()).map(|(a, b)| *a as f64 * b as f64).sum()
        };
        let left = dot(&gather_patches(x.as_tensor(), 4, 2, 1).unwrap(), p.as_tensor());
        let right = dot(x.as_tensor(), &scatter_patches(p.as_tensor(), grid).unwrap());
        assert!((left - right).abs() < 1e-3, "{left} {right}");
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        check_gradients(&[noise_var(&[2, 5, 6, 3], 1)], |t| gather_patches(&t[0], 4, 2, 1));
        check_gradients(&[noise_var(&[2, 2, 3, 48], 1)], |t| scatter_patches(&t[0], grid(4, 2, 1)));
        let vars = [noise_var(&[2, 2, 3, 48], 1), noise_var(&[3], 2)];
        check_gradients(&vars, |t| scatter_patches_biased(&t[0], &t[1], grid(4, 2, 1)));
    }

    #[test]
    fn a_bias_stands_in_every_pixel() {
        let (patches, bias) = (noise_var(&[2, 2, 3, 48], 1), noise_var(&[3], 2));
        let biased = scatter_patches_biased(patches.as_tensor(), bias.as_tensor(), grid(4, 2, 1)).unwrap();
        let plain = scatter_patches(patches.as_tensor(), grid(4, 2, 1)).unwrap();
        assert_eq!(
            to_vec(&biased).unwrap(),
            to_vec(&plain.broadcast_add(bias.as_tensor()).unwrap()).unwrap()
        );
    }

    #[test]
    fn a_patch_larger_than_the_map_is_refused() {
        let error = gather_patches(noise_var(&[1, 2, 2, 1], 1).as_tensor(), 5, 1, 1).unwrap_err();
        assert!(error.to_string().contains("5 x 5"), "{error}");
    }
}
