//! Metrics: image quality, separation of common features, agreement of groupings.

mod adjusted_rand;
mod confidence;
mod ms_ssim;
mod psnr;
mod separation;

pub use adjusted_rand::adjusted_rand;
pub use confidence::Confidence;
pub use ms_ssim::{MsSsim, ms_ssim, num_scales};
pub use psnr::{ImageScore, PSNR_CAP_DB, QualitySummary, QualityTally, mean_square_error, psnr_db};
pub use separation::{Separation, cosines, separation};
