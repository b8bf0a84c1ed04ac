//! Finds the training or the test records under a path that the user names.

use super::archive::{ARCHIVE_MD5, ARCHIVE_NAME, read_archive};
use super::records::{Identity, Records, read_file};
use crate::{BlockError, Result};
use std::path::{Path, PathBuf};

/// The folder inside the official archive.
const SUBFOLDER: &str = "cifar-10-batches-bin";
const TRAINING_FILES: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];

/// Which of the two official halves is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Training,
    Test,
}

impl Half {
    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Training => &TRAINING_FILES,
            Self::Test => &["test_batch.bin"],
        }
    }

    fn joined(self) -> &'static str {
        match self {
            Self::Training => "train.bin",
            Self::Test => "test.bin",
        }
    }
}

/// Reads one half from a folder, the official archive, or a file of records (which is its own half).
pub(super) fn read_half(path: &Path, half: Half) -> Result<Records> {
    let metadata = std::fs::metadata(path).map_err(|error| BlockError::file(path, error))?;
    if metadata.is_dir() {
        return read_folder(path, half);
    }
    match path.to_string_lossy().to_lowercase() {
        name if name.ends_with(".tar.gz") || name.ends_with(".tgz") => read_official(path, half),
        _ => Records::new(path, read_file(path)?),
    }
}

fn read_official(path: &Path, half: Half) -> Result<Records> {
    let mut records = Records::new(path, read_archive(path, ARCHIVE_MD5, half.files())?)?;
    // The archive's checksum covers every record.
    records.identity = match half {
        Half::Training => Identity::Training,
        Half::Test => Identity::Test { checked: records.bytes.len() / super::records::RECORD },
    };
    Ok(records)
}

fn read_folder(folder: &Path, half: Half) -> Result<Records> {
    for place in [folder.to_path_buf(), folder.join(SUBFOLDER)] {
        let files: Vec<PathBuf> = half.files().iter().map(|name| place.join(name)).collect();
        if files.iter().any(|file| file.exists()) {
            let mut bytes = Vec::new();
            for file in &files {
                bytes.extend(read_file(file)?);
            }
            return Records::new(&place, bytes);
        }
        let joined = place.join(half.joined());
        if joined.exists() {
            return Records::new(&joined, read_file(&joined)?);
        }
        let archive = place.join(ARCHIVE_NAME);
        if archive.exists() {
            return read_official(&archive, half);
        }
    }
    Err(BlockError::NoImages {
        path: folder.into(),
        reason: format!(
            "neither {}, nor {}, nor {ARCHIVE_NAME} is there or in {SUBFOLDER}",
            half.files().join(", "),
            half.joined()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::super::records::RECORD;
    use super::*;

    fn write(path: PathBuf, records: usize, label: u8) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, vec![label; records * RECORD]).unwrap();
    }

    #[test]
    fn the_five_files_are_joined_in_order_also_in_the_subfolder() {
        for sub in ["", SUBFOLDER] {
            let dir = tempfile::tempdir().unwrap();
            for (i, name) in TRAINING_FILES.iter().enumerate() {
                write(dir.path().join(sub).join(name), 2, i as u8);
            }
            write(dir.path().join(sub).join("test_batch.bin"), 3, 9);
            let labels = |half| -> Vec<u8> {
                let records = read_half(dir.path(), half).unwrap();
                assert_eq!(records.identity, Identity::Unverified);
                records.bytes.chunks(RECORD).map(|r| r[0]).collect()
            };
            assert_eq!(labels(Half::Training), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
            assert_eq!(labels(Half::Test), [9, 9, 9]);
        }
    }

    #[test]
    fn joined_files_and_single_files_are_read() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path().join("train.bin"), 4, 1);
        assert_eq!(read_half(dir.path(), Half::Training).unwrap().bytes.len(), 4 * RECORD);
        write(dir.path().join("mine.dat"), 5, 2);
        assert_eq!(read_half(&dir.path().join("mine.dat"), Half::Test).unwrap().bytes.len(), 5 * RECORD);
    }

    #[test]
    fn what_is_missing_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let message = |path: &Path, half| read_half(path, half).unwrap_err().to_string();
        assert!(message(dir.path(), Half::Test).contains("neither test_batch.bin, nor test.bin"));
        write(dir.path().join("data_batch_1.bin"), 2, 0);
        assert!(message(dir.path(), Half::Training).contains("data_batch_2.bin"));
        assert!(message(&dir.path().join("nowhere"), Half::Test).contains("nowhere"));
        write(dir.path().join("fake.tar.gz"), 1, 0);
        assert!(message(&dir.path().join("fake.tar.gz"), Half::Test).contains(ARCHIVE_MD5));
    }
}
