//! What commands print when they are done.

use sememe::experiment::{EXIT_INTERRUPTED, EXIT_OK, RunError, Shard, SweepOutcome, table};
use std::io::Write;
use std::path::Path;

/// Prints a text; a reader that went away is no failure.
pub fn print(text: &str) -> Result<u8, RunError> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(RunError::Failed(format!("standard output: {error}")))
        }
        _ => Ok(EXIT_OK),
    }
}

/// Prints what became of a part of a sweep.
pub fn shard(outcome: &SweepOutcome, shard: Shard, out: &Path) -> Result<u8, RunError> {
    let (points, out) = (outcome.rows.len(), out.display());
    if outcome.interrupted {
        print(&format!("shard {shard} stopped after {points} points; go on with --resume --out {out}\n"))?;
        return Ok(EXIT_INTERRUPTED);
    }
    print(&format!("shard {shard} is done: {points} points; when all are: sememe merge {out}\n"))
}

/// Prints the table of a sweep and where its files lie.
pub fn sweep(outcome: &SweepOutcome, out: &Path) -> Result<u8, RunError> {
    let mut text = format!("{}\n\n", outcome.provenance.data);
    text.push_str(&table::text(outcome.results()));
    if outcome.skipped_images > 0 {
        text.push_str(&format!(
            "\n{} pictures could not be used and were left out\n",
            outcome.skipped_images
        ));
    }
    if outcome.resumed > 0 {
        text.push_str(&format!("\n{} points had been finished by an earlier run\n", outcome.resumed));
    }
    if outcome.interrupted {
        text.push_str(&format!(
            "\nstopped after {} points; go on with --resume --out {}\n",
            outcome.rows.len(),
            out.display()
        ));
    } else {
        text.push_str(&format!("\nresults.csv, experiment.toml and pictures are in {}\n", out.display()));
    }
    print(&text)?;
    Ok(if outcome.interrupted { EXIT_INTERRUPTED } else { EXIT_OK })
}
