//! Experiments: from a configuration file to tables, figures and contact sheets.
//!
//! | file | what stands there |
//! |---|---|
//! | `config`, `scheme`, `source` | the experiment file as documented structures |
//! | `reading`, `overrides`, `grid`, `checks`, `link_checks`, `profile_checks`, `config_error` | from text to checked structures, with one-line errors |
//! | `prepared`, `networks`, `digital`, `points`, `shared_work`, `sweep`, `workers`, `measure` | opens everything, runs every point, summarises it |
//! | `antenna_ends` | links with their ends apart, for antennas between them |
//! | `shard`, `merge`, `shell` | parts of the points for several processes, their results joined, commands that do it |
//! | [`results`], `image_scores`, `run_folder`, `atomic_file` | what is written, and how it is not lost |
//! | [`plot`], `figures`, `contact_sheet`, `table`, `comparison`, `paired`, `html_report` | what is shown |

mod antenna_ends;
mod atomic_file;
mod checks;
mod comparison;
mod config;
mod config_error;
#[cfg(test)]
mod config_tests;
mod config_value;
mod contact_sheet;
mod digest;
mod digital;
mod figures;
mod grid;
mod html_report;
mod image_scores;
mod link_checks;
mod measure;
mod merge;
mod nearest;
mod networks;
mod overrides;
mod paired;
pub mod plot;
mod points;
mod prepared;
mod profile_checks;
mod progress;
mod reading;
pub mod results;
mod run_error;
mod run_folder;
mod scheme;
mod shard;
mod shared_work;
mod sheet_canvas;
mod shell;
mod source;
mod sweep;
pub mod table;
mod workers;

pub use config::{Experiment, FORMAT_VERSION, LinkConfig, Output, Provenance, Vary};
pub use config_error::{ConfigError, Result};
pub use measure::{summarize, true_groups};
pub use merge::merge;
pub use nearest::{edit_distance, nearest};
pub use networks::open_weights;
pub use overrides::Override;
pub use prepared::{Prepared, ReadyLink};
pub use progress::Reporter;
pub use reading::Tree;
pub use run_error::{EXIT_BAD_INPUT, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, RunError};
pub use run_folder::{CONFIGURATION, Existing, RESULTS, RunFolder, TIMINGS, UNFINISHED};
pub use scheme::{SCHEMES, Scheme};
pub use shard::Shard;
pub use shell::quoted;
pub use source::{OpenSource, SourceConfig, SourceKind};
pub use sweep::{SweepOptions, SweepOutcome, check, open_experiment, resolved_text, sweep};
