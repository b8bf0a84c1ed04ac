//! Frames into nothing, as a FutureSDR block.

use super::adapter::SINK;
use super::frame_port::{self, Arrival, FrameReader};
use super::kept::{Held, Kept};
use super::probe::Probe;
use super::{Adapter, In, Node, PortType};
use futuresdr::runtime::dev::prelude::*;
use sememe_blocks::kernel::FrameSink;

/// Runs a [`FrameSink`] on a thread of its own: sinks write files. Port: `input`.
#[derive(Block)]
#[blocking]
pub struct SinkBlock<K: FrameSink> {
    #[input]
    input: FrameReader<K::In>,
    kernel: Held<K>,
    probe: Probe,
}

impl<K: FrameSink> SinkBlock<K> {
    /// A block around a sink, named after the sink's type.
    pub fn new(kernel: K) -> Self {
        let probe = Probe::of_kernel::<K>(SINK);
        Self { input: frame_port::reader(), kernel: Held::new(kernel), probe }
    }

    /// A claim on the sink and what it collects, good after the run.
    pub fn kept(&self) -> Kept<K> {
        self.kernel.claim(self.probe.name())
    }
}

impl<K: FrameSink> Kernel for SinkBlock<K> {
    async fn work(&mut self, io: &mut WorkIo, _: &mut MessageOutputs, _: &mut BlockMeta) -> Result<()> {
        match frame_port::arrival(&mut self.input) {
            Arrival::Frame => {
                let frame = frame_port::take(&mut self.input, 0, &self.probe)?;
                let kernel = &mut *self.kernel;
                self.probe.call(|| kernel.consume(frame))?;
                self.probe.progressed();
                io.call_again = true;
            }
            Arrival::Nothing => self.probe.waits_for_input(0),
            Arrival::End => {
                self.probe.ended();
                io.finished = true;
            }
        }
        Ok(())
    }
}

impl<K: FrameSink> Adapter for SinkBlock<K> {
    type Ports = In<K::In>;

    fn inputs() -> Vec<PortType> {
        vec![PortType::of::<K::In>(SINK.inputs[0])]
    }

    fn outputs() -> Vec<PortType> {
        Vec::new()
    }

    fn ports(node: Node) -> Self::Ports {
        In::new(node, 0)
    }

    fn add_to(self, flowgraph: &mut Flowgraph) -> BlockId {
        flowgraph.add(self).into()
    }

    fn probe_mut(&mut self) -> &mut Probe {
        &mut self.probe
    }
}
