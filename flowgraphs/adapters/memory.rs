//! Frames from and to memory: the simplest source and the simplest sink.

use sememe_blocks::Result;
use sememe_blocks::kernel::{FrameSink, FrameSource};

/// Sends frames from memory, in order.
#[derive(Debug)]
pub struct Replay<F> {
    frames: std::vec::IntoIter<F>,
}

impl<F> Replay<F> {
    /// Will send these frames, each once.
    pub fn new(frames: Vec<F>) -> Self {
        Self { frames: frames.into_iter() }
    }
}

impl<F: Send + 'static> FrameSource for Replay<F> {
    type Out = F;

    fn next_frame(&mut self) -> Result<Option<F>> {
        Ok(self.frames.next())
    }
}

/// Collects frames in memory, in the order of arrival.
#[derive(Debug)]
pub struct Collect<F> {
    frames: Vec<F>,
}

impl<F> Collect<F> {
    /// An empty collection.
    pub fn new() -> Self {
        Self { frames: Vec::new() }
    }

    /// The frames that arrived.
    pub fn into_frames(self) -> Vec<F> {
        self.frames
    }
}

impl<F> Default for Collect<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Send + 'static> FrameSink for Collect<F> {
    type In = F;

    fn consume(&mut self, frame: F) -> Result<()> {
        self.frames.push(frame);
        Ok(())
    }
}

/// Drops every frame: where an output must be read and nobody wants what it gives.
#[derive(Debug)]
pub struct Discard<F> {
    carries: std::marker::PhantomData<fn(F)>,
}

impl<F> Discard<F> {
    /// A sink without a trace.
    pub fn new() -> Self {
        Self { carries: std::marker::PhantomData }
    }
}

impl<F> Default for Discard<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Send + 'static> FrameSink for Discard<F> {
    type In = F;

    fn consume(&mut self, _: F) -> Result<()> {
        Ok(())
    }
}
