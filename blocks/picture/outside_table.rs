//! Pictures compressed elsewhere (BPG, VVC, a network): a table of sizes and qualities stands in for them.
//!
//! ```text
//! image,bytes,psnr_db,codec,...      a first line of titles may be left out
//! 0,212,27.41,bpg
//! 0,390,31.02,bpg
//! kodim01.png,20114,30.5,vvc
//! ```
//!
//! One line is one way to compress one image. Fields are separated by commas, without quotes; those beyond
//! the third are not looked at, and neither are empty lines and those that begin with `#`.

use crate::metric::PSNR_CAP_DB;
use crate::{BlockError, Result};
use std::collections::HashMap;
use std::path::Path;

/// One way in which an image was compressed elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutsidePoint {
    /// Length of the stream in bytes.
    pub bytes: usize,
    /// Quality of the decoded picture in decibels, at most [`PSNR_CAP_DB`].
    pub psnr_db: f64,
}

/// Sizes and qualities of many images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutsideTable {
    /// Sizes and qualities both ascend strictly.
    points: HashMap<String, Vec<OutsidePoint>>,
}

impl OutsideTable {
    /// Reads a table.
    ///
    /// - errors: a file that cannot be read, or the first line that is not as described, with its number,
    ///   what stands there and what may stand there
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| BlockError::file(path, error))?;
        Self::parse(path, &text)
    }

    /// As [`read`](Self::read), of text already in memory; the path is named in errors.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let mut points: HashMap<String, Vec<OutsidePoint>> = HashMap::new();
        // Some editors begin a file with a byte-order mark.
        let lines = text.trim_start_matches('\u{FEFF}').lines().map(str::trim).zip(1..);
        let used = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
        for (position, (line, number)) in used.enumerate() {
            let mut fields = line.split(',').map(str::trim);
            let [image, bytes, psnr] = [(); 3].map(|()| fields.next());
            let titles = position == 0 && bytes.is_some_and(|bytes| bytes.starts_with(char::is_alphabetic));
            if titles {
                continue;
            }
            let point = point(bytes, psnr).and_then(|point| match image {
                Some("") | None => Err("image is empty: allowed is a name or a number".to_string()),
                Some(image) => Ok((image, point)),
            });
            let (image, point) =
                point.map_err(|reason| BlockError::file(path, format!("line {number}: {reason}")))?;
            points.entry(image.to_string()).or_default().push(point);
        }
        if points.is_empty() {
            return Err(BlockError::file(path, "no line of image, bytes and PSNR"));
        }
        points.values_mut().for_each(keep_the_best);
        Ok(Self { points })
    }

    /// The best point of an image that fits a payload, or `None` where none does.
    ///
    /// - image: as the table names it
    /// - payload_bits: bits beyond the last whole byte are lost
    /// - errors: an image that the table does not name
    pub fn best_within(&self, image: &str, payload_bits: usize) -> Result<Option<OutsidePoint>> {
        let Some(points) = self.points.get(image) else {
            let allowed = format!("one of the {} images in the table", self.points.len());
            return Err(BlockError::invalid("image", format!("{image:?}"), allowed));
        };
        let fitting = points.partition_point(|point| point.bytes <= payload_bits / 8);
        Ok(fitting.checked_sub(1).map(|last| points[last]))
    }

    /// The images, by their names in ascending order.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<&str> = self.points.keys().map(String::as_str).collect();
        names.sort_unstable();
        names.into_iter()
    }

    /// Number of images named.
    pub fn num_images(&self) -> usize {
        self.points.len()
    }
}

