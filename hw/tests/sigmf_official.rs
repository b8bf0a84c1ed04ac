//! Recordings against the official `sigmf` package of Python, where `SEMEME_SIGMF_PYTHON` names a Python that has it,
//! and recorded signals where `SEMEME_DATA` names the folder of test data.

use num_complex::Complex32;
use sememe_hw::sigmf::{Annotation, Datatype, Gap, RecordingReader, RecordingWriter, WriterSettings};
use sememe_hw::{Read, SampleSource};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Validates a recording, its checksum included, and prints what the package finds in it.
const READ: &str = r#"
import sys, warnings, numpy, sigmf
warnings.simplefilter("error")
recording = sigmf.fromfile(sys.argv[1])
recording.validate()
assert recording.get_global_field("core:sha512") == recording.calculate_hash()
recording.read_samples().astype(numpy.complex64).tofile(sys.argv[2])
for index, capture in enumerate(recording.get_captures()):
    first, last = recording.get_capture_byte_boundaries(index)
    print("capture", capture["core:sample_start"], capture["core:global_index"], capture["core:frequency"], first, last)
for mark in recording.get_annotations():
    print("mark", mark["core:sample_start"], mark["core:sample_count"], mark["core:label"], mark["core:comment"],
          mark["core:freq_lower_edge"], mark["core:freq_upper_edge"])
"#;

/// Lets the package write a recording.
const WRITE: &str = r#"
import sys, numpy, sigmf
base, datatype = sys.argv[1:]
values = numpy.arange(2000)
kind = {"cf32_le": numpy.float32, "ci16_le": numpy.int16, "ci8": numpy.int8, "cu8": numpy.uint8}[datatype]
(values % 200 - (0 if datatype == "cu8" else 100)).astype(kind).tofile(base + ".sigmf-data")
recording = sigmf.SigMFFile(data_file=base + ".sigmf-data", global_info={
    "core:datatype": datatype, "core:sample_rate": 48000, "core:version": "1.0.0", "core:author": "a \"b\" \u00e4"})
recording.add_capture(0, metadata={"core:frequency": 915000000, "core:datetime": "2020-01-01T00:00:00Z"})
recording.add_capture(500, metadata={"core:frequency": 915000000, "core:global_index": 600})
recording.add_annotation(700, 5, metadata={"core:label": "late"})
recording.add_annotation(100, 200, metadata={"core:label": "early", "core:comment": "c",
    "core:freq_lower_edge": 914.9e6, "core:freq_upper_edge": 915.1e6})
recording.tofile(base + ".sigmf-meta")
"#;

