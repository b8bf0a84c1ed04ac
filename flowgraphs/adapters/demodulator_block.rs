//! Samples in, frames out, as a FutureSDR block.

use super::adapter::THROUGH;
use super::frame_port::{self, FrameWriter};
use super::kept::{Held, Kept};
use super::ports::Samples;
use super::probe::Probe;
use super::{Adapter, In, Node, Out, PortType, ThroughPorts};
use futuresdr::runtime::dev::prelude::*;
use num_complex::Complex32;
use sememe_blocks::kernel::Demodulator;
use std::collections::VecDeque;

/// Runs a [`Demodulator`] on whatever chunks come, and sends the frames that it finds. While they wait for a reader, no
/// samples are taken. Ports: `input`, `output`.
#[derive(Block)]
pub struct DemodulatorBlock<K: Demodulator> {
    #[input]
    input: DefaultCpuReader<Complex32>,
    #[output]
    output: FrameWriter<K::Out>,
    kernel: Held<K>,
    found: VecDeque<K::Out>,
    is_finished: bool,
    probe: Probe,
}

impl<K: Demodulator> DemodulatorBlock<K> {
    /// A block around a demodulator, named after its type.
    pub fn new(kernel: K) -> Self {
        let probe = Probe::of_kernel::<K>(THROUGH);
        let (input, output) = (DefaultCpuReader::default(), frame_port::writer());
        Self { input, output, kernel: Held::new(kernel), found: VecDeque::new(), is_finished: false, probe }
    }

    /// A claim on the demodulator, good after the run.
    pub fn kept(&self) -> Kept<K> {
        self.kernel.claim(self.probe.name())
    }
}

impl<K: Demodulator> Kernel for DemodulatorBlock<K> {
    async fn work(&mut self, io: &mut WorkIo, _: &mut MessageOutputs, _: &mut BlockMeta) -> Result<()> {
        if !self.found.is_empty() {
            if !frame_port::has_room(&mut self.output) {
                self.probe.waits_for_output(0);
                return Ok(());
            }
            if let Some(frame) = self.found.pop_front() {
                frame_port::put(&mut self.output, frame);
                self.probe.progressed();
            }
            io.call_again = true;
            return Ok(());
        }
        // The end is announced between two calls, so all there will ever be is in `input`.
        let no_more = self.input.finished();
        let (input, kernel) = (self.input.slice(), &mut *self.kernel);
        let (len, mut found) = (input.len(), vec![]);
        if len > 0 {
            self.probe.call(|| kernel.read(input, &mut found))?;
            self.input.consume(len);
            self.probe.progressed();
            io.call_again = true;
        } else if no_more && !self.is_finished {
            self.probe.call(|| kernel.finish(&mut found))?;
            self.is_finished = true;
            io.call_again = true;
        } else if no_more {
            self.probe.ended();
            io.finished = true;
        } else {
            self.probe.waits_for_input(0);
        }
        self.found.extend(found);
        Ok(())
    }
}

impl<K: Demodulator> Adapter for DemodulatorBlock<K> {
    type Ports = ThroughPorts<Samples<Complex32>, K::Out>;

    fn inputs() -> Vec<PortType> {
        vec![PortType::of::<Samples<Complex32>>(THROUGH.inputs[0])]
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
