//! One row per measured point, written as `results.csv` and read back to resume a run.

use super::config::Experiment;
use super::image_scores::PointScores;
use std::fmt::Write;

/// Identifies a point within an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct PointKey {
    /// Value of the varied key, as text; empty where nothing is varied.
    pub varied: String,
    /// Name of the link.
    pub link: String,
    /// Name of the channel.
    pub channel: String,
    /// Mean SNR per complex channel use, in dB.
    pub snr_db: f64,
}

/// What was measured at one point. `None` means that it does not apply or could not be measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measurement {
    /// Images sent.
    pub images: u64,
    /// Images of which nothing arrived; scored as the mean training image.
    pub lost: u64,
    /// Mean over images of the PSNR of each, in dB; an exact image counts 100 dB.
    pub psnr_db: f64,
    /// Half width of the 95 % confidence interval of `psnr_db`.
    pub psnr_ci95_db: Option<f64>,
    /// PSNR of the mean squared error over all images, in dB.
    pub psnr_of_mean_mse_db: f64,
    /// Images reconstructed exactly.
    pub infinite: u64,
    /// As `psnr_db`, over the images that arrived.
    pub psnr_received_db: Option<f64>,
    /// Mean multi-scale structural similarity.
    pub ms_ssim: Option<f64>,
    /// Scales of that measure: as many as the image size allows.
    pub ms_ssim_scales: Option<u64>,
    /// Mean LPIPS distance, with the SqueezeNet networks.
    pub lpips: Option<f64>,
    /// Mean cosine between the common features of different groups of a frame.
    pub common_cosine: Option<f64>,
    /// Agreement of the clustering with the true groups: 1 is equal, 0 is chance.
    pub adjusted_rand: Option<f64>,
    /// Channel uses sent per image, everything counted.
    pub uses_per_image: f64,
    /// Of these, signalling of the groups.
    pub signalling_per_image: f64,
    /// Channel uses that one user listens to.
    pub uses_received: f64,
    /// Transmitted energy per image, with unit power per channel use of each vector.
    pub energy_per_image: f64,
    /// Share of the features that is sent in common.
    pub effective_rho: f64,
    /// Modulation and code rate of a digital link: the one chosen for this point, or the one that was named.
    pub mcs: Option<String>,
    /// Images that fell to their mean colour, since no setting of the codec fitted the payload; of digital links
    /// and their bounds.
    pub unfit: Option<u64>,
    /// Images whose block failed; of digital links and their bounds.
    pub outage: Option<u64>,
}

/// A point and what was measured there.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The point.
    pub key: PointKey,
    /// The measurement.
    pub measured: Measurement,
}

/// What is shown of an experiment: its rows in order, and the scores of all images where they were kept.
#[derive(Clone, Copy)]
pub struct Results<'a> {
    /// The resolved experiment.
    pub experiment: &'a Experiment,
    /// Rows of the finished points.
    pub rows: &'a [Row],
    /// Scores of their images, in any order.
    pub images: &'a [PointScores],
}

impl Row {
    /// The row as it is read again from the table.
    pub fn as_written(self) -> Result<Self, String> {
        let rows = from_csv(&to_csv(&[self]))?;
        rows.into_iter().next().ok_or_else(|| "a row was written as nothing".into())
    }
}

/// The columns, in order.
pub const COLUMNS: [&str; 24] = [
    "varied",
    "link",
    "channel",
    "snr_db",
    "images",
    "lost",
    "psnr_db",
    "psnr_ci95_db",
    "psnr_of_mean_mse_db",
    "infinite",
    "psnr_received_db",
    "ms_ssim",
    "ms_ssim_scales",
    "lpips",
    "common_cosine",
    "adjusted_rand",
    "uses_per_image",
    "signalling_per_image",
    "uses_received",
    "energy_per_image",
    "effective_rho",
    "mcs",
    "unfit",
    "outage",
];

/// All rows as CSV, header first. Equal rows give equal bytes.
pub fn to_csv(rows: &[Row]) -> String {
    let mut text = COLUMNS.join(",");
    text.push('\n');
    for Row { key, measured: m } in rows {
        let fields = [
            key.varied.clone(),
            key.link.clone(),
            key.channel.clone(),
            key.snr_db.to_string(),
            m.images.to_string(),
            m.lost.to_string(),
            fixed(Some(m.psnr_db)),
            fixed(m.psnr_ci95_db),
            fixed(Some(m.psnr_of_mean_mse_db)),
            m.infinite.to_string(),
            fixed(m.psnr_received_db),
            fixed(m.ms_ssim),
            m.ms_ssim_scales.map(|scales| scales.to_string()).unwrap_or_default(),
            fixed(m.lpips),
            fixed(m.common_cosine),
            fixed(m.adjusted_rand),
            fixed(Some(m.uses_per_image)),
            fixed(Some(m.signalling_per_image)),
            fixed(Some(m.uses_received)),
            fixed(Some(m.energy_per_image)),
            fixed(Some(m.effective_rho)),
            m.mcs.clone().unwrap_or_default(),
            m.unfit.map(|count| count.to_string()).unwrap_or_default(),
            m.outage.map(|count| count.to_string()).unwrap_or_default(),
        ];
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", fields.join(","));
    }
    text
}

