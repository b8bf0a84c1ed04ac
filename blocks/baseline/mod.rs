//! Training-free codes to compare learned ones with.

pub mod klt;
