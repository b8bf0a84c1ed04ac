//! The kernel that encodes images with a linear code.

use super::code::KltCode;
use crate::frame::{Features, ImageBatch};
use crate::kernel::FrameKernel;
use crate::{Grouping, Result};
use ndarray::{Array2, ArrayView1, Axis};
use std::sync::Arc;

/// Encodes every image for its own user; nothing is sent in common.
///
/// - pixels `[K, H, W, 3]` -> private `[K, 2N]`, common `[K, 0]`, every user a group of its own
/// - errors: images of another size than the code's
#[derive(Clone, Debug)]
pub struct KltEncoder {
    code: Arc<KltCode>,
}

impl KltEncoder {
    /// An encoder of a code.
    pub fn new(code: Arc<KltCode>) -> Self {
        Self { code }
    }
}

impl FrameKernel for KltEncoder {
    type In = ImageBatch;
    type Out = Features;

    fn process(&mut self, batch: ImageBatch) -> Result<Features> {
        let grouping = Grouping::singletons(batch.len());
        let mut private = Array2::zeros((batch.len(), self.code.num_features()));
        for (image, mut row) in batch.pixels.axis_iter(Axis(0)).zip(private.axis_iter_mut(Axis(0))) {
            row.assign(&ArrayView1::from(&self.code.encode(image)?));
        }
        let common = Array2::zeros((grouping.num_groups(), 0));
        Ok(Features { frame: batch.frame, private, common, grouping })
    }
}
