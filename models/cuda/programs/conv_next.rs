//! The residual ConvNeXt block with its gradients: see [`crate::ops::conv_next`].
//!
//! In mixed precision what stands between the two large products is stored in bf16; weights, sums over pixels
//! and the residual path stay f32.

use super::rows::{column_sums, start, to_bf16};
use super::{depthwise, layer_norm, response};
use crate::cuda::queue::{Address, Matrix, Product, Queue, Stored};
use crate::ops::conv_next::{EXPANSION, KERNEL, Sections};
use candle_core::Result;
use std::ops::Range;

/// A block on maps `[batch, height, width, channels]`.
#[derive(Clone, Debug)]
pub struct Block {
    /// Samples.
    pub batch: usize,
    /// Height of the maps.
    pub height: usize,
    /// Width of the maps.
    pub width: usize,
    /// Channels of the maps.
    pub channels: usize,
    /// Where the weights stand.
    pub sections: Sections,
    /// Type of hidden values.
    pub stored: Stored,
}

/// What the backward pass needs of the forward pass.
pub struct Kept<M> {
    /// Result of the depthwise convolution where a norm follows.
    normal: Option<M>,
    /// What the first product took, normalised where there is a norm.
    mixed: M,
    /// What it gave.
    hidden: M,
    /// What the second product took.
    response: M,
    /// The matrices of both, where they are stored otherwise than the weights.
    matrices: Option<[M; 2]>,
}

impl Block {
    fn rows(&self) -> usize {
        self.batch * self.height * self.width
    }

    fn hidden(&self) -> usize {
        EXPANSION * self.channels
    }

    fn depthwise(&self) -> depthwise::Sizes {
        depthwise::Sizes {
            batch: self.batch,
            height: self.height,
            width: self.width,
            channels: self.channels,
            kernel: KERNEL,
        }
    }

    fn response(&self) -> response::Sizes {
        response::Sizes {
            batch: self.batch,
            pixels: self.height * self.width,
            channels: self.hidden(),
            stored: self.stored,
        }
    }

    fn bias_of(&self, section: &Range<usize>, len: usize) -> usize {
        section.end - len
    }

    fn matrix(&self, address: Address) -> Matrix {
        Matrix::new(address).stored(self.stored)
    }

    /// The two matrices as products take them.
    fn matrices<Q: Queue>(&self, queue: &Q, weights: Address) -> Result<Option<[Q::Memory; 2]>> {
        if self.stored == Stored::F32 {
            return Ok(None);
        }
        let len = self.channels * self.hidden();
        let convert = |section: &Range<usize>| to_bf16(queue, weights.at(section.start), len);
        Ok(Some([convert(&self.sections.expand)?, convert(&self.sections.project)?]))
    }

    fn matrix_addresses<Q: Queue>(
        &self,
        queue: &Q,
        weights: Address,
        converted: &Option<[Q::Memory; 2]>,
    ) -> [Matrix; 2] {
        match converted {
            Some(matrices) => matrices.each_ref().map(|memory| self.matrix(queue.address(memory))),
            None => [&self.sections.expand, &self.sections.project]
                .map(|section| Matrix::new(weights.at(section.start))),
        }
    }

    fn product(&self, [rows, inner, columns]: [usize; 3], adds: bool) -> Product {
        Product { rows, inner, columns, adds, may_round: self.stored == Stored::Bf16 }
    }

    /// y = x + block(x), and what the backward pass will need.
    pub fn forward<Q: Queue>(
        &self,
        queue: &Q,
        [x, weights]: [Address; 2],
        out: Address,
    ) -> Result<Kept<Q::Memory>> {
        let (rows, channels, hidden) = (self.rows(), self.channels, self.hidden());
        let s = &self.sections;
        let at = |index: usize| weights.at(index);
        let reserve = |len: usize| queue.reserve(self.stored.room(len));
        let mixed = reserve(rows * channels)?;
        let plain = depthwise::Form { added: Address::NONE, is_adjoint: false };
        let taps = [x, at(s.depthwise.start)];
        let mut normal = None;
        let to = (queue.address(&mixed), self.stored);
        if s.norm.is_empty() {
            depthwise::correlate(queue, self.depthwise(), taps, plain, to)?;
        } else {
            let memory = queue.reserve(rows * channels)?;
            let before = queue.address(&memory);
            depthwise::correlate(queue, self.depthwise(), taps, plain, (before, Stored::F32))?;
            layer_norm::forward(queue, (rows, channels), [before, at(s.norm.start)], to)?;
            normal = Some(memory);
        }
        let matrices = self.matrices(queue, weights)?;
        let [expand, project] = self.matrix_addresses(queue, weights, &matrices);
        let (kept, responses) = (reserve(rows * hidden)?, reserve(rows * hidden)?);
        let (at_kept, at_response) = (queue.address(&kept), queue.address(&responses));
        let bias = at(self.bias_of(&s.expand, hidden));
        start(queue, (bias, Address::NONE), (at_kept, self.stored), (rows, hidden))?;
        let of_mixed = self.matrix(queue.address(&mixed));
        queue.product(
            self.product([rows, channels, hidden], true),
            of_mixed,
            expand,
            self.matrix(at_kept),
        )?;
        response::forward(queue, self.response(), [at_kept, at(s.response.start)], at_response)?;
        let bias = at(self.bias_of(&s.project, channels));
        start(queue, (bias, x), (out, Stored::F32), (rows, channels))?;
        queue.product(
            self.product([rows, hidden, channels], true),
            self.matrix(at_response),
            project,
            Matrix::new(out),
        )?;
        Ok(Kept { normal, mixed, hidden: kept, response: responses, matrices })
    }

