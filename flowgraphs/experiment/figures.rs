//! Which figures an experiment gives, and what each shows.

use super::comparison;
use super::config::{Experiment, Vary};
use super::grid::{Cell, cells};
use super::plot::{Axis, Figure, Line};
use super::results::{Measurement, Results, Row};
use sememe_blocks::channel::{ChannelConfig, FadingModel, Variation};
use std::collections::{BTreeMap, BTreeSet};

/// A measure of quality that is drawn over the SNR.
struct Quantity {
    /// Name in file names.
    name: &'static str,
    /// Label of the axis.
    label: &'static str,
    of: fn(&Measurement) -> Option<f64>,
    /// Half width of its confidence interval.
    error: fn(&Measurement) -> Option<f64>,
}

const PSNR: Quantity =
    Quantity { name: "psnr", label: "PSNR (dB)", of: |m| Some(m.psnr_db), error: |m| m.psnr_ci95_db };
const LPIPS: Quantity =
    Quantity { name: "lpips", label: "LPIPS (lower is better)", of: |m| m.lpips, error: |_| None };

/// File names without ending, and figures.
///
/// - PSNR, and LPIPS where it was measured, over SNR for each channel and combination of varied values
/// - over each varied key with numbers, for each channel, SNR and combination of the other keys: PSNR, and the
///   agreement with the true groups
pub fn all(results: Results, data: &str, images: usize) -> Vec<(String, Figure)> {
    let Results { experiment, rows, .. } = results;
    let mut figures = Vec::new();
    let subtitle = subtitle(experiment, data, images);
    let cells = cells(&experiment.vary);
    for channel in &experiment.channel {
        if experiment.snr_db.len() > 1 {
            for (cell, quantity) in cells.iter().flat_map(|cell| [(cell, &PSNR), (cell, &LPIPS)]) {
                let figure = over_snr(experiment, rows, &subtitle, channel, cell, quantity);
                if !figure.lines.is_empty() {
                    let name = format!("{}-{}{}", quantity.name, channel.name(), suffix(&cell.text()));
                    figures.push((name, figure));
                }
            }
        }
        for Vary { key, .. } in &experiment.vary {
            if cells.iter().any(|cell| cell.number(key).is_none()) {
                continue;
            }
            let mut others: Vec<Cell> = Vec::new();
            for cell in cells.iter().map(|cell| cell.without(key)) {
                if !others.contains(&cell) {
                    others.push(cell);
                }
            }
            for (others, &snr) in
                others.iter().flat_map(|o| experiment.snr_db.iter().map(move |snr| (o, snr)))
            {
                // One key alone needs no name.
                let over = if experiment.vary.len() == 1 { String::new() } else { format!("-over-{key}") };
                let end = format!("{}{over}{}-{snr}dB", channel.name(), suffix(&others.text()));
                let slice = Slice { experiment, subtitle: &subtitle, channel, snr, key, others };
                figures.push((
                    format!("psnr-{end}"),
                    slice.figure(rows, &cells, PSNR.label, PSNR.of, PSNR.error),
                ));
                let label = "adjusted Rand index of the groups";
                let agreement =
                    slice.figure(rows, &cells, label, |measured| measured.adjusted_rand, |_| None);
                if !agreement.lines.is_empty() {
                    figures.push((format!("rand-{end}"), agreement));
                }
            }
        }
    }
    figures.extend(comparison::figures(results, &subtitle));
    figures
}

fn over_snr(
    experiment: &Experiment,
    rows: &[Row],
    subtitle: &str,
    channel: &ChannelConfig,
    cell: &Cell,
    quantity: &Quantity,
) -> Figure {
    let (name, value) = (channel.name(), cell.text());
    let of_figure = |row: &&Row| {
        row.key.channel == name && row.key.varied == value && (quantity.of)(&row.measured).is_some()
    };
    let chosen: Vec<&Row> = rows.iter().filter(of_figure).collect();
    Figure {
        title: format!("{}{}", channel_title(channel), cell.title()),
        subtitle: subtitle.to_owned(),
        x_label: "mean SNR per channel use (dB)".into(),
        y_label: quantity.label.into(),
        axes: [Axis::Linear; 2],
        lines: lines(experiment, &chosen, |row| row.key.snr_db, quantity.of, quantity.error),
    }
}

/// What a figure over a varied key keeps fixed.
struct Slice<'a> {
    experiment: &'a Experiment,
    subtitle: &'a str,
    channel: &'a ChannelConfig,
    snr: f64,
    key: &'a str,
    others: &'a Cell<'a>,
}

