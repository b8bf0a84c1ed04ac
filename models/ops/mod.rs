//! Custom tensor operations with gradients, channels last. Kernels are chosen at run time.
//!
//! candle's own depthwise convolution, normalisation and broadcasting are too slow here, or lose
//! gradients; each operation of this room is tested against its definition and finite differences.

pub mod adam;
pub mod affine;
pub mod attention;
mod backward;
pub mod buffers;
pub mod conv_next;
pub mod convolution;
pub mod depthwise;
pub mod double;
mod few_rows;
pub mod film;
pub mod gelu;
pub mod lanes;
pub mod layer_norm;
mod normal_distribution;
mod packed;
pub mod patches;
pub mod precision;
pub mod prelu;
mod product;
pub mod relu_grn;
mod shared_out;
#[cfg(test)]
pub mod testing;
mod transpose;
mod workers;

pub use affine::{affine, affine_residual, linear};
pub use attention::attention;
pub use backward::backward;
pub use conv_next::conv_next;
pub use convolution::{Window, convolution, transposed_convolution};
pub use depthwise::depthwise;
pub use double::double_bilinear;
pub use film::film;
pub use gelu::gelu;
pub use layer_norm::layer_norm;
pub use patches::{PatchGrid, gather_patches, scatter_patches, scatter_patches_biased};
pub use precision::Precision;
pub use prelu::prelu;
pub use relu_grn::relu_grn;
pub use workers::among_workers;
