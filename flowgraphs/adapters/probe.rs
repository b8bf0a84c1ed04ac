//! What a block says about itself while it runs: who it is, what it waits for, why it failed.

use super::monitor::Phase;
use super::{GraphError, Monitor};
use futuresdr::runtime::Error;
use sememe_blocks::BlockError;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What a block is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Between two calls.
    Idle,
    /// Inside its kernel.
    Kernel,
    /// Waiting for something on the input of this index.
    Input(usize),
    /// Waiting for room on the output of this index.
    Output(usize),
    /// At the end of its stream.
    Ended,
}

const INPUT: u8 = 0x40;
const OUTPUT: u8 = 0x80;
const INDEX: u8 = 0x3f;

impl State {
    fn encode(self) -> u8 {
        match self {
            Self::Idle => 0,
            Self::Kernel => 1,
            Self::Ended => 2,
            Self::Input(port) => INPUT | (port as u8 & INDEX),
            Self::Output(port) => OUTPUT | (port as u8 & INDEX),
        }
    }

    fn decode(code: u8) -> Self {
        match code {
            0 => Self::Idle,
            1 => Self::Kernel,
            2 => Self::Ended,
            _ if code & INPUT != 0 => Self::Input((code & INDEX) as usize),
            _ => Self::Output((code & INDEX) as usize),
        }
    }
}

/// The names of a block's ports, in order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PortNames {
    pub(super) inputs: &'static [&'static str],
    pub(super) outputs: &'static [&'static str],
}

/// What others can see of a running block.
#[derive(Debug)]
pub(super) struct Activity {
    pub(super) name: String,
    pub(super) ports: PortNames,
    pub(super) live: AtomicBool,
    state: AtomicU8,
    progress: AtomicU64,
}

impl Activity {
    pub(super) fn state(&self) -> State {
        State::decode(self.state.load(Ordering::Relaxed))
    }

    pub(super) fn progress(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }

    pub(super) fn is_source(&self) -> bool {
        self.ports.inputs.is_empty()
    }
}

/// The block's own end: it reports here.
#[derive(Debug)]
pub struct Probe {
    activity: Arc<Activity>,
    monitor: Monitor,
    first_call: OnceLock<Instant>,
}

/// How often a source asks whether all blocks are initialised.
const GLANCE: Duration = Duration::from_micros(200);
/// How long initialisation may take where nobody tells when it is done.
const INITIALISATION: Duration = Duration::from_millis(100);

impl Probe {
    pub(super) fn new(name: &str, ports: PortNames, monitor: Monitor) -> Self {
        let activity = Arc::new(Activity {
            name: name.to_owned(),
            ports,
            live: AtomicBool::new(false),
            state: AtomicU8::new(State::Idle.encode()),
            progress: AtomicU64::new(0),
        });
        monitor.enlist(Arc::clone(&activity));
        Self { activity, monitor, first_call: OnceLock::new() }
    }

    /// A probe nobody watches, named after the kernel's type.
    pub(super) fn of_kernel<K>(ports: PortNames) -> Self {
        Self::new(&super::ports::short_type_name::<K>(), ports, Monitor::new())
    }

    /// The same block under another name, and watched by another monitor where one is given.
    pub(super) fn rename(&mut self, name: &str, monitor: Option<&Monitor>) {
        let live = self.activity.live.load(Ordering::Relaxed);
        let monitor = monitor.cloned().unwrap_or_else(Monitor::new);
        *self = Self::new(name, self.activity.ports, monitor);
        self.set_live(live);
    }

    pub(super) fn set_live(&self, live: bool) {
        self.activity.live.store(live, Ordering::Relaxed);
    }

    pub(super) fn name(&self) -> &str {
        &self.activity.name
    }

    pub(super) fn ports(&self) -> PortNames {
        self.activity.ports
    }

    pub(super) fn progress(&self) -> u64 {
        self.activity.progress()
    }

