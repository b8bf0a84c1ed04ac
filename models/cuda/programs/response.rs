//! ReLU and global response normalisation with their gradients: see [`crate::ops::relu_grn`].

use super::layers;
use super::rows::column_sums;
use crate::cuda::queue::{Address, Grid, Queue, Stored, int};
use candle_core::Result;

/// Maps `[batch, pixels, channels]` and how they are stored.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Samples.
    pub batch: usize,
    /// Pixels of a sample.
    pub pixels: usize,
    /// Channels.
    pub channels: usize,
    /// Type of the maps; weights and sums are f32.
    pub stored: Stored,
}

/// Response of x; weight `[2, C]`.
pub fn forward<Q: Queue>(queue: &Q, s: Sizes, [x, weight]: [Address; 2], out: Address) -> Result<()> {
    let (batch, of_sample) = (layers(s.batch)?, s.batch * s.channels);
    let memory = queue.reserve(2 * of_sample)?;
    let norm = queue.address(&memory);
    let gain = norm.at(of_sample);
    let (pixels, channels) = (int(s.pixels)?, int(s.channels)?);
    let kernel = s.stored.pick(["response_norms_f32", "response_norms_bf16"]);
    let columns = Grid::over(s.channels, 1, batch);
    queue.launch(kernel, columns, &[x.into(), norm.into(), pixels, channels])?;
    let samples = Grid([batch.max(1) as u32, 1, 1]);
    queue.launch("response_gains", samples, &[norm.into(), weight.into(), gain.into(), channels])?;
    let kernel = s.stored.pick(["response_apply_f32", "response_apply_bf16"]);
    let arguments = [x.into(), gain.into(), weight.into(), out.into(), pixels, channels];
    queue.launch(kernel, Grid::over(s.channels, s.pixels, batch), &arguments)
}

/// Gradients of x, which may stand where the gradient does, and of the weight `[2, C]`.
pub fn gradients<Q: Queue>(
    queue: &Q,
    s: Sizes,
    [x, weight, gradient]: [Address; 3],
    [of_x, of_weight]: [Address; 2],
) -> Result<()> {
    let (batch, of_sample) = (layers(s.batch)?, s.batch * s.channels);
    let memory = queue.reserve(4 * of_sample)?;
    let norm = queue.address(&memory);
    let (factor, sums) = (norm.at(of_sample), norm.at(2 * of_sample));
    let (pixels, channels) = (int(s.pixels)?, int(s.channels)?);
    let kernel = s.stored.pick(["response_moments_f32", "response_moments_bf16"]);
    let arguments = [x.into(), gradient.into(), norm.into(), sums.into(), pixels, channels];
    queue.launch(kernel, Grid::over(s.channels, 1, batch), &arguments)?;
    let arguments = [norm.into(), sums.into(), weight.into(), factor.into(), channels];
    queue.launch("response_factors", Grid([batch.max(1) as u32, 1, 1]), &arguments)?;
    column_sums(queue, (sums, Stored::F32), (s.batch, 2 * s.channels), of_weight)?;
    let kernel = s.stored.pick(["response_combine_f32", "response_combine_bf16"]);
    let arguments = [x.into(), gradient.into(), factor.into(), norm.into(), of_x.into(), pixels, channels];
    queue.launch(kernel, Grid::over(s.channels, s.pixels, batch), &arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::emulator::{Emulator, agree, gradients_of};
    use crate::ops::relu_grn;
    use crate::ops::testing::noise_var;
    use candle_core::{Tensor, Var};

    #[test]
    fn equals_the_operation() {
        let Some(emulator) = Emulator::shared() else { return };
        for (batch, pixels, channels) in [(2, 6, 21), (3, 30, 300), (1, 1, 1)] {
            let s = Sizes { batch, pixels, channels, stored: Stored::F32 };
            let x = noise_var(&[batch, pixels, channels], 1);
            // One channel is dead.
            let dead = Tensor::full(-1f32, (batch, pixels, 1), x.device()).unwrap();
            let x = match channels {
                1 => x,
                _ => Var::from_tensor(
                    &Tensor::cat(&[&dead, &x.narrow(2, 1, channels - 1).unwrap()], 2).unwrap(),
                )
                .unwrap(),
            };
            let w = noise_var(&[2, channels], 2);
            let y = relu_grn(x.as_tensor(), w.as_tensor()).unwrap();
            let (g, expected) = gradients_of(&y, &[&x, &w]);
            let [at_x, at_w, at_g] = [x.as_tensor(), w.as_tensor(), &g].map(|t| emulator.upload(t));
            let out = emulator
                .run(x.elem_count(), |queue, out| forward(queue, s, [at_x.address(), at_w.address()], out));
            agree(&out, &y);
            let both = emulator.run(x.elem_count() + w.elem_count(), |queue, out| {
                let of_weight = out.at(x.elem_count());
                gradients(queue, s, [at_x.address(), at_w.address(), at_g.address()], [out, of_weight])
            });
            agree(&both[..x.elem_count()], &expected[0]);
            agree(&both[x.elem_count()..], &expected[1]);
        }
    }
}
