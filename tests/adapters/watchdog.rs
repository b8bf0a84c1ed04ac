use crate::kernels::{Add, Hangs, Pair, Slow};
use sememe::adapters::{Collect, Graph, GraphError, Replay, RunOptions, SourceBlock};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn patience(millis: u64) -> RunOptions {
    RunOptions { patience: Duration::from_millis(millis), stop: None }
}

#[test]
fn a_source_that_hangs_starves_a_port_that_is_named() {
    let released = Arc::new(AtomicBool::new(false));
    let mut graph = Graph::new();
    let second =
        graph.chain("camera", Hangs { frames: 2, released: Arc::clone(&released) }).then("one", Add(1)).out();
    let pairs = graph
        .chain("numbers", Replay::new((0..100).collect()))
        .join("meet", Pair, second)
        .then_blocking("slow", Pass)
        .sink("pairs", Collect::new());
    let start = Instant::now();
    let error = graph.run_with(&patience(300)).unwrap_err();
    assert!(matches!(error, GraphError::Stalled { .. }));
    assert_eq!(
        error.to_string(),
        "no block made progress for 0.3 s: input 'input' of block 'one' is starved, because source 'camera' \
         does not deliver its next frame"
    );
    assert!(start.elapsed() < Duration::from_secs(5));
    // The source's thread is still in its kernel, so the graph could not be taken apart.
    assert!(matches!(pairs.take(), Err(GraphError::StillRunning(_))));
    released.store(true, Ordering::Relaxed);
}

struct Pass;

impl sememe_blocks::kernel::FrameKernel for Pass {
    type In = (u64, u64);
    type Out = (u64, u64);

    fn process(&mut self, frame: (u64, u64)) -> sememe_blocks::Result<(u64, u64)> {
        Ok(frame)
    }
}

#[test]
fn a_long_inference_is_no_stall() {
    for blocking in [false, true] {
        let mut graph = Graph::new();
        let chain = graph.chain("numbers", Replay::new(vec![1, 2]));
        let slow = Slow(Duration::from_millis(250));
        let chain = if blocking { chain.then_blocking("slow", slow) } else { chain.then("slow", slow) };
        let sink = chain.sink("all", Collect::new());
        graph.run_with(&patience(50)).unwrap();
        assert_eq!(sink.take().unwrap().into_frames(), [1, 2]);
    }
}

#[test]
fn a_live_source_may_wait_for_signal() {
    let released = Arc::new(AtomicBool::new(false));
    let mut graph = Graph::new();
    let radio = SourceBlock::new(Hangs { frames: 3, released: Arc::clone(&released) }).live();
    let sink = graph.chain_block("radio", radio).then("one", Add(1)).sink("all", Collect::new());
    let signal = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        released.store(true, Ordering::Relaxed);
    });
    graph.run_with(&patience(50)).unwrap();
    assert_eq!(sink.take().unwrap().into_frames(), [3, 2, 1]);
    signal.join().unwrap();
}

#[test]
fn a_live_source_that_ignores_a_stop_is_named() {
    let released = Arc::new(AtomicBool::new(false));
    let mut graph = Graph::new();
    let radio = SourceBlock::new(Hangs { frames: 1, released: Arc::clone(&released) }).live();
    graph.chain_block("radio", radio).sink("all", Collect::new());
    let options = RunOptions { stop: Some(Arc::new(AtomicBool::new(false))), ..patience(200) };
    let stop = options.stop.clone().unwrap();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(400));
        stop.store(true, Ordering::Relaxed);
    });
    let start = Instant::now();
    let error = graph.run_with(&options).unwrap_err().to_string();
    assert!(error.contains("source 'radio' does not deliver"), "{error}");
    assert!(start.elapsed() >= Duration::from_millis(400), "not a stall before the stop");
    released.store(true, Ordering::Relaxed);
    stopper.join().unwrap();
}