    /// The gradients of x and of the weights.
    pub fn backward<Q: Queue>(
        &self,
        queue: &Q,
        [x, weights, gradient]: [Address; 3],
        kept: &Kept<Q::Memory>,
        [of_x, of_weights]: [Address; 2],
    ) -> Result<()> {
        let (rows, channels, hidden) = (self.rows(), self.channels, self.hidden());
        let s = &self.sections;
        let to = |index: usize| of_weights.at(index);
        let [expand, project] = self.matrix_addresses(queue, weights, &kept.matrices);
        let rounded = match self.stored {
            Stored::F32 => None,
            Stored::Bf16 => Some(to_bf16(queue, gradient, rows * channels)?),
        };
        let g = self.matrix(rounded.as_ref().map_or(gradient, |memory| queue.address(memory)));

        let responses = self.matrix(queue.address(&kept.response));
        queue.product(
            self.product([hidden, rows, channels], false),
            responses.transposed(),
            g,
            Matrix::new(to(s.project.start)),
        )?;
        let of_bias = to(self.bias_of(&s.project, channels));
        column_sums(queue, (gradient, Stored::F32), (rows, channels), of_bias)?;
        let memory = queue.reserve(self.stored.room(rows * hidden))?;
        let of_hidden = queue.address(&memory);
        queue.product(
            self.product([rows, channels, hidden], false),
            g,
            project.transposed(),
            self.matrix(of_hidden),
        )?;

        let before = [queue.address(&kept.hidden), weights.at(s.response.start), of_hidden];
        response::gradients(queue, self.response(), before, [of_hidden, to(s.response.start)])?;

        queue.product(
            self.product([channels, rows, hidden], false),
            self.matrix(queue.address(&kept.mixed)).transposed(),
            self.matrix(of_hidden),
            Matrix::new(to(s.expand.start)),
        )?;
        let of_bias = to(self.bias_of(&s.expand, hidden));
        column_sums(queue, (of_hidden, self.stored), (rows, hidden), of_bias)?;
        let of_mixed = queue.reserve(rows * channels)?;
        let mut at_mixed = queue.address(&of_mixed);
        queue.product(
            self.product([rows, hidden, channels], false),
            self.matrix(of_hidden),
            expand.transposed(),
            Matrix::new(at_mixed),
        )?;
        drop(memory);

        let mut of_normal = None;
        if let Some(normal) = &kept.normal {
            let memory = queue.reserve(rows * channels)?;
            let from = [queue.address(normal), weights.at(s.norm.start), at_mixed];
            at_mixed = queue.address(&memory);
            layer_norm::gradients(queue, (rows, channels), from, [at_mixed, to(s.norm.start)])?;
            of_normal = Some(memory);
        }
        depthwise::tap_gradients(queue, self.depthwise(), [x, at_mixed], to(s.depthwise.start))?;
        let form = depthwise::Form { added: gradient, is_adjoint: true };
        let taps = [at_mixed, weights.at(s.depthwise.start)];
        depthwise::correlate(queue, self.depthwise(), taps, form, (of_x, Stored::F32))?;
        drop(of_normal);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::emulator::{Emulator, agree_within, gradients_of};
    use crate::ops::conv_next;
    use crate::ops::testing::noise_var;
    use candle_core::Var;

    fn compare(norm: bool, stored: Stored, tolerance: f32) {
        let Some(emulator) = Emulator::shared() else { return };
        let (batch, height, width, channels) = (3, 5, 6, 9);
        let sections = Sections::new(channels, norm);
        let x = noise_var(&[batch, height, width, channels], 1);
        let w = (noise_var(&[sections.len()], 7).as_tensor() * 0.3).unwrap();
        let w = Var::from_tensor(&w).unwrap();
        let block = Block { batch, height, width, channels, sections, stored };
        let y = conv_next(x.as_tensor(), w.as_tensor(), norm).unwrap();
        let (g, expected) = gradients_of(&y, &[&x, &w]);
        let [at_x, at_w, at_g] = [x.as_tensor(), w.as_tensor(), &g].map(|t| emulator.upload(t));
        let mut kept = None;
        let out = emulator.run(x.elem_count(), |queue, out| {
            kept = Some(block.forward(queue, [at_x.address(), at_w.address()], out)?);
            Ok(())
        });
        let kept = kept.unwrap();
        agree_within(&out, &y, tolerance);
        let both = emulator.run(x.elem_count() + w.elem_count(), |queue, out| {
            let from = [at_x.address(), at_w.address(), at_g.address()];
            block.backward(queue, from, &kept, [out, out.at(x.elem_count())])
        });
        agree_within(&both[..x.elem_count()], &expected[0], tolerance);
        agree_within(&both[x.elem_count()..], &expected[1], tolerance);
    }

    #[test]
    fn equals_the_operation() {
        compare(false, Stored::F32, 1e-4);
        compare(true, Stored::F32, 1e-4);
    }

    #[test]
    fn mixed_precision_stays_near_it() {
        compare(false, Stored::Bf16, 0.03);
        compare(true, Stored::Bf16, 0.03);
    }
}
