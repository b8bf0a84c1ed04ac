//! Recordings: written, read back, torn, killed, filled by bursts.

use num_complex::Complex32;
use proptest::prelude::*;
use sememe_hw::sigmf::{
    Annotation, Datatype, Gap, Metadata, RecordingReader, RecordingWriter, WriterSettings,
};
use sememe_hw::{Read, SampleSink, SampleSource};

fn settings(datatype: Datatype) -> WriterSettings {
    WriterSettings { datatype, sample_rate_hz: 1e6, frequency_hz: Some(2.45e9), ..WriterSettings::default() }
}

fn ramp(range: std::ops::Range<u32>) -> Vec<Complex32> {
    range.map(|n| Complex32::new(n as f32, -(n as f32))).collect()
}

/// All samples, and every read that told something besides.
fn read_all(reader: &mut RecordingReader, buffer_len: usize) -> (Vec<Complex32>, Vec<(usize, Read)>) {
    let (mut all, mut torn) = (Vec::new(), Vec::new());
    let mut buffer = vec![Complex32::ZERO; buffer_len];
    loop {
        let read = reader.read(&mut buffer).unwrap();
        if read.is_torn {
            torn.push((all.len(), read));
        }
        all.extend_from_slice(&buffer[..read.len]);
        if read.is_end {
            return (all, torn);
        }
    }
}

#[test]
fn a_torn_stream_comes_back_with_its_gaps_whatever_the_buffer() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("torn");
    let mut writer = RecordingWriter::create(&name, settings(Datatype::Cf32Le)).unwrap();
    writer.append(&ramp(0..1000), Gap::None).unwrap();
    writer.append(&ramp(1000..1500), Gap::Samples(77)).unwrap();
    writer.append(&[], Gap::Samples(3)).unwrap();
    writer.append(&ramp(1500..1501), Gap::Unknown).unwrap();
    writer.retune(2.4e9).unwrap();
    writer.append(&ramp(1501..40_000), Gap::None).unwrap();
    assert_eq!(writer.counters().missing, 81);
    writer.finish().unwrap();
    for buffer_len in [1, 7, 1000, 100_000] {
        let mut reader = RecordingReader::open(&name).unwrap();
        let (samples, torn) = read_all(&mut reader, buffer_len);
        assert_eq!(samples, ramp(0..40_000), "buffer of {buffer_len}");
        let told: Vec<_> = torn.iter().map(|(at, read)| (*at, read.missing, read.time_ns)).collect();
        let expected = [(1000, 77, 1_077_000), (1500, 4, 1_581_000), (1501, 0, 1_582_000)];
        assert_eq!(told, expected.map(|(at, missing, ns)| (at, missing, Some(ns))), "buffer of {buffer_len}");
        assert_eq!((reader.counters().samples, reader.counters().missing), (40_000, 81));
        assert!(reader.verify_checksum().unwrap());
    }
}

#[test]
fn a_recording_that_nobody_finished_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("killed");
    let mut writer = RecordingWriter::create(&name, settings(Datatype::Ci16Le)).unwrap();
    assert_eq!(RecordingReader::open(&name).unwrap().num_samples(), 0);
    writer.append(&[Complex32::ONE / 2.0; 100], Gap::None).unwrap();
    // As a killed program leaves it: its destructors do not run.
    std::mem::forget(writer);
    let mut reader = RecordingReader::open(&name).unwrap();
    assert_eq!(read_all(&mut reader, 64).0, [Complex32::ONE / 2.0; 100]);
    assert!(!reader.verify_checksum().unwrap());
}

#[test]
fn a_dropped_recording_has_all_but_its_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("dropped");
    let mut writer = RecordingWriter::create(&name, settings(Datatype::Cf32Le)).unwrap();
    writer.append(&ramp(0..10), Gap::None).unwrap();
    writer.append(&ramp(10..20), Gap::Samples(5)).unwrap();
    writer.annotate(Annotation { sample_start: 12, sample_count: Some(8), ..Annotation::default() }).unwrap();
    drop(writer);
    let mut reader = RecordingReader::open(&name).unwrap();
    assert_eq!(read_all(&mut reader, 64).0, ramp(0..20));
    assert_eq!(reader.annotations()[0].end(), 20);
    assert_eq!(reader.metadata().captures.len(), 2);
    assert_eq!(reader.metadata().global.sha512, None);
}

