use sememe::adapters::{Graph, RunOptions, SampleSink, SampleSource, StreamBlock};
use sememe_blocks::kernel::{Progress, StreamKernel};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Sums whole groups of samples; counts how often it is called.
struct GroupSum {
    group_len: usize,
    calls: Arc<AtomicUsize>,
}

impl StreamKernel for GroupSum {
    type In = u32;
    type Out = u32;

    fn process(&mut self, input: &[u32], output: &mut [u32]) -> sememe_blocks::Result<Progress> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut progress = Progress::default();
        for (group, sum) in input.chunks_exact(self.group_len).zip(output) {
            *sum = group.iter().sum();
            progress.consumed += self.group_len;
            progress.produced += 1;
        }
        Ok(progress)
    }
}

/// Gives every sample `times` times, and holds what does not fit.
struct Repeat {
    times: usize,
    held: Option<(u32, usize)>,
}

impl StreamKernel for Repeat {
    type In = u32;
    type Out = u32;

    fn process(&mut self, input: &[u32], output: &mut [u32]) -> sememe_blocks::Result<Progress> {
        let mut progress = Progress::default();
        for place in output {
            if self.held.is_none() {
                let Some(&next) = input.get(progress.consumed) else { break };
                progress.consumed += 1;
                self.held = Some((next, self.times));
            }
            if let Some((sample, left)) = self.held {
                *place = sample;
                progress.produced += 1;
                self.held = (left > 1).then_some((sample, left - 1));
            }
        }
        Ok(progress)
    }
}

#[test]
fn samples_survive_odd_chunks_and_a_kernel_that_holds_back() {
    let samples: Vec<u32> = (0..30_000).collect();
    for (sent, taken) in [(1000, 3), (7, 1000), (usize::MAX, usize::MAX), (4096, 129)] {
        let calls = Arc::new(AtomicUsize::new(0));
        let mut graph = Graph::new();
        let sink = SampleSink::new().in_chunks(taken);
        let sums = sink.kept();
        graph
            .chain_block("samples", SampleSource::new(samples.clone()).in_chunks(sent))
            .then_block("thrice", StreamBlock::new(Repeat { times: 3, held: None }))
            .then_block("sums", StreamBlock::new(GroupSum { group_len: 7, calls }).with_min_items(7, 1))
            .sink_block("sink", sink);
        graph.run().unwrap();
        let thrice: Vec<u32> = samples.iter().flat_map(|sample| [*sample; 3]).collect();
        // 90,000 is no multiple of 7: the rest is dropped.
        let expected: Vec<u32> = thrice.chunks_exact(7).map(|group| group.iter().sum()).collect();
        assert_eq!(sums.take().unwrap(), expected);
    }
}

#[test]
fn a_kernel_that_never_moves_is_not_called_in_a_loop_and_its_port_is_named() {
    let calls = Arc::new(AtomicUsize::new(0));
    let mut graph = Graph::new();
    // The buffer cannot hold a million samples, and nobody told it that it must.
    let kernel = GroupSum { group_len: 1_000_000, calls: Arc::clone(&calls) };
    graph
        .chain_block("samples", SampleSource::new(vec![1; 2_000_000]))
        .then_block("greedy", StreamBlock::new(kernel))
        .sink_block("sink", SampleSink::new());
    let options = RunOptions { patience: Duration::from_millis(200), stop: None };
    let error = graph.run_with(&options).unwrap_err().to_string();
    assert!(error.contains("input 'input' of block 'greedy' is starved"), "{error}");
    assert!(error.contains("'samples' waits for room at its output 'output'"), "{error}");
    assert!(calls.load(Ordering::Relaxed) < 1000, "{} calls", calls.load(Ordering::Relaxed));
}

#[test]
fn a_kernel_that_claims_more_than_there_was_is_named() {
    struct Liar;
    impl StreamKernel for Liar {
        type In = u32;
        type Out = u32;
        fn process(&mut self, input: &[u32], _: &mut [u32]) -> sememe_blocks::Result<Progress> {
            Ok(Progress { consumed: input.len() + 1, produced: 0 })
        }
    }
    let mut graph = Graph::new();
    graph
        .chain_block("samples", SampleSource::new(vec![1; 10]))
        .then_block("liar", StreamBlock::new(Liar))
        .sink_block("sink", SampleSink::new());
    let error = graph.run().unwrap_err().to_string();
    assert!(error.starts_with("block 'liar', port 'output': the kernel claims to have consumed"), "{error}");
}
