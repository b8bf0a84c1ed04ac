//! `sememe run` on a file that describes blocks and wires instead of links.

use crate::{interrupt, report};
use sememe::adapters::RunOptions;
use sememe::experiment::{EXIT_INTERRUPTED, RunError, Tree};
use sememe::registry::{FreeGraph, Registry};
use std::sync::atomic::Ordering;

/// Builds the graph of a file and runs it, or only checks it.
pub fn run(tree: &Tree, only_check: bool) -> Result<u8, RunError> {
    let description: FreeGraph = tree.typed()?;
    let refused = |error: &dyn std::fmt::Display| RunError::Usage(format!("{}: {error}", tree.origin()));
    let graph = description.build(&Registry::builtin()).map_err(|error| refused(&error))?;
    let (blocks, wires) = (description.blocks.len(), description.wires.len());
    if only_check {
        return report::print(&format!("{}: {blocks} blocks and {wires} wires can be run\n", tree.origin()));
    }
    let stop = interrupt::stop_flag()?;
    let options = RunOptions { stop: Some(stop.clone()), ..RunOptions::default() };
    graph.run_with(&options).map_err(|reason| RunError::link(tree.origin(), reason))?;
    if stop.load(Ordering::Relaxed) {
        return Ok(EXIT_INTERRUPTED);
    }
    report::print(&format!("{}: {blocks} blocks and {wires} wires ran to their end\n", tree.origin()))
}
