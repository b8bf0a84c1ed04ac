//! A convolution with its sizes known, on the processor.

use super::direction::{Direction, Scratch, runs};
use super::dots::OuterProducts;
use super::geometry::Geometry;
use super::pair::Pair;
use super::panels::Panels;
use crate::ops::lanes;
use crate::ops::patches::PatchGrid;
use crate::ops::shared_out::SharedOut;
use candle_core::{Result, bail};
use rayon::prelude::*;
use sememe_blocks::isa::Isa;
use std::ops::Range;

/// Fewest samples whose weight gradients are summed in one task, and values of all partial sums at most:
/// fixed, so that the number of threads changes no bit of the sum.
const SAMPLES_PER_SUM: usize = 5;
const PARTIAL_VALUES: usize = 1 << 25;
/// Bound on the values of a tensor, so that no size overflows.
const MOST_VALUES: usize = 1 << 46;
/// Values of the widest register there is.
const WIDEST_REGISTER: usize = 16;
/// Weights whose gradients are added up in one task.
const WEIGHTS_PER_TASK: usize = 1 << 14;

/// A call with its sizes known.
#[derive(Clone, Copy)]
pub struct Call {
    /// Samples.
    pub batch: usize,
    /// The two maps.
    pub pair: Pair,
    /// Of the result.
    pub shape: [usize; 4],
}

impl Call {
    /// - errors: more values than memory can have
    pub fn new(op: &str, pair: Pair, shape: [usize; 4]) -> Result<Self> {
        let PatchGrid { height, width, channels, kernel, padding, .. } = pair.grid;
        let side = |len: usize| len.saturating_add(padding.saturating_mul(2));
        let maps = [shape[0], side(height), side(width), channels];
        let small = [shape[0], pair.small.0, pair.small.1, pair.channels];
        let weights = [kernel, kernel, channels, pair.channels];
        for sizes in [maps, small, weights, shape] {
            // Sizes of zero would hide the others, of which products are made too.
            let product = sizes.iter().try_fold(1usize, |product, size| product.checked_mul(*size.max(&1)));
            if product.is_none_or(|product| product > MOST_VALUES) {
                bail!("{op}: maps or weights of {sizes:?} values are too large")
            }
        }
        Ok(Self { batch: shape[0], pair, shape })
    }

    /// The result.
    pub fn forward(&self, x: &[f32], weight: &[f32]) -> Vec<f32> {
        let (from, to) = self.pair.lens();
        let (matrix, bias) = weight.split_at(self.pair.matrix_len());
        let direction = Direction::new(&self.pair, self.pair.is_transposed, matrix);
        let bands: Vec<_> = direction.geometry.bands().collect();
        let mut output = SharedOut::new(self.batch * to);
        let out = &output;
        (0..self.batch * bands.len()).into_par_iter().for_each_init(Scratch::default, |scratch, task| {
            let (sample, band) = (task / bands.len(), &bands[task % bands.len()]);
            let written = direction.geometry.written(band);
            // SAFETY: each task has a band of its own, and the bias is written everywhere.
            unsafe {
                let target = out.at(sample * to);
                let band_of = std::slice::from_raw_parts_mut(target.add(written.start), written.len());
                band_of.chunks_exact_mut(bias.len().max(1)).for_each(|pixel| pixel.copy_from_slice(bias));
                direction.add(&x[sample * from..][..from], band, target, scratch);
            }
        });
        output.take()
    }

