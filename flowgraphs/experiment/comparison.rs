//! Every line beside one of them: where they cross, and how much larger their errors are.

use super::figures::{channel_title, file_suffix, look_of};
use super::grid::cells;
use super::image_scores::{ImageScores, text_of};
use super::paired::PairedIntervals;
use super::plot::{Axis, Figure, Line};
use super::results::{Results, Row};
use super::table::Section;
use std::collections::HashMap;
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
    /// In ascending SNR.
    points: Vec<Beside>,
}

/// One line beside the reference at one SNR.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Beside {
    snr_db: f64,
    /// Mean PSNR less that of the reference.
    gain_db: f64,
    /// Mean squared error over all images over that of the reference; below 1 the line is better.
    mse_ratio: f64,
    /// The same for mean LPIPS distances, where they were measured.
    lpips_ratio: Option<f64>,
    /// How sure all of these are, where the scores of all images are known.
    intervals: Option<PairedIntervals>,
}

/// A ratio and half its interval, where it is known.
type RatioOf = fn(&Beside) -> Option<(f64, Option<f64>)>;

impl Beside {
    fn of(line: &Row, reference: &Row, images: &HashMap<String, &ImageScores>) -> Self {
        let scores = |row: &Row| images.get(&text_of(&row.key)).copied();
        let intervals = scores(line).zip(scores(reference)).and_then(|(l, r)| PairedIntervals::of(l, r));
        let (key, line, reference) = (&line.key, &line.measured, &reference.measured);
        Self {
            snr_db: key.snr_db,
            gain_db: line.psnr_db - reference.psnr_db,
            mse_ratio: 10f64.powf((reference.psnr_of_mean_mse_db - line.psnr_of_mean_mse_db) / 10.0),
            lpips_ratio: line.lpips.zip(reference.lpips).map(|(line, reference)| line / reference),
            intervals,
        }
    }
}

/// Nothing without `output.compare`.
fn pairs(results: Results<'_>) -> Vec<Pair<'_>> {
    let Results { experiment, rows, images } = results;
    let Some(reference) = &experiment.output.compare else { return vec![] };
    let images: HashMap<String, &ImageScores> =
        images.iter().map(|point| (text_of(&point.key), &point.scores)).collect();
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
                let at = |ours: &&Row| {
                    let other = theirs.iter().find(|other| other.key.snr_db == ours.key.snr_db)?;
                    Some(Beside::of(other, ours, &images))
                };
                let mut points: Vec<_> = ours.iter().filter_map(at).collect();
                points.sort_by(|a, b| a.snr_db.total_cmp(&b.snr_db));
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
        // Where they touch without changing places, they do not cross.
        let apart: Vec<&Beside> = self.points.iter().filter(|point| point.gain_db != 0.0).collect();
        let between = |two: &[&Beside]| {
            let ((from, before), (to, after)) =
                ((two[0].snr_db, two[0].gain_db), (two[1].snr_db, two[1].gain_db));
            (before * after < 0.0).then(|| from + (to - from) * before / (before - after))
        };
        apart.windows(2).filter_map(between).collect()
    }

    /// In words: where the line is better than the reference.
    fn verdict(&self) -> String {
        let by_gain = |a: &&Beside, b: &&Beside| a.gain_db.total_cmp(&b.gain_db);
        let shown = |point: Option<&Beside>| {
            point.map_or("-".to_owned(), |Beside { gain_db, intervals, .. }| {
                let known = intervals.map(|known| known.psnr_db).filter(|half| half.is_finite());
                let interval = known.map_or(String::new(), |half| format!(" \u{b1}{half:.2}"));
                format!("{gain_db:+.2}{interval}")
            })
        };
        let (least, most) = (self.points.iter().min_by(by_gain), self.points.iter().max_by(by_gain));
        format!("{} to {}", shown(least), shown(most))
    }
}

