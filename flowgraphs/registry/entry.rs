//! One registered block: who it is, how it is made, how it is tried.

use super::conformance::{Judge, Verdict};
use super::{Nonconformance, antenna_conformance, stream_conformance, trials};
use crate::adapters::{
    Adapter, DemodulatorBlock, FrameBlock, Graph, JoinBlock, ModulatorBlock, Node, PortType, SinkBlock,
    SourceBlock, SplitBlock, StreamBlock,
};
use num_complex::Complex32;
use sememe_blocks::kernel::{
    Demodulator, FrameJoiner, FrameKernel, FrameSink, FrameSource, FrameSplitter, Modulator, StreamKernel,
};
use serde::de::DeserializeOwned;
use std::fmt::{self, Debug};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What kind of kernel a block has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Frames out of nothing.
    Source,
    /// One frame in, one out.
    Frame,
    /// One frame in, two out.
    Splitter,
    /// Two frames in, one out.
    Joiner,
    /// Frames into nothing.
    Sink,
    /// Samples in, samples out.
    Stream,
    /// Frames in, samples out.
    Modulator,
    /// Samples in, frames out.
    Demodulator,
}

type Result<T, E = String> = std::result::Result<T, E>;
type Place = Box<dyn Fn(&toml::Table, bool, &mut Graph, &str) -> Result<Node> + Send + Sync>;
type Try = Box<dyn Fn(Judge, &dyn Fn() -> Result<toml::Table>) -> Verdict + Send + Sync>;
type Fixture = Box<dyn Fn(&Path) -> std::io::Result<String> + Send + Sync>;

/// A block by name.
pub struct Entry {
    name: String,
    summary: String,
    kind: Kind,
    inputs: Vec<PortType>,
    outputs: Vec<PortType>,
    blocking: bool,
    example: Fixture,
    place: Place,
    trial: Try,
}

impl Entry {
    /// A block of one frame in, one frame out.
    ///
    /// - specimens: valid frames for the conformance trials, at least 3; see [`super::specimens`]
    /// - build: makes the kernel from its table of parameters; equal tables give equal kernels
    pub fn frame<P, K>(
        name: &str,
        summary: &str,
        specimens: impl Fn() -> Vec<K::In> + Send + Sync + 'static,
        build: impl Fn(P) -> sememe_blocks::Result<K> + Send + Sync + Copy + 'static,
    ) -> Self
    where
        P: DeserializeOwned + 'static,
        K: FrameKernel,
        K::Out: PartialEq + Debug,
    {
        let place: Place = Box::new(move |table, blocking, graph, name| {
            let block = FrameBlock::new(made(table, build)?);
            Ok(if blocking { graph.place(name, block.blocking()) } else { graph.place(name, block) })
        });
        let trial: Try =
            Box::new(move |judge, table| trials::frame(judge, &specimens, &|| made(&table()?, build)));
        Self::new::<FrameBlock<K>>(name, summary, Kind::Frame, place, trial)
    }

    /// A block of frames out of nothing.
    pub fn source<P, K>(
        name: &str,
        summary: &str,
        build: impl Fn(P) -> sememe_blocks::Result<K> + Send + Sync + Copy + 'static,
    ) -> Self
    where
        P: DeserializeOwned + 'static,
        K: FrameSource,
        K::Out: PartialEq + Debug,
    {
        let place = placing(move |table| Ok(SourceBlock::new(made(table, build)?)));
        let trial: Try = Box::new(move |judge, table| trials::source(judge, &|| made(&table()?, build)));
        Self::new::<SourceBlock<K>>(name, summary, Kind::Source, place, trial)
    }

    /// A block of frames into nothing.
    ///
    /// - observe: what a sink has made of its frames, to be compared
    pub fn sink<P, K: FrameSink>(
        name: &str,
        summary: &str,
        specimens: impl Fn() -> Vec<K::In> + Send + Sync + 'static,
        build: impl Fn(P) -> sememe_blocks::Result<K> + Send + Sync + Copy + 'static,
        observe: impl Fn(K) -> String + Send + Sync + 'static,
    ) -> Self
    where
        P: DeserializeOwned + 'static,
    {
        let place = placing(move |table| Ok(SinkBlock::new(made(table, build)?)));
        let trial: Try = Box::new(move |judge, table| {
            trials::sink(judge, &specimens, &|| made(&table()?, build), &observe)
        });
        Self::new::<SinkBlock<K>>(name, summary, Kind::Sink, place, trial)
    }