impl Slice<'_> {
    fn figure(
        &self,
        rows: &[Row],
        cells: &[Cell],
        label: &str,
        of: fn(&Measurement) -> Option<f64>,
        error: fn(&Measurement) -> Option<f64>,
    ) -> Figure {
        let Self { experiment, subtitle, channel, snr, key, others } = *self;
        let places: BTreeMap<String, f64> = cells
            .iter()
            .filter(|cell| cell.without(key) == *others)
            .filter_map(|cell| Some((cell.text(), cell.number(key)?)))
            .collect();
        let name = channel.name();
        let of_figure = |row: &&Row| {
            row.key.channel == name
                && row.key.snr_db == snr
                && places.contains_key(&row.key.varied)
                && of(&row.measured).is_some()
        };
        let chosen: Vec<&Row> = rows.iter().filter(of_figure).collect();
        let x = |row: &Row| places.get(&row.key.varied).copied().unwrap_or(f64::NAN);
        Figure {
            title: format!("{}{}, SNR {snr} dB", channel_title(channel), others.title()),
            subtitle: subtitle.to_owned(),
            x_label: key.to_owned(),
            y_label: label.into(),
            axes: [Axis::Linear; 2],
            lines: lines(experiment, &chosen, x, of, error),
        }
    }
}

/// The number of a link's colour and marker: its place in the configuration, whatever else a figure shows.
pub(super) fn look_of(experiment: &Experiment, name: &str) -> Option<usize> {
    experiment.link.iter().position(|link| link.label() == name)
}

/// One line per link, in the order of the rows, by ascending x; bounds are dashed.
fn lines(
    experiment: &Experiment,
    rows: &[&Row],
    x: impl Fn(&Row) -> f64,
    y: fn(&Measurement) -> Option<f64>,
    error: fn(&Measurement) -> Option<f64>,
) -> Vec<Line> {
    let mut seen = BTreeSet::new();
    let names = rows.iter().map(|row| &row.key.link).filter(|name| seen.insert(name.as_str()));
    let is_bound =
        |name: &str| experiment.link.iter().any(|link| link.scheme.is_bound() && link.label() == name);
    names
        .map(|name| {
            let mut of_link: Vec<&&Row> = rows.iter().filter(|row| row.key.link == *name).collect();
            of_link.sort_by(|a, b| x(a).total_cmp(&x(b)));
            Line {
                name: name.clone(),
                points: of_link.iter().map(|row| (x(row), y(&row.measured).unwrap_or(f64::NAN))).collect(),
                error: of_link.iter().map(|row| error(&row.measured).unwrap_or(f64::NAN)).collect(),
                dashed: is_bound(name),
                look: look_of(experiment, name),
            }
        })
        .collect()
}

fn subtitle(experiment: &Experiment, data: &str, images: usize) -> String {
    // The digest and the parameters of the set stand in experiment.toml.
    let data = data.split(',').next().unwrap_or(data);
    let downlink = &experiment.downlink;
    let plural = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let most = if experiment.stop.is_some() { "at most " } else { "" };
    format!(
        "{data}, {most}{}; N = {} channel uses per image, {} in {}",
        plural(images, "image"),
        downlink.uses,
        plural(downlink.users, "user"),
        plural(downlink.groups, "group")
    )
}

fn suffix(value: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || ".-_".contains(c) { c } else { '_' };
    if value.is_empty() {
        String::new()
    } else {
        format!("-{}", value.chars().map(plain).collect::<String>())
    }
}

/// A channel in words; with a profile, what its labels mean.
pub fn channel_title(channel: &ChannelConfig) -> String {
    if let (Some(profile), Some(label)) = (channel.profile, channel.label_in_words()) {
        let fading = match channel.fading {
            FadingModel::Awgn => "AWGN".to_owned(),
            FadingModel::Rayleigh => "Rayleigh".to_owned(),
            FadingModel::Rician { k_factor } => format!("Rician, K factor {k_factor},"),
        };
        return format!("{fading} as in {profile} ({label})");
    }
    let plain =
        *channel == ChannelConfig { variation: channel.variation, ..ChannelConfig::new(channel.fading) };
    let kind = match (channel.fading, channel.variation) {
        (FadingModel::Awgn, _) => "AWGN".to_owned(),
        (FadingModel::Rayleigh, Variation::Block) => "Rayleigh block fading".to_owned(),
        (FadingModel::Rayleigh, Variation::PerSymbol) => "Rayleigh fading per symbol".to_owned(),
        (FadingModel::Rician { k_factor }, Variation::Block) => {
            format!("Rician block fading, K factor {k_factor}")
        }
        (FadingModel::Rician { k_factor }, Variation::PerSymbol) => {
            format!("Rician fading per symbol, K factor {k_factor}")
        }
    };
    if plain { kind } else { format!("{kind} ({})", channel.name()) }
}

