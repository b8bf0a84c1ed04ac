//! Time on the clock, or time that processors spent.

use crate::Failure;
use std::time::Instant;

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    Wall,
    Processor,
}

impl Clock {
    /// Milliseconds that `run` takes.
    pub fn milliseconds(self, run: impl FnOnce() -> Result<(), Failure>) -> Result<f64, Failure> {
        let (start, used) = (Instant::now(), self.processor_nanoseconds()?);
        run()?;
        match self {
            Clock::Wall => Ok(start.elapsed().as_secs_f64() * 1e3),
            Clock::Processor => Ok((self.processor_nanoseconds()? - used) as f64 / 1e6),
        }
    }

    /// Time that all threads of this process have run.
    fn processor_nanoseconds(self) -> Result<u64, Failure> {
        if self == Clock::Wall {
            return Ok(0);
        }
        let mut total = 0;
        for thread in std::fs::read_dir("/proc/self/task")? {
            let times = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            total += times.split(' ').next().ok_or("an empty schedstat")?.parse::<u64>()?;
        }
        Ok(total)
    }
}
