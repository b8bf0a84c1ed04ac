//! What a user sets on a radio.

use crate::{HwError, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most zeros that may follow a burst: more than a second at any rate that radios have.
const MAX_ZEROS: usize = 100_000_000;

/// Settings of a radio, for receiving or transmitting. Samples are always complex floats (`CF32`): the library
/// converts from and to what the radio has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RadioSettings {
    /// The device as `SoapySDRUtil --find` names it: `driver=hackrf`, `driver=uhd,type=b200`.
    pub args: String,
    /// Which of the device's channels, from 0.
    pub channel: usize,
    /// Centre frequency in Hz; `None` leaves the device as it is, and is refused for transmitting.
    pub frequency_hz: Option<f64>,
    /// Complex samples per second.
    pub sample_rate_hz: f64,
    /// Analog bandwidth in Hz; `None` leaves the driver's choice.
    pub bandwidth_hz: Option<f64>,
    /// Gain in dB; `None` leaves the device as it is, and is refused for transmitting.
    pub gain_db: Option<Gain>,
    /// Antenna port by the device's name for it; `None` leaves the driver's choice.
    pub antenna: Option<String>,
    /// Where the reference clock comes from, as `internal` or `external`.
    pub clock_source: Option<String>,
    /// Where the time comes from, as `internal`, `external` or `gpsdo`.
    pub time_source: Option<String>,
    /// Driver-specific stream arguments: `key=value` pairs with commas between them.
    pub stream_args: String,
}

impl Default for RadioSettings {
    fn default() -> Self {
        Self {
            args: String::new(),
            channel: 0,
            frequency_hz: None,
            sample_rate_hz: 1e6,
            bandwidth_hz: None,
            gain_db: None,
            antenna: None,
            clock_source: None,
            time_source: None,
            stream_args: String::new(),
        }
    }
}

/// Gain in dB: one number, or one per element of the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Gain {
    /// The driver distributes it over the elements.
    Overall(f64),
    /// By the device's names: `{ LNA = 16, VGA = 20 }`. Elements that are not named stay as they are.
    Elements(BTreeMap<String, f64>),
}

/// How a transmitter sends bursts, and for how long at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BurstSettings {
    /// Longest time on the air in seconds, all bursts and their tails together; beyond it bursts are refused.
    pub max_seconds: f64,
    /// Zeros sent after every burst, in samples: they push its end through the radio's filters and buffers.
    pub tail_samples: usize,
    /// Every burst with its tail is filled with zeros to a multiple of this many samples. `None`: as the device
    /// needs, which is 131072 for a HackRF (it sends whole transfers of 262144 bytes) and 1 for others.
    pub burst_multiple: Option<usize>,
}

impl Default for BurstSettings {
    fn default() -> Self {
        Self { max_seconds: 60.0, tail_samples: 1024, burst_multiple: None }
    }
}

impl RadioSettings {
    /// Checks what can be checked without the device.
    ///
    /// - errors: [`HwError::InvalidSetting`] naming the key
    pub fn validate(&self) -> Result<()> {
        check_pairs("args", &self.args, "key=value pairs, as driver=hackrf or driver=uhd,type=b200")?;
        if self.args.trim().is_empty() {
            let allowed = "a device, as driver=hackrf; SoapySDRUtil --find lists those plugged in";
            return Err(HwError::invalid("args", "\"\"", allowed));
        }
        check_pairs("stream_args", &self.stream_args, "key=value pairs with commas between them")?;
        for (name, text) in [
            ("antenna", &self.antenna),
            ("clock_source", &self.clock_source),
            ("time_source", &self.time_source),
        ] {
            if let Some(text) = text
                && text.contains('\0')
            {
                return Err(HwError::invalid(name, format!("{text:?}"), "text without NUL"));
            }
        }
        check_positive("sample_rate_hz", Some(self.sample_rate_hz))?;
        check_positive("bandwidth_hz", self.bandwidth_hz)?;
        check_positive("frequency_hz", self.frequency_hz)
    }
}

impl BurstSettings {
    /// Checks the limits.
    ///
    /// - errors: [`HwError::InvalidSetting`] naming the key
    pub fn validate(&self) -> Result<()> {
        check_positive("max_seconds", Some(self.max_seconds))?;
        if self.tail_samples > MAX_ZEROS {
            return Err(HwError::invalid("tail_samples", self.tail_samples, format!("0 to {MAX_ZEROS}")));
        }
        match self.burst_multiple {
            Some(multiple) if multiple == 0 || multiple > MAX_ZEROS => {
                Err(HwError::invalid("burst_multiple", multiple, format!("1 to {MAX_ZEROS}")))
            }
            _ => Ok(()),
        }
    }
}

fn check_positive(name: &'static str, value: Option<f64>) -> Result<()> {
    match value {
        Some(value) if !(value.is_finite() && value > 0.0) => {
            Err(HwError::invalid(name, value, "a number above 0"))
        }
        _ => Ok(()),
    }
}

/// The library skips in silence what is no pair: a misspelt device string would open another device.
fn check_pairs(name: &'static str, text: &str, allowed: &str) -> Result<()> {
    let is_pair = |part: &str| part.split_once('=').is_some_and(|(key, _)| !key.trim().is_empty());
    if text.contains('\0') || !(text.trim().is_empty() || text.split(',').all(is_pair)) {
        return Err(HwError::invalid(name, format!("{text:?}"), allowed));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hackrf() -> RadioSettings {
        RadioSettings { args: "driver=hackrf".into(), ..RadioSettings::default() }
    }

    #[test]
    fn reads_gain_as_one_number_or_as_elements() {
        let read = |text: &str| serde_json::from_str::<RadioSettings>(text).expect("valid settings").gain_db;
        assert_eq!(read(r#"{ "gain_db": 30 }"#), Some(Gain::Overall(30.0)));
        let elements = BTreeMap::from([("LNA".to_string(), 16.0), ("VGA".to_string(), 20.5)]);
        assert_eq!(read(r#"{ "gain_db": { "LNA": 16, "VGA": 20.5 } }"#), Some(Gain::Elements(elements)));
        assert!(serde_json::from_str::<RadioSettings>(r#"{ "gain": 30 }"#).is_err());
    }

    #[test]
    fn names_the_key_that_is_wrong() {
        hackrf().validate().expect("valid settings");
        let message = |settings: RadioSettings| settings.validate().expect_err("wrong settings").to_string();
        assert!(message(RadioSettings::default()).starts_with("args = \"\""));
        assert!(message(RadioSettings { args: "hackrf".into(), ..hackrf() }).contains("driver=hackrf"));
        assert!(
            message(RadioSettings { sample_rate_hz: f64::NAN, ..hackrf() }).starts_with("sample_rate_hz")
        );
        assert!(message(RadioSettings { antenna: Some("A\0".into()), ..hackrf() }).starts_with("antenna"));
        let limits = BurstSettings { max_seconds: 0.0, ..BurstSettings::default() };
        assert!(limits.validate().expect_err("no time").to_string().starts_with("max_seconds"));
    }
}
