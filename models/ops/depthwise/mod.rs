//! Depthwise convolution of NHWC maps, stride 1, size kept, with bias and gradients.

mod kernel;

use super::buffers::{expect_shape, values};
use super::lanes;
use super::shared_out::SharedOut;
#[cfg(feature = "cuda")]
use crate::cuda::{
    self,
    programs::depthwise as program,
    queue::{Address, Stored},
};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
pub(super) use kernel::Geometry;
use kernel::{Correlate, TapGradient};
use rayon::prelude::*;
use sememe_blocks::isa::Isa;

/// Widest block of channels any instruction set takes; narrower sets take it in steps.
const BLOCK: usize = 16;
/// Samples whose tap gradients are summed in one task: fixed, so that the number of threads
/// changes no bit of the sum.
const SAMPLES_PER_SUM: usize = 8;

/// Convolves every channel with its own k x k kernel, zero padding, k odd.
///
/// - x `[B, H, W, C]`, weight `[k * k + 1, C]` (taps row by row, then the bias) -> `[B, H, W, C]`
/// - errors: shapes that do not fit, anything but contiguous f32 weights
pub fn depthwise(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op2(weight, Depthwise)
}

struct Depthwise;
struct InputGradient;
struct WeightGradient;

fn geometry(x: &Layout, weight_rows: usize, weight_channels: usize) -> Result<(usize, Geometry)> {
    let (batch, height, width, channels) = x.shape().dims4()?;
    let kernel = weight_rows.saturating_sub(1).isqrt();
    if kernel.is_multiple_of(2) || kernel * kernel + 1 != weight_rows || weight_channels != channels {
        bail!(
            "depthwise: weight [{weight_rows}, {weight_channels}] does not fit {channels} channels: \
             needs [k * k + 1, {channels}] with k odd"
        );
    }
    Ok((batch, Geometry { height, width, channels, kernel }))
}

#[cfg(feature = "cuda")]
fn on_gpu(batch: usize, g: Geometry) -> program::Sizes {
    program::Sizes { batch, height: g.height, width: g.width, channels: g.channels, kernel: g.kernel }
}

/// Convolves one sample; `adjoint` takes the taps in reverse and no bias.
///
/// # Safety
/// `output` must be valid for the values of one sample, with no other writer.
pub(super) unsafe fn correlate_sample(
    isa: Isa,
    geometry: Geometry,
    (input, weight): (&[f32], &[f32]),
    adjoint: bool,
    output: *mut f32,
    tile: &mut Vec<f32>,
) {
    for first_channel in (0..geometry.channels).step_by(lanes::count(isa)) {
        lanes::run(isa, Correlate { geometry, input, weight, adjoint, first_channel, output, tile });
    }
}

/// Adds the gradients of taps and bias over one sample to `sums`, `[k * k + 1, C]`.
pub(super) fn add_tap_gradients(
    isa: Isa,
    geometry: Geometry,
    (input, gradient): (&[f32], &[f32]),
    sums: &mut [f32],
    tile: &mut Vec<f32>,
) {
    for first_channel in (0..geometry.channels).step_by(lanes::count(isa)) {
        lanes::run(
            isa,
            TapGradient {
                geometry,
                input,
                gradient,
                first_channel,
                sums: &mut *sums,
                sums_width: geometry.channels,
                sums_at: first_channel,
                tile,
            },
        );
    }
}

fn correlate(x: &[f32], weight: &[f32], batch: usize, g: Geometry, adjoint: bool) -> Vec<f32> {
    let isa = Isa::detect();
    let blocks = g.channels.div_ceil(BLOCK);
    let mut output = SharedOut::new(batch * g.sample_len());
    let out = &output;
    (0..batch * blocks).into_par_iter().for_each_init(Vec::new, |tile, task| {
        let (sample, block) = (task / blocks, task % blocks);
        let start = sample * g.sample_len();
        let input = &x[start..start + g.sample_len()];
        let end = ((block + 1) * BLOCK).min(g.channels);
        let mut first_channel = block * BLOCK;
        while first_channel < end {
            // SAFETY: the task writes its own channels of its own sample, nobody else does.
            let output = unsafe { out.at(start) };
            lanes::run(isa, Correlate { geometry: g, input, weight, adjoint, first_channel, output, tile });
            first_channel += lanes::count(isa);
        }
    });
    output.take()
}

