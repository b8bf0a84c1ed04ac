//! One frame in, one frame on each of two outputs, as a FutureSDR block.

use super::adapter::SPLIT;
use super::frame_port::{self, Arrival, FrameReader, FrameWriter};
use super::kept::{Held, Kept};
use super::probe::Probe;
use super::{Adapter, In, Node, Out, PortType, SplitPorts};
use futuresdr::runtime::dev::prelude::*;
use sememe_blocks::kernel::FrameSplitter;

/// Runs a [`FrameSplitter`]. Ports: `input`, `first`, `second`.
#[derive(Block)]
pub struct SplitBlock<K: FrameSplitter> {
    #[input]
    input: FrameReader<K::In>,
    #[output]
    first: FrameWriter<K::First>,
    #[output]
    second: FrameWriter<K::Second>,
    kernel: Held<K>,
    probe: Probe,
}

impl<K: FrameSplitter> SplitBlock<K> {
    /// A block around a splitter, named after the splitter's type.
    pub fn new(kernel: K) -> Self {
        Self {
            input: frame_port::reader(),
            first: frame_port::writer(),
            second: frame_port::writer(),
            kernel: Held::new(kernel),
            probe: Probe::of_kernel::<K>(SPLIT),
        }
    }

    /// A claim on the splitter, good after the run.
    pub fn kept(&self) -> Kept<K> {
        self.kernel.claim(self.probe.name())
    }
}

impl<K: FrameSplitter> Kernel for SplitBlock<K> {
    async fn work(&mut self, io: &mut WorkIo, _: &mut MessageOutputs, _: &mut BlockMeta) -> Result<()> {
        match frame_port::arrival(&mut self.input) {
            Arrival::Nothing => self.probe.waits_for_input(0),
            Arrival::End => {
                self.probe.ended();
                io.finished = true;
            }
            Arrival::Frame if !frame_port::has_room(&mut self.first) => self.probe.waits_for_output(0),
            Arrival::Frame if !frame_port::has_room(&mut self.second) => self.probe.waits_for_output(1),
            Arrival::Frame => {
                let frame = frame_port::take(&mut self.input, 0, &self.probe)?;
                let kernel = &mut *self.kernel;
                let (first, second) = self.probe.call(|| kernel.split(frame))?;
                frame_port::put(&mut self.first, first);
                frame_port::put(&mut self.second, second);
                self.probe.progressed();
                io.call_again = true;
            }
        }
        Ok(())
    }
}

impl<K: FrameSplitter> Adapter for SplitBlock<K> {
    type Ports = SplitPorts<K::In, K::First, K::Second>;

    fn inputs() -> Vec<PortType> {
        vec![PortType::of::<K::In>(SPLIT.inputs[0])]
    }

    fn outputs() -> Vec<PortType> {
        vec![PortType::of::<K::First>(SPLIT.outputs[0]), PortType::of::<K::Second>(SPLIT.outputs[1])]
    }

    fn ports(node: Node) -> Self::Ports {
        SplitPorts { input: In::new(node, 0), first: Out::new(node, 0), second: Out::new(node, 1) }
    }

    fn add_to(self, flowgraph: &mut Flowgraph) -> BlockId {
        flowgraph.add(self).into()
    }

    fn probe_mut(&mut self) -> &mut Probe {
        &mut self.probe
    }
}
