//! Trainings that are killed: the weights in the end are those of one that was left alone.

mod program;

use program::{command, folder_with, sememe, succeeded};
use rand::RngExt;
use sememe_blocks::rng::{Purpose, RngKey};
use std::process::Stdio;
use std::time::Instant;

const TRAINING: &str = r#"
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
images = 120
[loss]
reconstruction = "psnr"
[optimizer]
epochs = 12
warmup_steps = 3
average = 0.9
[validation]
frames = 2
snr_db = [10.0]
checkpoint_steps = 5
"#;

#[test]
fn kills_change_no_bit_of_the_weights() {
    const KILLS: usize = 10;
    let dir = folder_with(TRAINING);
    let started = Instant::now();
    succeeded(sememe(dir.path(), &["train", "a.toml", "--out", "whole"]));
    let whole = started.elapsed();
    let mut dice = RngKey::new(31).stream(Purpose::Scene, 0, 0);
    let mut on_the_way = 0;
    for _ in 0..KILLS {
        let mut run = command(dir.path(), &["train", "a.toml", "--resume", "--out", "killed"]);
        let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole.mul_f64(dice.random_range(0.0..0.3)));
        match run.try_wait().unwrap() {
            Some(status) => assert!(status.success(), "a training that was killed before does not go on"),
            None => on_the_way += 1,
        }
        run.kill().unwrap();
        run.wait().unwrap();
    }
    assert!(on_the_way >= 2, "trainings end before they can be killed");
    succeeded(sememe(dir.path(), &["train", "a.toml", "--resume", "--out", "killed"]));
    for name in ["weights.safetensors", "validation.csv"] {
        let read = |folder: &str| std::fs::read(dir.path().join(folder).join(name)).unwrap();
        assert!(read("killed") == read("whole"), "{name}");
    }
}
