//! Joint source-channel coding of single images by convolutions and a vision transformer: the ViT baseline.
//! Source: Yoo, Dai, Kim, Chae, "On the role of ViT and CNN in semantic communications: analysis and prototype
//! validation" (2023), and its authors' code; the layout C-C-V, V-C-C.

pub mod config;
mod network;
mod vit_block;

pub use config::{PRESETS, VitJsccConfig};
pub use network::VitJscc;
