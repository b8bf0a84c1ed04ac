//! Records of 3,073 bytes: what a file of them must look like and which official file it is.

use crate::source::digest::{sha256, short};
use crate::{BlockError, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Height and width of an image.
pub(super) const SIDE: usize = 32;
/// Bytes of one colour plane.
const PLANE: usize = SIDE * SIDE;
/// Bytes of one record.
pub(super) const RECORD: usize = 1 + 3 * PLANE;
/// Bound on what one file may make us allocate: 20 times the training set, 3 GB.
const MAX_RECORDS: u64 = 1_000_000;
/// The ten classes.
const NUM_CLASSES: u8 = 10;

/// SHA-256 of the five official training files, one after the other.
const TRAINING_SHA256: &str = "a0181da372c0d63a5920fdbea2ec3f83ecbc552d378218e1cb473cf634941a3b";
/// SHA-256 of the first 8,000 records of the official test file.
const TEST_SHA256: &str = "698e0a071d720def8f0d8cade6f9cc83de98779a2c2351e5caecaeb5a9498af4";
/// Number of test records under [`TEST_SHA256`].
const TEST_CHECKED: usize = 8000;

/// Which official images some records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// The 50,000 training images, verified.
    Training,
    /// Test images, of which this many from the start are verified.
    Test { checked: usize },
    /// Anything else.
    Unverified,
}

/// Checked records and what they are.
#[derive(Debug)]
pub(super) struct Records {
    /// A whole number of records, each with a possible label.
    pub bytes: Vec<u8>,
    /// Which images they are.
    pub identity: Identity,
    /// `sha256:` and the first digits.
    pub digest: String,
}

impl Records {
    /// Checks bytes that came from `path`, which errors name.
    pub fn new(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        check_length(path, bytes.len() as u64)?;
        if let Some((i, record)) = bytes.chunks_exact(RECORD).enumerate().find(|(_, r)| r[0] >= NUM_CLASSES) {
            return Err(BlockError::file(
                path,
                format!("record {i} has label {}: allowed is 0 to {}", record[0], NUM_CLASSES - 1),
            ));
        }
        let full = sha256(&bytes);
        let identity = match bytes.get(..TEST_CHECKED * RECORD) {
            _ if full == TRAINING_SHA256 => Identity::Training,
            Some(start) if sha256(start) == TEST_SHA256 => Identity::Test { checked: TEST_CHECKED },
            _ => Identity::Unverified,
        };
        Ok(Self { bytes, identity, digest: short(&full) })
    }
}

/// Reads a file that holds a whole number of records; labels are not looked at yet.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| BlockError::file(path, error);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(BlockError::file(path, "not a regular file"));
    }
    check_length(path, metadata.len())?;
    let mut bytes = Vec::new();
    // The file may have grown since: never read more than was checked.
    File::open(path).and_then(|f| f.take(metadata.len()).read_to_end(&mut bytes)).map_err(failed)?;
    check_length(path, bytes.len() as u64)?;
    Ok(bytes)
}

/// Fails unless `len` is a positive, bearable multiple of 3,073.
pub(super) fn check_length(path: &Path, len: u64) -> Result<()> {
    let (records, over) = (len / RECORD as u64, len % RECORD as u64);
    if len == 0 {
        return Err(BlockError::file(
            path,
            format!("0 bytes: at least one record of {RECORD} bytes is needed"),
        ));
    }
    if over != 0 {
        return Err(BlockError::file(
            path,
            format!("{len} bytes are {records} CIFAR records of {RECORD} bytes and {over} bytes over"),
        ));
    }
    if records > MAX_RECORDS {
        return Err(BlockError::file(path, format!("{records} records: at most {MAX_RECORDS} are read")));
    }
    Ok(())
}

/// Turns the three planes of a record into interleaved pixels.
///
/// - record: 3,073 bytes; pixels: `[32, 32, 3]` in row order, 3,072 bytes
pub(super) fn interleave(record: &[u8], pixels: &mut [u8]) {
    let planes = &record[1..RECORD];
    for (i, pixel) in pixels.chunks_exact_mut(3).enumerate() {
        pixel.copy_from_slice(&[planes[i], planes[PLANE + i], planes[2 * PLANE + i]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_become_pixels() {
        // Red counts up, green counts down, blue is constant.
        let mut record = vec![7];
        record.extend((0..1024).map(|i| (i % 256) as u8));
        record.extend((0..1024).map(|i| 255 - (i % 256) as u8));
        record.extend([9; 1024]);
        let mut pixels = vec![0; 3072];
        interleave(&record, &mut pixels);
        assert_eq!(&pixels[..6], &[0, 255, 9, 1, 254, 9]);
        assert_eq!(&pixels[3069..], &[255, 0, 9]);
    }

    #[test]
    fn lengths_are_judged_with_numbers() {
        let path = Path::new("x.bin");
        let message = |len| check_length(path, len).unwrap_err().to_string();
        assert!(check_length(path, 3073 * 4).is_ok());
        assert!(message(0).contains("0 bytes"));
        assert!(
            message(3073 * 2 + 5).contains("6151 bytes are 2 CIFAR records of 3073 bytes and 5 bytes over")
        );
        assert!(message(3073 * 1_000_001).contains("at most 1000000"));
    }

    #[test]
    fn an_impossible_label_is_named() {
        let mut bytes = vec![0; 3 * RECORD];
        bytes[2 * RECORD] = 10;
        let error = Records::new(Path::new("x.bin"), bytes).unwrap_err().to_string();
        assert!(error.contains("x.bin") && error.contains("record 2 has label 10"), "{error}");
    }

    #[test]
    fn unknown_records_are_unverified() {
        let records = Records::new(Path::new("x.bin"), vec![0; RECORD]).unwrap();
        assert_eq!(records.identity, Identity::Unverified);
        assert_eq!(records.digest.len(), "sha256:".len() + 16);
    }
}
