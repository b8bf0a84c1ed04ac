//! The space of common features: how the groups of a model lie in it, epoch by epoch.
//!
//! | file | what stands there |
//! |---|---|
//! | `snapshot` | one model: its common features, their cosines, their layout in a plane |
//! | `report` | several of them as tables and as one picture |

mod report;
mod snapshot;

pub use report::{COSINES, PICTURE, PLACES, panels, tables};
pub use snapshot::{Conditions, Snapshot};
