//! `sememe transmit`: the images of an experiment over the air.

use crate::radio_arguments::RadioArguments;
use crate::run::parse_changes;
use crate::{interrupt, report};
use sememe::antenna::{TransmitOptions, transmit};
use sememe::experiment::{EXIT_INTERRUPTED, EXIT_OK, RunError, Tree};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Arguments of `sememe transmit`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The experiment file; its [air] table says how, its first link, channel and SNR what both ends are told
    pub experiment: PathBuf,
    /// A radio (driver=hackrf), a socket (zmq+pub://*:5555) or a recording (name.sigmf-meta)
    #[arg(long, value_name = "FRONT")]
    pub to: String,
    #[command(flatten)]
    pub radio: RadioArguments,
    /// Name of the link; default: the first
    #[arg(long, value_name = "NAME")]
    pub link: Option<String>,
    /// Sends everything so many times
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub rounds: u64,
    /// Changes a key, such as air.numerology="wide"
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Replaces a recording of the same name
    #[arg(long)]
    pub force: bool,
    /// Shows nothing while it runs
    #[arg(long)]
    pub quiet: bool,
}

/// Transmits.
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    let mut changes = parse_changes(&arguments.set)?;
    changes.extend(arguments.radio.changes("air.transmit")?);
    let tree = Tree::read(&arguments.experiment)?.set(&changes)?;
    let stop = interrupt::stop_flag()?;
    let stopped = Arc::clone(&stop);
    let sent = transmit(
        &tree,
        &TransmitOptions {
            to: &arguments.to,
            link: arguments.link.as_deref(),
            rounds: arguments.rounds,
            may_overwrite: arguments.force,
            show: !arguments.quiet,
            stop,
        },
    )?;
    let (status, front) = (&sent.status, sent.status.front);
    let mut text = format!(
        "{} frames in {} bursts, {} channel uses in {} samples\n\
         waveform    {:.1} % of the samples and {:.1} % of the energy of a burst carry payload; the rest is preamble, header, \
         prefix, pilots and guards\n\
         peaks       {:.1} dB over the mean power; {} samples clipped, {} beyond full scale\n\
         front       {} underflows, {} bursts late, lost {} times\n",
        status.frames,
        status.bursts,
        status.uses,
        status.samples,
        100.0 * sent.time_efficiency,
        100.0 * sent.energy_efficiency,
        status.highest_peak_db,
        status.clipped,
        status.beyond_full_scale,
        front.underflows,
        front.late,
        front.losses,
    );
    if let Some(reason) = &status.last_loss {
        text.push_str(&format!("last loss   {reason}\n"));
    }
    report::print(&text)?;
    Ok(if stopped.load(Ordering::Relaxed) { EXIT_INTERRUPTED } else { EXIT_OK })
}
