//! Flowgraphs.
pub mod adapters;
pub mod error_rates;
pub mod experiment;
pub mod links;
pub mod registry;
