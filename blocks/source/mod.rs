//! Where images come from: folders of pictures, CIFAR-10, and procedural scenes.
//!
//! An [`ImageSet`] is a numbered collection of images of one size; a [`BatchSource`] walks any of
//! them in frames of K users.

mod batches;
mod cifar10;
mod compound;
mod digest;
mod image_folder;
mod image_set;
mod in_turn;
mod mix;
pub mod scenes;

pub use batches::BatchSource;
pub use cifar10::{Cifar10, Cifar10Split};
pub use image_folder::{Fit, FolderConfig, ImageFolder, Skipped};
pub use image_set::{ImageSet, mean_image};
pub use in_turn::FramesInTurn;
pub use mix::MixedSet;
pub use scenes::{Correlation, SceneConfig, SceneSet};
