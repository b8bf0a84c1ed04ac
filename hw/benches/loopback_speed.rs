//! How fast samples go through the real SoapySDR library and the loopback driver, in Msps:
//! `cargo bench -p sememe-hw --features soapy --bench loopback_speed`

#[path = "../tests/soapy_loopback/rig.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod rig;

use num_complex::Complex32;
use rig::{args, fresh_air, receiver, transmitter};
use sememe_hw::{SampleSink, SampleSource};
use std::time::Instant;

/// Sends and receives one long burst, and prints Msps from its first sample to its last.
fn measure(pace: &str, channel: &str, len: usize) {
    let air = fresh_air();
    // A ring that bears a receiver that is held up for 50 ms.
    let args = |rest: &str| args(&air, rest).replace("buffer=1048576", "buffer=4194304");
    let mut receiver = receiver(&args(&format!("pace={pace},{channel}")), 2e7);
    let mut transmitter = transmitter(&args(&format!("pace={pace}")), 2e7);
    let burst = vec![Complex32::new(100.0, 0.0); len];
    let sender = std::thread::spawn(move || {
        transmitter.send(&burst, None).expect("sends");
        transmitter.counters()
    });
    let mut samples = vec![Complex32::default(); 16384];
    let (mut begin, mut count) = (None, 0);
    loop {
        let read_len = receiver.read(&mut samples).expect("reads").len;
        let is_burst = samples[..read_len].last().is_some_and(|y| y.norm() > 50.0);
        match begin {
            None if is_burst => begin = Some(Instant::now()),
            Some(begin) if !is_burst && read_len > 0 => {
                let rate = f64::from(count) / Instant::elapsed(&begin).as_secs_f64() / 1e6;
                println!("pace={pace},{channel}: {rate:.1} Msps, {:?}", receiver.counters());
                break;
            }
            _ => {}
        }
        count += if begin.is_some() { read_len as u32 } else { 0 };
    }
    println!("    {:?}", sender.join().expect("the sender ends"));
}

fn main() {
    // `cargo test --benches` asks whether it runs at all.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    for channel in ["noise=0", "noise=0.1", "noise=0.1,cfo_hz=1000"] {
        measure("free", channel, 100_000_000);
    }
    // Five seconds at 20 Msps.
    measure("real", "noise=0.1,cfo_hz=1000", 100_000_000);
}
