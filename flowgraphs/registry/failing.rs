//! A kernel that works like another until it is told to fail: proof that failures are named.

use num_complex::Complex32;
use sememe_blocks::kernel::{
    Demodulator, FrameJoiner, FrameKernel, FrameSink, FrameSource, FrameSplitter, Modulator, Progress,
    StreamKernel,
};
use sememe_blocks::{BlockError, Result};

/// What a deliberate failure says.
pub(super) const REASON: &str = "deliberate failure";

/// Fails after some calls.
pub(super) struct Failing<K> {
    kernel: K,
    calls_left: usize,
}

impl<K> Failing<K> {
    pub(super) fn after(calls: usize, kernel: K) -> Self {
        Self { kernel, calls_left: calls }
    }

    fn working(&mut self) -> Result<&mut K> {
        match self.calls_left {
            0 => Err(BlockError::Kernel(REASON.into())),
            _ => {
                self.calls_left -= 1;
                Ok(&mut self.kernel)
            }
        }
    }
}

impl<K: FrameKernel> FrameKernel for Failing<K> {
    type In = K::In;
    type Out = K::Out;

    fn process(&mut self, frame: K::In) -> Result<K::Out> {
        self.working()?.process(frame)
    }
}

impl<K: FrameSource> FrameSource for Failing<K> {
    type Out = K::Out;

    fn next_frame(&mut self) -> Result<Option<K::Out>> {
        self.working()?.next_frame()
    }
}

impl<K: FrameSink> FrameSink for Failing<K> {
    type In = K::In;

    fn consume(&mut self, frame: K::In) -> Result<()> {
        self.working()?.consume(frame)
    }
}

impl<K: FrameSplitter> FrameSplitter for Failing<K> {
    type In = K::In;
    type First = K::First;
    type Second = K::Second;

    fn split(&mut self, frame: K::In) -> Result<(K::First, K::Second)> {
        self.working()?.split(frame)
    }
}

impl<K: FrameJoiner> FrameJoiner for Failing<K> {
    type First = K::First;
    type Second = K::Second;
    type Out = K::Out;

    fn join(&mut self, first: K::First, second: K::Second) -> Result<K::Out> {
        self.working()?.join(first, second)
    }
}

impl<K: StreamKernel> StreamKernel for Failing<K> {
    type In = K::In;
    type Out = K::Out;

    fn process(&mut self, input: &[K::In], output: &mut [K::Out]) -> Result<Progress> {
        self.working()?.process(input, output)
    }
}

impl<K: Modulator> Modulator for Failing<K> {
    type In = K::In;

    fn load(&mut self, frame: K::In) -> Result<()> {
        self.working()?.load(frame)
    }

    fn write(&mut self, output: &mut [Complex32]) -> Result<usize> {
        self.working()?.write(output)
    }
}

impl<K: Demodulator> Demodulator for Failing<K> {
    type Out = K::Out;

    fn read(&mut self, input: &[Complex32], found: &mut Vec<K::Out>) -> Result<()> {
        self.working()?.read(input, found)
    }
}

/// Another source, cut short.
pub(super) struct Limited<K> {
    source: K,
    frames_left: usize,
}

impl<K> Limited<K> {
    pub(super) fn to(frames: usize, source: K) -> Self {
        Self { source, frames_left: frames }
    }
}

impl<K: FrameSource> FrameSource for Limited<K> {
    type Out = K::Out;

    fn next_frame(&mut self) -> Result<Option<K::Out>> {
        match self.frames_left {
            0 => Ok(None),
            _ => {
                self.frames_left -= 1;
                self.source.next_frame()
            }
        }
    }
}
