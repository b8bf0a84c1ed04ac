//! What training minimises, each term by name.

mod reconstruction;
mod repulsion;

pub use reconstruction::Reconstruction;
pub use repulsion::{Repulsion, RepulsionTerms};