    /// How long a source must hold back before it sends, or before it ends.
    ///
    /// The runtime calls a source before the blocks behind it are initialised, and an end of stream
    /// that reaches a block too early is lost: the run would wait for it forever. Under a monitor a
    /// source therefore waits until all blocks are ready; without one, who cannot know, it only
    /// does not end in its first 100 ms.
    pub(super) fn holds_back(&self, ending: bool) -> Option<Duration> {
        match self.monitor.phase() {
            Phase::Started => None,
            Phase::Starting => Some(GLANCE),
            Phase::Unsupervised => {
                let age = self.first_call.get_or_init(Instant::now).elapsed();
                INITIALISATION.checked_sub(age).filter(|_| ending)
            }
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.monitor.is_stopped()
    }

    pub(super) fn waits_for_input(&self, port: usize) {
        self.set(State::Input(port));
    }

    pub(super) fn waits_for_output(&self, port: usize) {
        self.set(State::Output(port));
    }

    pub(super) fn ended(&self) {
        self.set(State::Ended);
    }

    /// Counts one frame, or one run of samples, as done.
    pub(super) fn progressed(&self) {
        self.activity.progress.fetch_add(1, Ordering::Relaxed);
        self.set(State::Idle);
    }

    /// Calls the kernel. Its errors and panics become the failure of the run, with this block's name.
    pub(super) fn call<T>(&self, kernel: impl FnOnce() -> Result<T, BlockError>) -> Result<T, Error> {
        self.set(State::Kernel);
        // A kernel that panicked is never called again, so no broken state can be seen through it.
        let outcome = catch_unwind(AssertUnwindSafe(kernel));
        self.set(State::Idle);
        let block = || self.name().to_owned();
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(reason)) => Err(self.fail(GraphError::Block { block: block(), reason })),
            Err(panic) => Err(self.fail(GraphError::Panicked { block: block(), reason: panic_text(panic) })),
        }
    }

    /// Records why the run fails. The runtime itself only learns that a block failed, so the
    /// reason goes to the monitor; the returned error carries the same words for its log.
    pub(super) fn fail(&self, failure: GraphError) -> Error {
        let text = failure.to_string();
        self.monitor.report(failure);
        Error::RuntimeError(text)
    }

    fn set(&self, state: State) {
        self.activity.state.store(state.encode(), Ordering::Relaxed);
    }
}

fn panic_text(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => match other.downcast::<&'static str>() {
            Ok(text) => (*text).to_owned(),
            Err(_) => "no message".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_survive_their_code() {
        let states =
            [State::Idle, State::Kernel, State::Ended, State::Input(0), State::Input(1), State::Output(0)];
        for state in states {
            assert_eq!(State::decode(state.encode()), state);
        }
    }

    #[test]
    fn errors_and_panics_bear_the_name_of_the_block() {
        let ports = PortNames { inputs: &["input"], outputs: &[] };
        for (outcome, expected) in [
            (0, "block 'scorer': disk full"),
            (1, "block 'scorer' panicked: index 7"),
            (2, "block 'scorer' panicked: plain"),
        ] {
            let monitor = Monitor::new();
            let probe = Probe::new("scorer", ports, monitor.clone());
            let result: Result<(), _> = probe.call(|| match outcome {
                0 => Err(BlockError::Kernel("disk full".into())),
                1 => panic!("index {}", 7),
                _ => panic!("plain"),
            });
            assert!(result.unwrap_err().to_string().contains(expected));
            assert_eq!(monitor.take_failure().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn the_first_failure_is_the_one_that_counts() {
        let monitor = Monitor::new();
        let probe = Probe::new("a", PortNames::default(), monitor.clone());
        probe.fail(GraphError::Runtime("first".into()));
        probe.fail(GraphError::Runtime("second".into()));
        assert!(monitor.take_failure().unwrap().to_string().contains("first"));
    }
}
