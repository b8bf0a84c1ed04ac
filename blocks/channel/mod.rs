//! What the air does to symbols: fading, noise, and imperfect knowledge of both.
//!
//! ```text
//! SymbolFrame > Fading > Awgn > [CsiError] > equalizer
//!                h x      + n     csi + e
//! ```
//!
//! Every number is drawn from a stream keyed by (seed, purpose, frame, user), never by SNR or
//! link: every line and every point of a figure meets the same fades and the same noise. The
//! functions that draw are public, so that a differentiable channel can use the very same numbers.

mod awgn;
mod config;
mod csi_error;
mod doppler;
mod fade_process;
mod fading;
mod fading_model;
mod gain_process;
mod phase_span;
mod profile;

pub use awgn::{Awgn, user_snr, white_noise};
pub use config::ChannelConfig;
pub use csi_error::CsiError;
pub use doppler::JakesProcess;
pub use fade_process::{FadeProcess, Phases, UserFades, Variation, block_fade};
pub use fading::Fading;
pub use fading_model::FadingModel;
pub use gain_process::{GainForm, GainProcess, UserGains, batch_gains};
pub use phase_span::{PartSnr, PhaseSpan};
pub use profile::{Conventions, Faded, Profile};