#[test]
fn a_finished_recording_goes_on_and_what_was_changed_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("x.sigmf-data");
    let mut writer = RecordingWriter::create(&name, settings(Datatype::Cf32Le)).unwrap();
    for part in 0..3 {
        writer.append(&ramp(part * 100_000..(part + 1) * 100_000), Gap::None).unwrap();
        writer.finish().unwrap();
        assert!(RecordingReader::open(&name).unwrap().verify_checksum().unwrap());
    }
    writer.append(&ramp(0..1), Gap::None).unwrap();
    assert!(!RecordingReader::open(&name).unwrap().verify_checksum().unwrap(), "no digest while it grows");
    writer.finish().unwrap();
    drop(writer);
    let mut bytes = std::fs::read(&name).unwrap();
    bytes[5] ^= 1;
    std::fs::write(&name, bytes).unwrap();
    let error = RecordingReader::open(&name).unwrap().verify_checksum().unwrap_err().to_string();
    assert!(error.contains("core:sha512"), "{error}");
}

#[test]
fn existing_files_are_kept_unless_told() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("x");
    let mut writer = RecordingWriter::create(&name, settings(Datatype::Cf32Le)).unwrap();
    writer.append(&ramp(0..9), Gap::None).unwrap();
    drop(writer);
    let error = RecordingWriter::create(&name, settings(Datatype::Cf32Le)).unwrap_err().to_string();
    assert!(error.contains("exists: name another file"), "{error}");
    assert_eq!(RecordingReader::open(&name).unwrap().num_samples(), 9);
    let over = WriterSettings { may_overwrite: true, ..settings(Datatype::Cf32Le) };
    drop(RecordingWriter::create(&name, over).unwrap());
    assert_eq!(RecordingReader::open(&name).unwrap().num_samples(), 0);
    let nowhere = RecordingWriter::create(folder.path().join("no/x"), settings(Datatype::Cf32Le));
    assert!(nowhere.unwrap_err().to_string().contains("cannot be written"));
    let wrong = WriterSettings { sample_rate_hz: f64::NAN, ..WriterSettings::default() };
    assert!(
        RecordingWriter::create(folder.path().join("y"), wrong)
            .unwrap_err()
            .to_string()
            .contains("sample_rate_hz")
    );
}

#[test]
fn annotations_are_kept_in_order_and_impossible_ones_refused() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("x");
    let mut writer = RecordingWriter::create(&name, settings(Datatype::Cf32Le)).unwrap();
    writer.append(&ramp(0..100), Gap::None).unwrap();
    let at = |sample_start, count| Annotation {
        sample_start,
        sample_count: Some(count),
        label: Some(format!("frame \"{sample_start}\"\n")),
        ..Annotation::default()
    };
    for start in [50, 10, 30] {
        writer.annotate(at(start, 50)).unwrap();
    }
    assert!(writer.annotate(at(51, 50)).unwrap_err().to_string().contains("up to 100"));
    assert!(writer.annotate(at(u64::MAX, u64::MAX)).is_err());
    let edge = Annotation { freq_lower_edge_hz: Some(1.0), ..at(0, 1) };
    assert!(writer.annotate(edge.clone()).unwrap_err().to_string().contains("go together"));
    assert!(writer.annotate(Annotation { freq_upper_edge_hz: Some(0.0), ..edge.clone() }).is_err());
    assert!(writer.annotate(Annotation { freq_upper_edge_hz: Some(f64::NAN), ..edge }).is_err());
    writer.finish().unwrap();
    let reader = RecordingReader::open(&name).unwrap();
    assert_eq!(reader.annotations(), [at(10, 50), at(30, 50), at(50, 50)]);
    let text = std::fs::read(&reader.paths().meta).unwrap();
    assert_eq!(Metadata::from_json(&text).unwrap(), *writer.metadata());
}

#[test]
fn bursts_lie_where_their_time_says() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("bursts");
    let mut sink = RecordingWriter::create(&name, settings(Datatype::Cf32Le)).unwrap();
    let burst = [Complex32::ONE; 10];
    let start = 5_000_000_000;
    sink.send(&burst, Some(start)).unwrap();
    assert_eq!(sink.time_ns(), Some(start + 10_000));
    sink.send(&burst, Some(start + 30_000)).unwrap();
    sink.send(&burst, Some(start + 31_000)).unwrap();
    sink.send(&burst, None).unwrap();
    sink.send(&burst, Some(start + 3_600_000_000_000)).unwrap();
    sink.send(&[], Some(i64::MIN)).unwrap();
    SampleSink::finish(&mut sink).unwrap();
    let counters = sink.counters();
    assert_eq!((counters.bursts, counters.late, counters.samples), (5, 1, 50));
    let mut reader = RecordingReader::open(&name).unwrap();
    let starts: Vec<u64> = reader.annotations().iter().map(|annotation| annotation.sample_start).collect();
    assert_eq!(starts, [0, 30, 40, 50, 60]);
    let (samples, torn) = read_all(&mut reader, 1000);
    let is_burst = |n: usize| !(10..30).contains(&n);
    assert!(samples.iter().enumerate().all(|(n, sample)| (sample.re == 1.0) == is_burst(n)));
    assert_eq!((torn.len(), torn[0].0, torn[0].1.time_ns), (1, 60, Some(3_600_000_000_000)));
    sink.send(&burst, Some(i64::MAX)).unwrap();
    sink.send(&burst, Some(i64::MIN)).unwrap();
    assert_eq!(sink.counters().late, 2);
}

