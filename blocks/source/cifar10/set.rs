//! CIFAR-10 as an image set, with the split that every experiment shares.

use super::locate::{Half, read_half};
use super::records::{Identity, RECORD, Records, SIDE, interleave};
use crate::frame::{ImageBatch, Truth};
use crate::source::ImageSet;
use crate::source::image_set::check_indices;
use crate::{BlockError, Result};
use ndarray::Array4;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Which images of CIFAR-10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cifar10Split {
    /// All but the last tenth of the training images: the first 45,000.
    Train,
    /// The last tenth of the training images: 5,000. Chooses weights, code rates and thresholds.
    Validation,
    /// The test images. Choose nothing.
    Test,
}

impl Cifar10Split {
    fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// One split of CIFAR-10 in memory, 3,073 bytes per image; 32 x 32 pixels, ten classes.
#[derive(Debug)]
pub struct Cifar10 {
    records: Vec<u8>,
    name: String,
}

impl Cifar10 {
    /// Reads one split.
    ///
    /// - path: a folder, the official archive, or one file of records. Such a file stands for
    ///   itself: `Test` means all of it, `Validation` its last tenth, `Train` the rest.
    /// - errors: unreadable or missing files, a length that is no multiple of 3,073, a label above
    ///   9, a wrong checksum of the archive, or a split that contradicts the recognised content
    ///   (training on the official test images, testing on the official training images)
    pub fn open(path: &Path, split: Cifar10Split) -> Result<Self> {
        let half = if split == Cifar10Split::Test { Half::Test } else { Half::Training };
        let Records { mut bytes, identity, digest } = read_half(path, half)?;
        let contradiction = match (half, identity) {
            (Half::Test, Identity::Training) => Some(("the official training images", "train or validation")),
            (Half::Training, Identity::Test { .. }) => Some(("the official test images", "test")),
            _ => None,
        };
        if let Some((content, allowed)) = contradiction {
            return Err(BlockError::invalid(
                "split",
                format!("{} of {}, which holds {content},", split.name(), path.display()),
                allowed,
            ));
        }
        let total = bytes.len() / RECORD;
        let validation = total / 10;
        match split {
            Cifar10Split::Test => {}
            _ if validation == 0 => {
                return Err(BlockError::file(
                    path,
                    format!("{total} records: at least 10 are needed to set a tenth apart for validation"),
                ));
            }
            Cifar10Split::Train => bytes.truncate((total - validation) * RECORD),
            Cifar10Split::Validation => drop(bytes.drain(..(total - validation) * RECORD)),
        }
        bytes.shrink_to_fit();
        let count = bytes.len() / RECORD;
        let verdict = match identity {
            Identity::Training => "official".to_owned(),
            Identity::Test { checked } if checked >= total => "official".to_owned(),
            Identity::Test { checked } => format!("official (the first {checked} verified)"),
            Identity::Unverified => "unverified".to_owned(),
        };
        let name = format!("cifar10 {}, {count} images, {verdict}, {digest}", split.name());
        Ok(Self { records: bytes, name })
    }
}

impl ImageSet for Cifar10 {
    fn len(&self) -> usize {
        self.records.len() / RECORD
    }

    fn size(&self) -> (usize, usize) {
        (SIDE, SIDE)
    }

    fn batch(&self, frame: u64, indices: &[usize]) -> Result<ImageBatch> {
        check_indices(indices, self.len())?;
        let mut pixels = vec![0; indices.len() * (RECORD - 1)];
        let mut labels = Vec::with_capacity(indices.len());
        for (index, image) in indices.iter().zip(pixels.chunks_exact_mut(RECORD - 1)) {
            let record = &self.records[index * RECORD..][..RECORD];
            labels.push(u16::from(record[0]));
            interleave(record, image);
        }
        let pixels = Array4::from_shape_vec((indices.len(), SIDE, SIDE, 3), pixels)
            .map_err(|error| BlockError::Kernel(error.to_string()))?;
        Ok(ImageBatch { frame, pixels, truth: Truth { labels: Some(labels), ..Truth::default() } })
    }

    /// Split, number of images, `official` or `unverified`, and the digest of all records read:
    /// both splits of the training images carry the same digest.
    fn name(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Record i has label i mod 10 and all pixels i.
    fn file(records: usize) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("records.bin");
        let bytes: Vec<u8> =
            (0..records).flat_map(|i| [vec![(i % 10) as u8], vec![i as u8; RECORD - 1]].concat()).collect();
        std::fs::write(&path, bytes).unwrap();
        (dir, path)
    }

    #[test]
    fn splits_cover_a_file_without_overlap() {
        let (_dir, path) = file(25);
        let first_pixels = |split| -> Vec<u8> {
            let set = Cifar10::open(&path, split).unwrap();
            let all: Vec<usize> = (0..set.len()).collect();
            let batch = set.batch(3, &all).unwrap();
            assert_eq!((batch.frame, batch.size()), (3, (32, 32)));
            let values: Vec<u8> = batch.pixels.outer_iter().map(|image| image[[31, 0, 2]]).collect();
            let labels: Vec<u16> = values.iter().map(|v| u16::from(v % 10)).collect();
            assert_eq!(batch.truth.labels, Some(labels));
            values
        };
        assert_eq!(first_pixels(Cifar10Split::Train), (0..23).collect::<Vec<u8>>());
        assert_eq!(first_pixels(Cifar10Split::Validation), [23, 24]);
        assert_eq!(first_pixels(Cifar10Split::Test).len(), 25);
    }

    #[test]
    fn names_say_what_was_read_and_errors_what_was_wrong() {
        let (_dir, path) = file(9);
        let set = Cifar10::open(&path, Cifar10Split::Test).unwrap();
        assert!(set.name().starts_with("cifar10 test, 9 images, unverified, sha256:"), "{}", set.name());
        assert!(set.batch(0, &[9]).unwrap_err().to_string().contains("0 to 8"));
        let error = Cifar10::open(&path, Cifar10Split::Train).unwrap_err().to_string();
        assert!(error.contains("9 records: at least 10"), "{error}");
    }

    #[test]
    fn the_official_images_are_recognised() {
        let Some(data) = std::env::var_os("SEMEME_DATA") else {
            println!("skipped: SEMEME_DATA does not name a folder with cifar10/train.bin and test.bin");
            return;
        };
        let folder = Path::new(&data).join("cifar10");
        if !folder.join("train.bin").exists() {
            println!("skipped: no train.bin in {}", folder.display());
            return;
        }
        let validation = Cifar10::open(&folder, Cifar10Split::Validation).unwrap();
        assert!(
            validation
                .name()
                .starts_with("cifar10 validation, 5000 images, official, sha256:a0181da372c0d63a")
        );
        let error = Cifar10::open(&folder.join("test.bin"), Cifar10Split::Train).unwrap_err().to_string();
        assert!(error.contains("holds the official test images"), "{error}");
        assert!(Cifar10::open(&folder.join("train.bin"), Cifar10Split::Test).is_err());
        let test = Cifar10::open(&folder, Cifar10Split::Test).unwrap();
        assert_eq!(test.batch(0, &[0, 1, 2]).unwrap().truth.labels, Some(vec![3, 8, 8]));
    }
}
