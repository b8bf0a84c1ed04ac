//! Pictures of an outside codec behind the coding chain: what arrives is looked up in the codec's table.
//!
//! ```text
//! images > table encoder > channel encoder > ... > channel decoder > passed: PSNR of the table
//!                                                                    failed: that of the mean image
//! ```
//! The streams are unknown here, so random bits travel in their place.

use super::air::built;
use super::digital::{Carried, Receiver, carry};
use super::run::LinkOutput;
use super::score::FrameScore;
use super::setting::{Images, Scoring, Setting};
use super::stop_rule::{Enough, WatchScores};
use super::tap::PayloadReport;
use super::validation::error_of_mean_colour;
use super::wiring::{Result, Wiring};
use crate::adapters::{Graph, RunOptions};
use ndarray::{ArrayView3, Axis};
use sememe_blocks::coding::BlockPlan;
use sememe_blocks::frame::{DecodedFrame, Destination, ImageBatch, Payload, PayloadFrame};
use sememe_blocks::kernel::{FrameKernel, FrameSource};
use sememe_blocks::metric::{ImageScore, mean_square_error};
use sememe_blocks::picture::{OutsideTable, Setting as PictureSetting};
use sememe_blocks::rng::{Purpose, RngKey, random_bits};
use std::sync::Arc;

/// The link of one point.
#[derive(Clone)]
pub struct Outside {
    /// Sizes and qualities of the images that are sent, by their number in the set.
    pub table: Arc<OutsideTable>,
    /// The format of every block.
    pub plan: Arc<BlockPlan>,
    /// How receivers work.
    pub receiver: Receiver,
}

impl Outside {
    /// Runs the link as a flowgraph.
    ///
    /// - errors: the block that failed and why; an image that the table does not name
    pub fn in_flowgraph(
        &self,
        images: &Images,
        setting: &Setting,
        scoring: &Scoring,
        options: &RunOptions,
    ) -> Result<LinkOutput> {
        let mut graph = Graph::new();
        let source = images.frames(setting.downlink.users);
        let source = graph.source("images", built("images", source)?)?;
        let encoder = Filler { key: setting.key, plan: Arc::clone(&self.plan) };
        let payloads = Wiring::then(&mut graph, source, "table encoder", encoder)?;
        let Carried { decoded, air, common } =
            carry(&mut graph, payloads, &self.plan, self.receiver, setting)?;
        let decoded = graph.collect(decoded, "decoded blocks")?;
        let (air, common) = (graph.collect(air, "air reports")?, graph.collect(common, "group reports")?);
        graph.run_with(options)?;
        let decoded = <Graph as Wiring>::redeem(decoded)?;
        let (scores, payloads) = built("table", self.scores(images, setting, scoring, &decoded))?;
        let enough = Enough::default();
        let mut watch = WatchScores::new(scoring.stop, enough.clone());
        let scores = scores.into_iter().map(|score| built("watch scores", watch.process(score)));
        let mut output = LinkOutput {
            scores: scores.collect::<Result<_>>()?,
            air: <Graph as Wiring>::redeem(air)?,
            common: <Graph as Wiring>::redeem(common)?,
            payloads: Some(payloads),
            mcs: None,
        };
        enough.cut(&mut output);
        Ok(output)
    }

    fn scores(
        &self,
        images: &Images,
        setting: &Setting,
        scoring: &Scoring,
        decoded: &[DecodedFrame],
    ) -> sememe_blocks::Result<(Vec<FrameScore>, Vec<PayloadReport>)> {
        let users = setting.downlink.users;
        let mut frames = images.frames(users)?;
        let (mut scores, mut reports) = (Vec::new(), Vec::new());
        for decoded in decoded {
            let Some(batch) = frames.next_frame()? else { break };
            let first = images.first + batch.frame as usize * users;
            let mut unfit = 0;
            let score = |(user, image): (usize, ArrayView3<'_, u8>)| {
                let payload = self.plan.format_of(batch.frame, user).payload_len();
                let point = self.table.best_within(&(first + user).to_string(), payload)?;
                unfit += usize::from(point.is_none());
                let lost = !decoded.users[user].passed;
                let mean_square_error = match point {
                    _ if lost => mean_square_error(image, scoring.mean_image.view())?,
                    Some(point) => 255.0 * 255.0 / 10f64.powf(point.psnr_db / 10.0),
                    None => error_of_mean_colour(image),
                };
                Ok(ImageScore { mean_square_error, lost })
            };
            let images = batch.pixels.axis_iter(Axis(0)).enumerate().map(score);
            let images = images.collect::<sememe_blocks::Result<Vec<_>>>()?;
            reports.push(PayloadReport { frame: batch.frame, unfit });
            scores.push(FrameScore {
                frame: batch.frame,
                images,
                ms_ssim: vec![],
                ms_ssim_scales: 0,
                lpips: vec![],
                received: None,
            });
        }
        Ok((scores, reports))
    }
}

/// Random bits in place of streams.
struct Filler {
    key: RngKey,
    plan: Arc<BlockPlan>,
}

impl FrameKernel for Filler {
    type In = ImageBatch;
    type Out = PayloadFrame;

    fn process(&mut self, batch: ImageBatch) -> sememe_blocks::Result<PayloadFrame> {
        let payload = |user: usize| {
            let mut rng = self.key.stream(Purpose::Payload, batch.frame, user);
            let mut bits = vec![0; self.plan.format_of(batch.frame, user).payload_len()];
            random_bits(&mut rng, &mut bits);
            Payload { destination: Destination::User(user), bits, setting: PictureSetting::MeanColour }
        };
        let payloads = (0..batch.len()).map(payload).collect();
        Ok(PayloadFrame { frame: batch.frame, num_users: batch.len(), payloads })
    }
}
