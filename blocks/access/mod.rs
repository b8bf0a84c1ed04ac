//! Access: who is grouped with whom, and how features become symbols on the air.
//!
//! | file | what stands there |
//! |---|---|
//! | [`clustering`] | which users share a common feature |
//! | `feature_symbols` | real features as complex symbols |
//! | `feature_mapper`, `feature_demapper` | features of a frame into slots and out of them |
//! | `gain_code` | the scale of a vector, told in a few of its symbols |
//! | `power_norm` | unit average power for every transmitted vector, or over a whole frame |
//! | `multiplex`, `demultiplex` | own channel uses for every vector, or all vectors at once |
//! | `budget`, `budget_config` | channel uses, counted |
//!
//! An empty group sends nothing: the mapper makes no slot for it, and multiplexing counts only groups
//! that have users.

mod budget;
mod budget_config;
pub mod clustering;
mod demultiplex;
mod feature_demapper;
mod feature_mapper;
mod feature_symbols;
mod gain_code;
mod multiplex;
mod power_norm;

pub use budget::{Budget, HEADER_BITS_PER_USE};
pub use budget_config::{Accounting, BudgetConfig, Family};
pub use clustering::{Clusterer, Strategy};
pub use demultiplex::Demultiplexer;
pub use feature_demapper::FeatureDemapper;
pub use feature_mapper::FeatureMapper;
pub use feature_symbols::Mapping;
pub use gain_code::GainCode;
pub use multiplex::{Access, Multiplexer, total_energy, total_uses};
pub use power_norm::{Normalization, PowerNorm, energy, mean_power};
