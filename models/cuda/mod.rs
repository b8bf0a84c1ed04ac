//! The operations of [`crate::ops`] on NVIDIA GPUs.
//!
//! | part | what stands there |
//! |---|---|
//! | [`queue`] | memory, kernels, products: what programs are made of |
//! | [`programs`] | each operation as a sequence of kernels and products |
//! | `kernels/` | CUDA C++, compiled at run time for the GPU that is found |
//! | `device` | the queue of a GPU, with the feature `cuda` |
//! | `emulator` | a queue on the processor, for tests |

#[cfg(feature = "cuda")]
mod device;
#[cfg(test)]
pub mod emulator;
pub mod programs;
pub mod queue;
mod source;

#[cfg(feature = "cuda")]
pub use device::{Memory, addresses, open, run, run_in_place, run_on_table};
#[cfg(feature = "cuda")]
pub use queue::Queue;
