//! Wiring that reads like a drawing, from a source to a sink.

use super::{Adapter, FrameBlock, Graph, In, JoinBlock, Kept, Out, SinkBlock, SplitBlock, ThroughPorts};
use sememe_blocks::kernel::{FrameJoiner, FrameKernel, FrameSink, FrameSplitter};

/// A chain under construction, whose last output carries `F`.
///
/// Wiring faults are kept by the graph and reported when it is checked or run.
#[must_use = "a chain ends in a sink, or in an output that something else reads"]
pub struct Chain<'g, F> {
    graph: &'g mut Graph,
    out: Out<F>,
}

impl<'g, F: Send + 'static> Chain<'g, F> {
    pub(super) fn new(graph: &'g mut Graph, out: Out<F>) -> Self {
        Self { graph, out }
    }

    /// Continues with a kernel.
    pub fn then<K: FrameKernel<In = F>>(self, name: &str, kernel: K) -> Chain<'g, K::Out> {
        self.then_block(name, FrameBlock::new(kernel))
    }

    /// Continues with a kernel that computes for long, on a thread of its own.
    pub fn then_blocking<K: FrameKernel<In = F>>(self, name: &str, kernel: K) -> Chain<'g, K::Out> {
        self.then_block(name, FrameBlock::new(kernel).blocking())
    }

    /// Continues with a ready-made block of one input and one output.
    pub fn then_block<O: Send + 'static, A>(self, name: &str, block: A) -> Chain<'g, O>
    where
        A: Adapter<Ports = ThroughPorts<F, O>>,
    {
        let ports = self.graph.add(name, block);
        self.graph.connect_later(self.out, ports.input);
        Chain::new(self.graph, ports.output)
    }

    /// Splits the chain in two; each half goes on with [`Graph::resume`].
    pub fn split<K: FrameSplitter<In = F>>(self, name: &str, splitter: K) -> (Out<K::First>, Out<K::Second>) {
        let ports = self.graph.add(name, SplitBlock::new(splitter));
        self.graph.connect_later(self.out, ports.input);
        (ports.first, ports.second)
    }

    /// Joins this chain, as the first input, with another output.
    pub fn join<K: FrameJoiner<First = F>>(
        self,
        name: &str,
        joiner: K,
        second: Out<K::Second>,
    ) -> Chain<'g, K::Out> {
        let ports = self.graph.add(name, JoinBlock::new(joiner));
        self.graph.connect_later(self.out, ports.first);
        self.graph.connect_later(second, ports.second);
        Chain::new(self.graph, ports.output)
    }

    /// Ends the chain in a sink, which can be taken back after the run.
    pub fn sink<K: FrameSink<In = F>>(self, name: &str, sink: K) -> Kept<K> {
        let block = SinkBlock::new(sink).named(name);
        let kept = block.kept();
        self.sink_block(name, block);
        kept
    }

    /// Ends the chain in a ready-made block with one input.
    pub fn sink_block<A: Adapter<Ports = In<F>>>(self, name: &str, block: A) {
        let input = self.graph.add(name, block);
        self.into(input);
    }

    /// Ends the chain in an input.
    pub fn into(self, input: In<F>) {
        self.graph.connect_later(self.out, input);
    }

    /// Leaves the chain open at this output.
    pub fn out(self) -> Out<F> {
        self.out
    }
}
