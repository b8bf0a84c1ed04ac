//! Every link on every channel at every SNR, one flowgraph a point, in one fixed order.

use super::config::{Experiment, Provenance};
use super::measure::{summarize, true_groups};
use super::points::{Point, Variant, open_variants, points};
use super::progress::Reporter;
use super::reading::Tree;
use super::results::{PointKey, Row};
use super::run_error::RunError;
use super::run_folder::{Existing, RunFolder, TIMINGS};
use super::shard::Shard;
use super::{contact_sheet, digital, figures, html_report};
use crate::adapters::RunOptions;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A run may be silent for so long before it counts as stalled: inference on large images takes time.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a sweep ended with.
pub struct SweepOutcome {
    /// The resolved experiment.
    pub experiment: Experiment,
    /// Rows of all finished points, in order.
    pub rows: Vec<Row>,
    /// Points that an earlier run had finished.
    pub resumed: usize,
    /// Whether it was stopped before the end.
    pub interrupted: bool,
    /// Pictures left out of the source because they could not be used.
    pub skipped_images: usize,
    /// What the results were made with.
    pub provenance: Provenance,
}

/// Opens everything an experiment needs without running it: what `--check` does.
///
/// - returns: number of points, and what they would be made with
pub fn check(tree: &Tree) -> Result<(usize, Provenance), RunError> {
    let experiment = tree.experiment()?;
    let variants = open_variants(&experiment, tree)?;
    Ok((points(&variants, None).len(), variants[0].prepared.provenance.clone()))
}

/// Runs an experiment, or a part of it: a part draws nothing.
///
/// - out: the folder of the run; a part has a folder of its own in it
/// - stop: once true, the point under way is dropped, what is finished is kept, and the sweep returns
/// - errors: what cannot be used, before anything is written; the first point that failed
pub fn sweep(
    tree: &Tree,
    out: &Path,
    existing: Existing,
    shard: Option<Shard>,
    stop: &Arc<AtomicBool>,
) -> Result<SweepOutcome, RunError> {
    let experiment = tree.experiment()?;
    let variants = open_variants(&experiment, tree)?;
    let provenance = variants[0].prepared.provenance.clone();
    let resolved = Experiment { provenance: Some(provenance.clone()), ..experiment };
    let out = shard.map_or(out.to_owned(), |shard| out.join(shard.folder()));
    let (folder, finished) = RunFolder::open(&out, existing, &resolved_text(&resolved)?)?;
    // A point that is measured again is timed again.
    let is_kept = |line: &&str| finished.iter().any(|row| line.starts_with(&timing_key(&row.key)));
    let earlier_timings =
        folder.earlier_rows(TIMINGS).split_inclusive('\n').filter(is_kept).collect::<String>();
    let mut sweep =
        Sweep { folder, finished, earlier_timings, rows: vec![], timings: vec![], stop, resumed: 0 };
    let points = points(&variants, shard);
    let interrupted = sweep.search_pictures(&points)? || sweep.measure_all(&points)?;
    if !interrupted && shard.is_none() {
        sweep.draw(&resolved, &variants)?;
    }
    let skipped_images = variants[0].prepared.source.skipped;
    let Sweep { rows, resumed, .. } = sweep;
    Ok(SweepOutcome { experiment: resolved, rows, resumed, interrupted, skipped_images, provenance })
}

/// The configuration as it is written beside results: every default spelled out.
pub fn resolved_text(experiment: &Experiment) -> Result<String, RunError> {
    let body =
        toml::to_string(experiment).map_err(|error| RunError::Failed(format!("configuration: {error}")))?;
    Ok(format!("# Written by sememe. Repeat this run: sememe run experiment.toml --out FOLDER\n\n{body}"))
}

/// The beginning of a point's line in the table of times.
fn timing_key(PointKey { varied, link, channel, snr_db }: &PointKey) -> String {
    format!("{varied},{link},{channel},{snr_db},")
}

struct Sweep<'a> {
    folder: RunFolder,
    /// Rows of an earlier run.
    finished: Vec<Row>,
    /// Lines of its table of times.
    earlier_timings: String,
    rows: Vec<Row>,
    /// Of each point measured in this run: its key, seconds, images.
    timings: Vec<(PointKey, f64, u64)>,
    stop: &'a Arc<AtomicBool>,
    resumed: usize,
}

