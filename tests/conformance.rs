//! Every registered block behaves in a running flowgraph as its kernel does when called directly.

use sememe::adapters::{PortType, Samples};
use sememe::registry::{Entry, Kind, NoParams, Registry, specimens};
use sememe_blocks::frame::{Features, ReceivedFeatures};
use sememe_blocks::kernel::{FrameJoiner, FrameKernel, FrameSource, Progress, StreamKernel};
use sememe_blocks::{BlockError, Result};
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn every_builtin_block_conforms() {
    let scratch = tempfile::tempdir().unwrap();
    let faults: Vec<String> = Registry::builtin()
        .iter()
        .filter_map(|entry| entry.conformance(scratch.path()).err())
        .map(|fault| fault.to_string())
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn builtin_blocks_say_truly_what_travels() {
    let registry = Registry::builtin();
    let demapper = registry.get("feature_demapper").unwrap();
    assert_eq!(demapper.kind(), Kind::Frame);
    assert_eq!(demapper.outputs(), [PortType::of::<ReceivedFeatures>("output")]);
    let tee = registry.get("tee_features").unwrap();
    assert_eq!(tee.kind(), Kind::Splitter);
    assert_eq!(tee.outputs(), ["first", "second"].map(PortType::of::<Features>));
}

/// Halves a stream; the kernel of another crate.
struct Halve {
    held: Option<f32>,
}

impl StreamKernel for Halve {
    type In = f32;
    type Out = f32;

    fn process(&mut self, input: &[f32], output: &mut [f32]) -> Result<Progress> {
        let mut progress = Progress::default();
        while progress.produced < output.len() {
            let Some(&sample) = input.get(progress.consumed) else { break };
            progress.consumed += 1;
            if let Some(first) = self.held.take() {
                output[progress.produced] = (first + sample) / 2.0;
                progress.produced += 1;
            } else {
                self.held = Some(sample);
            }
        }
        Ok(progress)
    }
}

/// Concatenates the frame numbers of two streams.
struct Numbers;

impl FrameJoiner for Numbers {
    type First = Features;
    type Second = ReceivedFeatures;
    type Out = (u64, u64);

    fn join(&mut self, first: Features, second: ReceivedFeatures) -> Result<(u64, u64)> {
        Ok((first.frame, second.frame))
    }
}

fn real_samples() -> Vec<f32> {
    specimens::samples().into_iter().map(|sample| sample.re).collect()
}

#[test]
fn kernels_of_other_crates_are_tried_alike() {
    let scratch = tempfile::tempdir().unwrap();
    let mut registry = Registry::empty();
    let halve = Entry::stream("halve", "means of pairs", real_samples, (1, 1), |_: NoParams| {
        Ok(Halve { held: None })
    });
    assert_eq!(halve.inputs(), [PortType::of::<Samples<f32>>("input")]);
    registry.register(halve).unwrap();
    let (first, second) = (specimens::features, specimens::received_features);
    registry
        .register(Entry::joiner("numbers", "pairs numbers", first, second, |_: NoParams| Ok(Numbers)))
        .unwrap();
    for entry in registry.iter() {
        entry.conformance(scratch.path()).unwrap();
    }
}

/// Gives every instance another offset.
struct Moody(u64);

static MOOD: AtomicU64 = AtomicU64::new(0);

impl FrameKernel for Moody {
    type In = Features;
    type Out = u64;

    fn process(&mut self, frame: Features) -> Result<u64> {
        Ok(frame.frame + self.0)
    }
}

/// Ends, and then begins again.
struct Undead(u64);

impl FrameSource for Undead {
    type Out = u64;

    fn next_frame(&mut self) -> Result<Option<u64>> {
        self.0 += 1;
        Ok((self.0 != 4).then_some(self.0))
    }
}

/// Refuses the third frame.
struct Picky;

impl FrameKernel for Picky {
    type In = Features;
    type Out = u64;

    fn process(&mut self, frame: Features) -> Result<u64> {
        if frame.frame == 2 { Err(BlockError::Kernel("not this one".into())) } else { Ok(frame.frame) }
    }
}

#[test]
fn kernels_that_do_not_conform_are_caught() {
    let scratch = tempfile::tempdir().unwrap();
    let fault = |entry: Entry| entry.conformance(scratch.path()).unwrap_err().to_string();
    let moody = fault(Entry::frame("moody", "differs", specimens::features, |_: NoParams| {
        Ok(Moody(MOOD.fetch_add(1, Ordering::Relaxed)))
    }));
    assert!(moody.contains("direct calls of a second instance: item 0 is 1 instead of 0"), "{moody}");
    let undead = fault(Entry::source("undead", "comes back", |_: NoParams| Ok(Undead(0))));
    assert!(undead.contains("a source that had ended gave another frame"), "{undead}");
    let picky = fault(Entry::frame("picky", "refuses", specimens::features, |_: NoParams| Ok(Picky)));
    assert!(picky.contains("'picky', direct calls: not this one"), "{picky}");
    let starving = fault(Entry::frame(
        "starving",
        "has nothing to be tried with",
        || specimens::features().into_iter().take(2).collect(),
        |_: NoParams| Ok(Moody(0)),
    ));
    assert!(starving.contains("2 are too few"), "{starving}");
    let unknown_key = fault(
        Entry::frame("picky", "has no parameters", specimens::features, |_: NoParams| Ok(Picky))
            .example("colour = \"red\""),
    );
    assert!(unknown_key.contains("unknown field `colour`"), "{unknown_key}");
}
