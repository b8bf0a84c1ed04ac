//! Which two files a recording's name means.

use crate::{HwError, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The two files of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingPaths {
    /// The `.sigmf-meta` file.
    pub meta: PathBuf,
    /// The `.sigmf-data` file.
    pub data: PathBuf,
}

impl RecordingPaths {
    /// Takes a recording's name: `x`, `x.sigmf`, `x.sigmf-meta` and `x.sigmf-data` all mean the same two files.
    ///
    /// - errors: [`HwError::File`] where the name is that of a folder, of a `.sigmf` archive or of a collection
    pub fn new(name: impl AsRef<Path>) -> Result<Self> {
        let name = name.as_ref();
        let extension = name.extension().and_then(|extension| extension.to_str());
        let base = match extension {
            Some("sigmf-meta" | "sigmf-data") => name.with_extension(""),
            Some("sigmf") if name.is_file() => {
                return Err(HwError::file(
                    name,
                    "is a SigMF archive: unpack it with `tar -xf` and name what is in it",
                ));
            }
            Some("sigmf") => name.with_extension(""),
            Some("sigmf-collection") => {
                return Err(HwError::file(name, "is a collection of recordings: name one of them"));
            }
            _ => name.to_path_buf(),
        };
        let has_name =
            base.file_name().is_some() && !name.as_os_str().to_string_lossy().ends_with(['/', '\\']);
        if !has_name {
            return Err(HwError::file(
                name,
                "names no recording: give a name such as `folder/x` or `x.sigmf-meta`",
            ));
        }
        let paths = Self { meta: with_suffix(&base, ".sigmf-meta"), data: with_suffix(&base, ".sigmf-data") };
        if name.is_dir() && !paths.meta.exists() && !paths.data.exists() {
            return Err(HwError::file(name, "is a folder: name a recording in it, such as `folder/x`"));
        }
        Ok(paths)
    }

    /// Whether a name stays in its folder.
    pub(super) fn is_plain_name(name: &str) -> bool {
        !name.contains(['/', '\\', '\0']) && !matches!(name, "" | "." | "..")
    }
}

/// The path with text behind its last name, whose own dots stay.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_names_mean_the_same_two_files() {
        let expected = RecordingPaths { meta: "a/x.1.sigmf-meta".into(), data: "a/x.1.sigmf-data".into() };
        for name in ["a/x.1", "a/x.1.sigmf", "a/x.1.sigmf-meta", "a/x.1.sigmf-data"] {
            assert_eq!(RecordingPaths::new(name).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn folders_archives_and_collections_are_refused_in_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("x.sigmf");
        std::fs::write(&archive, "").unwrap();
        for name in [folder.path(), &archive, Path::new("x.sigmf-collection"), Path::new(""), Path::new("a/")]
        {
            let error = RecordingPaths::new(name).unwrap_err().to_string();
            assert!(!error.contains('\n') && error.contains("name"), "{error}");
        }
    }
}