/// For each channel: of every line the SNRs where it crosses the reference, and how far it is from it.
pub fn sections(results: Results) -> Vec<Section> {
    let Some(reference) = &results.experiment.output.compare else { return vec![] };
    let pairs = pairs(results);
    let of_title = |pairs: &[Pair]| {
        let heading =
            ["line", "crosses it at (dB)", "PSNR less its own (dB)", "largest MSE ratio", "LPIPS ratio"];
        let mut lines = vec![heading.map(str::to_owned).to_vec()];
        for pair in pairs {
            let crossings: Vec<String> = pair.crossings().iter().map(|snr| format!("{snr:.1}")).collect();
            let mse = pair.points.iter().map(|point| point.mse_ratio).fold(0.0, f64::max);
            let lpips = pair.points.iter().filter_map(|point| point.lpips_ratio).reduce(f64::max);
            lines.push(vec![
                pair.link.to_owned(),
                if crossings.is_empty() { "-".into() } else { crossings.join(", ") },
                pair.verdict(),
                format!("{mse:.2}"),
                lpips.map_or("-".into(), |ratio| format!("{ratio:.2}")),
            ]);
        }
        let is_sure = pairs.iter().flat_map(|pair| &pair.points).any(|point| point.intervals.is_some());
        let how = if is_sure { ", with 95 % confidence intervals of pairs" } else { "" };
        let title = format!("{}: beside {reference}{how}", pairs[0].title);
        Section { title, lines }
    };
    pairs.chunk_by(|a, b| a.title == b.title).map(of_title).collect()
}

/// File names and contents of the two tables.
pub fn tables(results: Results) -> Vec<(&'static str, String)> {
    if results.experiment.output.compare.is_none() {
        return vec![];
    }
    let mut ratios = "varied,channel,link,snr_db,psnr_difference_db,psnr_difference_ci95_db,mse_ratio,\
                      mse_ratio_ci95,lpips_ratio,lpips_ratio_ci95\n"
        .to_owned();
    let mut crossings = "varied,channel,link,crosses_at_db\n".to_owned();
    let maybe = |value: Option<f64>| {
        value.filter(|value| value.is_finite()).map(|value| format!("{value:.4}")).unwrap_or_default()
    };
    for pair in pairs(results) {
        let Pair { varied, channel, link, .. } = &pair;
        for Beside { snr_db, gain_db, mse_ratio, lpips_ratio, intervals } in &pair.points {
            let known = intervals.as_ref();
            let fields = [
                format!("{gain_db:.4}"),
                maybe(known.map(|known| known.psnr_db)),
                format!("{mse_ratio:.4}"),
                maybe(known.map(|known| known.mse_ratio)),
                maybe(*lpips_ratio),
                maybe(known.and_then(|known| known.lpips_ratio)),
            ];
            // Writing to a string cannot fail.
            let _ = writeln!(ratios, "{varied},{channel},{link},{snr_db},{}", fields.join(","));
        }
        for snr in pair.crossings() {
            let _ = writeln!(crossings, "{varied},{channel},{link},{snr:.2}");
        }
    }
    vec![(COMPARISON, ratios), (CROSSINGS, crossings)]
}

