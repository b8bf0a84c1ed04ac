//! `sememe` alone: the experiment inside the program.

use crate::{interrupt, report};
use sememe::experiment::{Existing, RunError, SweepOptions, Tree, sweep};
use std::path::Path;

/// The experiment; the same file stands in examples/experiments.
const QUICKSTART: &str = include_str!("../../examples/experiments/quickstart.toml");
/// Where it writes.
const OUT: &str = "out";

/// Runs it, renewing its own folder.
pub fn run() -> Result<u8, RunError> {
    let tree = Tree::parse(QUICKSTART, "quickstart.toml (built in)")?;
    let out = Path::new(OUT);
    let stop = interrupt::stop_flag()?;
    let options = SweepOptions { out, existing: Existing::Renew, shard: None, jobs: 0, stop: &stop };
    let outcome = sweep(&tree, &options)?;
    report::sweep(&outcome, out)
}
