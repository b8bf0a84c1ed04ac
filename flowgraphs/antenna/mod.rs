//! Links over the air: a transmitter, a receiver, and what stands at their antennas.
//!
//! ```text
//! transmit    images > scheme > symbols of slots > bursts of samples > radio, recording or socket
//! receive     radio, recording or socket > bursts > slots heard > scheme > images, scores
//! ```
//!
//! | file | what stands there |
//! |---|---|
//! | `config` | the `[air]` table of an experiment |
//! | `ends` | both ends of a link that an experiment describes |
//! | `front` | fronts by name |
//! | `burst_sender`, `live_frames` | the kernels at the antennas |
//! | `own_user` | one user's view |
//! | `picture_folder` | received images as files |
//! | `transmit`, `receive` | the flowgraphs |
//! | `record`, `replay` | samples to and from recordings |
//! | `status`, `display` | what is known while it runs, and how it is shown |

mod burst_sender;
mod config;
mod display;
mod ends;
mod front;
mod live_frames;
mod own_user;
mod picture_folder;
mod receive;
mod record;
mod replay;
mod status;
mod transmit;

pub use burst_sender::BurstSender;
pub use config::{AirConfig, NumerologyChoice};
pub use display::{Display, End, line};
pub use front::{FrontKind, NO_RADIOS, open_sink, open_source};
pub use live_frames::{LiveFrames, Until};
pub use own_user::{OwnImage, OwnSlots};
pub use picture_folder::{PictureFolder, TABLE};
pub use receive::{ReceiveOptions, receive};
pub use record::{RecordOptions, record};
pub use replay::{ReplayOptions, replay};
pub use status::{Shared, SharedStatus, Status};
pub use transmit::{TransmitOptions, transmit};
