//! `sememe merge`: the results of all shards of an experiment in one table, with figures.

use crate::{interrupt, report};
use sememe::experiment::{RunError, merge};
use std::path::PathBuf;

/// Arguments of `sememe merge`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder that was given to all shards with --out
    pub folder: PathBuf,
}

/// Joins them.
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    let outcome = merge(&arguments.folder, &interrupt::stop_flag()?)?;
    report::sweep(&outcome, &arguments.folder)
}
