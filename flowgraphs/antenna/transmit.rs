//! `sememe transmit`: the sending end of a link, as a flowgraph.
//!
//! ```text
//! images > scheme > symbols of slots > burst sender > front
//! ```

use super::BurstSender;
use super::display::{Display, End};
use super::ends::{Announced, OpenedEnd, front_error};
use super::front::{FrontKind, open_sink};
use super::status::{SharedStatus, Status};
use crate::adapters::{Graph, RunOptions, SourceBlock};
use crate::experiment::{RunError, Tree};
use crate::links::Images;
use sememe_blocks::frame::ImageBatch;
use sememe_blocks::framing::{BurstWriter, SlotBursts, Waveform};
use sememe_blocks::kernel::FrameSource;
use sememe_blocks::source::BatchSource;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How a transmission is carried out.
pub struct TransmitOptions<'a> {
    /// Where samples go, see `front`.
    pub to: &'a str,
    /// Name of the link; `None`: the first.
    pub link: Option<&'a str>,
    /// How often all frames are sent.
    pub rounds: u64,
    /// Whether a recording of this name may be replaced.
    pub may_overwrite: bool,
    /// Whether the status is shown.
    pub show: bool,
    /// Raised to end the transmission behind the frame under way.
    pub stop: Arc<AtomicBool>,
}

/// What was sent.
pub struct Transmitted {
    /// Counts.
    pub status: Status,
    /// Channel uses of the payloads over all samples of bursts.
    pub time_efficiency: f64,
    /// Energy of the payloads over that of all bursts.
    pub energy_efficiency: f64,
}

/// Sends the images of an experiment over the air.
///
/// - errors: what cannot be used, before anything is sent; a front that fails for good
pub fn transmit(tree: &Tree, options: &TransmitOptions) -> Result<Transmitted, RunError> {
    let opened = OpenedEnd::new(tree)?;
    let Announced { link, setting, content, model } = opened.announced(options.link)?;
    let OpenedEnd { prepared, air, grid } = &opened;
    let unusable = |error: sememe_blocks::BlockError| RunError::Usage(format!("air.{error}"));
    let writer = BurstWriter::new(grid, air.clip_db).map_err(unusable)?;
    let waveform = Waveform::new(grid).map_err(unusable)?;
    let rate = grid.numerology().sample_rate_hz;
    let front = open_sink(options.to, &air.transmit, &air.bursts, rate, options.may_overwrite);
    let front = front.map_err(front_error)?;
    let status = SharedStatus::new(Arc::clone(&options.stop));
    // The zeros that a radio sends behind a burst need their time too.
    let is_radio = FrontKind::of(options.to) == FrontKind::Radio;
    let gap = if is_radio { air.gap.max(air.bursts.tail_samples) } else { air.gap };
    let levels = (air.amplitude(grid), gap);
    let sender =
        BurstSender::new(SlotBursts::new(content, model), writer, front, levels, Arc::clone(&status));
    let sender = if is_radio { sender.timed() } else { sender };

    let rounds = Rounds {
        images: Images { set: Arc::clone(&prepared.source.images.set), ..prepared.source.images },
        users: setting.downlink.users,
        left: options.rounds,
        current: None,
        count: 0,
    };
    let wiring_failed = |error| RunError::link("transmit", error);
    let mut graph = Graph::new();
    let images = graph.chain_block("images", SourceBlock::new(rounds)).out();
    let symbols = link.to_symbols(&mut graph, images, &setting).map_err(wiring_failed)?;
    let sender = graph.resume(symbols).sink("burst sender", sender);
    let display = options.show.then(|| Display::new(End::Transmit, Arc::clone(&status)));
    let run = RunOptions { stop: Some(Arc::clone(&options.stop)), ..RunOptions::default() };
    let outcome = graph.run_with(&run);
    drop(display);
    // What was handed over is sent, however the run ended.
    let finished = sender
        .take()
        .map_err(wiring_failed)
        .and_then(|mut sender| sender.finish().map_err(|error| RunError::Failed(error.to_string())));
    outcome.map_err(wiring_failed)?;
    finished?;
    let status = Status::now(&status);
    let mean_uses = (status.uses / status.bursts.max(1)) as usize;
    Ok(Transmitted {
        time_efficiency: waveform.time_efficiency(mean_uses),
        energy_efficiency: waveform.energy_efficiency(mean_uses),
        status,
    })
}

/// All frames, several times over, counted on from round to round.
struct Rounds {
    images: Images,
    users: usize,
    left: u64,
    current: Option<BatchSource>,
    /// Frames sent.
    count: u64,
}

impl FrameSource for Rounds {
    type Out = ImageBatch;

    fn next_frame(&mut self) -> sememe_blocks::Result<Option<ImageBatch>> {
        loop {
            if let Some(source) = &mut self.current {
                if let Some(batch) = source.next_frame()? {
                    self.count += 1;
                    return Ok(Some(ImageBatch { frame: self.count - 1, ..batch }));
                }
                self.current = None;
            }
            if self.left == 0 {
                return Ok(None);
            }
            self.left -= 1;
            self.current = Some(self.images.frames(self.users)?);
        }
    }
}
