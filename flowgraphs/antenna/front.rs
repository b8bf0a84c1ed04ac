//! Opens fronts by the names that users give them: radios, recordings, sockets.
//!
//! | name | front |
//! |---|---|
//! | `driver=hackrf`, `driver=uhd,type=b200` | a radio, as SoapySDR knows it (feature `soapy`) |
//! | `zmq+sub://127.0.0.1:5555` and others | a socket of GNU Radio's kind (feature `zeromq`) |
//! | anything else | a SigMF recording |

use sememe_hw::sigmf::{RecordingReader, RecordingWriter, WriterSettings};
use sememe_hw::{BurstSettings, HwError, RadioSettings, Result, SampleSink, SampleSource};

/// Drivers by the names that users know: nobody means a recording by them.
const DRIVERS: [&str; 8] = ["uhd", "hackrf", "rtlsdr", "bladerf", "lime", "plutosdr", "airspy", "sdrplay"];

/// Why there are no radios in this program.
pub const NO_RADIOS: &str = "this program was built without radios: install SoapySDR (Debian: libsoapysdr-dev) and build with \
                             cargo build --release --features soapy";

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrontKind {
    /// A radio.
    Radio,
    /// A socket.
    Socket,
    /// A file.
    Recording,
}

impl FrontKind {
    /// The kind of a name.
    pub fn of(name: &str) -> Self {
        match name {
            name if name.starts_with("zmq") && name.contains("://") => Self::Socket,
            name if name.split(',').any(|pair| pair.trim().starts_with("driver=")) => Self::Radio,
            _ => Self::Recording,
        }
    }
}

/// Refuses names of radios that lack what makes them such.
fn check_recording(name: &str) -> Result<()> {
    if name.contains('=') {
        let reason =
            "a radio is named by its driver, such as driver=uhd,type=b200; a recording by a name without =";
        return Err(HwError::refused(name, reason));
    }
    if DRIVERS.contains(&name.to_lowercase().as_str()) {
        let reason =
            format!("the radio is driver={}; a recording of that name is ./{name}", name.to_lowercase());
        return Err(HwError::refused(name, reason));
    }
    Ok(())
}

/// Opens a front to receive from.
///
/// - settings: of a radio; its `args` and `sample_rate_hz` are taken from the other two
/// - errors: one sentence that says what to do
pub fn open_source(
    name: &str,
    settings: &RadioSettings,
    sample_rate_hz: f64,
) -> Result<Box<dyn SampleSource>> {
    match FrontKind::of(name) {
        FrontKind::Radio => radio::source(&tuned(name, settings, sample_rate_hz)),
        FrontKind::Socket => socket::source(name, sample_rate_hz),
        FrontKind::Recording => {
            check_recording(name)?;
            let recording = RecordingReader::open(name)?;
            let found = recording.sample_rate_hz();
            if (found / sample_rate_hz - 1.0).abs() > 1e-5 {
                let reason = format!(
                    "recorded at {found} samples per second, where the numerology has {sample_rate_hz}: allowed is a \
                     recording of that rate, or another air.numerology"
                );
                return Err(HwError::refused(name, reason));
            }
            Ok(Box::new(recording))
        }
    }
}

/// Opens a front to send to.
///
/// - settings: as for [`open_source`]
/// - may_overwrite: whether a recording of this name may be replaced
/// - errors: one sentence that says what to do
pub fn open_sink(
    name: &str,
    settings: &RadioSettings,
    bursts: &BurstSettings,
    sample_rate_hz: f64,
    may_overwrite: bool,
) -> Result<Box<dyn SampleSink>> {
    match FrontKind::of(name) {
        FrontKind::Radio => radio::sink(&tuned(name, settings, sample_rate_hz), bursts),
        FrontKind::Socket => socket::sink(name, sample_rate_hz),
        FrontKind::Recording => {
            check_recording(name)?;
            let settings = recording_settings(settings, sample_rate_hz, may_overwrite);
            Ok(Box::new(RecordingWriter::create(name, settings)?))
        }
    }
}

