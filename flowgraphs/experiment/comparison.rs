//! Every line beside one of them: where they cross, and how much larger their errors are.

use super::config::Experiment;
use super::figures::{channel_title, file_suffix, look_of};
use super::grid::cells;
use super::plot::{Axis, Figure, Line};
use super::results::{Measurement, Row};
use super::table::Section;
use std::fmt::Write;

/// Name of the table of differences and ratios.
pub const COMPARISON: &str = "comparison.csv";
/// Name of the table of crossings.
pub const CROSSINGS: &str = "crossings.csv";

/// A line beside the reference, at the SNRs at which both were measured.
struct Pair<'a> {
    varied: String,
    channel: String,
    /// Channel and varied values in words.
    title: String,
    link: &'a str,
    /// (SNR, reference, line).
    points: Vec<(f64, &'a Measurement, &'a Measurement)>,
}

/// Errors of one line over those of the reference; below 1 the line is better.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ratios {
    /// Of mean squared errors over all images.
    mse: f64,
    /// Of mean LPIPS distances, where they were measured.
    lpips: Option<f64>,
}

/// One of the ratios, where it is known.
type RatioOf = fn(Ratios) -> Option<f64>;

impl Ratios {
    fn of(line: &Measurement, reference: &Measurement) -> Self {
        let lpips = line.lpips.zip(reference.lpips).map(|(line, reference)| line / reference);
        Self { mse: 10f64.powf((reference.psnr_of_mean_mse_db - line.psnr_of_mean_mse_db) / 10.0), lpips }
    }
}

/// Nothing without `output.compare`.
fn pairs<'a>(experiment: &'a Experiment, rows: &'a [Row]) -> Vec<Pair<'a>> {
    let Some(reference) = &experiment.output.compare else { return vec![] };
    let mut pairs = Vec::new();
    for cell in cells(&experiment.vary) {
        for channel in &experiment.channel {
            let (varied, name) = (cell.text(), channel.name());
            let of = |link: &str| -> Vec<&Row> {
                let is_its =
                    |row: &&Row| row.key.link == link && row.key.channel == name && row.key.varied == varied;
                rows.iter().filter(is_its).collect()
            };
            let ours = of(reference);
            for link in experiment.link.iter().map(|link| link.label()).filter(|link| link != reference) {
                let theirs = of(&link);
                let at = |row: &&&'a Row| {
                    let other = theirs.iter().find(|other| other.key.snr_db == row.key.snr_db)?;
                    Some((row.key.snr_db, &row.measured, &other.measured))
                };
                let mut points: Vec<_> = ours.iter().filter_map(|row| at(&row)).collect();
                points.sort_by(|a, b| a.0.total_cmp(&b.0));
                let Some(link) = theirs.first().map(|row| row.key.link.as_str()) else { continue };
                if points.is_empty() {
                    continue;
                }
                let title = format!("{}{}", channel_title(channel), cell.title());
                pairs.push(Pair { varied: varied.clone(), channel: name.clone(), title, link, points });
            }
        }
    }
    pairs
}

impl Pair<'_> {
    /// SNRs at which the two lines change places, between measured points taken to be straight.
    fn crossings(&self) -> Vec<f64> {
        let ahead =
            |(_, reference, line): &(f64, &Measurement, &Measurement)| line.psnr_db - reference.psnr_db;
        // Where they touch without changing places, they do not cross.
        let apart: Vec<(f64, f64)> = self
            .points
            .iter()
            .map(|point| (point.0, ahead(point)))
            .filter(|(_, gain)| *gain != 0.0)
            .collect();
        let between = |two: &[(f64, f64)]| {
            let ((from, before), (to, after)) = (two[0], two[1]);
            (before * after < 0.0).then(|| from + (to - from) * before / (before - after))
        };
        apart.windows(2).filter_map(between).collect()
    }

    /// In words: where the line is better than the reference.
    fn verdict(&self) -> String {
        let gains: Vec<f64> =
            self.points.iter().map(|(_, reference, line)| line.psnr_db - reference.psnr_db).collect();
        let most = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = gains.iter().copied().fold(f64::INFINITY, f64::min);
        format!("{least:+.2} to {most:+.2}")
    }
}

