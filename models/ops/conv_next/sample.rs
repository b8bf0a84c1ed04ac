//! A residual block on a few samples: everything stays in the caches of one core.

use super::weights::{EXPANSION, KERNEL, Sections};
use crate::ops::depthwise::{Geometry, add_tap_gradients, correlate_sample};
use crate::ops::layer_norm::{normalize_row, row_gradient};
use crate::ops::product::{Matrix, Threads, product_on};
use crate::ops::relu_grn;
use crate::ops::transpose::transpose;
use sememe_blocks::isa::Isa;

/// Rows of a product that are worth the packing of its weights; small maps share a product.
const PRODUCT_ROWS: usize = 320;

/// What all samples of a call share.
pub struct Block<'a> {
    /// Instruction set.
    pub isa: Isa,
    /// Sizes of the maps.
    pub geometry: Geometry,
    /// Where the weights stand.
    pub sections: &'a Sections,
    /// The weights.
    pub weights: &'a [f32],
}

/// The two large matrices of a block, transposed: what its backward pass multiplies by.
pub struct Turned {
    expand: Vec<f32>,
    project: Vec<f32>,
}

/// Memory of one task, reused from sample to sample.
#[derive(Default)]
pub struct Scratch {
    tile: Vec<f32>,
    mixed: Vec<f32>,
    normal: Vec<f32>,
    response: Vec<f32>,
    of_hidden: Vec<f32>,
    of_mixed: Vec<f32>,
}

