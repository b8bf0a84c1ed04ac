//! A recording as it grows.

use super::data_file::DataFile;
use super::datetime::iso8601;
use super::metadata::{Annotation, Capture, Metadata};
use super::metadata_file::{METADATA_LIMIT_BYTES, line};
use super::paths::RecordingPaths;
use super::writer_settings::{WriterSettings, check_frequency};
use crate::{Counters, HwError, Read, Result};
use num_complex::Complex32;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// Longest time that samples or metadata are held back while samples come.
const LONGEST_HELD: Duration = Duration::from_secs(1);
/// Writing metadata takes at most one part of so many of the time.
const SAVE_SHARE: u32 = 20;

/// What is missing between what was appended before and what is appended now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gap {
    /// Nothing.
    #[default]
    None,
    /// So many samples.
    Samples(u64),
    /// Samples in a number that nobody knows; the recording says one, since SigMF has no word for it.
    Unknown,
}

impl From<Read> for Gap {
    fn from(read: Read) -> Self {
        match read {
            Read { missing: 0, is_torn: false, .. } => Self::None,
            Read { missing: 0, .. } => Self::Unknown,
            Read { missing, .. } => Self::Samples(missing),
        }
    }
}

/// Writes a recording, so that it can be read at any time, also after this program was killed: metadata come first and
/// are replaced in one stroke, samples are handed over at least once a second while more come.
///
/// What a crash can take is the last second: samples, marks, and gaps where there are many a second (a gap is written
/// at once, as long as that takes up to a twentieth of the time). A power failure may take more: only [`RecordingWriter::finish`] waits for
/// the disk. Dropped without it, a recording is complete but for `core:sha512`.
#[derive(Debug)]
pub struct RecordingWriter {
    paths: RecordingPaths,
    pub(super) settings: WriterSettings,
    metadata: Metadata,
    data: DataFile,
    /// Bytes that captures and annotations take in the metadata file.
    items_len: u64,
    /// Samples appended.
    num_samples: u64,
    /// Index of the next sample in the stream that is recorded, missing samples counted.
    pub(super) next_index: u64,
    /// Whether the next sample starts a capture.
    starts_capture: bool,
    started_at: Option<SystemTime>,
    is_saved: bool,
    /// Whether the metadata file lacks a capture: without it, samples would seem to continue what came before.
    lacks_capture: bool,
    saved_at: Instant,
    save_took: Duration,
    is_broken: bool,
    clipped: u64,
    pub(super) counters: Counters,
    /// A time in nanoseconds, and the index of the sample that it means.
    pub(super) clock: Option<(i64, u64)>,
}

impl RecordingWriter {
    /// Starts a recording under any of its names (see [`RecordingPaths::new`]).
    ///
    /// - errors: [`HwError::InvalidSetting`]; [`HwError::File`] where a file exists (see
    ///   [`WriterSettings::may_overwrite`]) or cannot be made
    pub fn create(name: impl AsRef<Path>, settings: WriterSettings) -> Result<Self> {
        settings.check()?;
        let paths = RecordingPaths::new(name)?;
        for path in [&paths.data, &paths.meta] {
            let exists = path.symlink_metadata().is_ok();
            if exists && !settings.may_overwrite {
                return Err(HwError::file(path, "exists: name another file, or allow to overwrite it"));
            }
        }
        if paths.data.symlink_metadata().is_ok() {
            let removed = std::fs::remove_file(&paths.data);
            removed.map_err(|error| HwError::file(&paths.data, format!("cannot be overwritten: {error}")))?;
        }
        let metadata = Metadata { global: settings.global(), ..Metadata::default() };
        metadata.write(&paths.meta, false)?;
        let data = DataFile::create(&paths.data, settings.datatype).inspect_err(|_| {
            // The error of the data file is the one to tell.
            let _ = std::fs::remove_file(&paths.meta);
        })?;
        Ok(Self {
            items_len: metadata.to_json().len() as u64,
            paths,
            metadata,
            data,
            num_samples: 0,
            next_index: 0,
            starts_capture: true,
            started_at: settings.started_at,
            settings,
            is_saved: true,
            lacks_capture: false,
            saved_at: Instant::now(),
            save_took: Duration::ZERO,
            is_broken: false,
            clipped: 0,
            counters: Counters::default(),
            clock: None,
        })
    }

