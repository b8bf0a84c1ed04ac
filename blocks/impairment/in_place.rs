//! Impairments that change samples one by one where they stand.

use crate::Result;
use crate::kernel::{Progress, StreamKernel};
use num_complex::Complex32;

/// Changes samples in place. Must give the same samples for any chunking.
pub trait InPlace: Send + 'static {
    /// Changes the next samples of the stream.
    fn apply(&mut self, samples: &mut [Complex32]) -> Result<()>;
}

impl<K: InPlace> StreamKernel for K {
    type In = Complex32;
    type Out = Complex32;

    fn process(&mut self, input: &[Complex32], output: &mut [Complex32]) -> Result<Progress> {
        let len = input.len().min(output.len());
        output[..len].copy_from_slice(&input[..len]);
        self.apply(&mut output[..len])?;
        Ok(Progress { consumed: len, produced: len })
    }
}
