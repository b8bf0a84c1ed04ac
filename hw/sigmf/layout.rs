//! Where in its file each sample of a recording lies, and where samples are missing.

use super::metadata::{Capture, Metadata};

/// A stretch of the file that is samples without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Its first sample, counted from the first of the file.
    pub(super) first: u64,
    /// Byte where it starts.
    pub(super) byte: u64,
    /// Index of its first sample in the stream that was recorded.
    pub(super) global: u64,
    /// Samples that are missing before it.
    pub(super) missing: u64,
    /// Whether it does not continue what comes before.
    pub(super) is_torn: bool,
}

/// All stretches of a data file, by their first sample; at least one.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) segments: Vec<Segment>,
    /// Samples in the file.
    pub(super) num_samples: u64,
}

impl Layout {
    /// - file_len: bytes of the data file
    /// - errors: a clause that names the key, where metadata and length contradict each other
    pub(super) fn new(metadata: &Metadata, file_len: u64) -> Result<Self, String> {
        let global = &metadata.global;
        let num_samples = num_samples(metadata, file_len)?;
        let start = Segment { first: 0, byte: 0, global: global.offset, missing: 0, is_torn: false };
        let mut segments = vec![start];
        let mut before: Option<&Capture> = None;
        let bytes_per_sample = global.datatype.bytes_per_sample() as u64;
        for (place, capture) in metadata.captures.iter().enumerate() {
            let impossible = |allowed: String| {
                let found = capture.sample_start;
                format!(
                    "captures[{place}]: core:sample_start = {found} is not possible: allowed is {allowed}"
                )
            };
            let offset = global.offset;
            let first = capture.sample_start.checked_sub(offset);
            let first = first.ok_or_else(|| impossible(format!("from core:offset, {offset}, on")))?;
            if first > num_samples {
                return Err(impossible(format!(
                    "up to {}, where the data end",
                    offset.saturating_add(num_samples)
                )));
            }
            // There is always the first.
            let last = segments[segments.len() - 1];
            // A sum that num_samples() has bounded by the length of the file.
            let byte = last.byte + (first - last.first) * bytes_per_sample + capture.header_bytes;
            let found = capture.global_index.unwrap_or(capture.sample_start);
            let expected = last.global.saturating_add(first - last.first);
            let is_retuned = before.is_some_and(|before| is_retuned(before, capture));
            let is_first = first == 0;
            let mut segment = Segment {
                first,
                byte,
                global: found,
                missing: if is_first { 0 } else { found.saturating_sub(expected) },
                is_torn: !is_first && (found != expected || is_retuned),
            };
            if segment.first == last.first {
                // An empty stretch: what is missing before it is missing before this one.
                segment.missing = segment.missing.saturating_add(last.missing);
                segment.is_torn |= last.is_torn;
                segments.pop();
            }
            segments.push(segment);
            before = Some(capture);
        }
        Ok(Self { segments, num_samples })
    }
}

/// Samples of a file, less what is none.
fn num_samples(metadata: &Metadata, file_len: u64) -> Result<u64, String> {
    let headers = metadata.captures.iter().map(|capture| capture.header_bytes);
    let headers = headers.fold(0u64, u64::saturating_add);
    let trailing = metadata.global.trailing_bytes;
    let bytes = file_len.checked_sub(headers.saturating_add(trailing)).ok_or_else(|| {
        format!("core:header_bytes sum to {headers} and core:trailing_bytes = {trailing}: allowed is {file_len} in all, as the data hold")
    })?;
    let bytes_per_sample = metadata.global.datatype.bytes_per_sample() as u64;
    let rest = bytes % bytes_per_sample;
    if rest > 0 {
        let datatype = super::metadata_file::line(&metadata.global.datatype);
        let len = file_len - rest;
        return Err(format!(
            "core:datatype = {datatype} does not fit: the data end with {rest} bytes of a sample of {bytes_per_sample} \
             (`truncate -s {len}` on the data file cuts them off)"
        ));
    }
    Ok(bytes / bytes_per_sample)
}

fn is_retuned(before: &Capture, capture: &Capture) -> bool {
    matches!((before.frequency_hz, capture.frequency_hz), (Some(before), Some(now)) if before != now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigmf::{Datatype, Global};

    fn metadata(captures: &[Capture]) -> Metadata {
        let global = Global { datatype: Datatype::Cu8, ..Global::default() };
        Metadata { global, captures: captures.to_vec(), annotations: Vec::new() }
    }

    fn capture(sample_start: u64, global_index: Option<u64>, header_bytes: u64) -> Capture {
        Capture { sample_start, global_index, header_bytes, ..Capture::default() }
    }

    #[test]
    fn headers_lie_where_the_specification_puts_them() {
        // Its example: 4-byte headers before 500 samples of 2 bytes, and before the rest.
        let layout = Layout::new(&metadata(&[capture(0, None, 4), capture(500, None, 4)]), 2008).unwrap();
        assert_eq!(layout.segments.iter().map(|segment| segment.byte).collect::<Vec<_>>(), [4, 1008]);
        assert_eq!(layout.num_samples, 1000);
        assert!(layout.segments.iter().all(|segment| !segment.is_torn));
    }

    #[test]
    fn jumps_of_the_global_index_are_missing_samples() {
        // The specification's example: 500 lost after 500.
        let captures = [capture(0, Some(0), 0), capture(500, Some(1000), 0)];
        let layout = Layout::new(&metadata(&captures), 2000).unwrap();
        assert_eq!((layout.segments[1].missing, layout.segments[1].is_torn), (500, true));
        // Through an empty stretch, both jumps count; backwards nothing is known.
        let captures = [
            capture(0, Some(7), 0),
            capture(5, Some(20), 0),
            capture(5, Some(30), 0),
            capture(6, Some(1), 0),
        ];
        let layout = Layout::new(&metadata(&captures), 20).unwrap();
        let torn: Vec<_> = layout.segments.iter().map(|it| (it.first, it.missing, it.is_torn)).collect();
        assert_eq!(torn, [(0, 0, false), (5, 18, true), (6, 0, true)]);
    }

    #[test]
    fn what_does_not_fit_into_the_file_is_refused() {
        let refused = |captures: &[Capture], len| Layout::new(&metadata(captures), len).unwrap_err();
        assert!(refused(&[], 3).contains("1 bytes of a sample of 2"));
        assert!(
            refused(&[capture(0, None, u64::MAX), capture(0, None, 9)], 100).contains("core:header_bytes")
        );
        assert!(refused(&[capture(51, None, 0)], 100).contains("captures[0]: core:sample_start = 51"));
        let mut late = metadata(&[capture(0, None, 0)]);
        late.global.offset = 9;
        assert!(Layout::new(&late, 100).unwrap_err().contains("core:offset, 9"));
    }
}
