//! Both convolutions on a few samples: strips of their patches stay in the caches of one core.

use crate::ops::patches::{PatchGrid, gather_map, scatter_map};
use crate::ops::product::{Matrix, Threads, product_on};

/// Rows of a product that are worth the packing of its weights; small maps share a product.
const PRODUCT_ROWS: usize = 320;

/// Values of the patches that are laid down at a time, and positions at least: fixed, as above.
const STRIP_VALUES: usize = 1 << 18;
const LEAST_STRIP: usize = 96;

/// A large map `[H, W, C]` that is read or written patch by patch, and a small one `[rows, columns, c]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Patches of one sample's large map.
    pub grid: PatchGrid,
    /// Patches of a sample: positions of the small map.
    pub positions: usize,
    /// Channels of the small map.
    pub channels: usize,
}

/// Memory of one task, reused from call to call.
#[derive(Default)]
pub struct Scratch {
    patches: Vec<f32>,
}

impl Pair {
    /// Values of a patch.
    pub fn patch_len(&self) -> usize {
        self.grid.kernel * self.grid.kernel * self.grid.channels
    }

    /// Values of a sample's large map.
    pub fn large_len(&self) -> usize {
        self.grid.height * self.grid.width * self.grid.channels
    }

    /// Values of a sample's small map.
    pub fn small_len(&self) -> usize {
        self.positions * self.channels
    }

    /// Samples that share a product: a matter of sizes alone, so that the number of threads changes no bit.
    pub fn samples_per_product(&self) -> usize {
        (PRODUCT_ROWS / self.positions.max(1)).max(1)
    }

    /// Positions whose patches are laid down at a time, over all samples of a call one after the other.
    fn strip(&self) -> usize {
        (STRIP_VALUES / self.patch_len().max(1)).max(LEAST_STRIP)
    }

    /// Cuts the positions of some samples into strips and calls `visit(first, count)` for each.
    fn strips(&self, samples: usize, mut visit: impl FnMut(usize, usize)) {
        let all = samples * self.positions;
        for first in (0..all).step_by(self.strip()) {
            visit(first, self.strip().min(all - first));
        }
    }

    /// Of a strip, the samples in it: number, first position, positions.
    fn samples_of(&self, first: usize, count: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        let (positions, end) = (self.positions, first + count);
        (first / positions..end.div_ceil(positions)).map(move |sample| {
            let start = first.max(sample * positions);
            (sample, start - sample * positions, end.min((sample + 1) * positions) - start)
        })
    }

    /// The patches of a strip.
    fn gather<'a>(&self, large: &[f32], first: usize, count: usize, scratch: &'a mut Scratch) -> &'a [f32] {
        let len = self.patch_len();
        scratch.patches.resize(count * len, 0.0);
        let mut rest = &mut scratch.patches[..];
        for (sample, position, count) in self.samples_of(first, count) {
            let (patches, others) = rest.split_at_mut(count * len);
            let map = &large[sample * self.large_len()..][..self.large_len()];
            gather_map(self.grid, map, position, patches);
            rest = others;
        }
        &scratch.patches
    }

    /// small = patches(large) W, added to what stands there.
    ///
    /// - weight `[patch, c]`
    pub fn shrink(
        &self,
        threads: Threads,
        large: &[f32],
        weight: &[f32],
        small: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let weight = Matrix::new(weight, self.patch_len(), self.channels);
        self.strips(small.len() / self.small_len().max(1), |first, count| {
            let patches = Matrix::new(self.gather(large, first, count, scratch), count, self.patch_len());
            let small = &mut small[first * self.channels..][..count * self.channels];
            product_on(threads, patches, weight, small, true);
        });
    }

    /// large = scattered(small W), added to what stands there.
    ///
    /// - weight `[c, patch]`
    pub fn grow(
        &self,
        threads: Threads,
        small: &[f32],
        weight: &[f32],
        large: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let len = self.patch_len();
        let weight = Matrix::new(weight, self.channels, len);
        self.strips(small.len() / self.small_len().max(1), |first, count| {
            scratch.patches.resize(count * len, 0.0);
            let small = Matrix::new(&small[first * self.channels..], count, self.channels);
            product_on(threads, small, weight, &mut scratch.patches, false);
            let mut rest = &scratch.patches[..];
            for (sample, position, count) in self.samples_of(first, count) {
                let (patches, others) = rest.split_at(count * len);
                let map = &mut large[sample * self.large_len()..][..self.large_len()];
                scatter_map(self.grid, patches, position, map);
                rest = others;
            }
        });
    }

    /// The gradient of a weight `[c, patch]`: small^T patches(large), added or written.
    ///
    /// That of a weight `[patch, c]` is its transpose: turning it once costs less than reading patches by column.
    pub fn correlate(
        &self,
        large: &[f32],
        small: &[f32],
        of_weight: &mut [f32],
        add: bool,
        scratch: &mut Scratch,
    ) {
        self.strips(small.len() / self.small_len().max(1), |first, count| {
            let patches = Matrix::new(self.gather(large, first, count, scratch), count, self.patch_len());
            let small = Matrix::new(&small[first * self.channels..], count, self.channels);
            product_on(Threads::One, small.transposed(), patches, of_weight, add || first > 0);
        });
    }
}