fn python(program: &str, arguments: &[&Path]) -> Option<String> {
    let Ok(python) = std::env::var("SEMEME_SIGMF_PYTHON") else {
        eprintln!(
            "skipped: set SEMEME_SIGMF_PYTHON to a Python with the package, as after `python3 -m venv /tmp/sigmf && \
             /tmp/sigmf/bin/pip install sigmf numpy`: /tmp/sigmf/bin/python"
        );
        return None;
    };
    let output = Command::new(python).arg("-c").arg(program).args(arguments).output().expect("a Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

fn read_all(name: &Path) -> (RecordingReader, Vec<Complex32>, Vec<(usize, Read)>) {
    let mut reader = RecordingReader::open(name).unwrap();
    let (mut all, mut torn) = (Vec::new(), Vec::new());
    let mut buffer = [Complex32::ZERO; 777];
    loop {
        let read = reader.read(&mut buffer).unwrap();
        if read.is_torn {
            torn.push((all.len(), read));
        }
        all.extend_from_slice(&buffer[..read.len]);
        if read.is_end {
            return (reader, all, torn);
        }
    }
}

fn floats(bytes: &[u8]) -> Vec<Complex32> {
    let parts: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|raw| f32::from_le_bytes(*raw)).collect();
    parts.as_chunks::<2>().0.iter().map(|[re, im]| Complex32::new(*re, *im)).collect()
}

#[test]
fn the_package_accepts_and_reads_what_is_written_here() {
    for datatype in [Datatype::Cf32Le, Datatype::Ci16Le, Datatype::Ci8, Datatype::Cu8] {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("ours");
        let settings = WriterSettings {
            datatype,
            sample_rate_hz: 20e6,
            frequency_hz: Some(2.45e9),
            author: Some("A. Author".into()),
            description: Some("frames \"of\" meaning\n\u{e4}".into()),
            hw: Some("loopback".into()),
            ..WriterSettings::default()
        };
        let samples: Vec<_> = (0..5000u32).map(|n| Complex32::from_polar(0.9, n as f32 * 0.01)).collect();
        let mut writer = RecordingWriter::create(&name, settings).unwrap();
        writer.append(&samples[..3000], Gap::None).unwrap();
        writer.append(&samples[3000..], Gap::Samples(500)).unwrap();
        for start in [4000, 100] {
            let annotation = Annotation {
                sample_start: start,
                sample_count: Some(64),
                freq_lower_edge_hz: Some(2.44e9),
                freq_upper_edge_hz: Some(2.46e9),
                label: Some("frame".into()),
                comment: Some("snr_20dB".into()),
            };
            writer.annotate(annotation).unwrap();
        }
        writer.finish().unwrap();
        let theirs = folder.path().join("theirs");
        let data = writer.paths().meta.clone();
        let Some(printed) = python(READ, &[&data, &theirs]) else { return };
        let size = datatype.bytes_per_sample();
        let expected = format!(
            "capture 0 0 2450000000.0 0 {}\ncapture 3000 3500 2450000000.0 {} {}\n\
             mark 100 64 frame snr_20dB 2440000000.0 2460000000.0\n\
             mark 4000 64 frame snr_20dB 2440000000.0 2460000000.0\n",
            3000 * size,
            3000 * size,
            5000 * size
        );
        assert_eq!(printed, expected);
        let (reader, ours, torn) = read_all(&name);
        assert!(reader.verify_checksum().unwrap());
        assert_eq!(floats(&std::fs::read(theirs).unwrap()), ours, "{datatype:?}");
        assert_eq!((torn.len(), torn[0].0, torn[0].1.missing), (1, 3000, 500));
    }
}

#[test]
fn what_the_package_writes_is_read_here() {
    for (datatype, unit, zero) in
        [("cf32_le", 1.0, 100), ("ci16_le", 32768.0, 100), ("ci8", 128.0, 100), ("cu8", 128.0, 128)]
    {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("theirs");
        if python(WRITE, &[&base, Path::new(datatype)]).is_none() {
            return;
        }
        let (reader, samples, torn) = read_all(&base);
        let part = |n: i32| (n % 200 - zero) as f32 / unit;
        let expected: Vec<_> = (0..1000).map(|n| Complex32::new(part(2 * n), part(2 * n + 1))).collect();
        assert_eq!(samples, expected, "{datatype}");
        assert_eq!(reader.sample_rate_hz(), 48e3);
        assert!(reader.verify_checksum().unwrap(), "the package writes a digest");
        assert_eq!((torn.len(), torn[0].0, torn[0].1.missing), (1, 500, 100));
        let marks: Vec<_> = reader.annotations().iter().map(|mark| (mark.sample_start, mark.end())).collect();
        assert_eq!(marks, [(100, 300), (700, 705)]);
        assert_eq!(reader.annotations()[0].freq_upper_edge_hz, Some(915.1e6));
        assert_eq!(reader.metadata().global.author.as_deref(), Some("a \"b\" \u{e4}"));
    }
}

#[test]
fn recorded_signals_are_read_with_metadata_beside_them() {
    let Some(data) = std::env::var_os("SEMEME_DATA") else {
        eprintln!("skipped: set SEMEME_DATA to the folder of test data");
        return;
    };
    let iq = PathBuf::from(data).join("iq");
    for (folder, ending, datatype, unit) in
        [("wifi-futuresdr", "cf32", "cf32_le", 1.0), ("wifi-openofdm/conducted", "dat", "ci16_le", 32768.0)]
    {
        if !iq.join(folder).is_dir() {
            eprintln!("skipped: {} is not there", iq.join(folder).display());
            continue;
        }
        let mut num_files = 0;
        for entry in std::fs::read_dir(iq.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != ending) {
                continue;
            }
            // The files are no SigMF recordings: metadata name them as `core:dataset`.
            let place = tempfile::tempdir().unwrap();
            std::fs::copy(&path, place.path().join("capture.raw")).unwrap();
            let meta = format!(
                r#"{{"global": {{"core:datatype": "{datatype}", "core:sample_rate": 20e6, "core:version": "1.2.0",
                "core:dataset": "capture.raw"}}, "captures": [{{"core:sample_start": 0}}], "annotations": []}}"#
            );
            std::fs::write(place.path().join("x.sigmf-meta"), meta).unwrap();
            let (_, samples, _) = read_all(&place.path().join("x"));
            let bytes = std::fs::read(&path).unwrap();
            let expected = match datatype {
                "cf32_le" => floats(&bytes),
                _ => {
                    let [re, im] = [0, 2].map(|at| {
                        move |raw: &[u8; 4]| f32::from(i16::from_le_bytes([raw[at], raw[at + 1]])) / unit
                    });
                    bytes.as_chunks::<4>().0.iter().map(|raw| Complex32::new(re(raw), im(raw))).collect()
                }
            };
            assert!(samples == expected, "{}", path.display());
            num_files += 1;
        }
        assert!(num_files > 0, "{folder}");
    }
}
