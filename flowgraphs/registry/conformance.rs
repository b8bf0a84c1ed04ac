//! How a trial is judged, and in what words it fails.

use super::failing::REASON;
use crate::adapters::Graph;
use std::fmt::{Debug, Display};

/// A kernel did not do in a flowgraph what it does when called directly.
#[derive(Debug, thiserror::Error)]
#[error("kernel '{kernel}', {trial}: {found}")]
pub struct Nonconformance {
    /// Name of the kernel.
    pub kernel: String,
    /// What was tried.
    pub trial: String,
    /// What came out.
    pub found: String,
}

pub(super) type Verdict<T = ()> = Result<T, Nonconformance>;

/// The name that a kernel's block bears during its trials.
pub(super) const BLOCK: &str = "under test";

/// Judges the trials of one kernel.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) kernel: &'a str,
}

impl Judge<'_> {
    pub(super) fn refuse<T>(&self, trial: &str, found: impl Display) -> Verdict<T> {
        Err(Nonconformance { kernel: self.kernel.into(), trial: trial.into(), found: found.to_string() })
    }

    /// The value, or the error as a verdict.
    pub(super) fn succeeds<T, E: Display>(&self, trial: &str, result: Result<T, E>) -> Verdict<T> {
        result.or_else(|error| self.refuse(trial, error))
    }

    /// Both have the same items in the same order.
    pub(super) fn equal<O: PartialEq + Debug>(&self, trial: &str, expected: &[O], found: &[O]) -> Verdict {
        if expected.len() != found.len() {
            return self.refuse(trial, format!("{} items instead of {}", found.len(), expected.len()));
        }
        match expected.iter().zip(found).position(|(expected, found)| expected != found) {
            Some(index) => {
                let (expected, found) = (excerpt(&expected[index]), excerpt(&found[index]));
                self.refuse(trial, format!("item {index} is {found} instead of {expected}"))
            }
            None => Ok(()),
        }
    }

    /// The graph fails, and says that the block under test did and why.
    pub(super) fn fails_by_name(&self, graph: Graph) -> Verdict {
        let trial = "an error inside a flowgraph";
        let expected = format!("block '{BLOCK}': {REASON}");
        match graph.run() {
            Err(error) if error.to_string() == expected => Ok(()),
            Err(error) => self.refuse(trial, format!("the run ended with '{error}' instead of '{expected}'")),
            Ok(()) => self.refuse(trial, "the run ended well although its kernel failed"),
        }
    }

    /// There is enough to try with: an early end must differ from a late one.
    pub(super) fn enough(&self, specimens: usize) -> Verdict {
        match specimens {
            0..3 => self.refuse("the specimens", format!("{specimens} are too few: at least 3 are needed")),
            _ => Ok(()),
        }
    }
}

/// Where streams are cut: at once, after one, two, all.
pub(super) fn early_ends(all: usize) -> impl Iterator<Item = usize> {
    [0, 1, 2].into_iter().filter(move |end| *end < all).chain([all])
}

fn excerpt(item: &impl Debug) -> String {
    let text = format!("{item:?}");
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