impl CustomOp2 for Depthwise {
    fn name(&self) -> &'static str {
        "depthwise"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        w: &CpuStorage,
        w_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, columns) = w_at.shape().dims2()?;
        let (batch, g) = geometry(x_at, rows, columns)?;
        let output = correlate(values(self.name(), x, x_at)?, values(self.name(), w, w_at)?, batch, g, false);
        Ok((CpuStorage::F32(output), x_at.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        w: &CudaStorage,
        w_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (rows, columns) = w_at.shape().dims2()?;
        let (batch, g) = geometry(x_at, rows, columns)?;
        let form = program::Form { added: Address::NONE, is_adjoint: false };
        cuda::run(self.name(), [(x, x_at), (w, w_at)], x_at.shape().clone(), |queue, from, out| {
            program::correlate(queue, on_gpu(batch, g), from, form, (out, Stored::F32))
        })
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let of_input = x.track_op().then(|| gradient.apply_op2_no_bwd(w, &InputGradient)).transpose()?;
        let of_weight = x.contiguous()?.apply_op3_no_bwd(&gradient, w, &WeightGradient)?;
        Ok((of_input, Some(of_weight)))
    }
}

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "depthwise, gradient of the input"
    }

    fn cpu_fwd(
        &self,
        g: &CpuStorage,
        g_at: &Layout,
        w: &CpuStorage,
        w_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, columns) = w_at.shape().dims2()?;
        let (batch, geometry) = geometry(g_at, rows, columns)?;
        let (gradient, weight) = (values(self.name(), g, g_at)?, values(self.name(), w, w_at)?);
        Ok((CpuStorage::F32(correlate(gradient, weight, batch, geometry, true)), g_at.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        g: &CudaStorage,
        g_at: &Layout,
        w: &CudaStorage,
        w_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (rows, columns) = w_at.shape().dims2()?;
        let (batch, geometry) = geometry(g_at, rows, columns)?;
        let form = program::Form { added: Address::NONE, is_adjoint: true };
        cuda::run(self.name(), [(g, g_at), (w, w_at)], g_at.shape().clone(), |queue, from, out| {
            program::correlate(queue, on_gpu(batch, geometry), from, form, (out, Stored::F32))
        })
    }
}