fn point(bytes: Option<&str>, psnr: Option<&str>) -> Result<OutsidePoint, String> {
    let wrong = |name, found: Option<&str>, allowed| match found {
        Some(found) => {
            // A field of a file that is no table may be long.
            let found: String = found.chars().take(40).collect();
            format!("{name} = {found:?} is not possible: allowed is {allowed}")
        }
        None => format!("{name} is missing: allowed is {allowed}"),
    };
    let size = bytes.and_then(|text| text.parse().ok()).filter(|bytes| *bytes > 0);
    let size = size.ok_or_else(|| wrong("bytes", bytes, "a whole number from 1"))?;
    let quality = psnr.and_then(|text| text.parse::<f64>().ok()).filter(|psnr| *psnr >= 0.0);
    let quality =
        quality.ok_or_else(|| wrong("psnr_db", psnr, "decibels from 0, or inf without any error"))?;
    Ok(OutsidePoint { bytes: size, psnr_db: quality.min(PSNR_CAP_DB) })
}

/// Drops points that another one equals or betters at the same size or less, and sorts the rest.
fn keep_the_best(points: &mut Vec<OutsidePoint>) {
    points.sort_by(|a, b| a.bytes.cmp(&b.bytes).then(b.psnr_db.total_cmp(&a.psnr_db)));
    let mut best = f64::NEG_INFINITY;
    points.retain(|point| {
        let better = point.psnr_db > best;
        best = best.max(point.psnr_db);
        better
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<OutsideTable> {
        OutsideTable::parse(Path::new("bpg.csv"), text)
    }

    fn error(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_best_point_within_a_payload_is_found_in_any_order_of_lines() {
        let text = "image,bytes,psnr_db,codec\n# qp 30\n0,390,31.02,bpg,x\n\n0, 212 ,27.41\n0,300,27.0\nkodim01.png,9,inf\n";
        let table = parse(text).unwrap();
        assert_eq!(table.num_images(), 2);
        let best = |payload| table.best_within("0", payload).unwrap();
        assert_eq!(best(8 * 212 - 1), None);
        assert_eq!(best(8 * 212), Some(OutsidePoint { bytes: 212, psnr_db: 27.41 }));
        assert_eq!(best(8 * 389), best(8 * 212));
        assert_eq!(best(usize::MAX), Some(OutsidePoint { bytes: 390, psnr_db: 31.02 }));
        assert_eq!(table.best_within("kodim01.png", 72).unwrap().unwrap().psnr_db, PSNR_CAP_DB);
        let unknown = table.best_within("1", 72).unwrap_err().to_string();
        assert!(unknown.contains("\"1\"") && unknown.contains("2 images"), "{unknown}");
    }

    #[test]
    fn errors_name_file_line_what_was_found_and_what_is_allowed() {
        let found = error("0,212,27.41\n\n0,2x2,27.41");
        assert_eq!(
            found,
            "bpg.csv: line 3: bytes = \"2x2\" is not possible: allowed is a whole number from 1"
        );
        assert!(error("0,212").contains("line 1: psnr_db is missing"));
        assert!(error("a").contains("bytes is missing"));
        assert!(error("0,212,NaN").contains("NaN"));
        assert!(error("0,212,-1").contains("decibels from 0"));
        assert!(error("0,0,30").contains("bytes = \"0\""));
        assert!(error(",212,30").contains("image is empty"));
        assert!(error("image,bytes,psnr_db\nimage,bytes,psnr_db\n").contains("line 2"));
        assert!(error("").contains("no line"));
        assert!(error("image,bytes,psnr").contains("no line"));
        let long = error(&format!("0,{}", "9".repeat(10_000)));
        assert!(long.len() < 150 && !long.contains('\n'), "{long}");
    }

    #[test]
    fn files_that_cannot_be_read_are_named() {
        let error = OutsideTable::read(Path::new("/nowhere/vvc.csv")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/vvc.csv"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vvc.csv");
        std::fs::write(&path, "\u{FEFF}0,100,30.5\r\n").unwrap();
        let table = OutsideTable::read(&path).unwrap();
        assert_eq!(table.best_within("0", 800).unwrap().unwrap().bytes, 100);
    }
}
