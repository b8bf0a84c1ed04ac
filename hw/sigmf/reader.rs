//! A recording as a source of samples.

use super::data_file::hexadecimal;
use super::layout::{Layout, Segment};
use super::metadata::{Annotation, Metadata};
use super::paths::RecordingPaths;
use crate::{Counters, HwError, Read, Result, SampleSource};
use num_complex::Complex32;
use sha2::{Digest, Sha512};
use std::fs::File;
use std::io::{Read as _, Seek, SeekFrom};
use std::path::Path;

/// Bytes that are read at once; a multiple of every sample's length.
const BUFFER_LEN: usize = 64 << 10;

/// Reads a recording sample by sample, in memory that does not grow with its length.
///
/// A read ends where samples are missing in the recording (`core:global_index` jumps) or its frequency changes: the
/// next one is torn.
#[derive(Debug)]
pub struct RecordingReader {
    paths: RecordingPaths,
    metadata: Metadata,
    layout: Layout,
    file: File,
    buffer: Vec<u8>,
    /// The next sample, counted from the first of the file.
    position: u64,
    /// The segment that it lies in.
    segment: usize,
    /// Whether the segment's start has not been told yet.
    is_new_segment: bool,
    counters: Counters,
}

impl RecordingReader {
    /// Opens a recording by any of its names (see [`RecordingPaths::new`]).
    ///
    /// - errors: [`HwError::File`], one line with file, key, value and what is allowed, where a file is missing or the
    ///   two contradict each other
    pub fn open(name: impl AsRef<Path>) -> Result<Self> {
        let mut paths = RecordingPaths::new(name)?;
        if !paths.meta.exists() {
            let data = if paths.data.exists() { "; its data are there" } else { "" };
            let reason = format!(
                "there is no such metadata file{data}: a recording is two files, x.sigmf-meta and x.sigmf-data"
            );
            return Err(HwError::file(paths.meta, reason));
        }
        let metadata = Metadata::read(&paths.meta)?;
        if let Some(dataset) = &metadata.global.dataset {
            paths.data.set_file_name(dataset);
        }
        let (file, len) = open_data(&paths.data)?;
        let layout = Layout::new(&metadata, len).map_err(|reason| HwError::file(&paths.meta, reason))?;
        let mut reader = Self {
            paths,
            metadata,
            layout,
            file,
            buffer: vec![0; BUFFER_LEN],
            position: 0,
            segment: 0,
            is_new_segment: true,
            counters: Counters::default(),
        };
        reader.seek()?;
        Ok(reader)
    }

    /// What the recording says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Marks on samples, by their first sample.
    pub fn annotations(&self) -> &[Annotation] {
        &self.metadata.annotations
    }

    /// The two files.
    pub fn paths(&self) -> &RecordingPaths {
        &self.paths
    }

    /// Samples in the recording.
    pub fn num_samples(&self) -> u64 {
        self.layout.num_samples
    }

    /// Index of the sample that is read next, as annotations count.
    pub fn position(&self) -> u64 {
        self.metadata.global.offset.saturating_add(self.position)
    }

    /// Reads the whole data file and compares it with `core:sha512`.
    ///
    /// - returns: whether there was a digest to compare with
    /// - errors: [`HwError::File`] where the two differ
    pub fn verify_checksum(&self) -> Result<bool> {
        let Some(expected) = &self.metadata.global.sha512 else { return Ok(false) };
        let (mut file, _) = open_data(&self.paths.data)?;
        let mut hash = Sha512::new();
        let mut buffer = vec![0; BUFFER_LEN];
        loop {
            match file.read(&mut buffer).map_err(|error| unreadable(&self.paths.data, error))? {
                0 => break,
                len => hash.update(&buffer[..len]),
            }
        }
        let found = hexadecimal(&hash.finalize());
        if found == *expected {
            return Ok(true);
        }
        let reason = format!(
            "SHA-512 is {found:.16}..., but core:sha512 = {expected:.16}...: the samples were changed"
        );
        Err(HwError::file(&self.paths.data, reason))
    }

