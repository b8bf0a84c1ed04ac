//! Perceptual distance of images by learned features: LPIPS on SqueezeNet 1.1.
//!
//! The weights are read from files that the user names; none ship with the program.

mod convolution;
mod error;
mod lpips;
pub(crate) mod max_pool;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod reference;
mod squeeze_net;
mod torch_file;

pub use error::PerceptualError;
pub use lpips::{HEADS_FILE, Lpips, MIN_SIDE, NETWORK_FILE};
