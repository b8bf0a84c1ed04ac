//! Learned transceivers as training, weights and links see them: images to vectors, over the downlink,
//! vectors to images. What they are made of stands in a room of its own each, `group_splitting`,
//! `deep_jscc` and `vit_jscc`.

mod architecture;
mod downlink;
pub mod kernels;
mod model;
mod network;

pub use architecture::Architecture;
pub use downlink::{Downlink, Received};
pub use model::Model;
pub use network::{Common, Encoded, Network, Reception};