    fn seek(&mut self) -> Result<()> {
        let Segment { first, byte, .. } = self.layout.segments[self.segment];
        let bytes_per_sample = self.metadata.global.datatype.bytes_per_sample() as u64;
        let byte = byte + (self.position - first) * bytes_per_sample;
        self.file.seek(SeekFrom::Start(byte)).map_err(|error| unreadable(&self.paths.data, error))?;
        Ok(())
    }

    /// Moves into the segment that the next sample lies in.
    fn enter_segment(&mut self) -> Result<()> {
        let next = self.layout.segments.get(self.segment + 1);
        if next.is_some_and(|next| next.first == self.position) {
            self.segment += 1;
            self.is_new_segment = true;
            self.seek()?;
        }
        Ok(())
    }

    /// Samples until the next segment, or the end.
    fn left_in_segment(&self) -> u64 {
        let next = self.layout.segments.get(self.segment + 1);
        next.map_or(self.layout.num_samples, |next| next.first) - self.position
    }

    fn time_ns(&self) -> i64 {
        let Segment { first, global, .. } = self.layout.segments[self.segment];
        let start = self.layout.segments[0].global;
        let index = global.saturating_add(self.position - first);
        let seconds = (index as f64 - start as f64) / self.metadata.global.sample_rate_hz;
        // A conversion to integers saturates.
        (seconds * 1e9).round() as i64
    }
}

impl SampleSource for RecordingReader {
    /// As [`SampleSource::read`]; the time counts from the recording's first sample, missing ones included, and the
    /// end is told by a read that brings nothing.
    fn read(&mut self, samples: &mut [Complex32]) -> Result<Read> {
        self.enter_segment()?;
        if samples.is_empty() {
            return Ok(Read::default());
        }
        let mut read = Read { time_ns: Some(self.time_ns()), ..Read::default() };
        let datatype = self.metadata.global.datatype;
        let bytes_per_sample = datatype.bytes_per_sample();
        while read.len < samples.len() {
            if read.len > 0 {
                self.enter_segment()?;
            }
            let segment = self.layout.segments[self.segment];
            if self.is_new_segment && segment.is_torn {
                if read.len > 0 {
                    break;
                }
                (read.missing, read.is_torn) = (segment.missing, true);
            }
            self.is_new_segment = false;
            let left = usize::try_from(self.left_in_segment()).unwrap_or(usize::MAX);
            let len = left.min(samples.len() - read.len).min(BUFFER_LEN / bytes_per_sample);
            if len == 0 {
                break;
            }
            let bytes = &mut self.buffer[..len * bytes_per_sample];
            if let Err(error) = self.file.read_exact(bytes) {
                let (position, of) = (self.position, self.layout.num_samples);
                let reason =
                    format!("sample {position} of {of} cannot be read, was the file cut meanwhile: {error}");
                return Err(HwError::file(&self.paths.data, reason));
            }
            datatype.decode(bytes, &mut samples[read.len..read.len + len]);
            read.len += len;
            self.position += len as u64;
        }
        read.is_end = read.len == 0;
        self.counters.samples += read.len as u64;
        self.counters.missing = self.counters.missing.saturating_add(read.missing);
        Ok(read)
    }

    /// Opens the data file again and goes on where reading stopped.
    fn reopen(&mut self) -> Result<()> {
        self.file = open_data(&self.paths.data)?.0;
        self.seek()
    }

    fn sample_rate_hz(&self) -> f64 {
        self.metadata.global.sample_rate_hz
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

fn open_data(path: &Path) -> Result<(File, u64)> {
    // Asked before it is opened, since opening a pipe would wait for its other end.
    let found = std::fs::metadata(path).map_err(|error| unreadable(path, error))?;
    if !found.is_file() {
        return Err(HwError::file(path, "is no file: samples of a recording are read from files only"));
    }
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    Ok((file, found.len()))
}

fn unreadable(path: &Path, error: std::io::Error) -> HwError {
    HwError::file(path, format!("cannot be read: {error}"))
}
