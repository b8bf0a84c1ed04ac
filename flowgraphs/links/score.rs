//! Compares what users received with what was sent to them.

use super::tap::LossReport;
use ndarray::{Array3, Axis};
use rayon::prelude::*;
use sememe_blocks::frame::ImageBatch;
use sememe_blocks::kernel::{FrameJoiner, FrameKernel};
use sememe_blocks::metric::{ImageScore, QualityTally, ms_ssim, num_scales};
use sememe_blocks::{BlockError, Result};
use sememe_models::perceptual::Lpips;
use std::sync::Arc;

/// Images as they count: for users who received nothing, the mean training image stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedImages {
    /// The images.
    pub images: ImageBatch,
    /// Which of them stand in, `[K]`.
    pub lost: Vec<bool>,
}

/// Puts the mean training image in the place of images of which nothing arrived.
pub struct Conceal {
    mean: Arc<Array3<u8>>,
}

impl Conceal {
    /// - mean: `[H, W, 3]`
    pub fn new(mean: Arc<Array3<u8>>) -> Self {
        Self { mean }
    }
}

impl FrameJoiner for Conceal {
    type First = ImageBatch;
    type Second = LossReport;
    type Out = ReceivedImages;

    fn join(&mut self, mut images: ImageBatch, loss: LossReport) -> Result<ReceivedImages> {
        same_frame(images.frame, loss.frame)?;
        if loss.lost.len() != images.len() {
            return Err(BlockError::shape("marks of lost images", images.len(), loss.lost.len()));
        }
        for (mut image, _) in images.pixels.axis_iter_mut(Axis(0)).zip(&loss.lost).filter(|(_, lost)| **lost)
        {
            if image.dim() != self.mean.dim() {
                let (expected, found) = (format!("{:?}", image.dim()), format!("{:?}", self.mean.dim()));
                return Err(BlockError::shape("the mean training image", expected, found));
            }
            image.assign(&self.mean);
        }
        Ok(ReceivedImages { images, lost: loss.lost })
    }
}

/// The scores of one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameScore {
    /// Index of the frame.
    pub frame: u64,
    /// Score of each image, `[K]`.
    pub images: Vec<ImageScore>,
    /// MS-SSIM of each image, `[K]`; empty where it was not asked for or images are too small.
    pub ms_ssim: Vec<f64>,
    /// Scales of MS-SSIM; 0 where it was not measured.
    pub ms_ssim_scales: usize,
    /// LPIPS of each image, `[K]`; empty where it was not asked for.
    pub lpips: Vec<f32>,
    /// What was received, where it is to be shown or measured further.
    pub received: Option<ImageBatch>,
}

/// Scores received images against the originals.
#[derive(Clone, Debug)]
pub struct Scorer {
    ms_ssim: bool,
    lpips: Option<Arc<Lpips>>,
    kept_frames: u64,
}

impl Scorer {
    /// - ms_ssim: also measures structural similarity, where images have at least 11 pixels a side
    /// - lpips: also measures perceptual distance, with these networks
    /// - kept_frames: so many frames keep their received images
    pub fn new(ms_ssim: bool, lpips: Option<Arc<Lpips>>, kept_frames: u64) -> Self {
        Self { ms_ssim, lpips, kept_frames }
    }
}

/// What was sent and what was received of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The originals.
    pub original: ImageBatch,
    /// The received images.
    pub received: ReceivedImages,
}

/// Puts received images beside their originals.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compare;

impl FrameJoiner for Compare {
    type First = ImageBatch;
    type Second = ReceivedImages;
    type Out = Comparison;

    fn join(&mut self, original: ImageBatch, received: ReceivedImages) -> Result<Comparison> {
        same_frame(original.frame, received.images.frame)?;
        Ok(Comparison { original, received })
    }
}

impl FrameKernel for Scorer {
    type In = Comparison;
    type Out = FrameScore;

    fn process(&mut self, comparison: Comparison) -> Result<FrameScore> {
        let Comparison { original, received: ReceivedImages { images, lost } } = comparison;
        let mut tally = QualityTally::new();
        tally.add(&original, &images, &lost)?;
        let (height, width) = original.size();
        let ms_ssim_scales = if self.ms_ssim { num_scales(height, width) } else { 0 };
        let similarities = match ms_ssim_scales {
            0 => Vec::new(),
            // Collected in the order of users, so any number of threads gives the same result.
            _ => (0..original.len())
                .into_par_iter()
                .map(|user| {
                    let [sent, got] =
                        [&original, &images].map(|batch| batch.pixels.index_axis(Axis(0), user));
                    Ok(ms_ssim(sent, got)?.value)
                })
                .collect::<Result<Vec<f64>>>()?,
        };
        let lpips = match &self.lpips {
            Some(lpips) => lpips
                .distance(&original, &images)
                .map_err(|error| BlockError::Kernel(format!("perceptual distance: {error}")))?,
            None => Vec::new(),
        };
        Ok(FrameScore {
            frame: original.frame,
            images: tally.scores().to_vec(),
            ms_ssim: similarities,
            ms_ssim_scales,
            lpips,
            received: (original.frame < self.kept_frames).then_some(images),
        })
    }
}

fn same_frame(first: u64, second: u64) -> Result<()> {
    match first == second {
        true => Ok(()),
        false => Err(BlockError::shape("index of a joined frame", first, second)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array4;
    use sememe_blocks::frame::Truth;

    fn batch(frame: u64, value: u8) -> ImageBatch {
        ImageBatch { frame, pixels: Array4::from_elem((2, 16, 16, 3), value), truth: Truth::default() }
    }

    #[test]
    fn a_lost_image_is_scored_as_the_mean_image() {
        let mean = Arc::new(Array3::from_elem((16, 16, 3), 110));
        let loss = LossReport { frame: 3, lost: vec![false, true] };
        let received = Conceal::new(mean).join(batch(3, 100), loss).unwrap();
        let comparison = Compare.join(batch(3, 100), received).unwrap();
        let score = Scorer::new(true, None, 4).process(comparison).unwrap();
        assert_eq!(score.images[0].mean_square_error, 0.0);
        assert_eq!(score.images[1], ImageScore { mean_square_error: 100.0, lost: true });
        assert_eq!((score.ms_ssim_scales, score.ms_ssim[0]), (1, 1.0));
        assert!(score.received.is_some());
    }

    #[test]
    fn frames_that_do_not_belong_together_are_refused() {
        let received = ReceivedImages { images: batch(1, 0), lost: vec![false; 2] };
        assert!(Compare.join(batch(0, 0), received).is_err());
        let mean = Arc::new(Array3::zeros((4, 4, 3)));
        let loss = |lost: Vec<bool>| LossReport { frame: 1, lost };
        assert!(Conceal::new(mean.clone()).join(batch(1, 0), loss(vec![true])).is_err());
        assert!(Conceal::new(mean).join(batch(1, 0), loss(vec![true, false])).is_err());
    }
}
