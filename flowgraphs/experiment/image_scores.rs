//! The scores of every image at every point, written as `images.csv` while points are measured.
//!
//! Lines are added as points end, so a crash may leave a part of a line, or lines of a point without a row in the
//! table of results; both are left out when the file is read. A finished run has them in the order of its points.

use super::results::{PointKey, Row};
use crate::links::{Images, LinkOutput};
use sememe_blocks::metric::ImageScore;
use std::collections::HashMap;
use std::fmt::Write;

/// Name of the table.
pub const IMAGES: &str = "images.csv";

/// Its first line. Images are numbered from 0 in the order in which they are sent; tiles of one picture share the number
/// of the first.
pub const HEADER: &str = "varied,link,channel,snr_db,image,picture,lost,psnr_db,ms_ssim,lpips\n";

/// The scores of the images of one point, in sending order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageScores {
    /// Number of the picture that each was cut from.
    pub pictures: Vec<usize>,
    /// Which images did not arrive.
    pub lost: Vec<bool>,
    /// PSNR of each in dB; an exact image counts 100 dB.
    pub psnr_db: Vec<f64>,
    /// MS-SSIM of each; empty where it was not measured.
    pub ms_ssim: Vec<f64>,
    /// LPIPS distance of each; empty where it was not measured.
    pub lpips: Vec<f64>,
}

/// A point and the scores of its images.
#[derive(Clone, Debug, PartialEq)]
pub struct PointScores {
    /// The point.
    pub key: PointKey,
    /// The scores.
    pub scores: ImageScores,
}

impl ImageScores {
    /// Scores as they will be read again: rounded to what the table holds.
    ///
    /// - sent: the images, in the order in which they were sent
    pub fn of(output: &LinkOutput, sent: &Images) -> Self {
        let images: Vec<&ImageScore> = output.scores.iter().flat_map(|frame| &frame.images).collect();
        let of_frames = output.scores.iter();
        Self {
            pictures: sent.pictures(images.len()),
            lost: images.iter().map(|image| image.lost).collect(),
            psnr_db: images.iter().map(|image| rounded(image.psnr_db())).collect(),
            ms_ssim: of_frames.clone().flat_map(|frame| &frame.ms_ssim).map(|s| rounded(*s)).collect(),
            lpips: of_frames.flat_map(|frame| &frame.lpips).map(|d| rounded(f64::from(*d))).collect(),
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.psnr_db.len()
    }

    /// Mean squared error of each image, of values 0 to 255; that of an exact image counts as next to nothing.
    pub fn mean_square_errors(&self) -> Vec<f64> {
        self.psnr_db.iter().map(|psnr| 255.0 * 255.0 / 10f64.powf(psnr / 10.0)).collect()
    }
}

/// Five decimals.
fn text(value: f64) -> String {
    format!("{value:.5}")
}

fn rounded(value: f64) -> f64 {
    // What was printed as a number is read as one; NaN and infinity too.
    text(value).parse().unwrap_or(f64::NAN)
}

/// The lines of one point.
pub fn lines(PointScores { key, scores }: &PointScores) -> String {
    let PointKey { varied, link, channel, snr_db } = key;
    let mut lines = String::new();
    let maybe = |values: &[f64], image: usize| values.get(image).map(|v| text(*v)).unwrap_or_default();
    for image in 0..scores.len() {
        let (picture, lost) = (scores.pictures[image], u8::from(scores.lost[image]));
        let (psnr, similarity) = (text(scores.psnr_db[image]), maybe(&scores.ms_ssim, image));
        let distance = maybe(&scores.lpips, image);
        // Writing to a string cannot fail.
        let _ = writeln!(
            lines,
            "{varied},{link},{channel},{snr_db},{image},{picture},{lost},{psnr},{similarity},{distance}"
        );
    }
    lines
}

/// The whole table.
pub fn to_csv<'a>(points: impl Iterator<Item = &'a PointScores>) -> String {
    points.fold(HEADER.to_owned(), |text, point| text + &lines(point))
}

/// Reads a table, of a run under way too.
///
/// - errors: one line that names the line and what is wrong with it; a last line without an end is left out
pub fn from_csv(text: &str) -> Result<Vec<PointScores>, String> {
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let Some(body) = whole.strip_prefix(HEADER) else {
        let allowed = "a table of this version, another --out, or --force";
        return match whole.is_empty() {
            true => Ok(vec![]),
            false => Err(format!("line 1 is not {}: allowed is {allowed}", HEADER.trim())),
        };
    };
    let (mut points, mut places) = (Vec::<PointScores>::new(), HashMap::new());
    for (number, line) in body.lines().enumerate() {
        let located = |reason: String| format!("line {}: {reason}", number + 2);
        let fields: Vec<&str> = line.split(',').collect();
        let Ok([varied, link, channel, snr, image, picture, lost, rest @ ..]): Result<[&str; 10], _> =
            fields.try_into()
        else {
            return Err(located(format!("{} fields found, 10 allowed", line.split(',').count())));
        };
        let number = |name: &str, text: &str| {
            text.parse::<f64>().map_err(|_| located(format!("{name} = {text} is no number")))
        };
        let snr_db = number("snr_db", snr)?;
        let key = PointKey { varied: varied.into(), link: link.into(), channel: channel.into(), snr_db };
        // The first image begins a point anew: one that was measured again after a crash counts as it is last.
        if image == "0" || points.is_empty() {
            let earlier = places.insert(text_of(&key), points.len());
            if let Some(earlier) = earlier.and_then(|place| points.get_mut(place)) {
                earlier.scores = ImageScores::default();
            }
            points.push(PointScores { key: key.clone(), scores: ImageScores::default() });
        }
        let Some(PointScores { key: current, scores }) = points.last_mut() else { continue };
        if *current != key || image != scores.len().to_string() {
            return Err(located(format!("image {image} is out of order")));
        }
        let picture = picture.parse().map_err(|_| located(format!("picture = {picture} is no number")))?;
        scores.pictures.push(picture);
        scores.lost.push(lost == "1");
        let [psnr, similarity, distance] = rest;
        scores.psnr_db.push(number("psnr_db", psnr)?);
        for (name, text, values) in
            [("ms_ssim", similarity, &mut scores.ms_ssim), ("lpips", distance, &mut scores.lpips)]
        {
            if !text.is_empty() {
                values.push(number(name, text)?);
            }
        }
    }
    // Those measured again stand further down.
    points.retain(|point| point.scores.len() > 0);
    Ok(points)
}

