//! Largest value of 3 x 3 windows at stride 2, without gradient.

#[cfg(feature = "cuda")]
use crate::cuda::{self, programs::maps as program};
use crate::ops::buffers::values;
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

const WINDOW: usize = 3;
const STRIDE: usize = 2;

/// Windows that fit a side of at least 2, the last of which may hang over the edge.
fn windows(side: usize) -> usize {
    (side - 1) / STRIDE + (side.is_multiple_of(STRIDE) as usize)
}

/// Pools windows of 3 x 3 at stride 2; a window over the lower or right edge counts what is inside
/// (PyTorch's `ceil_mode`).
///
/// - `[B, H, W, C]` -> `[B, ceil((H - 3) / 2) + 1, ceil((W - 3) / 2) + 1, C]`
/// - errors: a side below 2
pub fn max_pool(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1_no_bwd(&MaxPool)
}

struct MaxPool;

impl MaxPool {
    fn size(&self, x: &Layout) -> Result<[usize; 4]> {
        let (batch, height, width, channels) = x.shape().dims4()?;
        if height < 2 || width < 2 {
            bail!("{}: maps of {height} x {width}, at least 2 x 2 are needed", self.name());
        }
        Ok([batch, height, width, channels])
    }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max pool 3 x 3"
    }

    fn cpu_fwd(&self, x: &CpuStorage, x_at: &Layout) -> Result<(CpuStorage, Shape)> {
        let [batch, height, width, channels] = self.size(x_at)?;
        let x = values(self.name(), x, x_at)?;
        let (rows, columns) = (windows(height), windows(width));
        let mut out = vec![f32::NEG_INFINITY; batch * rows * columns * channels];
        out.par_chunks_mut((columns * channels).max(1)).enumerate().for_each(|(strip, out)| {
            let sample = &x[strip / rows * height * width * channels..][..height * width * channels];
            let top = strip % rows * STRIDE;
            for line in sample.chunks_exact(width * channels).skip(top).take(WINDOW) {
                for (column, out) in out.chunks_exact_mut(channels).enumerate() {
                    for pixel in line.chunks_exact(channels).skip(column * STRIDE).take(WINDOW) {
                        out.iter_mut().zip(pixel).for_each(|(most, value)| *most = value.max(*most));
                    }
                }
            }
        });
        Ok((CpuStorage::F32(out), (batch, rows, columns, channels).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, x_at: &Layout) -> Result<(CudaStorage, Shape)> {
        let size = self.size(x_at)?;
        let windows = (windows(size[1]), windows(size[2]));
        let shape = (size[0], windows.0, windows.1, size[3]);
        cuda::run(self.name(), [(x, x_at)], shape, |queue, [x], out| {
            program::max_pool(queue, size, windows, x, out)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise_var;
    use candle_core::Device;

    #[test]
    fn equals_the_definition_on_odd_and_even_sides() {
        for (height, width) in [(2, 2), (3, 3), (4, 5), (7, 6), (15, 8)] {
            let x = noise_var(&[2, height, width, 3], 1);
            let pooled = max_pool(x.as_tensor()).unwrap();
            let ceil = |side: usize| (side as f64 / 2.0 - 1.5).ceil() as usize + 1;
            assert_eq!(pooled.dims(), [2, ceil(height), ceil(width), 3]);
            let (values, columns) = (to_vec(x.as_tensor()).unwrap(), ceil(width));
            for (index, found) in to_vec(&pooled).unwrap().iter().enumerate() {
                let (channel, pixel) = (index % 3, index / 3);
                let (column, row) = (pixel % columns, pixel / columns % ceil(height));
                let sample = pixel / columns / ceil(height);
                let mut most = f32::NEG_INFINITY;
                for y in 2 * row..(2 * row + 3).min(height) {
                    for x in 2 * column..(2 * column + 3).min(width) {
                        most = most.max(values[((sample * height + y) * width + x) * 3 + channel]);
                    }
                }
                assert_eq!(*found, most, "{height} x {width} at {index}");
            }
        }
    }

    #[test]
    fn known_values() {
        let x = Tensor::arange(0f32, 16.0, &Device::Cpu).unwrap().reshape((1, 4, 4, 1)).unwrap();
        assert_eq!(to_vec(&max_pool(&x).unwrap()).unwrap(), [10.0, 11.0, 14.0, 15.0]);
    }

    #[test]
    fn a_map_without_a_window_is_refused() {
        let error = max_pool(noise_var(&[1, 1, 4, 2], 1).as_tensor()).unwrap_err().to_string();
        assert!(error.contains("1 x 4"), "{error}");
    }
}
