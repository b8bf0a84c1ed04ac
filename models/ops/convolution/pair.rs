//! The two maps of a convolution and the weights between them.

use crate::ops::patches::PatchGrid;

/// A large map `[H, W, C]` that is read or written patch by patch, and a small one `[rows, columns, c]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Patches of one sample's large map.
    pub grid: PatchGrid,
    /// Rows and columns of the small map.
    pub small: (usize, usize),
    /// Channels of the small map.
    pub channels: usize,
    /// Whether the small map is the input: weights are `[c, k k C]`, not `[k k C, c]`.
    pub is_transposed: bool,
}

/// How far apart neighbouring weights lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strides {
    /// From tap to tap of the window, row by row.
    pub tap: usize,
    /// From channel to channel of the large map.
    pub large: usize,
    /// From channel to channel of the small map.
    pub small: usize,
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
        self.small.0 * self.small.1 * self.channels
    }

    /// Values of a sample before and after.
    pub fn lens(&self) -> (usize, usize) {
        match self.is_transposed {
            true => (self.small_len(), self.large_len()),
            false => (self.large_len(), self.small_len()),
        }
    }

    /// Weights without the bias.
    pub fn matrix_len(&self) -> usize {
        self.patch_len() * self.channels
    }

    /// How the weights lie.
    pub fn strides(&self) -> Strides {
        let (large, small) = (self.grid.channels, self.channels);
        match self.is_transposed {
            true => Strides { tap: large, large: 1, small: self.patch_len() },
            false => Strides { tap: large * small, large: small, small: 1 },
        }
    }
}
