//! `sememe eval`: what given weights are worth on given images, beside the linear baseline.

use crate::given_weights::{source, trained_downlink};
use crate::run::parse_changes;
use crate::{interrupt, report};
use sememe::experiment::{Existing, RunError, SweepOptions, Tree, open_weights, sweep};
use sememe_models::transceiver::{Architecture, Model};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Arguments of `sememe eval`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Shipped weights by name, or a weights file
    pub weights: String,
    /// Images: "scenes", CIFAR-10 (folder, archive or file of records) or a folder of pictures
    #[arg(long, value_name = "DATA", default_value = "scenes")]
    pub data: String,
    /// At most so many images; default 200 scenes, else all
    #[arg(long, value_name = "N")]
    pub images: Option<usize>,
    /// Mean SNRs in dB
    #[arg(long, value_name = "DB,DB,...", value_delimiter = ',', allow_hyphen_values = true,
          default_values_t = [0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0])]
    pub snr: Vec<f64>,
    /// Channels
    #[arg(long, value_delimiter = ',', value_parser = ["awgn", "rician", "rayleigh"],
          default_values_t = ["awgn".to_owned(), "rayleigh".to_owned()])]
    pub channel: Vec<String>,
    /// Leaves out the linear baseline, which needs training images
    #[arg(long)]
    pub alone: bool,
    /// Changes a key of the experiment that this makes, such as downlink.clustering=sequential
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder for results; default out/eval- and the name of the weights
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replaces the results in the folder
    #[arg(long)]
    pub force: bool,
    /// Measures so many points at a time; 0: as many as there are cores
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
}

/// Measures.
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    let model = open_weights(&arguments.weights)
        .map_err(|reason| RunError::Usage(format!("{}: {reason}", arguments.weights)))?;
    let table = experiment(arguments, &model);
    let text = toml::to_string(&table).map_err(|error| RunError::Failed(error.to_string()))?;
    let tree = Tree::parse(&text, "sememe eval")?.set(&parse_changes(&arguments.set)?)?;
    let stem = Path::new(&arguments.weights).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("out").join(format!("eval-{stem}")));
    let existing = if arguments.force { Existing::Replace } else { Existing::Renew };
    let stop = interrupt::stop_flag()?;
    let options = SweepOptions { out: &out, existing, shard: None, jobs: arguments.jobs, stop: &stop };
    let outcome = sweep(&tree, &options)?;
    report::sweep(&outcome, &out)
}

/// The experiment that the arguments describe.
fn experiment(arguments: &Arguments, model: &Model) -> Table {
    let downlink = trained_downlink(model);
    let mut link = Table::new();
    let scheme = match model.architecture() {
        Architecture::GroupSplitting(_) if !model.architecture().shares() => "private-only",
        other => other.name(),
    };
    link.insert("scheme".into(), scheme.into());
    link.insert("weights".into(), arguments.weights.clone().into());
    let mut links = vec![Value::Table(link)];
    if !arguments.alone {
        links.push(Value::Table(Table::from_iter([("scheme".to_owned(), Value::from("klt"))])));
    }
    let channels: Vec<Value> = arguments.channel.iter().map(|name| channel(name)).collect();
    let snrs: Vec<Value> = arguments.snr.iter().map(|snr| Value::Float(*snr)).collect();
    Table::from_iter([
        ("version".to_owned(), Value::Integer(1)),
        ("title".to_owned(), format!("evaluation of {}", arguments.weights).into()),
        ("snr_db".to_owned(), snrs.into()),
        ("source".to_owned(), Value::Table(source(&arguments.data, arguments.images))),
        ("downlink".to_owned(), Value::Table(downlink)),
        ("channel".to_owned(), channels.into()),
        ("link".to_owned(), links.into()),
    ])
}

fn channel(name: &str) -> Value {
    let mut fading = Table::from_iter([("model".to_owned(), Value::from(name))]);
    if name == "rician" {
        fading.insert("k_factor".into(), Value::Float(4.0));
    }
    Value::Table(Table::from_iter([("fading".to_owned(), Value::Table(fading))]))
}