    /// Appends samples; after a gap they start a new capture, whose `core:global_index` says what is missing.
    ///
    /// - samples: floats are stored as they are; integers hold -1 to just under 1, what lies outside is clipped and
    ///   counted
    /// - errors: [`HwError::File`] where the disk is full or metadata would grow beyond [`METADATA_LIMIT_BYTES`]; once
    ///   writing has failed it stays so
    pub fn append(&mut self, samples: &[Complex32], gap: Gap) -> Result<()> {
        let missing = match gap {
            Gap::None => 0,
            Gap::Samples(missing) => missing,
            Gap::Unknown => 1,
        };
        if missing > 0 {
            self.next_index = self.next_index.saturating_add(missing).min(i64::MAX as u64);
            self.starts_capture = true;
            self.counters.missing = self.counters.missing.saturating_add(missing);
        }
        self.store(samples)?;
        self.counters.samples += samples.len() as u64;
        Ok(())
    }

    /// Appends samples where no gap is, without counting them as sent.
    pub(super) fn store(&mut self, samples: &[Complex32]) -> Result<()> {
        if self.is_broken {
            return Err(HwError::file(
                &self.paths.data,
                "could not be written before: start another recording",
            ));
        }
        if samples.is_empty() {
            return Ok(());
        }
        if self.metadata.global.sha512.take().is_some() {
            // Finished before: what is on the disk must not name a digest that will be wrong.
            self.is_saved = false;
            self.save(false)?;
        }
        if self.starts_capture {
            self.start_capture()?;
        }
        let is_first = self.num_samples == 0;
        let stored = self.data.append(samples);
        self.clipped += self.or_cut(stored)?;
        self.num_samples += samples.len() as u64;
        self.next_index = self.next_index.saturating_add(samples.len() as u64);
        if is_first || self.is_due() {
            self.save(false)?;
        }
        Ok(())
    }

    /// Marks samples that were appended.
    ///
    /// - errors: [`HwError::File`] where it reaches beyond them, has impossible edges, or metadata would grow beyond
    ///   [`METADATA_LIMIT_BYTES`]
    pub fn annotate(&mut self, annotation: Annotation) -> Result<()> {
        let refused =
            |reason: String| HwError::file(&self.paths.meta, format!("annotation refused: {reason}"));
        annotation.check().map_err(refused)?;
        if annotation.freq_lower_edge_hz.is_some() != annotation.freq_upper_edge_hz.is_some() {
            return Err(refused(
                "core:freq_lower_edge and core:freq_upper_edge go together: give both or none".into(),
            ));
        }
        let (end, num_samples) = (annotation.end(), self.num_samples);
        if end > num_samples {
            return Err(refused(format!(
                "it ends at sample {end}: allowed is up to {num_samples}, the last appended"
            )));
        }
        self.reserve(line(&annotation).len())?;
        let annotations = &mut self.metadata.annotations;
        let place = annotations.partition_point(|before| before.sample_start <= annotation.sample_start);
        annotations.insert(place, annotation);
        self.is_saved = false;
        Ok(())
    }

    /// Says that the samples that follow have another centre frequency, in Hz: they start a new capture.
    ///
    /// - errors: [`HwError::InvalidSetting`]
    pub fn retune(&mut self, frequency_hz: f64) -> Result<()> {
        check_frequency(Some(frequency_hz))?;
        self.starts_capture |= self.settings.frequency_hz != Some(frequency_hz);
        self.settings.frequency_hz = Some(frequency_hz);
        Ok(())
    }

    /// Writes all that is left, with `core:sha512` of the samples, and waits until the disk has it. Reads what was
    /// written since the last call, which takes about as long as copying it. More samples may follow.
    ///
    /// - errors: [`HwError::File`]
    pub fn finish(&mut self) -> Result<()> {
        let flushed = self.data.flush();
        self.or_cut(flushed)?;
        self.metadata.global.sha512 = Some(self.data.digest()?);
        self.data.sync()?;
        self.save(true)
    }

    /// The two files.
    pub fn paths(&self) -> &RecordingPaths {
        &self.paths
    }

    /// What the recording says about itself so far.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Samples appended so far.
    pub fn num_samples(&self) -> u64 {
        self.num_samples
    }

    /// Samples that integers could not hold.
    pub fn clipped(&self) -> u64 {
        self.clipped
    }

