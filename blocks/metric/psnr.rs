//! PSNR of 8-bit images, and the summary of many of them.

use super::Confidence;
use crate::frame::ImageBatch;
use crate::{BlockError, Result};
use ndarray::{ArrayView3, Axis};

/// What an image without any error scores, in decibels.
pub const PSNR_CAP_DB: f64 = 100.0;

/// PSNR for a mean square error on the scale of 8 bits, peak 255, at most [`PSNR_CAP_DB`].
pub fn psnr_db(mean_square_error: f64) -> f64 {
    (10.0 * (255.0 * 255.0 / mean_square_error).log10()).min(PSNR_CAP_DB)
}

/// Mean over all pixels and channels of the squared difference of two images.
///
/// - images: `[H, W, 3]`
/// - errors: different shapes, or no pixel
pub fn mean_square_error(original: ArrayView3<'_, u8>, received: ArrayView3<'_, u8>) -> Result<f64> {
    if original.dim() != received.dim() || original.is_empty() {
        let expected = format!("{:?}, at least one pixel", original.dim());
        return Err(BlockError::shape("a received image", expected, format!("{:?}", received.dim())));
    }
    let squares: u64 = original.iter().zip(&received).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
    Ok(squares as f64 / original.len() as f64)
}

/// The score of one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageScore {
    /// Mean square error on the scale of 8 bits.
    pub mean_square_error: f64,
    /// Whether nothing of the image arrived, so that a stand-in was scored.
    pub lost: bool,
}

impl ImageScore {
    /// PSNR in decibels, capped.
    pub fn psnr_db(&self) -> f64 {
        psnr_db(self.mean_square_error)
    }
}

/// Collects the scores of images, in order.
#[derive(Clone, Debug, Default)]
pub struct QualityTally {
    scores: Vec<ImageScore>,
}

/// The quality of many received images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QualitySummary {
    /// Mean of per-image PSNR in decibels with its 95 % confidence interval; lost images count with
    /// what stands in for them.
    pub psnr: Confidence,
    /// PSNR in decibels of the mean square error over all images.
    pub psnr_of_mean_error: f64,
    /// As `psnr`, of the images that were received; `None` if none was.
    pub psnr_received: Option<Confidence>,
    /// Number of images.
    pub images: usize,
    /// Images without any error, scored as [`PSNR_CAP_DB`].
    pub perfect: usize,
    /// Images of which nothing arrived.
    pub lost: usize,
}

impl QualityTally {
    /// An empty tally.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds every image of a batch as it was received.
    ///
    /// - received: for lost users the image that stands in, scored as it is
    /// - lost: `[K]`
    /// - errors: different shapes, or no pixel
    pub fn add(&mut self, original: &ImageBatch, received: &ImageBatch, lost: &[bool]) -> Result<()> {
        if original.len() != received.len() {
            return Err(BlockError::shape("received images", original.len(), received.len()));
        }
        if lost.len() != original.len() {
            return Err(BlockError::shape("marks of lost images", original.len(), lost.len()));
        }
        let images = original.pixels.axis_iter(Axis(0)).zip(received.pixels.axis_iter(Axis(0)));
        let scores: Vec<ImageScore> = images
            .zip(lost)
            .map(|((sent, got), &lost)| {
                Ok(ImageScore { mean_square_error: mean_square_error(sent, got)?, lost })
            })
            .collect::<Result<_>>()?;
        self.scores.extend(scores);
        Ok(())
    }

    /// The scores so far, in order of arrival.
    pub fn scores(&self) -> &[ImageScore] {
        &self.scores
    }

    /// Summarises all scores; `None` without images.
    pub fn summary(&self) -> Option<QualitySummary> {
        let images = self.scores.len();
        if images == 0 {
            return None;
        }
        let all: Vec<f64> = self.scores.iter().map(ImageScore::psnr_db).collect();
        let received: Vec<f64> =
            self.scores.iter().filter(|score| !score.lost).map(ImageScore::psnr_db).collect();
        let mean_error = self.scores.iter().map(|score| score.mean_square_error).sum::<f64>() / images as f64;
        Some(QualitySummary {
            psnr: Confidence::of(&all),
            psnr_of_mean_error: psnr_db(mean_error),
            psnr_received: (!received.is_empty()).then(|| Confidence::of(&received)),
            images,
            perfect: self.scores.iter().filter(|score| score.mean_square_error == 0.0).count(),
            lost: images - received.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Truth;
    use ndarray::{Array3, Array4};

    /// One image per value, all its pixels of that value.
    fn flat(values: &[u8]) -> ImageBatch {
        let pixels = Array4::from_shape_fn((values.len(), 4, 5, 3), |(image, ..)| values[image]);
        ImageBatch { frame: 0, pixels, truth: Truth::default() }
    }

    #[test]
    fn known_values() {
        assert!((psnr_db(1.0) - 48.130_803_6).abs() < 1e-6);
        assert!((psnr_db(255.0 * 255.0)).abs() < 1e-12);
        assert_eq!(psnr_db(0.0), 100.0);
        let mut image = Array3::<u8>::zeros((2, 2, 3));
        image[[1, 0, 2]] = 255;
        image[[0, 0, 0]] = 1;
        let error = mean_square_error(Array3::zeros((2, 2, 3)).view(), image.view()).unwrap();
        assert_eq!(error, (255.0 * 255.0 + 1.0) / 12.0);
    }

    #[test]
    fn the_summary_separates_what_was_lost_and_what_was_perfect() {
        let mut tally = QualityTally::new();
        tally.add(&flat(&[10, 20, 30]), &flat(&[10, 22, 26]), &[false, false, true]).unwrap();
        tally.add(&flat(&[50]), &flat(&[49]), &[false]).unwrap();
        let summary = tally.summary().unwrap();
        let (two, four, one) = (psnr_db(4.0), psnr_db(16.0), psnr_db(1.0));
        assert!((summary.psnr.mean - (100.0 + two + four + one) / 4.0).abs() < 1e-12);
        assert!((summary.psnr_received.unwrap().mean - (100.0 + two + one) / 3.0).abs() < 1e-12);
        assert!((summary.psnr_of_mean_error - psnr_db(21.0 / 4.0)).abs() < 1e-12);
        assert_eq!((summary.images, summary.perfect, summary.lost), (4, 1, 1));
        assert!(summary.psnr.half_width > 0.0);
    }

    #[test]
    fn nothing_received_and_nothing_at_all() {
        let mut tally = QualityTally::new();
        assert!(tally.summary().is_none());
        tally.add(&flat(&[1]), &flat(&[9]), &[true]).unwrap();
        assert!(tally.summary().unwrap().psnr_received.is_none());
    }

    #[test]
    fn shapes_must_agree() {
        let mut tally = QualityTally::new();
        assert!(tally.add(&flat(&[1, 2]), &flat(&[1]), &[false, false]).is_err());
        assert!(tally.add(&flat(&[1, 2]), &flat(&[1, 2]), &[false]).is_err());
        let other = ImageBatch { pixels: Array4::zeros((1, 4, 4, 3)), ..flat(&[0]) };
        let error = tally.add(&flat(&[1]), &other, &[false]).unwrap_err().to_string();
        assert!(error.contains("(4, 5, 3)") && error.contains("(4, 4, 3)"), "{error}");
        assert!(mean_square_error(Array3::zeros((0, 4, 3)).view(), Array3::zeros((0, 4, 3)).view()).is_err());
        assert!(tally.scores().is_empty());
    }
}
