//! Frames in, samples out, as a FutureSDR block.

use super::adapter::THROUGH;
use super::frame_port::{self, Arrival, FrameReader};
use super::kept::{Held, Kept};
use super::ports::Samples;
use super::probe::Probe;
use super::{Adapter, In, Node, Out, PortType, ThroughPorts};
use futuresdr::runtime::dev::prelude::*;
use num_complex::Complex32;
use sememe_blocks::kernel::Modulator;

/// Runs a [`Modulator`]: takes a frame whenever all samples of the last one are written. Ports: `input`, `output`.
#[derive(Block)]
pub struct ModulatorBlock<K: Modulator> {
    #[input]
    input: FrameReader<K::In>,
    #[output]
    output: DefaultCpuWriter<Complex32>,
    kernel: Held<K>,
    /// Whether samples of a frame are still to be written.
    is_loaded: bool,
    probe: Probe,
}

impl<K: Modulator> ModulatorBlock<K> {
    /// A block around a modulator, named after its type.
    pub fn new(kernel: K) -> Self {
        let probe = Probe::of_kernel::<K>(THROUGH);
        let (input, output) = (frame_port::reader(), DefaultCpuWriter::default());
        Self { input, output, kernel: Held::new(kernel), is_loaded: false, probe }
    }

    /// A claim on the modulator, good after the run.
    pub fn kept(&self) -> Kept<K> {
        self.kernel.claim(self.probe.name())
    }
}

impl<K: Modulator> Kernel for ModulatorBlock<K> {
    async fn work(&mut self, io: &mut WorkIo, _: &mut MessageOutputs, _: &mut BlockMeta) -> Result<()> {
        let kernel = &mut *self.kernel;
        if !self.is_loaded {
            match frame_port::arrival(&mut self.input) {
                Arrival::Frame => {
                    let frame = frame_port::take(&mut self.input, 0, &self.probe)?;
                    self.probe.call(|| kernel.load(frame))?;
                    self.is_loaded = true;
                }
                Arrival::Nothing => {
                    self.probe.waits_for_input(0);
                    return Ok(());
                }
                Arrival::End => {
                    self.probe.ended();
                    io.finished = true;
                    return Ok(());
                }
            }
        }
        let output = self.output.slice();
        if output.is_empty() {
            self.probe.waits_for_output(0);
            return Ok(());
        }
        let room = output.len();
        let written = self.probe.call(|| kernel.write(output))?;
        self.output.produce(written.min(room));
        self.is_loaded = written > 0;
        self.probe.progressed();
        io.call_again = true;
        Ok(())
    }
}

impl<K: Modulator> Adapter for ModulatorBlock<K> {
    type Ports = ThroughPorts<K::In, Samples<Complex32>>;

    fn inputs() -> Vec<PortType> {
        vec![PortType::of::<K::In>(THROUGH.inputs[0])]
    }

    fn outputs() -> Vec<PortType> {
        vec![PortType::of::<Samples<Complex32>>(THROUGH.outputs[0])]
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
