//! Operations on maps value by value or over pixels: see [`crate::ops::film`], [`crate::ops::double`],
//! [`crate::ops::prelu`], [`crate::ops::gelu`] and max pooling.

use super::layers;
use super::rows::column_sums;
use crate::cuda::queue::{Address, Grid, Queue, Stored, int};
use candle_core::Result;

/// y = x (1 + s) + t over maps `[batch, pixels, channels]`; modulation `[batch, 2, channels]`.
pub fn film<Q: Queue>(
    queue: &Q,
    [batch, pixels, channels]: [usize; 3],
    [x, modulation]: [Address; 2],
    out: Address,
) -> Result<()> {
    let size = [int(pixels)?, int(channels)?];
    let arguments = [x.into(), modulation.into(), out.into(), size[0], size[1], true.into()];
    queue.launch("film", Grid::over(channels, pixels, layers(batch)?), &arguments)
}

/// Gradients of x and of the modulation.
pub fn film_gradients<Q: Queue>(
    queue: &Q,
    [batch, pixels, channels]: [usize; 3],
    [x, modulation, gradient]: [Address; 3],
    [of_x, of_modulation]: [Address; 2],
) -> Result<()> {
    let size = [int(pixels)?, int(channels)?];
    let arguments = [gradient.into(), modulation.into(), of_x.into(), size[0], size[1], false.into()];
    queue.launch("film", Grid::over(channels, pixels, layers(batch)?), &arguments)?;
    let arguments = [x.into(), gradient.into(), of_modulation.into(), size[0], size[1]];
    queue.launch("film_sums", Grid::over(channels, 1, batch), &arguments)
}

/// `[batch, height, width, channels]` to twice the size, or, as the adjoint, back.
pub fn double<Q: Queue>(
    queue: &Q,
    [batch, height, width, channels]: [usize; 4],
    x: Address,
    out: Address,
    is_adjoint: bool,
) -> Result<()> {
    let small = batch * height * width * channels;
    let (kernel, len) = if is_adjoint { ("halve_bilinear", small) } else { ("double_bilinear", 4 * small) };
    let arguments = [x.into(), out.into(), int(len)?, int(height)?, int(width)?, int(channels)?];
    queue.launch(kernel, Grid::flat(len), &arguments)
}

/// The rectifier with learned slopes over rows of `channels`; one slope or one a channel.
pub fn prelu<Q: Queue>(
    queue: &Q,
    (len, slopes): (usize, usize),
    [x, slope]: [Address; 2],
    out: Address,
) -> Result<()> {
    let arguments = [x.into(), slope.into(), out.into(), int(len)?, int(slopes)?];
    queue.launch("prelu", Grid::flat(len), &arguments)
}

/// Gradients of x `[rows, channels]` and of the slopes.
pub fn prelu_gradients<Q: Queue>(
    queue: &Q,
    [rows, channels, slopes]: [usize; 3],
    [x, slope, gradient]: [Address; 3],
    [of_x, of_slope]: [Address; 2],
) -> Result<()> {
    let len = rows * channels;
    let memory = queue.reserve(len + channels)?;
    let each = queue.address(&memory);
    let arguments =
        [x.into(), slope.into(), gradient.into(), of_x.into(), each.into(), int(len)?, int(slopes)?];
    queue.launch("prelu_gradient", Grid::flat(len), &arguments)?;
    if slopes == channels {
        return column_sums(queue, (each, Stored::F32), (rows, channels), of_slope);
    }
    let of_channels = each.at(len);
    column_sums(queue, (each, Stored::F32), (rows, channels), of_channels)?;
    column_sums(queue, (of_channels, Stored::F32), (channels, 1), of_slope)
}

/// x Phi(x) over `len` values.
pub fn gelu<Q: Queue>(queue: &Q, len: usize, x: Address, out: Address) -> Result<()> {
    queue.launch("gelu", Grid::flat(len), &[x.into(), out.into(), int(len)?])
}

/// Its gradient.
pub fn gelu_gradient<Q: Queue>(
    queue: &Q,
    len: usize,
    [x, gradient]: [Address; 2],
    of_x: Address,
) -> Result<()> {
    queue.launch("gelu_gradient", Grid::flat(len), &[x.into(), gradient.into(), of_x.into(), int(len)?])
}

