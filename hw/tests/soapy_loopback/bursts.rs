//! Bursts leave when they should, whole, with their zeros, and what goes wrong with them is counted.

use crate::rig::{args, fresh_air, number, numbered, read_whole, receiver, settings, transmitter};
use num_complex::Complex32;
use sememe_hw::BurstSettings;
use sememe_hw::soapy::SoapyTransmitter;
use sememe_hw::{SampleSink, SampleSource};
use soapysdr::{Device, Direction, ErrorCode};
use std::time::{Duration, Instant};

#[test]
fn timed_bursts_are_exact_to_the_sample() {
    let air = fresh_air();
    let rate_hz = 3e6; // no whole number of nanoseconds per sample
    let mut receiver = receiver(&args(&air, "pace=free"), rate_hz);
    let mut transmitter = transmitter(&args(&air, "pace=free"), rate_hz);
    let starts = [0, 1, 1_000, 1_010, 77_777, 200_001];
    let mut expected = vec![Complex32::default(); 210_000];
    for (n, start) in starts.into_iter().enumerate() {
        let burst = [Complex32::new(n as f32 + 1.0, -1.0); 1];
        expected[start] = burst[0];
        let at_ns = (start as f64 / rate_hz * 1e9).round() as i64;
        transmitter.send(&burst, Some(at_ns)).expect("sends");
    }
    assert_eq!(read_whole(&mut receiver, expected.len()), expected);
    assert_eq!(transmitter.counters().late, 0);
    assert_eq!(transmitter.counters().bursts, starts.len() as u64);
}

#[test]
fn timed_bursts_are_exact_in_real_time() {
    let air = fresh_air();
    let rate_hz = 1e6;
    let mut receiver = receiver(&args(&air, "pace=real"), rate_hz);
    let mut transmitter = transmitter(&args(&air, "pace=real"), rate_hz);
    // On a whole sample; a quarter of a second ahead, so that a busy machine is not late.
    let at_ns = (transmitter.time_ns().expect("it has time") + 250_000_000) / 1000 * 1000;
    transmitter.send(&numbered(5000), Some(at_ns)).expect("sends");
    let mut samples = vec![Complex32::default(); 4096];
    let begin = Instant::now();
    loop {
        assert!(begin.elapsed() < Duration::from_secs(5), "the burst never came");
        let read = receiver.read(&mut samples).expect("reads");
        if let Some(index) = samples[..read.len].iter().position(|y| number(*y) > 0) {
            let time_ns = read.time_ns.expect("it has time") + index as i64 * 1000;
            assert_eq!(number(samples[index]), 1, "the beginning was missed");
            assert_eq!(time_ns, at_ns);
            break;
        }
    }
    transmitter.finish().expect("finishes");
    assert!(transmitter.time_ns().expect("it has time") >= at_ns + 5_000_000, "finish waits for the end");
    assert_eq!(transmitter.counters().late, 0);
}

#[test]
fn late_bursts_are_counted_and_dropped_whole() {
    let air = fresh_air();
    let mut receiver = receiver(&args(&air, "pace=free"), 1e6);
    let mut transmitter = transmitter(&args(&air, "pace=free"), 1e6);
    read_whole(&mut receiver, 1000);
    transmitter.send(&numbered(100_000), Some(999_000)).expect("a late burst is no error");
    assert_eq!(transmitter.counters().late, 1);
    transmitter.send(&[Complex32::new(5.0, 5.0)], Some(1_000_000)).expect("sends");
    assert_eq!(transmitter.counters().late, 1);
    let received = read_whole(&mut receiver, 50_000);
    assert_eq!(received[0], Complex32::new(5.0, 5.0));
    assert!(received[1..].iter().all(|y| *y == Complex32::default()));
}

#[test]
fn long_bursts_wait_for_a_slow_receiver() {
    let air = fresh_air();
    let mut receiver = receiver(&args(&air, "pace=free"), 1e6);
    let mut transmitter = transmitter(&args(&air, "pace=free"), 1e6);
    let len = 3_000_000; // nearly three times the ring
    let sender = std::thread::spawn(move || {
        transmitter.send(&numbered(len), None).expect("sends");
        transmitter.counters()
    });
    std::thread::sleep(Duration::from_millis(300));
    let (mut next, mut samples) = (1, vec![Complex32::default(); 10_000]);
    while next <= len as u64 {
        let read = receiver.read(&mut samples).expect("reads");
        assert_eq!(read.missing, 0);
        for found in samples[..read.len].iter().map(|y| number(*y)) {
            let is_idle = next == 1 || next > len as u64;
            assert!(found == next || (is_idle && found == 0), "{found} where {next} belongs");
            next += u64::from(found == next);
        }
    }
    let counters = sender.join().expect("the sender ends");
    assert_eq!((counters.samples, counters.underflows), (len as u64, 0));
    assert!(counters.timeouts > 0, "it had to wait");
}

#[test]
fn a_burst_that_runs_dry_is_an_underflow() {
    let air = fresh_air();
    let device = Device::new(args(&air, "pace=real").as_str()).expect("opens");
    let mut stream = device.tx_stream::<Complex32>(&[0]).expect("streams");
    stream.activate(None).expect("starts");
    let part = numbered(100);
    let mut write = |ends| stream.write(&[&part], None, ends, 100_000).expect("writes");
    write(false);
    std::thread::sleep(Duration::from_millis(50));
    write(true);
    let status = stream.read_status(&mut 0, &mut 0, &mut 0, 0).expect_err("an underflow is reported");
    assert_eq!(status.code, ErrorCode::Underflow);
    let status = stream.read_status(&mut 0, &mut 0, &mut 0, 0).expect_err("once");
    assert_eq!(status.code, ErrorCode::Timeout);
    assert_eq!(device.num_channels(Direction::Tx).expect("it has channels"), 1);
}

#[test]
fn zeros_follow_a_burst_and_count() {
    let air = fresh_air();
    let mut receiver = receiver(&args(&air, "pace=free"), 1e6);
    let open = |bursts: &BurstSettings| {
        SoapyTransmitter::open(&settings(&args(&air, "pace=free"), 1e6), bursts).expect("transmits")
    };
    let bursts = BurstSettings { max_seconds: 0.01, tail_samples: 50, burst_multiple: Some(1000) };
    let mut transmitter = open(&bursts);
    transmitter.send(&numbered(951), None).expect("sends");
    assert_eq!(transmitter.counters().samples, 2000);
    let received = read_whole(&mut receiver, 2000);
    assert_eq!(received[..951], numbered(951));
    assert!(received[951..].iter().all(|y| *y == Complex32::default()));
    // 2 ms are spent; 9 would make 11.
    let refused = transmitter.send(&numbered(8900), None).expect_err("the limit holds").to_string();
    assert!(refused.contains("max_seconds = 0.01") && refused.contains("0.002 s on the air"), "{refused}");
    transmitter.send(&numbered(7900), None).expect("8 more are allowed");
}
