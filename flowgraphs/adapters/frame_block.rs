//! One frame in, one frame out, as a FutureSDR block.

use super::adapter::THROUGH;
use super::frame_port::{self, Arrival, FrameReader, FrameWriter};
use super::kept::{Held, Kept};
use super::probe::Probe;
use super::{Adapter, In, Node, Out, PortType, ThroughPorts};
use futuresdr::runtime::dev::prelude::*;
use sememe_blocks::kernel::FrameKernel;

/// Runs a [`FrameKernel`] on the scheduler's own threads. Ports: `input`, `output`.
#[derive(Block)]
pub struct FrameBlock<K: FrameKernel> {
    #[input]
    input: FrameReader<K::In>,
    #[output]
    output: FrameWriter<K::Out>,
    kernel: Held<K>,
    probe: Probe,
}

/// Runs a [`FrameKernel`] on a thread of its own, so that a long inference never holds up the
/// blocks that share the scheduler's threads. Ports: `input`, `output`.
#[derive(Block)]
#[blocking]
pub struct BlockingFrameBlock<K: FrameKernel> {
    #[input]
    input: FrameReader<K::In>,
    #[output]
    output: FrameWriter<K::Out>,
    kernel: Held<K>,
    probe: Probe,
}

impl<K: FrameKernel> FrameBlock<K> {
    /// A block around a kernel, named after the kernel's type.
    pub fn new(kernel: K) -> Self {
        let probe = Probe::of_kernel::<K>(THROUGH);
        Self { input: frame_port::reader(), output: frame_port::writer(), kernel: Held::new(kernel), probe }
    }

    /// The same block on a thread of its own.
    pub fn blocking(self) -> BlockingFrameBlock<K> {
        let Self { input, output, kernel, probe } = self;
        BlockingFrameBlock { input, output, kernel, probe }
    }

    /// A claim on the kernel, good after the run.
    pub fn kept(&self) -> Kept<K> {
        self.kernel.claim(self.probe.name())
    }
}

impl<K: FrameKernel> BlockingFrameBlock<K> {
    /// A claim on the kernel, good after the run.
    pub fn kept(&self) -> Kept<K> {
        self.kernel.claim(self.probe.name())
    }
}

fn step<K: FrameKernel>(
    input: &mut FrameReader<K::In>,
    output: &mut FrameWriter<K::Out>,
    kernel: &mut K,
    probe: &Probe,
    io: &mut WorkIo,
) -> Result<()> {
    match frame_port::arrival(input) {
        Arrival::Frame if frame_port::has_room(output) => {
            let frame = frame_port::take(input, 0, probe)?;
            frame_port::put(output, probe.call(|| kernel.process(frame))?);
            probe.progressed();
            io.call_again = true;
        }
        Arrival::Frame => probe.waits_for_output(0),
        Arrival::Nothing => probe.waits_for_input(0),
        Arrival::End => {
            probe.ended();
            io.finished = true;
        }
    }
    Ok(())
}

impl<K: FrameKernel> Kernel for FrameBlock<K> {
    async fn work(&mut self, io: &mut WorkIo, _: &mut MessageOutputs, _: &mut BlockMeta) -> Result<()> {
        step(&mut self.input, &mut self.output, &mut *self.kernel, &self.probe, io)
    }
}

impl<K: FrameKernel> Kernel for BlockingFrameBlock<K> {
    async fn work(&mut self, io: &mut WorkIo, _: &mut MessageOutputs, _: &mut BlockMeta) -> Result<()> {
        step(&mut self.input, &mut self.output, &mut *self.kernel, &self.probe, io)
    }
}

impl<K: FrameKernel> Adapter for FrameBlock<K> {
    type Ports = ThroughPorts<K::In, K::Out>;

    fn inputs() -> Vec<PortType> {
        vec![PortType::of::<K::In>(THROUGH.inputs[0])]
    }

    fn outputs() -> Vec<PortType> {
        vec![PortType::of::<K::Out>(THROUGH.outputs[0])]
    }

    fn ports(node: Node) -> Self::Ports {
        ThroughPorts { input: In::new(node, 0), output: Out::new(node, 0) }
    }

    fn add_to(self, flowgraph: &mut Flowgraph) -> BlockId {
        flowgraph.add(self).into()
    }

    fn probe_mut(&mut self) -> &mut Probe {
        &mut self.probe
    }
}

impl<K: FrameKernel> Adapter for BlockingFrameBlock<K> {
    type Ports = ThroughPorts<K::In, K::Out>;

    fn inputs() -> Vec<PortType> {
        FrameBlock::<K>::inputs()
    }

    fn outputs() -> Vec<PortType> {
        FrameBlock::<K>::outputs()
    }

    fn ports(node: Node) -> Self::Ports {
        FrameBlock::<K>::ports(node)
    }

    fn add_to(self, flowgraph: &mut Flowgraph) -> BlockId {
        flowgraph.add(self).into()
    }

    fn probe_mut(&mut self) -> &mut Probe {
        &mut self.probe
    }
}
