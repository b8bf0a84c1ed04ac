//! Feature-wise linear modulation: y = x (1 + s) + t with one s and t per sample and channel.
//! Source: FiLM (Perez et al., 2018).

use super::buffers::{expect_shape, values};
use super::packed;
use super::shared_out::SharedOut;
#[cfg(feature = "cuda")]
use crate::cuda::{self, programs::maps as program};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// Scales and shifts every channel of every sample.
///
/// - x `[B, .., C]`, modulation `[B, 2 * C]` (s, then t) -> `[B, .., C]`
pub fn film(x: &Tensor, modulation: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op2(&modulation.contiguous()?, Film)
}

/// Samples, values of a sample, and channels of maps `[B, .., C]`.
fn sizes(x: &Layout) -> Result<(usize, usize, usize)> {
    match x.dims() {
        [batch, .., channels] => Ok((*batch, x.dims()[1..].iter().product(), *channels)),
        found => bail!("film: maps of shape {found:?}, expected [B, .., C]"),
    }
}

struct Film;
struct FilmGradient;

impl CustomOp2 for Film {
    fn name(&self) -> &'static str {
        "film"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        m: &CpuStorage,
        m_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, len, channels) = sizes(x_at)?;
        expect_shape(self.name(), "the modulation", m_at.dims(), &[batch, 2 * channels])?;
        let (x, m) = (values(self.name(), x, x_at)?, values(self.name(), m, m_at)?);
        let mut output = SharedOut::new(batch * len);
        let out = &output;
        (0..batch).into_par_iter().for_each(|sample| {
            let (scale, shift) = m[sample * 2 * channels..][..2 * channels].split_at(channels);
            // SAFETY: each task writes its own sample.
            let out = unsafe { std::slice::from_raw_parts_mut(out.at(sample * len), len) };
            let rows = x[sample * len..][..len].chunks_exact(channels);
            for (out, x) in out.chunks_exact_mut(channels).zip(rows) {
                for c in 0..channels {
                    out[c] = x[c] * (1.0 + scale[c]) + shift[c];
                }
            }
        });
        Ok((CpuStorage::F32(output.take()), x_at.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        m: &CudaStorage,
        m_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (batch, len, channels) = sizes(x_at)?;
        expect_shape(self.name(), "the modulation", m_at.dims(), &[batch, 2 * channels])?;
        let size = [batch, len / channels.max(1), channels];
        cuda::run(self.name(), [(x, x_at), (m, m_at)], x_at.shape().clone(), |queue, from, out| {
            program::film(queue, size, from, out)
        })
    }

    fn bwd(
        &self,
        x: &Tensor,
        m: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        packed::gradients(x, m, gradient, &FilmGradient)
    }
}

impl CustomOp3 for FilmGradient {
    fn name(&self) -> &'static str {
        "film, gradient"
    }

    // One flat vector: the gradient of x, then that of the modulation.
    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_at: &Layout,
        m: &CpuStorage,
        m_at: &Layout,
        g: &CpuStorage,
        g_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, len, channels) = sizes(x_at)?;
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        let (x, m, g) =
            (values(self.name(), x, x_at)?, values(self.name(), m, m_at)?, values(self.name(), g, g_at)?);
        let mut packed = vec![0.0; batch * (len + 2 * channels)];
        let (of_x, of_m) = packed.split_at_mut(batch * len);
        let samples = of_x.par_chunks_mut(len.max(1)).zip(of_m.par_chunks_mut((2 * channels).max(1)));
        samples.enumerate().for_each(|(sample, (of_x, of_m))| {
            let scale = &m[sample * 2 * channels..][..channels];
            let (of_scale, of_shift) = of_m.split_at_mut(channels);
            let rows = x[sample * len..][..len].chunks_exact(channels);
            let gradients = g[sample * len..][..len].chunks_exact(channels);
            for ((x, g), of_x) in rows.zip(gradients).zip(of_x.chunks_exact_mut(channels)) {
                for c in 0..channels {
                    of_x[c] = g[c] * (1.0 + scale[c]);
                    of_scale[c] += g[c] * x[c];
                    of_shift[c] += g[c];
                }
            }
        });
        let len = packed.len();
        Ok((CpuStorage::F32(packed), len.into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_at: &Layout,
        m: &CudaStorage,
        m_at: &Layout,
        g: &CudaStorage,
        g_at: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (batch, len, channels) = sizes(x_at)?;
        expect_shape(self.name(), "the gradient", g_at.dims(), x_at.dims())?;
        let size = [batch, len / channels.max(1), channels];
        let inputs = [(x, x_at), (m, m_at), (g, g_at)];
        cuda::run(self.name(), inputs, batch * (len + 2 * channels), |queue, from, out| {
            program::film_gradients(queue, size, from, [out, out.at(batch * len)])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check_gradients, noise_var};
    use candle_core::Device;

    #[test]
    fn worked_by_hand() {
        let x = Tensor::new(&[[[1f32, 2.0], [3.0, 4.0]]], &Device::Cpu).unwrap();
        let m = Tensor::new(&[[1f32, 0.0, 10.0, -1.0]], &Device::Cpu).unwrap();
        assert_eq!(film(&x, &m).unwrap().to_vec3::<f32>().unwrap(), [[[12.0, 1.0], [16.0, 3.0]]]);
    }

    #[test]
    fn maps_without_channels_are_refused() {
        let x = Tensor::new(&[1f32, 2.0], &Device::Cpu).unwrap();
        assert!(film(&x, &x).unwrap_err().to_string().contains("expected [B, .., C]"));
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let vars = [noise_var(&[3, 2, 2, 5], 1), noise_var(&[3, 10], 2)];
        check_gradients(&vars, |t| film(&t[0], &t[1]));
    }
}