/// The end of file names that belong to a varied value.
pub(super) fn file_suffix(value: &str) -> String {
    suffix(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Tree;
    use crate::experiment::results::{Measurement, PointKey};

    fn row(varied: &str, link: &str, snr_db: f64, psnr_db: f64, rand: Option<f64>) -> Row {
        let key = PointKey { varied: varied.into(), link: link.into(), channel: "awgn".into(), snr_db };
        let measured = Measurement { psnr_db, adjusted_rand: rand, ..Measurement::default() };
        Row { key, measured }
    }

    fn experiment(vary: &str) -> Experiment {
        let text = format!(
            "version = 1\nsnr_db = [0, 6]\n{vary}\n[[channel]]\nfading = {{ model = \"awgn\" }}\n[[link]]\nscheme = \"klt\""
        );
        Tree::parse(&text, "test").unwrap().experiment().unwrap()
    }

    #[test]
    fn one_figure_per_channel_with_a_line_per_link() {
        let rows =
            [row("", "klt", 0.0, 20.0, None), row("", "klt", 6.0, 24.0, None), row("", "b", 0.0, 21.0, None)];
        let figures = all(
            Results { experiment: &experiment(""), rows: &rows, images: &[] },
            "scenes v1, 200 images",
            200,
        );
        assert_eq!(figures.len(), 1);
        let (name, figure) = &figures[0];
        assert_eq!((name.as_str(), figure.title.as_str()), ("psnr-awgn", "AWGN"));
        assert_eq!(
            figure.subtitle,
            "scenes v1, 200 images; N = 1024 channel uses per image, 50 users in 10 groups"
        );
        assert_eq!(figure.lines[0].points, [(0.0, 20.0), (6.0, 24.0)]);
        assert_eq!(figure.lines[1].name, "b");
    }

    #[test]
    fn a_varied_number_becomes_an_axis() {
        let rows = [row("1.0", "klt", 6.0, 24.0, Some(1.0)), row("0.5", "klt", 6.0, 22.0, Some(0.25))];
        let vary = "[vary]\nkey = \"source.share\"\nvalues = [0.5, 1.0]";
        let figures = all(Results { experiment: &experiment(vary), rows: &rows, images: &[] }, "scenes", 50);
        let names: Vec<&str> = figures.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["psnr-awgn-0.5", "psnr-awgn-1.0", "psnr-awgn-0dB", "psnr-awgn-6dB", "rand-awgn-6dB"]
        );
        assert_eq!(figures[3].1.lines[0].points, [(0.5, 22.0), (1.0, 24.0)]);
        assert_eq!(figures[4].1.lines[0].points, [(0.5, 0.25), (1.0, 1.0)]);
    }

    #[test]
    fn each_of_two_varied_numbers_becomes_an_axis_for_each_value_of_the_other() {
        let vary = "[[vary]]\nkey = \"source.share\"\nvalues = [0.5, 1.0]\n[[vary]]\nkey = \"downlink.groups\"\nvalues = [5, 10]";
        let rows = [
            row("0.5 / 5", "klt", 0.0, 20.0, None),
            row("0.5 / 10", "klt", 0.0, 21.0, None),
            row("1.0 / 5", "klt", 0.0, 22.0, None),
            row("1.0 / 10", "klt", 0.0, 23.0, None),
        ];
        let figures = all(Results { experiment: &experiment(vary), rows: &rows, images: &[] }, "scenes", 50);
        let of = |name: &str| &figures.iter().find(|(known, _)| known == name).unwrap().1;
        let share = of("psnr-awgn-over-source.share-10-0dB");
        assert_eq!(share.title, "AWGN, downlink.groups = 10, SNR 0 dB");
        assert_eq!(share.lines[0].points, [(0.5, 21.0), (1.0, 23.0)]);
        assert_eq!(of("psnr-awgn-over-downlink.groups-0.5-0dB").lines[0].points, [(5.0, 20.0), (10.0, 21.0)]);
        assert!(figures.iter().any(|(name, _)| name == "psnr-awgn-0.5___5"));
    }
}