    fn start_capture(&mut self) -> Result<()> {
        let started_at = *self.started_at.get_or_insert_with(SystemTime::now);
        let since = Duration::try_from_secs_f64(self.next_index as f64 / self.settings.sample_rate_hz);
        let time = since.ok().and_then(|since| started_at.checked_add(since));
        let capture = Capture {
            sample_start: self.num_samples,
            global_index: Some(self.next_index),
            frequency_hz: self.settings.frequency_hz,
            datetime: time.and_then(iso8601),
            header_bytes: 0,
        };
        self.reserve(line(&capture).len())?;
        self.metadata.captures.push(capture);
        self.starts_capture = false;
        (self.is_saved, self.lacks_capture) = (false, true);
        // Before its first sample, so that a crash cannot leave samples without the gap before them.
        if self.is_due() { self.save(false) } else { Ok(()) }
    }

    /// Whether it is time to save: for a capture at once, where that does not take too much of the time.
    fn is_due(&self) -> bool {
        let held = if self.lacks_capture { Duration::ZERO } else { LONGEST_HELD };
        self.saved_at.elapsed() >= held.max(self.save_took * SAVE_SHARE)
    }

    /// Takes room in the metadata file for one more line.
    fn reserve(&mut self, line_len: usize) -> Result<()> {
        // A comma and a new line; and the digest is still to come.
        let items_len = self.items_len + line_len as u64 + 2;
        if items_len + 200 > METADATA_LIMIT_BYTES {
            let reason = format!("would grow beyond {METADATA_LIMIT_BYTES} bytes: start another recording");
            return Err(HwError::file(&self.paths.meta, reason));
        }
        self.items_len = items_len;
        Ok(())
    }

    /// Hands all to the operating system: samples first, so that metadata never speak of samples that are not there.
    fn save(&mut self, is_synced: bool) -> Result<()> {
        let start = Instant::now();
        let flushed = self.data.flush();
        self.or_cut(flushed)?;
        if !self.is_saved || is_synced {
            self.metadata.write(&self.paths.meta, is_synced)?;
        }
        (self.is_saved, self.lacks_capture) = (true, false);
        (self.saved_at, self.save_took) = (Instant::now(), start.elapsed());
        Ok(())
    }

    /// After a failure of the data file, cuts the metadata to what it holds.
    fn or_cut<T>(&mut self, result: Result<T>) -> Result<T> {
        if result.is_err() {
            self.is_broken = true;
            let end = self.data.num_written();
            self.num_samples = end;
            self.metadata.captures.retain(|capture| capture.sample_start <= end);
            self.metadata.annotations.retain(|annotation| annotation.end() <= end);
            self.is_saved = false;
        }
        result
    }
}

impl Drop for RecordingWriter {
    fn drop(&mut self) {
        if !(self.is_saved && self.data.is_flushed()) {
            // Nobody is left to tell.
            let _ = self.save(false);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_an_error_that_stays_and_metadata_keep_to_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("full");
        let mut writer = RecordingWriter::create(&name, WriterSettings::default()).unwrap();
        let device = std::fs::File::options().read(true).write(true).open("/dev/full").unwrap();
        writer.data = DataFile::over(&writer.paths.data, device, writer.settings.datatype);
        let error = writer.append(&[Complex32::ONE; 10], Gap::None).unwrap_err().to_string();
        assert!(error.contains("full.sigmf-data: cannot be written on after 0 samples"), "{error}");
        let error = writer.append(&[Complex32::ONE; 10], Gap::None).unwrap_err().to_string();
        assert!(error.contains("start another recording"), "{error}");
        assert_eq!(writer.num_samples(), 0);
        assert!(writer.annotate(Annotation { sample_count: Some(1), ..Annotation::default() }).is_err());
        drop(writer);
        assert_eq!(crate::sigmf::RecordingReader::open(&name).unwrap().num_samples(), 0);
    }

    #[test]
    fn metadata_stay_within_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("long");
        let mut writer = RecordingWriter::create(&name, WriterSettings::default()).unwrap();
        writer.append(&[Complex32::ONE; 10], Gap::None).unwrap();
        let comment = Some("\u{1}".repeat(1 << 20));
        let long = Annotation { sample_count: Some(1), comment, ..Annotation::default() };
        // Each takes 6 MiB in JSON, which escapes what cannot be printed.
        let num_kept = (0..20).take_while(|_| writer.annotate(long.clone()).is_ok()).count();
        assert_eq!(num_kept, 10);
        writer.finish().unwrap();
        assert_eq!(crate::sigmf::RecordingReader::open(&name).unwrap().annotations().len(), 10);
    }
}
