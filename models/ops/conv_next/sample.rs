//! A residual block on one sample: everything stays in the caches of one core.

use super::weights::{EXPANSION, KERNEL, Sections};
use crate::ops::depthwise::{Geometry, add_tap_gradients, correlate_sample};
use crate::ops::lanes::Isa;
use crate::ops::layer_norm::{normalize_row, row_gradient};
use crate::ops::product::{Matrix, Threads, product_on};
use crate::ops::relu_grn;

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

    fn pixels(&self) -> usize {
        self.geometry.height * self.geometry.width
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
        let maps = (x, self.part(&self.sections.depthwise));
        // SAFETY: `mixed` has the length of a sample and belongs to this task.
        unsafe {
            correlate_sample(
                self.isa,
                self.geometry,
                maps,
                false,
                scratch.mixed.as_mut_ptr(),
                &mut scratch.tile,
            );
        }
        let norm = self.part(&self.sections.norm);
        if !norm.is_empty() {
            scratch.normal.clone_from(&scratch.mixed);
            scratch.mixed.chunks_exact_mut(self.geometry.channels).for_each(|row| normalize_row(row, norm));
        }
    }

    /// out = x + block(x). The hidden values before the ReLU go to `kept`.
    pub fn forward(
        &self,
        x: &[f32],
        kept: &mut [f32],
        out: &mut [f32],
        threads: Threads,
        scratch: &mut Scratch,
    ) {
        let (pixels, channels, hidden) = (self.pixels(), self.geometry.channels, self.hidden());
        self.mix(x, scratch);
        let (weight, bias) = self.part(&self.sections.expand).split_at(channels * hidden);
        kept.chunks_exact_mut(hidden).for_each(|row| row.copy_from_slice(bias));
        let mixed = Matrix::new(&scratch.mixed, pixels, channels);
        product_on(threads, mixed, Matrix::new(weight, channels, hidden), kept, true);
        scratch.response.resize(pixels * hidden, 0.0);
        let response = self.part(&self.sections.response);
        // SAFETY: `response` has the length of `kept` and belongs to this task.
        unsafe { relu_grn::forward_sample(self.isa, kept, response, scratch.response.as_mut_ptr()) };
        let (weight, bias) = self.part(&self.sections.project).split_at(hidden * channels);
        for (out, x) in out.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            out.iter_mut().zip(x.iter().zip(bias)).for_each(|(out, (x, bias))| *out = x + bias);
        }
        let responses = Matrix::new(&scratch.response, pixels, hidden);
        product_on(threads, responses, Matrix::new(weight, hidden, channels), out, true);
    }

    /// Adds the gradients of one sample's weights to `of_weights`, writes that of x.
    ///
    /// - kept: the hidden values of the forward pass
    pub fn backward(
        &self,
        (x, kept, gradient): (&[f32], &[f32], &[f32]),
        of_weights: &mut [f32],
        of_x: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let (pixels, channels, hidden) = (self.pixels(), self.geometry.channels, self.hidden());
        let s = self.sections;
        let one = Threads::One;
        self.mix(x, scratch);
        scratch.response.resize(pixels * hidden, 0.0);
        scratch.of_hidden.resize(pixels * hidden, 0.0);
        scratch.of_mixed.resize(pixels * channels, 0.0);
        let response = self.part(&s.response);
        // SAFETY: both buffers have the length of `kept` and belong to this task.
        unsafe { relu_grn::forward_sample(self.isa, kept, response, scratch.response.as_mut_ptr()) };

        let (of_project, of_bias) = of_weights[s.project.clone()].split_at_mut(hidden * channels);
        let gradients = Matrix::new(gradient, pixels, channels);
        product_on(
            one,
            Matrix::new(&scratch.response, pixels, hidden).transposed(),
            gradients,
            of_project,
            true,
        );
        add_rows(gradient, of_bias);
        let project = Matrix::new(&self.part(&s.project)[..hidden * channels], hidden, channels);
        product_on(one, gradients, project.transposed(), &mut scratch.of_hidden, false);

        let scale = &response[..hidden];
        let of_response = &mut of_weights[s.response.clone()];
        let out = scratch.response.as_mut_ptr();
        // SAFETY: `response` has the length of `kept`; its own values are no longer needed.
        unsafe { relu_grn::add_gradients(self.isa, (kept, &scratch.of_hidden), scale, of_response, out) };

        let (of_expand, of_bias) = of_weights[s.expand.clone()].split_at_mut(channels * hidden);
        let of_hidden = Matrix::new(&scratch.response, pixels, hidden);
        product_on(
            one,
            Matrix::new(&scratch.mixed, pixels, channels).transposed(),
            of_hidden,
            of_expand,
            true,
        );
        add_rows(&scratch.response, of_bias);
        let expand = Matrix::new(&self.part(&s.expand)[..channels * hidden], channels, hidden);
        product_on(one, of_hidden, expand.transposed(), &mut scratch.of_mixed, false);

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
        let of_depthwise = &mut of_weights[s.depthwise.clone()];
        add_tap_gradients(self.isa, self.geometry, (x, &scratch.of_mixed), of_depthwise, &mut scratch.tile);
        let maps = (&scratch.of_mixed[..], self.part(&s.depthwise));
        // SAFETY: `of_x` has the length of a sample and belongs to this task.
        unsafe {
            correlate_sample(self.isa, self.geometry, maps, true, of_x.as_mut_ptr(), &mut scratch.tile)
        };
        of_x.iter_mut().zip(gradient).for_each(|(of_x, gradient)| *of_x += gradient);
    }
}

/// Adds the rows of `values` to `sums`.
fn add_rows(values: &[f32], sums: &mut [f32]) {
    for row in values.chunks_exact(sums.len()) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
}
