//! `sememe receive`: images out of the air.

use crate::radio_arguments::RadioArguments;
use crate::run::parse_changes;
use crate::{interrupt, output_folder, report};
use sememe::antenna::{ReceiveOptions, TABLE, Until, receive};
use sememe::experiment::{EXIT_INTERRUPTED, EXIT_OK, Override, RunError, Tree};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Arguments of `sememe receive`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The experiment file that the transmitter uses
    pub experiment: PathBuf,
    /// A radio (driver=rtlsdr), a socket (zmq+sub://127.0.0.1:5555) or a recording (name.sigmf-meta)
    #[arg(long, value_name = "FRONT")]
    pub from: String,
    #[command(flatten)]
    pub radio: RadioArguments,
    /// Name of the link; default: the first
    #[arg(long, value_name = "NAME")]
    pub link: Option<String>,
    /// Receives as this user, who hears its own slots and its group's; default: as all users
    #[arg(long, value_name = "K")]
    pub user: Option<usize>,
    /// Scores against the experiment's images; without it they need not be there
    #[arg(long)]
    pub originals: bool,
    /// Ends after so many frames
    #[arg(long, value_name = "N")]
    pub frames: Option<u64>,
    /// Ends after so many seconds
    #[arg(long, value_name = "S")]
    pub seconds: Option<f64>,
    /// Keeps all samples in a recording of this name, bursts marked
    #[arg(long, value_name = "NAME")]
    pub record: Option<String>,
    /// Changes a key, such as air.numerology="wide"
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder for images and the table of them
    #[arg(long, value_name = "DIR", default_value = "out/received")]
    pub out: PathBuf,
    /// Replaces what the folder holds, and a recording of the same name
    #[arg(long)]
    pub force: bool,
    /// Shows nothing while it runs
    #[arg(long)]
    pub quiet: bool,
}

/// Receives.
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    let mut changes = parse_changes(&arguments.set)?;
    changes.extend(arguments.radio.changes("air.receive")?);
    if let Some(seconds) = arguments.seconds.filter(|seconds| !(seconds.is_finite() && *seconds > 0.0)) {
        return Err(RunError::Usage(format!("--seconds {seconds}: allowed is a positive time")));
    }
    let mut tree = Tree::read(&arguments.experiment)?.set(&changes)?;
    let mut stand_in = false;
    if !arguments.originals {
        (tree, stand_in) = without_images(tree)?;
    }
    let stop = interrupt::stop_flag()?;
    output_folder::fresh(&arguments.out, arguments.force)?;
    if arguments.force {
        remove_pictures(&arguments.out)?;
    }
    let stopped = std::sync::Arc::clone(&stop);
    let status = receive(
        &tree,
        &ReceiveOptions {
            from: &arguments.from,
            link: arguments.link.as_deref(),
            user: arguments.user,
            originals: arguments.originals,
            stand_in,
            out: &arguments.out,
            record: arguments.record.as_deref(),
            may_overwrite: arguments.force,
            until: Until { frames: arguments.frames, seconds: arguments.seconds },
            show: !arguments.quiet,
            stop,
        },
    )?;
    let decibels = |value: Option<f64>| value.map_or("unknown".into(), |value| format!("{value:.2} dB"));
    let (reader, collector, front) = (status.reader, status.collector, status.front);
    let mut text = format!(
        "{} images, of which nothing was heard: {}\n\
         quality     PSNR {}; SNR {}\n\
         bursts      {} received, {} headers refused by their check, {} by their fields, {} lost midway, {} of others\n\
         slots       {} heard, {} lost, {} heard again\n\
         front       {} overflows, {} samples missing, lost {} times\n",
        status.images,
        status.lost_images,
        decibels(status.mean_psnr_db()),
        decibels(status.mean_snr_db()),
        reader.bursts,
        reader.bad_checks,
        reader.bad_fields,
        reader.lost,
        collector.foreign,
        collector.slots,
        collector.lost,
        collector.repeated,
        front.overflows,
        front.missing,
        front.losses,
    );
    if collector.foreign > 0 {
        text.push_str(
            "hint        bursts of others are of another link, weights, SNR or users: both ends need the same file\n",
        );
    }
    if let Some(reason) = &status.last_loss {
        text.push_str(&format!("last loss   {reason}\n"));
    }
    text.push_str(&format!("images and {TABLE} are in {}\n", arguments.out.display()));
    let more = [("no samples", reader.not_samples + status.garbled), ("not marked", status.unmarked)];
    for (what, count) in more.into_iter().filter(|(_, count)| *count > 0) {
        text.push_str(&format!("{what:<12}{count}\n"));
    }
    report::print(&text)?;
    Ok(if stopped.load(Ordering::Relaxed) { EXIT_INTERRUPTED } else { EXIT_OK })
}

/// Removes the images of an earlier reception.
fn remove_pictures(folder: &Path) -> Result<(), RunError> {
    let failed = |error: std::io::Error| RunError::file(folder, error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("frame-") && name.ends_with(".png") {
            std::fs::remove_file(&path).map_err(failed)?;
        }
    }
    Ok(())
}

/// An experiment whose images are not at hand: scenes of the same size stand in.
///
/// - returns: whether they do
fn without_images(tree: Tree) -> Result<(Tree, bool), RunError> {
    let source = tree.table.get("source").and_then(|source| source.as_table());
    let Some(kind) = source.and_then(|source| source.get("kind")?.as_str()).filter(|kind| *kind != "scenes")
    else {
        return Ok((tree, false));
    };
    let size = source.and_then(|source| source.get("size")).map(ToString::to_string);
    let size = match (kind, size) {
        ("cifar10", _) => "[32, 32]".to_owned(),
        (_, Some(size)) => size,
        _ => {
            let allowed = "height and width of the images that are sent, such as [32, 32], or --originals";
            return Err(tree.missing("source.size", allowed).into());
        }
    };
    let text = format!("source={{ kind = \"scenes\", size = {size} }}");
    let change: Override = text.parse()?;
    Ok((tree.set(&[change])?, true))
}