/// A key by which points are looked up.
pub fn text_of(PointKey { varied, link, channel, snr_db }: &PointKey) -> String {
    format!("{varied},{link},{channel},{snr_db}")
}

/// The scores that belong to rows, in their order; `None` for a row whose images are not all there.
pub fn of_rows(rows: &[Row], scores: Vec<PointScores>) -> Vec<Option<PointScores>> {
    let mut of_key: HashMap<String, PointScores> =
        scores.into_iter().map(|point| (text_of(&point.key), point)).collect();
    let is_whole = |row: &Row, point: &PointScores| point.scores.len() as u64 == row.measured.images;
    let of_row = |row: &Row| of_key.remove(&text_of(&row.key)).filter(|point| is_whole(row, point));
    rows.iter().map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::results::Measurement;

    fn point(link: &str, snr_db: f64, psnr_db: &[f64]) -> PointScores {
        let key = PointKey { varied: "0.2".into(), link: link.into(), channel: "awgn".into(), snr_db };
        let scores = ImageScores {
            pictures: (0..psnr_db.len()).map(|image| image / 2).collect(),
            lost: psnr_db.iter().map(|psnr| *psnr < 10.0).collect(),
            psnr_db: psnr_db.to_vec(),
            ms_ssim: vec![],
            lpips: psnr_db.iter().map(|psnr| 1.0 / psnr).collect(),
        };
        PointScores { key, scores }
    }

    fn points() -> Vec<PointScores> {
        vec![point("klt", -3.5, &[8.0, 25.5, 100.0]), point("jpeg + ldpc", 12.0, &[31.25, 40.0, 16.0])]
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = to_csv(points().iter());
        assert!(
            text.starts_with(HEADER) && text.contains("\n0.2,klt,awgn,-3.5,0,0,1,8.00000,,0.12500\n"),
            "{text}"
        );
        let read = from_csv(&text).unwrap();
        assert_eq!(to_csv(read.iter()), text);
        assert_eq!(read[1].scores.psnr_db, [31.25, 40.0, 16.0]);
        assert_eq!(read[0].scores.lost, [true, false, false]);
        assert!(from_csv("").unwrap().is_empty() && from_csv(HEADER).unwrap().is_empty());
        assert!((read[0].scores.mean_square_errors()[1] - 183.27).abs() < 0.01);
    }

    #[test]
    fn a_crash_leaves_what_was_whole() {
        let text = to_csv(points().iter());
        for end in HEADER.len()..text.len() {
            let read = from_csv(&text[..end]).unwrap();
            let images: usize = read.iter().map(|point| point.scores.len()).sum();
            assert_eq!(images, text[HEADER.len()..end].matches('\n').count());
        }
        // The second point broken off, then measured again.
        let broken = text.lines().take(6).map(|line| format!("{line}\n")).collect::<String>();
        assert_eq!(from_csv(&broken).unwrap()[1].scores.len(), 2);
        let again = broken + &lines(&points()[1]);
        assert_eq!(from_csv(&again).unwrap(), from_csv(&text).unwrap());
    }

    #[test]
    fn damage_is_named_with_its_place() {
        let text = to_csv(points().iter());
        let error = |from: &str, to: &str| from_csv(&text.replace(from, to)).unwrap_err();
        assert!(error("25.50000", "many").contains("line 3: psnr_db = many"));
        assert!(error("klt,awgn,-3.5,1,", "klt,awgn,-3.5,2,").contains("line 3: image 2 is out of order"));
        assert!(error(",8.00000", ",8.00000,").contains("line 2: 11 fields found"));
        assert!(error("varied", "varies").contains("line 1"));
    }

    #[test]
    fn rows_without_all_their_images_have_none() {
        let row = |point: &PointScores, images| Row {
            key: point.key.clone(),
            measured: Measurement { images, ..Measurement::default() },
        };
        let points = points();
        let rows = [row(&points[1], 3), row(&points[0], 4)];
        assert_eq!(of_rows(&rows, points.clone()), [Some(points[1].clone()), None]);
    }
}
