//! The Adam step and exponential averaging, fused and in place.

use super::buffers::{expect_shape, values, values_mut};
#[cfg(feature = "cuda")]
use crate::cuda::{self, programs::adam as program};
use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Tensor};
#[cfg(feature = "cuda")]
use candle_core::{CudaStorage, Device};
use rayon::prelude::*;

/// Values of one task; the step is element by element, so its size changes no bit.
const CHUNK: usize = 1 << 14;

/// The hyper-parameters of one step. Source: Adam (Kingma and Ba, 2015), algorithm 1.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Number of this step, from 1.
    pub step: u64,
    /// Factor on the gradient, such as a clipping of its norm.
    pub gradient_scale: f64,
}

impl AdamStep {
    /// Moves a parameter and its moments in place, on the processor; see [`step`] for any device.
    ///
    /// - moments `[2, n]`: first, then second moment; parameter and gradient of n values
    pub fn apply(&self, parameter: &Tensor, moments: &Tensor, gradient: &Tensor) -> Result<()> {
        let gradient = gradient.contiguous()?;
        moments.inplace_op2(&gradient, &Moments(*self))?;
        parameter.inplace_op2(moments, &Descend(*self))
    }
}

/// A variable with all that a step of its optimiser needs, contiguous and on one device.
pub struct Slot<'a> {
    /// The parameter, n values.
    pub parameter: &'a Tensor,
    /// First and second moment, `[2, n]`.
    pub moments: &'a Tensor,
    /// The gradient, n values.
    pub gradient: &'a Tensor,
    /// The exponential average of the parameter, n values.
    pub average: &'a Tensor,
}

/// The energy of the gradients of all slots: the square of the length of the whole gradient.
///
/// On a GPU all are read at once: every number that is read waits for the device.
pub fn energy(slots: &[Slot]) -> Result<f64> {
    #[cfg(feature = "cuda")]
    if let Some(Device::Cuda(device)) = slots.first().map(|slot| slot.parameter.device()) {
        let sums =
            cuda::run_on_table(device, &words(slots)?, slots.len() * program::SUMS, |queue, table, out| {
                program::all_energies(queue, slots.len(), table, out)
            })?;
        return Ok(sums.into_iter().map(f64::from).sum());
    }
    let of_slot = |slot: &Slot| slot.gradient.sqr()?.sum_all()?.to_scalar::<f32>();
    slots.iter().map(|slot| of_slot(slot).map(f64::from)).sum()
}

/// Moves all slots one step, then their averages; on a GPU all at once.
///
/// - decay: of the averages; 0 copies the parameters
pub fn step(slots: &[Slot], adam: AdamStep, decay: f64) -> Result<()> {
    #[cfg(feature = "cuda")]
    if let Some(Device::Cuda(device)) = slots.first().map(|slot| slot.parameter.device()) {
        let most = slots.iter().map(|slot| slot.parameter.elem_count()).max().unwrap_or(0);
        let betas = [adam.beta1 as f32, adam.beta2 as f32, adam.gradient_scale as f32];
        cuda::run_on_table(device, &words(slots)?, 0, |queue, table, _| {
            let (count, part) = ((slots.len(), most), 1.0 - decay as f32);
            program::all_steps(queue, count, table, betas, adam.factors(), part)
        })?;
        return Ok(());
    }
    for slot in slots {
        adam.apply(slot.parameter, slot.moments, slot.gradient)?;
        average_into(slot.average, slot.parameter, decay)?;
    }
    Ok(())
}

/// The table of slots that kernels take.
#[cfg(feature = "cuda")]
fn words(slots: &[Slot]) -> Result<Vec<u64>> {
    let mut words = Vec::with_capacity(slots.len() * program::SLOT_WORDS);
    for slot in slots {
        let len = slot.parameter.elem_count();
        expect_shape("adam", "the moments", slot.moments.dims(), &[2, len])?;
        for (what, tensor) in [("the gradient", slot.gradient), ("the average", slot.average)] {
            expect_shape("adam", what, &[tensor.elem_count()], &[len])?;
        }
        let tensors = [slot.parameter, slot.moments, slot.gradient, slot.average];
        words.extend(cuda::addresses("adam", &tensors)?);
        words.push(len as u64);
    }
    Ok(words)
}

/// average = decay * average + (1 - decay) * value, in place.
pub fn average_into(average: &Tensor, value: &Tensor, decay: f64) -> Result<()> {
    average.inplace_op2(value, &Average(decay as f32))
}

impl AdamStep {
    /// Step size and factor on the root of the second moment, both corrected for the start at zero, and
    /// epsilon.
    pub(crate) fn factors(&self) -> [f32; 3] {
        let correction = |beta: f64| 1.0 - beta.powi(self.step.min(i32::MAX as u64) as i32);
        let rate = self.learning_rate / correction(self.beta1);
        [rate as f32, (1.0 / correction(self.beta2)).sqrt() as f32, self.epsilon as f32]
    }
}

struct Moments(AdamStep);
struct Descend(AdamStep);
struct Average(f32);