/// For each channel the ratio of errors over SNR: of LPIPS where it was measured, and of squared errors.
pub fn figures(results: Results, subtitle: &str) -> Vec<(String, Figure)> {
    let experiment = results.experiment;
    let Some(reference) = &experiment.output.compare else { return vec![] };
    let mut figures = Vec::new();
    for of_title in pairs(results).chunk_by(|a, b| a.title == b.title) {
        let mse: RatioOf = |b| Some((b.mse_ratio, b.intervals.map(|known| known.mse_ratio)));
        let lpips: RatioOf = |b| Some((b.lpips_ratio?, b.intervals.and_then(|known| known.lpips_ratio)));
        for (name, label, of) in [("mse", "MSE", mse), ("lpips", "LPIPS", lpips)] {
            let line = |pair: &Pair| {
                let known: Vec<_> = pair.points.iter().filter_map(|b| Some((b.snr_db, of(b)?))).collect();
                Line {
                    name: pair.link.to_owned(),
                    points: known.iter().map(|(snr, (ratio, _))| (*snr, *ratio)).collect(),
                    error: known
                        .iter()
                        .map(|(_, (_, half))| half.filter(|half| half.is_finite()).unwrap_or(0.0))
                        .collect(),
                    look: look_of(experiment, pair.link),
                    ..Line::default()
                }
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
    use crate::experiment::image_scores::PointScores;
    use crate::experiment::results::{Measurement, PointKey};
    use crate::experiment::{Experiment, Tree};

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
        let (experiment, rows) = (experiment(), rows());
        let results = Results { experiment: &experiment, rows: &rows, images: &[] };
        let tables = tables(results);
        assert_eq!(
            tables[0].1.lines().skip(1).collect::<Vec<_>>(),
            [
                ",awgn,theirs,0,-10.0000,,10.0000,,2.0000,",
                ",awgn,theirs,6,1.0000,,0.7943,,0.5000,",
                ",awgn,theirs,12,-3.0000,,1.9953,,2.0000,"
            ]
        );
        // -10 to +1 over 6 dB, then +1 to -3.
        assert_eq!(
            tables[1].1.lines().skip(1).collect::<Vec<_>>(),
            [",awgn,theirs,5.45", ",awgn,theirs,7.50"]
        );
        let sections = sections(results);
        assert_eq!(sections[0].title, "AWGN: beside ours");
        assert_eq!(sections[0].lines[1], ["theirs", "5.5, 7.5", "-10.00 to +1.00", "10.00", "2.00"]);
    }

    #[test]
    fn pairs_of_images_give_intervals() {
        let (experiment, rows) = (experiment(), rows());
        let scores = |row: &Row| {
            let psnr_db = [-0.1, 0.0, 0.1].map(|off| row.measured.psnr_db + off).to_vec();
            let scores = ImageScores { pictures: vec![0, 1, 2], psnr_db, ..ImageScores::default() };
            PointScores { key: row.key.clone(), scores }
        };
        let mut images: Vec<PointScores> = rows.iter().map(scores).collect();
        // All three images differ by the same; but at 6 dB by 1, 2 and 3 dB more: +-4.3027 / sqrt(3).
        let at_6_db = images.iter_mut().find(|point| point.key.link == "theirs" && point.key.snr_db == 6.0);
        let psnr_db = &mut at_6_db.unwrap().scores.psnr_db;
        psnr_db.iter_mut().zip([1.0, 2.0, 3.0]).for_each(|(psnr, more)| *psnr += more);
        let results = Results { experiment: &experiment, rows: &rows, images: &images };
        let table = &tables(results)[0].1;
        let fields: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!([fields[1][5], fields[2][5], fields[3][5]], ["0.0000", "2.4842", "0.0000"], "{table}");
        assert_eq!((fields[1][7], fields[1][9]), ("0.0000", ""), "no LPIPS of images, no interval");
        let shown = &sections(results)[0].lines[1];
        assert_eq!(shown[2], "-10.00 \u{b1}0.00 to +1.00 \u{b1}2.48");
        let figures = figures(results, "data");
        let (error, half) = (&figures[0].1.lines[0].error, fields[2][7].parse::<f64>().unwrap());
        assert!(error[0] < 1e-9 && (error[1] - half).abs() < 1e-4 && half > 0.01, "{error:?}");
    }

    #[test]
    fn a_figure_for_each_kind_of_error() {
        let (experiment, rows) = (experiment(), rows());
        let figures = figures(Results { experiment: &experiment, rows: &rows, images: &[] }, "data");
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
        let results = Results { experiment: &alone, rows: &rows(), images: &[] };
        assert!(tables(results).is_empty() && sections(results).is_empty());
        assert!(figures(results, "data").is_empty());
    }
}
