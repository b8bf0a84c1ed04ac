//! The one error type of this crate: every failure a sentence that says what to do.

use std::path::PathBuf;

/// Shorthand for this crate's results.
pub type Result<T, E = HwError> = std::result::Result<T, E>;

/// Why a front cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum HwError {
    /// The front is lost, as when its cable is pulled; it may come back.
    #[error("{front} is gone: {reason}")]
    Gone {
        /// Which front.
        front: String,
        /// What was seen.
        reason: String,
    },
    /// Something that arrived was no samples and is passed over; reading on goes on behind it.
    #[error("{front}: {reason}")]
    Garbled {
        /// Which front.
        front: String,
        /// What arrived and what to do, in one line.
        reason: String,
    },
    /// The front cannot be used as asked for; the reason says what can be done.
    #[error("{front}: {reason}")]
    Refused {
        /// Which front, as the user named it.
        front: String,
        /// What is wrong and what to do, in one line.
        reason: String,
    },
    /// A setting lies outside what is possible; `allowed` says what is.
    #[error("{name} = {found} is not possible: allowed is {allowed}")]
    InvalidSetting {
        /// Name of the setting as users write it.
        name: &'static str,
        /// The value found.
        found: String,
        /// What would be accepted.
        allowed: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong, in one line.
        reason: String,
    },
}

impl HwError {
    /// Builds [`HwError::Refused`].
    pub fn refused(front: impl Into<String>, reason: impl ToString) -> Self {
        Self::Refused { front: front.into(), reason: reason.to_string() }
    }

    /// Builds [`HwError::Garbled`].
    pub fn garbled(front: impl Into<String>, reason: impl ToString) -> Self {
        Self::Garbled { front: front.into(), reason: reason.to_string() }
    }

    /// Builds [`HwError::Gone`].
    pub fn gone(front: impl Into<String>, reason: impl ToString) -> Self {
        Self::Gone { front: front.into(), reason: reason.to_string() }
    }

    /// Builds [`HwError::InvalidSetting`].
    pub fn invalid(name: &'static str, found: impl ToString, allowed: impl Into<String>) -> Self {
        Self::InvalidSetting { name, found: found.to_string(), allowed: allowed.into() }
    }

    /// Builds [`HwError::File`].
    pub fn file(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Self::File { path: path.into(), reason: reason.to_string() }
    }
}
