//! Opens a device and sets it as asked; every failure says what would be possible.

use super::fault;
use crate::{Gain, RadioSettings};
use crate::{HwError, Result};
use soapysdr::{Device, Direction, Error, Range};

/// Largest relative deviation of the sample rate that is taken for the rate that was asked for.
const RATE_TOLERANCE: f64 = 1e-5;

/// A device that is open and set.
pub(super) struct Radio {
    pub(super) device: Device,
    /// Samples per second as the device has them.
    pub(super) sample_rate_hz: f64,
    /// Whether it stamps samples with a time.
    pub(super) has_time: bool,
}

impl Radio {
    /// Opens and sets the device.
    ///
    /// - is_reopening: whether it was open before; where it is not found then it is gone, and may come back
    /// - errors: [`HwError::InvalidSetting`] with what is allowed; [`HwError::Refused`]; [`HwError::Gone`]
    pub(super) fn open(settings: &RadioSettings, direction: Direction, is_reopening: bool) -> Result<Self> {
        settings.validate()?;
        let args = settings.args.as_str();
        let device = Device::new(args).map_err(|error| fault::explain(args, &error.message, is_reopening))?;
        let tuner = Tuner { device: &device, settings, direction };
        let sample_rate_hz = tuner.tune()?;
        let has_time = device.has_hardware_time(None).unwrap_or(false);
        Ok(Self { device, sample_rate_hz, has_time })
    }
}

struct Tuner<'a> {
    device: &'a Device,
    settings: &'a RadioSettings,
    direction: Direction,
}

impl Tuner<'_> {
    /// Sets everything that is given, and returns the sample rate that the device has taken.
    fn tune(&self) -> Result<f64> {
        let (device, settings, direction, channel) =
            (self.device, self.settings, self.direction, self.settings.channel);
        self.check_channel()?;
        // Clocks first: a change of clock may reset the rest.
        if let Some(source) = &settings.clock_source {
            check_name("clock_source", source, &self.ask(device.list_clock_sources())?)?;
            self.ask(device.set_clock_source(source.as_str()))?;
        }
        if let Some(source) = &settings.time_source {
            check_name("time_source", source, &self.ask(device.list_time_sources())?)?;
            self.ask(device.set_time_source(source.as_str()))?;
        }
        let sample_rate_hz = self.set_sample_rate()?;
        if let Some(antenna) = &settings.antenna {
            check_name("antenna", antenna, &self.ask(device.antennas(direction, channel))?)?;
            self.ask(device.set_antenna(direction, channel, antenna.as_str()))?;
        }
        if let Some(bandwidth) = settings.bandwidth_hz {
            check_range("bandwidth_hz", bandwidth, &self.ask(device.bandwidth_range(direction, channel))?)?;
            self.ask(device.set_bandwidth(direction, channel, bandwidth))?;
        }
        if let Some(frequency) = settings.frequency_hz {
            check_range("frequency_hz", frequency, &self.ask(device.frequency_range(direction, channel))?)?;
            self.ask(device.set_frequency(direction, channel, frequency, ()))?;
        }
        self.set_gain()?;
        Ok(sample_rate_hz)
    }

    fn check_channel(&self) -> Result<()> {
        let count = self.ask(self.device.num_channels(self.direction))?;
        let deed = if self.direction == Direction::Rx { "receives" } else { "transmits" };
        if count == 0 {
            let reason = format!("no channel of this device {deed}: use another device");
            return Err(HwError::refused(self.settings.args.as_str(), reason));
        }
        if self.settings.channel >= count {
            return Err(HwError::invalid("channel", self.settings.channel, format!("0 to {}", count - 1)));
        }
        Ok(())
    }

    fn set_sample_rate(&self) -> Result<f64> {
        let (rate, channel) = (self.settings.sample_rate_hz, self.settings.channel);
        let ranges = self.ask(self.device.get_sample_rate_range(self.direction, channel))?;
        check_range("sample_rate_hz", rate, &ranges)?;
        self.ask(self.device.set_sample_rate(self.direction, channel, rate))?;
        let taken = self.ask(self.device.sample_rate(self.direction, channel))?;
        if (taken / rate - 1.0).abs() > RATE_TOLERANCE {
            let allowed = format!("what the device can derive from its clock, the nearest being {taken}");
            return Err(HwError::invalid("sample_rate_hz", rate, allowed));
        }
        Ok(taken)
    }

    fn set_gain(&self) -> Result<()> {
        let (device, direction, channel) = (self.device, self.direction, self.settings.channel);
        let Some(gain) = &self.settings.gain_db else { return Ok(()) };
        if device.has_gain_mode(direction, channel).unwrap_or(false) {
            self.ask(device.set_gain_mode(direction, channel, false))?;
        }
        match gain {
            Gain::Overall(gain) => {
                check_range("gain_db", *gain, &[self.ask(device.gain_range(direction, channel))?])?;
                self.ask(device.set_gain(direction, channel, *gain))
            }
            Gain::Elements(gains) => {
                let elements = self.ask(device.list_gains(direction, channel))?;
                for (element, gain) in gains {
                    check_name("gain_db", element, &elements)?;
                    let range = self.ask(device.gain_element_range(direction, channel, element.as_str()))?;
                    check_range("gain_db", *gain, &[range])?;
                    self.ask(device.set_gain_element(direction, channel, element.as_str(), *gain))?;
                }
                Ok(())
            }
        }
    }

    /// Names the device in the driver's error.
    fn ask<T>(&self, answer: Result<T, Error>) -> Result<T> {
        answer.map_err(|error| {
            HwError::refused(self.settings.args.as_str(), format!("the driver says: {}", error.message))
        })
    }
}

/// Refuses a name that is not among those allowed.
fn check_name(name: &'static str, found: &str, allowed: &[String]) -> Result<()> {
    if allowed.iter().any(|allowed| allowed == found) {
        return Ok(());
    }
    let allowed = if allowed.is_empty() { "none on this device".to_string() } else { allowed.join(", ") };
    Err(HwError::invalid(name, found, allowed))
}

/// Refuses a value outside all ranges. A driver that states no range is trusted to refuse by itself.
fn check_range(name: &'static str, value: f64, ranges: &[Range]) -> Result<()> {
    let slack = value.abs() * 1e-9;
    let holds = |range: &Range| value >= range.minimum - slack && value <= range.maximum + slack;
    if ranges.is_empty() || ranges.iter().any(holds) {
        return Ok(());
    }
    let text = |range: &Range| {
        if range.minimum == range.maximum {
            range.minimum.to_string()
        } else {
            format!("{} to {}", range.minimum, range.maximum)
        }
    };
    Err(HwError::invalid(name, value, ranges.iter().map(text).collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_ranges_and_single_values() {
        let range = |minimum, maximum| Range { minimum, maximum, step: 0.0 };
        let ranges = [range(250e3, 250e3), range(1e6, 2e6)];
        for value in [250e3, 1e6, 1.5e6, 2e6] {
            check_range("sample_rate_hz", value, &ranges).expect("it is in range");
        }
        let error = check_range("sample_rate_hz", 3e6, &ranges).expect_err("it is out of range");
        assert!(error.to_string().ends_with("allowed is 250000, 1000000 to 2000000"), "{error}");
        check_range("sample_rate_hz", f64::NAN, &ranges).expect_err("no number");
    }
}
