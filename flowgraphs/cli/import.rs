//! `sememe import`: weights that were trained in PyTorch, as a weights file of this program.

use crate::report;
use crate::run::parse_changes;
use sememe::experiment::{EXIT_OK, RunError, Tree};
use sememe_models::training::TrainingConfig;
use sememe_models::transceiver::Architecture;
use sememe_models::weights::{import, save, torch_names};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Arguments of `sememe import`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A training file: its tables model and downlink say which network the weights are for
    pub training: PathBuf,
    /// The state dictionary, saved with safetensors as F32 or F16
    #[arg(required_unless_present = "names")]
    pub state: Option<PathBuf>,
    /// Changes a key of the training file
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Side of the images in pixels that channel uses are counted for
    #[arg(long, value_name = "PIXELS", default_value_t = 32)]
    pub side: usize,
    /// The weights file to write
    #[arg(long, value_name = "FILE", default_value = "weights.safetensors")]
    pub out: PathBuf,
    /// Replaces the file
    #[arg(long)]
    pub force: bool,
    /// Prints the names and shapes that the state dictionary must have, and reads nothing
    #[arg(long)]
    pub names: bool,
}

/// Imports.
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    let tree = Tree::read(&arguments.training)?.set(&parse_changes(&arguments.set)?)?;
    let config: TrainingConfig = tree.typed()?;
    let unusable = |reason: String| RunError::Usage(format!("{}: {reason}", tree.origin()));
    let architecture = config
        .check()
        .and_then(|()| config.architecture((arguments.side, arguments.side)))
        .map_err(|error| unusable(error.to_string()))?;
    let Some(state) = arguments.state.as_ref().filter(|_| !arguments.names) else {
        return names(architecture);
    };
    if arguments.out.exists() && !arguments.force {
        let out = arguments.out.display();
        return Err(RunError::Usage(format!("--out {out} exists: allowed is a new file, or --force")));
    }
    let model = import(architecture, state)
        .map_err(|error| RunError::Usage(format!("{}: {error}", state.display())))?;
    let recipe = toml::to_string(&config).map_err(|error| RunError::Failed(error.to_string()))?;
    let origin = BTreeMap::from([
        ("recipe".to_owned(), recipe),
        ("data".to_owned(), format!("imported from {}", state.display())),
    ]);
    save(&model, origin, &arguments.out).map_err(|error| RunError::file(&arguments.out, error))?;
    let (values, out) = (model.parameters().count(), arguments.out.display());
    report::print(&format!("{values} values are in {out}; measure them: sememe eval {out}\n"))
}

fn names(architecture: Architecture) -> Result<u8, RunError> {
    let names = torch_names(architecture).map_err(|error| RunError::Usage(error.to_string()))?;
    let width = names.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let text: String = names.iter().map(|(name, shape)| format!("{name:<width$}  {shape:?}\n")).collect();
    report::print(&text)?;
    Ok(EXIT_OK)
}
