//! How a recording is written.

use super::Datatype;
use super::metadata::{Global, LARGEST_RATE_HZ};
use crate::{HwError, Result};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;

/// Settings of a [`RecordingWriter`](super::RecordingWriter).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WriterSettings {
    /// How samples are stored.
    pub datatype: Datatype,
    /// Samples per second.
    pub sample_rate_hz: f64,
    /// Centre frequency in Hz, where there is one.
    pub frequency_hz: Option<f64>,
    /// Who records.
    pub author: Option<String>,
    /// What it shows.
    pub description: Option<String>,
    /// With which hardware.
    pub hw: Option<String>,
    /// With which software.
    pub recorder: Option<String>,
    /// Whether files of that name are replaced; otherwise they are an error.
    pub may_overwrite: bool,
    /// Longest pause between two bursts, in seconds, that is filled with zeros.
    pub longest_fill_s: f64,
    /// When the first sample was taken; `None`: when it is appended.
    #[serde(skip)]
    pub started_at: Option<SystemTime>,
}

impl Default for WriterSettings {
    fn default() -> Self {
        Self {
            datatype: Datatype::default(),
            sample_rate_hz: 1e6,
            frequency_hz: None,
            author: None,
            description: None,
            hw: None,
            recorder: Some(concat!("sememe ", env!("CARGO_PKG_VERSION")).into()),
            may_overwrite: false,
            longest_fill_s: 10.0,
            started_at: None,
        }
    }
}

impl WriterSettings {
    /// Checks all numbers.
    ///
    /// - errors: [`HwError::InvalidSetting`]
    pub fn check(&self) -> Result<()> {
        if !(1e-6..=LARGEST_RATE_HZ).contains(&self.sample_rate_hz) {
            return Err(HwError::invalid("sample_rate_hz", self.sample_rate_hz, "0.000001 to 1e12 Hz"));
        }
        check_frequency(self.frequency_hz)?;
        if !(0.0..=86_400.0).contains(&self.longest_fill_s) {
            return Err(HwError::invalid("longest_fill_s", self.longest_fill_s, "0 to 86400 seconds"));
        }
        Ok(())
    }

    pub(super) fn global(&self) -> Global {
        Global {
            datatype: self.datatype,
            sample_rate_hz: self.sample_rate_hz,
            author: self.author.clone(),
            description: self.description.clone(),
            hw: self.hw.clone(),
            recorder: self.recorder.clone(),
            ..Global::default()
        }
    }
}

/// Refuses frequencies that metadata cannot hold.
pub(super) fn check_frequency(frequency_hz: Option<f64>) -> Result<()> {
    match frequency_hz {
        Some(frequency) if frequency.is_nan() || frequency.abs() > LARGEST_RATE_HZ => {
            Err(HwError::invalid("frequency_hz", frequency, "-1e12 to 1e12 Hz"))
        }
        _ => Ok(()),
    }
}
