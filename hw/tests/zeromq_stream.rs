//! Streams over real ZeroMQ sockets on this machine.
#![cfg(feature = "zeromq")]

use num_complex::Complex32;
use sememe_hw::zeromq::{ZmqSettings, ZmqSink, ZmqSource};
use sememe_hw::{HwError, SampleSink, SampleSource};
use std::time::{Duration, Instant};

fn settings(address: &str) -> ZmqSettings {
    ZmqSettings::from_address(address, 1e6).unwrap()
}

/// The other side of a socket that chose its port.
fn peer(pattern: &str, endpoint: &str) -> ZmqSettings {
    let place = endpoint.replace("0.0.0.0", "127.0.0.1");
    settings(&match place.strip_prefix("ipc://") {
        Some(path) => format!("zmq+{pattern}+connect+ipc://{path}"),
        None => format!("zmq+{pattern}+connect://{}", place.trim_start_matches("tcp://")),
    })
}

fn ramp(range: std::ops::Range<u32>) -> Vec<Complex32> {
    range.map(|n| Complex32::new(n as f32, -(n as f32))).collect()
}

fn read_until(source: &mut ZmqSource, len: usize, buffer_len: usize) -> Vec<Complex32> {
    let (mut all, mut buffer) = (Vec::new(), vec![Complex32::ZERO; buffer_len]);
    let start = Instant::now();
    while all.len() < len && start.elapsed() < Duration::from_secs(20) {
        let read = source.read(&mut buffer).unwrap();
        all.extend_from_slice(&buffer[..read.len]);
    }
    all
}

fn push_to_pull(sink: ZmqSettings) {
    let expected = ramp(0..300_001);
    for buffer_len in [1000, 8192, 100_000] {
        let mut sink = ZmqSink::open(sink.clone()).unwrap();
        let mut source = ZmqSource::open(peer("pull", &sink.endpoint())).unwrap();
        let sent = expected.clone();
        let sender = std::thread::spawn(move || {
            sent.chunks(70_000).for_each(|burst| sink.send(burst, Some(0)).unwrap());
            sink.finish().unwrap();
            sink.counters()
        });
        assert_eq!(read_until(&mut source, expected.len(), buffer_len), expected);
        let counters = sender.join().unwrap();
        assert_eq!((counters.samples, counters.bursts), (300_001, 5));
        assert_eq!(source.counters().samples, 300_001);
    }
}

#[test]
fn what_is_pushed_is_pulled_over_tcp() {
    push_to_pull(settings("zmq+push://127.0.0.1:*"));
}

#[test]
fn what_is_pushed_is_pulled_over_local_sockets() {
    let folder = tempfile::tempdir().unwrap();
    push_to_pull(settings(&format!("zmq+push+ipc://{}/x", folder.path().display())));
}

#[test]
fn subscribers_with_the_key_get_what_is_published() {
    let publish = ZmqSettings { key: "radio".into(), ..settings("zmq+pub://127.0.0.1:*") };
    let mut sink = ZmqSink::open(publish).unwrap();
    let subscribe = |key: &str| {
        ZmqSource::open(ZmqSettings { key: key.into(), ..peer("sub", &sink.endpoint()) }).unwrap()
    };
    let (mut with_key, mut without, mut other) = (subscribe("rad"), subscribe(""), subscribe("tv"));
    // Nobody is told when a subscriber has arrived: published until both have.
    let mut buffer = [Complex32::ZERO; 16];
    let start = Instant::now();
    let (mut first, mut second) = (0, 0);
    while (first == 0 || second == 0) && start.elapsed() < Duration::from_secs(20) {
        sink.send(&ramp(0..16), None).unwrap();
        first += with_key.read(&mut buffer).unwrap().len;
        second += without.read(&mut buffer).unwrap().len;
    }
    assert_eq!(buffer.to_vec(), ramp(0..16));
    assert!(first > 0 && second > 0);
    assert_eq!(other.read(&mut buffer).unwrap().len, 0);
    assert_eq!(other.counters().timeouts, 1);
}

