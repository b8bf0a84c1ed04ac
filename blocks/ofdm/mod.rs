//! Frames of samples: orthogonal carriers behind a preamble.
//!
//! ```text
//! frame    preamble | header | payload
//! symbol   prefix | N samples: data carriers, pilots, empty guards
//! ```
//!
//! | file | what stands there |
//! |---|---|
//! | [`Numerology`] | sizes and presets |
//! | [`ResourceGrid`] | which carrier holds what |
//! | [`Transform`] | carriers to samples and back |
//! | [`Preamble`] | what receivers find frames by |
//! | [`BurstModulator`] | values to samples, preamble first |
//! | [`Detector`] | finds the short part of a preamble |
//! | [`Acquisition`] | confirms it by the long part: timing and carrier |
//! | [`Synchronizer`] | both, in a stream |
//! | [`Tracker`] | phase and clock from symbol to symbol |
//! | [`ChannelTracker`] | the channel itself, where it changes |
//! | [`Sounding`] | known symbols as they were received |
//! | [`ChannelEstimator`], [`Smoother`] | the channel on every carrier, and its noise |

mod acquisition;
mod burst_modulator;
#[cfg(test)]
mod burst_tests;
mod channel_estimator;
mod channel_tracker;
mod correlation;
mod detector;
mod kalman;
mod numerology;
mod pilot_interpolator;
mod preamble;
mod resource_grid;
mod smoother;
mod sounding;
mod synchronizer;
mod tracker;
mod transform;

pub use acquisition::{Acquired, Acquisition};
pub use burst_modulator::BurstModulator;
pub use channel_estimator::{ChannelEstimate, ChannelEstimator};
pub use channel_tracker::ChannelTracker;
pub use detector::{Detector, Plateau};
pub use numerology::Numerology;
pub use preamble::Preamble;
pub use resource_grid::ResourceGrid;
pub use smoother::Smoother;
pub use sounding::Sounding;
pub use synchronizer::{FrameStart, Synchronizer};
pub use tracker::{Tracked, Tracker};
pub use transform::Transform;
