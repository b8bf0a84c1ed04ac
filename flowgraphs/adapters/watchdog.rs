//! Notices a run that goes nowhere, and says which port is starved of what.

use super::probe::{Activity, State};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A wire between two watched blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) input: usize,
}

/// Patience, and since when it is tried.
pub(super) struct Watchdog {
    patience: Duration,
    progress: u64,
    since: Instant,
}

impl Watchdog {
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, progress: 0, since: Instant::now() }
    }

    /// Whether nothing has moved for longer than the patience allows. A kernel at work is
    /// excused, and so is a live source that waits for signal, until the run is asked to stop.
    pub(super) fn is_stalled(&mut self, blocks: &[Arc<Activity>], stopping: bool) -> bool {
        let progress = blocks.iter().map(|block| block.progress()).sum();
        let excused = blocks.iter().any(|block| {
            let live = block.live.load(Ordering::Relaxed) && !stopping;
            block.state() == State::Kernel && (live || !block.is_source())
        });
        if excused || progress != self.progress {
            self.progress = progress;
            self.since = Instant::now();
        }
        !blocks.is_empty() && self.since.elapsed() >= self.patience
    }
}

/// Names the starved port: from any waiting input upstream to the first block that does not
/// itself wait for an input.
pub(super) fn starved_port(blocks: &[Arc<Activity>], wires: &[Wire]) -> String {
    let waiting = blocks.iter().enumerate().find_map(|(index, block)| match block.state() {
        State::Input(port) => Some((index, port)),
        _ => None,
    });
    let Some((mut block, mut input)) = waiting else {
        return blocks.iter().map(|b| situation(b)).collect::<Vec<_>>().join("; ");
    };
    // No more steps than blocks: a ring of waiting blocks must not hold the watchdog.
    for _ in 0..blocks.len() {
        let Some(wire) = wires.iter().find(|wire| wire.to == block && wire.input == input) else {
            return format!("{} is starved", port_of(&blocks[block], input));
        };
        match blocks[wire.from].state() {
            State::Input(port) => (block, input) = (wire.from, port),
            _ => {
                let cause = situation(&blocks[wire.from]);
                return format!("{} is starved, because {cause}", port_of(&blocks[block], input));
            }
        }
    }
    format!("{} is starved in a ring of blocks that wait for each other", port_of(&blocks[block], input))
}

fn port_of(block: &Activity, input: usize) -> String {
    let port = block.ports.inputs.get(input).copied().unwrap_or("input");
    format!("input '{port}' of block '{}'", block.name)
}

fn situation(block: &Activity) -> String {
    let name = &block.name;
    match block.state() {
        State::Kernel if block.is_source() => format!("source '{name}' does not deliver its next frame"),
        State::Kernel => format!("block '{name}' is at work"),
        State::Input(port) => format!("block '{name}' waits for its input '{}'", block.ports.inputs[port]),
        State::Output(port) => {
            format!("block '{name}' waits for room at its output '{}'", block.ports.outputs[port])
        }
        State::Idle => format!("block '{name}' is idle"),
        State::Ended => format!("block '{name}' has ended"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Monitor;
    use super::super::probe::{PortNames, Probe};
    use super::*;

    const SOURCE: PortNames = PortNames { inputs: &[], outputs: &["output"] };
    const JOIN: PortNames = PortNames { inputs: &["first", "second"], outputs: &["output"] };
    const THROUGH: PortNames = PortNames { inputs: &["input"], outputs: &["output"] };

    #[test]
    fn the_cause_is_followed_upstream() {
        let monitor = Monitor::new();
        let probes: Vec<_> = [("camera", SOURCE), ("encoder", THROUGH), ("pair", JOIN)]
            .map(|(name, ports)| Probe::new(name, ports, monitor.clone()))
            .into();
        let _ = probes[0].call(|| {
            probes[1].waits_for_input(0);
            probes[2].waits_for_input(1);
            let wires = [Wire { from: 1, to: 2, input: 1 }, Wire { from: 0, to: 1, input: 0 }];
            let text = starved_port(&monitor.blocks(), &wires);
            assert_eq!(
                text,
                "input 'input' of block 'encoder' is starved, because source 'camera' does not deliver its next frame"
            );
            let without_wires = starved_port(&monitor.blocks(), &[]);
            assert_eq!(without_wires, "input 'input' of block 'encoder' is starved");
            Ok(())
        });
    }

    #[test]
    fn a_ring_of_waiting_blocks_ends_the_search() {
        let monitor = Monitor::new();
        let probes = ["a", "b"].map(|name| Probe::new(name, THROUGH, monitor.clone()));
        probes.iter().for_each(|probe| probe.waits_for_input(0));
        let wires = [Wire { from: 0, to: 1, input: 0 }, Wire { from: 1, to: 0, input: 0 }];
        assert!(starved_port(&monitor.blocks(), &wires).contains("ring"));
    }

    #[test]
    fn work_and_live_sources_are_no_stalls_but_a_silent_source_is() {
        let mut watchdog = Watchdog::new(Duration::ZERO);
        let monitor = Monitor::new();
        let source = Probe::new("source", SOURCE, monitor.clone());
        let blocks = monitor.blocks();
        let patient = Duration::from_secs(1000);
        assert!(watchdog.is_stalled(&blocks, false), "an idle graph is stalled at no patience");
        let _ = source.call(|| {
            let mut watchdog = Watchdog::new(patient);
            watchdog.since = Instant::now().checked_sub(2 * patient).unwrap();
            assert!(watchdog.is_stalled(&blocks, false), "a plain source must deliver");
            source.set_live(true);
            assert!(watchdog.is_stalled(&blocks, true), "a live source must heed a stop");
            assert!(!watchdog.is_stalled(&blocks, false), "a live source may wait");
            Ok(())
        });
        let worker = Probe::new("worker", THROUGH, monitor.clone());
        let _ = worker.call(|| {
            let mut watchdog = Watchdog::new(patient);
            watchdog.since = Instant::now().checked_sub(2 * patient).unwrap();
            assert!(!watchdog.is_stalled(&monitor.blocks(), false), "a kernel at work is no stall");
            Ok(())
        });
    }
}
