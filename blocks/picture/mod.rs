//! Pictures squeezed into a given number of bits: the source coders of the digital lines.
//!
//! ```text
//! images > Ladder (every setting: bytes, PSNR) > best_within(payload) > encode > ... > decode > images
//! ```
//!
//! Both ends know codec, [`Packing`], size and number of the images; whatever else the receiver needs is
//! inside the stream and counted. A stream may be followed by any bytes, with which payloads are filled.
//!
//! | codec | candidates of the exact search |
//! |---|---|
//! | [`PictureCodec::Jpeg`] | quality 1 to 100, with 4:2:0 and 4:4:4 |
//! | [`PictureCodec::Webp`] | quality 0 to 100, with ordinary and, from 50 on, sharp conversion to 4:2:0 |
//!
//! Sizes are not monotone in quality, so every candidate is tried. A receiver refuses a stream or returns
//! pictures of the known size; only a checksum of the channel code tells whether they are the right ones.

mod codec;
mod coder;
mod jpeg;
mod ladder;
mod ladder_store;
mod mean_colour;
mod mosaic;
mod outside_table;
mod picture_decoder;
mod picture_encoder;
mod planar;
mod webp;

#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod reference_tests;
#[cfg(test)]
mod test_pictures;

pub use codec::{Damaged, Packing, PictureCodec, Setting, Subsampling};
pub use coder::PictureCoder;
pub use ladder::{Ladder, Rung};
pub use ladder_store::LadderStore;
pub use outside_table::{OutsidePoint, OutsideTable};
pub use picture_decoder::PictureDecoder;
pub use picture_encoder::{PayloadSize, PictureEncoder};
