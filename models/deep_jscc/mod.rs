//! Convolutional joint source-channel coding of single images: the baselines DeepJSCC, small and wide,
//! ADJSCC and DeepJSCC-Q.
//!
//! | variant | source |
//! |---|---|
//! | small | Bourtsoulatze, Burth Kurka, Gunduz, "Deep joint source-channel coding for wireless image transmission" (2019) |
//! | wide | Burth Kurka, Gunduz, "DeepJSCC-f" (2020), as Xu et al. have it under the name BDJSCC |
//! | `snr_attention` | Xu, Ai, Chen, Yang, Sun, Rodrigues, "Wireless image transmission using deep source channel coding with attention modules" (2021): ADJSCC |
//! | `constellation` | Tung, Burth Kurka, Jankowski, Gunduz, "DeepJSCC-Q" (2022) |

pub mod config;
mod constellation;
mod network;
mod snr_attention;

pub use config::{DeepJsccConfig, PRESETS};
pub use constellation::Constellation;
pub use network::DeepJscc;
