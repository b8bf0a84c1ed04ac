//! Which values of one map each value of another is summed from.
//!
//! The small map reads the large one window by window. The large one reads the small one too: a pixel lies in
//! windows of every `stride`-th tap only, so pixels of equal position modulo the stride, a phase, read with the same
//! taps, in reverse order. In both directions the values under a row of taps stand side by side in a map with
//! zeros around it, and nothing is gathered.

use super::pair::Pair;
use std::ops::Range;

/// Positions of a band of rows, about: so many dot products share the weights in a cache.
const BAND_POSITIONS: usize = 512;
/// Rows of a band at least: their windows overlap.
const LEAST_ROWS: usize = 8;

/// Height, width, channels.
type Size = (usize, usize, usize);

/// One direction of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// The map that is read.
    pub source: Size,
    /// The map that is summed up.
    pub target: Size,
    /// Zeros before the first row and column of the source.
    before: usize,
    /// Source rows, or columns, from an index to the next.
    step: usize,
    /// Source rows, or columns, that one index reads in all phases.
    reach: usize,
    /// Target rows, or columns, of one index.
    target_step: usize,
    /// Indices of rows and columns, over all phases.
    indices: (usize, usize),
    /// In the order in which they are computed.
    pub phases: Vec<Phase>,
}

/// Target pixels that read with the same taps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// What index (0, 0) reads first, in the source with its zeros, and writes.
    first: (usize, usize),
    target: (usize, usize),
    /// Rows and columns of indices.
    indices: (usize, usize),
    /// The window's taps by rows, and of each row by columns, in the order of the source.
    pub taps: (Vec<usize>, Vec<usize>),
}

/// Where a dot product reads and writes: numbers of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// In the band's source.
    pub source: usize,
    /// In the sample's target.
    pub target: usize,
}

impl Geometry {
    /// The small map from the large one.
    pub fn shrinking(pair: &Pair) -> Self {
        let (grid, taps) = (pair.grid, Vec::from_iter(0..pair.grid.kernel));
        let phase = Phase { first: (0, 0), target: (0, 0), indices: pair.small, taps: (taps.clone(), taps) };
        Self {
            source: (grid.height, grid.width, grid.channels),
            target: (pair.small.0, pair.small.1, pair.channels),
            before: grid.padding,
            step: grid.stride,
            reach: grid.kernel,
            target_step: 1,
            indices: pair.small,
            phases: vec![phase],
        }
    }

    /// The large map from the small one.
    pub fn growing(pair: &Pair) -> Self {
        let (grid, stride) = (pair.grid, pair.grid.stride);
        let before = grid.kernel.div_ceil(stride) - 1;
        // Of an offset below the stride: taps, in the order of the small map, and where the first one reads.
        let along = |offset: usize| {
            let mut taps: Vec<usize> =
                ((offset + grid.padding) % stride..grid.kernel).step_by(stride).collect();
            taps.reverse();
            // A window has at most before + 1 taps of a phase.
            let first = before + 1 - taps.len() + (offset + grid.padding) / stride;
            (taps, first)
        };
        let indices = |side: usize, offset: usize| side.saturating_sub(offset).div_ceil(stride);
        let mut phases = Vec::new();
        let (high, wide) = (stride.min(grid.height), stride.min(grid.width));
        for (y, x) in (0..high).flat_map(|y| (0..wide).map(move |x| (y, x))) {
            let ((rows, top), (columns, left)) = (along(y), along(x));
            let indices = (indices(grid.height, y), indices(grid.width, x));
            if !rows.is_empty() && !columns.is_empty() {
                phases.push(Phase { first: (top, left), target: (y, x), indices, taps: (rows, columns) });
            }
        }
        Self {
            source: (pair.small.0, pair.small.1, pair.channels),
            target: (grid.height, grid.width, grid.channels),
            before,
            step: 1,
            reach: before + grid.padding.div_ceil(stride) + 1,
            target_step: stride,
            indices: (indices(grid.height, 0), indices(grid.width, 0)),
            phases,
        }
    }

    /// Rows of indices, cut into bands: a matter of sizes alone.
    pub fn bands(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, columns) = self.indices;
        let height = (BAND_POSITIONS / columns.max(1)).max(LEAST_ROWS);
        (0..rows).step_by(height).map(move |first| first..rows.min(first + height))
    }

    /// The values of the target that a band writes, in all phases.
    pub fn written(&self, band: &Range<usize>) -> Range<usize> {
        let row = self.target.1 * self.target.2;
        let at = |index: usize| (index * self.target_step).min(self.target.0) * row;
        at(band.start)..at(band.end)
    }

    /// Values from a row of a band's source to the next.
    pub fn row_len(&self) -> usize {
        (self.indices.1.saturating_sub(1) * self.step + self.reach) * self.source.2
    }

    /// The source rows that a band reads, with zeros around the map.
    pub fn copy_band(&self, map: &[f32], band: &Range<usize>, to: &mut Vec<f32>) {
        let (height, width, channels) = self.source;
        let rows = (band.len().saturating_sub(1)) * self.step + self.reach;
        to.clear();
        to.resize(rows * self.row_len(), 0.0);
        let row_len = self.row_len();
        let margin = (self.before * channels).min(row_len);
        let len = (width * channels).min(row_len.saturating_sub(margin));
        for (row, to) in to.chunks_exact_mut(row_len.max(1)).enumerate() {
            let from = (band.start * self.step + row).checked_sub(self.before);
            if let Some(from) = from.filter(|from| *from < height) {
                to[margin..margin + len].copy_from_slice(&map[from * width * channels..][..len]);
            }
        }
    }

    /// The places of a phase in a band, row by row.
    pub fn places(&self, phase: &Phase, band: &Range<usize>, places: &mut Vec<Place>) {
        let (from, to) = (self.source.2, self.target.2);
        places.clear();
        for row in band.start..band.end.min(phase.indices.0) {
            let source =
                (phase.first.0 + (row - band.start) * self.step) * self.row_len() + phase.first.1 * from;
            let target = ((phase.target.0 + row * self.target_step) * self.target.1 + phase.target.1) * to;
            places.extend((0..phase.indices.1).map(|column| Place {
                source: source + column * self.step * from,
                target: target + column * self.target_step * to,
            }));
        }
    }
}
