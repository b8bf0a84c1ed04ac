//! One direction of a convolution with its weights laid down for it.

use super::dots::{Dots, Runs};
use super::geometry::{Geometry, Phase, Place};
use super::pair::Pair;
use super::panels::Panels;
use crate::ops::lanes;
use sememe_blocks::isa::Isa;
use std::ops::Range;

/// One direction with its weights laid down.
pub struct Direction {
    /// Runs on it.
    pub isa: Isa,
    /// What reads what.
    pub geometry: Geometry,
    weights: Vec<Panels>,
}

/// Memory of one task, reused from call to call.
#[derive(Default)]
pub struct Scratch {
    /// A band of the source, with zeros around it.
    pub band: Vec<f32>,
    /// What reads there.
    pub places: Vec<Place>,
    /// A row of the gradient for each of these places.
    pub gradient: Panels,
}

impl Direction {
    /// Lays down the weights of a direction.
    ///
    /// - grows: whether the large map is summed up from the small one
    /// - matrix: weights without bias, as the pair has them
    pub fn new(pair: &Pair, grows: bool, matrix: &[f32]) -> Self {
        let isa = Isa::detect();
        let geometry = if grows { Geometry::growing(pair) } else { Geometry::shrinking(pair) };
        let (channels, columns) = (geometry.source.2, geometry.target.2);
        let strides = pair.strides();
        let (from, to) = match grows {
            true => (strides.small, strides.large),
            false => (strides.large, strides.small),
        };
        let lay_down = |phase: &Phase| {
            let (rows, across) = &phase.taps;
            let taps = rows.iter().flat_map(|ky| across.iter().map(move |kx| ky * pair.grid.kernel + kx));
            let mut panels = Panels::zeros(rows.len() * across.len() * channels, columns, lanes::count(isa));
            if matrix.is_empty() {
                return panels;
            }
            for (at, tap) in taps.enumerate() {
                for channel in 0..channels {
                    let first = tap * strides.tap + channel * from;
                    panels.put(at * channels + channel, &matrix[first..], to);
                }
            }
            panels
        };
        let weights = geometry.phases.iter().map(lay_down).collect();
        Self { isa, geometry, weights }
    }

    /// Adds to the values of a band of one sample's target.
    ///
    /// # Safety
    /// `target` is valid for a sample, and nobody else writes to the band.
    pub unsafe fn add(&self, source: &[f32], band: &Range<usize>, target: *mut f32, scratch: &mut Scratch) {
        let geometry = &self.geometry;
        geometry.copy_band(source, band, &mut scratch.band);
        for (phase, weights) in geometry.phases.iter().zip(&self.weights) {
            geometry.places(phase, band, &mut scratch.places);
            let runs = runs(geometry, phase);
            let (places, source) = (&scratch.places[..], &scratch.band[..]);
            lanes::run(self.isa, Dots { runs, places, source, weights, target });
        }
    }
}

/// The taps of a phase as runs of values.
pub fn runs(geometry: &Geometry, phase: &Phase) -> Runs {
    let (rows, columns) = &phase.taps;
    Runs { rows: rows.len(), len: columns.len() * geometry.source.2, step: geometry.row_len() }
}
