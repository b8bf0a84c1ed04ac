//! The whole outcome of an experiment as one page that opens from disk: nothing is loaded from anywhere.

use super::results::{Results, to_csv};
use super::table::{Section, sections};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

/// Name of the page.
pub const FILE: &str = "report.html";

/// Readable on a screen, on a phone, and on paper.
const STYLE: &str = "\
body { font: 16px/1.5 system-ui, sans-serif; color: #1f2329; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-weight: 500; margin-bottom: 0 }
h2 { font-weight: 500; margin-top: 2.5rem; border-bottom: 1px solid #d9dce1; padding-bottom: .2rem }
h3 { font-weight: 500; margin-bottom: .3rem }
.data { color: #646b76; margin-top: .2rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .5rem 0 1.5rem }
th, td { padding: .2rem .8rem; text-align: right; white-space: nowrap }
th { font-weight: 500; border-bottom: 1px solid #8a919c }
tr:nth-child(even) td { background: #f5f6f8 }
th:first-child, td:first-child { text-align: left }
figure { margin: 1rem 0 }
figure svg, figure img { max-width: 100%; height: auto }
pre { background: #f5f6f8; padding: 1rem; overflow-x: auto; font-size: 13px; line-height: 1.4 }
@media print { figure, table { break-inside: avoid } details { display: none } }
";

/// What goes on the page beside the rows.
pub struct Parts<'a> {
    /// The resolved configuration, as it lies beside the results.
    pub configuration: &'a str,
    /// What was sent.
    pub data: &'a str,
    /// Figures as SVG.
    pub figures: &'a [String],
    /// Contact sheets: what they show, and the PNG.
    pub sheets: &'a [(String, Vec<u8>)],
}

/// The page: tables, figures, contact sheets, all results, configuration. Equal parts give equal bytes.
pub fn page(results: Results, parts: &Parts) -> String {
    let Results { experiment, rows, .. } = results;
    let title = if experiment.title.is_empty() { "Experiment" } else { &experiment.title };
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         <h1>{title}</h1>\n<p class=\"data\">{data}; seed {seed}; sememe {version}</p>\n",
        title = escaped(title),
        data = escaped(parts.data),
        seed = experiment.seed,
        version = env!("CARGO_PKG_VERSION"),
    );
    if !parts.figures.is_empty() {
        html.push_str("<h2>Figures</h2>\n");
        for svg in parts.figures {
            // What stands before the element belongs to a file of its own.
            let element = svg.find("<svg").map_or(svg.as_str(), |at| &svg[at..]);
            let _ = writeln!(html, "<figure>{}</figure>", element.trim_end());
        }
    }
    html.push_str("<h2>Tables</h2>\n");
    for section in sections(results) {
        push_table(&mut html, &section);
    }
    if !parts.sheets.is_empty() {
        html.push_str("<h2>What arrives</h2>\n");
        for (title, png) in parts.sheets {
            let (title, data) = (escaped(title), STANDARD.encode(png));
            let _ = writeln!(
                html,
                "<h3>{title}</h3>\n<figure><img alt=\"originals and what each link made of them, {title}\" \
                 src=\"data:image/png;base64,{data}\"></figure>"
            );
        }
    }
    let _ = writeln!(
        html,
        "<h2>Results</h2>\n<details><summary>{} points as CSV</summary>\n<pre>{}</pre></details>",
        rows.len(),
        escaped(&to_csv(rows))
    );
    let _ = writeln!(html, "<h2>Configuration</h2>\n<pre>{}</pre>\n</html>", escaped(parts.configuration));
    html
}

fn push_table(html: &mut String, section: &Section) {
    let _ = writeln!(html, "<h3>{}</h3>\n<div class=\"wide\"><table>", escaped(&section.title));
    for (index, line) in section.lines.iter().enumerate() {
        let cell = if index == 0 { "th" } else { "td" };
        let cells: String = line.iter().map(|entry| format!("<{cell}>{}</{cell}>", escaped(entry))).collect();
        let _ = writeln!(html, "<tr>{cells}</tr>");
    }
    html.push_str("</table></div>\n");
}

/// A text without a meaning for HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::results::{Measurement, PointKey, Row};
    use crate::experiment::{Override, Tree};

    #[test]
    fn a_page_holds_everything_and_loads_nothing() {
        let text = "version = 1\nsnr_db = [3]\ntitle = \"a <b> & c\"\n[[channel]]\nfading = { model = \"awgn\" }\n\
                    [[link]]\nscheme = \"klt\"\n";
        let no_change: [Override; 0] = [];
        let tree = Tree::parse(text, "a.toml").unwrap().set(&no_change).unwrap();
        let experiment = tree.experiment().unwrap();
        let key = PointKey { varied: String::new(), link: "klt".into(), channel: "awgn".into(), snr_db: 3.0 };
        let measured = Measurement { images: 9, psnr_db: 21.25, ..Measurement::default() };
        let sheets = [("AWGN".to_owned(), vec![1, 2, 3])];
        let figures = ["<?xml version=\"1.0\"?>\n<svg width=\"9\"></svg>\n".to_owned()];
        let parts = Parts { configuration: text, data: "scenes", figures: &figures, sheets: &sheets };
        let page =
            page(Results { experiment: &experiment, rows: &[Row { key, measured }], images: &[] }, &parts);
        assert!(page.contains("<title>a &lt;b&gt; &amp; c</title>"), "{page}");
        assert!(
            page.contains("<figure><svg width=\"9\"></svg></figure>") && !page.contains("<?xml"),
            "{page}"
        );
        assert!(page.contains("<td>21.25</td>") && page.contains("data:image/png;base64,AQID"), "{page}");
        assert!(page.contains("scheme = &quot;klt&quot;"), "{page}");
        for outside in ["http:", "https:", "src=\"/", "<script", "<link", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
