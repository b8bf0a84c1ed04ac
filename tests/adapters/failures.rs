use crate::kernels::{Add, Endless, FailsAt};
use futuresdr::prelude::*;
use futuresdr::runtime::dev::prelude::*;
use sememe::adapters::{
    Adapter, Collect, FrameBlock, FrameReader, FrameWriter, Graph, Kept, Monitor, Replay, RunOptions,
    SinkBlock, SourceBlock,
};
use sememe_blocks::BlockError;
use sememe_blocks::kernel::{FrameJoiner, FrameSink, FrameSource, FrameSplitter, Tee};

fn failing(by_panic: bool, blocking: bool) -> (String, Kept<Collect<u64>>) {
    let mut graph = Graph::new();
    let chain = graph.chain("numbers", Endless(0)).then("one", Add(1));
    let kernel = FailsAt { frame: 20, by_panic };
    let chain = if blocking { chain.then_blocking("unlucky", kernel) } else { chain.then("unlucky", kernel) };
    let sink = chain.then("two", Add(2)).sink("all", Collect::new());
    (graph.run().unwrap_err().to_string(), sink)
}

#[test]
fn an_error_ends_the_run_and_names_its_block() {
    for blocking in [false, true] {
        let (error, sink) = failing(false, blocking);
        assert_eq!(error, "block 'unlucky': no luck with 20");
        let frames = sink.take().unwrap().into_frames();
        assert!(frames.iter().enumerate().all(|(n, frame)| *frame == n as u64 + 3), "{frames:?}");
    }
}

#[test]
fn a_panic_ends_the_run_and_names_its_block() {
    for blocking in [false, true] {
        let (error, _) = failing(true, blocking);
        assert_eq!(error, "block 'unlucky' panicked: frame 20 broke me");
    }
}

/// Fails in whatever role it plays.
struct Broken;

fn broken<T>() -> sememe_blocks::Result<T> {
    Err(BlockError::Kernel("broken".into()))
}

impl FrameSource for Broken {
    type Out = u64;
    fn next_frame(&mut self) -> sememe_blocks::Result<Option<u64>> {
        broken()
    }
}

impl FrameSink for Broken {
    type In = u64;
    fn consume(&mut self, _: u64) -> sememe_blocks::Result<()> {
        broken()
    }
}

impl FrameSplitter for Broken {
    type In = u64;
    type First = u64;
    type Second = u64;
    fn split(&mut self, _: u64) -> sememe_blocks::Result<(u64, u64)> {
        broken()
    }
}

impl FrameJoiner for Broken {
    type First = u64;
    type Second = u64;
    type Out = u64;
    fn join(&mut self, _: u64, _: u64) -> sememe_blocks::Result<u64> {
        broken()
    }
}

#[test]
fn sources_sinks_splitters_and_joiners_fail_by_name_too() {
    let fails = |graph: Graph, block: &str| {
        assert_eq!(graph.run().unwrap_err().to_string(), format!("block '{block}': broken"));
    };
    let mut graph = Graph::new();
    graph.chain("source", Broken).sink("sink", Collect::new());
    fails(graph, "source");
    let mut graph = Graph::new();
    graph.chain("source", Endless(0)).sink("sink", Broken);
    fails(graph, "sink");
    let mut graph = Graph::new();
    let (first, second) = graph.chain("source", Endless(0)).split("splitter", Broken);
    graph.resume(first).sink("sink 1", Collect::new());
    graph.resume(second).sink("sink 2", Collect::new());
    fails(graph, "splitter");
    let mut graph = Graph::new();
    let (first, second) = graph.chain("source", Endless(0)).split("tee", Tee::new());
    graph.resume(first).join("joiner", Broken, second).sink("sink", Collect::new());
    fails(graph, "joiner");
}

#[test]
fn a_monitored_flowgraph_names_the_block_as_well() {
    let monitor = Monitor::new();
    let source = SourceBlock::new(Endless(0)).watched("numbers", &monitor);
    let unlucky = FrameBlock::new(FailsAt { frame: 3, by_panic: true }).watched("unlucky", &monitor);
    let sink = SinkBlock::new(Collect::new()).watched("all", &monitor);
    let mut flowgraph = Flowgraph::new();
    (|| -> Result<()> {
        connect!(flowgraph, source > unlucky > sink);
        Ok(())
    })()
    .unwrap();
    let error = monitor.run(flowgraph, &RunOptions::default()).unwrap_err().to_string();
    assert_eq!(error, "block 'unlucky' panicked: frame 3 broke me");
}

/// A foreign block that copies slots, and so hands one frame to two readers.
#[derive(Block)]
struct CopiesSlots {
    #[input]
    input: FrameReader<u64>,
    #[output]
    output: FrameWriter<u64>,
    #[output]
    copy: FrameWriter<u64>,
}

impl Kernel for CopiesSlots {
    async fn work(&mut self, io: &mut WorkIo, _: &mut MessageOutputs, _: &mut BlockMeta) -> Result<()> {
        if let Some(slot) = self.input.slice().first().cloned() {
            self.input.consume(1);
            self.output.slice()[0] = slot.clone();
            self.output.produce(1);
            self.copy.slice()[0] = slot;
            self.copy.produce(1);
        }
        io.finished = self.input.finished();
        Ok(())
    }
}

#[test]
fn a_frame_that_someone_else_took_is_an_error_that_names_the_port() {
    let monitor = Monitor::new();
    let source = SourceBlock::new(Replay::new(vec![1])).watched("numbers", &monitor);
    let copies =
        CopiesSlots { input: Default::default(), output: Default::default(), copy: Default::default() };
    let one = SinkBlock::new(Collect::new()).watched("taker", &monitor);
    let two = SinkBlock::new(Collect::new()).watched("taker", &monitor);
    let mut flowgraph = Flowgraph::new();
    (|| -> Result<()> {
        connect!(flowgraph, source > copies > one; copies.copy > two);
        Ok(())
    })()
    .unwrap();
    let error = monitor.run(flowgraph, &RunOptions::default()).unwrap_err().to_string();
    assert!(error.starts_with("block 'taker', port 'input': the frame was taken by someone else"), "{error}");
}
