//! The results as tables.

use super::comparison;
use super::config::Experiment;
use super::figures::channel_title;
use super::grid::cells;
use super::results::{Results, Row};
use std::fmt::Write;

/// A table under a title.
pub struct Section {
    /// What it shows.
    pub title: String,
    /// Rows of entries, the heading first.
    pub lines: Vec<Vec<String>>,
}

/// For each channel and varied value: SNRs in rows, PSNR of each link in columns, and what digital links took;
/// at last what each link costs.
pub fn sections(results: Results) -> Vec<Section> {
    let Results { experiment, rows, .. } = results;
    let mut sections = Vec::new();
    let links: Vec<String> = experiment.link.iter().map(|link| link.label()).collect();
    for cell in cells(&experiment.vary) {
        let value = cell.text();
        for channel in &experiment.channel {
            let of_block = |row: &&Row| row.key.channel == channel.name() && row.key.varied == value;
            let block: Vec<&Row> = rows.iter().filter(of_block).collect();
            if block.is_empty() {
                continue;
            }
            let at = format!("{}{}", channel_title(channel), cell.title());
            let title = format!("{at}: PSNR in dB with 95 % confidence interval");
            sections.push(Section { title, lines: psnr_lines(experiment, &links, &block) });
            let lines = scheme_lines(experiment, &links, &block);
            if !lines.is_empty() {
                let title = format!("{at}: modulation and code rate, lost images, images as mean colour");
                sections.push(Section { title, lines });
            }
        }
    }
    sections.extend(comparison::sections(results));
    let title = "Channel uses".to_owned();
    sections.push(Section { title, lines: cost_lines(&links, rows) });
    sections
}

/// All tables for a screen.
pub fn text(results: Results) -> String {
    let mut text = String::new();
    for Section { title, lines } in sections(results) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{title}\n{}", aligned(&lines));
    }
    text.pop();
    text
}

fn psnr_lines(experiment: &Experiment, links: &[String], block: &[&Row]) -> Vec<Vec<String>> {
    let mut lines = vec![[vec!["SNR (dB)".to_owned()], links.to_vec()].concat()];
    for &snr in &experiment.snr_db {
        let mut line = vec![snr.to_string()];
        for link in links {
            let row = block.iter().find(|row| row.key.link == *link && row.key.snr_db == snr);
            line.push(row.map_or("-".into(), |row| {
                let m = &row.measured;
                let interval = m.psnr_ci95_db.map_or(String::new(), |half| format!(" ±{half:.2}"));
                format!("{:.2}{interval}", m.psnr_db)
            }));
        }
        lines.push(line);
    }
    lines
}

/// What digital links took at each SNR, and what they lost; nothing where there is none.
fn scheme_lines(experiment: &Experiment, links: &[String], block: &[&Row]) -> Vec<Vec<String>> {
    let is_digital = |link: &&String| block.iter().any(|r| r.key.link == **link && r.measured.mcs.is_some());
    let links: Vec<&String> = links.iter().filter(is_digital).collect();
    if links.is_empty() {
        return vec![];
    }
    let heading = links.iter().map(|link| (*link).clone());
    let mut lines = vec![std::iter::once("SNR (dB)".to_owned()).chain(heading).collect::<Vec<_>>()];
    for &snr in &experiment.snr_db {
        let of_link = |link: &&String| {
            let row = block.iter().find(|row| row.key.link == **link && row.key.snr_db == snr);
            row.map_or("-".into(), |row| {
                let m = &row.measured;
                let counted = |count: Option<u64>| count.map_or("-".into(), |count| count.to_string());
                let mcs = m.mcs.as_deref().unwrap_or("-");
                format!("{mcs}, {}, {}", counted(m.outage), counted(m.unfit))
            })
        };
        lines.push(std::iter::once(snr.to_string()).chain(links.iter().map(of_link)).collect());
    }
    lines
}

/// What each link spends, from its first row.
fn cost_lines(links: &[String], rows: &[Row]) -> Vec<Vec<String>> {
    let heading = ["link", "uses/image", "of which signalling", "uses heard", "energy/image", "common share"];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    for link in links {
        if let Some(Row { measured: m, .. }) = rows.iter().find(|row| row.key.link == *link) {
            lines.push(vec![
                link.clone(),
                number(m.uses_per_image),
                number(m.signalling_per_image),
                number(m.uses_received),
                number(m.energy_per_image),
                number(m.effective_rho),
            ]);
        }
    }
    lines
}

/// At most four decimals, without trailing zeros.
fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Columns as wide as their widest entry, numbers to the right, the first column to the left.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| lines.iter().filter_map(|l| Some(l.get(column)?.chars().count())).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        for (column, (entry, width)) in line.iter().zip(&widths).enumerate() {
            let fill = " ".repeat(width - entry.chars().count());
            match column {
                0 => text.extend(["  ", entry, &fill]),
                _ => text.extend(["   ", &fill, entry]),
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Tree;
    use crate::experiment::results::{Measurement, PointKey};

    #[test]
    fn columns_are_aligned_and_missing_points_are_marked() {
        let toml = "version = 1\nsnr_db = [0, 12]\n[[channel]]\nfading = { model = \"awgn\" }\n[[link]]\nscheme = \"klt\"";
        let experiment = Tree::parse(toml, "test").unwrap().experiment().unwrap();
        let key = PointKey { varied: String::new(), link: "klt".into(), channel: "awgn".into(), snr_db: 0.0 };
        let measured = Measurement {
            psnr_db: 21.456,
            psnr_ci95_db: Some(0.3),
            uses_per_image: 1024.0,
            uses_received: 1024.0,
            energy_per_image: 1024.0,
            ..Measurement::default()
        };
        let shown = text(Results { experiment: &experiment, rows: &[Row { key, measured }], images: &[] });
        let expected = "\
AWGN: PSNR in dB with 95 % confidence interval
  SNR (dB)           klt
  0          21.46 ±0.30
  12                   -

Channel uses
  link   uses/image   of which signalling   uses heard   energy/image   common share
  klt          1024                     0         1024           1024              0
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_digital_links_took_is_shown_below() {
        let toml = "version = 1\nsnr_db = [0]\n[[channel]]\nfading = { model = \"awgn\" }\n[[link]]\nscheme = \"jpeg-ldpc\"";
        let experiment = Tree::parse(toml, "test").unwrap().experiment().unwrap();
        let key =
            PointKey { varied: String::new(), link: "jpeg-ldpc".into(), channel: "awgn".into(), snr_db: 0.0 };
        let measured = Measurement {
            mcs: Some("qpsk-1/2".into()),
            outage: Some(3),
            unfit: Some(1),
            ..Measurement::default()
        };
        let shown = text(Results { experiment: &experiment, rows: &[Row { key, measured }], images: &[] });
        let expected = "\
modulation and code rate, lost images, images as mean colour
  SNR (dB)        jpeg-ldpc
  0          qpsk-1/2, 3, 1
";
        assert!(shown.contains(expected), "{shown}");
    }
}
