//! What is learned: operations, layers, models, their training and weights, on candle.
//!
//! | room | what stands there |
//! |---|---|
//! | `cuda` | the operations on NVIDIA GPUs, with the feature `cuda` |
//! | [`deep_jscc`] | DeepJSCC small and wide, ADJSCC, DeepJSCC-Q: convolutional baselines |
//! | [`device`] | the processor or a GPU, by name |
//! | [`group_splitting`] | system A: group-wise semantic splitting |
//! | [`layers`] | operations with their parameters |
//! | [`losses`] | what training minimises |
//! | [`idle_threads`] | what waiting threads do |
//! | [`memory`] | what happens to freed memory |
//! | [`ops`] | tensor operations with gradients, channels last |
//! | [`perceptual`] | learned distances between images |
//! | [`tensor_error`] | failed tensor operations in one line |
//! | [`training`] | the training loop |
//! | [`transceiver`] | one interface to all of them |
//! | [`vit_jscc`] | the vision-transformer baseline |
//! | [`weights`] | files and shipped weights |

#[cfg(any(test, feature = "cuda"))]
pub mod cuda;
pub mod deep_jscc;
pub mod device;
pub mod group_splitting;
pub mod idle_threads;
pub mod layers;
pub mod losses;
pub mod memory;
pub mod ops;
pub mod perceptual;
pub mod tensor_error;
pub mod training;
pub mod transceiver;
pub mod vit_jscc;
pub mod weights;