/// For each channel: of every line the SNRs where it crosses the reference, and how far it is from it.
pub fn sections(experiment: &Experiment, rows: &[Row]) -> Vec<Section> {
    let Some(reference) = &experiment.output.compare else { return vec![] };
    let pairs = pairs(experiment, rows);
    let of_title = |pairs: &[Pair]| {
        let heading =
            ["line", "crosses it at (dB)", "PSNR less its own (dB)", "largest MSE ratio", "LPIPS ratio"];
        let mut lines = vec![heading.map(str::to_owned).to_vec()];
        for pair in pairs {
            let crossings: Vec<String> = pair.crossings().iter().map(|snr| format!("{snr:.1}")).collect();
            let ratios = pair.points.iter().map(|(_, ours, theirs)| Ratios::of(theirs, ours));
            let mse = ratios.clone().map(|ratio| ratio.mse).fold(0.0, f64::max);
            let lpips = ratios.filter_map(|ratio| ratio.lpips).reduce(f64::max);
            lines.push(vec![
                pair.link.to_owned(),
                if crossings.is_empty() { "-".into() } else { crossings.join(", ") },
                pair.verdict(),
                format!("{mse:.2}"),
                lpips.map_or("-".into(), |ratio| format!("{ratio:.2}")),
            ]);
        }
        Section { title: format!("{}: beside {reference}", pairs[0].title), lines }
    };
    pairs.chunk_by(|a, b| a.title == b.title).map(of_title).collect()
}

/// File names and contents of the two tables.
pub fn tables(experiment: &Experiment, rows: &[Row]) -> Vec<(&'static str, String)> {
    if experiment.output.compare.is_none() {
        return vec![];
    }
    let mut ratios = "varied,channel,link,snr_db,psnr_difference_db,mse_ratio,lpips_ratio\n".to_owned();
    let mut crossings = "varied,channel,link,crosses_at_db\n".to_owned();
    for pair in pairs(experiment, rows) {
        let Pair { varied, channel, link, .. } = &pair;
        for (snr, ours, theirs) in &pair.points {
            let Ratios { mse, lpips } = Ratios::of(theirs, ours);
            let lpips = lpips.map(|ratio| format!("{ratio:.4}")).unwrap_or_default();
            let difference = theirs.psnr_db - ours.psnr_db;
            // Writing to a string cannot fail.
            let _ = writeln!(ratios, "{varied},{channel},{link},{snr},{difference:.4},{mse:.4},{lpips}");
        }
        for snr in pair.crossings() {
            let _ = writeln!(crossings, "{varied},{channel},{link},{snr:.2}");
        }
    }
    vec![(COMPARISON, ratios), (CROSSINGS, crossings)]
}