#[cfg(unix)]
#[test]
fn a_link_is_replaced_and_what_it_leads_to_kept() {
    let folder = tempfile::tempdir().unwrap();
    let [other, link] = ["other", "x.sigmf-data"].map(|name| folder.path().join(name));
    std::fs::write(&other, "kept").unwrap();
    std::os::unix::fs::symlink(&other, &link).unwrap();
    assert!(RecordingWriter::create(&link, settings(Datatype::Cf32Le)).is_err());
    let over = WriterSettings { may_overwrite: true, ..settings(Datatype::Cf32Le) };
    drop(RecordingWriter::create(&link, over).unwrap());
    assert_eq!(std::fs::read(&other).unwrap(), b"kept");
    assert!(link.symlink_metadata().unwrap().is_file());
}

/// Names the recording of the process that is to be killed.
const KILLED: &str = "SEMEME_TEST_KILLED_RECORDING";

#[test]
fn a_killed_program_leaves_a_recording() {
    if let Some(name) = std::env::var_os(KILLED) {
        // The process that is to be killed: records torn and annotated samples as fast as it can.
        let mut writer = RecordingWriter::create(name, settings(Datatype::Cf32Le)).unwrap();
        for burst in 0.. {
            writer.append(&ramp(burst * 1000..(burst + 1) * 1000), Gap::Samples(1)).unwrap();
            let sample_start = u64::from(burst) * 1000;
            writer
                .annotate(Annotation { sample_start, sample_count: Some(1000), ..Annotation::default() })
                .unwrap();
            if burst > 10_000 {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    for wait_ms in [300, 1200, 2500] {
        let name = folder.path().join(format!("killed{wait_ms}"));
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["a_killed_program_leaves_a_recording", "--exact", "--nocapture"]).env(KILLED, &name);
        let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait_ms));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut reader = RecordingReader::open(&name).unwrap();
        let (samples, torn) = read_all(&mut reader, 10_000);
        assert!(!samples.is_empty());
        assert!(samples.iter().enumerate().all(|(n, sample)| sample.re == n as f32), "{wait_ms} ms");
        assert!(torn.iter().enumerate().all(|(n, (at, read))| (*at, read.missing) == ((n + 1) * 1000, 1)));
        let marks = reader.annotations();
        assert!(marks.iter().enumerate().all(|(n, mark)| mark.sample_start == n as u64 * 1000));
        let marked = marks.last().map_or(0, |mark| mark.end());
        assert!(marked <= reader.num_samples());
        eprintln!(
            "killed after {wait_ms} ms: {} samples, {} torn, {} marks",
            samples.len(),
            torn.len(),
            marks.len()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn floats_come_back_bit_by_bit(bits in prop::collection::vec((any::<u32>(), any::<u32>()), 0..5000), cut in 1usize..600) {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("x");
        let samples: Vec<_> = bits.iter().map(|(re, im)| Complex32::new(f32::from_bits(*re), f32::from_bits(*im))).collect();
        let mut writer = RecordingWriter::create(&name, settings(Datatype::Cf32Le)).unwrap();
        samples.chunks(cut).for_each(|chunk| writer.append(chunk, Gap::None).unwrap());
        writer.finish().unwrap();
        let (back, torn) = read_all(&mut RecordingReader::open(&name).unwrap(), cut);
        let back: Vec<_> = back.iter().map(|sample| (sample.re.to_bits(), sample.im.to_bits())).collect();
        prop_assert_eq!(back, bits);
        prop_assert!(torn.is_empty());
    }

    #[test]
    fn integers_come_back_within_half_a_step(parts in prop::collection::vec((-1.0f32..0.9999, -1.0f32..0.9999), 0..2000)) {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("x");
        let samples: Vec<_> = parts.iter().map(|(re, im)| Complex32::new(*re, *im)).collect();
        let mut writer = RecordingWriter::create(&name, settings(Datatype::Ci16Le)).unwrap();
        writer.append(&samples, Gap::None).unwrap();
        writer.finish().unwrap();
        prop_assert_eq!(writer.clipped(), 0);
        let (back, _) = read_all(&mut RecordingReader::open(&name).unwrap(), 100);
        prop_assert_eq!(back.len(), samples.len());
        for (sample, back) in samples.iter().zip(back) {
            prop_assert!((sample.re - back.re).abs() <= 0.5 / 32768.0 && (sample.im - back.im).abs() <= 0.5 / 32768.0);
        }
    }
}
