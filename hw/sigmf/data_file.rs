//! The samples of a recording as they are written: whole samples only, whatever happens.

use super::Datatype;
use crate::{HwError, Result};
use num_complex::Complex32;
use sha2::{Digest, Sha512};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes that are held back at most.
const BUFFER_LEN: usize = 512 << 10;

/// A data file that grows.
#[derive(Debug)]
pub(super) struct DataFile {
    path: PathBuf,
    file: File,
    datatype: Datatype,
    buffer: Vec<u8>,
    /// Bytes in the file.
    written: u64,
    hash: Sha512,
    /// Bytes in the digest.
    hashed: u64,
}

impl DataFile {
    /// - errors: [`HwError::File`] where it exists
    pub(super) fn create(path: &Path, datatype: Datatype) -> Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(path);
        let file = file.map_err(|error| HwError::file(path, format!("cannot be created: {error}")))?;
        Ok(Self::over(path, file, datatype))
    }

    /// On an empty file.
    pub(super) fn over(path: &Path, file: File, datatype: Datatype) -> Self {
        let buffer = Vec::with_capacity(BUFFER_LEN);
        Self { path: path.into(), file, datatype, buffer, written: 0, hash: Sha512::new(), hashed: 0 }
    }

    /// Appends samples.
    ///
    /// - returns: how many of them were clipped
    /// - errors: as [`DataFile::flush`]
    pub(super) fn append(&mut self, samples: &[Complex32]) -> Result<u64> {
        let mut clipped = 0;
        let bytes_per_sample = self.datatype.bytes_per_sample();
        let mut rest = samples;
        while !rest.is_empty() {
            let room = (BUFFER_LEN - self.buffer.len()) / bytes_per_sample;
            let (now, later) = rest.split_at(room.min(rest.len()));
            clipped += self.datatype.encode(now, &mut self.buffer);
            rest = later;
            if self.buffer.len() == BUFFER_LEN {
                self.flush()?;
            }
        }
        Ok(clipped)
    }

    /// Hands what was held back to the operating system, from where a crash of this program takes it no more.
    ///
    /// - errors: [`HwError::File`], as where the disk is full; the file is cut back to what was whole
    pub(super) fn flush(&mut self) -> Result<()> {
        if let Err(error) = self.file.write_all(&self.buffer) {
            self.buffer.clear();
            // The first error is the one to tell.
            let _ = self.file.set_len(self.written);
            let _ = self.file.seek(SeekFrom::Start(self.written));
            let num_samples = self.num_written();
            return Err(HwError::file(
                &self.path,
                format!("cannot be written on after {num_samples} samples: {error}"),
            ));
        }
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Samples in the file.
    pub(super) fn num_written(&self) -> u64 {
        self.written / self.datatype.bytes_per_sample() as u64
    }

    /// Whether nothing is held back.
    pub(super) fn is_flushed(&self) -> bool {
        self.buffer.is_empty()
    }

    /// SHA-512 of what is in the file. Reads only what came since the last call.
    ///
    /// - errors: [`HwError::File`]
    pub(super) fn digest(&mut self) -> Result<String> {
        let mut bytes = vec![0; BUFFER_LEN];
        let mut catch_up = || -> std::io::Result<()> {
            self.file.seek(SeekFrom::Start(self.hashed))?;
            while self.hashed < self.written {
                let left = usize::try_from(self.written - self.hashed).unwrap_or(usize::MAX);
                let part = &mut bytes[..left.min(BUFFER_LEN)];
                self.file.read_exact(part)?;
                self.hash.update(&*part);
                self.hashed += part.len() as u64;
            }
            Ok(())
        };
        let caught_up = catch_up();
        let moved = self.file.seek(SeekFrom::Start(self.written));
        caught_up
            .and(moved)
            .map_err(|error| HwError::file(&self.path, format!("cannot be read back: {error}")))?;
        Ok(hexadecimal(&self.hash.clone().finalize()))
    }

    /// Waits until the disk has what was written.
    ///
    /// - errors: [`HwError::File`]
    pub(super) fn sync(&self) -> Result<()> {
        let sync = self.file.sync_all();
        sync.map_err(|error| HwError::file(&self.path, format!("does not reach the disk: {error}")))
    }
}

/// The lower-case digits of a digest.
pub(super) fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
