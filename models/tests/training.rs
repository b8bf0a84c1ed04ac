//! Training as a whole: stops and resumes change nothing, every family learns, bad files say why.

use sememe_models::training::{Outcome, Progress, RunOptions, TrainingConfig, TrainingError, train};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

const SMALL: &str = r#"
version = 1
seed = 3
[model]
preset = "spatial-tiny"
[downlink]
users = 6
groups = 2
uses = 256
rho = 0.25
[data]
kind = "scenes"
images = 60
[loss]
reconstruction = "psnr"
[optimizer]
epochs = 2
warmup_steps = 3
learning_rate = 2e-3
average = 0.9
[validation]
frames = 2
snr_db = [10.0]
checkpoint_steps = 4
"#;

fn config(changes: &[(&str, &str)]) -> TrainingConfig {
    let mut text = SMALL.to_string();
    for (from, to) in changes {
        assert!(text.contains(from), "{from} is not in the training file");
        text = text.replace(from, to);
    }
    toml::from_str(&text).unwrap()
}

/// Trains; raises the stop flag after `stop_after` steps.
fn run(
    config: &TrainingConfig,
    out: &Path,
    resume: bool,
    stop_after: Option<u64>,
) -> Result<Outcome, TrainingError> {
    let stop = AtomicBool::new(false);
    let mut progress = |progress: &Progress| {
        if Some(progress.step) == stop_after {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let device = candle_core::Device::Cpu;
    train(config, RunOptions { device, out: out.to_path_buf(), resume, stop: &stop, progress: &mut progress })
}

fn bytes(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).unwrap()
}

#[test]
fn a_resumed_run_ends_as_an_undisturbed_one_bit_by_bit() {
    let config = config(&[]);
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(run(&config, whole.path(), false, None).unwrap().finished);
    for stop in [3, 10, 17] {
        let outcome = run(&config, parts.path(), true, Some(stop)).unwrap();
        assert!(!outcome.finished && outcome.step == stop && outcome.weights.is_none());
    }
    // Once more when nothing is left, as after a kill between the last checkpoint and the weights.
    for _ in 0..2 {
        assert!(run(&config, parts.path(), true, None).unwrap().finished);
    }
    for name in ["weights.safetensors", "checkpoint.safetensors", "training.csv", "validation.csv"] {
        assert!(bytes(whole.path(), name) == bytes(parts.path(), name), "{name} differs");
    }
}

#[test]
fn the_number_of_threads_changes_no_bit_of_the_weights() {
    let config = config(&[("epochs = 2", "epochs = 1")]);
    let weights = |threads| {
        let folder = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&config, folder.path(), false, None)).unwrap();
        bytes(folder.path(), "weights.safetensors")
    };
    assert!(weights(1) == weights(2));
}

#[test]
fn every_family_overfits_one_batch() {
    let stems = ["upsample", "reshape", "bottleneck-reshape"];
    let mut cases = vec![("preset = \"spatial-tiny\"".to_string(), "spatial")];
    cases.extend(stems.map(|stem| (format!("preset = \"paper-tiny\"\nstem = \"{stem}\""), stem)));
    for (model, name) in cases {
        let config = config(&[
            ("preset = \"spatial-tiny\"", &model),
            ("images = 60", "images = 6"),
            ("rho = 0.25", "rho = 0.25\n[channel]\nsnr_db = [15.0, 15.0]\nfading = [{ model = \"awgn\" }]"),
            ("epochs = 2", "epochs = 150"),
            ("checkpoint_steps = 4", "checkpoint_steps = 1000\nevery_epochs = 1000"),
            ("warmup_steps = 3", "warmup_steps = 3\nmirror = false"),
            ("learning_rate = 2e-3", "learning_rate = 5e-3"),
        ]);
        let folder = tempfile::tempdir().unwrap();
        let stop = AtomicBool::new(false);
        let mut losses = Vec::new();
        let mut progress = |progress: &Progress| losses.push(progress.loss);
        let options = RunOptions {
            device: candle_core::Device::Cpu,
            out: folder.path().to_path_buf(),
            resume: false,
            stop: &stop,
            progress: &mut progress,
        };
        train(&config, options).unwrap();
        let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
        let (first, last) = (mean(&losses[..10]), mean(&losses[losses.len() - 30..]));
        // ln of the squared error: 0.7 is half the error.
        assert!(last < first - 0.7, "{name}: loss {first} at first, {last} at last");
    }
}

#[test]
fn impossible_files_say_what_is_possible() {
    for (from, to, expected) in [
        ("rho = 0.25", "rho = 1.5", "rho"),
        (
            "reconstruction = \"psnr\"",
            "reconstruction = \"psnr\"\nrepulsion = { angular = -1.0 }",
            "loss.repulsion.angular = -1 is not possible: allowed is 0 (off) or above",
        ),
        ("users = 6", "users = 1", "groups"),
        ("uses = 256", "uses = 250", "uses"),
        ("preset = \"spatial-tiny\"", "preset = \"huge\"", "spatial-compact"),
        ("images = 60", "images = 3", "downlink.users = 6"),
        ("epochs = 2", "epochs = 0", "optimizer.epochs"),
        ("average = 0.9", "average = 1.0", "optimizer.average"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let error = run(&config(&[(from, to)]), folder.path(), false, None).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{to}: {error}");
    }
}

#[test]
fn a_checkpoint_of_another_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    run(&config(&[]), folder.path(), false, Some(2)).unwrap();
    let error = run(&config(&[("seed = 3", "seed = 4")]), folder.path(), true, None).unwrap_err();
    assert!(error.to_string().contains("another training file"), "{error}");
}
