//! Layers: operations with their parameters.

pub mod condition;
pub mod conv;
pub mod conv_next;
pub mod parameters;
pub mod transformer;

pub use condition::Condition;
pub use conv::{Downsample, Upsample};
pub use conv_next::ConvNextBlock;
pub use parameters::{Init, Parameters, Scope};
pub use transformer::{SelfAttention, TransformerLayer};
