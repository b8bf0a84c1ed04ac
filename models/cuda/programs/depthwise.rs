//! Depthwise convolution and its gradients: see [`crate::ops::depthwise`].

use super::rows::column_sums;
use crate::cuda::queue::{Address, Grid, Queue, Stored, int};
use candle_core::Result;

/// The side of kernels that have a program of their own.
const USUAL_SIDE: usize = 7;
/// Outputs of a thread, side by side; as in the kernel.
const SIDE_BY_SIDE: usize = 4;
/// Most partial sums of tap gradients.
const MOST_SUMS: usize = 32;

/// Maps and kernel.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Samples.
    pub batch: usize,
    /// Height of the maps.
    pub height: usize,
    /// Width of the maps.
    pub width: usize,
    /// Channels of the maps.
    pub channels: usize,
    /// Side of the kernel, odd.
    pub kernel: usize,
}

/// What a correlation adds to its result, and whether it is the adjoint: taps in reverse, no bias.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Maps that are added, or [`Address::NONE`].
    pub added: Address,
    /// Taps in reverse and no bias.
    pub is_adjoint: bool,
}

/// Convolves every channel with its taps; bf16 results for 7 x 7 kernels only.
pub fn correlate<Q: Queue>(
    queue: &Q,
    s: Sizes,
    [x, weight]: [Address; 2],
    form: Form,
    (out, stored): (Address, Stored),
) -> Result<()> {
    let kernel = match s.kernel {
        USUAL_SIDE => stored.pick(["depthwise_7_f32", "depthwise_7_bf16"]),
        _ => "depthwise_any",
    };
    let tasks = s.height * s.width.div_ceil(SIDE_BY_SIDE);
    let arguments = [
        x.into(),
        weight.into(),
        form.added.into(),
        out.into(),
        int(s.batch)?,
        int(s.height)?,
        int(s.width)?,
        int(s.channels)?,
        int(s.kernel)?,
        form.is_adjoint.into(),
    ];
    queue.launch(kernel, Grid::over(s.channels, tasks, s.batch), &arguments)
}

/// The gradients of taps and bias, `[k * k + 1, C]`.
pub fn tap_gradients<Q: Queue>(queue: &Q, s: Sizes, [x, gradient]: [Address; 2], out: Address) -> Result<()> {
    let (kernel, lines) = match s.kernel {
        USUAL_SIDE => ("depthwise_taps_7", s.kernel),
        _ => ("depthwise_taps_any", s.kernel * s.kernel),
    };
    let rows = s.kernel * s.kernel + 1;
    let sums = s.batch.clamp(1, MOST_SUMS);
    let partial = queue.reserve(sums * rows * s.channels)?;
    let at = queue.address(&partial);
    let arguments = [
        x.into(),
        gradient.into(),
        at.into(),
        int(s.batch)?,
        int(s.height)?,
        int(s.width)?,
        int(s.channels)?,
        int(s.kernel)?,
    ];
    let grid = Grid::over(s.channels, lines * crate::cuda::queue::ROWS, sums);
    queue.launch(kernel, grid, &arguments)?;
    column_sums(queue, (at, Stored::F32), (sums, rows * s.channels), out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::emulator::{Emulator, agree, gradients_of};
    use crate::ops::depthwise;
    use crate::ops::testing::noise_var;

    #[test]
    fn equals_the_operation() {
        let Some(emulator) = Emulator::shared() else { return };
        for (batch, height, width, channels, kernel) in
            [(3, 8, 8, 33, 7), (2, 5, 13, 20, 7), (1, 1, 1, 3, 7), (2, 4, 6, 5, 3), (35, 2, 3, 4, 5)]
        {
            let s = Sizes { batch, height, width, channels, kernel };
            let x = noise_var(&[batch, height, width, channels], 1);
            let w = noise_var(&[kernel * kernel + 1, channels], 2);
            let y = depthwise(x.as_tensor(), w.as_tensor()).unwrap();
            let (g, expected) = gradients_of(&y, &[&x, &w]);
            let [at_x, at_w] = [&x, &w].map(|var| emulator.upload(var));
            let at_g = emulator.upload(&g);
            let plain = Form { added: Address::NONE, is_adjoint: false };
            let out = emulator.run(x.elem_count(), |queue, out| {
                correlate(queue, s, [at_x.address(), at_w.address()], plain, (out, Stored::F32))
            });
            agree(&out, &y);
            let adjoint = Form { added: at_g.address(), is_adjoint: true };
            let out = emulator.run(x.elem_count(), |queue, out| {
                correlate(queue, s, [at_g.address(), at_w.address()], adjoint, (out, Stored::F32))
            });
            agree(&out, &(&expected[0] + &g).unwrap());
            let out = emulator.run(w.elem_count(), |queue, out| {
                tap_gradients(queue, s, [at_x.address(), at_g.address()], out)
            });
            agree(&out, &expected[1]);
        }
    }
}
