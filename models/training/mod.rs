//! Training: a loop that can stop at any step and go on bit by bit as if it had not.
//!
//! | file | what stands there |
//! |---|---|
//! | [`config`] | the training file |
//! | [`model_section`] | its table of the networks |
//! | `data` | training and validation images, their order |
//! | `feed` | batches read ahead |
//! | `objective` | one step: encoder, groups, channel, decoder, loss |
//! | `optimizer` | Adam, schedule, clipping, averaging of weights |
//! | `checkpoint` | the whole state of a run in one file |
//! | `validation` | PSNR of the averaged weights |
//! | `bypass` | the KLT that the linear path starts from |
//! | [`trainer`] | the loop |

mod bypass;
mod checkpoint;
pub mod config;
mod data;
mod error;
mod feed;
mod log;
pub mod model_section;
mod objective;
mod optimizer;
pub mod trainer;
mod validation;

pub use config::TrainingConfig;
pub use error::TrainingError;
pub use trainer::{Outcome, Progress, RunOptions, check_precision, train};
