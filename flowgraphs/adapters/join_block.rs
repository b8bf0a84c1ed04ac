//! One frame on each of two inputs, one frame out, as a FutureSDR block.

use super::adapter::JOIN;
use super::frame_port::{self, Arrival, FrameReader, FrameWriter};
use super::kept::{Held, Kept};
use super::probe::Probe;
use super::{Adapter, GraphError, In, JoinPorts, Node, Out, PortType};
use futuresdr::runtime::dev::prelude::*;
use sememe_blocks::kernel::FrameJoiner;

/// Runs a [`FrameJoiner`]. Ports: `first`, `second`, `output`.
///
/// Inputs that end after different numbers of frames are an error that names the one that
/// starved, except where the run was asked to stop: then sources end where they are.
#[derive(Block)]
pub struct JoinBlock<K: FrameJoiner> {
    #[input]
    first: FrameReader<K::First>,
    #[input]
    second: FrameReader<K::Second>,
    #[output]
    output: FrameWriter<K::Out>,
    kernel: Held<K>,
    probe: Probe,
}

impl<K: FrameJoiner> JoinBlock<K> {
    /// A block around a joiner, named after the joiner's type.
    pub fn new(kernel: K) -> Self {
        Self {
            first: frame_port::reader(),
            second: frame_port::reader(),
            output: frame_port::writer(),
            kernel: Held::new(kernel),
            probe: Probe::of_kernel::<K>(JOIN),
        }
    }

    /// A claim on the joiner, good after the run.
    pub fn kept(&self) -> Kept<K> {
        self.kernel.claim(self.probe.name())
    }

    fn end(&self, io: &mut WorkIo) -> Result<()> {
        self.probe.ended();
        io.finished = true;
        Ok(())
    }

    fn starved(&self, io: &mut WorkIo, ended: usize) -> Result<()> {
        if self.probe.is_stopped() {
            return self.end(io);
        }
        Err(self.probe.fail(GraphError::UnequalEnds {
            block: self.probe.name().to_owned(),
            port: JOIN.inputs[ended],
            frames: self.probe.progress(),
            other: JOIN.inputs[1 - ended],
        }))?
    }
}

impl<K: FrameJoiner> Kernel for JoinBlock<K> {
    async fn work(&mut self, io: &mut WorkIo, _: &mut MessageOutputs, _: &mut BlockMeta) -> Result<()> {
        use Arrival::{End, Frame, Nothing};
        match (frame_port::arrival(&mut self.first), frame_port::arrival(&mut self.second)) {
            (Frame, Frame) if !frame_port::has_room(&mut self.output) => self.probe.waits_for_output(0),
            (Frame, Frame) => {
                let first = frame_port::take(&mut self.first, 0, &self.probe)?;
                let second = frame_port::take(&mut self.second, 1, &self.probe)?;
                let kernel = &mut *self.kernel;
                let joined = self.probe.call(|| kernel.join(first, second))?;
                frame_port::put(&mut self.output, joined);
                self.probe.progressed();
                io.call_again = true;
            }
            (End, End) => self.end(io)?,
            (End, Frame) => self.starved(io, 0)?,
            (Frame, End) => self.starved(io, 1)?,
            // The other input may still end at the same count.
            (Nothing, _) => self.probe.waits_for_input(0),
            (_, Nothing) => self.probe.waits_for_input(1),
        }
        Ok(())
    }
}

impl<K: FrameJoiner> Adapter for JoinBlock<K> {
    type Ports = JoinPorts<K::First, K::Second, K::Out>;

    fn inputs() -> Vec<PortType> {
        vec![PortType::of::<K::First>(JOIN.inputs[0]), PortType::of::<K::Second>(JOIN.inputs[1])]
    }

    fn outputs() -> Vec<PortType> {
        vec![PortType::of::<K::Out>(JOIN.outputs[0])]
    }

    fn ports(node: Node) -> Self::Ports {
        JoinPorts { first: In::new(node, 0), second: In::new(node, 1), output: Out::new(node, 0) }
    }

    fn add_to(self, flowgraph: &mut Flowgraph) -> BlockId {
        flowgraph.add(self).into()
    }

    fn probe_mut(&mut self) -> &mut Probe {
        &mut self.probe
    }
}
