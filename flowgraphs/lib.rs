//! Flowgraphs.
pub mod adapters;
pub mod experiment;
pub mod links;
pub mod registry;
