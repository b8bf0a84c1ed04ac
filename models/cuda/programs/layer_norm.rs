//! Layer normalisation and its gradients: see [`crate::ops::layer_norm`].

use super::rows::column_sums;
use crate::cuda::queue::{Address, Grid, Queue, Stored, int};
use candle_core::Result;

/// Normalised rows `[rows, channels]`; weight `[2, C]`.
pub fn forward<Q: Queue>(
    queue: &Q,
    (rows, channels): (usize, usize),
    [x, weight]: [Address; 2],
    (out, stored): (Address, Stored),
) -> Result<()> {
    let kernel = stored.pick(["layer_norm_f32", "layer_norm_bf16"]);
    let arguments = [x.into(), weight.into(), out.into(), int(rows)?, int(channels)?];
    queue.launch(kernel, Grid::over(1, rows, 1), &arguments)
}

/// Gradients of x, which may not stand where the gradient does, and of the weight `[2, C]`.
pub fn gradients<Q: Queue>(
    queue: &Q,
    (rows, channels): (usize, usize),
    [x, weight, gradient]: [Address; 3],
    [of_x, of_weight]: [Address; 2],
) -> Result<()> {
    let memory = queue.reserve(rows * channels)?;
    let of_scale = queue.address(&memory);
    let arguments =
        [x.into(), weight.into(), gradient.into(), of_x.into(), of_scale.into(), int(rows)?, int(channels)?];
    queue.launch("layer_norm_gradient", Grid::over(1, rows, 1), &arguments)?;
    column_sums(queue, (of_scale, Stored::F32), (rows, channels), of_weight)?;
    column_sums(queue, (gradient, Stored::F32), (rows, channels), of_weight.at(channels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::emulator::{Emulator, agree, gradients_of};
    use crate::ops::layer_norm;
    use crate::ops::testing::noise_var;

    #[test]
    fn equals_the_operation() {
        let Some(emulator) = Emulator::shared() else { return };
        for (rows, channels) in [(13, 21), (130, 70), (1, 3)] {
            let (x, w) = (noise_var(&[rows, channels], 1), noise_var(&[2, channels], 2));
            let y = layer_norm(x.as_tensor(), w.as_tensor()).unwrap();
            let (g, expected) = gradients_of(&y, &[&x, &w]);
            let [at_x, at_w, at_g] = [x.as_tensor(), w.as_tensor(), &g].map(|t| emulator.upload(t));
            let size = (rows, channels);
            let out = emulator.run(x.elem_count(), |queue, out| {
                forward(queue, size, [at_x.address(), at_w.address()], (out, Stored::F32))
            });
            agree(&out, &y);
            let both = emulator.run(x.elem_count() + w.elem_count(), |queue, out| {
                let of_weight = out.at(x.elem_count());
                gradients(queue, size, [at_x.address(), at_w.address(), at_g.address()], [out, of_weight])
            });
            agree(&both[..x.elem_count()], &expected[0]);
            agree(&both[x.elem_count()..], &expected[1]);
        }
    }
}
