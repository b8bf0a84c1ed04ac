//! What a recording says about itself.

use super::Datatype;
use serde::Serialize;

/// Largest sample rate, and largest frequency, that SigMF allows.
pub(super) const LARGEST_RATE_HZ: f64 = 1e12;
/// Version of the specification that is written.
pub(super) const VERSION: &str = "1.2.0";

/// The metadata of one recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// What holds throughout.
    pub global: Global,
    /// Stretches without a gap, by their first sample.
    pub captures: Vec<Capture>,
    /// Marks on samples, by their first sample.
    pub annotations: Vec<Annotation>,
}

/// What holds for a whole recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Global {
    /// How samples are stored.
    #[serde(rename = "core:datatype")]
    pub datatype: Datatype,
    /// Samples per second.
    #[serde(rename = "core:sample_rate")]
    pub sample_rate_hz: f64,
    /// Version of the specification.
    #[serde(rename = "core:version")]
    pub version: String,
    /// SHA-512 of the data file in 128 hexadecimal digits, once the recording is finished.
    #[serde(rename = "core:sha512", skip_serializing_if = "Option::is_none")]
    pub sha512: Option<String>,
    /// Who recorded it.
    #[serde(rename = "core:author", skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// What it shows.
    #[serde(rename = "core:description", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// With which hardware.
    #[serde(rename = "core:hw", skip_serializing_if = "Option::is_none")]
    pub hw: Option<String>,
    /// With which software.
    #[serde(rename = "core:recorder", skip_serializing_if = "Option::is_none")]
    pub recorder: Option<String>,
    /// The data file beside the metadata, where it is none that ends in `.sigmf-data`.
    #[serde(rename = "core:dataset", skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Index of the first sample of the file; all indices in the metadata count from there.
    #[serde(rename = "core:offset", skip_serializing_if = "is_zero")]
    pub offset: u64,
    /// Bytes at the end of the data file that are no samples.
    #[serde(rename = "core:trailing_bytes", skip_serializing_if = "is_zero")]
    pub trailing_bytes: u64,
}

impl Default for Global {
    fn default() -> Self {
        Self {
            datatype: Datatype::default(),
            sample_rate_hz: 1e6,
            version: VERSION.into(),
            sha512: None,
            author: None,
            description: None,
            hw: None,
            recorder: None,
            dataset: None,
            offset: 0,
            trailing_bytes: 0,
        }
    }
}

/// A stretch of samples without a gap.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Capture {
    /// Index of its first sample.
    #[serde(rename = "core:sample_start")]
    pub sample_start: u64,
    /// Index of its first sample in the stream that was recorded, missing samples counted; `None`: `sample_start`.
    #[serde(rename = "core:global_index", skip_serializing_if = "Option::is_none")]
    pub global_index: Option<u64>,
    /// Centre frequency in Hz.
    #[serde(rename = "core:frequency", skip_serializing_if = "Option::is_none")]
    pub frequency_hz: Option<f64>,
    /// When its first sample was taken, as ISO 8601 in UTC.
    #[serde(rename = "core:datetime", skip_serializing_if = "Option::is_none")]
    pub datetime: Option<String>,
    /// Bytes before its first sample that are no samples.
    #[serde(rename = "core:header_bytes", skip_serializing_if = "is_zero")]
    pub header_bytes: u64,
}

/// A mark on samples, as on a detected frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Annotation {
    /// Index of its first sample.
    #[serde(rename = "core:sample_start")]
    pub sample_start: u64,
    /// Samples that it covers.
    #[serde(rename = "core:sample_count", skip_serializing_if = "Option::is_none")]
    pub sample_count: Option<u64>,
    /// Lower edge of what it covers in Hz, carrier included; given together with the upper edge.
    #[serde(rename = "core:freq_lower_edge", skip_serializing_if = "Option::is_none")]
    pub freq_lower_edge_hz: Option<f64>,
    /// Upper edge of what it covers in Hz.
    #[serde(rename = "core:freq_upper_edge", skip_serializing_if = "Option::is_none")]
    pub freq_upper_edge_hz: Option<f64>,
    /// A few words, shown beside the samples.
    #[serde(rename = "core:label", skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// More words.
    #[serde(rename = "core:comment", skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Annotation {
    /// Index of the sample behind its last.
    pub fn end(&self) -> u64 {
        self.sample_start.saturating_add(self.sample_count.unwrap_or(0))
    }

    /// Whether its numbers can be; the error is a clause that names the key.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.end() > i64::MAX as u64 {
            let count = self.sample_count.unwrap_or(0);
            return Err(format!("core:sample_count = {count} is not possible: allowed is an end below 2^63"));
        }
        let edges = [("lower", self.freq_lower_edge_hz), ("upper", self.freq_upper_edge_hz)];
        for (side, edge) in edges {
            if edge.is_some_and(|edge| edge.is_nan() || edge.abs() > LARGEST_RATE_HZ) {
                let edge = edge.unwrap_or_default();
                return Err(format!(
                    "core:freq_{side}_edge = {edge} is not possible: allowed is -1e12 to 1e12 Hz"
                ));
            }
        }
        if let [(_, Some(lower)), (_, Some(upper))] = edges
            && lower > upper
        {
            return Err(format!(
                "core:freq_lower_edge = {lower} is not possible: allowed is up to core:freq_upper_edge, {upper}"
            ));
        }
        Ok(())
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
