use crate::kernels::{Add, Endless, Pair};
use sememe::adapters::{Collect, Graph, GraphError, Replay, RunOptions};
use sememe_blocks::kernel::{FrameSink, Tee};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[test]
fn a_source_may_end_at_once_or_after_any_frame() {
    for frames in [0, 1, 2, 3, 4, 5, 6, 17] {
        let mut graph = Graph::new();
        let (left, right) =
            graph.chain("numbers", Replay::new((0..frames).collect())).split("fork", Tee::new());
        let left = graph.resume(left).then("one", Add(1)).out();
        let pairs = graph.resume(right).join("meet", Pair, left).sink("pairs", Collect::new());
        graph.run().unwrap();
        let expected: Vec<_> = (0..frames).map(|n| (n, n + 1)).collect();
        assert_eq!(pairs.take().unwrap().into_frames(), expected);
    }
}

fn unequal(first: u64, second: u64) -> Result<Vec<(u64, u64)>, GraphError> {
    let mut graph = Graph::new();
    let other = graph.chain("b", Replay::new((0..second).collect())).out();
    let pairs = graph
        .chain("a", Replay::new((0..first).collect()))
        .join("meet", Pair, other)
        .sink("pairs", Collect::new());
    graph.run()?;
    Ok(pairs.take()?.into_frames())
}

#[test]
fn a_joiner_names_the_input_that_ended_early() {
    assert_eq!(unequal(7, 7).unwrap().len(), 7);
    let error = unequal(3, 9).unwrap_err().to_string();
    assert_eq!(error, "block 'meet': input 'first' ended after 3 frames while input 'second' goes on");
    let error = unequal(1, 0).unwrap_err().to_string();
    assert_eq!(error, "block 'meet': input 'second' ended after 0 frames while input 'first' goes on");
}

/// Raises a flag at the tenth frame.
struct StopAtTen {
    stop: Arc<AtomicBool>,
    seen: Vec<(u64, u64)>,
}

impl FrameSink for StopAtTen {
    type In = (u64, u64);

    fn consume(&mut self, frame: (u64, u64)) -> sememe_blocks::Result<()> {
        self.seen.push(frame);
        if self.seen.len() == 10 {
            self.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[test]
fn a_raised_stop_flag_ends_endless_sources_cleanly() {
    let stop = Arc::new(AtomicBool::new(false));
    let mut graph = Graph::new();
    let other = graph.chain("b", Endless(5)).then("one", Add(1)).out();
    let sink = graph
        .chain("a", Endless(0))
        .join("meet", Pair, other)
        .sink("stops", StopAtTen { stop: Arc::clone(&stop), seen: Vec::new() });
    let options = RunOptions { stop: Some(stop), patience: Duration::from_secs(20) };
    graph.run_with(&options).unwrap();
    let seen = sink.take().unwrap().seen;
    assert!(seen.len() >= 10 && seen.len() < 40, "{} frames", seen.len());
    assert!(seen.iter().enumerate().all(|(n, pair)| *pair == (n as u64, n as u64 + 6)));
}

#[test]
fn a_flag_raised_before_the_start_gives_an_empty_run() {
    let mut graph = Graph::new();
    let sink = graph.chain("a", Endless(0)).sink("all", Collect::new());
    let stop = Some(Arc::new(AtomicBool::new(true)));
    graph.run_with(&RunOptions { stop, ..RunOptions::default() }).unwrap();
    assert!(sink.take().unwrap().into_frames().is_empty());
}

#[test]
fn the_end_of_a_short_stream_is_not_lost_however_blocks_are_started() {
    use futuresdr::prelude::*;
    use sememe::adapters::{FrameBlock, SinkBlock, SourceBlock};
    futuresdr::runtime::config::set("ctrlport_enable", false);
    for frames in 0..3 {
        let source = SourceBlock::new(Replay::new((0..frames).collect()));
        let (one, sink) = (FrameBlock::new(Add(1)), SinkBlock::new(Collect::new()));
        let all = sink.kept();
        let mut flowgraph = Flowgraph::new();
        (|| -> Result<()> {
            connect!(flowgraph, source > one > sink);
            // Nobody watches: the runtime of FutureSDR itself runs the blocks.
            drop(Runtime::new().run(flowgraph)?);
            Ok(())
        })()
        .unwrap();
        assert_eq!(all.take().unwrap().into_frames(), (1..=frames).collect::<Vec<_>>());
    }
    for run in 0..200 {
        let mut graph = Graph::new();
        let all = graph
            .chain("numbers", Replay::new((0..run % 3).collect()))
            .then("one", Add(1))
            .then("two", Add(1))
            .sink("all", Collect::new());
        graph.run_with(&RunOptions { patience: Duration::from_secs(5), stop: None }).unwrap();
        assert_eq!(all.take().unwrap().into_frames().len(), run as usize % 3);
    }
}
