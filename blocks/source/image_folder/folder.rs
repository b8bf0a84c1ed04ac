//! A folder of pictures as an image set.

use super::decode::decode;
use super::fit::Fit;
use super::listing::list;
use crate::frame::{ImageBatch, Truth};
use crate::source::ImageSet;
use crate::source::digest::{sha256, short};
use crate::source::image_set::check_indices;
use crate::{BlockError, Result};
use image::RgbImage;
use ndarray::Array4;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Largest target side in pixels.
const MAX_TARGET_SIDE: usize = 4096;
/// Smallest side of a tile: smaller ones would be more than a set can count.
const MIN_TILE_SIDE: usize = 8;
/// Bound on the pixels a set keeps in memory: 4 GiB.
const MAX_BYTES: u64 = 4 << 30;

/// Which pictures, and how they become equal in size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderConfig {
    /// A folder (its subfolders are not searched) or a single picture file.
    pub path: PathBuf,
    /// Height and width, 1 to 4,096 each. `None`: the pictures must all have one size, with `fit = "exact"`.
    #[serde(default)]
    pub size: Option<(usize, usize)>,
    /// What to do with pictures of another size.
    #[serde(default)]
    pub fit: Fit,
    /// Leaves out what cannot be used instead of failing; [`ImageFolder::skipped`] tells.
    #[serde(default)]
    pub skip_bad: bool,
}

/// A file that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// Why, in one line.
    pub reason: String,
}

/// The pictures of a folder in the order of their names, or their tiles.
///
/// All are decoded when the folder is opened, so that a bad file is found before a run begins, and
/// kept at the target size: 3 H W bytes each, 4 GiB at most. While opening, each thread holds one
/// decoded picture besides (see the bounds of a single file: some hundred MiB for the largest).
#[derive(Debug)]
pub struct ImageFolder {
    pixels: Vec<u8>,
    size: (usize, usize),
    files: Vec<PathBuf>,
    skipped: Vec<Skipped>,
    name: String,
}

impl ImageFolder {
    /// Decodes a folder.
    ///
    /// - errors: nothing to read, an impossible size, more than 4 GiB of pixels; and, unless
    ///   `skip_bad`, the first file that is corrupt or whose size does not fit
    pub fn open(config: &FolderConfig) -> Result<Self> {
        Self::open_bounded(config, MAX_BYTES)
    }

    fn open_bounded(config: &FolderConfig, max_bytes: u64) -> Result<Self> {
        let mut size = checked_size(config)?;
        let listed = list(&config.path)?;
        let mut folder =
            Self { pixels: vec![], size: (0, 0), files: vec![], skipped: vec![], name: String::new() };
        // As many at a time as there are threads: the result does not depend on that number.
        for files in listed.chunks(rayon::current_num_threads().max(1)) {
            let decoded: Vec<Result<Vec<RgbImage>, String>> = files
                .par_iter()
                .map(|file| {
                    let image = decode(file)?;
                    match size {
                        Some(size) => config.fit.apply(image, size),
                        None => Ok(vec![image]),
                    }
                })
                .collect();
            for (file, image) in files.iter().zip(decoded) {
                // The first picture that can be read decides a size that was left open.
                let fitted = image.and_then(|images| {
                    let of_first = images.first().map_or((0, 0), |image| (image.height(), image.width()));
                    let target = *size.get_or_insert(of_first);
                    let fit = |image| config.fit.apply(image, target);
                    images.into_iter().map(fit).collect::<Result<Vec<_>, _>>()
                });
                match fitted {
                    Ok(images) => {
                        images.iter().flatten().try_for_each(|image| folder.push(file, image, max_bytes))?;
                    }
                    Err(reason) if config.skip_bad => {
                        folder.skipped.push(Skipped { path: file.clone(), reason })
                    }
                    Err(reason) => return Err(BlockError::file(file, reason)),
                }
            }
        }
        match (size, folder.files.is_empty()) {
            (Some((height, width)), false) => folder.size = (height as usize, width as usize),
            _ => return Err(none_left(&config.path, &folder.skipped)),
        }
        folder.name = folder.describe(config);
        Ok(folder)
    }

    fn push(&mut self, file: &Path, image: &RgbImage, max_bytes: u64) -> Result<()> {
        let total = (self.pixels.len() + image.len()) as u64;
        if total > max_bytes {
            return Err(BlockError::file(
                file,
                format!(
                    "image {} brings the pixels kept to {total} bytes: at most {max_bytes}",
                    self.files.len()
                ),
            ));
        }
        self.pixels.extend_from_slice(image);
        self.files.push(file.to_path_buf());
        Ok(())
    }