impl candle_core::CustomOp3 for WeightGradient {
    fn name(&self) -> &'static str {
        "depthwise, gradient of the weight"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        g: &CpuStorage,
        g_at: &Layout,
        _w: &CpuStorage,
        w_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, columns) = w_at.shape().dims2()?;
        let (batch, geometry) = geometry(x_at, rows, columns)?;
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        let (x, g) = (values(self.name(), x, x_at)?, values(self.name(), g, g_at)?);
        let isa = Isa::detect();
        let blocks = columns.div_ceil(BLOCK);
        let len = geometry.sample_len();
        let sums: Vec<Vec<f32>> = (0..batch.div_ceil(SAMPLES_PER_SUM) * blocks)
            .into_par_iter()
            .map_init(Vec::new, |tile, task| {
                let (chunk, block) = (task / blocks, task % blocks);
                let mut sums = vec![0.0; rows * BLOCK];
                for sample in chunk * SAMPLES_PER_SUM..((chunk + 1) * SAMPLES_PER_SUM).min(batch) {
                    let (input, gradient) = (&x[sample * len..][..len], &g[sample * len..][..len]);
                    let mut first_channel = block * BLOCK;
                    while first_channel < ((block + 1) * BLOCK).min(columns) {
                        lanes::run(
                            isa,
                            TapGradient {
                                geometry,
                                input,
                                gradient,
                                first_channel,
                                sums: &mut sums,
                                sums_width: BLOCK,
                                sums_at: first_channel % BLOCK,
                                tile,
                            },
                        );
                        first_channel += lanes::count(isa);
                    }
                }
                sums
            })
            .collect();
        let mut total = vec![0.0; rows * columns];
        for (task, part) in sums.iter().enumerate() {
            let first = task % blocks * BLOCK;
            let used = BLOCK.min(columns - first);
            for (total, part) in total.chunks_mut(columns).zip(part.chunks(BLOCK)) {
                total[first..first + used].iter_mut().zip(part).for_each(|(total, part)| *total += part);
            }
        }
        Ok((CpuStorage::F32(total), (rows, columns).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        g: &CudaStorage,
        g_at: &Layout,
        w: &CudaStorage,
        w_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (rows, columns) = w_at.shape().dims2()?;
        let (batch, geometry) = geometry(x_at, rows, columns)?;
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        cuda::run(self.name(), [(x, x_at), (g, g_at), (w, w_at)], (rows, columns), |queue, from, out| {
            program::tap_gradients(queue, on_gpu(batch, geometry), [from[0], from[1]], out)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise, noise_var};

    /// The definition, in f64.
    fn oracle(x: &[f32], w: &[f32], g: Geometry) -> Vec<f64> {
        let (k, pad) = (g.kernel as isize, g.kernel as isize / 2);
        let mut out = vec![0f64; g.sample_len()];
        for y in 0..g.height as isize {
            for x0 in 0..g.width as isize {
                for c in 0..g.channels {
                    let mut sum = w[(k * k) as usize * g.channels + c] as f64;
                    for ky in 0..k {
                        for kx in 0..k {
                            let (iy, ix) = (y + ky - pad, x0 + kx - pad);
                            let inside =
                                (0..g.height as isize).contains(&iy) && (0..g.width as isize).contains(&ix);
                            if inside {
                                let value = x[(iy as usize * g.width + ix as usize) * g.channels + c];
                                sum += value as f64 * w[(ky * k + kx) as usize * g.channels + c] as f64;
                            }
                        }
                    }
                    out[(y as usize * g.width + x0 as usize) * g.channels + c] = sum;
                }
            }
        }
        out
    }

    #[test]
    fn equals_the_definition_on_every_instruction_set() {
        for (height, width, channels, kernel) in
            [(8, 8, 32, 7), (5, 13, 20, 7), (4, 4, 3, 7), (1, 1, 17, 3), (9, 2, 1, 1), (2, 9, 7, 5)]
        {
            let g = Geometry { height, width, channels, kernel };
            let x = noise(g.sample_len(), 1);
            let weight = noise((kernel * kernel + 1) * channels, 2);
            let expected = oracle(&x, &weight, g);
            for isa in Isa::available() {
                let mut output = vec![f32::NAN; g.sample_len()];
                let mut tile = vec![f32::NAN; 7];
                for first_channel in (0..channels).step_by(lanes::count(isa)) {
                    lanes::run(
                        isa,
                        Correlate {
                            geometry: g,
                            input: &x,
                            weight: &weight,
                            adjoint: false,
                            first_channel,
                            output: output.as_mut_ptr(),
                            tile: &mut tile,
                        },
                    );
                }
                for (found, expected) in output.iter().zip(&expected) {
                    assert!((*found as f64 - expected).abs() < 1e-4, "{isa} {height}x{width}x{channels}");
                }
            }
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let vars = [noise_var(&[3, 5, 4, 18], 1), noise_var(&[50, 18], 2)];
        check_gradients(&vars, |t| depthwise(&t[0], &t[1]));
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let vars = [noise_var(&[19, 8, 8, 32], 1), noise_var(&[50, 32], 2)];
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let y = depthwise(vars[0].as_tensor(), vars[1].as_tensor()).unwrap();
                let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
                (to_vec(&y).unwrap(), to_vec(gradients.get(&vars[1]).unwrap()).unwrap())
            })
        };
        assert!(run(1) == run(2));
    }

    #[test]
    fn a_weight_of_another_width_is_refused() {
        let error = depthwise(noise_var(&[1, 4, 4, 8], 1).as_tensor(), noise_var(&[50, 9], 2).as_tensor());
        assert!(error.unwrap_err().to_string().contains("[50, 9]"));
    }
}