impl InplaceOp2 for Moments {
    fn name(&self) -> &'static str {
        "adam moments"
    }

    fn cpu_fwd(&self, m: &mut CpuStorage, m_at: &Layout, g: &CpuStorage, g_at: &Layout) -> Result<()> {
        let len = g_at.shape().elem_count();
        expect_shape(self.name(), "the moments", m_at.dims(), &[2, len])?;
        let g = values(self.name(), g, g_at)?;
        let (first, second) = values_mut(self.name(), m, m_at)?.split_at_mut(len);
        let (b1, b2) = (self.0.beta1 as f32, self.0.beta2 as f32);
        let scale = self.0.gradient_scale as f32;
        let moments = first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK));
        moments.zip(g.par_chunks(CHUNK)).for_each(|((first, second), g)| {
            for ((first, second), g) in first.iter_mut().zip(second).zip(g) {
                let g = g * scale;
                *first = b1 * *first + (1.0 - b1) * g;
                *second = b2 * *second + (1.0 - b2) * g * g;
            }
        });
        Ok(())
    }
}

impl InplaceOp2 for Descend {
    fn name(&self) -> &'static str {
        "adam step"
    }

    fn cpu_fwd(&self, p: &mut CpuStorage, p_at: &Layout, m: &CpuStorage, m_at: &Layout) -> Result<()> {
        let len = p_at.shape().elem_count();
        expect_shape(self.name(), "the moments", m_at.dims(), &[2, len])?;
        let (first, second) = values(self.name(), m, m_at)?.split_at(len);
        let [rate, root, epsilon] = self.0.factors();
        let moments = first.par_chunks(CHUNK).zip(second.par_chunks(CHUNK));
        values_mut(self.name(), p, p_at)?.par_chunks_mut(CHUNK).zip(moments).for_each(
            |(p, (first, second))| {
                for ((p, first), second) in p.iter_mut().zip(first).zip(second) {
                    *p -= rate * first / (root * second.sqrt() + epsilon);
                }
            },
        );
        Ok(())
    }
}

impl InplaceOp2 for Average {
    fn name(&self) -> &'static str {
        "exponential average"
    }

    fn cpu_fwd(&self, a: &mut CpuStorage, a_at: &Layout, v: &CpuStorage, v_at: &Layout) -> Result<()> {
        expect_shape(self.name(), "the value", v_at.dims(), a_at.dims())?;
        let v = values(self.name(), v, v_at)?;
        let average = values_mut(self.name(), a, a_at)?;
        if self.0 == 0.0 {
            // a + (v - a) is not v to the last bit.
            average.copy_from_slice(v);
            return Ok(());
        }
        average.par_chunks_mut(CHUNK).zip(v.par_chunks(CHUNK)).for_each(|(average, v)| {
            average.iter_mut().zip(v).for_each(|(a, v)| *a += (1.0 - self.0) * (v - *a));
        });
        Ok(())
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, a: &mut CudaStorage, a_at: &Layout, v: &CudaStorage, v_at: &Layout) -> Result<()> {
        expect_shape(self.name(), "the value", v_at.dims(), a_at.dims())?;
        cuda::run_in_place(self.name(), (a, a_at), (v, v_at), |queue, places| {
            program::average(queue, a_at.shape().elem_count(), places, 1.0 - self.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise;
    use candle_core::{DType, Device};

    #[test]
    fn follows_algorithm_1() {
        let start = noise(5, 1);
        let p = Tensor::from_vec(start.clone(), 5, &Device::Cpu).unwrap();
        let moments = Tensor::zeros((2, 5), DType::F32, &Device::Cpu).unwrap();
        let mut oracle: Vec<[f64; 3]> = start.iter().map(|p| [*p as f64, 0.0, 0.0]).collect();
        for step in 1..=20u64 {
            let g = noise(5, 100 + step);
            let adam = AdamStep {
                learning_rate: 0.01,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                step,
                gradient_scale: 1.0,
            };
            adam.apply(&p, &moments, &Tensor::from_vec(g.clone(), 5, &Device::Cpu).unwrap()).unwrap();
            for ([p, m, v], g) in oracle.iter_mut().zip(&g) {
                let g = *g as f64;
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.999 * *v + 0.001 * g * g;
                let (m, v) = (*m / (1.0 - 0.9f64.powi(step as i32)), *v / (1.0 - 0.999f64.powi(step as i32)));
                *p -= 0.01 * m / (v.sqrt() + 1e-8);
            }
        }
        for (found, [expected, ..]) in to_vec(&p).unwrap().iter().zip(oracle) {
            assert!((*found as f64 - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    #[test]
    fn average_moves_towards_the_value() {
        let a = Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap();
        let v = Tensor::ones(3, DType::F32, &Device::Cpu).unwrap();
        average_into(&a, &v, 0.75).unwrap();
        average_into(&a, &v, 0.75).unwrap();
        assert_eq!(to_vec(&a).unwrap(), [0.4375; 3]);
        let v = (v * 0.1).unwrap();
        average_into(&a, &v, 0.0).unwrap();
        assert_eq!(to_vec(&a).unwrap(), to_vec(&v).unwrap());
    }
}
