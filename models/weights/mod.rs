//! Weights: files with architecture and origin inside, and the small ones that ship with the program.

mod error;
mod file;
mod shipped;
pub mod tensor_file;
mod torch;

pub use error::WeightsError;
pub use file::{FORMAT_VERSION, load, save};
pub use shipped::{SHIPPED, shipped};
pub use torch::{from_state, import, torch_names};
