//! The trials of kernels between frames and samples: any chunking gives the same samples, or the same frames.

use super::conformance::{BLOCK, Judge, Verdict};
use super::failing::Failing;
use super::trials::Make;
use crate::adapters::{
    Collect, DemodulatorBlock, Graph, GraphError, ModulatorBlock, Replay, SampleSink, SampleSource,
};
use num_complex::Complex32;
use sememe_blocks::BlockError;
use sememe_blocks::kernel::{Demodulator, Modulator};
use std::fmt::Debug;

/// Room at a time that divides nothing.
const ROOMS: [usize; 4] = [1, 7, 129, 4096];
/// Samples at a time that divide nothing.
const CHUNKS: [usize; 3] = [113, 1000, 4097];

pub(super) fn modulator<K: Modulator>(
    judge: Judge,
    specimens: &dyn Fn() -> Vec<K::In>,
    make: Make<K>,
) -> Verdict {
    judge.enough(specimens().len())?;
    let direct = |trial: &str, room: usize, dirt: Complex32| -> Verdict<Vec<Complex32>> {
        let mut kernel = judge.succeeds(trial, make())?;
        judge.succeeds(trial, written(&mut kernel, specimens(), room, dirt))
    };
    let expected = direct("direct calls", 1 << 20, Complex32::ZERO)?;
    for room in ROOMS {
        let trial = format!("room for {room} samples, in dirty buffers");
        judge.equal(&trial, &expected, &direct(&trial, room, Complex32::new(9.0, -9.0))?)?;
    }
    for taken in [3, usize::MAX] {
        let trial = format!("a flowgraph that takes at most {taken} samples");
        let sink = SampleSink::new().in_chunks(taken);
        let found = sink.kept();
        let mut graph = Graph::new();
        let block = ModulatorBlock::new(judge.succeeds(&trial, make())?);
        graph.chain("specimens", Replay::new(specimens())).then_block(BLOCK, block).sink_block("found", sink);
        judge.succeeds(&trial, graph.run())?;
        judge.equal(&trial, &expected, &judge.succeeds(&trial, found.take())?)?;
    }
    let failing = ModulatorBlock::new(Failing::after(1, judge.succeeds("direct calls", make())?));
    let mut graph = Graph::new();
    graph
        .chain("specimens", Replay::new(specimens()))
        .then_block(BLOCK, failing)
        .sink_block("found", SampleSink::new());
    judge.fails_by_name(graph)
}

fn written<K: Modulator>(
    kernel: &mut K,
    frames: Vec<K::In>,
    room: usize,
    dirt: Complex32,
) -> Result<Vec<Complex32>, BlockError> {
    let mut samples = vec![];
    let mut output = vec![dirt; room];
    for frame in frames {
        kernel.load(frame)?;
        loop {
            let len = kernel.write(&mut output)?;
            if len > room {
                return Err(BlockError::shape("samples written", format!("at most {room}"), len));
            }
            if len == 0 {
                break;
            }
            samples.extend_from_slice(&output[..len]);
        }
    }
    Ok(samples)
}

pub(super) fn demodulator<K>(judge: Judge, specimens: &dyn Fn() -> Vec<Complex32>, make: Make<K>) -> Verdict
where
    K: Demodulator,
    K::Out: PartialEq + Debug,
{
    let samples = specimens();
    let direct = |trial: &str, len: usize| -> Verdict<Vec<K::Out>> {
        let mut kernel = judge.succeeds(trial, make())?;
        let mut found = vec![];
        for chunk in samples.chunks(len) {
            judge.succeeds(trial, kernel.read(chunk, &mut found))?;
        }
        judge.succeeds(trial, kernel.finish(&mut found))?;
        Ok(found)
    };
    let expected = direct("direct calls", samples.len().max(1))?;
    judge.enough(expected.len())?;
    for len in CHUNKS {
        let trial = format!("chunks of {len} samples");
        judge.equal(&trial, &expected, &direct(&trial, len)?)?;
    }
    for sent in [997, usize::MAX] {
        let trial = format!("a flowgraph in chunks of at most {sent} samples");
        let kernel = judge.succeeds(&trial, make())?;
        let found = judge.succeeds(&trial, through(kernel, samples.clone(), sent))?;
        judge.equal(&trial, &expected, &found)?;
    }
    let failing = DemodulatorBlock::new(Failing::after(1, judge.succeeds("direct calls", make())?));
    let mut graph = Graph::new();
    graph
        .chain_block("specimens", SampleSource::new(samples).in_chunks(1000))
        .then_block(BLOCK, failing)
        .sink("found", Collect::new());
    judge.fails_by_name(graph)
}

fn through<K: Demodulator>(
    kernel: K,
    samples: Vec<Complex32>,
    sent: usize,
) -> Result<Vec<K::Out>, GraphError> {
    let mut graph = Graph::new();
    let source = SampleSource::new(samples).in_chunks(sent);
    let found = graph
        .chain_block("specimens", source)
        .then_block(BLOCK, DemodulatorBlock::new(kernel))
        .sink("found", Collect::new());
    graph.run()?;
    Ok(found.take()?.into_frames())
}
