//! Runs the program in a folder, and what is expected of its end.

#![allow(dead_code, reason = "each program test takes what it needs")]

use std::path::Path;
use std::process::{Command, Output};

/// The program in a folder, not started.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sememe"));
    command.args(arguments).current_dir(folder);
    command
}

/// The program in a folder, run to its end.
pub fn sememe(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

/// Standard output of a run that succeeded.
pub fn succeeded(output: Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The one line in which a run refused its input.
pub fn error_line(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    text
}

/// A folder with one experiment in `a.toml`.
pub fn folder_with(experiment: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.toml"), experiment).unwrap();
    dir
}

/// A small experiment: 20 scenes of 16 x 16 pixels, two channels, two SNRs, these links.
pub fn experiment(links: &str) -> String {
    format!(
        r#"
version = 1
title = "small"
seed = 5
snr_db = [0, 9]

[source]
images = 20
size = [16, 16]

[downlink]
users = 10
groups = 2
uses = 256

[output]
sheet_images = 4

[[channel]]
fading = {{ model = "awgn" }}

[[channel]]
fading = {{ model = "rayleigh" }}
{links}"#
    )
}
