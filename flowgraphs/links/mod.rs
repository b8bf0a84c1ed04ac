//! Ready-made links: one file per scheme, one way over the air for all of them.
//!
//! | file | what stands there |
//! |---|---|
//! | `group_splitting` | private and common features, learned |
//! | `trained` | its networks, from weights |
//! | `klt` | the linear baseline |
//! | `air` | from features to features: what all links share |
//! | `run` | images in front, scores behind, as a flowgraph or by direct calls |
//! | `wiring` | draws a link once for both |
//! | `downlink`, `setting` | what a link is told |
//! | `tap`, `score` | what is measured on the way and at the end |

mod air;
mod downlink;
mod group_splitting;
mod klt;
mod run;
mod score;
mod setting;
mod tap;
#[cfg(test)]
mod tests;
mod trained;
mod wiring;

pub use air::{Landed, Lengths, built, send};
pub use downlink::Downlink;
pub use group_splitting::{GroupSplitting, Networks};
pub use klt::{FIT_IMAGES, Klt};
pub use run::{Delivered, Link, LinkOutput, Reports, directly, in_flowgraph};
pub use score::{Compare, Comparison, Conceal, FrameScore, ReceivedImages, Scorer};
pub use setting::{Images, Scoring, Setting};
pub use tap::{AirReport, CommonReport, LossReport, Tap, observe_air, observe_common, observe_loss};
pub use trained::Trained;
pub use wiring::{Direct, Wiring};
