//! Convolution and transposed convolution with their gradients: see [`crate::ops::convolution`].
//!
//! Patches of a few samples at a time are laid down and multiplied, so that memory stays bounded.

use super::patches::{gather, lens, scatter};
use super::rows::{column_sums, start};
use crate::cuda::queue::{Address, Matrix, Queue, Stored, multiply};
use crate::ops::PatchGrid;
use candle_core::Result;

/// Values of the patches that are laid down at a time: half a gigabyte.
const PATCH_VALUES: usize = 1 << 27;

/// A large map that is read or written patch by patch, and a small one with `channels` channels.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The large maps of all samples.
    pub grid: PatchGrid,
    /// Channels of the small maps.
    pub channels: usize,
    /// Whether the small map is the input.
    pub is_transposed: bool,
    /// Whether products may round their operands.
    pub may_round: bool,
}

/// Some samples: the first, how many, and their patches.
struct Part {
    first: usize,
    grid: PatchGrid,
    positions: usize,
}

impl Pair {
    fn positions(&self) -> Result<usize> {
        self.grid.patches().map(|(rows, columns)| rows * columns)
    }

    fn patch(&self) -> usize {
        self.grid.kernel * self.grid.kernel * self.grid.channels
    }

    /// Samples in parts whose patches fit, in order.
    fn parts(&self) -> Result<Vec<Part>> {
        let (positions, batch) = (self.positions()?, self.grid.batch);
        let few = (PATCH_VALUES / (positions * self.patch()).max(1)).max(1);
        let part = |first: usize| {
            let batch = few.min(batch - first);
            Part { first, grid: PatchGrid { batch, ..self.grid }, positions: positions * batch }
        };
        Ok((0..batch).step_by(few).map(part).collect())
    }

    /// Values of a sample's small map.
    fn small(&self) -> Result<usize> {
        Ok(self.positions()? * self.channels)
    }

    /// The result of the convolution, or of its adjoint.
    pub fn forward<Q: Queue>(&self, queue: &Q, [x, weight]: [Address; 2], out: Address) -> Result<()> {
        let (large, small, patch) = (lens(self.grid)?.0, self.small()?, self.patch());
        let bias = weight.at(self.channels * patch);
        for part in self.parts()? {
            let memory = queue.reserve(part.positions * patch)?;
            let patches = queue.address(&memory);
            let (rows, columns) = (part.positions, self.channels);
            if self.is_transposed {
                let operands = (Matrix::new(x.at(part.first * small)), Matrix::new(weight));
                multiply(queue, [rows, columns, patch], operands, patches, (false, self.may_round))?;
                scatter(queue, part.grid, [patches, bias], out.at(part.first * large))?;
            } else {
                gather(queue, part.grid, x.at(part.first * large), patches)?;
                let out = out.at(part.first * small);
                start(queue, (bias, Address::NONE), (out, Stored::F32), (rows, columns))?;
                let operands = (Matrix::new(patches), Matrix::new(weight));
                multiply(queue, [rows, patch, columns], operands, out, (true, self.may_round))?;
            }
        }
        Ok(())
    }

    /// The gradients of x and of the weight.
    pub fn gradients<Q: Queue>(
        &self,
        queue: &Q,
        [x, weight, gradient]: [Address; 3],
        [of_x, of_weight]: [Address; 2],
    ) -> Result<()> {
        let (large, small, patch) = (lens(self.grid)?.0, self.small()?, self.patch());
        let channels = self.channels;
        for part in self.parts()? {
            let memory = queue.reserve(part.positions * patch)?;
            let (patches, rows) = (queue.address(&memory), part.positions);
            let (later, round) = (part.first > 0, self.may_round);
            if self.is_transposed {
                let x = Matrix::new(x.at(part.first * small));
                gather(queue, part.grid, gradient.at(part.first * large), patches)?;
                let operands = (x.transposed(), Matrix::new(patches));
                multiply(queue, [channels, rows, patch], operands, of_weight, (later, round))?;
                let operands = (Matrix::new(patches), Matrix::new(weight).transposed());
                let of_x = of_x.at(part.first * small);
                multiply(queue, [rows, patch, channels], operands, of_x, (false, round))?;
            } else {
                let gradient = Matrix::new(gradient.at(part.first * small));
                gather(queue, part.grid, x.at(part.first * large), patches)?;
                let operands = (Matrix::new(patches).transposed(), gradient);
                multiply(queue, [patch, rows, channels], operands, of_weight, (later, round))?;
                let operands = (gradient, Matrix::new(weight).transposed());
                multiply(queue, [rows, channels, patch], operands, patches, (false, round))?;
                scatter(queue, part.grid, [patches, Address::NONE], of_x.at(part.first * large))?;
            }
        }
        let of_bias = of_weight.at(channels * patch);
        let (rows, columns) = match self.is_transposed {
            true => (self.grid.batch * self.grid.height * self.grid.width, self.grid.channels),
            false => (self.grid.batch * self.positions()?, channels),
        };
        column_sums(queue, (gradient, Stored::F32), (rows, columns), of_bias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::emulator::{Emulator, agree, gradients_of};
    use crate::ops::testing::noise_var;
    use crate::ops::{Window, convolution, transposed_convolution};

    #[test]
    fn equals_the_operation() {
        let Some(emulator) = Emulator::shared() else { return };
        for (kernel, stride) in [(5, 2), (3, 1), (9, 2)] {
            for is_transposed in [false, true] {
                let (height, width, large, small) = (9, 8, 3, 6);
                let grid = PatchGrid {
                    batch: 2,
                    height,
                    width,
                    channels: large,
                    kernel,
                    stride,
                    padding: kernel / 2,
                };
                let window = Window { kernel, stride, padding: kernel / 2 };
                let pair = Pair { grid, channels: small, is_transposed, may_round: false };
                let patch = kernel * kernel * large;
                let (rows, columns) = grid.patches().unwrap();
                let (x, w) = match is_transposed {
                    false => (noise_var(&[2, height, width, large], 1), noise_var(&[patch + 1, small], 2)),
                    true => {
                        (noise_var(&[2, rows, columns, small], 1), noise_var(&[small * patch + large], 2))
                    }
                };
                let y = match is_transposed {
                    false => convolution(x.as_tensor(), w.as_tensor(), window),
                    true => {
                        transposed_convolution(x.as_tensor(), w.as_tensor(), window, large, (height, width))
                    }
                }
                .unwrap();
                let (g, expected) = gradients_of(&y, &[&x, &w]);
                let [at_x, at_w, at_g] = [x.as_tensor(), w.as_tensor(), &g].map(|t| emulator.upload(t));
                let out = emulator.run(y.elem_count(), |queue, out| {
                    pair.forward(queue, [at_x.address(), at_w.address()], out)
                });
                agree(&out, &y);
                let both = emulator.run(x.elem_count() + w.elem_count(), |queue, out| {
                    let from = [at_x.address(), at_w.address(), at_g.address()];
                    pair.gradients(queue, from, [out, out.at(x.elem_count())])
                });
                agree(&both[..x.elem_count()], &expected[0]);
                agree(&both[x.elem_count()..], &expected[1]);
            }
        }
    }
}
