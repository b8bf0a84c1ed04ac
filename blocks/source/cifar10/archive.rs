//! The official archive `cifar-10-binary.tar.gz`, read only after its checksum is verified.

use super::records::{RECORD, check_length};
use crate::source::digest::hex;
use crate::{BlockError, Result};
use flate2::read::GzDecoder;
use md5::{Digest, Md5};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Name of the archive as it is distributed.
pub(super) const ARCHIVE_NAME: &str = "cifar-10-binary.tar.gz";
/// MD5 of the archive, as its distributor states it.
pub(super) const ARCHIVE_MD5: &str = "c32a1d4ab5d03f1284b67883e8d87530";

/// Reads the files called `names` from an archive, one after the other in that order.
///
/// - md5: what the archive's MD5 must be
/// - errors: unreadable, another checksum, a file missing inside, not a whole number of records
pub(super) fn read_archive(path: &Path, md5: &str, names: &[&str]) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| BlockError::file(path, error);
    let found = md5_of(path).map_err(failed)?;
    if found != md5 {
        return Err(BlockError::file(path, format!("MD5 is {found}: the official archive has {md5}")));
    }
    let mut parts: Vec<Option<Vec<u8>>> = vec![None; names.len()];
    let file = BufReader::new(File::open(path).map_err(failed)?);
    for entry in tar::Archive::new(GzDecoder::new(file)).entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let inner = entry.path().map_err(failed)?.into_owned();
        let Some(part) = names.iter().position(|name| inner.file_name().is_some_and(|f| f == *name)) else {
            continue;
        };
        let len = entry.size();
        check_length(&path.join(&inner), len)?;
        let mut bytes = Vec::new();
        entry.take(len).read_to_end(&mut bytes).map_err(failed)?;
        check_length(&path.join(&inner), bytes.len() as u64)?;
        parts[part] = Some(bytes);
    }
    let mut all = Vec::new();
    for (name, part) in names.iter().zip(parts) {
        all.extend(part.ok_or_else(|| BlockError::file(path, format!("{name} is not in the archive")))?);
    }
    debug_assert_eq!(all.len() % RECORD, 0);
    Ok(all)
}

/// MD5 of a file, read piece by piece.
fn md5_of(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Md5::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex(&digest.finalize())),
            len => digest.update(&piece[..len]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    fn archive(dir: &Path, files: &[(&str, Vec<u8>)]) -> (std::path::PathBuf, String) {
        let path = dir.join(ARCHIVE_NAME);
        let gz = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        let mut tar = tar::Builder::new(gz);
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, format!("cifar-10-batches-bin/{name}"), bytes.as_slice()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap();
        let md5 = md5_of(&path).unwrap();
        (path, md5)
    }

    #[test]
    fn files_come_out_in_the_order_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let (path, md5) = archive(
            dir.path(),
            &[("b.bin", vec![2; RECORD]), ("readme.html", vec![1; 10]), ("a.bin", vec![1; 2 * RECORD])],
        );
        let bytes = read_archive(&path, &md5, &["a.bin", "b.bin"]).unwrap();
        assert_eq!(bytes, [vec![1; 2 * RECORD], vec![2; RECORD]].concat());
    }

    #[test]
    fn a_wrong_checksum_a_missing_file_and_an_odd_length_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let (path, md5) = archive(dir.path(), &[("a.bin", vec![1; RECORD - 1])]);
        let message = |md5: &str, name: &str| read_archive(&path, md5, &[name]).unwrap_err().to_string();
        assert!(message(ARCHIVE_MD5, "a.bin").contains(&format!("MD5 is {md5}")));
        assert!(message(&md5, "c.bin").contains("c.bin is not in the archive"));
        assert!(message(&md5, "a.bin").contains("3072 bytes"));
        std::fs::write(&path, b"no archive").unwrap();
        assert!(read_archive(&path, &md5_of(&path).unwrap(), &["a.bin"]).is_err());
    }

    #[test]
    fn the_md5_of_abc() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        std::fs::write(&path, b"abc").unwrap();
        // RFC 1321, appendix A.5.
        assert_eq!(md5_of(&path).unwrap(), "900150983cd24fb0d6963f7d28e17f72");
        assert!(md5_of(&dir.path().join("missing")).is_err());
    }
}
