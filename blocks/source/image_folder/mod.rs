//! Pictures from the user's disk: PNG, JPEG and WebP files, brought to one size.

mod decode;
mod fit;
mod folder;
mod listing;

pub use fit::Fit;
pub use folder::{FolderConfig, ImageFolder, Skipped};
