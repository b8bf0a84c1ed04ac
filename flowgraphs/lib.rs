//! Flowgraphs.
pub mod adapters;
pub mod antenna;
pub mod error_rates;
pub mod experiment;
pub mod feature_space;
pub mod links;
pub mod registry;
