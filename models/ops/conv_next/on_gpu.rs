//! The block on a GPU.

use super::{ConvNext, Sections, expect_shape};
use crate::cuda::programs::conv_next::{self as program, Block};
use crate::cuda::queue::Stored;
use crate::cuda::{self, Memory};
use candle_core::{CudaStorage, CustomOp2, Layout, Result, Shape};
use std::sync::{Arc, Mutex};

/// What the forward pass leaves for the backward pass.
pub type Kept = Arc<Mutex<Option<program::Kept<Memory>>>>;

type Input<'a> = (&'a CudaStorage, &'a Layout);

impl ConvNext {
    fn block(&self, x: &Layout, w: &Layout) -> Result<Block> {
        let (batch, height, width, channels) = x.shape().dims4()?;
        let sections = Sections::new(channels, self.layer_norm);
        expect_shape(self.name(), "the weights", w.dims(), &[sections.len()])?;
        let stored = if self.precision.may_round() { Stored::Bf16 } else { Stored::F32 };
        Ok(Block { batch, height, width, channels, sections, stored })
    }

    pub(super) fn forward_on_gpu(&self, inputs: [Input; 2]) -> Result<(CudaStorage, Shape)> {
        let block = self.block(inputs[0].1, inputs[1].1)?;
        cuda::run(self.name(), inputs, inputs[0].1.shape().clone(), |queue, from, out| {
            let kept = block.forward(queue, from, out)?;
            if let Some(place) = &self.kept {
                *place.on_gpu.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(kept);
            }
            Ok(())
        })
    }

    pub(super) fn gradients_on_gpu(&self, inputs: [Input; 3]) -> Result<(CudaStorage, Shape)> {
        let (x_at, w_at) = (inputs[0].1, inputs[1].1);
        let block = self.block(x_at, w_at)?;
        let (of_x, of_w) = (x_at.shape().elem_count(), w_at.shape().elem_count());
        let stored = self.kept.as_ref().and_then(|kept| kept.on_gpu.lock().ok()?.take());
        cuda::run(self.name(), inputs, of_x + of_w, |queue, from, out| {
            // A second backward pass through the same graph finds nothing kept and computes it again.
            let kept = match stored {
                Some(kept) => kept,
                None => {
                    let again = cuda::Queue::reserve(queue, of_x)?;
                    block.forward(queue, [from[0], from[1]], cuda::Queue::address(queue, &again))?
                }
            };
            block.backward(queue, from, &kept, [out, out.at(of_x)])
        })
    }
}