impl Block<'_> {
    /// A block over maps of these sizes.
    pub fn geometry(height: usize, width: usize, channels: usize) -> Geometry {
        Geometry { height, width, channels, kernel: KERNEL }
    }

    /// Transposes the two matrices, once for all samples.
    pub fn turned(&self) -> Turned {
        let (channels, hidden) = (self.geometry.channels, self.hidden());
        let matrix = |range: &std::ops::Range<usize>| &self.part(range)[..channels * hidden];
        Turned {
            expand: transpose(matrix(&self.sections.expand), channels, hidden),
            project: transpose(matrix(&self.sections.project), hidden, channels),
        }
    }

    fn pixels(&self) -> usize {
        self.geometry.height * self.geometry.width
    }

    /// Samples that share a product: a matter of sizes alone, so that the number of threads changes no bit.
    pub fn samples_per_product(&self) -> usize {
        (PRODUCT_ROWS / self.pixels().max(1)).max(1)
    }

    fn hidden(&self) -> usize {
        EXPANSION * self.geometry.channels
    }

    fn part(&self, range: &std::ops::Range<usize>) -> &[f32] {
        &self.weights[range.clone()]
    }

    /// Depthwise convolution and norm into `scratch.mixed`, the convolution alone into
    /// `scratch.normal` where there is a norm.
    fn mix(&self, x: &[f32], scratch: &mut Scratch) {
        scratch.mixed.resize(x.len(), 0.0);
        let (len, taps) = (self.geometry.sample_len(), self.part(&self.sections.depthwise));
        for (x, mixed) in x.chunks_exact(len.max(1)).zip(scratch.mixed.chunks_exact_mut(len.max(1))) {
            let tile = &mut scratch.tile;
            // SAFETY: `mixed` has the length of a sample and belongs to this task.
            unsafe { correlate_sample(self.isa, self.geometry, (x, taps), false, mixed.as_mut_ptr(), tile) };
        }
        let norm = self.part(&self.sections.norm);
        if !norm.is_empty() {
            scratch.normal.clone_from(&scratch.mixed);
            scratch.mixed.chunks_exact_mut(self.geometry.channels).for_each(|row| normalize_row(row, norm));
        }
    }

    /// out = x + block(x) for a few samples. The hidden values before the ReLU go to `kept`.
    pub fn forward(
        &self,
        x: &[f32],
        kept: &mut [f32],
        out: &mut [f32],
        threads: Threads,
        scratch: &mut Scratch,
    ) {
        let (channels, hidden) = (self.geometry.channels, self.hidden());
        let rows = x.len() / channels;
        self.mix(x, scratch);
        let (weight, bias) = self.part(&self.sections.expand).split_at(channels * hidden);
        kept.chunks_exact_mut(hidden).for_each(|row| row.copy_from_slice(bias));
        let mixed = Matrix::new(&scratch.mixed, rows, channels);
        product_on(threads, mixed, Matrix::new(weight, channels, hidden), kept, true);
        self.respond(kept, scratch);
        let (weight, bias) = self.part(&self.sections.project).split_at(hidden * channels);
        for (out, x) in out.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            out.iter_mut().zip(x.iter().zip(bias)).for_each(|(out, (x, bias))| *out = x + bias);
        }
        let responses = Matrix::new(&scratch.response, rows, hidden);
        product_on(threads, responses, Matrix::new(weight, hidden, channels), out, true);
    }

    /// ReLU and response normalisation of hidden values, into `scratch.response`.
    fn respond(&self, kept: &[f32], scratch: &mut Scratch) {
        scratch.response.resize(kept.len(), 0.0);
        let len = self.pixels() * self.hidden();
        let weight = self.part(&self.sections.response);
        for (kept, response) in
            kept.chunks_exact(len.max(1)).zip(scratch.response.chunks_exact_mut(len.max(1)))
        {
            // SAFETY: both are the hidden values of one sample.
            unsafe { relu_grn::forward_sample(self.isa, kept, weight, response.as_mut_ptr()) };
        }
    }

    /// Adds the gradients of the weights over a few samples to `of_weights`, or with the first samples
    /// writes all of them whatever stood there; writes the gradient of x.
    ///
    /// - kept: the hidden values of the forward pass
    pub fn backward(
        &self,
        turned: &Turned,
        (x, kept, gradient): (&[f32], &[f32], &[f32]),
        (of_weights, is_first): (&mut [f32], bool),
        of_x: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let (channels, hidden) = (self.geometry.channels, self.hidden());
        let (len, rows) = (self.geometry.sample_len(), x.len() / channels);
        let s = self.sections;
        let one = Threads::One;
        self.mix(x, scratch);
        self.respond(kept, scratch);
        if is_first {
            // The two matrices are written by their products.
            of_weights[..s.expand.start].fill(0.0);
            of_weights[s.expand.end - hidden..s.project.start].fill(0.0);
            of_weights[s.project.end - channels..].fill(0.0);
        }
        scratch.of_hidden.resize(rows * hidden, 0.0);
        scratch.of_mixed.resize(rows * channels, 0.0);

        let (of_project, of_bias) = of_weights[s.project.clone()].split_at_mut(hidden * channels);
        let gradients = Matrix::new(gradient, rows, channels);
        product_on(
            one,
            Matrix::new(&scratch.response, rows, hidden).transposed(),
            gradients,
            of_project,
            !is_first,
        );
        add_rows(gradient, of_bias);
        let project = Matrix::new(&turned.project, channels, hidden);
        product_on(one, gradients, project, &mut scratch.of_hidden, false);

        let scale = &self.part(&s.response)[..hidden];
        for (sample, response) in scratch.response.chunks_exact_mut((EXPANSION * len).max(1)).enumerate() {
            let hidden_values = sample * EXPANSION * len..(sample + 1) * EXPANSION * len;
            let maps = (&kept[hidden_values.clone()], &scratch.of_hidden[hidden_values]);
            let (of_response, out) = (&mut of_weights[s.response.clone()], response.as_mut_ptr());
            // SAFETY: `response` has the length of a sample's hidden values, its own are no longer needed.
            unsafe { relu_grn::add_gradients(self.isa, maps, scale, of_response, out) };
        }

        let (of_expand, of_bias) = of_weights[s.expand.clone()].split_at_mut(channels * hidden);
        let of_hidden = Matrix::new(&scratch.response, rows, hidden);
        let mixed = Matrix::new(&scratch.mixed, rows, channels);
        product_on(one, mixed.transposed(), of_hidden, of_expand, !is_first);
        add_rows(&scratch.response, of_bias);
        let expand = Matrix::new(&turned.expand, hidden, channels);
        product_on(one, of_hidden, expand, &mut scratch.of_mixed, false);

        let norm = self.part(&s.norm);
        if !norm.is_empty() {
            let of_norm = &mut of_weights[s.norm.clone()];
            let rows = scratch.normal.chunks_exact(channels).zip(scratch.of_mixed.chunks_exact_mut(channels));
            let mut of_row = vec![0.0; channels];
            for (row, gradient) in rows {
                row_gradient(row, gradient, &norm[..channels], &mut of_row, of_norm);
                gradient.copy_from_slice(&of_row);
            }
        }
        let taps = self.part(&s.depthwise);
        let maps = x.chunks_exact(len.max(1)).zip(scratch.of_mixed.chunks_exact(len.max(1)));
        for ((x, of_mixed), of_x) in maps.zip(of_x.chunks_exact_mut(len.max(1))) {
            let (of_depthwise, tile) = (&mut of_weights[s.depthwise.clone()], &mut scratch.tile);
            add_tap_gradients(self.isa, self.geometry, (x, of_mixed), of_depthwise, tile);
            let (maps, out) = ((of_mixed, taps), of_x.as_mut_ptr());
            // SAFETY: `of_x` has the length of a sample and belongs to this task.
            unsafe { correlate_sample(self.isa, self.geometry, maps, true, out, tile) };
        }
        of_x.iter_mut().zip(gradient).for_each(|(of_x, gradient)| *of_x += gradient);
    }
}

/// Adds the rows of `values` to `sums`.
fn add_rows(values: &[f32], sums: &mut [f32]) {
    for row in values.chunks_exact(sums.len()) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
}
