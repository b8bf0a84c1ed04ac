//! What is missing is known to the sample.

use crate::rig::{args, fresh_air, number, numbered, receiver, transmitter};
use num_complex::Complex32;
use sememe_hw::{SampleSink, SampleSource};
use std::time::Duration;

/// Reads until `len` numbers have gone by and checks that every sample is the one that its place says.
fn check_drops(rate_hz: f64, drops: f64, len: usize) {
    let air = fresh_air();
    let mut receiver = receiver(&args(&air, &format!("pace=free,drops={drops},seed=11")), rate_hz);
    let mut transmitter = transmitter(&args(&air, "pace=free"), rate_hz);
    let sender = std::thread::spawn(move || transmitter.send(&numbered(len), None).expect("sends"));
    let mut samples = vec![Complex32::default(); 5000];
    let (mut elapsed, mut lost, mut read_len) = (0, 0, 0);
    let mut first_ns = None;
    let mut offset = None; // place of the sample that bears number 0
    let mut last_number = 0;
    while last_number < len as u64 - 20_000 {
        let read = receiver.read(&mut samples).expect("reads");
        if read.len == 0 {
            continue;
        }
        let time_ns = read.time_ns.expect("it has time");
        let base_ns = *first_ns.get_or_insert(time_ns);
        assert_eq!(read.is_torn, read.missing > 0 || elapsed == 0 && read.is_torn);
        elapsed += read.missing;
        lost += read.missing;
        let expected_ns = base_ns as f64 + elapsed as f64 / rate_hz * 1e9;
        assert!((time_ns as f64 - expected_ns).abs() < 2.0, "{time_ns} for {expected_ns}");
        for y in &samples[..read.len] {
            if number(*y) > 0 {
                let offset = *offset.get_or_insert(elapsed as i64 - number(*y) as i64);
                assert_eq!(number(*y) as i64, elapsed as i64 - offset, "at {elapsed}");
                last_number = number(*y);
            } else {
                assert!(offset.is_none(), "a hole in the burst at {elapsed}");
            }
            elapsed += 1;
        }
        read_len += read.len as u64;
    }
    let counters = receiver.counters();
    assert_eq!(elapsed, lost + read_len);
    assert_eq!((counters.samples, counters.missing), (read_len, lost));
    assert_eq!(counters.overflows > 0, drops > 0.0);
    assert_eq!(counters.missing > 0, drops > 0.0);
    drop(receiver); // without a receiver the rest of the burst fits or is refused: either ends the sender
    sender.join().expect("the sender ends");
}

#[test]
fn drops_are_counted_exactly() {
    check_drops(1e6, 0.2, 2_000_000);
    check_drops(40e6, 0.5, 2_000_000);
    check_drops(3.84e6 / 7.0, 0.05, 1_000_000);
    check_drops(1e6, 0.0, 500_000);
}

#[test]
fn a_receiver_that_is_not_read_overflows() {
    let air = fresh_air();
    let mut receiver = receiver(&args(&air, "pace=real"), 4e6);
    let mut samples = vec![Complex32::default(); 1000];
    let mut read_some = || {
        loop {
            let read = receiver.read(&mut samples).expect("reads");
            if read.len > 0 {
                return (read, receiver.counters());
            }
        }
    };
    let (before, _) = read_some();
    std::thread::sleep(Duration::from_millis(300)); // the quarter of the ring is 66 ms
    let (after, counters) = read_some();
    assert!(after.is_torn && after.missing > 4 * 60_000, "{after:?}");
    let elapsed_ns = after.time_ns.expect("it has time") - before.time_ns.expect("it has time");
    assert_eq!((elapsed_ns as f64 * 4e-3).round() as u64, before.len as u64 + after.missing);
    assert_eq!((counters.overflows, counters.missing), (1, after.missing));
}
