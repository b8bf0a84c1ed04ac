//! `sememe receive`: the receiving end of a link, as a flowgraph.
//!
//! ```text
//! front > bursts > slots heard > [own slots] > scheme > conceal > [own image] > folder of pictures
//! ```

use super::config::AirConfig;
use super::display::{Display, End};
use super::ends::{Announced, OpenedEnd, front_error};
use super::front::{open_source, recording_settings};
use super::live_frames::{LiveFrames, Until};
use super::own_user::{OwnImage, OwnSlots};
use super::picture_folder::PictureFolder;
use super::status::{SharedStatus, Status};
use crate::adapters::{Graph, RunOptions, SourceBlock};
use crate::experiment::{RunError, Tree, resolved_text};
use crate::links::{Arrived, Conceal, Images};
use sememe_blocks::framing::{Audience, BurstReader, FrameCollector, FrameDemodulator};
use sememe_blocks::ofdm::ResourceGrid;
use sememe_hw::sigmf::RecordingWriter;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How a reception is carried out.
pub struct ReceiveOptions<'a> {
    /// Where samples come from, see `front`.
    pub from: &'a str,
    /// Name of the link; `None`: the first.
    pub link: Option<&'a str>,
    /// The user whose receiver this is; `None`: all of them.
    pub user: Option<usize>,
    /// Whether the experiment's images are the originals, to be scored against.
    pub originals: bool,
    /// Whether other images stand in for the experiment's, which are not at hand.
    pub stand_in: bool,
    /// Folder of the images.
    pub out: &'a Path,
    /// Name of a recording that keeps all samples.
    pub record: Option<&'a str>,
    /// Whether a recording of this name may be replaced.
    pub may_overwrite: bool,
    /// When it ends by itself.
    pub until: Until,
    /// Whether the status is shown.
    pub show: bool,
    /// Raised to end it; what was received is kept.
    pub stop: Arc<AtomicBool>,
}

/// Receives the images of a link.
///
/// - returns: what was counted
/// - errors: what cannot be used, before anything is received; a front that fails for good
pub fn receive(tree: &Tree, options: &ReceiveOptions) -> Result<Status, RunError> {
    let opened = OpenedEnd::new(tree)?;
    let Announced { link, setting, content, model } = opened.announced(options.link)?;
    let OpenedEnd { prepared, air, grid } = &opened;
    let users = setting.downlink.users;
    if let Some(user) = options.user.filter(|user| *user >= users) {
        return Err(RunError::Usage(format!("--user {user}: allowed is 0 to {}", users - 1)));
    }
    if options.stand_in && link.needs_images() {
        return Err(RunError::Usage(format!(
            "--link {}: its basis or format is chosen on images: allowed is it with --originals, or another link",
            link.name
        )));
    }
    let front = open_source(options.from, &air.receive, grid.numerology().sample_rate_hz);
    let front = front.map_err(front_error)?;
    let record = options.record.map(|name| recording(name, air, grid, options.may_overwrite)).transpose()?;
    let audience = options.user.map_or(Audience::All, Audience::One);
    let reader = BurstReader::new(grid, air.max_offset(grid));
    let reader = reader.map_err(|error| RunError::Usage(format!("air.{error}")))?;
    let lengths = link.slot_lengths(&setting).map_err(|error| RunError::Usage(error.to_string()))?;
    let collector = FrameCollector::new(audience, content, model, users).expecting(lengths);
    let demodulator = FrameDemodulator::new(reader, collector);
    let status = SharedStatus::new(Arc::clone(&options.stop));
    let frames = LiveFrames::new(front, demodulator, options.until, record, Arc::clone(&status));
    let originals = options
        .originals
        .then(|| Images { set: Arc::clone(&prepared.source.images.set), ..prepared.source.images });
    let folder = PictureFolder::new(options.out, users, options.user, originals, Arc::clone(&status));
    let folder = folder.map_err(|error| RunError::Failed(error.to_string()))?;
    let resolved = options.out.join("experiment.toml");
    std::fs::write(&resolved, resolved_text(&prepared.experiment)?)
        .map_err(|error| RunError::file(&resolved, error))?;

    let wiring_failed = |error| RunError::link("receive", error);
    let mut graph = Graph::new();
    let source = SourceBlock::new(frames).live();
    let front = source.kept();
    let mut heard = graph.chain_block("front", source).out();
    if let Some(user) = options.user.filter(|_| link.decodes_alone()) {
        heard = graph.resume(heard).then("own slots", OwnSlots::new(user)).out();
    }
    let arrived = link.to_images(&mut graph, heard, &setting).map_err(wiring_failed)?;
    let Arrived { images, loss } = arrived;
    let conceal = Conceal::new(Arc::clone(&prepared.mean_image));
    let mut received = graph.resume(images).join("conceal", conceal, loss).out();
    if let Some(user) = options.user {
        received = graph.resume(received).then("own image", OwnImage::new(user)).out();
    }
    graph.resume(received).sink("pictures", folder);
    let display = options.show.then(|| Display::new(End::Receive, Arc::clone(&status)));
    let run = RunOptions { stop: Some(Arc::clone(&options.stop)), ..RunOptions::default() };
    let outcome = graph.run_with(&run);
    drop(display);
    // What was recorded is finished, however the run ended.
    let closed = front
        .take()
        .map_err(wiring_failed)
        .and_then(|mut front| front.close().map_err(|error| RunError::Failed(error.to_string())));
    outcome.map_err(wiring_failed)?;
    closed?;
    Ok(Status::now(&status))
}

fn recording(
    name: &str,
    air: &AirConfig,
    grid: &ResourceGrid,
    may_overwrite: bool,
) -> Result<RecordingWriter, RunError> {
    let settings = recording_settings(&air.receive, grid.numerology().sample_rate_hz, may_overwrite);
    RecordingWriter::create(name, settings).map_err(front_error)
}
