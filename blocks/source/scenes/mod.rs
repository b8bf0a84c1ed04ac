//! Procedural scenes: seeded pictures of objects before backdrops, for which class and label map
//! are known, and groups of which can share content.
//!
//! ```text
//! palette > ground + texture + light > objects, back to front > private detail > grain > 8 bits
//!           '------- backdrop ------'                                  [H, W, 3] and label map [H, W]
//! ```
//!
//! Objects of random size occlude each other (the "dead leaves" model of natural images: Lee,
//! Mumford and Huang, "Occlusion models for natural images", IJCV 2001) before smooth grounds with
//! noise whose spectrum falls off, so that neighbouring pixels correlate as they do in photographs.

mod backdrop;
mod canvas;
mod colour;
mod compose;
mod config;
mod dice;
mod distance;
mod fill;
mod noise;
mod object;
mod palette;
mod parts;
mod set;
mod shape;
mod sharing;
mod strokes;

pub use config::{Correlation, SceneConfig};
pub use set::SceneSet;
pub use shape::CLASSES;