    /// A block of one frame in, two frames out.
    pub fn splitter<P, K>(
        name: &str,
        summary: &str,
        specimens: impl Fn() -> Vec<K::In> + Send + Sync + 'static,
        build: impl Fn(P) -> sememe_blocks::Result<K> + Send + Sync + Copy + 'static,
    ) -> Self
    where
        P: DeserializeOwned + 'static,
        K: FrameSplitter,
        K::First: PartialEq + Debug,
        K::Second: PartialEq + Debug,
    {
        let place = placing(move |table| Ok(SplitBlock::new(made(table, build)?)));
        let trial: Try =
            Box::new(move |judge, table| trials::splitter(judge, &specimens, &|| made(&table()?, build)));
        Self::new::<SplitBlock<K>>(name, summary, Kind::Splitter, place, trial)
    }

    /// A block of two frames in, one frame out.
    pub fn joiner<P, K>(
        name: &str,
        summary: &str,
        first: impl Fn() -> Vec<K::First> + Send + Sync + 'static,
        second: impl Fn() -> Vec<K::Second> + Send + Sync + 'static,
        build: impl Fn(P) -> sememe_blocks::Result<K> + Send + Sync + Copy + 'static,
    ) -> Self
    where
        P: DeserializeOwned + 'static,
        K: FrameJoiner,
        K::Out: PartialEq + Debug,
    {
        let place = placing(move |table| Ok(JoinBlock::new(made(table, build)?)));
        let trial: Try =
            Box::new(move |judge, table| trials::joiner(judge, &first, &second, &|| made(&table()?, build)));
        Self::new::<JoinBlock<K>>(name, summary, Kind::Joiner, place, trial)
    }

    /// A block of samples in, samples out.
    ///
    /// - min_items: input samples and output room that the kernel may insist on; (1, 1) if on none
    pub fn stream<P, K>(
        name: &str,
        summary: &str,
        specimens: impl Fn() -> Vec<K::In> + Send + Sync + 'static,
        min_items: (usize, usize),
        build: impl Fn(P) -> sememe_blocks::Result<K> + Send + Sync + Copy + 'static,
    ) -> Self
    where
        P: DeserializeOwned + 'static,
        K: StreamKernel,
        K::Out: PartialEq,
    {
        let place = placing(move |table| {
            Ok(StreamBlock::new(made(table, build)?).with_min_items(min_items.0, min_items.1))
        });
        let trial: Try = Box::new(move |judge, table| {
            stream_conformance::stream(judge, &specimens, min_items, &|| made(&table()?, build))
        });
        Self::new::<StreamBlock<K>>(name, summary, Kind::Stream, place, trial)
    }

    /// A block of frames in, samples out.
    pub fn modulator<P, K: Modulator>(
        name: &str,
        summary: &str,
        specimens: impl Fn() -> Vec<K::In> + Send + Sync + 'static,
        build: impl Fn(P) -> sememe_blocks::Result<K> + Send + Sync + Copy + 'static,
    ) -> Self
    where
        P: DeserializeOwned + 'static,
    {
        let place = placing(move |table| Ok(ModulatorBlock::new(made(table, build)?)));
        let trial: Try = Box::new(move |judge, table| {
            antenna_conformance::modulator(judge, &specimens, &|| made(&table()?, build))
        });
        Self::new::<ModulatorBlock<K>>(name, summary, Kind::Modulator, place, trial)
    }

    /// A block of samples in, frames out.
    ///
    /// - specimens: samples in which the kernel of the example finds at least 3 frames
    pub fn demodulator<P, K: Demodulator>(
        name: &str,
        summary: &str,
        specimens: impl Fn() -> Vec<Complex32> + Send + Sync + 'static,
        build: impl Fn(P) -> sememe_blocks::Result<K> + Send + Sync + Copy + 'static,
    ) -> Self
    where
        P: DeserializeOwned + 'static,
        K::Out: PartialEq + Debug,
    {
        let place = placing(move |table| Ok(DemodulatorBlock::new(made(table, build)?)));
        let trial: Try = Box::new(move |judge, table| {
            antenna_conformance::demodulator(judge, &specimens, &|| made(&table()?, build))
        });
        Self::new::<DemodulatorBlock<K>>(name, summary, Kind::Demodulator, place, trial)
    }

