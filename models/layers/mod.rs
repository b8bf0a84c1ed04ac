//! Layers: operations with their parameters.

pub mod condition;
pub mod conv_next;
pub mod convolution;
pub mod gdn;
pub mod parameters;
pub mod resampling;
pub mod sigmoid;
pub mod torch_layout;
pub mod transformer;
pub mod vectors;

pub use condition::Condition;
pub use conv_next::ConvNextBlock;
pub use convolution::{Convolution, TransposedConvolution};
pub use gdn::Gdn;
pub use parameters::{Init, Parameters, Scope};
pub use resampling::{Downsample, Upsample};
pub use sigmoid::sigmoid;
pub use transformer::{SelfAttention, TransformerLayer};
pub use vectors::{to_maps, to_vectors};
