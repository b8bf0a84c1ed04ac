//! Ends a point once its result is known well enough, the same for any schedule.
//!
//! ```text
//! source (until enough) > ... > score > watch: enough after frame n
//! ```
//! The interval is looked at after every frame, so that one which happens to be narrow ends a point: at the end it
//! covers the truth a little less often than 95 times in 100. `min_images` keeps that small.
//!
//! The decision after a frame rests on that frame and those before it. Frames that are under way by then are
//! cut off, so that what is measured does not depend on how far the source had run ahead.

use super::run::LinkOutput;
use super::score::FrameScore;
use sememe_blocks::Result;
use sememe_blocks::kernel::{FrameKernel, FrameSource};
use sememe_blocks::metric::RunningConfidence;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The `[stop]` table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopRule {
    /// A point ends once the half width of the 95 % interval of its mean PSNR is at most this, in dB.
    pub psnr_ci95_db: f64,
    /// It has sent at least so many images by then.
    #[serde(default = "default_images")]
    pub min_images: usize,
}

fn default_images() -> usize {
    500
}

/// Frames that are enough; [`u64::MAX`] while that is not known.
#[derive(Clone, Debug)]
pub struct Enough(Arc<AtomicU64>);

impl Default for Enough {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(u64::MAX)))
    }
}

impl Enough {
    fn is_reached(&self) -> bool {
        self.0.load(Ordering::Acquire) != u64::MAX
    }

    /// Takes off the frames that came after enough of them.
    pub fn cut(&self, output: &mut LinkOutput) {
        let frames = usize::try_from(self.0.load(Ordering::Acquire)).unwrap_or(usize::MAX);
        output.scores.truncate(frames);
        output.air.truncate(frames);
        output.common.truncate(frames);
        if let Some(payloads) = &mut output.payloads {
            payloads.truncate(frames);
        }
    }
}

/// A source that ends when there is enough.
pub struct UntilEnough<S> {
    /// Where frames come from.
    pub source: S,
    /// Whether there is enough.
    pub enough: Enough,
}

impl<S: FrameSource> FrameSource for UntilEnough<S> {
    type Out = S::Out;

    fn next_frame(&mut self) -> Result<Option<S::Out>> {
        if self.enough.is_reached() { Ok(None) } else { self.source.next_frame() }
    }
}

/// Lets scores pass and says when they are enough.
pub struct WatchScores {
    rule: Option<StopRule>,
    enough: Enough,
    psnr: RunningConfidence,
    frames: u64,
}

impl WatchScores {
    /// - rule: nothing is ever enough without one
    pub fn new(rule: Option<StopRule>, enough: Enough) -> Self {
        Self { rule, enough, psnr: RunningConfidence::default(), frames: 0 }
    }
}

impl FrameKernel for WatchScores {
    type In = FrameScore;
    type Out = FrameScore;

    fn process(&mut self, score: FrameScore) -> Result<FrameScore> {
        let Some(rule) = self.rule else { return Ok(score) };
        self.frames += 1;
        score.images.iter().for_each(|image| self.psnr.add(image.psnr_db()));
        let found = self.psnr.summary();
        if !self.enough.is_reached()
            && found.count >= rule.min_images
            && found.half_width <= rule.psnr_ci95_db
        {
            self.enough.0.store(self.frames, Ordering::Release);
        }
        Ok(score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sememe_blocks::metric::ImageScore;

    fn score(frame: u64, errors: [f64; 2]) -> FrameScore {
        let image = |mean_square_error| ImageScore { mean_square_error, lost: false };
        FrameScore {
            frame,
            images: errors.map(image).to_vec(),
            ms_ssim: vec![],
            ms_ssim_scales: 0,
            lpips: vec![],
            received: None,
        }
    }

    #[test]
    fn enough_is_known_after_the_first_frame_that_satisfies_the_rule_and_stays() {
        let enough = Enough::default();
        let rule = StopRule { psnr_ci95_db: 0.5, min_images: 6 };
        let mut watch = WatchScores::new(Some(rule), enough.clone());
        let mut known = vec![];
        for frame in 0..6 {
            watch.process(score(frame, [100.0, 101.0])).unwrap();
            known.push(enough.is_reached());
        }
        assert_eq!(known, [false, false, true, true, true, true]);
        let mut output = LinkOutput {
            scores: (0..6).map(|frame| score(frame, [1.0; 2])).collect(),
            air: vec![],
            common: vec![],
            payloads: None,
            mcs: None,
        };
        enough.cut(&mut output);
        assert_eq!(output.scores.len(), 3);
    }

    #[test]
    fn wide_intervals_go_on() {
        let enough = Enough::default();
        let rule = StopRule { psnr_ci95_db: 0.1, min_images: 2 };
        let mut watch = WatchScores::new(Some(rule), enough.clone());
        (0..10).for_each(|frame| drop(watch.process(score(frame, [10.0, 1000.0])).unwrap()));
        assert!(!enough.is_reached());
    }
}