    fn new<A: Adapter>(name: &str, summary: &str, kind: Kind, place: Place, trial: Try) -> Self {
        Self {
            name: name.into(),
            summary: summary.into(),
            kind,
            inputs: A::inputs(),
            outputs: A::outputs(),
            blocking: matches!(kind, Kind::Source | Kind::Sink),
            example: Box::new(|_| Ok(String::new())),
            place,
            trial,
        }
    }

    /// Gives the parameters, in TOML, that the conformance trials use; none by default.
    pub fn example(self, params: &'static str) -> Self {
        self.fixture(move |_| Ok(params.to_owned()))
    }

    /// As [`Entry::example`], for blocks that need files: makes them in an empty folder first.
    pub fn fixture(self, make: impl Fn(&Path) -> std::io::Result<String> + Send + Sync + 'static) -> Self {
        Self { example: Box::new(make), ..self }
    }

    /// Runs a frame block on a thread of its own: for kernels that compute for long.
    pub fn blocking(self) -> Self {
        Self { blocking: true, ..self }
    }

    /// The name by which graphs ask for the block.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the block does, in a few words.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// What kind of kernel the block has.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What the block takes.
    pub fn inputs(&self) -> &[PortType] {
        &self.inputs
    }

    /// What the block gives.
    pub fn outputs(&self) -> &[PortType] {
        &self.outputs
    }

    /// Makes the block and puts it into a graph.
    ///
    /// - errors: in one line, the key, what was found and what is allowed
    pub(super) fn place(&self, params: &toml::Table, graph: &mut Graph, name: &str) -> Result<Node> {
        (self.place)(params, self.blocking, graph, name)
    }

    /// Puts the kernel on trial: equal output through the adapter in a running flowgraph and by
    /// direct calls, by every instance, for early and late ends; failures that bear the block's
    /// name; for stream kernels also odd chunks and dirty buffers.
    ///
    /// - scratch: a folder for the files that some blocks need; subfolders are made in it
    pub fn conformance(&self, scratch: &Path) -> Result<(), Nonconformance> {
        let judge = Judge { kernel: &self.name };
        let instance = AtomicUsize::new(0);
        let params = || -> Result<toml::Table> {
            let number = instance.fetch_add(1, Ordering::Relaxed);
            let folder = scratch.join(&self.name).join(number.to_string());
            let text = std::fs::create_dir_all(&folder).and_then(|()| (self.example)(&folder));
            let text = text.map_err(|error| format!("{}: {error}", folder.display()))?;
            text.parse().map_err(|error: toml::de::Error| error.message().to_owned())
        };
        (self.trial)(judge, &params)
    }
}

impl fmt::Display for Entry {
    /// `awgn  ReceivedFrame -> ReceivedFrame`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let carried = |ports: &[PortType]| match ports {
            [] => "nothing".to_owned(),
            ports => ports.iter().map(|port| port.carries.as_str()).collect::<Vec<_>>().join(" + "),
        };
        write!(f, "{}  {} -> {}", self.name, carried(&self.inputs), carried(&self.outputs))
    }
}

impl Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A kernel from its table.
fn made<P: DeserializeOwned + 'static, K>(
    table: &toml::Table,
    build: impl Fn(P) -> sememe_blocks::Result<K>,
) -> Result<K> {
    let params: P = table.clone().try_into().map_err(|error: toml::de::Error| {
        // The first line says what is wrong; what follows points into a text that is not there.
        error.message().lines().collect::<Vec<_>>().join(" ")
    })?;
    build(params).map_err(|error| error.to_string())
}

fn placing<A: Adapter>(make: impl Fn(&toml::Table) -> Result<A> + Send + Sync + 'static) -> Place {
    Box::new(move |table, _, graph, name| Ok(graph.place(name, make(table)?)))
}
