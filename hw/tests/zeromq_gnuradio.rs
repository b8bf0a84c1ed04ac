//! Streams from and to GNU Radio's own ZeroMQ blocks, where `SEMEME_GNURADIO_PYTHON` names a Python with GNU Radio.
#![cfg(feature = "zeromq")]

use num_complex::Complex32;
use sememe_hw::zeromq::{ZmqSettings, ZmqSink, ZmqSource};
use sememe_hw::{SampleSink, SampleSource};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LEN: usize = 200_000;

/// Sends samples of a file, over and over if told, until its input is closed.
const SEND: &str = r#"
import sys, numpy
from gnuradio import blocks, gr, zeromq
kind, address, path, repeat, key = sys.argv[1:]
samples = numpy.fromfile(path, numpy.complex64)
graph = gr.top_block()
source = blocks.vector_source_c(samples.tolist(), repeat == "yes")
throttle = blocks.throttle(gr.sizeof_gr_complex, 2e6)
if kind == "pub":
    sink = zeromq.pub_sink(gr.sizeof_gr_complex, 1, address, 100, False, -1, key)
else:
    sink = zeromq.push_sink(gr.sizeof_gr_complex, 1, address, 100, False, -1)
graph.connect(source, throttle, sink)
graph.start()
sys.stdin.read()
graph.stop()
graph.wait()
"#;

/// Receives a number of samples into a file.
const RECEIVE: &str = r#"
import sys, numpy
from gnuradio import blocks, gr, zeromq
kind, address, path, length, key = sys.argv[1:]
graph = gr.top_block()
if kind == "sub":
    source = zeromq.sub_source(gr.sizeof_gr_complex, 1, address, 100, False, -1, key)
else:
    source = zeromq.pull_source(gr.sizeof_gr_complex, 1, address, 100, False, -1)
head = blocks.head(gr.sizeof_gr_complex, int(length))
sink = blocks.vector_sink_c()
graph.connect(source, head, sink)
graph.run()
numpy.array(sink.data(), numpy.complex64).tofile(path)
"#;

/// GNU Radio in a process of its own, ended with the test.
struct GnuRadio(Child);

impl GnuRadio {
    fn start(program: &str, arguments: [&str; 5]) -> Option<Self> {
        let Ok(python) = std::env::var("SEMEME_GNURADIO_PYTHON") else {
            eprintln!(
                "skipped: set SEMEME_GNURADIO_PYTHON to a Python with GNU Radio, as /usr/bin/python3 after `apt install \
                 gnuradio`"
            );
            return None;
        };
        let child = Command::new(python).arg("-c").arg(program).args(arguments).stdin(Stdio::piped()).spawn();
        Some(Self(child.expect("SEMEME_GNURADIO_PYTHON names a program")))
    }

    /// Whether it ended by itself and well.
    fn ended(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_some_and(|status| status.success())
    }
}

impl Drop for GnuRadio {
    fn drop(&mut self) {
        // Ended already, perhaps.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Samples that no two of them are equal, and whose bits are not those of round numbers.
fn samples() -> Vec<Complex32> {
    (0..LEN).map(|n| Complex32::new(n as f32 / 3.0, (n as f32).sqrt() - 200.0)).collect()
}

fn save(path: &Path) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    for sample in samples() {
        file.write_all(&sample.re.to_le_bytes()).unwrap();
        file.write_all(&sample.im.to_le_bytes()).unwrap();
    }
}

fn load(path: &Path) -> Vec<Complex32> {
    let bytes = std::fs::read(path).unwrap();
    let parts: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|raw| f32::from_le_bytes(*raw)).collect();
    parts.as_chunks::<2>().0.iter().map(|[re, im]| Complex32::new(*re, *im)).collect()
}

fn receive_from_gnuradio(kind: &str, ours: &str, key: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("samples");
    save(&path);
    let address = format!("ipc://{}/socket", folder.path().display());
    let repeat = if kind == "pub" { "yes" } else { "no" };
    let Some(_gnuradio) = GnuRadio::start(SEND, [kind, &address, path.to_str().unwrap(), repeat, key]) else {
        return;
    };
    let settings = ZmqSettings::from_address(&format!("zmq+{ours}+{address}"), 2e6).unwrap();
    let mut source = ZmqSource::open(ZmqSettings { key: key.into(), ..settings }).unwrap();
    let (mut all, mut buffer) = (Vec::new(), vec![Complex32::ZERO; 10_000]);
    let start = Instant::now();
    while all.len() < LEN && start.elapsed() < Duration::from_secs(60) {
        let read = source.read(&mut buffer).unwrap();
        all.extend_from_slice(&buffer[..read.len]);
    }
    let mut expected = samples();
    if kind == "pub" {
        // Who subscribes comes in somewhere.
        let first = expected.iter().position(|sample| *sample == all[0]).expect("a sample that was sent");
        expected.rotate_left(first);
    }
    assert!(all[..LEN] == expected[..], "{} samples", all.len());
    assert_eq!(source.refused_messages(), 0);
}

fn send_to_gnuradio(kind: &str, ours: &str, key: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("samples");
    let address = format!("ipc://{}/socket", folder.path().display());
    let settings = ZmqSettings::from_address(&format!("zmq+{ours}+{address}"), 2e6).unwrap();
    let settings = ZmqSettings { key: key.into(), send_timeout_ms: 200, message_samples: 1000, ..settings };
    let length = LEN.to_string();
    let program = [kind, &address, path.to_str().unwrap(), &length, key];
    let Some(mut gnuradio) = GnuRadio::start(RECEIVE, program) else { return };
    let mut sink = ZmqSink::open(settings).unwrap();
    let sent = samples();
    let start = Instant::now();
    let mut next = 0;
    // Over and over at 2 Msps: a subscriber comes in somewhere, and a puller's graph ends only while samples come.
    while !gnuradio.ended() && start.elapsed() < Duration::from_secs(60) {
        let is_sent = sink.send(&sent[next % LEN..][..1000], None).is_ok();
        next += if is_sent { 1000 } else { 0 };
        std::thread::sleep(Duration::from_micros(500));
    }
    assert!(gnuradio.ended(), "GNU Radio is not at its end");
    let received = load(&path);
    let mut expected = sent;
    if kind == "sub" {
        let first =
            expected.iter().position(|sample| *sample == received[0]).expect("a sample that was sent");
        expected.rotate_left(first);
    }
    assert!(received == expected, "{} samples", received.len());
}

#[test]
fn gnuradio_pushes() {
    receive_from_gnuradio("push", "pull", "");
}

#[test]
fn gnuradio_publishes() {
    receive_from_gnuradio("pub", "sub", "");
}

#[test]
fn gnuradio_publishes_with_a_key() {
    receive_from_gnuradio("pub", "sub", "radio");
}

#[test]
fn gnuradio_pulls() {
    send_to_gnuradio("pull", "push", "");
}

#[test]
fn gnuradio_subscribes() {
    send_to_gnuradio("sub", "pub", "");
}

#[test]
fn gnuradio_subscribes_with_a_key() {
    send_to_gnuradio("sub", "pub", "radio");
}
