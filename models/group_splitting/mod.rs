//! System A: group-wise semantic splitting for the downlink of a base station to K users.
//! Source: "Group-wise Semantic Splitting Multiple Access for Multi-User Semantic Communication"
//! (Koh, Noh and Yang). Equation numbers in this room are that paper's.

pub mod config;
mod downlink;
mod gain;
mod group_batch;
pub mod kernels;
mod model;
mod paper;
pub mod reliance;
mod semantic_encoder;
pub mod spatial;

pub use config::{ModelConfig, PRESETS, Stem};
pub use downlink::{Downlink, Received};
pub use model::{Common, Encoded, Model, Reception};
