//! A convolution with its sizes known, on the processor.

use super::few::{Pair, Scratch};
use crate::ops::product::Threads;
use crate::ops::shared_out::SharedOut;
use crate::ops::transpose::transpose;
use rayon::prelude::*;

/// Fewest samples whose weight gradients are summed in one task, and values of all partial sums at most:
/// fixed, so that the number of threads changes no bit of the sum.
const SAMPLES_PER_SUM: usize = 5;
const PARTIAL_VALUES: usize = 1 << 25;
/// Weights whose gradients are added up in one task.
const WEIGHTS_PER_TASK: usize = 1 << 14;

/// A call with its sizes known.
#[derive(Clone, Copy)]
pub struct Call {
    /// Samples.
    pub batch: usize,
    /// The two maps.
    pub pair: Pair,
    /// Whether the small map is the input.
    pub is_transposed: bool,
    /// Of the result.
    pub shape: [usize; 4],
}

impl Call {
    /// Values of a sample before and after.
    fn lens(&self) -> (usize, usize) {
        let (large, small) = (self.pair.large_len(), self.pair.small_len());
        if self.is_transposed { (small, large) } else { (large, small) }
    }

    /// The result.
    pub fn forward(&self, x: &[f32], weight: &[f32]) -> Vec<f32> {
        let (from, to) = self.lens();
        let (weight, bias) = weight.split_at(self.pair.channels * self.pair.patch_len());
        let few = self.pair.samples_per_product();
        let tasks = self.batch.div_ceil(few);
        let mut output = SharedOut::new(self.batch * to);
        let out = &output;
        let run = |task: usize, threads: Threads, scratch: &mut Scratch| {
            let (first, last) = (task * few, self.batch.min((task + 1) * few));
            let x = &x[first * from..last * from];
            // SAFETY: each task has its own samples, and the bias is written everywhere.
            let out = unsafe { std::slice::from_raw_parts_mut(out.at(first * to), (last - first) * to) };
            out.chunks_exact_mut(bias.len().max(1)).for_each(|pixel| pixel.copy_from_slice(bias));
            match self.is_transposed {
                false => self.pair.shrink(threads, x, weight, out, scratch),
                true => self.pair.grow(threads, x, weight, out, scratch),
            }
        };
        if tasks < rayon::current_num_threads() {
            let mut scratch = Scratch::default();
            (0..tasks).for_each(|task| run(task, Threads::Pool, &mut scratch));
        } else {
            (0..tasks)
                .into_par_iter()
                .for_each_init(Scratch::default, |scratch, task| run(task, Threads::One, scratch));
        }
        output.take()
    }

    /// One flat vector: the gradient of x, then that of the weight.
    pub fn gradients(&self, x: &[f32], weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (from, to) = self.lens();
        let (channels, patch) = (self.pair.channels, self.pair.patch_len());
        let matrix = &weight[..channels * patch];
        let turned = match self.is_transposed {
            false => transpose(matrix, patch, channels),
            true => transpose(matrix, channels, patch),
        };
        let (few, per_sum) = (self.pair.samples_per_product(), self.samples_per_sum(weight.len()));
        let mut packed = SharedOut::new(self.batch * from + weight.len());
        let out = &packed;
        let parts: Vec<Vec<f32>> = (0..self.batch.div_ceil(per_sum))
            .into_par_iter()
            .map_init(Scratch::default, |scratch, task| {
                let mut sums = vec![0.0; weight.len()];
                let last = self.batch.min((task + 1) * per_sum);
                for first in (task * per_sum..last).step_by(few) {
                    let end = last.min(first + few);
                    let (x, gradient) = (&x[first * from..end * from], &gradient[first * to..end * to]);
                    let is_first = first == task * per_sum;
                    // SAFETY: each task has its own samples.
                    let of_x =
                        unsafe { std::slice::from_raw_parts_mut(out.at(first * from), (end - first) * from) };
                    of_x.fill(0.0);
                    let (of_matrix, of_bias) = sums.split_at_mut(channels * patch);
                    let (pair, one) = (&self.pair, Threads::One);
                    if self.is_transposed {
                        pair.correlate(gradient, x, of_matrix, !is_first, scratch);
                        pair.shrink(one, gradient, &turned, of_x, scratch);
                    } else {
                        pair.correlate(x, gradient, of_matrix, !is_first, scratch);
                        pair.grow(one, gradient, &turned, of_x, scratch);
                    }
                    for pixel in gradient.chunks_exact(of_bias.len().max(1)) {
                        of_bias.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
                    }
                }
                sums
            })
            .collect();
        let mut total = vec![0.0; weight.len()];
        total.par_chunks_mut(WEIGHTS_PER_TASK).enumerate().for_each(|(task, total)| {
            for part in &parts {
                let part = &part[task * WEIGHTS_PER_TASK..];
                total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
            }
        });
        if !self.is_transposed {
            let matrix = transpose(&total[..channels * patch], channels, patch);
            total[..channels * patch].copy_from_slice(&matrix);
        }
        // SAFETY: the tasks have ended, and this is what stands behind the gradient of x.
        let of_weight = unsafe { std::slice::from_raw_parts_mut(packed.at(self.batch * from), weight.len()) };
        of_weight.copy_from_slice(&total);
        packed.take()
    }

    /// Samples whose weight gradients are summed in one task: more where weights are large.
    fn samples_per_sum(&self, weights: usize) -> usize {
        let most_parts = (PARTIAL_VALUES / weights.max(1)).max(1);
        self.batch.div_ceil(most_parts).max(SAMPLES_PER_SUM)
    }
}
