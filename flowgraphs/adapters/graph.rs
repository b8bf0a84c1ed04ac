//! A flowgraph that is wired by name, checked before it runs, and watched while it runs.

use super::watchdog::Wire;
use super::{
    Adapter, Chain, FrameBlock, GraphError, In, Monitor, Node, Out, PortType, RunOptions, SourceBlock,
};
use futuresdr::runtime::{BlockId, Flowgraph};
use sememe_blocks::kernel::{FrameKernel, FrameSource};
use std::sync::atomic::{AtomicU64, Ordering};

/// Blocks and wires.
///
/// ```
/// use sememe::adapters::{Collect, Graph, Replay};
/// use sememe_blocks::kernel::Tee;
/// # use sememe_blocks::kernel::FrameKernel;
/// # struct Double;
/// # impl FrameKernel for Double {
/// #     type In = u32;
/// #     type Out = u32;
/// #     fn process(&mut self, frame: u32) -> sememe_blocks::Result<u32> { Ok(2 * frame) }
/// # }
/// # fn main() -> Result<(), sememe::adapters::GraphError> {
/// let mut graph = Graph::new();
/// let (plain, copy) = graph.chain("numbers", Replay::new(vec![1, 2, 3])).split("copies", Tee::new());
/// let doubled = graph.resume(plain).then("double", Double).sink("doubled", Collect::new());
/// let as_sent = graph.resume(copy).sink("as sent", Collect::new());
/// graph.run()?;
/// assert_eq!(doubled.take()?.into_frames(), [2, 4, 6]);
/// assert_eq!(as_sent.take()?.into_frames(), [1, 2, 3]);
/// # Ok(())
/// # }
/// ```
pub struct Graph {
    id: u64,
    flowgraph: Flowgraph,
    monitor: Monitor,
    blocks: Vec<Placed>,
    fault: Option<GraphError>,
}

