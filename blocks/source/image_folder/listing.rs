//! Lists the picture files of a folder in an order that every machine agrees on.

use crate::{BlockError, Result};
use std::path::{Path, PathBuf};

/// Extensions taken for pictures, in any case.
const EXTENSIONS: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// The picture files of a folder sorted by name, byte by byte; or the one file that `path` is.
///
/// Subfolders, names that begin with a dot and other extensions are left out. Links are followed;
/// what only looks like a file (a broken link, a device) is listed, so that reading it is an error.
///
/// - errors: nothing there, or a folder without any picture
pub(super) fn list(path: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error: std::io::Error| BlockError::file(path, error);
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if looks_like_picture(&file) && !file.is_dir() {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(BlockError::NoImages {
            path: path.into(),
            reason: format!("no file with extension {} (subfolders are not searched)", EXTENSIONS.join(", ")),
        });
    }
    files.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    Ok(files)
}

fn looks_like_picture(file: &Path) -> bool {
    let hidden = file.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let known =
        file.extension().is_some_and(|e| EXTENSIONS.iter().any(|known| e.eq_ignore_ascii_case(known)));
    known && !hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_sorted_and_the_rest_left_out() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.PNG", "a.webp", "B.JpEg", "c.jpg", "notes.txt", ".hidden.png", "noextension"] {
            std::fs::write(dir.path().join(name), b"x").unwrap();
        }
        std::fs::create_dir(dir.path().join("folder.png")).unwrap();
        let names: Vec<_> = list(dir.path())
            .unwrap()
            .into_iter()
            .map(|f| f.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["B.JpEg", "a.webp", "b.PNG", "c.jpg"]);
        assert_eq!(list(&dir.path().join("notes.txt")).unwrap().len(), 1, "a single file is taken as it is");
    }

    #[test]
    fn an_empty_and_a_missing_folder_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        let empty = list(dir.path()).unwrap_err().to_string();
        assert!(empty.contains("no file with extension png"), "{empty}");
        let missing = list(&dir.path().join("nowhere")).unwrap_err().to_string();
        assert!(missing.contains("nowhere"), "{missing}");
    }
}