    fn describe(&self, config: &FolderConfig) -> String {
        let (height, width) = self.size;
        let stem = config.path.file_name().map_or_else(|| ".".into(), |name| name.to_string_lossy());
        let digest = short(&sha256(&self.pixels));
        format!("{stem}, {} images, {height}x{width} {}, {digest}", self.files.len(), config.fit.name())
    }

    /// The file of each image; tiles of one picture share it.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The files left out, in the order of their names. Empty unless `skip_bad` was asked for.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}

/// The target as height and width, where the configuration gives one.
fn checked_size(config: &FolderConfig) -> Result<Option<(u32, u32)>> {
    match config.size {
        None if config.fit != Fit::Exact => {
            Err(BlockError::invalid("fit", config.fit.name(), "exact where no size is given"))
        }
        None => Ok(None),
        Some((height, width)) => {
            if config.fit == Fit::Tiles && height.min(width) < MIN_TILE_SIDE {
                let allowed = format!("{MIN_TILE_SIDE} pixels a side or more with fit = \"tiles\"");
                return Err(BlockError::invalid("size", format!("{height}x{width}"), allowed));
            }
            let allowed = 1..=MAX_TARGET_SIDE;
            if !allowed.contains(&height) || !allowed.contains(&width) {
                return Err(BlockError::invalid(
                    "size",
                    format!("{height}x{width}"),
                    format!("1 to {MAX_TARGET_SIDE} pixels a side"),
                ));
            }
            Ok(Some((height as u32, width as u32)))
        }
    }
}

fn none_left(path: &Path, skipped: &[Skipped]) -> BlockError {
    let first = skipped
        .first()
        .map(|s| format!("; the first, {}: {}", s.path.display(), s.reason))
        .unwrap_or_default();
    BlockError::NoImages {
        path: path.into(),
        reason: format!("all {} files were skipped{first}", skipped.len()),
    }
}

impl ImageSet for ImageFolder {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn size(&self) -> (usize, usize) {
        self.size
    }

    fn batch(&self, frame: u64, indices: &[usize]) -> Result<ImageBatch> {
        check_indices(indices, self.len())?;
        let (height, width) = self.size;
        let image_len = height * width * 3;
        let pixels =
            indices.iter().flat_map(|i| &self.pixels[i * image_len..][..image_len]).copied().collect();
        let pixels = Array4::from_shape_vec((indices.len(), height, width, 3), pixels)
            .map_err(|error| BlockError::Kernel(error.to_string()))?;
        Ok(ImageBatch { frame, pixels, truth: Truth::default() })
    }

    fn picture_of(&self, index: usize) -> usize {
        // Tiles of one picture share its file, and files come in the order of their names.
        self.files.get(index).map_or(index, |file| self.files.partition_point(|other| other < file))
    }

    /// Last part of the path, number of images, size and fit, and a digest of the fitted pixels.
    fn name(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a.png 8x8, b.jpg 12x20 (height x width), c.webp 8x8.
    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let save = |name: &str, height, width, value| {
            RgbImage::from_pixel(width, height, image::Rgb([value; 3])).save(dir.path().join(name)).unwrap();
        };
        save("a.png", 8, 8, 10);
        save("b.jpg", 12, 20, 20);
        save("c.webp", 8, 8, 30);
        dir
    }

    fn config(dir: &tempfile::TempDir, size: Option<(usize, usize)>, fit: Fit) -> FolderConfig {
        FolderConfig { path: dir.path().into(), size, fit, skip_bad: false }
    }

    fn values(set: &ImageFolder) -> Vec<u8> {
        let all: Vec<usize> = (0..set.len()).collect();
        set.batch(0, &all).unwrap().pixels.outer_iter().map(|image| image[[0, 0, 0]]).collect()
    }

    #[test]
    fn every_policy_brings_the_pictures_to_one_size() {
        let dir = folder();
        for fit in [Fit::CenterCrop, Fit::Resize, Fit::ResizeCrop] {
            let set = ImageFolder::open(&config(&dir, Some((8, 6)), fit)).unwrap();
            assert_eq!((set.len(), set.size()), (3, (8, 6)));
            assert_eq!(values(&set), [10, 20, 30]);
            assert!(set.skipped().is_empty() && set.files()[1].ends_with("b.jpg"));
            assert!(set.name().contains("3 images, 8x6"), "{}", set.name());
        }
        // 12 x 20 holds one row of two tiles.
        let tiles = ImageFolder::open(&config(&dir, Some((8, 8)), Fit::Tiles)).unwrap();
        assert_eq!(values(&tiles), [10, 20, 20, 30]);
        assert!(tiles.files()[1..3].iter().all(|file| file.ends_with("b.jpg")) && tiles.size() == (8, 8));
        let pictures: Vec<usize> = (0..4).map(|tile| tiles.picture_of(tile)).collect();
        assert_eq!(pictures, [0, 1, 1, 3]);
        let one = FolderConfig { path: dir.path().join("b.jpg"), ..config(&dir, None, Fit::Exact) };
        assert_eq!(ImageFolder::open(&one).unwrap().size(), (12, 20));
    }

