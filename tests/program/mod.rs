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
