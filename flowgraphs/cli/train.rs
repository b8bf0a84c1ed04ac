//! `sememe train`: a model from a training file.

use crate::output_folder::holds_files;
use crate::run::parse_changes;
use crate::{interrupt, report};
use sememe::experiment::{EXIT_INTERRUPTED, EXIT_OK, Reporter, RunError, Tree};
use sememe_blocks::Decibel;
use sememe_blocks::channel::{ChannelConfig, FadingModel};
use sememe_models::device::Place;
use sememe_models::training::{Progress, RunOptions, TrainingConfig, TrainingError, check_precision, train};
use std::path::PathBuf;

/// Arguments of `sememe train`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The training file
    pub training: PathBuf,
    /// Changes a key: a dotted path, such as optimizer.epochs=5
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder for checkpoint, logs and weights; default out/ and the name of the file
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Goes on from the checkpoint in the folder, as if the run had never stopped
    #[arg(long, conflicts_with = "force")]
    pub resume: bool,
    /// Trains anew in a folder that holds files
    #[arg(long)]
    pub force: bool,
    /// Where steps are computed: cpu, cuda or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
    /// Checks the file and runs nothing
    #[arg(long)]
    pub check: bool,
}

/// Trains.
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    let tree = Tree::read(&arguments.training)?.set(&parse_changes(&arguments.set)?)?;
    let config: TrainingConfig = tree.typed()?;
    let refused = |error: TrainingError| RunError::Usage(format!("{}: {error}", tree.origin()));
    config.check().map_err(refused)?;
    let no_device = |reason| RunError::Usage(format!("--device: {reason}"));
    let place: Place = arguments.device.parse().map_err(no_device)?;
    check_precision(&config, place == Place::Processor).map_err(refused)?;
    if arguments.check {
        return report::print(&format!("{}: can be trained\n", arguments.training.display()));
    }
    let stem = arguments.training.file_stem().unwrap_or_default();
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("out").join(stem));
    if !arguments.resume && !arguments.force && holds_files(&out) {
        return Err(RunError::Usage(format!(
            "--out {} holds files: allowed is an empty or new folder, --resume or --force",
            out.display()
        )));
    }
    let device = place.open().map_err(no_device)?;
    let stop = interrupt::stop_flag()?;
    let mut reporter = None;
    let mut progress = |now: &Progress| {
        let before = now.step.saturating_sub(1);
        reporter
            .get_or_insert_with(|| Reporter::new(now.steps, before, "steps"))
            .advance(now.step, &describe(now));
    };
    let options = RunOptions {
        device,
        out: out.clone(),
        resume: arguments.resume,
        stop: &stop,
        progress: &mut progress,
    };
    let outcome = train(&config, options);
    if let Some(reporter) = &reporter {
        reporter.finish();
    }
    let outcome = outcome.map_err(|error| match error {
        TrainingError::Config(_) | TrainingError::Block(_) => refused(error),
        other => RunError::Failed(other.to_string()),
    })?;
    let mut text = String::new();
    for measured in &outcome.validation {
        text.push_str(&format!("{}\n", in_words(measured.fading, measured.snr, measured.psnr_db)));
    }
    match outcome.weights {
        Some(path) => {
            text.push_str(&format!("trained {} steps; weights: {}\n", outcome.step, path.display()))
        }
        None => text.push_str(&format!(
            "stopped after {} steps; go on with --resume --device {} --out {}\n",
            outcome.step,
            arguments.device,
            out.display()
        )),
    }
    report::print(&text)?;
    Ok(if outcome.finished { EXIT_OK } else { EXIT_INTERRUPTED })
}

fn in_words(fading: FadingModel, snr: Decibel, psnr_db: f32) -> String {
    format!("{} {snr}: {psnr_db:.2} dB", ChannelConfig::new(fading).name())
}

fn describe(now: &Progress) -> String {
    let validation: Vec<String> =
        now.validation.iter().map(|m| in_words(m.fading, m.snr, m.psnr_db)).collect();
    let validation =
        if validation.is_empty() { String::new() } else { format!("; {}", validation.join(", ")) };
    format!(
        "epoch {}/{}, loss {:.5}, {:.0} images/s{validation}",
        now.epoch, now.epochs, now.loss, now.images_per_second
    )
}
