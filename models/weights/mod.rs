//! Weights: files with architecture and origin inside, and the small ones that ship with the program.

mod error;
mod file;
mod shipped;
pub mod tensor_file;

pub use error::WeightsError;
pub use file::{FORMAT_VERSION, load, save};
pub use shipped::{SHIPPED, shipped};