#[test]
fn messages_that_are_no_samples_are_refused_and_the_next_is_read() {
    let context = zmq::Context::new();
    let sender = context.socket(zmq::PUSH).unwrap();
    sender.bind("tcp://127.0.0.1:*").unwrap();
    let mut source = ZmqSource::open(peer("pull", &sender.get_last_endpoint().unwrap().unwrap())).unwrap();
    sender.send(vec![0u8; 16], 0).unwrap();
    sender.send(vec![0u8; 19], 0).unwrap();
    sender.send_multipart([vec![0u8; 8], vec![0u8; 8], vec![0u8; 8]], 0).unwrap();
    sender.send(Vec::<u8>::new(), 0).unwrap();
    sender.send(1.0f32.to_le_bytes().repeat(2), 0).unwrap();
    let mut buffer = [Complex32::ZERO; 100];
    let (mut samples, mut sentences) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        match source.read(&mut buffer) {
            Ok(read) => samples.extend_from_slice(&buffer[..read.len]),
            Err(error) => sentences.push(error.to_string()),
        }
    }
    assert_eq!(samples, [Complex32::ZERO, Complex32::ZERO, Complex32::new(1.0, 1.0)]);
    assert_eq!((sentences.len(), source.refused_messages()), (2, 2));
    assert!(sentences[0].contains("19 bytes") && sentences[1].contains("3 parts"), "{sentences:?}");
}

#[test]
fn waits_end_and_nobody_there_is_no_error_to_a_reader() {
    let mut source = ZmqSource::open(settings("zmq+pull+bind://127.0.0.1:*")).unwrap();
    let start = Instant::now();
    assert_eq!(source.read(&mut [Complex32::ZERO; 4]).unwrap().len, 0);
    assert!((0.05..1.0).contains(&start.elapsed().as_secs_f64()));
    assert_eq!(source.counters().timeouts, 1);

    let patient = ZmqSettings { send_timeout_ms: 100, ..settings("zmq+push://127.0.0.1:*") };
    let mut sink = ZmqSink::open(patient).unwrap();
    let start = Instant::now();
    let error = sink.send(&[Complex32::ONE], None).unwrap_err();
    assert!(matches!(error, HwError::Gone { .. }) && error.to_string().contains("100 ms"), "{error}");
    sink.finish().unwrap();
    assert!(start.elapsed() < Duration::from_secs(2));
    // Publishing waits for nobody.
    let mut sink = ZmqSink::open(settings("zmq+pub://127.0.0.1:*")).unwrap();
    (0..1000).for_each(|_| sink.send(&ramp(0..8192), None).unwrap());
}

#[test]
fn a_slow_receiver_holds_a_pusher_up_and_memory_stays_bounded() {
    let narrow =
        ZmqSettings { high_water_mark: 2, send_timeout_ms: 200, ..settings("zmq+push://127.0.0.1:*") };
    let mut sink = ZmqSink::open(narrow).unwrap();
    let source =
        ZmqSource::open(ZmqSettings { high_water_mark: 2, ..peer("pull", &sink.endpoint()) }).unwrap();
    // A receiver that never reads: the sockets' own buffers take some megabytes, and no more.
    let burst = vec![Complex32::ONE; 1 << 20];
    let stopped = (0..64).any(|_| sink.send(&burst, None).is_err());
    assert!(stopped && sink.counters().samples < 16 << 20, "{} samples", sink.counters().samples);
    drop(source);
}

#[test]
fn addresses_in_use_and_patterns_that_go_the_other_way_are_refused() {
    let sink = ZmqSink::open(settings("zmq+push://127.0.0.1:*")).unwrap();
    let taken = ZmqSettings { endpoint: sink.endpoint(), ..settings("zmq+push://*:1") };
    let error = ZmqSink::open(taken).err().unwrap().to_string();
    assert!(error.contains("another program uses this address"), "{error}");
    assert!(ZmqSink::open(settings("zmq+sub://a:1")).err().unwrap().to_string().contains("pub or push"));
    assert!(ZmqSource::open(settings("zmq+pub://*:1")).err().unwrap().to_string().contains("sub or pull"));
}

#[test]
fn both_sides_open_again() {
    let mut sink = ZmqSink::open(settings("zmq+push://127.0.0.1:*")).unwrap();
    let fixed = ZmqSettings { endpoint: sink.endpoint(), ..settings("zmq+push://*:1") };
    drop(sink);
    sink = ZmqSink::open(fixed.clone()).unwrap();
    let mut source = ZmqSource::open(peer("pull", &fixed.endpoint)).unwrap();
    sink.send(&ramp(0..10), None).unwrap();
    assert_eq!(read_until(&mut source, 10, 10), ramp(0..10));
    sink.reopen().unwrap();
    sink.send(&ramp(10..20), None).unwrap();
    assert_eq!(read_until(&mut source, 10, 10), ramp(10..20));
    source.reopen().unwrap();
    // Until the sink sees that the old socket is gone, what it sends goes there: sent until it arrives.
    let mut buffer = [Complex32::ZERO; 10];
    let arrived = (0..200).any(|_| {
        sink.send(&ramp(20..30), None).unwrap();
        source.read(&mut buffer).unwrap().len == 10
    });
    assert!(arrived && buffer.to_vec() == ramp(20..30));
    sink.finish().unwrap();
}
