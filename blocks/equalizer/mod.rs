//! Undoes the fade of received slots with what the receiver knows of the channel.
//!
//! | equalizer | estimate of x | bias |
//! |---|---|---|
//! | `none` | y | h |
//! | `zf` | y / h | none, but noise grows as 1 / abs(h)^2 |
//! | `mmse` | conj(h) y / (abs(h)^2 + noise variance) | towards 0, least mean square error |

mod linear;
mod slot_snr;

pub use linear::Equalizer;
pub use slot_snr::{MAX_SNR, effective_snr};
