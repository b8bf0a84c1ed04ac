//! Samples in, samples out, as a FutureSDR block.

use super::adapter::THROUGH;
use super::kept::{Held, Kept};
use super::ports::Samples;
use super::probe::Probe;
use super::{Adapter, GraphError, In, Node, Out, PortType, ThroughPorts};
use futuresdr::runtime::dev::prelude::*;
use sememe_blocks::kernel::{Progress, StreamKernel};

/// Runs a [`StreamKernel`] on whatever chunks come. Ports: `input`, `output`.
///
/// At the end of the input the kernel is called until it neither consumes nor produces: what it
/// holds back comes out, and a rest too short to be processed is dropped.
#[derive(Block)]
pub struct StreamBlock<K: StreamKernel> {
    #[input]
    input: DefaultCpuReader<K::In>,
    #[output]
    output: DefaultCpuWriter<K::Out>,
    kernel: Held<K>,
    min_output: usize,
    probe: Probe,
}

impl<K: StreamKernel> StreamBlock<K> {
    /// A block around a kernel that can work with any number of samples.
    pub fn new(kernel: K) -> Self {
        Self {
            input: DefaultCpuReader::default(),
            output: DefaultCpuWriter::default(),
            kernel: Held::new(kernel),
            min_output: 1,
            probe: Probe::of_kernel::<K>(THROUGH),
        }
    }

    /// Declares what the kernel needs at once: it may do nothing with fewer input samples or less
    /// room. Buffers are made large enough; without this the graph could starve.
    pub fn with_min_items(mut self, input: usize, output: usize) -> Self {
        self.input.set_min_items(input.max(1));
        self.output.set_min_items(output.max(1));
        self.min_output = output.max(1);
        self
    }

    /// A claim on the kernel, good after the run.
    pub fn kept(&self) -> Kept<K> {
        self.kernel.claim(self.probe.name())
    }
}

impl<K: StreamKernel> Kernel for StreamBlock<K> {
    async fn work(&mut self, io: &mut WorkIo, _: &mut MessageOutputs, _: &mut BlockMeta) -> Result<()> {
        // The end is announced between two calls, so all there will ever be is in `input`.
        let no_more = self.input.finished();
        let (input, output, kernel) = (self.input.slice(), self.output.slice(), &mut *self.kernel);
        let (given, room) = (input.len(), output.len());
        let Progress { consumed, produced } = self.probe.call(|| kernel.process(input, output))?;
        if consumed > given || produced > room {
            let reason = format!(
                "the kernel claims to have consumed {consumed} of {given} samples and produced {produced} \
                 where there was room for {room}"
            );
            let (block, port) = (self.probe.name().to_owned(), THROUGH.outputs[0]);
            return Err(self.probe.fail(GraphError::Port { block, port, reason }))?;
        }
        if consumed > 0 {
            self.input.consume(consumed);
        }
        if produced > 0 {
            self.output.produce(produced);
        }
        if consumed + produced > 0 {
            self.probe.progressed();
            io.call_again = true;
        } else if room < self.min_output {
            self.probe.waits_for_output(0);
        } else if no_more {
            self.probe.ended();
            io.finished = true;
        } else {
            // Not called again until a neighbour moves: no spinning.
            self.probe.waits_for_input(0);
        }
        Ok(())
    }
}

impl<K: StreamKernel> Adapter for StreamBlock<K> {
    type Ports = ThroughPorts<Samples<K::In>, Samples<K::Out>>;

    fn inputs() -> Vec<PortType> {
        vec![PortType::of::<Samples<K::In>>(THROUGH.inputs[0])]
    }

    fn outputs() -> Vec<PortType> {
        vec![PortType::of::<Samples<K::Out>>(THROUGH.outputs[0])]
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
