//! Sample streams from and to memory, in chunks of a chosen size.

use super::adapter::{SINK, SOURCE};
use super::kept::{Held, Kept};
use super::ports::Samples;
use super::probe::Probe;
use super::{Adapter, In, Node, Out, PortType};
use futuresdr::runtime::dev::prelude::*;

/// Sends samples from memory, at most one chunk at a time. Port: `output`.
#[derive(Block)]
pub struct SampleSource<T: CpuSample> {
    #[output]
    output: DefaultCpuWriter<T>,
    samples: Vec<T>,
    sent: usize,
    chunk_len: usize,
    probe: Probe,
}

impl<T: CpuSample> SampleSource<T> {
    /// Sends the samples as fast as they are read.
    pub fn new(samples: Vec<T>) -> Self {
        let probe = Probe::of_kernel::<Self>(SOURCE);
        Self { output: DefaultCpuWriter::default(), samples, sent: 0, chunk_len: usize::MAX, probe }
    }

    /// Sends at most `chunk_len` samples at a time (at least 1).
    pub fn in_chunks(mut self, chunk_len: usize) -> Self {
        self.chunk_len = chunk_len.max(1);
        self
    }
}

impl<T: CpuSample> Kernel for SampleSource<T> {
    async fn work(&mut self, io: &mut WorkIo, _: &mut MessageOutputs, _: &mut BlockMeta) -> Result<()> {
        let left = if self.probe.is_stopped() { &[] } else { &self.samples[self.sent..] };
        if let Some(pause) = self.probe.holds_back(left.is_empty()) {
            io.block_on(Timer::after(pause));
            return Ok(());
        }
        let output = self.output.slice();
        let len = left.len().min(output.len()).min(self.chunk_len);
        output[..len].clone_from_slice(&left[..len]);
        if left.is_empty() {
            self.probe.ended();
            io.finished = true;
        } else if len == 0 {
            self.probe.waits_for_output(0);
        } else {
            self.output.produce(len);
            self.sent += len;
            self.probe.progressed();
            io.call_again = true;
        }
        Ok(())
    }
}

impl<T: CpuSample> Adapter for SampleSource<T> {
    type Ports = Out<Samples<T>>;

    fn inputs() -> Vec<PortType> {
        Vec::new()
    }

    fn outputs() -> Vec<PortType> {
        vec![PortType::of::<Samples<T>>(SOURCE.outputs[0])]
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

/// Collects samples in memory, at most one chunk at a time. Port: `input`.
#[derive(Block)]
pub struct SampleSink<T: CpuSample> {
    #[input]
    input: DefaultCpuReader<T>,
    samples: Held<Vec<T>>,
    chunk_len: usize,
    probe: Probe,
}

impl<T: CpuSample> SampleSink<T> {
    /// An empty collection.
    pub fn new() -> Self {
        let probe = Probe::of_kernel::<Self>(SINK);
        Self {
            input: DefaultCpuReader::default(),
            samples: Held::new(Vec::new()),
            chunk_len: usize::MAX,
            probe,
        }
    }

    /// Takes at most `chunk_len` samples at a time (at least 1).
    pub fn in_chunks(mut self, chunk_len: usize) -> Self {
        self.chunk_len = chunk_len.max(1);
        self
    }

    /// A claim on the samples, good after the run.
    pub fn kept(&self) -> Kept<Vec<T>> {
        self.samples.claim(self.probe.name())
    }
}

impl<T: CpuSample> Default for SampleSink<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: CpuSample> Kernel for SampleSink<T> {
    async fn work(&mut self, io: &mut WorkIo, _: &mut MessageOutputs, _: &mut BlockMeta) -> Result<()> {
        let no_more = self.input.finished();
        let input = self.input.slice();
        let len = input.len().min(self.chunk_len);
        self.samples.extend_from_slice(&input[..len]);
        if len > 0 {
            self.input.consume(len);
            self.probe.progressed();
            io.call_again = true;
        } else if no_more {
            self.probe.ended();
            io.finished = true;
        } else {
            self.probe.waits_for_input(0);
        }
        Ok(())
    }
}

impl<T: CpuSample> Adapter for SampleSink<T> {
    type Ports = In<Samples<T>>;

    fn inputs() -> Vec<PortType> {
        vec![PortType::of::<Samples<T>>(SINK.inputs[0])]
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
