//! Captures and annotations of metadata, key by key.

use super::metadata::{Annotation, Capture, LARGEST_RATE_HZ};
use super::scalar::{Fields, Scalar};

/// Bounds of frequencies that SigMF allows.
const FREQUENCIES_HZ: [f64; 2] = [-LARGEST_RATE_HZ, LARGEST_RATE_HZ];

/// A capture as it is read.
#[derive(Default)]
pub(super) struct CaptureFields {
    pub(super) capture: Capture,
    has_start: bool,
}

impl Fields for CaptureFields {
    const NAME: &str = "a capture with `core:sample_start`";

    fn is_known(key: &str) -> bool {
        matches!(
            key,
            "core:sample_start"
                | "core:frequency"
                | "core:datetime"
                | "core:global_index"
                | "core:header_bytes"
        )
    }

    fn set(&mut self, key: &str, value: Scalar) -> Result<(), String> {
        let capture = &mut self.capture;
        match key {
            "core:sample_start" => {
                capture.sample_start = value.whole(key)?;
                self.has_start = true;
            }
            "core:frequency" => capture.frequency_hz = Some(value.real(key, FREQUENCIES_HZ, "Hz")?),
            "core:datetime" => capture.datetime = Some(value.text(key)?),
            "core:global_index" => capture.global_index = Some(value.whole(key)?),
            _ => capture.header_bytes = value.whole(key)?,
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        self.has_start.then_some(()).ok_or_else(|| "core:sample_start is missing".into())
    }
}

/// An annotation as it is read.
#[derive(Default)]
pub(super) struct AnnotationFields {
    pub(super) annotation: Annotation,
    has_start: bool,
}

impl Fields for AnnotationFields {
    const NAME: &str = "an annotation with `core:sample_start`";

    fn is_known(key: &str) -> bool {
        matches!(
            key,
            "core:sample_start"
                | "core:sample_count"
                | "core:label"
                | "core:comment"
                | "core:freq_lower_edge"
                | "core:freq_upper_edge"
        )
    }

    fn set(&mut self, key: &str, value: Scalar) -> Result<(), String> {
        let annotation = &mut self.annotation;
        match key {
            "core:sample_start" => {
                annotation.sample_start = value.whole(key)?;
                self.has_start = true;
            }
            "core:sample_count" => annotation.sample_count = Some(value.whole(key)?),
            "core:label" => annotation.label = Some(value.text(key)?),
            "core:comment" => annotation.comment = Some(value.text(key)?),
            "core:freq_lower_edge" => {
                annotation.freq_lower_edge_hz = Some(value.real(key, FREQUENCIES_HZ, "Hz")?);
            }
            _ => annotation.freq_upper_edge_hz = Some(value.real(key, FREQUENCIES_HZ, "Hz")?),
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if !self.has_start {
            return Err("core:sample_start is missing".into());
        }
        self.annotation.check()
    }
}
