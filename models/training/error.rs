//! Why a training run cannot start or go on.

use crate::tensor_error::in_one_line;
use sememe_blocks::BlockError;
use std::path::PathBuf;

/// Errors of training.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The training file asks for something impossible.
    #[error("{0}")]
    Config(String),
    /// An image source or a budget refuses.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// A tensor operation failed: a defect, or memory ran out.
    #[error("tensor operation: {}", in_one_line(.0))]
    Tensor(#[from] candle_core::Error),
    /// A file could not be read or written.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// The loss is no longer a number.
    #[error("the loss became {loss} in step {step}: lower optimizer.learning_rate or set optimizer.clip")]
    Diverged {
        /// Step in which it happened.
        step: u64,
        /// The value.
        loss: f32,
    },
    /// The gradient is no longer a number.
    #[error(
        "the length of the gradient became {norm} in step {step}: lower optimizer.learning_rate or set \
         optimizer.clip"
    )]
    GradientDiverged {
        /// Step in which it happened.
        step: u64,
        /// The length.
        norm: f64,
    },
}

impl TrainingError {
    /// Builds [`TrainingError::File`].
    pub fn file(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Self::File { path: path.into(), reason: reason.to_string() }
    }
}
