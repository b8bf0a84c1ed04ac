//! Ready-made links: one file per scheme, one way over the air for all of them.
//!
//! | file | what stands there |
//! |---|---|
//! | `group_splitting` | private and common features, learned |
//! | `trained` | its networks, from weights |
//! | `encoded` | encoder work that links share |
//! | `klt` | the linear baseline |
//! | `digital`, `digital_line` | compressed pictures behind the 5G NR coding chain; which formats they take |
//! | `outside` | the same for pictures that were compressed elsewhere |
//! | `ideal`, `ideal_line` | their bounds: a code at the limit of theory |
//! | `reliability`, `validation` | what formats are chosen by: blocks that arrive, pictures they hold |
//! | `air` | from features to features: what all links share |
//! | `ends` | both ends of a scheme apart, for any air between them |
//! | `run` | images in front, scores behind, as a flowgraph or by direct calls |
//! | `wiring` | draws a link once for both |
//! | `downlink`, `setting` | what a link is told |
//! | `tap`, `score` | what is measured on the way and at the end |
//! | `stop_rule` | when that is enough |

mod air;
mod digital;
mod digital_line;
#[cfg(test)]
mod digital_tests;
mod downlink;
mod encoded;
mod ends;
mod group_splitting;
mod ideal;
mod ideal_line;
mod klt;
mod outside;
mod reliability;
mod run;
mod score;
mod setting;
mod stop_rule;
mod tap;
#[cfg(test)]
mod tests;
mod trained;
mod validation;
mod wiring;

pub use air::{Landed, Lengths, built, send};
pub use digital::{Digital, Receiver};
pub use digital_line::{DigitalLine, McsRule, PER_FADE, Pictures};
pub use downlink::Downlink;
pub use encoded::{EncodedStore, SharedEncoder};
pub use ends::{Arrived, Ends};
pub use group_splitting::{GroupSplitting, Networks};
pub use ideal::Ideal;
pub use ideal_line::IdealLine;
pub use klt::{FIT_IMAGES, Klt};
pub use outside::Outside;
pub use reliability::Reliability;
pub use run::{Delivered, Link, LinkOutput, Reports, directly, in_flowgraph};
pub use score::{Compare, Comparison, Conceal, FrameScore, ReceivedImages, Scorer};
pub use setting::{Images, Scoring, Setting};
pub use stop_rule::StopRule;
pub use tap::{
    AirReport, CommonReport, LossReport, PayloadReport, Tap, observe_air, observe_common, observe_loss,
};
pub use trained::Trained;
pub use validation::{VALIDATION_IMAGES, Validation};
pub use wiring::{Direct, Wiring};