/// How recordings are written.
pub fn recording_settings(
    settings: &RadioSettings,
    sample_rate_hz: f64,
    may_overwrite: bool,
) -> WriterSettings {
    WriterSettings {
        sample_rate_hz,
        frequency_hz: settings.frequency_hz,
        recorder: Some(format!("sememe {}", env!("CARGO_PKG_VERSION"))),
        may_overwrite,
        ..WriterSettings::default()
    }
}

fn tuned(name: &str, settings: &RadioSettings, sample_rate_hz: f64) -> RadioSettings {
    RadioSettings { args: name.into(), sample_rate_hz, ..settings.clone() }
}

#[cfg(feature = "soapy")]
mod radio {
    use super::*;
    use sememe_hw::soapy::{SoapyReceiver, SoapyTransmitter};

    pub fn source(settings: &RadioSettings) -> Result<Box<dyn SampleSource>> {
        Ok(Box::new(SoapyReceiver::open(settings)?))
    }

    pub fn sink(settings: &RadioSettings, bursts: &BurstSettings) -> Result<Box<dyn SampleSink>> {
        Ok(Box::new(SoapyTransmitter::open(settings, bursts)?))
    }
}

#[cfg(not(feature = "soapy"))]
mod radio {
    use super::*;

    pub fn source(settings: &RadioSettings) -> Result<Box<dyn SampleSource>> {
        Err(HwError::refused(settings.args.as_str(), NO_RADIOS))
    }

    pub fn sink(settings: &RadioSettings, _: &BurstSettings) -> Result<Box<dyn SampleSink>> {
        Err(HwError::refused(settings.args.as_str(), NO_RADIOS))
    }
}

#[cfg(feature = "zeromq")]
mod socket {
    use super::*;
    use sememe_hw::zeromq::{ZmqSettings, ZmqSink, ZmqSource};

    pub fn source(name: &str, sample_rate_hz: f64) -> Result<Box<dyn SampleSource>> {
        Ok(Box::new(ZmqSource::open(ZmqSettings::from_address(name, sample_rate_hz)?)?))
    }

    pub fn sink(name: &str, sample_rate_hz: f64) -> Result<Box<dyn SampleSink>> {
        Ok(Box::new(ZmqSink::open(ZmqSettings::from_address(name, sample_rate_hz)?)?))
    }
}

#[cfg(not(feature = "zeromq"))]
mod socket {
    use super::*;

    const HOW: &str = "this program was built without sockets: install ZeroMQ (Debian: libzmq3-dev) and build with \
                       cargo build --release --features zeromq";

    pub fn source(name: &str, _: f64) -> Result<Box<dyn SampleSource>> {
        Err(HwError::refused(name, HOW))
    }

    pub fn sink(name: &str, _: f64) -> Result<Box<dyn SampleSink>> {
        Err(HwError::refused(name, HOW))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        for (name, kind) in [
            ("driver=hackrf", FrontKind::Radio),
            ("type=b200, driver=uhd", FrontKind::Radio),
            ("zmq+pub://*:5555", FrontKind::Socket),
            ("out/first.sigmf-meta", FrontKind::Recording),
            ("driver", FrontKind::Recording),
        ] {
            assert_eq!(FrontKind::of(name), kind, "{name}");
        }
    }

    #[test]
    fn radios_are_not_taken_for_recordings() {
        let refused = |name| open_source(name, &RadioSettings::default(), 1e6).err().unwrap().to_string();
        assert!(refused("type=b200").contains("driver=uhd,type=b200"));
        assert!(refused("HackRF").contains("driver=hackrf") && refused("HackRF").contains("./HackRF"));
    }

    #[test]
    fn a_recording_of_another_rate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("a").display().to_string();
        let (settings, bursts) = (RadioSettings::default(), BurstSettings::default());
        let mut sink = open_sink(&name, &settings, &bursts, 2e6, false).unwrap();
        sink.send(&[num_complex::Complex32::ONE; 100], None).unwrap();
        sink.finish().unwrap();
        assert!(open_source(&name, &settings, 2e6).is_ok());
        let error = open_source(&name, &settings, 1e6).err().unwrap().to_string();
        assert!(error.contains("recorded at 2000000") && error.contains("air.numerology"), "{error}");
        assert!(open_sink(&name, &settings, &bursts, 2e6, false).is_err(), "nothing is overwritten");
    }
}
