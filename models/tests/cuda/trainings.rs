//! Whole training runs.

use super::gpu;
use candle_core::Device;
use sememe_models::training::{Outcome, Progress, RunOptions, TrainingConfig, train};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

const TEXT: &str = r#"
version = 1
seed = 3
[model]
preset = "spatial-tiny"
[downlink]
users = 10
groups = 2
[data]
kind = "scenes"
images = 100
[optimizer]
epochs = 4
warmup_steps = 3
learning_rate = 2e-3
[validation]
frames = 3
snr_db = [12.0]
checkpoint_steps = 5
"#;

fn run(text: &str, device: &Device, out: &Path, stop_at: Option<u64>, resume: bool) -> Outcome {
    let config: TrainingConfig = toml::from_str(text).unwrap();
    let stop = AtomicBool::new(false);
    let mut progress = |now: &Progress| stop.store(Some(now.step) == stop_at, Ordering::Relaxed);
    let (device, out) = (device.clone(), out.to_path_buf());
    train(&config, RunOptions { device, out, resume, stop: &stop, progress: &mut progress }).unwrap()
}

#[test]
fn a_gpu_learns_what_the_processor_learns() {
    let Some(gpu) = gpu() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let here = run(TEXT, &Device::Cpu, &at("cpu"), None, false);
    let there = run(TEXT, &gpu, &at("gpu"), None, false);
    let mixed = TEXT.replace("[optimizer]", "[optimizer]\nprecision = \"mixed\"");
    let mixed = run(&mixed, &gpu, &at("mixed"), None, false);
    for (expected, (found, mixed)) in
        here.validation.iter().zip(there.validation.iter().zip(&mixed.validation))
    {
        println!("{:?}: {} {} {}", expected.fading, expected.psnr_db, found.psnr_db, mixed.psnr_db);
        assert!((expected.psnr_db - found.psnr_db).abs() < 0.05);
        assert!((expected.psnr_db - mixed.psnr_db).abs() < 0.15);
    }
}

#[test]
fn a_stopped_run_goes_on_bit_by_bit() {
    let Some(gpu) = gpu() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let whole = run(TEXT, &gpu, &at("whole"), None, false);
    assert!(!run(TEXT, &gpu, &at("parts"), Some(17), false).finished);
    let parts = run(TEXT, &gpu, &at("parts"), None, true);
    let read = |outcome: Outcome| std::fs::read(outcome.weights.unwrap()).unwrap();
    assert!(read(whole) == read(parts));
}