/// Largest values of 3 x 3 windows at stride 2, `rows` x `columns` of them.
pub fn max_pool<Q: Queue>(
    queue: &Q,
    [batch, height, width, channels]: [usize; 4],
    (rows, columns): (usize, usize),
    x: Address,
    out: Address,
) -> Result<()> {
    let len = batch * rows * columns * channels;
    let arguments = [
        x.into(),
        out.into(),
        int(len)?,
        int(height)?,
        int(width)?,
        int(channels)?,
        int(rows)?,
        int(columns)?,
    ];
    queue.launch("max_pool", Grid::flat(len), &arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::emulator::{Emulator, agree, gradients_of};
    use crate::ops::testing::noise_var;
    use crate::ops::{self, double_bilinear};
    use crate::perceptual::max_pool::max_pool as max_pool_of;

    #[test]
    fn film_equals_the_operation() {
        let Some(emulator) = Emulator::shared() else { return };
        let size = [3, 10, 37];
        let (x, m) = (noise_var(&size, 1), noise_var(&[3, 74], 2));
        let y = ops::film(x.as_tensor(), m.as_tensor()).unwrap();
        let (g, expected) = gradients_of(&y, &[&x, &m]);
        let [at_x, at_m, at_g] = [x.as_tensor(), m.as_tensor(), &g].map(|t| emulator.upload(t));
        let out = emulator
            .run(y.elem_count(), |queue, out| film(queue, size, [at_x.address(), at_m.address()], out));
        agree(&out, &y);
        let both = emulator.run(x.elem_count() + m.elem_count(), |queue, out| {
            let from = [at_x.address(), at_m.address(), at_g.address()];
            film_gradients(queue, size, from, [out, out.at(x.elem_count())])
        });
        agree(&both[..x.elem_count()], &expected[0]);
        agree(&both[x.elem_count()..], &expected[1]);
    }

    #[test]
    fn doubling_equals_the_operation() {
        let Some(emulator) = Emulator::shared() else { return };
        for size in [[2, 3, 4, 2], [1, 1, 1, 3], [2, 5, 1, 1]] {
            let x = noise_var(&size, 1);
            let y = double_bilinear(x.as_tensor()).unwrap();
            let (g, expected) = gradients_of(&y, &[&x]);
            let (at_x, at_g) = (emulator.upload(&x), emulator.upload(&g));
            let out =
                emulator.run(y.elem_count(), |queue, out| double(queue, size, at_x.address(), out, false));
            agree(&out, &y);
            let out =
                emulator.run(x.elem_count(), |queue, out| double(queue, size, at_g.address(), out, true));
            agree(&out, &expected[0]);
        }
    }

    #[test]
    fn prelu_equals_the_operation() {
        let Some(emulator) = Emulator::shared() else { return };
        for slopes in [1, 5] {
            let (x, s) = (noise_var(&[70, 5], 1), noise_var(&[slopes], 2));
            let y = ops::prelu(x.as_tensor(), s.as_tensor()).unwrap();
            let (g, expected) = gradients_of(&y, &[&x, &s]);
            let [at_x, at_s, at_g] = [x.as_tensor(), s.as_tensor(), &g].map(|t| emulator.upload(t));
            let out = emulator.run(y.elem_count(), |queue, out| {
                prelu(queue, (350, slopes), [at_x.address(), at_s.address()], out)
            });
            agree(&out, &y);
            let both = emulator.run(350 + slopes, |queue, out| {
                let from = [at_x.address(), at_s.address(), at_g.address()];
                prelu_gradients(queue, [70, 5, slopes], from, [out, out.at(350)])
            });
            agree(&both[..350], &expected[0]);
            agree(&both[350..], &expected[1]);
        }
    }

    #[test]
    fn gelu_equals_the_operation() {
        let Some(emulator) = Emulator::shared() else { return };
        let x = noise_var(&[7, 111], 1);
        let y = ops::gelu(x.as_tensor()).unwrap();
        let (g, expected) = gradients_of(&y, &[&x]);
        let (at_x, at_g) = (emulator.upload(&x), emulator.upload(&g));
        agree(&emulator.run(777, |queue, out| gelu(queue, 777, at_x.address(), out)), &y);
        let of_x =
            emulator.run(777, |queue, out| gelu_gradient(queue, 777, [at_x.address(), at_g.address()], out));
        agree(&of_x, &expected[0]);
    }

    #[test]
    fn pooling_equals_the_operation() {
        let Some(emulator) = Emulator::shared() else { return };
        for (height, width) in [(7, 6), (8, 9)] {
            let x = noise_var(&[2, height, width, 5], 1);
            let y = max_pool_of(x.as_tensor()).unwrap();
            let (_, rows, columns, _) = y.dims4().unwrap();
            let at_x = emulator.upload(&x);
            let out = emulator.run(y.elem_count(), |queue, out| {
                max_pool(queue, [2, height, width, 5], (rows, columns), at_x.address(), out)
            });
            agree(&out, &y);
        }
    }
}
