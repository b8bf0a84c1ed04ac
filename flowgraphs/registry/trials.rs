//! The trials of kernels that work on frames. Each compares three things: direct calls, direct
//! calls of a second instance, and the adapter inside a running flowgraph that ends early or late.

use super::conformance::{BLOCK, Judge, Verdict, early_ends};
use super::failing::{Failing, Limited};
use crate::adapters::{Adapter, Collect, FrameBlock, Graph, JoinBlock, Out, Replay, ThroughPorts};
use sememe_blocks::kernel::{FrameJoiner, FrameKernel, FrameSink, FrameSource, FrameSplitter};
use std::fmt::Debug;

/// Makes a new instance of the kernel under test; every call gives an equal one.
pub(super) type Make<'a, K> = &'a dyn Fn() -> Result<K, String>;

const DIRECT: &str = "direct calls";
const AGAIN: &str = "direct calls of a second instance";

fn in_flowgraph(frames: usize) -> String {
    format!("a flowgraph that ends after {frames} frames")
}

/// Frames taken from a source that may have no end.
const SOURCE_FRAMES: usize = 5;

pub(super) fn frame<K>(judge: Judge, specimens: &dyn Fn() -> Vec<K::In>, make: Make<K>) -> Verdict
where
    K: FrameKernel,
    K::Out: PartialEq + Debug,
{
    let direct = |trial| -> Verdict<Vec<K::Out>> {
        let mut kernel = judge.succeeds(trial, make())?;
        let outputs = specimens().into_iter().map(|frame| judge.succeeds(trial, kernel.process(frame)));
        outputs.collect()
    };
    let expected = direct(DIRECT)?;
    judge.enough(expected.len())?;
    judge.equal(AGAIN, &expected, &direct(AGAIN)?)?;
    for end in early_ends(expected.len()) {
        let trial = in_flowgraph(end);
        let kernel = judge.succeeds(&trial, make())?;
        let found = through::<K, _>(specimens(), end, FrameBlock::new(kernel));
        judge.equal(&trial, &expected[..end], &judge.succeeds(&trial, found)?)?;
    }
    let trial = "a thread of its own";
    let kernel = judge.succeeds(trial, make())?;
    let found = through::<K, _>(specimens(), expected.len(), FrameBlock::new(kernel).blocking());
    judge.equal(trial, &expected, &judge.succeeds(trial, found)?)?;
    let mut graph = Graph::new();
    let kernel = Failing::after(1, judge.succeeds(DIRECT, make())?);
    graph.chain("specimens", Replay::new(specimens())).then(BLOCK, kernel).sink("found", Collect::new());
    judge.fails_by_name(graph)
}

fn through<K, A>(
    specimens: Vec<K::In>,
    end: usize,
    block: A,
) -> Result<Vec<K::Out>, crate::adapters::GraphError>
where
    K: FrameKernel,
    A: Adapter<Ports = ThroughPorts<K::In, K::Out>>,
{
    let mut graph = Graph::new();
    let source = Limited::to(end, Replay::new(specimens));
    let found = graph.chain("specimens", source).then_block(BLOCK, block).sink("found", Collect::new());
    graph.run()?;
    Ok(found.take()?.into_frames())
}

pub(super) fn source<K>(judge: Judge, make: Make<K>) -> Verdict
where
    K: FrameSource,
    K::Out: PartialEq + Debug,
{
    let direct = |trial| -> Verdict<Vec<K::Out>> {
        let mut kernel = judge.succeeds(trial, make())?;
        let mut frames = Vec::new();
        while frames.len() < SOURCE_FRAMES {
            match judge.succeeds(trial, kernel.next_frame())? {
                Some(frame) => frames.push(frame),
                None if judge.succeeds(trial, kernel.next_frame())?.is_some() => {
                    return judge.refuse(trial, "a source that had ended gave another frame");
                }
                None => break,
            }
        }
        Ok(frames)
    };
    let expected = direct(DIRECT)?;
    judge.enough(expected.len())?;
    judge.equal(AGAIN, &expected, &direct(AGAIN)?)?;
    for end in early_ends(expected.len()) {
        let trial = in_flowgraph(end);
        let kernel = judge.succeeds(&trial, make())?;
        let mut graph = Graph::new();
        let found = graph.chain(BLOCK, Limited::to(end, kernel)).sink("found", Collect::new());
        judge.succeeds(&trial, graph.run())?;
        judge.equal(&trial, &expected[..end], &judge.succeeds(&trial, found.take())?.into_frames())?;
    }
    let mut graph = Graph::new();
    let kernel = Failing::after(1, judge.succeeds(DIRECT, make())?);
    graph.chain(BLOCK, kernel).sink("found", Collect::new());
    judge.fails_by_name(graph)
}

