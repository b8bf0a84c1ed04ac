//! A linear joint source-channel code: tiles of 8 x 8 pixels in their Karhunen-Loeve basis, the
//! strongest coefficients as analog symbols at optimal power, least-mean-square decoding.
//!
//! ```text
//! images > KltFit > KltTransform --+          (mean, eigenvectors and variances of tiles)
//!                                  v
//!         image size, 2N, SNR > KltCode       (which coefficients, at which power)
//!                                |   |
//! ImageBatch > KltEncoder <------+   +------> KltDecoder > ImageBatch
//!                  |                              ^
//!                  +---> Features ~~ channel ~~ ReceivedFeatures
//! ```
//!
//! What travels is scaled to unit power per image, and the receiver is not told by how much: a few
//! symbols of the vector itself carry the scale.
//!
//! Source: the idea of SoftCast (Jakubczak and Katabi, "A cross-layer design for scalable mobile
//! video", 2011), with a basis fitted to colour tiles instead of the DCT and one power for
//! each coefficient.

mod allocation;
mod code;
#[cfg(test)]
mod code_tests;
mod decoder;
mod encoder;
mod fit;
mod tiling;
mod transform;

pub use allocation::reverse_water_fill;
pub use code::KltCode;
pub use decoder::KltDecoder;
pub use encoder::KltEncoder;
pub use fit::KltFit;
pub use tiling::{TILE_LEN, TILE_SIDE, Tiling};
pub use transform::KltTransform;
