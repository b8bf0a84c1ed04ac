//! Random access to images of equal size: what every source of pictures offers.

use crate::frame::ImageBatch;
use crate::{BlockError, Result};
use ndarray::{Array3, Axis};

/// A numbered collection of RGB images of one size. Reading it never changes it.
pub trait ImageSet: Send + Sync {
    /// Number of images.
    fn len(&self) -> usize;

    /// Whether there is no image.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Height and width in pixels.
    fn size(&self) -> (usize, usize);

    /// Reads images by number, in the order asked for; numbers may repeat.
    ///
    /// - frame: copied into the batch, where it keys the randomness of later blocks
    /// - returns: pixels `[K, H, W, 3]` with K the number of indices, and what is known of them
    /// - errors: an index not below [`len`](Self::len)
    fn batch(&self, frame: u64, indices: &[usize]) -> Result<ImageBatch>;

    /// Number of the picture that an image was cut from; images of one picture follow each other and are alike.
    fn picture_of(&self, index: usize) -> usize {
        index
    }

    /// One line that identifies the data: name, version or digest. Written beside results and weights.
    fn name(&self) -> String;
}

/// Fails on the first index that is not below `len`.
pub(super) fn check_indices(indices: &[usize], len: usize) -> Result<()> {
    match indices.iter().find(|index| **index >= len) {
        Some(index) if len == 0 => {
            Err(BlockError::invalid("image index", index, "nothing: the set is empty"))
        }
        Some(index) => Err(BlockError::invalid("image index", index, format!("0 to {}", len - 1))),
        None => Ok(()),
    }
}

/// The pixelwise mean over a set, with which lost images are scored.
///
/// - cap: at most this many images are read, evenly spaced over the set
/// - returns: `[H, W, 3]`, 0 to 255
/// - errors: an empty set, a cap of zero, or what reading the set raises
pub fn mean_image(set: &dyn ImageSet, cap: usize) -> Result<Array3<f32>> {
    // Bounds the memory of one read; the sum is the same for any value.
    const IMAGES_PER_READ: usize = 64;
    let count = set.len().min(cap);
    if count == 0 {
        return Err(BlockError::invalid("images for the mean image", 0, "at least 1"));
    }
    let (height, width) = set.size();
    let mut sum = Array3::<f64>::zeros((height, width, 3));
    let spaced = |i: usize| (i as u128 * set.len() as u128 / count as u128) as usize;
    for start in (0..count).step_by(IMAGES_PER_READ) {
        let indices: Vec<usize> = (start..count.min(start + IMAGES_PER_READ)).map(spaced).collect();
        for image in set.batch(0, &indices)?.pixels.axis_iter(Axis(0)) {
            sum.zip_mut_with(&image, |total, pixel| *total += f64::from(*pixel));
        }
    }
    Ok(sum.mapv(|total| (total / count as f64) as f32))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::frame::Truth;
    use ndarray::Array4;

    /// Image i is filled with i mod 256 and labelled i.
    pub(crate) struct Numbered(pub usize);

    impl ImageSet for Numbered {
        fn len(&self) -> usize {
            self.0
        }

        fn size(&self) -> (usize, usize) {
            (2, 3)
        }

        fn batch(&self, frame: u64, indices: &[usize]) -> Result<ImageBatch> {
            check_indices(indices, self.0)?;
            let pixels = Array4::from_shape_fn((indices.len(), 2, 3, 3), |(k, ..)| indices[k] as u8);
            let labels = Some(indices.iter().map(|i| *i as u16).collect());
            Ok(ImageBatch { frame, pixels, truth: Truth { labels, ..Truth::default() } })
        }

        fn name(&self) -> String {
            format!("numbered {}", self.0)
        }
    }

    #[test]
    fn the_mean_of_all_images_is_exact() {
        let mean = mean_image(&Numbered(200), usize::MAX).unwrap();
        assert_eq!(mean.dim(), (2, 3, 3));
        assert!(mean.iter().all(|v| *v == 99.5));
    }

    #[test]
    fn a_capped_mean_reads_evenly_spaced_images() {
        // Images 0, 50, 100 and 150.
        let mean = mean_image(&Numbered(200), 4).unwrap();
        assert!(mean.iter().all(|v| *v == 75.0));
    }

    #[test]
    fn no_image_has_no_mean() {
        assert!(mean_image(&Numbered(0), 10).is_err());
        assert!(mean_image(&Numbered(10), 0).is_err());
    }

    #[test]
    fn an_index_out_of_range_is_named() {
        let error = Numbered(5).batch(0, &[1, 7]).unwrap_err().to_string();
        assert!(error.contains('7') && error.contains("0 to 4"), "{error}");
        assert!(Numbered(0).batch(0, &[0]).unwrap_err().to_string().contains("empty"));
        assert!(Numbered(0).is_empty() && Numbered(0).batch(0, &[]).unwrap().is_empty());
    }
}
