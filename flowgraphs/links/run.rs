//! Runs a link on images and scores what arrives: as a flowgraph, or by direct calls.

use super::air::{Landed, built};
use super::score::{Compare, Conceal, FrameScore, Scorer};
use super::setting::{Images, Scoring, Setting};
use super::stop_rule::{Enough, UntilEnough, WatchScores};
use super::tap::{AirReport, CommonReport, LossReport, PayloadReport};
use super::wiring::{Direct, Result, Wiring};
use crate::adapters::{Graph, RunOptions};
use sememe_blocks::frame::ImageBatch;
use sememe_blocks::kernel::Tee;

/// A scheme: what stands before the air and after it.
pub trait Link {
    /// Wires the scheme from images to images.
    fn wire<W: Wiring>(
        &self,
        wiring: &mut W,
        images: W::Port<ImageBatch>,
        setting: &Setting,
    ) -> Result<Delivered<W>>;
}

/// Decoded images, and what was seen on their way.
pub struct Delivered<W: Wiring> {
    /// The images as users decoded them.
    pub images: W::Port<ImageBatch>,
    /// The ports of the reports: uses, groups and losses of each frame.
    pub reports: Reports<W>,
}

/// The reports that every link gives.
pub struct Reports<W: Wiring> {
    /// Uses and energy of each frame.
    pub air: W::Port<AirReport>,
    /// Groups of each frame.
    pub common: W::Port<CommonReport>,
    /// Lost users of each frame.
    pub loss: W::Port<LossReport>,
    /// How pictures fit their payloads, from digital links.
    pub payload: Option<W::Port<PayloadReport>>,
}

/// All that a run gives, one entry per frame, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkOutput {
    /// Scores.
    pub scores: Vec<FrameScore>,
    /// Uses and energy.
    pub air: Vec<AirReport>,
    /// Groups.
    pub common: Vec<CommonReport>,
    /// How pictures fit their payloads; `None` from links that send no payloads.
    pub payloads: Option<Vec<PayloadReport>>,
    /// The modulation and coding scheme, where a link has one.
    pub mcs: Option<String>,
}

struct Claims<W: Wiring> {
    scores: W::Claim<FrameScore>,
    air: W::Claim<AirReport>,
    common: W::Claim<CommonReport>,
    payloads: Option<W::Claim<PayloadReport>>,
    enough: Enough,
}

impl<W: Wiring> Landed<W> {
    /// Takes the features off, leaving the reports.
    pub fn parted(self) -> (W::Port<sememe_blocks::frame::ReceivedFeatures>, Reports<W>) {
        (self.features, Reports { air: self.air, common: self.common, loss: self.loss, payload: None })
    }
}

/// Runs a link as a FutureSDR flowgraph.
///
/// - errors: the block that failed and why
pub fn in_flowgraph(
    link: &impl Link,
    images: &Images,
    setting: &Setting,
    scoring: &Scoring,
    options: &RunOptions,
) -> Result<LinkOutput> {
    let mut graph = Graph::new();
    let claims = wire(&mut graph, link, images, setting, scoring)?;
    graph.run_with(options)?;
    redeem::<Graph>(claims)
}

/// Calls the same kernels one after the other. All frames are in memory at once.
///
/// - errors: the block that failed and why
pub fn directly(
    link: &impl Link,
    images: &Images,
    setting: &Setting,
    scoring: &Scoring,
) -> Result<LinkOutput> {
    let claims = wire(&mut Direct, link, images, setting, scoring)?;
    redeem::<Direct>(claims)
}

/// source > tee > link > conceal > compare > score > watch, with the originals for the comparison.
fn wire<W: Wiring>(
    wiring: &mut W,
    link: &impl Link,
    images: &Images,
    setting: &Setting,
    scoring: &Scoring,
) -> Result<Claims<W>> {
    let enough = Enough::default();
    let source = built("images", images.frames(setting.downlink.users))?;
    let source = wiring.source("images", UntilEnough { source, enough: enough.clone() })?;
    let (sent, originals) = wiring.split(source, "originals", Tee::new())?;
    let Delivered { images, reports } = link.wire(wiring, sent, setting)?;
    let received = wiring.join(images, reports.loss, "conceal", Conceal::new(scoring.mean_image.clone()))?;
    let scorer = Scorer::new(scoring.ms_ssim, scoring.lpips.clone(), scoring.kept_frames);
    let compared = wiring.join(originals, received, "compare", Compare)?;
    let scores = wiring.then_blocking(compared, "score", scorer)?;
    let scores = wiring.then(scores, "watch scores", WatchScores::new(scoring.stop, enough.clone()))?;
    Ok(Claims {
        scores: wiring.collect(scores, "scores")?,
        air: wiring.collect(reports.air, "air reports")?,
        common: wiring.collect(reports.common, "group reports")?,
        payloads: reports.payload.map(|port| wiring.collect(port, "payload reports")).transpose()?,
        enough,
    })
}

fn redeem<W: Wiring>(claims: Claims<W>) -> Result<LinkOutput> {
    let mut output = LinkOutput {
        scores: W::redeem(claims.scores)?,
        air: W::redeem(claims.air)?,
        common: W::redeem(claims.common)?,
        payloads: claims.payloads.map(W::redeem).transpose()?,
        mcs: None,
    };
    claims.enough.cut(&mut output);
    Ok(output)
}
