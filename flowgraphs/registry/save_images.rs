//! A sink that writes every image it gets as a PNG file.

use image::{ExtendedColorType, save_buffer};
use ndarray::{ArrayView3, Axis};
use sememe_blocks::frame::ImageBatch;
use sememe_blocks::kernel::FrameSink;
use sememe_blocks::{BlockError, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes `frame-000012-user-003.png` and so on into a folder of its own.
#[derive(Debug)]
pub struct SaveImages {
    folder: PathBuf,
}

impl SaveImages {
    /// Prepares the folder.
    ///
    /// - errors: a folder that cannot be made, or that holds anything: nothing is overwritten
    pub fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| BlockError::file(folder, error))?;
        let mut entries = fs::read_dir(folder).map_err(|error| BlockError::file(folder, error))?;
        if entries.next().is_some() {
            return Err(BlockError::file(folder, "the folder is not empty: allowed is a new or empty one"));
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where the images are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Writes `frame-000012-user-003.png` into a folder.
///
/// - image: `[H, W, 3]`
/// - errors: a side of 2^32 or more, a file that cannot be written
pub(crate) fn save_image(folder: &Path, frame: u64, user: usize, image: ArrayView3<'_, u8>) -> Result<()> {
    let side =
        |len: usize| u32::try_from(len).map_err(|_| BlockError::invalid("image side", len, "below 2^32"));
    let (height, width, _) = image.dim();
    let (rows, columns) = (side(height)?, side(width)?);
    let path = folder.join(format!("frame-{frame:06}-user-{user:03}.png"));
    let pixels: Vec<u8> = image.iter().copied().collect();
    save_buffer(&path, &pixels, columns, rows, ExtendedColorType::Rgb8)
        .map_err(|error| BlockError::file(&path, error))
}

impl FrameSink for SaveImages {
    type In = ImageBatch;

    fn consume(&mut self, batch: ImageBatch) -> Result<()> {
        for (user, image) in batch.pixels.axis_iter(Axis(0)).enumerate() {
            save_image(&self.folder, batch.frame, user, image)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::specimens;
    use super::*;

    #[test]
    fn pixels_survive_the_disk_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let batch = specimens::images().remove(1);
        let mut sink = SaveImages::new(&folder.path().join("new")).unwrap();
        sink.consume(batch.clone()).unwrap();
        let file = sink.folder().join(format!("frame-{:06}-user-002.png", batch.frame));
        let image = image::open(file).unwrap().to_rgb8();
        let expected: Vec<u8> = batch.pixels.index_axis(Axis(0), 2).iter().copied().collect();
        assert_eq!(image.into_raw(), expected);
        let error = SaveImages::new(sink.folder()).unwrap_err().to_string();
        assert!(error.contains("is not empty"), "{error}");
    }
}
