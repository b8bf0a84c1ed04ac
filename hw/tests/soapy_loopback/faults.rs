//! A radio that is unplugged is gone, and comes back.

use crate::rig::{args, fresh_air, number, numbered, read_whole, receiver, transmitter};
use num_complex::Complex32;
use sememe_hw::{HwError, SampleSink, SampleSource, soapy};
use std::fs;
use std::time::{Duration, Instant};

fn assert_gone<T: std::fmt::Debug>(result: Result<T, HwError>) {
    let error = result.expect_err("it is unplugged");
    assert!(matches!(error, HwError::Gone { .. }), "{error}");
}

#[test]
fn unplugging_in_mid_stream_is_survived() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("unplugged");
    let args = args(&fresh_air(), &format!("pace=real,unplug_file={}", file.display()));
    let mut receiver = receiver(&args, 1e6);
    let mut transmitter = transmitter(&args, 1e6);
    read_whole(&mut receiver, 5000);
    transmitter.send(&numbered(100), None).expect("sends");

    let pull = file.clone();
    let hand = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        fs::write(pull, "").expect("the file is written");
    });
    let mut samples = vec![Complex32::default(); 2000];
    let begin = Instant::now();
    let lost = loop {
        assert!(begin.elapsed() < Duration::from_secs(5), "it was never lost");
        if let Err(error) = receiver.read(&mut samples) {
            break error;
        }
    };
    hand.join().expect("the hand is done");
    assert!(matches!(lost, HwError::Gone { .. }) && lost.to_string().contains("is gone"), "{lost}");
    assert_gone(receiver.read(&mut samples));
    assert_gone(receiver.reopen());
    assert_gone(transmitter.send(&numbered(100), None));
    assert_gone(transmitter.send(&numbered(100), None));
    assert_gone(transmitter.reopen());
    assert_eq!((receiver.counters().losses, transmitter.counters().losses), (1, 1));
    wait_until(|| soapy::devices(&args).expect("lists").is_empty());

    fs::remove_file(&file).expect("the file is removed");
    receiver.reopen().expect("it is back");
    transmitter.reopen().expect("it is back");
    let read = receiver.read(&mut samples).expect("reads");
    assert!(read.len > 0 && read.is_torn, "{read:?}");
    transmitter.send(&numbered(100), None).expect("sends");
    let begin = Instant::now();
    loop {
        assert!(begin.elapsed() < Duration::from_secs(5), "the burst never came");
        let read = receiver.read(&mut samples).expect("reads");
        if samples[..read.len].iter().any(|y| number(*y) == 1) {
            break;
        }
    }
    wait_until(|| soapy::devices(&args).expect("lists").len() == 1);
}

#[test]
fn a_setting_unplugs_all_devices_on_the_air() {
    let air = fresh_air();
    let mut receiver = receiver(&args(&air, "pace=free"), 1e6);
    let hand = soapysdr::Device::new(args(&air, "pace=free,seed=9").as_str()).expect("opens");
    read_whole(&mut receiver, 100);
    hand.write_setting("unplug", "1").expect("sets");
    assert_gone(receiver.read(&mut [Complex32::default(); 100]));
    assert_gone(receiver.reopen());
    hand.write_setting("unplug", "0").expect("sets");
    receiver.reopen().expect("it is back");
    assert!(receiver.read(&mut [Complex32::default(); 100]).expect("reads").is_torn);
    read_whole(&mut receiver, 100);
}

/// The library remembers for a second what it has found.
fn wait_until(holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(10), "it never came true");
        std::thread::sleep(Duration::from_millis(100));
    }
}
