//! The traits of blocks. A block is a plain struct with a method, tested without a runtime;
//! generic adapters one floor up turn any kernel into a flowgraph block.

use crate::Result;
use num_complex::Complex32;

/// One frame in, one frame out.
pub trait FrameKernel: Send + 'static {
    /// What comes in.
    type In: Send + 'static;
    /// What goes out.
    type Out: Send + 'static;
    /// Processes one frame. An error ends the run; expected loss is a status inside the frame.
    fn process(&mut self, frame: Self::In) -> Result<Self::Out>;
}

/// Frames out of nothing.
pub trait FrameSource: Send + 'static {
    /// What goes out.
    type Out: Send + 'static;
    /// The next frame, or `None` at the end.
    fn next_frame(&mut self) -> Result<Option<Self::Out>>;
}

/// Frames into nothing.
pub trait FrameSink: Send + 'static {
    /// What comes in.
    type In: Send + 'static;
    /// Takes one frame.
    fn consume(&mut self, frame: Self::In) -> Result<()>;
}

/// One frame in, one frame on each of two outputs. Wider fans are compositions.
pub trait FrameSplitter: Send + 'static {
    /// What comes in.
    type In: Send + 'static;
    /// What goes out on the first output.
    type First: Send + 'static;
    /// What goes out on the second output.
    type Second: Send + 'static;
    /// Splits one frame.
    fn split(&mut self, frame: Self::In) -> Result<(Self::First, Self::Second)>;
}

/// One frame on each of two inputs, one frame out.
pub trait FrameJoiner: Send + 'static {
    /// What comes in on the first input.
    type First: Send + 'static;
    /// What comes in on the second input.
    type Second: Send + 'static;
    /// What goes out.
    type Out: Send + 'static;
    /// Joins two frames.
    fn join(&mut self, first: Self::First, second: Self::Second) -> Result<Self::Out>;
}

/// What a stream kernel did in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Progress {
    /// Samples taken from the input.
    pub consumed: usize,
    /// Samples written to the output.
    pub produced: usize,
}

/// Samples in, samples out: the antenna side. Must give the same output for any chunking.
pub trait StreamKernel: Send + 'static {
    /// Type of an input sample.
    type In: Copy + Default + Send + Sync + std::fmt::Debug + 'static;
    /// Type of an output sample.
    type Out: Copy + Default + Send + Sync + std::fmt::Debug + 'static;
    /// Processes what fits. The content of `output` on entry is arbitrary and must not matter.
    fn process(&mut self, input: &[Self::In], output: &mut [Self::Out]) -> Result<Progress>;
}

/// A frame in, samples out over several calls: where frames become a signal.
pub trait Modulator: Send + 'static {
    /// What comes in.
    type In: Send + 'static;
    /// Takes the next frame. Called once all samples of the last one are written.
    fn load(&mut self, frame: Self::In) -> Result<()>;
    /// Writes the next samples of the frame, as many as fit.
    ///
    /// - returns: how many; 0 once all are written
    fn write(&mut self, output: &mut [Complex32]) -> Result<usize>;
}

/// Samples in, zero or more frames out: where a signal becomes frames. Must give the same frames for any chunking.
pub trait Demodulator: Send + 'static {
    /// What goes out.
    type Out: Send + 'static;
    /// Takes all samples and adds the frames that are whole by now.
    fn read(&mut self, input: &[Complex32], found: &mut Vec<Self::Out>) -> Result<()>;
    /// Adds what the end of the signal completes.
    fn finish(&mut self, found: &mut Vec<Self::Out>) -> Result<()> {
        let _ = found;
        Ok(())
    }
}

/// Copies every frame to both outputs: a port has one reader, so fan-out is a block.
#[derive(Debug, Default)]
pub struct Tee<F> {
    marker: std::marker::PhantomData<fn(F) -> F>,
}

impl<F> Tee<F> {
    /// A new splitter into two equal streams.
    pub fn new() -> Self {
        Self { marker: std::marker::PhantomData }
    }
}

impl<F: Clone + Send + 'static> FrameSplitter for Tee<F> {
    type In = F;
    type First = F;
    type Second = F;

    fn split(&mut self, frame: F) -> Result<(F, F)> {
        Ok((frame.clone(), frame))
    }
}
