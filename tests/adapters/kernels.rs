//! Small kernels with which the adapters are tried.

use sememe_blocks::kernel::{FrameJoiner, FrameKernel, FrameSource};
use sememe_blocks::{BlockError, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Adds a number to a number.
pub struct Add(pub u64);

impl FrameKernel for Add {
    type In = u64;
    type Out = u64;

    fn process(&mut self, frame: u64) -> Result<u64> {
        Ok(frame + self.0)
    }
}

/// Passes everything, slowly.
pub struct Slow(pub Duration);

impl FrameKernel for Slow {
    type In = u64;
    type Out = u64;

    fn process(&mut self, frame: u64) -> Result<u64> {
        std::thread::sleep(self.0);
        Ok(frame)
    }
}

/// Fails, one way or another, at one frame.
pub struct FailsAt {
    pub frame: u64,
    pub by_panic: bool,
}

impl FrameKernel for FailsAt {
    type In = u64;
    type Out = u64;

    fn process(&mut self, frame: u64) -> Result<u64> {
        match (frame == self.frame, self.by_panic) {
            (false, _) => Ok(frame),
            (true, false) => Err(BlockError::Kernel(format!("no luck with {frame}"))),
            (true, true) => panic!("frame {frame} broke me"),
        }
    }
}

/// Pairs two streams.
pub struct Pair;

impl FrameJoiner for Pair {
    type First = u64;
    type Second = u64;
    type Out = (u64, u64);

    fn join(&mut self, first: u64, second: u64) -> Result<(u64, u64)> {
        Ok((first, second))
    }
}

/// Counts up without end.
pub struct Endless(pub u64);

impl FrameSource for Endless {
    type Out = u64;

    fn next_frame(&mut self) -> Result<Option<u64>> {
        self.0 += 1;
        Ok(Some(self.0 - 1))
    }
}

/// Sends `frames` frames, then hangs in the middle of the next until released.
pub struct Hangs {
    pub frames: u64,
    pub released: Arc<AtomicBool>,
}

impl FrameSource for Hangs {
    type Out = u64;

    fn next_frame(&mut self) -> Result<Option<u64>> {
        if self.frames > 0 {
            self.frames -= 1;
            return Ok(Some(self.frames));
        }
        while !self.released.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(None)
    }
}

/// A frame that cannot be cloned and knows how many of its kind live.
#[derive(Debug)]
pub struct Counted {
    pub number: u64,
    pub payload: Vec<u8>,
    census: Arc<Census>,
}

/// How many frames live, and how many ever lived at once.
#[derive(Debug, Default)]
pub struct Census {
    pub alive: AtomicUsize,
    pub peak: AtomicUsize,
}

impl Counted {
    pub fn new(number: u64, census: &Arc<Census>) -> Self {
        let alive = census.alive.fetch_add(1, Ordering::SeqCst) + 1;
        census.peak.fetch_max(alive, Ordering::SeqCst);
        Self { number, payload: vec![number as u8; 1000], census: Arc::clone(census) }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.census.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Makes counted frames.
pub struct CountedSource {
    pub frames: u64,
    pub sent: u64,
    pub census: Arc<Census>,
}

impl FrameSource for CountedSource {
    type Out = Counted;

    fn next_frame(&mut self) -> Result<Option<Counted>> {
        self.sent += 1;
        Ok((self.sent <= self.frames).then(|| Counted::new(self.sent - 1, &self.census)))
    }
}
