//! Every failure is one sentence that says what to do, and what is there is listed.

use crate::rig::{args, fresh_air, receiver, settings};
use sememe_hw::soapy::{self, SoapyReceiver, SoapyTransmitter};
use sememe_hw::{BurstSettings, Gain, RadioSettings};
use std::collections::BTreeMap;

fn receive_error(settings: &RadioSettings) -> String {
    one_line(SoapyReceiver::open(settings).err().expect("it must not open").to_string())
}

fn transmit_error(settings: &RadioSettings) -> String {
    let error = SoapyTransmitter::open(settings, &BurstSettings::default()).err();
    one_line(error.expect("it must not open").to_string())
}

fn one_line(message: String) -> String {
    assert!(!message.contains('\n'), "{message}");
    message
}

#[track_caller]
fn assert_says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}

fn plain() -> RadioSettings {
    settings(&args(&fresh_air(), "pace=free"), 1e6)
}

#[test]
fn device_strings() {
    plain();
    let with = |args: &str| RadioSettings { args: args.into(), ..plain() };
    assert_says(&receive_error(&with("hackrf")), &["args = \"hackrf\"", "driver=hackrf"]);
    let missing = receive_error(&with("driver=nosuch,type=x"));
    assert_says(&missing, &["driver=nosuch,type=x: no driver nosuch", "installed are: ", "sememe_loopback"]);
    assert_says(&missing, &["soapysdr-module-nosuch", "SOAPY_SDR_PLUGIN_PATH"]);
    let extra = |rest: &str| with(&args(&fresh_air(), rest));
    assert_says(&receive_error(&extra("fail=open: Resource busy")), &["busy", "end the program"]);
    assert_says(
        &receive_error(&extra("fail=open: LIBUSB_ERROR_ACCESS")),
        &["permission denied", "udev rules"],
    );
    assert_says(&receive_error(&extra("fail=firmware is old")), &["could not open", "firmware is old"]);
    assert_says(&receive_error(&extra("colour=red")), &["no setting colour"]);
    assert_says(&receive_error(&extra("pace=slow")), &["pace=slow", "real or free"]);
    let file = tempfile::NamedTempFile::new().expect("a file");
    let unplugged = extra(&format!("unplug_file={}", file.path().display()));
    assert_says(&receive_error(&unplugged), &["no such device is found", "found are driver=sememe_loopback"]);
}

#[test]
fn settings_out_of_reach() {
    let rate = |sample_rate_hz| RadioSettings { sample_rate_hz, ..plain() };
    assert_says(&receive_error(&rate(5e7)), &["sample_rate_hz = 50000000", "allowed is 100000 to 40000000"]);
    assert_says(&receive_error(&rate(-1.0)), &["sample_rate_hz = -1", "above 0"]);
    let frequency = RadioSettings { frequency_hz: Some(7e9), ..plain() };
    assert_says(&receive_error(&frequency), &["frequency_hz = 7000000000", "0 to 6000000000"]);
    let bandwidth = RadioSettings { bandwidth_hz: Some(1.0), ..plain() };
    assert_says(&receive_error(&bandwidth), &["bandwidth_hz = 1", "100000 to 40000000"]);
    let antenna = RadioSettings { antenna: Some("TX/RX".into()), ..plain() };
    assert_says(&receive_error(&antenna), &["antenna = TX/RX", "allowed is RX"]);
    let clock = RadioSettings { clock_source: Some("gpsdo".into()), ..plain() };
    assert_says(&receive_error(&clock), &["clock_source = gpsdo", "allowed is internal"]);
    let time = RadioSettings { time_source: Some("gpsdo".into()), ..plain() };
    assert_says(&receive_error(&time), &["time_source = gpsdo", "none on this device"]);
    let channel = RadioSettings { channel: 1, ..plain() };
    assert_says(&receive_error(&channel), &["channel = 1", "0 to 0"]);
    let gain = |gain_db| RadioSettings { gain_db: Some(gain_db), ..plain() };
    let element = |name: &str, value| Gain::Elements(BTreeMap::from([(name.to_string(), value)]));
    assert_says(&receive_error(&gain(element("AMP", 14.0))), &["gain_db = AMP", "allowed is LNA, VGA"]);
    assert_says(&receive_error(&gain(element("LNA", 41.0))), &["gain_db = 41", "0 to 40"]);
    assert_says(&receive_error(&gain(Gain::Overall(103.0))), &["gain_db = 103", "0 to 102"]);
    SoapyReceiver::open(&gain(element("LNA", 40.0))).expect("allowed");
}

#[test]
fn nothing_is_transmitted_by_accident() {
    let silent = RadioSettings { frequency_hz: None, ..plain() };
    assert_says(&transmit_error(&silent), &["without an explicit frequency_hz"]);
    SoapyReceiver::open(&silent).expect("a receiver may stay where it is");
    assert_says(
        &transmit_error(&RadioSettings { gain_db: None, ..plain() }),
        &["without an explicit gain_db"],
    );
}

#[test]
fn two_ends_must_agree() {
    let air = fresh_air();
    let _receiver = receiver(&args(&air, "pace=free"), 1e6);
    let other_rate = settings(&args(&air, "pace=free,seed=2"), 2e6);
    assert_says(&receive_error(&other_rate), &["the air runs at 1000000", "one rate at both ends"]);
    let other_pace = settings(&args(&air, "pace=real"), 1e6);
    assert_says(&receive_error(&other_pace), &["runs at pace=free", "ask for the same pace"]);
}

#[test]
fn lists_what_is_there() {
    let air = fresh_air();
    let found = soapy::devices(&args(&air, "pace=free")).expect("lists");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].driver, "sememe_loopback");
    assert!(found[0].label.contains(&air), "{:?}", found[0]);
    SoapyReceiver::open(&settings(&found[0].args, 1e6)).expect("what is listed opens");
    assert!(soapy::devices("").expect("lists").iter().any(|device| device.driver == "sememe_loopback"));
    assert!(soapy::devices("serial=1").expect("lists").is_empty());
    assert!(soapy::drivers().contains(&"sememe_loopback".to_string()));
    let modules = soapy::modules();
    let module = modules.iter().find(|module| module.path.contains("sememe_loopback")).expect("it is loaded");
    assert_eq!(
        (module.error.as_ref(), module.drivers.as_slice()),
        (None, &["sememe_loopback".to_string()][..])
    );
    assert!(!soapy::search_paths().is_empty());
    assert!(soapy::library_version().starts_with("0."), "{}", soapy::library_version());
}
