//! The other side: a process of PyTorch.

use crate::Failure;
use crate::subject::{GROUPS, Subject, USERS};
use sememe_models::ops::buffers::to_vec;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Largest difference of the images of both sides, in units of their largest value; where PyTorch rounds
/// operands of products to ten bits, the second.
const AGREEMENT: [f32; 2] = [1e-3, 1e-2];

/// The other side's program: where this one was built, or, elsewhere, below the current folder.
fn script() -> PathBuf {
    let name = "benches/pytorch/peer.py";
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if built.exists() { built } else { Path::new("models").join(name) }
}

/// The other side's process.
pub struct Peer {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    agreement: f32,
}

impl Peer {
    /// Starts the peer; fails where Python or PyTorch is missing.
    pub fn start(threads: usize, options: &[String]) -> Result<Self, Failure> {
        let python = std::env::var("SEMEME_PYTHON").unwrap_or_else(|_| "python3".into());
        let mut process = Command::new(&python)
            .arg(script())
            .arg(threads.to_string())
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{python}: {error}"))?;
        let requests = process.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(process.stdout.take().ok_or("no standard output")?);
        let is_mixed = options.iter().any(|option| option == "--mixed");
        let mut peer = Self { process, requests, answers, agreement: AGREEMENT[is_mixed as usize] };
        println!("{}", peer.answer()?);
        Ok(peer)
    }

    fn ask(&mut self, request: &str) -> Result<String, Failure> {
        writeln!(self.requests, "{request}")?;
        self.answer()
    }

    fn answer(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err("the peer ended; its own message stands above".into()),
            _ => Ok(line.trim().to_string()),
        }
    }

    /// Loads a network and compares its parameters and its images with ours.
    pub fn load(&mut self, name: &str, subject: &Subject) -> Result<(), Failure> {
        let folder = tempfile::tempdir()?;
        let (weights, images) = (folder.path().join("weights"), folder.path().join("images"));
        subject.save(name, &weights)?;
        let (ours, theirs) =
            (subject.model.parameters().count(), self.ask(&format!("load {}", weights.display()))?);
        self.ask(&format!("check {}", images.display()))?;
        let found = std::fs::read(&images)?;
        let found =
            found.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        let expected = to_vec(&subject.infer(USERS, GROUPS)?)?;
        let largest = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
        let difference = found.zip(&expected).fold(0f32, |most, (a, b)| most.max((a - b).abs())) / largest;
        println!("{name}: {ours} parameters here, {theirs} there; images differ by {difference:.1e} at most");
        assert_eq!(theirs, ours.to_string(), "{name}: the two sides hold different networks");
        assert!(difference < self.agreement, "{name}: the two sides compute different images");
        Ok(())
    }

    /// Milliseconds of each run of a case.
    pub fn times(&mut self, case: &str, repeats: usize) -> Result<Vec<f64>, Failure> {
        let answer = self.ask(&format!("time {case} {repeats}"))?;
        Ok(answer.split(' ').map(str::parse).collect::<Result<_, _>>()?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Nothing depends on how the peer ends.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
