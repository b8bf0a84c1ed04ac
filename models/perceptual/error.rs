//! Why a perceptual distance cannot be computed.

use crate::tensor_error::in_one_line;
use crate::weights::WeightsError;
use std::path::PathBuf;

/// Errors of perceptual metrics.
#[derive(Debug, thiserror::Error)]
pub enum PerceptualError {
    /// A weights file cannot be read.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: WeightsError,
    },
    /// A weights file lacks a tensor.
    #[error("{path}: no tensor {tensor}", path = path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
    },
    /// A tensor does not fit the network.
    #[error("{path}: tensor {tensor} has shape {found:?}, expected {expected:?}", path = path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that fits.
        expected: Vec<usize>,
    },
    /// Two batches that are not pairs of RGB images.
    #[error("images of shapes {first:?} and {second:?}: allowed are two equal shapes [K, H, W, 3]")]
    Pair {
        /// Shape of the first batch.
        first: [usize; 4],
        /// Shape of the second batch.
        second: [usize; 4],
    },
    /// Images too small for the network.
    #[error("images of {height} x {width} pixels: allowed are at least {min} x {min}")]
    Small {
        /// Height found.
        height: usize,
        /// Width found.
        width: usize,
        /// Smallest side.
        min: usize,
    },
    /// The weights lead to numbers without bounds.
    #[error("the distance of pair {pair} is {value}: the weights are unusable")]
    NotFinite {
        /// Index of the pair.
        pair: usize,
        /// The value.
        value: f32,
    },
    /// A tensor operation failed: a defect, or memory ran out.
    #[error("tensor operation: {}", in_one_line(.0))]
    Tensor(#[from] candle_core::Error),
}
