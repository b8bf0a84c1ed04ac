//! `sememe run`: the experiment of a file, or the free graph it describes.

use crate::{free_graph, interrupt, report};
use sememe::experiment::{Existing, Override, RunError, Shard, SweepOptions, Tree, check, sweep};
use std::path::PathBuf;

/// Arguments of `sememe run`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The experiment file; with [[block]] and [[wire]] tables, a free graph
    pub experiment: PathBuf,
    /// Changes a key: a dotted path, list elements by number, such as downlink.rho=0.1 or snr_db=[0,6]
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder for results; default out/ and the name of the file
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Goes on where an earlier run of the same configuration stopped
    #[arg(long, conflicts_with = "force")]
    pub resume: bool,
    /// Replaces the results in the folder
    #[arg(long)]
    pub force: bool,
    /// Measures one part of n, such as 2/4; auto: the part that Slurm or MPI gave to this process
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    /// Measures so many points at a time; 0: as many as there are cores
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
    /// Checks the configuration, opens data and weights, and runs nothing
    #[arg(long, conflicts_with = "shard")]
    pub check: bool,
}

/// Runs or checks it.
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    let changes = parse_changes(&arguments.set)?;
    let tree = Tree::read(&arguments.experiment)?.set(&changes)?;
    if tree.table.contains_key("block") {
        if arguments.shard.is_some() {
            let file = arguments.experiment.display();
            return Err(RunError::Usage(format!(
                "{file}: a free graph has no parts: run it without --shard"
            )));
        }
        return free_graph::run(&tree, arguments.check);
    }
    if tree.table.contains_key("k") {
        let file = arguments.experiment.display();
        return Err(RunError::Usage(format!("{file}: error rates of a code: run it with sememe ber {file}")));
    }
    if arguments.check {
        let (points, provenance) = check(&tree)?;
        let mut text = format!("{}: {points} points can be run\n", arguments.experiment.display());
        text.push_str(&format!("data     {}\n", provenance.data));
        for (link, digest) in &provenance.weights {
            text.push_str(&format!("weights  {link}: sha256 {digest}\n"));
        }
        for channel in tree.experiment()?.channel {
            if let Some(label) = channel.label_in_words() {
                text.push_str(&format!("channel  {}: {label}\n", channel.name()));
            }
        }
        return report::print(&text);
    }
    let out = arguments.out.clone().unwrap_or_else(|| {
        let stem = arguments.experiment.file_stem().unwrap_or_default();
        PathBuf::from("out").join(stem)
    });
    let existing = match (arguments.resume, arguments.force) {
        (true, _) => Existing::Resume,
        (_, true) => Existing::Replace,
        _ => Existing::Refuse,
    };
    let shard = match arguments.shard.as_deref() {
        Some("auto") => Some(Shard::from_environment(|name| std::env::var(name).ok())?),
        Some(text) => Some(text.parse()?),
        None => None,
    };
    let stop = interrupt::stop_flag()?;
    let options = SweepOptions { out: &out, existing, shard, jobs: arguments.jobs, stop: &stop };
    let outcome = sweep(&tree, &options)?;
    match shard {
        Some(shard) => report::shard(&outcome, shard, &out),
        None => report::sweep(&outcome, &out),
    }
}

/// The changes of `--set`, in order.
pub fn parse_changes(set: &[String]) -> Result<Vec<Override>, RunError> {
    set.iter().map(|text| Ok(text.parse()?)).collect()
}
