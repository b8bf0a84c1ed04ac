//! The kernel that decodes images with a linear code.

use super::code::KltCode;
use crate::frame::{ImageBatch, ReceivedFeatures, Truth};
use crate::kernel::FrameKernel;
use crate::{BlockError, Result};
use ndarray::{Array4, Axis};
use std::sync::Arc;

/// Estimates every user's image from its private features, at the user's own SNR.
///
/// - private `[K, 2N]`, any equaliser -> pixels `[K, H, W, 3]`
/// - a user of whose frame nothing arrived gets the mean tile everywhere
/// - errors: other lengths than the code's or than each other's, values that are NaN or infinite
#[derive(Clone, Debug)]
pub struct KltDecoder {
    code: Arc<KltCode>,
}

impl KltDecoder {
    /// A decoder of a code.
    pub fn new(code: Arc<KltCode>) -> Self {
        Self { code }
    }
}

impl FrameKernel for KltDecoder {
    type In = ReceivedFeatures;
    type Out = ImageBatch;

    fn process(&mut self, received: ReceivedFeatures) -> Result<ImageBatch> {
        let ReceivedFeatures { frame, private, snr, lost, .. } = received;
        let num_users = private.nrows();
        if (snr.len(), lost.len()) != (num_users, num_users) {
            let found = format!("{} and {}", snr.len(), lost.len());
            return Err(BlockError::shape("users with an SNR and a loss mark", num_users, found));
        }
        let (height, width) = self.code.size();
        let mut pixels = Array4::zeros((num_users, height, width, 3));
        for (user, mut image) in pixels.axis_iter_mut(Axis(0)).enumerate() {
            let snr = if lost[user] { 0.0 } else { snr[user] };
            image.assign(&self.code.decode(&private.row(user).to_vec(), snr)?);
        }
        Ok(ImageBatch { frame, pixels, truth: Truth::default() })
    }
}
