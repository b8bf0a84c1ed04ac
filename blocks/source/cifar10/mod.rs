//! CIFAR-10 in its official binary layout.
//!
//! Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009. A record
//! is one label byte and the red, green and blue planes of a 32 x 32 image: 3,073 bytes.
//!
//! Accepted are a folder with `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin` (or
//! `train.bin` and `test.bin`, or with the subfolder `cifar-10-batches-bin`, or with the archive),
//! the archive `cifar-10-binary.tar.gz` itself, and any single file of whole records.

mod archive;
mod locate;
mod records;
mod set;

pub use set::{Cifar10, Cifar10Split};
