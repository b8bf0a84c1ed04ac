//! Metrics: image quality, separation and layout of common features, agreement of groupings, error rates.

mod adjusted_rand;
mod binomial_interval;
mod confidence;
mod error_rate;
mod ms_ssim;
mod psnr;
mod separation;
mod tsne;

pub use adjusted_rand::adjusted_rand;
pub use binomial_interval::{Interval, clopper_pearson};
pub use confidence::{Confidence, RunningConfidence};
pub use error_rate::{ErrorCount, StopRule};
pub use ms_ssim::{MsSsim, ms_ssim, num_scales};
pub use psnr::{ImageScore, PSNR_CAP_DB, QualitySummary, QualityTally, mean_square_error, psnr_db};
pub use separation::{Separation, cosines, separation};
pub use tsne::{MOST_POINTS, tsne};
