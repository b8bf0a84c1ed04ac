//! Recordings that cannot be: each is refused in one line that names the file and the key.

use num_complex::Complex32;
use proptest::prelude::*;
use sememe_hw::SampleSource;
use sememe_hw::sigmf::{METADATA_LIMIT_BYTES, Metadata, RecordingReader};
use std::path::PathBuf;

const GLOBAL: &str = r#""core:datatype": "cf32_le", "core:sample_rate": 1e6, "core:version": "1.0.0""#;

/// A recording of 10 samples with that metadata.
fn recording(folder: &tempfile::TempDir, metadata: &[u8]) -> PathBuf {
    let name = folder.path().join("hostile");
    std::fs::write(folder.path().join("hostile.sigmf-meta"), metadata).unwrap();
    std::fs::write(folder.path().join("hostile.sigmf-data"), [0; 80]).unwrap();
    name
}

fn refusal(metadata: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let error =
        RecordingReader::open(recording(&folder, metadata.as_bytes())).expect_err(metadata).to_string();
    assert!(!error.contains('\n') && error.contains("hostile.sigmf-meta"), "{error}");
    assert!(error.len() < 500, "{} characters", error.len());
    error
}

fn with(global: &str, captures: &str, annotations: &str) -> String {
    format!(r#"{{"global": {{{global}}}, "captures": {captures}, "annotations": {annotations}}}"#)
}

#[test]
fn keys_values_and_what_is_allowed_are_named() {
    let global = |rest: &str| with(&format!("{GLOBAL}, {rest}"), "[]", "[]");
    let captures = |list: &str| with(GLOBAL, list, "[]");
    let annotations = |list: &str| with(GLOBAL, "[]", list);
    let long = format!(r#""core:datatype": "{}""#, "x".repeat(100_000));
    let deep = format!(r#""core:hw": {}"#, "[".repeat(1_000_000));
    let cases: &[(String, &[&str])] = &[
        (String::new(), &["EOF"]),
        ("[1]".into(), &["global", "captures"]),
        (r#"{"captures": []}"#.into(), &["global is missing"]),
        (r#"{"global": {}, "captures": []}"#.into(), &["core:datatype is missing"]),
        (with(r#""core:datatype": "cf32_le""#, "[]", "[]"), &["core:sample_rate is missing"]),
        (format!(r#"{{"global": {{{GLOBAL}}}}}"#), &["captures is missing"]),
        (global(r#""core:datatype": "rf64_be""#), &["core:datatype = \"rf64_be\"", "ci16_le"]),
        (global(r#""core:datatype": 7"#), &["core:datatype = 7", "text"]),
        (global(&long), &["core:datatype = \"xxx", "..."]),
        (global(&deep), &["core:hw"]),
        (global(r#""core:sample_rate": NaN"#), &["core:sample_rate"]),
        (global(r#""core:sample_rate": "NaN""#), &["core:sample_rate = \"NaN\"", "1e12"]),
        (global(r#""core:sample_rate": 1e999"#), &["core:sample_rate"]),
        (global(r#""core:sample_rate": 0"#), &["core:sample_rate = 0"]),
        (global(r#""core:sample_rate": -1e6"#), &["core:sample_rate = -1000000.0"]),
        (global(r#""core:num_channels": 2"#), &["core:num_channels = 2", "split"]),
        (global(r#""core:metadata_only": true"#), &["core:metadata_only = true"]),
        (global(r#""core:dataset": "../secret""#), &["core:dataset = \"../secret\"", "same folder"]),
        (global(r#""core:sha512": "12""#), &["core:sha512 = \"12\"", "128"]),
        (global(r#""core:offset": 18446744073709551616"#), &["core:offset", "2^63"]),
        (global(r#""core:trailing_bytes": 81"#), &["core:trailing_bytes = 81", "80"]),
        (global(r#""core:trailing_bytes": 3"#), &["5 bytes of a sample of 8"]),
        (
            global(r#""core:extensions": [{"name": "radar", "version": "1.0.0", "optional": false}]"#),
            &["radar"],
        ),
        (global(r#""core:extensions": [{}]"#), &["core:extensions[0]", "name"]),
        (captures("7"), &["captures", "list"]),
        (captures("[7]"), &["captures[0]", "7"]),
        (captures("[{}]"), &["captures[0]", "core:sample_start is missing"]),
        (captures(r#"[{"core:sample_start": -1}]"#), &["captures[0]", "core:sample_start = -1", "0 to 2^63"]),
        (captures(r#"[{"core:sample_start": 0.5}]"#), &["core:sample_start = 0.5"]),
        (captures(r#"[{"core:sample_start": null}]"#), &["core:sample_start = null"]),
        (captures(r#"[{"core:sample_start": 11}]"#), &["captures[0]", "core:sample_start = 11", "up to 10"]),
        (
            captures(r#"[{"core:sample_start": 5}, {"core:sample_start": 4}]"#),
            &["captures[1]", "core:sample_start = 4", "from 5 on"],
        ),
        (
            captures(r#"[{"core:sample_start": 0, "core:header_bytes": 9223372036854775807}]"#),
            &["core:header_bytes", "9223372036854775807", "80"],
        ),
        (captures(r#"[{"core:sample_start": 0, "core:frequency": 1e300}]"#), &["core:frequency", "1e12"]),
        (annotations(r#"[{"core:sample_start": -5}]"#), &["annotations[0]", "core:sample_start = -5"]),
        (
            annotations(r#"[{"core:sample_start": 9223372036854775807, "core:sample_count": 1}]"#),
            &["annotations[0]", "core:sample_count = 1"],
        ),
        (
            annotations(
                r#"[{"core:sample_start": 0, "core:freq_lower_edge": 2, "core:freq_upper_edge": 1}]"#,
            ),
            &["core:freq_lower_edge = 2"],
        ),
        (annotations(r#"[{"core:sample_start": 0, "core:label": {"a": []}}]"#), &["core:label = an object"]),
    ];
    for (metadata, words) in cases {
        let error = refusal(metadata);
        for word in *words {
            assert!(error.contains(word), "{word:?} is not in: {error}");
        }
    }
}

#[test]
fn files_that_are_missing_or_none_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("x");
    let refused = || RecordingReader::open(&name).unwrap_err().to_string();
    assert!(refused().contains("x.sigmf-meta: there is no such metadata file"));
    std::fs::write(folder.path().join("x.sigmf-data"), [0; 8]).unwrap();
    assert!(refused().contains("its data are there"));
    std::fs::remove_file(folder.path().join("x.sigmf-data")).unwrap();
    std::fs::write(folder.path().join("x.sigmf-meta"), with(GLOBAL, "[]", "[]")).unwrap();
    assert!(refused().contains("x.sigmf-data: cannot be read"));
    std::fs::create_dir(folder.path().join("x.sigmf-data")).unwrap();
    assert!(refused().contains("is no file"));
    std::fs::remove_file(folder.path().join("x.sigmf-meta")).unwrap();
    std::fs::create_dir(folder.path().join("x.sigmf-meta")).unwrap();
    assert!(refused().contains("is no file"));
}

#[test]
fn metadata_of_any_length_are_refused_without_being_kept() {
    let folder = tempfile::tempdir().unwrap();
    let name = recording(&folder, b"");
    // A file of 8 GiB that takes no room on the disk.
    let file = std::fs::File::options().write(true).open(folder.path().join("hostile.sigmf-meta")).unwrap();
    file.set_len(8 << 30).unwrap();
    let error = RecordingReader::open(&name).unwrap_err().to_string();
    assert!(error.contains("8589934592") && error.contains(&METADATA_LIMIT_BYTES.to_string()), "{error}");
}

#[test]
fn data_that_are_cut_while_they_are_read_end_in_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let name = recording(&folder, with(GLOBAL, "[]", "[]").as_bytes());
    let mut reader = RecordingReader::open(&name).unwrap();
    std::fs::write(folder.path().join("hostile.sigmf-data"), [0; 20]).unwrap();
    let error = reader.read(&mut [Complex32::ZERO; 10]).unwrap_err().to_string();
    assert!(error.contains("hostile.sigmf-data") && error.contains("of 10 cannot be read"), "{error}");
}

#[test]
fn what_other_tools_write_is_read() {
    // A byte order mark, real numbers for counts, unknown keys and sections, annotations out of order.
    let metadata = format!(
        "\u{feff}{}",
        r#"{"global": {"core:datatype": "cf32_le", "core:sample_rate": 20000000, "core:num_channels": 1,
        "core:extensions": [{"name": "antenna", "version": "1.0.0", "optional": true}], "antenna:gain": 3.0,
        "core:geolocation": {"type": "Point", "coordinates": [1, 2]}, "core:license": "https://example.org"},
        "captures": [{"core:sample_start": 0.0, "core:geolocation": {"a": [1]}, "x": null}, {"core:sample_start": 1e1}],
        "annotations": [{"core:sample_start": 5, "core:uuid": "u"}, {"core:sample_start": 2}], "other": [[{}]]}"#
    );
    let folder = tempfile::tempdir().unwrap();
    let mut reader = RecordingReader::open(recording(&folder, metadata.as_bytes())).unwrap();
    assert_eq!(reader.sample_rate_hz(), 20e6);
    assert_eq!(reader.annotations()[0].sample_start, 2);
    let read = reader.read(&mut [Complex32::ZERO; 20]).unwrap();
    assert_eq!((read.len, read.is_torn, read.is_end), (10, false, false));
    assert!(reader.read(&mut [Complex32::ZERO; 20]).unwrap().is_end);
}

proptest! {
    #[test]
    fn random_bytes_are_no_metadata(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let error = Metadata::from_json(&bytes).unwrap_err();
        prop_assert!(!error.contains('\n'));
    }

    #[test]
    fn changed_bytes_give_a_recording_or_a_line(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let captures = r#"[{"core:sample_start": 0, "core:global_index": 3}, {"core:sample_start": 7, "core:header_bytes": 8}]"#;
        let mut metadata = with(GLOBAL, captures, r#"[{"core:sample_start": 1, "core:sample_count": 4, "core:label": "a"}]"#).into_bytes();
        for (place, byte) in changes {
            let place = place.index(metadata.len());
            metadata[place] = byte;
        }
        let folder = tempfile::tempdir().unwrap();
        match RecordingReader::open(recording(&folder, &metadata)) {
            Err(error) => prop_assert!(!error.to_string().contains('\n'), "{}", error),
            Ok(mut reader) => {
                let mut left = 1000;
                while !reader.read(&mut [Complex32::ZERO; 3]).unwrap().is_end {
                    left -= 1;
                    prop_assert!(left > 0, "no end");
                }
            }
        }
    }

    #[test]
    fn any_numbers_give_a_recording_or_a_line(numbers in prop::array::uniform7(prop_oneof![0u64..12, any::<u64>()])) {
        let [start, index, header, second, second_index, offset, trailing] = numbers;
        let global = format!(r#"{GLOBAL}, "core:offset": {offset}, "core:trailing_bytes": {trailing}"#);
        let captures = format!(
            r#"[{{"core:sample_start": {start}, "core:global_index": {index}, "core:header_bytes": {header}}},
            {{"core:sample_start": {second}, "core:global_index": {second_index}}}]"#
        );
        let folder = tempfile::tempdir().unwrap();
        if let Ok(mut reader) = RecordingReader::open(recording(&folder, with(&global, &captures, "[]").as_bytes())) {
            let mut len = 0;
            loop {
                let read = reader.read(&mut [Complex32::ZERO; 3]).unwrap();
                len += read.len as u64;
                if read.is_end {
                    break;
                }
            }
            prop_assert_eq!(len, reader.num_samples());
        }
    }
}
