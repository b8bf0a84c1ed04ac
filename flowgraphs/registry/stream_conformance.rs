//! The trials of kernels that work on samples: any chunking gives the same output, whatever the
//! output buffer held before.

use super::conformance::{BLOCK, Judge, Verdict, early_ends};
use super::failing::Failing;
use super::trials::Make;
use crate::adapters::{Graph, GraphError, SampleSink, SampleSource, StreamBlock};
use sememe_blocks::BlockError;
use sememe_blocks::kernel::{Progress, StreamKernel};

/// Chunk sizes, of input and of output, that divide nothing.
const CHUNKS: [(usize, usize); 9] =
    [(1, 1), (1, 1000), (2, 3), (3, 1), (7, 64), (64, 7), (1000, 1), (129, 4096), (4096, 129)];

/// Bounds the calls of one trial: a kernel that neither ends nor stops is caught.
const MAX_CALLS_PER_SAMPLE: usize = 1000;

pub(super) fn stream<K>(
    judge: Judge,
    specimens: &dyn Fn() -> Vec<K::In>,
    min_items: (usize, usize),
    make: Make<K>,
) -> Verdict
where
    K: StreamKernel,
    K::Out: PartialEq,
{
    let input = specimens();
    judge.enough(input.len())?;
    let direct = |trial: &str, chunks: (usize, usize), dirt: &[K::Out]| -> Verdict<Vec<K::Out>> {
        let mut kernel = judge.succeeds(trial, make())?;
        judge.succeeds(trial, in_chunks(&mut kernel, &input, chunks, dirt))
    };
    let whole = (input.len(), 4 * input.len() + min_items.1);
    let expected = direct("direct calls", whole, &[])?;
    for (input_len, output_len) in CHUNKS {
        let trial = format!("chunks of {input_len} in and {output_len} out, in dirty buffers");
        // What lay in a buffer before is most likely output of long ago.
        let chunks = (input_len.max(min_items.0), output_len.max(min_items.1));
        judge.equal(&trial, &expected, &direct(&trial, chunks, &expected)?)?;
    }
    for (sent, taken) in [(1000, 3), (7, 1000), (usize::MAX, usize::MAX)] {
        let trial = format!("a flowgraph in chunks of at most {sent} in and {taken} out");
        let kernel = judge.succeeds(&trial, make())?;
        let found = through(kernel, input.clone(), min_items, (sent, taken));
        judge.equal(&trial, &expected, &judge.succeeds(&trial, found)?)?;
    }
    for end in early_ends(input.len()) {
        let trial = format!("a flowgraph that ends after {end} samples");
        let mut kernel = judge.succeeds(&trial, make())?;
        let expected = judge.succeeds(&trial, in_chunks(&mut kernel, &input[..end], whole, &[]))?;
        let kernel = judge.succeeds(&trial, make())?;
        let found = through(kernel, input[..end].to_vec(), min_items, (usize::MAX, usize::MAX));
        judge.equal(&trial, &expected, &judge.succeeds(&trial, found)?)?;
    }
    let kernel = Failing::after(0, judge.succeeds("direct calls", make())?);
    let mut graph = Graph::new();
    graph
        .chain_block("specimens", SampleSource::new(input))
        .then_block(BLOCK, StreamBlock::new(kernel).with_min_items(min_items.0, min_items.1))
        .sink_block("found", SampleSink::new());
    judge.fails_by_name(graph)
}

/// Calls a kernel as a stream would: so many new samples at a time, so much room at a time, what
/// was not consumed offered again, and at the end until nothing moves.
fn in_chunks<K: StreamKernel>(
    kernel: &mut K,
    input: &[K::In],
    (input_len, output_len): (usize, usize),
    dirt: &[K::Out],
) -> Result<Vec<K::Out>, BlockError> {
    let mut found = Vec::new();
    let (mut consumed, mut offered) = (0, 0);
    for _ in 0..MAX_CALLS_PER_SAMPLE * (input.len() + 1) {
        let stale = |place: usize| match dirt {
            [] => K::Out::default(),
            dirt => dirt[(found.len() + place) % dirt.len()],
        };
        let mut output: Vec<K::Out> = (0..output_len).map(stale).collect();
        let progress = kernel.process(&input[consumed..offered], &mut output)?;
        let Progress { consumed: taken, produced } = progress;
        if taken > offered - consumed || produced > output_len {
            let found = format!("{taken} and {produced}");
            let expected = format!("at most {} and {output_len}", offered - consumed);
            return Err(BlockError::shape("samples consumed and produced", expected, found));
        }
        consumed += taken;
        found.extend_from_slice(&output[..produced]);
        if progress == Progress::default() {
            if offered == input.len() {
                return Ok(found);
            }
            offered = (offered + input_len).min(input.len());
        }
    }
    Err(BlockError::Kernel(format!("no end after {} samples of output", found.len())))
}

fn through<K: StreamKernel>(
    kernel: K,
    input: Vec<K::In>,
    min_items: (usize, usize),
    (sent, taken): (usize, usize),
) -> Result<Vec<K::Out>, GraphError> {
    let sink = SampleSink::new().in_chunks(taken);
    let found = sink.kept();
    let mut graph = Graph::new();
    graph
        .chain_block("specimens", SampleSource::new(input).in_chunks(sent))
        .then_block(BLOCK, StreamBlock::new(kernel).with_min_items(min_items.0, min_items.1))
        .sink_block("found", sink);
    graph.run()?;
    found.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Differences of neighbouring samples; `flawed` forgets the sample before a chunk.
    struct Difference {
        last: i32,
        flawed: bool,
    }

    impl StreamKernel for Difference {
        type In = i32;
        type Out = i32;

        fn process(&mut self, input: &[i32], output: &mut [i32]) -> Result<Progress, BlockError> {
            if self.flawed {
                self.last = 0;
            }
            for (sample, difference) in input.iter().zip(output.iter_mut()) {
                *difference = sample - std::mem::replace(&mut self.last, *sample);
            }
            let moved = input.len().min(output.len());
            Ok(Progress { consumed: moved, produced: moved })
        }
    }

    /// Adds to what it finds in the output.
    struct Accumulate;

    impl StreamKernel for Accumulate {
        type In = i32;
        type Out = i32;

        fn process(&mut self, input: &[i32], output: &mut [i32]) -> Result<Progress, BlockError> {
            let moved = input.len().min(output.len());
            output.iter_mut().zip(input).for_each(|(sum, sample)| *sum += sample);
            Ok(Progress { consumed: moved, produced: moved })
        }
    }

    fn squares() -> Vec<i32> {
        (0..9000).map(|n| (n * n) % 1001).collect()
    }

    #[test]
    fn a_good_kernel_passes_and_a_chunk_dependent_one_is_caught() {
        let judge = Judge { kernel: "difference" };
        stream(judge, &squares, (1, 1), &|| Ok(Difference { last: 0, flawed: false })).unwrap();
        let error =
            stream(judge, &squares, (1, 1), &|| Ok(Difference { last: 0, flawed: true })).unwrap_err();
        assert!(error.trial.contains("chunks of 1 in"), "{error}");
    }

    #[test]
    fn a_kernel_that_trusts_its_output_buffer_is_caught() {
        let error = stream(Judge { kernel: "accumulate" }, &squares, (1, 1), &|| Ok(Accumulate)).unwrap_err();
        assert!(error.trial.contains("dirty"), "{error}");
    }
}
