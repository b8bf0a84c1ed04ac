//! Batches whose images come from several sets.

use super::ImageSet;
use crate::Result;
use crate::frame::{ImageBatch, Truth};
use ndarray::{Array4, Axis};

/// Reads each image from its set and puts them in the order asked for.
///
/// Class labels, label maps and groups are kept only where all images come from one set: their numbers mean
/// different things in different sets.
///
/// - locate: the number of the set that an index stands for, and the index there
pub(super) fn compound_batch(
    sets: &[&dyn ImageSet],
    locate: impl Fn(usize) -> (usize, usize),
    frame: u64,
    indices: &[usize],
    (height, width): (usize, usize),
) -> Result<ImageBatch> {
    let mut pixels = Array4::zeros((indices.len(), height, width, 3));
    let mut truth = Truth::default();
    for (number, set) in sets.iter().enumerate() {
        let (places, inner): (Vec<usize>, Vec<usize>) = indices
            .iter()
            .enumerate()
            .map(|(place, index)| (place, locate(*index)))
            .filter_map(|(place, (of, index))| (of == number).then_some((place, index)))
            .unzip();
        if inner.is_empty() {
            continue;
        }
        let part = set.batch(frame, &inner)?;
        for (place, image) in places.iter().zip(part.pixels.axis_iter(Axis(0))) {
            pixels.index_axis_mut(Axis(0), *place).assign(&image);
        }
        if inner.len() == indices.len() {
            truth = part.truth;
        }
    }
    Ok(ImageBatch { frame, pixels, truth })
}
