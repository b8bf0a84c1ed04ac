//! The driver, built once, and fronts on it.

use num_complex::Complex32;
use sememe_hw::soapy::{SoapyReceiver, SoapyTransmitter};
use sememe_hw::{BurstSettings, Gain, RadioSettings};
use sememe_hw::{SampleSource, soapy};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Set where a test has started this process: the device string that it is to use.
pub const CHILD_ARGS: &str = "SEMEME_TEST_CHILD_ARGS";

/// Builds the driver and shows it to the library, once.
static DRIVER: LazyLock<()> = LazyLock::new(|| {
    if std::env::var_os(CHILD_ARGS).is_none() {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("loopback");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("loopback/build.sh");
        let built = Command::new("sh").arg(script).arg(&folder).output().expect("sh runs");
        assert!(
            built.status.success(),
            "the loopback driver cannot be built, so the radio path stays untested: {}",
            String::from_utf8_lossy(&built.stderr)
        );
        // SAFETY: the standard library guards its own accesses; the C++ library reads the variable first when
        // it loads modules, which is below, and every test comes here before it touches the library.
        unsafe { std::env::set_var("SOAPY_SDR_PLUGIN_PATH", &folder) };
    }
    let drivers = soapy::drivers();
    assert!(drivers.iter().any(|name| name == "sememe_loopback"), "not loaded: {:?}", soapy::modules());
});

/// A name for an air that nobody else has.
pub fn fresh_air() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A device string.
///
/// - rest: further arguments, as `pace=free,delay=3`
pub fn args(air: &str, rest: &str) -> String {
    LazyLock::force(&DRIVER);
    format!("driver=sememe_loopback,air={air},buffer=1048576,{rest}")
}

/// Settings that may also transmit.
pub fn settings(args: &str, sample_rate_hz: f64) -> RadioSettings {
    RadioSettings {
        args: args.to_string(),
        frequency_hz: Some(2.45e9),
        gain_db: Some(Gain::Overall(20.0)),
        sample_rate_hz,
        ..RadioSettings::default()
    }
}

/// A receiver, receiving.
pub fn receiver(args: &str, sample_rate_hz: f64) -> SoapyReceiver {
    SoapyReceiver::open(&settings(args, sample_rate_hz)).expect("the loopback receives")
}

/// A transmitter that adds no zeros.
pub fn transmitter(args: &str, sample_rate_hz: f64) -> SoapyTransmitter {
    let bursts = BurstSettings { tail_samples: 0, ..BurstSettings::default() };
    SoapyTransmitter::open(&settings(args, sample_rate_hz), &bursts).expect("the loopback transmits")
}

/// Reads so many samples, none of them missing.
pub fn read_whole(receiver: &mut SoapyReceiver, len: usize) -> Vec<Complex32> {
    let mut samples = vec![Complex32::default(); len];
    let mut done = 0;
    while done < len {
        let read = receiver.read(&mut samples[done..]).expect("the loopback reads");
        assert!(!read.is_torn && read.missing == 0, "{read:?} after {done}");
        assert!(read.len > 0, "nothing came after {done} of {len}");
        done += read.len;
    }
    samples
}

/// Samples that are all different: each tells its number, exact in single precision up to 2^40.
pub fn numbered(len: usize) -> Vec<Complex32> {
    (1..=len).map(|n| Complex32::new((n % (1 << 20)) as f32 + 1.0, (n >> 20) as f32)).collect()
}

/// The number that a sample of [`numbered`] tells, from 1; 0 for silence.
pub fn number(sample: Complex32) -> u64 {
    if sample == Complex32::default() { 0 } else { ((sample.im as u64) << 20) + sample.re as u64 - 1 }
}
