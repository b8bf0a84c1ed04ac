//! Which figures an experiment gives, and what each shows.

use super::config::Experiment;
use super::plot::{Axis, Figure, Line};
use super::results::{Measurement, Row};
use sememe_blocks::channel::{ChannelConfig, FadingModel, Variation};
use std::collections::BTreeSet;

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
/// - PSNR, and LPIPS where it was measured, over SNR for each channel, and for each varied value
/// - with numbers varied: PSNR over them for each channel and SNR, and the agreement with the true groups
pub fn all(experiment: &Experiment, rows: &[Row], data: &str, images: usize) -> Vec<(String, Figure)> {
    let mut figures = Vec::new();
    let varied: Vec<String> = match &experiment.vary {
        Some(vary) => vary.values.iter().map(super::checks::varied_text).collect(),
        None => vec![String::new()],
    };
    for channel in &experiment.channel {
        if experiment.snr_db.len() > 1 {
            for value in &varied {
                for quantity in [&PSNR, &LPIPS] {
                    let figure = over_snr(experiment, rows, data, images, channel, value, quantity);
                    if !figure.lines.is_empty() {
                        figures
                            .push((format!("{}-{}{}", quantity.name, channel.name(), suffix(value)), figure));
                    }
                }
            }
        }
        if experiment.vary.is_some() && varied.iter().all(|value| value.parse::<f64>().is_ok()) {
            for &snr in &experiment.snr_db {
                let name = format!("psnr-{}-{snr}dB", channel.name());
                figures.push((name, over_varied(experiment, rows, data, images, channel, snr)));
                let agreement = agreement(experiment, rows, data, images, channel, snr);
                if !agreement.lines.is_empty() {
                    figures.push((format!("rand-{}-{snr}dB", channel.name()), agreement));
                }
            }
        }
    }
    figures
}

fn over_snr(
    experiment: &Experiment,
    rows: &[Row],
    data: &str,
    images: usize,
    channel: &ChannelConfig,
    value: &str,
    quantity: &Quantity,
) -> Figure {
    let of_figure = |row: &&Row| {
        row.key.channel == channel.name() && row.key.varied == value && (quantity.of)(&row.measured).is_some()
    };
    let chosen: Vec<&Row> = rows.iter().filter(of_figure).collect();
    let varied = match &experiment.vary {
        Some(vary) => format!(", {} = {value}", vary.key),
        None => String::new(),
    };
    Figure {
        title: format!("{}{varied}", channel_title(channel)),
        subtitle: subtitle(experiment, data, images),
        x_label: "mean SNR per channel use (dB)".into(),
        y_label: quantity.label.into(),
        axes: [Axis::Linear; 2],
        lines: lines(experiment, &chosen, |row| row.key.snr_db, quantity.of, quantity.error),
    }
}

fn over_varied(
    experiment: &Experiment,
    rows: &[Row],
    data: &str,
    images: usize,
    channel: &ChannelConfig,
    snr: f64,
) -> Figure {
    let of_figure = |row: &&Row| row.key.channel == channel.name() && row.key.snr_db == snr;
    let chosen: Vec<&Row> = rows.iter().filter(of_figure).collect();
    Figure {
        title: format!("{}, SNR {snr} dB", channel_title(channel)),
        subtitle: subtitle(experiment, data, images),
        x_label: experiment.vary.as_ref().map_or(String::new(), |vary| vary.key.clone()),
        y_label: PSNR.label.into(),
        axes: [Axis::Linear; 2],
        lines: lines(experiment, &chosen, varied_number, PSNR.of, PSNR.error),
    }
}

fn agreement(
    experiment: &Experiment,
    rows: &[Row],
    data: &str,
    images: usize,
    channel: &ChannelConfig,
    snr: f64,
) -> Figure {
    let psnr = over_varied(experiment, rows, data, images, channel, snr);
    let of_figure = |row: &&Row| {
        row.key.channel == channel.name() && row.key.snr_db == snr && row.measured.adjusted_rand.is_some()
    };
    let chosen: Vec<&Row> = rows.iter().filter(of_figure).collect();
    Figure {
        y_label: "adjusted Rand index of the groups".into(),
        lines: lines(experiment, &chosen, varied_number, |measured| measured.adjusted_rand, |_| None),
        ..psnr
    }
}

fn varied_number(row: &Row) -> f64 {
    row.key.varied.parse().unwrap_or(f64::NAN)
}

/// One line per link, in the order of the rows, by ascending x; bounds are dashed.
fn lines(
    experiment: &Experiment,
    rows: &[&Row],
    x: fn(&Row) -> f64,
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
            }
        })
        .collect()
}

fn subtitle(experiment: &Experiment, data: &str, images: usize) -> String {
    // The digest and the parameters of the set stand in experiment.toml.
    let data = data.split(',').next().unwrap_or(data);
    let downlink = &experiment.downlink;
    format!(
        "{data}, {images} images; N = {} channel uses per image, {} users in {} groups",
        downlink.uses, downlink.users, downlink.groups
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

/// A channel in words.
pub fn channel_title(channel: &ChannelConfig) -> String {
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
        let figures = all(&experiment(""), &rows, "scenes v1, 200 images", 200);
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
        let figures = all(&experiment(vary), &rows, "scenes", 50);
        let names: Vec<&str> = figures.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["psnr-awgn-0.5", "psnr-awgn-1.0", "psnr-awgn-0dB", "psnr-awgn-6dB", "rand-awgn-6dB"]
        );
        assert_eq!(figures[3].1.lines[0].points, [(0.5, 22.0), (1.0, 24.0)]);
        assert_eq!(figures[4].1.lines[0].points, [(0.5, 0.25), (1.0, 1.0)]);
    }
}
