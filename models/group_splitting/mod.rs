//! System A: group-wise semantic splitting for the downlink of a base station to K users.
//! Source: "Group-wise Semantic Splitting Multiple Access for Multi-User Semantic Communication"
//! (Koh, Noh and Yang). Equation numbers in this room are that paper's.

pub mod config;
mod gain;
mod group_batch;
mod network;
mod paper;
pub mod reliance;
mod semantic_encoder;
pub mod spatial;

pub use config::{ModelConfig, PRESETS, Stem};
pub use network::GroupSplitting;