    #[test]
    fn a_picture_of_another_size_is_named() {
        let dir = folder();
        for size in [None, Some((8, 8))] {
            let error = ImageFolder::open(&config(&dir, size, Fit::Exact)).unwrap_err().to_string();
            assert!(error.contains("b.jpg: 12x20 pixels where 8x8 are needed"), "{error}");
        }
        let error = ImageFolder::open(&config(&dir, Some((10, 8)), Fit::CenterCrop)).unwrap_err().to_string();
        assert!(error.contains("a.png: 8x8 pixels are too few"), "{error}");
    }

    #[test]
    fn bad_files_are_named_or_skipped_and_counted() {
        let dir = folder();
        let png = std::fs::read(dir.path().join("a.png")).unwrap();
        std::fs::write(dir.path().join("a2.png"), &png[..png.len() / 2]).unwrap();
        std::fs::write(dir.path().join("b2.PNG"), "just text").unwrap();
        std::fs::write(dir.path().join("z.jpeg"), "").unwrap();
        let strict = config(&dir, Some((8, 8)), Fit::ResizeCrop);
        let error = ImageFolder::open(&strict).unwrap_err().to_string();
        assert!(error.contains("a2.png: "), "{error}");
        let set = ImageFolder::open(&FolderConfig { skip_bad: true, ..strict }).unwrap();
        assert_eq!(values(&set), [10, 20, 30]);
        let skipped: Vec<_> =
            set.skipped().iter().map(|s| s.path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(skipped, ["a2.png", "b2.PNG", "z.jpeg"]);
        assert!(set.skipped()[1].reason.contains("neither PNG"));
        assert_eq!(set.skipped()[2].reason, "the file is empty");
    }

    #[test]
    fn an_open_size_is_that_of_the_first_readable_picture() {
        let dir = folder();
        std::fs::write(dir.path().join("0.png"), "text").unwrap();
        let lenient = FolderConfig { skip_bad: true, ..config(&dir, None, Fit::Exact) };
        let set = ImageFolder::open(&lenient).unwrap();
        assert_eq!((values(&set), set.size()), (vec![10, 30], (8, 8)));
        assert_eq!(set.skipped().len(), 2);
    }

    #[test]
    fn a_folder_of_bad_files_holds_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("x.png"), "text").unwrap();
        let lenient = FolderConfig { skip_bad: true, ..config(&dir, None, Fit::Exact) };
        let error = ImageFolder::open(&lenient).unwrap_err().to_string();
        assert!(error.contains("all 1 files were skipped") && error.contains("x.png"), "{error}");
    }

    #[test]
    fn impossible_configurations_are_refused() {
        let dir = folder();
        let message = |size, fit| ImageFolder::open(&config(&dir, size, fit)).unwrap_err().to_string();
        assert!(message(None, Fit::Resize).contains("exact where no size is given"));
        assert!(message(Some((0, 8)), Fit::Resize).contains("1 to 4096"));
        assert!(message(Some((8, 5000)), Fit::Resize).contains("8x5000"));
        assert!(message(Some((7, 8)), Fit::Tiles).contains("8 pixels a side or more"));
        let small = config(&dir, Some((8, 8)), Fit::Resize);
        let error = ImageFolder::open_bounded(&small, 400).unwrap_err().to_string();
        assert!(error.contains("c.webp") && error.contains("576 bytes: at most 400"), "{error}");
        let error = ImageFolder::open_bounded(&small, 191).unwrap_err().to_string();
        assert!(error.contains("a.png: image 0 brings the pixels kept to 192 bytes: at most 191"), "{error}");
    }

    #[test]
    fn the_same_pixels_have_the_same_name_on_any_number_of_threads() {
        let dir = folder();
        let wanted = config(&dir, Some((16, 16)), Fit::ResizeCrop);
        let name = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| ImageFolder::open(&wanted)).unwrap().name()
        };
        assert_eq!(name(1), name(3));
    }
}