    /// One flat vector: the gradient of x where it is wanted, then that of the weight.
    pub fn gradients(&self, x: &[f32], weight: &[f32], gradient: &[f32], wants_x: bool) -> Vec<f32> {
        let (from, to) = self.pair.lens();
        let len_of_x = if wants_x { self.batch * from } else { 0 };
        let (matrix, bias) = weight.split_at(self.pair.matrix_len());
        let back = wants_x.then(|| Direction::new(&self.pair, !self.pair.is_transposed, matrix));
        let windows = Geometry::shrinking(&self.pair);
        let isa = Isa::detect();
        let per_sum = self.samples_per_sum();
        let mut packed = SharedOut::new(len_of_x + weight.len());
        let out = &packed;
        let parts: Vec<(Panels, Vec<f64>)> = (0..self.batch.div_ceil(per_sum))
            .into_par_iter()
            .map_init(Scratch::default, |scratch, task| {
                let (rows, columns) = (self.pair.patch_len(), self.pair.channels);
                let mut sums = Panels::zeros(rows, columns, lanes::count(isa));
                let mut of_bias = vec![0.0; bias.len()];
                for sample in task * per_sum..self.batch.min((task + 1) * per_sum) {
                    let (x, gradient) = (&x[sample * from..][..from], &gradient[sample * to..][..to]);
                    let (large, small) = if self.pair.is_transposed { (gradient, x) } else { (x, gradient) };
                    for band in windows.bands() {
                        self.add_outer_products(isa, &windows, (large, small), &band, &mut sums, scratch);
                    }
                    if let Some(back) = &back {
                        // SAFETY: each task has samples of its own.
                        unsafe { write_of_x(back, gradient, out.at(sample * from), from, scratch) };
                    }
                    for pixel in gradient.chunks_exact(of_bias.len().max(1)) {
                        of_bias.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += f64::from(*value));
                    }
                }
                (sums, of_bias)
            })
            .collect();
        // SAFETY: the tasks have ended, and this is what stands behind the gradient of x.
        let of_weight = unsafe { std::slice::from_raw_parts_mut(packed.at(len_of_x), weight.len()) };
        let (of_matrix, of_bias) = of_weight.split_at_mut(matrix.len());
        self.write_sum(parts.iter().map(|(sums, _)| sums).collect(), of_matrix);
        for (at, of_bias) in of_bias.iter_mut().enumerate() {
            *of_bias = parts.iter().map(|(_, part)| part[at]).sum::<f64>() as f32;
        }
        packed.take()
    }

    /// Adds patches(large)^T small over a band of the small map.
    fn add_outer_products(
        &self,
        isa: Isa,
        windows: &Geometry,
        (large, small): (&[f32], &[f32]),
        band: &Range<usize>,
        sums: &mut Panels,
        scratch: &mut Scratch,
    ) {
        windows.copy_band(large, band, &mut scratch.band);
        let small = &small[windows.written(band)];
        let phase = &windows.phases[0];
        windows.places(phase, band, &mut scratch.places);
        scratch.gradient.reset(scratch.places.len(), self.pair.channels, lanes::count(isa));
        for (row, pixel) in small.chunks_exact(self.pair.channels.max(1)).enumerate() {
            scratch.gradient.put(row, pixel, 1);
        }
        let (places, source, gradient) = (&scratch.places[..], &scratch.band[..], &scratch.gradient);
        lanes::run(isa, OuterProducts { runs: runs(windows, phase), places, source, gradient, sums });
    }

    /// The sum of all parts, laid down as the weights are.
    fn write_sum(&self, parts: Vec<&Panels>, of_matrix: &mut [f32]) {
        let Some(first) = parts.first().filter(|_| !of_matrix.is_empty()) else {
            return of_matrix.fill(0.0);
        };
        let mut total = (*first).clone();
        total.values.par_chunks_mut(WEIGHTS_PER_TASK).enumerate().for_each(|(task, total)| {
            for part in &parts[1..] {
                let part = &part.values[task * WEIGHTS_PER_TASK..];
                total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
            }
        });
        let (strides, channels) = (self.pair.strides(), self.pair.grid.channels);
        for row in 0..self.pair.patch_len() {
            let first = row / channels * strides.tap + row % channels * strides.large;
            total.get(row, &mut of_matrix[first..], strides.small);
        }
    }

    /// Samples whose weight gradients are summed in one task: more where weights are large.
    fn samples_per_sum(&self) -> usize {
        // As many columns as the widest registers lay down: the same on every machine.
        let part = self.pair.patch_len() * self.pair.channels.next_multiple_of(WIDEST_REGISTER);
        let most_parts = (PARTIAL_VALUES / part.max(1)).max(1);
        self.batch.div_ceil(most_parts).max(SAMPLES_PER_SUM)
    }
}

/// The gradient of one sample's x.
///
/// # Safety
/// `of_x` is valid for `len` values, and nobody else writes there.
unsafe fn write_of_x(back: &Direction, gradient: &[f32], of_x: *mut f32, len: usize, scratch: &mut Scratch) {
    unsafe {
        std::slice::from_raw_parts_mut(of_x, len).fill(0.0);
        back.geometry.bands().for_each(|band| back.add(gradient, &band, of_x, scratch));
    }
}
