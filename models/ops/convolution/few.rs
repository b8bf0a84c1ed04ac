//! Both convolutions on a few samples: their patches stay in the caches of one core.

use crate::ops::patches::{PatchGrid, gather_map, scatter_map};
use crate::ops::product::{Matrix, Threads, product_on};

/// Rows of a product that are worth the packing of its weights; small maps share a product.
const PRODUCT_ROWS: usize = 320;

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

    fn gather<'a>(&self, large: &[f32], scratch: &'a mut Scratch) -> &'a mut [f32] {
        let len = self.positions * self.patch_len();
        let samples = large.len() / self.large_len().max(1);
        scratch.patches.resize(samples * len, 0.0);
        let maps = large.chunks_exact(self.large_len().max(1));
        for (map, patches) in maps.zip(scratch.patches.chunks_exact_mut(len.max(1))) {
            gather_map(self.grid, map, patches);
        }
        &mut scratch.patches
    }

    fn scatter(&self, patches: &[f32], large: &mut [f32]) {
        let len = self.positions * self.patch_len();
        for (patches, map) in
            patches.chunks_exact(len.max(1)).zip(large.chunks_exact_mut(self.large_len().max(1)))
        {
            scatter_map(self.grid, patches, map);
        }
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
        let rows = small.len() / self.channels.max(1);
        let patches = self.gather(large, scratch);
        let weight = Matrix::new(weight, self.patch_len(), self.channels);
        product_on(threads, Matrix::new(patches, rows, self.patch_len()), weight, small, true);
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
        let rows = small.len() / self.channels.max(1);
        scratch.patches.resize(rows * self.patch_len(), 0.0);
        let weight = Matrix::new(weight, self.channels, self.patch_len());
        product_on(threads, Matrix::new(small, rows, self.channels), weight, &mut scratch.patches, false);
        self.scatter(&scratch.patches, large);
    }

    /// The gradient of a weight `[patch, c]`: patches(large)^T small, added or written.
    pub fn correlate(
        &self,
        large: &[f32],
        small: &[f32],
        of_weight: &mut [f32],
        add: bool,
        scratch: &mut Scratch,
    ) {
        let rows = small.len() / self.channels.max(1);
        let patches = self.gather(large, scratch);
        let patches = Matrix::new(patches, rows, self.patch_len());
        product_on(
            Threads::One,
            patches.transposed(),
            Matrix::new(small, rows, self.channels),
            of_weight,
            add,
        );
    }

    /// The same for a weight `[c, patch]`: small^T patches(large).
    pub fn correlate_transposed(
        &self,
        large: &[f32],
        small: &[f32],
        of_weight: &mut [f32],
        add: bool,
        scratch: &mut Scratch,
    ) {
        let rows = small.len() / self.channels.max(1);
        let patches = self.gather(large, scratch);
        let patches = Matrix::new(patches, rows, self.patch_len());
        let small = Matrix::new(small, rows, self.channels);
        product_on(Threads::One, small.transposed(), patches, of_weight, add);
    }
}