pub(super) fn sink<K: FrameSink>(
    judge: Judge,
    specimens: &dyn Fn() -> Vec<K::In>,
    make: Make<K>,
    observe: &dyn Fn(K) -> String,
) -> Verdict {
    let all = specimens().len();
    judge.enough(all)?;
    for end in early_ends(all) {
        let direct = |trial| -> Verdict<String> {
            let mut kernel = judge.succeeds(trial, make())?;
            for frame in specimens().into_iter().take(end) {
                judge.succeeds(trial, kernel.consume(frame))?;
            }
            Ok(observe(kernel))
        };
        let expected = direct(DIRECT)?;
        judge.equal(AGAIN, std::slice::from_ref(&expected), &[direct(AGAIN)?])?;
        let trial = in_flowgraph(end);
        let mut graph = Graph::new();
        let source = Limited::to(end, Replay::new(specimens()));
        let kept = graph.chain("specimens", source).sink(BLOCK, judge.succeeds(&trial, make())?);
        judge.succeeds(&trial, graph.run())?;
        let found = observe(judge.succeeds(&trial, kept.take())?);
        judge.equal(&trial, &[expected], &[found])?;
    }
    let mut graph = Graph::new();
    let kernel = Failing::after(1, judge.succeeds(DIRECT, make())?);
    graph.chain("specimens", Replay::new(specimens())).sink(BLOCK, kernel);
    judge.fails_by_name(graph)
}

pub(super) fn splitter<K>(judge: Judge, specimens: &dyn Fn() -> Vec<K::In>, make: Make<K>) -> Verdict
where
    K: FrameSplitter,
    K::First: PartialEq + Debug,
    K::Second: PartialEq + Debug,
{
    type Halves<K> = (Vec<<K as FrameSplitter>::First>, Vec<<K as FrameSplitter>::Second>);
    let direct = |trial| -> Verdict<Halves<K>> {
        let mut kernel = judge.succeeds(trial, make())?;
        specimens().into_iter().map(|frame| judge.succeeds(trial, kernel.split(frame))).collect()
    };
    let (first, second) = direct(DIRECT)?;
    judge.enough(first.len())?;
    let (first_again, second_again) = direct(AGAIN)?;
    judge.equal(AGAIN, &first, &first_again)?;
    judge.equal(AGAIN, &second, &second_again)?;
    for end in early_ends(first.len()) {
        let trial = in_flowgraph(end);
        let kernel = judge.succeeds(&trial, make())?;
        let mut graph = Graph::new();
        let source = Limited::to(end, Replay::new(specimens()));
        let outs = graph.chain("specimens", source).split(BLOCK, kernel);
        let found_first = graph.resume(outs.0).sink("first", Collect::new());
        let found_second = graph.resume(outs.1).sink("second", Collect::new());
        judge.succeeds(&trial, graph.run())?;
        judge.equal(&trial, &first[..end], &judge.succeeds(&trial, found_first.take())?.into_frames())?;
        judge.equal(&trial, &second[..end], &judge.succeeds(&trial, found_second.take())?.into_frames())?;
    }
    let mut graph = Graph::new();
    let kernel = Failing::after(1, judge.succeeds(DIRECT, make())?);
    let outs = graph.chain("specimens", Replay::new(specimens())).split(BLOCK, kernel);
    graph.resume(outs.0).sink("first", Collect::new());
    graph.resume(outs.1).sink("second", Collect::new());
    judge.fails_by_name(graph)
}

pub(super) fn joiner<K>(
    judge: Judge,
    first: &dyn Fn() -> Vec<K::First>,
    second: &dyn Fn() -> Vec<K::Second>,
    make: Make<K>,
) -> Verdict
where
    K: FrameJoiner,
    K::Out: PartialEq + Debug,
{
    let direct = |trial| -> Verdict<Vec<K::Out>> {
        let mut kernel = judge.succeeds(trial, make())?;
        let pairs = first().into_iter().zip(second());
        pairs.map(|(first, second)| judge.succeeds(trial, kernel.join(first, second))).collect()
    };
    let sources =
        |graph: &mut Graph, first_end: usize, second_end: usize| -> (Out<K::First>, Out<K::Second>) {
            let first = graph.chain("first", Limited::to(first_end, Replay::new(first()))).out();
            (first, graph.chain("second", Limited::to(second_end, Replay::new(second()))).out())
        };
    let expected = direct(DIRECT)?;
    let all = expected.len();
    judge.enough(all)?;
    judge.equal(AGAIN, &expected, &direct(AGAIN)?)?;
    for end in early_ends(all) {
        let trial = in_flowgraph(end);
        let block = JoinBlock::new(judge.succeeds(&trial, make())?);
        let mut graph = Graph::new();
        let (first, second) = sources(&mut graph, end, end);
        let ports = graph.add(BLOCK, block);
        judge.succeeds(&trial, graph.connect(first, ports.first))?;
        judge.succeeds(&trial, graph.connect(second, ports.second))?;
        let found = graph.resume(ports.output).sink("found", Collect::new());
        judge.succeeds(&trial, graph.run())?;
        judge.equal(&trial, &expected[..end], &judge.succeeds(&trial, found.take())?.into_frames())?;
    }
    let trial = "inputs that end at different counts";
    let mut graph = Graph::new();
    let (out, other) = sources(&mut graph, all, all - 1);
    let kernel = judge.succeeds(trial, make())?;
    graph.resume(out).join(BLOCK, kernel, other).sink("found", Collect::new());
    match graph.run() {
        Err(error) if error.to_string().contains("input 'second' ended after") => {}
        other => return judge.refuse(trial, format!("the run ended with {other:?}")),
    }
    let mut graph = Graph::new();
    let (out, other) = sources(&mut graph, all, all);
    let kernel = Failing::after(1, judge.succeeds(DIRECT, make())?);
    graph.resume(out).join(BLOCK, kernel, other).sink("found", Collect::new());
    judge.fails_by_name(graph)
}