impl Sweep<'_> {
    /// Does ahead what all points of a digital link share, and takes over what an earlier run chose.
    ///
    /// - returns: whether it was stopped
    fn search_pictures(&self, points: &[Point]) -> Result<bool, RunError> {
        for of_variant in points.chunk_by(|a, b| std::ptr::eq(a.variant, b.variant)) {
            let mut stores = Vec::new();
            for point in of_variant {
                let key = point.key();
                match self.finished.iter().find(|row| row.key == key) {
                    Some(row) => point.link.remember(
                        point.channel,
                        point.snr_db,
                        row.measured.mcs.as_deref().unwrap_or_default(),
                    ),
                    None => stores.extend(point.link.pictures()),
                }
            }
            let mut different: Vec<(_, Option<_>)> = Vec::new();
            for (store, validation) in stores {
                match different.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &store)) {
                    Some((_, known)) => *known = known.take().or(validation),
                    None => different.push((store, validation)),
                }
            }
            let prepared = &of_variant[0].variant.prepared;
            if !different.is_empty() && digital::search_pictures(prepared, &different, self.stop)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns whether it was stopped.
    fn measure_all(&mut self, points: &[Point]) -> Result<bool, RunError> {
        let mut reporter = Reporter::new(points.len() as u64, self.finished.len() as u64, "points");
        for of_variant in points.chunk_by(|a, b| std::ptr::eq(a.variant, b.variant)) {
            let prepared = &of_variant[0].variant.prepared;
            let users = prepared.experiment.downlink.users;
            let truth = true_groups(&prepared.source.images, users)
                .map_err(|error| RunError::Failed(format!("source: {error}")))?;
            for point in of_variant {
                let key = point.key();
                if let Some(row) = self.finished.iter().find(|row| row.key == key) {
                    self.rows.push(row.clone());
                    self.resumed += 1;
                    continue;
                }
                reporter.note(&name_of(&key));
                let started = Instant::now();
                let Point { link, channel, snr_db, .. } = *point;
                let output = prepared.run(link, channel, snr_db, None, 0, &self.options());
                if self.stop.load(Ordering::Relaxed) {
                    // What arrived is only a part of the images.
                    reporter.finish();
                    return Ok(true);
                }
                let output = output.map_err(|reason| RunError::link(name_of(&key), reason))?;
                let row = Row { measured: summarize(&output, link, &truth), key };
                self.timings.push((row.key.clone(), started.elapsed().as_secs_f64(), row.measured.images));
                let message = format!("{}: {:.2} dB", name_of(&row.key), row.measured.psnr_db);
                self.rows.push(row);
                self.write_tables()?;
                reporter.advance((self.finished.len() + self.timings.len()) as u64, &message);
            }
        }
        self.write_tables()?;
        reporter.finish();
        Ok(false)
    }

    fn options(&self) -> RunOptions {
        RunOptions { patience: PATIENCE, stop: Some(Arc::clone(self.stop)) }
    }

    fn write_tables(&self) -> Result<(), RunError> {
        // Rows that an earlier run finished further on stay in the file until they are reached.
        let ahead = self.finished.iter().filter(|row| !self.rows.iter().any(|done| done.key == row.key));
        let rows: Vec<Row> = self.rows.iter().chain(ahead).cloned().collect();
        self.folder.write_rows(&rows)?;
        let mut text = "varied,link,channel,snr_db,seconds,images_per_s\n".to_owned();
        text.push_str(&self.earlier_timings);
        for (key, seconds, images) in &self.timings {
            let rate = *images as f64 / seconds;
            text.push_str(&format!("{}{seconds:.3},{rate:.1}\n", timing_key(key)));
        }
        self.folder.write(TIMINGS, text.as_bytes())
    }

    fn draw(&self, experiment: &Experiment, variants: &[Variant]) -> Result<(), RunError> {
        let (mut svgs, mut sheets) = (Vec::new(), Vec::new());
        let first = &variants[0].prepared;
        if experiment.output.plots {
            for (name, figure) in
                figures::all(experiment, &self.rows, &first.provenance.data, first.source.sent)
            {
                let failed = |reason: String| RunError::file(&self.folder.path().join(&name), reason);
                let svg = super::plot::to_svg(&figure).map_err(failed)?;
                self.folder.write(&format!("{name}.svg"), svg.as_bytes())?;
                self.folder.write(&format!("{name}.png"), &super::plot::to_png(&figure).map_err(failed)?)?;
                svgs.push(svg);
            }
        }
        if experiment.output.contact_sheet {
            for Variant { varied, prepared, .. } in variants {
                for channel in &prepared.experiment.channel {
                    let name = contact_sheet::file_name(channel, varied);
                    let sheet = contact_sheet::png(prepared, channel, &self.options())?;
                    if self.stop.load(Ordering::Relaxed) {
                        return Ok(());
                    }
                    self.folder.write(&name, &sheet)?;
                    let at = if varied.is_empty() { String::new() } else { format!(", {varied}") };
                    sheets.push((format!("{}{at}", figures::channel_title(channel)), sheet));
                }
            }
        }
        if experiment.output.report {
            let configuration = resolved_text(experiment)?;
            let data = &first.provenance.data;
            let parts =
                html_report::Parts { configuration: &configuration, data, figures: &svgs, sheets: &sheets };
            let page = html_report::page(experiment, &self.rows, &parts);
            self.folder.write(html_report::FILE, page.as_bytes())?;
        }
        Ok(())
    }
}

fn name_of(key: &PointKey) -> String {
    let varied = if key.varied.is_empty() { String::new() } else { format!("{}, ", key.varied) };
    format!("{varied}{}, {}, {} dB", key.link, key.channel, key.snr_db)
}
