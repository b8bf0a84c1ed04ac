//! What all adapters have in common.

use super::probe::{PortNames, Probe};
use super::{Monitor, Node, PortType};
use futuresdr::runtime::{BlockId, Flowgraph};

/// A kernel inside a FutureSDR block.
pub trait Adapter: Send + Sized + 'static {
    /// The block's ports, by name and type.
    type Ports;

    /// What the block takes, in order.
    fn inputs() -> Vec<PortType>;

    /// What the block gives, in order.
    fn outputs() -> Vec<PortType>;

    /// Typed ports of the block that became this node of a graph.
    fn ports(node: Node) -> Self::Ports;

    /// Puts the block into a flowgraph.
    fn add_to(self, flowgraph: &mut Flowgraph) -> BlockId;

    /// The block's own report of what it does.
    fn probe_mut(&mut self) -> &mut Probe;

    /// Gives the block a name, for errors and the runtime's log.
    fn named(mut self, name: &str) -> Self {
        self.probe_mut().rename(name, None);
        self
    }

    /// Gives the block a name and lets a monitor watch it.
    fn watched(mut self, name: &str, monitor: &Monitor) -> Self {
        self.probe_mut().rename(name, Some(monitor));
        self
    }
}

/// Port names by number of ports: the field names of the adapters.
pub(super) const SOURCE: PortNames = PortNames { inputs: &[], outputs: &["output"] };
pub(super) const SINK: PortNames = PortNames { inputs: &["input"], outputs: &[] };
pub(super) const THROUGH: PortNames = PortNames { inputs: &["input"], outputs: &["output"] };
pub(super) const SPLIT: PortNames = PortNames { inputs: &["input"], outputs: &["first", "second"] };
pub(super) const JOIN: PortNames = PortNames { inputs: &["first", "second"], outputs: &["output"] };
