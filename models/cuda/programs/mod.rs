//! The operations of [`crate::ops`] as sequences of kernels and products, for any [`Queue`](super::queue::Queue).
//! Each program is tested on the processor, kernel by kernel as it is written for the GPU, against the
//! operation it stands for.

pub mod adam;
pub mod affine;
pub mod attention;
pub mod conv_next;
pub mod convolution;
pub mod depthwise;
pub mod layer_norm;
pub mod maps;
pub mod patches;
pub mod response;
pub mod rows;

use candle_core::{Result, bail};

/// Most samples of a launch that gives each its own layer of blocks.
const MOST_SAMPLES: usize = 65_535;

/// A number of samples that kernels with a layer of blocks a sample can take.
fn layers(samples: usize) -> Result<usize> {
    if samples > MOST_SAMPLES {
        bail!("a batch of {samples} samples is too large for a GPU: allowed are {MOST_SAMPLES}");
    }
    Ok(samples)
}
