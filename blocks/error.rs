//! The one error type of this crate: what ends a run. Expected loss is a status inside a frame instead.

use std::path::PathBuf;

/// Shorthand for this crate's results.
pub type Result<T, E = BlockError> = std::result::Result<T, E>;

/// Why a block cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// A parameter lies outside what is possible; `allowed` says what is.
    #[error("{name} = {found} is not possible: allowed is {allowed}")]
    InvalidParameter {
        /// Name of the parameter as users write it.
        name: &'static str,
        /// The value found.
        found: String,
        /// What would be accepted.
        allowed: String,
    },
    /// Two shapes that must agree do not.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// What was measured.
        what: &'static str,
        /// The shape or length that fits.
        expected: String,
        /// The shape or length found.
        found: String,
    },
    /// A vector to transmit has zero power, so it cannot be normalised.
    #[error("the {what} of {who} is silent: all {len} values are zero")]
    Silent {
        /// Which vector.
        what: &'static str,
        /// Whose vector, such as `user 3` or `group 1`.
        who: String,
        /// Its length.
        len: usize,
    },
    /// A value is NaN or infinite where a finite one is needed.
    #[error("the {what} of {who} holds {value} at position {position}")]
    NotFinite {
        /// Which vector.
        what: &'static str,
        /// Whose vector.
        who: String,
        /// Index of the first offending value.
        position: usize,
        /// The value.
        value: f32,
    },
    /// A file could not be read or written.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong, in one line.
        reason: String,
    },
    /// A source holds no usable image.
    #[error("{path}: no usable image: {reason}", path = path.display())]
    NoImages {
        /// The folder or file searched.
        path: PathBuf,
        /// What was looked for.
        reason: String,
    },
    /// A kernel of another crate failed.
    #[error("{0}")]
    Kernel(String),
}

impl BlockError {
    /// Builds [`BlockError::InvalidParameter`].
    pub fn invalid(name: &'static str, found: impl ToString, allowed: impl Into<String>) -> Self {
        Self::InvalidParameter { name, found: found.to_string(), allowed: allowed.into() }
    }

    /// Builds [`BlockError::Shape`].
    pub fn shape(what: &'static str, expected: impl ToString, found: impl ToString) -> Self {
        Self::Shape { what, expected: expected.to_string(), found: found.to_string() }
    }

    /// Builds [`BlockError::File`].
    pub fn file(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Self::File { path: path.into(), reason: reason.to_string() }
    }
}
