//! Runs a flowgraph and watches over it: first failure, stop flag, watchdog.
//!
//! [`Graph`](super::Graph) does this by itself. Who wires a plain FutureSDR flowgraph gives each
//! block a name and the monitor, and lets the monitor run it:
//!
//! ```
//! use futuresdr::prelude::*;
//! use sememe::adapters::{Adapter, Collect, FrameBlock, Monitor, Replay, SinkBlock, SourceBlock};
//! # use sememe_blocks::kernel::FrameKernel;
//! # struct Double;
//! # impl FrameKernel for Double {
//! #     type In = u32;
//! #     type Out = u32;
//! #     fn process(&mut self, frame: u32) -> sememe_blocks::Result<u32> { Ok(2 * frame) }
//! # }
//! # fn main() -> futuresdr::runtime::Result<()> {
//! let monitor = Monitor::new();
//! let source = SourceBlock::new(Replay::new(vec![1, 2, 3])).watched("numbers", &monitor);
//! let double = FrameBlock::new(Double).watched("double", &monitor);
//! let sink = SinkBlock::new(Collect::new()).watched("results", &monitor);
//! let results = sink.kept();
//!
//! let mut flowgraph = Flowgraph::new();
//! connect!(flowgraph, source > double > sink);
//! monitor.run(flowgraph, &Default::default())?;
//! assert_eq!(results.take()?.into_frames(), [2, 4, 6]);
//! # Ok(())
//! # }
//! ```

use super::probe::Activity;
use super::watchdog::{Watchdog, Wire, starved_port};
use super::{GraphError, scheduler};
use futuresdr::futures::future::{Either, select};
use futuresdr::runtime::{Flowgraph, Runtime, Timer};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a run is watched and stopped.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// For how long nothing may move before the run ends with an error that names the starved port.
    pub patience: Duration,
    /// When this becomes true sources end, what is under way is finished, and the run returns.
    pub stop: Option<Arc<AtomicBool>>,
}

impl Default for RunOptions {
    /// A minute of patience, no stop flag.
    fn default() -> Self {
        Self { patience: Duration::from_secs(60), stop: None }
    }
}

/// After a stall, how long blocks are given to come back with their kernels.
const FAREWELL: Duration = Duration::from_secs(1);

/// Watches the blocks of one run. Clones watch the same run.
#[derive(Clone, Debug, Default)]
pub struct Monitor {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    blocks: Mutex<Vec<Arc<Activity>>>,
    wires: Mutex<Vec<Wire>>,
    failure: Mutex<Option<GraphError>>,
    stop: Mutex<Option<Arc<AtomicBool>>>,
    phase: AtomicU8,
}

/// How far the run is, as far as the monitor knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Someone else runs the flowgraph, if anyone does.
    Unsupervised,
    /// Blocks are being initialised.
    Starting,
    /// All blocks are initialised.
    Started,
}

impl Monitor {
    /// A monitor that watches nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a flowgraph whose blocks this monitor watches, to its end.
    ///
    /// - errors: the first failure of a block, by the block's name; `Stalled`; `Runtime`
    pub fn run(&self, flowgraph: Flowgraph, options: &RunOptions) -> Result<(), GraphError> {
        *lock(&self.shared.stop) = options.stop.clone();
        self.enter(Phase::Starting);
        let outcome = Runtime::block_on(self.supervise(flowgraph, options));
        match self.take_failure() {
            Some(failure) => Err(failure),
            None => outcome,
        }
    }

    async fn supervise(&self, flowgraph: Flowgraph, options: &RunOptions) -> Result<(), GraphError> {
        let failed = |error: futuresdr::runtime::Error| GraphError::Runtime(error.to_string());
        let runtime = scheduler::runtime();
        let (mut task, handle) = runtime.start_async(flowgraph).await.map_err(failed)?.split();
        self.enter(Phase::Started);
        let glance = (options.patience / 8).clamp(Duration::from_millis(1), Duration::from_millis(100));
        let mut watchdog = Watchdog::new(options.patience);
        loop {
            match select(task, Box::pin(Timer::after(glance))).await {
                Either::Left((finished, _)) => return finished.map(drop).map_err(failed),
                Either::Right((_, running)) => task = running,
            }
            let blocks = self.blocks();
            if watchdog.is_stalled(&blocks, self.is_stopped()) {
                let starved = starved_port(&blocks, &lock(&self.shared.wires));
                // Reported before the graph is taken down, which makes joiners see unequal ends.
                self.report(GraphError::Stalled { after: options.patience, starved });
                // Whoever waits at a port ends now; a source that never returns is left behind.
                let _ = handle.stop().await;
                let _ = select(task, Box::pin(Timer::after(FAREWELL))).await;
                return Ok(());
            }
        }
    }

    fn enter(&self, phase: Phase) {
        self.shared.phase.store(phase as u8, Ordering::Release);
    }

    pub(super) fn phase(&self) -> Phase {
        match self.shared.phase.load(Ordering::Acquire) {
            0 => Phase::Unsupervised,
            1 => Phase::Starting,
            _ => Phase::Started,
        }
    }

    pub(super) fn enlist(&self, block: Arc<Activity>) {
        lock(&self.shared.blocks).push(block);
    }

    pub(super) fn add_wire(&self, wire: Wire) {
        lock(&self.shared.wires).push(wire);
    }

    pub(super) fn blocks(&self) -> Vec<Arc<Activity>> {
        lock(&self.shared.blocks).clone()
    }

    pub(super) fn report(&self, failure: GraphError) {
        lock(&self.shared.failure).get_or_insert(failure);
    }

    pub(super) fn take_failure(&self) -> Option<GraphError> {
        lock(&self.shared.failure).take()
    }

    pub(super) fn is_stopped(&self) -> bool {
        lock(&self.shared.stop).as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

/// Every lock here guards whole values at all times, so a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
