//! Frames out of nothing, as a FutureSDR block.

use super::adapter::SOURCE;
use super::frame_port::{self, FrameWriter};
use super::kept::{Held, Kept};
use super::probe::Probe;
use super::{Adapter, Node, Out, PortType};
use futuresdr::runtime::dev::prelude::*;
use sememe_blocks::kernel::FrameSource;

/// Runs a [`FrameSource`] on a thread of its own: sources read files and devices. Port: `output`.
///
/// The source ends at its own end, or when the stop flag of the run is raised.
#[derive(Block)]
#[blocking]
pub struct SourceBlock<K: FrameSource> {
    #[output]
    output: FrameWriter<K::Out>,
    kernel: Held<K>,
    at_end: bool,
    probe: Probe,
}

impl<K: FrameSource> SourceBlock<K> {
    /// A block around a source, named after the source's type.
    pub fn new(kernel: K) -> Self {
        let probe = Probe::of_kernel::<K>(SOURCE);
        Self { output: frame_port::writer(), kernel: Held::new(kernel), at_end: false, probe }
    }

    /// Marks a source that waits for signal: its silence is no stall.
    pub fn live(self) -> Self {
        self.probe.set_live(true);
        self
    }

    /// A claim on the source, good after the run.
    pub fn kept(&self) -> Kept<K> {
        self.kernel.claim(self.probe.name())
    }
}

impl<K: FrameSource> Kernel for SourceBlock<K> {
    async fn work(&mut self, io: &mut WorkIo, _: &mut MessageOutputs, _: &mut BlockMeta) -> Result<()> {
        if let Some(pause) = self.probe.holds_back(self.at_end) {
            io.block_on(Timer::after(pause));
        } else if self.at_end {
            self.probe.ended();
            io.finished = true;
        } else if !frame_port::has_room(&mut self.output) {
            self.probe.waits_for_output(0);
        } else {
            let kernel = &mut *self.kernel;
            let stopped = self.probe.is_stopped();
            match if stopped { None } else { self.probe.call(|| kernel.next_frame())? } {
                Some(frame) => {
                    frame_port::put(&mut self.output, frame);
                    self.probe.progressed();
                }
                None => self.at_end = true,
            }
            io.call_again = true;
        }
        Ok(())
    }
}

impl<K: FrameSource> Adapter for SourceBlock<K> {
    type Ports = Out<K::Out>;

    fn inputs() -> Vec<PortType> {
        Vec::new()
    }

    fn outputs() -> Vec<PortType> {
        vec![PortType::of::<K::Out>(SOURCE.outputs[0])]
    }

    fn ports(node: Node) -> Self::Ports {
        Out::new(node, 0)
    }

    fn add_to(self, flowgraph: &mut Flowgraph) -> BlockId {
        flowgraph.add(self).into()
    }

    fn probe_mut(&mut self) -> &mut Probe {
        &mut self.probe
    }
}