/// For each channel the ratio of errors over SNR: of LPIPS where it was measured, and of squared errors.
pub fn figures(experiment: &Experiment, rows: &[Row], subtitle: &str) -> Vec<(String, Figure)> {
    let Some(reference) = &experiment.output.compare else { return vec![] };
    let mut figures = Vec::new();
    for of_title in pairs(experiment, rows).chunk_by(|a, b| a.title == b.title) {
        let kinds: [(&str, &str, RatioOf); 2] =
            [("mse", "MSE", |r| Some(r.mse)), ("lpips", "LPIPS", |r| r.lpips)];
        for (name, label, of) in kinds {
            let line = |pair: &Pair| Line {
                name: pair.link.to_owned(),
                points: pair
                    .points
                    .iter()
                    .filter_map(|(snr, ours, theirs)| Some((*snr, of(Ratios::of(theirs, ours))?)))
                    .collect(),
                look: look_of(experiment, pair.link),
                ..Line::default()
            };
            let lines: Vec<Line> = of_title.iter().map(line).filter(|line| line.points.len() > 1).collect();
            if !lines.is_empty() {
                let end = format!("{}{}", of_title[0].channel, file_suffix(&of_title[0].varied));
                figures.push((
                    format!("ratio-{name}-{end}"),
                    Figure {
                        title: of_title[0].title.clone(),
                        subtitle: subtitle.to_owned(),
                        x_label: "mean SNR per channel use (dB)".into(),
                        y_label: format!("{label} over that of {reference}"),
                        axes: [Axis::Linear, Axis::Logarithmic],
                        lines,
                    },
                ));
            }
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Tree;
    use crate::experiment::results::PointKey;

    fn experiment() -> Experiment {
        let text = "version = 1\nsnr_db = [0, 6, 12]\n[output]\ncompare = \"ours\"\n[[channel]]\nfading = { model = \"awgn\" }\n\
                    [[link]]\nscheme = \"klt\"\nname = \"ours\"\n[[link]]\nscheme = \"klt\"\nname = \"theirs\"";
        Tree::parse(text, "test").unwrap().experiment().unwrap()
    }

    fn rows() -> Vec<Row> {
        let row = |link: &str, snr_db: f64, psnr_db: f64, lpips: f64| Row {
            key: PointKey { varied: String::new(), link: link.into(), channel: "awgn".into(), snr_db },
            measured: Measurement {
                psnr_db,
                psnr_of_mean_mse_db: psnr_db,
                lpips: Some(lpips),
                ..Measurement::default()
            },
        };
        vec![
            row("ours", 0.0, 20.0, 0.4),
            row("ours", 6.0, 24.0, 0.2),
            row("ours", 12.0, 28.0, 0.1),
            row("theirs", 0.0, 10.0, 0.8),
            row("theirs", 6.0, 25.0, 0.1),
            row("theirs", 12.0, 25.0, 0.2),
        ]
    }

    #[test]
    fn crossings_and_ratios_worked_by_hand() {
        let tables = tables(&experiment(), &rows());
        assert_eq!(
            tables[0].1.lines().skip(1).collect::<Vec<_>>(),
            [
                ",awgn,theirs,0,-10.0000,10.0000,2.0000",
                ",awgn,theirs,6,1.0000,0.7943,0.5000",
                ",awgn,theirs,12,-3.0000,1.9953,2.0000"
            ]
        );
        // -10 to +1 over 6 dB, then +1 to -3.
        assert_eq!(
            tables[1].1.lines().skip(1).collect::<Vec<_>>(),
            [",awgn,theirs,5.45", ",awgn,theirs,7.50"]
        );
        let sections = sections(&experiment(), &rows());
        assert_eq!(sections[0].title, "AWGN: beside ours");
        assert_eq!(sections[0].lines[1], ["theirs", "5.5, 7.5", "-10.00 to +1.00", "10.00", "2.00"]);
    }

    #[test]
    fn a_figure_for_each_kind_of_error() {
        let figures = figures(&experiment(), &rows(), "data");
        let names: Vec<&str> = figures.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["ratio-mse-awgn", "ratio-lpips-awgn"]);
        assert_eq!(figures[1].1.lines[0].look, Some(1), "as in the figures that show the reference");
        assert_eq!(figures[1].1.lines[0].points, [(0.0, 2.0), (6.0, 0.5), (12.0, 2.0)]);
        assert_eq!(figures[1].1.y_label, "LPIPS over that of ours");
    }

    #[test]
    fn nothing_without_a_reference() {
        let mut alone = experiment();
        alone.output.compare = None;
        assert!(tables(&alone, &rows()).is_empty() && sections(&alone, &rows()).is_empty());
        assert!(figures(&alone, &rows(), "data").is_empty());
    }
}