/// A block in the graph, and who is at the other end of each of its ports.
struct Placed {
    name: String,
    id: BlockId,
    inputs: Vec<(PortType, Option<usize>)>,
    outputs: Vec<(PortType, Option<usize>)>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            flowgraph: Flowgraph::new(),
            monitor: Monitor::new(),
            blocks: Vec::new(),
            fault: None,
        }
    }

    /// Adds a block and returns its ports, to be wired with [`Graph::connect`].
    ///
    /// A name that is taken is reported when the graph is checked or run.
    pub fn add<A: Adapter>(&mut self, name: &str, block: A) -> A::Ports {
        A::ports(self.place(name, block))
    }

    /// Adds a frame kernel; short for a [`FrameBlock`].
    pub fn add_kernel<K: FrameKernel>(&mut self, name: &str, kernel: K) -> <FrameBlock<K> as Adapter>::Ports {
        self.add(name, FrameBlock::new(kernel))
    }

    /// Starts a chain at a source.
    pub fn chain<S: FrameSource>(&mut self, name: &str, source: S) -> Chain<'_, S::Out> {
        self.chain_block(name, SourceBlock::new(source))
    }

    /// Starts a chain at a ready-made source block, such as `SourceBlock::new(radio).live()`.
    pub fn chain_block<F: Send + 'static, A: Adapter<Ports = Out<F>>>(
        &mut self,
        name: &str,
        source: A,
    ) -> Chain<'_, F> {
        let out = self.add(name, source);
        self.resume(out)
    }

    /// Continues a chain at an output.
    pub fn resume<F: Send + 'static>(&mut self, out: Out<F>) -> Chain<'_, F> {
        Chain::new(self, out)
    }

    /// Connects an output to an input.
    ///
    /// - errors: either has a peer already; a port of another graph
    pub fn connect<F>(&mut self, from: Out<F>, to: In<F>) -> Result<(), GraphError> {
        self.wire(from.node, from.port, to.node, to.port)
    }

    /// As [`Graph::connect`]; an error is kept and reported when the graph is checked or run.
    pub(super) fn connect_later<F>(&mut self, from: Out<F>, to: In<F>) {
        if let Err(error) = self.connect(from, to) {
            self.fault.get_or_insert(error);
        }
    }

    /// Adds a block without saying at compile time what its ports are.
    pub(crate) fn place<A: Adapter>(&mut self, name: &str, block: A) -> Node {
        if self.find(name).is_some() {
            self.fault.get_or_insert(GraphError::DuplicateName(name.to_owned()));
        }
        let id = block.watched(name, &self.monitor).add_to(&mut self.flowgraph);
        let unconnected = |ports: Vec<PortType>| ports.into_iter().map(|port| (port, None)).collect();
        let (inputs, outputs) = (unconnected(A::inputs()), unconnected(A::outputs()));
        self.blocks.push(Placed { name: name.to_owned(), id, inputs, outputs });
        Node { graph: self.id, index: self.blocks.len() - 1 }
    }

    /// The block of this name.
    pub(crate) fn find(&self, name: &str) -> Option<Node> {
        let index = self.blocks.iter().position(|block| block.name == name)?;
        Some(Node { graph: self.id, index })
    }

    /// The names of all blocks.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().map(|block| block.name.as_str())
    }

    pub(crate) fn inputs(&self, node: Node) -> impl Iterator<Item = &PortType> {
        self.blocks[node.index].inputs.iter().map(|(port, _)| port)
    }

    pub(crate) fn outputs(&self, node: Node) -> impl Iterator<Item = &PortType> {
        self.blocks[node.index].outputs.iter().map(|(port, _)| port)
    }

    /// Connects ports by index, with their types checked now instead of by the compiler.
    pub(crate) fn wire(
        &mut self,
        from: Node,
        output: usize,
        to: Node,
        input: usize,
    ) -> Result<(), GraphError> {
        if from.graph != self.id || to.graph != self.id {
            return Err(GraphError::OtherGraph);
        }
        let (source, target) = (&self.blocks[from.index], &self.blocks[to.index]);
        let (out_port, reader) = &source.outputs[output];
        let (in_port, writer) = &target.inputs[input];
        let name_of = |index: usize| self.blocks[index].name.clone();
        let (source_name, target_name) = (source.name.clone(), target.name.clone());
        if out_port.id != in_port.id {
            return Err(GraphError::Mismatch {
                from: format!("output '{}' of block '{source_name}'", out_port.name),
                found: out_port.carries.clone(),
                to: format!("input '{}' of block '{target_name}'", in_port.name),
                needed: in_port.carries.clone(),
            });
        }
        if let Some(reader) = reader.map(name_of) {
            let (block, port) = (source_name, out_port.name);
            return Err(GraphError::SecondReader { block, port, reader, refused: target_name });
        }
        if let Some(writer) = writer.map(name_of) {
            let (block, port) = (target_name, in_port.name);
            return Err(GraphError::SecondWriter { block, port, writer, refused: source_name });
        }
        if from == to {
            return Err(GraphError::Ring(source_name));
        }
        self.flowgraph
            .stream_dyn(source.id, out_port.name, target.id, in_port.name)
            .map_err(|error| GraphError::Runtime(error.to_string()))?;
        self.blocks[from.index].outputs[output].1 = Some(to.index);
        self.blocks[to.index].inputs[input].1 = Some(from.index);
        self.monitor.add_wire(Wire { from: from.index, to: to.index, input });
        Ok(())
    }

    /// Whether the graph can run: every port connected, every name once, no ring.
    ///
    /// - errors: the first fault found, also one that a chain kept back
    pub fn check(&mut self) -> Result<(), GraphError> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        for block in &self.blocks {
            let inputs = block.inputs.iter().map(|port| ("input", port));
            let outputs = block.outputs.iter().map(|port| ("output", port));
            if let Some((direction, (port, _))) = inputs.chain(outputs).find(|(_, (_, peer))| peer.is_none())
            {
                let (port, block) = (port.name, block.name.clone());
                return Err(GraphError::Unconnected { direction, port, block });
            }
        }
        match self.first_in_ring() {
            Some(index) => Err(GraphError::Ring(self.blocks[index].name.clone())),
            None => Ok(()),
        }
    }

    /// Removes blocks whose inputs are all fed by removed blocks; who is left hangs on a ring.
    fn first_in_ring(&self) -> Option<usize> {
        let mut waits_for: Vec<usize> = self.blocks.iter().map(|block| block.inputs.len()).collect();
        let mut free: Vec<usize> = (0..waits_for.len()).filter(|&index| waits_for[index] == 0).collect();
        while let Some(index) = free.pop() {
            for reader in self.blocks[index].outputs.iter().filter_map(|(_, reader)| *reader) {
                waits_for[reader] -= 1;
                if waits_for[reader] == 0 {
                    free.push(reader);
                }
            }
        }
        waits_for.iter().position(|&left| left > 0)
    }

    /// Runs the graph to its end, with a minute of patience.
    ///
    /// - errors: those of [`Graph::check`]; the first block that failed and why; a stall
    pub fn run(self) -> Result<(), GraphError> {
        self.run_with(&RunOptions::default())
    }

    /// Runs the graph to its end.
    ///
    /// - errors: as [`Graph::run`]
    pub fn run_with(mut self, options: &RunOptions) -> Result<(), GraphError> {
        self.check()?;
        if self.blocks.is_empty() {
            return Ok(());
        }
        self.monitor.run(self.flowgraph, options)
    }
}

impl Default for Graph {
    fn default() -> Self {
        Self::new()
    }
}
