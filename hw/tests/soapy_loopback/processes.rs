//! Transmitter and receiver in two processes, as users run them in two terminals.

use crate::rig::{CHILD_ARGS, args, fresh_air, number, numbered, receiver, transmitter};
use num_complex::Complex32;
use sememe_hw::soapy::SoapyReceiver;
use sememe_hw::{SampleSink, SampleSource};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const RATE_HZ: f64 = 1e6;

fn start(child: &str, args: &str) -> Child {
    Command::new(std::env::current_exe().expect("this test has a path"))
        .args(["--exact", child, "--ignored", "--nocapture"])
        .env(CHILD_ARGS, args)
        .spawn()
        .expect("the child starts")
}

/// Reads until sample `last` of a burst has come, and returns how many of its samples came, in order.
fn receive(receiver: &mut SoapyReceiver, last: u64) -> u64 {
    let (mut samples, mut expected) = (vec![Complex32::default(); 8192], 1);
    let begin = Instant::now();
    while expected <= last {
        assert!(begin.elapsed() < Duration::from_secs(60), "sample {expected} never came");
        let read = receiver.read(&mut samples).expect("reads");
        for y in samples[..read.len].iter().filter(|y| number(**y) > 0).take((last + 1 - expected) as usize) {
            assert_eq!(number(*y), expected);
            expected += 1;
        }
    }
    expected - 1
}

#[test]
fn samples_cross_from_process_to_process() {
    for pace in ["real", "free"] {
        let args = args(&fresh_air(), &format!("pace={pace}"));
        let mut receiver = receiver(&args, RATE_HZ);
        let mut child = start("processes::child_sends", &args);
        assert_eq!(receive(&mut receiver, 200_000), 200_000);
        assert!(child.wait().expect("the child ends").success());
    }
}

#[test]
fn a_transmitter_that_dies_holds_nobody_up() {
    let args = args(&fresh_air(), "pace=free");
    let mut receiver = receiver(&args, RATE_HZ);
    let mut child = start("processes::child_dies", &args);
    receive(&mut receiver, 1000);
    assert!(!child.wait().expect("the child ends").success());
    let (before, mut samples) = (receiver.counters().samples, vec![Complex32::default(); 8192]);
    let begin = Instant::now();
    while receiver.counters().samples < before + 5_000_000 {
        assert!(begin.elapsed() < Duration::from_secs(30), "time stands still");
        receiver.read(&mut samples).expect("reads");
    }
    let mut transmitter = transmitter(&args, RATE_HZ);
    transmitter.send(&numbered(10), None).expect("sends");
    receive(&mut receiver, 10);
}

#[test]
#[ignore = "run by samples_cross_from_process_to_process"]
fn child_sends() {
    let Ok(args) = std::env::var(CHILD_ARGS) else { return };
    let mut transmitter = transmitter(&args, RATE_HZ);
    // In real time a quarter of a second ahead, so that a busy machine does not let it run dry.
    let ahead_ns = |now_ns: i64| now_ns + 250_000_000;
    let at_ns = transmitter.time_ns().filter(|_| args.contains("pace=real")).map(ahead_ns);
    transmitter.send(&numbered(200_000), at_ns).expect("sends");
    transmitter.finish().expect("finishes");
    assert_eq!(transmitter.counters().underflows, 0);
}

#[test]
#[ignore = "run by a_transmitter_that_dies_holds_nobody_up"]
fn child_dies() {
    let Ok(args) = std::env::var(CHILD_ARGS) else { return };
    let device = soapysdr::Device::new(args.as_str()).expect("opens");
    let mut stream = device.tx_stream::<Complex32>(&[0]).expect("streams");
    stream.activate(None).expect("starts");
    stream.write(&[&numbered(1000)], None, false, 100_000).expect("writes");
    std::process::abort(); // in mid-burst, with its place on the air taken
}
