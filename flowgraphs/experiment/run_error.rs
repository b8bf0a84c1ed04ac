//! How a run can fail, and with which exit code.

use super::ConfigError;
use crate::adapters::GraphError;
use std::path::Path;

/// What the process returns where everything went well.
pub const EXIT_OK: u8 = 0;
/// A run failed.
pub const EXIT_FAILED: u8 = 1;
/// The configuration, an argument or an input file cannot be used; nothing was run.
pub const EXIT_BAD_INPUT: u8 = 2;
/// Stopped by Ctrl-C; what was finished is kept.
pub const EXIT_INTERRUPTED: u8 = 130;

/// Why there is no, or no whole, result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The input cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An argument cannot be used.
    #[error("{0}")]
    Usage(String),
    /// A link failed at a point.
    #[error("{point}: {reason}")]
    Link {
        /// Link, channel and SNR.
        point: String,
        /// The block that failed and why.
        reason: Box<GraphError>,
    },
    /// A file could not be written or drawn.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What went wrong.
        reason: String,
    },
    /// Anything else that ends a run.
    #[error("{0}")]
    Failed(String),
}

impl RunError {
    /// Builds [`RunError::Link`].
    pub fn link(point: impl Into<String>, reason: GraphError) -> Self {
        Self::Link { point: point.into(), reason: Box::new(reason) }
    }

    /// Builds [`RunError::File`].
    pub fn file(path: &Path, reason: impl ToString) -> Self {
        Self::File { path: path.display().to_string(), reason: reason.to_string() }
    }

    /// What the process returns.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Usage(_) => EXIT_BAD_INPUT,
            Self::Link { .. } | Self::File { .. } | Self::Failed(_) => EXIT_FAILED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_input_and_failed_runs_have_different_codes() {
        assert_eq!(RunError::Usage("x".into()).exit_code(), 2);
        assert_eq!(RunError::file(Path::new("a"), "full").exit_code(), 1);
        assert_eq!(RunError::file(Path::new("a.csv"), "disk full").to_string(), "a.csv: disk full");
    }
}