/// Reads what [`to_csv`] wrote.
///
/// - errors: one line that names the line and column
pub fn from_csv(text: &str) -> Result<Vec<Row>, String> {
    let mut lines = text.lines();
    if lines.next() != Some(COLUMNS.join(",").as_str()) {
        return Err("line 1 does not hold the columns that this version writes: allowed is a table of this \
                    version, another --out, or --force"
            .into());
    }
    lines
        .enumerate()
        .map(|(i, line)| row(line).map_err(|reason| format!("line {}: {reason}", i + 2)))
        .collect()
}

fn row(line: &str) -> Result<Row, String> {
    let fields: Vec<&str> = line.split(',').collect();
    if fields.len() != COLUMNS.len() {
        return Err(format!("{} fields found, {} allowed", fields.len(), COLUMNS.len()));
    }
    let number = |i: usize| -> Result<f64, String> { parse(&fields, i) };
    let count = |i: usize| -> Result<u64, String> { parse(&fields, i) };
    let maybe = |i: usize| (!fields[i].is_empty()).then(|| number(i)).transpose();
    let maybe_count = |i: usize| (!fields[i].is_empty()).then(|| count(i)).transpose();
    Ok(Row {
        key: PointKey {
            varied: fields[0].into(),
            link: fields[1].into(),
            channel: fields[2].into(),
            snr_db: number(3)?,
        },
        measured: Measurement {
            images: count(4)?,
            lost: count(5)?,
            psnr_db: number(6)?,
            psnr_ci95_db: maybe(7)?,
            psnr_of_mean_mse_db: number(8)?,
            infinite: count(9)?,
            psnr_received_db: maybe(10)?,
            ms_ssim: maybe(11)?,
            ms_ssim_scales: maybe_count(12)?,
            lpips: maybe(13)?,
            common_cosine: maybe(14)?,
            adjusted_rand: maybe(15)?,
            uses_per_image: number(16)?,
            signalling_per_image: number(17)?,
            uses_received: number(18)?,
            energy_per_image: number(19)?,
            effective_rho: number(20)?,
            mcs: Some(fields[21]).filter(|name| !name.is_empty()).map(str::to_owned),
            unfit: maybe_count(22)?,
            outage: maybe_count(23)?,
        },
    })
}

fn parse<T: std::str::FromStr>(fields: &[&str], column: usize) -> Result<T, String> {
    fields[column].parse().map_err(|_| format!("{} = {} is no number", COLUMNS[column], fields[column]))
}

/// Six decimals, which survive reading and writing again; nothing for `None`.
fn fixed(value: Option<f64>) -> String {
    value.map(|value| format!("{value:.6}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let key = |snr_db| PointKey {
            varied: "0.5".into(),
            link: "klt".into(),
            channel: "rician-k4".into(),
            snr_db,
        };
        let measured = Measurement {
            images: 200,
            lost: 1,
            psnr_db: 30.123_456_789,
            psnr_ci95_db: Some(0.25),
            psnr_of_mean_mse_db: 29.5,
            psnr_received_db: Some(30.2),
            ms_ssim: Some(0.97),
            ms_ssim_scales: Some(2),
            uses_per_image: 1024.5,
            mcs: Some("16qam-378/1024".into()),
            unfit: Some(0),
            ..Measurement::default()
        };
        vec![Row { key: key(-1.5), measured: measured.clone() }, Row { key: key(12.0), measured }]
    }

    #[test]
    fn what_is_written_is_read_and_written_again_byte_for_byte() {
        let text = to_csv(&rows());
        let read = from_csv(&text).unwrap();
        assert_eq!(to_csv(&read), text);
        assert_eq!(rows()[0].clone().as_written().unwrap(), read[0]);
        assert_eq!(read[0].clone().as_written().unwrap(), read[0], "rounding twice changes nothing");
        assert_eq!(read[0].key, rows()[0].key);
        assert_eq!(read[1].measured.ms_ssim_scales, Some(2));
        assert_eq!(read[1].measured.adjusted_rand, None);
        let m = &read[1].measured;
        assert_eq!((m.mcs.as_deref(), m.unfit, m.outage), (Some("16qam-378/1024"), Some(0), None));
        assert!(text.ends_with(",16qam-378/1024,0,\n"), "{text}");
        assert!(text.contains(
            "0.5,klt,rician-k4,-1.5,200,1,30.123457,0.250000,29.500000,0,30.200000,0.970000,2,,,,1024.500000,"
        ));
    }

    #[test]
    fn a_damaged_file_is_refused_with_the_place() {
        let text = to_csv(&rows());
        assert!(from_csv("a,b").unwrap_err().contains("line 1"));
        assert!(
            from_csv(&text.replace("30.123457", "thirty")).unwrap_err().contains("line 2: psnr_db = thirty")
        );
        assert!(from_csv(&text.replace("klt,", "klt,,")).unwrap_err().contains("line 2: 25 fields"));
        assert!(from_csv("").is_err());
        let earlier = text.replace(",mcs,unfit,outage", "").replace(",16qam-378/1024,0,", "");
        assert!(from_csv(&earlier).unwrap_err().contains("columns that this version writes"));
    }
}
