use crate::kernels::{Add, Census, Counted, CountedSource, Pair, Slow};
use futuresdr::prelude::*;
use sememe::adapters::{
    Adapter, Collect, FrameBlock, Graph, JoinBlock, Monitor, Replay, RunOptions, SinkBlock, SourceBlock,
    SplitBlock,
};
use sememe_blocks::kernel::{FrameSink, Tee};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[test]
fn ten_thousand_frames_arrive_in_order_and_in_time() {
    const FRAMES: u64 = 10_000;
    let start = Instant::now();
    let mut graph = Graph::new();
    let sums = graph
        .chain("numbers", Replay::new((0..FRAMES).collect()))
        .then("one", Add(1))
        .then("ten", Add(10))
        .then_blocking("hundred", Add(100))
        .sink("sums", Collect::new());
    graph.run().unwrap();
    let expected: Vec<u64> = (111..FRAMES + 111).collect();
    assert_eq!(sums.take().unwrap().into_frames(), expected);
    // A loaded machine takes well under a millisecond a frame through five blocks.
    assert!(start.elapsed() < Duration::from_secs(10), "took {:?}", start.elapsed());
}

#[test]
fn two_branches_meet_again_frame_by_frame() {
    let mut graph = Graph::new();
    let (left, right) = graph.chain("numbers", Replay::new((0..500).collect())).split("fork", Tee::new());
    let delayed =
        graph.resume(right).then("slow", Slow(Duration::from_micros(200))).then("one", Add(1)).out();
    let pairs = graph.resume(left).join("meet", Pair, delayed).sink("pairs", Collect::new());
    graph.run().unwrap();
    let expected: Vec<_> = (0..500).map(|n| (n, n + 1)).collect();
    assert_eq!(pairs.take().unwrap().into_frames(), expected);
}

/// Drops frames after a while.
struct SlowSink {
    pause: Duration,
    numbers: Vec<u64>,
}

impl FrameSink for SlowSink {
    type In = Counted;

    fn consume(&mut self, frame: Counted) -> sememe_blocks::Result<()> {
        std::thread::sleep(self.pause);
        assert!(frame.payload.iter().all(|byte| *byte == frame.number as u8));
        self.numbers.push(frame.number);
        Ok(())
    }
}

#[test]
fn a_slow_sink_bounds_the_frames_alive_and_none_is_left() {
    let census = Arc::new(Census::default());
    let mut graph = Graph::new();
    let source = CountedSource { frames: 300, sent: 0, census: Arc::clone(&census) };
    let sink = graph
        .chain("source", source)
        .sink("slow", SlowSink { pause: Duration::from_micros(500), numbers: Vec::new() });
    graph.run().unwrap();
    assert_eq!(sink.take().unwrap().numbers, (0..300).collect::<Vec<_>>());
    // A wire holds four slabs of one frame; source and sink hold one each.
    let peak = census.peak.load(Ordering::SeqCst);
    assert!((2..=6).contains(&peak), "{peak} frames lived at once");
    assert_eq!(census.alive.load(Ordering::SeqCst), 0);
}

#[test]
fn the_first_frame_arrives_when_it_is_sent() {
    struct Stamps(Vec<Instant>);
    impl FrameSink for Stamps {
        type In = u64;
        fn consume(&mut self, _: u64) -> sememe_blocks::Result<()> {
            self.0.push(Instant::now());
            Ok(())
        }
    }
    let mut graph = Graph::new();
    let pause = Duration::from_millis(20);
    let stamps = graph
        .chain("numbers", Replay::new((0..5).collect()))
        .then_blocking("slow", Slow(pause))
        .sink("stamps", Stamps(Vec::new()));
    graph.run().unwrap();
    let stamps = stamps.take().unwrap().0;
    let spread = *stamps.last().unwrap() - stamps[0];
    assert!(spread >= 3 * pause, "five frames, 20 ms apart, arrived within {spread:?}");
}

#[test]
fn plain_futuresdr_wiring_works_with_a_monitor() -> Result<()> {
    let monitor = Monitor::new();
    let source = SourceBlock::new(Replay::new((0..50).collect())).watched("numbers", &monitor);
    let fork = SplitBlock::new(Tee::<u64>::new()).watched("fork", &monitor);
    let one = FrameBlock::new(Add(1)).blocking().watched("one", &monitor);
    let meet = JoinBlock::new(Pair).watched("meet", &monitor);
    let sink = SinkBlock::new(Collect::new()).watched("pairs", &monitor);
    let pairs = sink.kept();
    let mut flowgraph = Flowgraph::new();
    connect!(flowgraph,
        source > input.fork.first > first.meet > sink;
        fork.second > one > second.meet;
    );
    monitor.run(flowgraph, &RunOptions::default())?;
    assert_eq!(pairs.take()?.into_frames(), (0..50).map(|n| (n, n + 1)).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn many_runs_side_by_side_do_not_disturb_each_other() {
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for run in 0..10 {
                    let mut graph = Graph::new();
                    let offset = 1000 * thread + run;
                    let sums = graph
                        .chain("numbers", Replay::new((0..100).collect()))
                        .then("offset", Add(offset))
                        .sink("sums", Collect::new());
                    graph.run().unwrap();
                    assert_eq!(
                        sums.take().unwrap().into_frames(),
                        (offset..offset + 100).collect::<Vec<_>>()
                    );
                }
            });
        }
    });
}
