//! `sememe features`: the common features of trained weights, laid out in a plane.

use crate::given_weights::{source, trained_downlink};
use crate::output_folder::fresh;
use crate::{interrupt, report};
use sememe::experiment::plot::{panels_to_png, panels_to_svg};
use sememe::experiment::{EXIT_INTERRUPTED, OpenSource, Reporter, RunError, SourceConfig, open_weights};
use sememe::feature_space::{Conditions, PICTURE, Snapshot, panels, tables};
use sememe::links::Downlink;
use sememe_blocks::Decibel;
use sememe_blocks::access::clustering::check_counts;
use sememe_blocks::metric::MOST_POINTS;
use sememe_blocks::rng::RngKey;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use toml::Value;

/// Arguments of `sememe features`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Shipped weights by name, or weights files, such as those that validation.keep_epochs keeps
    #[arg(required = true)]
    pub weights: Vec<String>,
    /// Images: "scenes", CIFAR-10 (folder, archive or file of records) or a folder of pictures
    #[arg(long, value_name = "DATA", default_value = "scenes")]
    pub data: String,
    /// Frames of as many images as there are users
    #[arg(long, default_value_t = 40)]
    pub frames: usize,
    /// Mean SNR in dB that the encoders are told
    #[arg(long, value_name = "DB", allow_hyphen_values = true, default_value_t = 12.0)]
    pub snr: f32,
    /// Neighbours of a feature in the layout
    #[arg(long, default_value_t = 20.0)]
    pub perplexity: f64,
    /// Seed of clustering and layout
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Folder for tables and picture
    #[arg(long, value_name = "DIR", default_value = "out/features")]
    pub out: PathBuf,
    /// Replaces what lies in the folder
    #[arg(long)]
    pub force: bool,
}

/// Looks at every model in turn.
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    let mut models = Vec::new();
    for weights in &arguments.weights {
        let model =
            open_weights(weights).map_err(|reason| RunError::Usage(format!("{weights}: {reason}")))?;
        models.push((name_of(weights), model));
    }
    let downlink: Downlink = Value::Table(trained_downlink(&models[0].1))
        .try_into()
        .map_err(|error| RunError::Usage(format!("{}: its recipe: {error}", arguments.weights[0])))?;
    check(arguments, &downlink)?;
    let opened = images(arguments, &downlink)?;
    fresh(&arguments.out, arguments.force)?;
    let conditions = Conditions {
        downlink,
        images: &opened.images,
        snr: Decibel(arguments.snr),
        frames: arguments.frames,
        perplexity: arguments.perplexity,
        key: RngKey::new(arguments.seed),
    };
    let stop = interrupt::stop_flag()?;
    let mut reporter = Reporter::new(models.len() as u64, 0, "models");
    let mut snapshots = Vec::new();
    for (name, model) in &models {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        reporter.note(name);
        let snapshot = Snapshot::of(name, model, &conditions);
        snapshots.push(snapshot.map_err(|error| RunError::Usage(error.to_string()))?);
        reporter.advance(snapshots.len() as u64, name);
    }
    reporter.finish();
    if snapshots.is_empty() {
        report::print("stopped before the first model\n")?;
        return Ok(EXIT_INTERRUPTED);
    }
    write(arguments, &snapshots, &opened.images.set.name())?;
    let mut text = String::new();
    for Snapshot { name, mean_cosine, target, .. } in &snapshots {
        text.push_str(&format!("{name}: mean cosine {mean_cosine:.4}, goal {target:.4}\n"));
    }
    text.push_str(&format!("tables and picture are in {}\n", arguments.out.display()));
    let code = report::print(&text)?;
    Ok(if snapshots.len() < models.len() { EXIT_INTERRUPTED } else { code })
}

/// Refuses numbers for which nothing could be laid out.
fn check(arguments: &Arguments, downlink: &Downlink) -> Result<(), RunError> {
    let refuse = |name: &str, found: String, allowed: String| {
        Err(RunError::Usage(format!("--{name} {found} is not possible: allowed is {allowed}")))
    };
    check_counts(downlink.users, downlink.groups)
        .map_err(|error| RunError::Usage(format!("{}: its recipe: {error}", arguments.weights[0])))?;
    let most = MOST_POINTS / downlink.groups;
    if !(1..=most).contains(&arguments.frames) {
        let allowed =
            format!("1 to {most}, so that {} groups give {MOST_POINTS} points at most", downlink.groups);
        return refuse("frames", arguments.frames.to_string(), allowed);
    }
    // Groups without users have no point; with the strategies that leave some empty there may be fewer.
    let neighbours = (arguments.frames * downlink.groups - 1) as f64 / 3.0;
    if !(1.0..=neighbours).contains(&arguments.perplexity) {
        let allowed = format!("1 to {neighbours:.1} with so many frames and groups");
        return refuse("perplexity", arguments.perplexity.to_string(), allowed);
    }
    if !(-200.0..=200.0).contains(&arguments.snr) {
        return refuse("snr", arguments.snr.to_string(), "-200 to 200".into());
    }
    let mut names = BTreeSet::new();
    for weights in &arguments.weights {
        let name = name_of(weights);
        if name.contains([',', '"', '\n', '\r']) || !names.insert(name) {
            return Err(RunError::Usage(format!(
                "weights \"{weights}\" are not possible: allowed are files of different names, without commas and \
                 quotes"
            )));
        }
    }
    Ok(())
}

/// Writes tables and picture.
fn write(arguments: &Arguments, snapshots: &[Snapshot], data: &str) -> Result<(), RunError> {
    let Arguments { out, snr, frames, .. } = arguments;
    let put = |name: &str, bytes: &[u8]| {
        let path = out.join(name);
        std::fs::write(&path, bytes).map_err(|error| RunError::file(&path, error))
    };
    for (name, text) in tables(snapshots) {
        put(name, text.as_bytes())?;
    }
    let data = data.split(',').next().unwrap_or_default();
    let picture = panels(snapshots, &format!("{data}, {frames} frames, encoders told {snr} dB"));
    put(&format!("{PICTURE}.svg"), panels_to_svg(&picture).map_err(RunError::Failed)?.as_bytes())?;
    put(&format!("{PICTURE}.png"), &panels_to_png(&picture).map_err(RunError::Failed)?)
}

/// The images, opened as those of an experiment are.
fn images(arguments: &Arguments, downlink: &Downlink) -> Result<OpenSource, RunError> {
    let images = Some(arguments.frames.saturating_mul(downlink.users));
    let config: SourceConfig = Value::Table(source(&arguments.data, images))
        .try_into()
        .map_err(|error| RunError::Failed(format!("source: {error}")))?;
    Ok(config.open(downlink.users, downlink.groups, arguments.seed, "sememe features")?)
}

/// The end of a path, without what all weights files end in.
fn name_of(weights: &str) -> String {
    let stem = Path::new(weights).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = stem.trim_start_matches("weights-");
    match name.strip_prefix("epoch-").and_then(|digits| digits.parse::<u64>().ok()) {
        Some(epoch) => format!("epoch {epoch}"),
        None => name.to_owned(),
    }
}
