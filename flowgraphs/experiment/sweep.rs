//! Every link on every channel at every SNR, one flowgraph a point, written in one fixed order.

use super::config::{Experiment, Provenance};
use super::image_scores::{self, IMAGES, ImageScores, PointScores};
use super::networks::{Networks, Purpose};
use super::points::{Point, Variant, open_variants, points};
use super::prepared::Prepared;
use super::progress::Reporter;
use super::reading::Tree;
use super::results::{PointKey, Results, Row};
use super::run_error::RunError;
use super::run_folder::{Existing, RunFolder, TIMINGS};
use super::shard::Shard;
use super::shared_work::SharedWork;
use super::workers::{Measured, Work, name_of};
use super::{comparison, contact_sheet, digital, figures, html_report};
use crate::adapters::RunOptions;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A run may be silent for so long before it counts as stalled: inference on large images takes time.
const PATIENCE: Duration = Duration::from_secs(600);

/// More points at a time only cost memory.
const MOST_JOBS_PER_CORE: usize = 8;

/// What a sweep ended with.
pub struct SweepOutcome {
    /// The resolved experiment.
    pub experiment: Experiment,
    /// Rows of all finished points, in order.
    pub rows: Vec<Row>,
    /// Scores of their images, where they are kept.
    pub images: Vec<PointScores>,
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
    let variants = open_variants(&experiment, tree, Purpose::Check)?;
    Ok((points(&variants, None).len(), variants[0].prepared.provenance.clone()))
}

/// Opens everything an experiment needs, to be run by other means than a sweep.
///
/// - errors: the first thing that cannot be used; a key that is varied
pub fn open_experiment(tree: &Tree) -> Result<Prepared, RunError> {
    let experiment = tree.experiment()?;
    if !experiment.vary.is_empty() {
        return Err(tree.refuse("vary", "nothing over the air: one value at a time, by --set").into());
    }
    let mut networks = Networks::new(&experiment, tree, Purpose::Run)?;
    Ok(Prepared::new(experiment, tree, &mut networks)?)
}

impl SweepOutcome {
    /// What is shown of it.
    pub fn results(&self) -> Results<'_> {
        Results { experiment: &self.experiment, rows: &self.rows, images: &self.images }
    }
}

/// How a sweep is carried out; none of it changes a result.
#[derive(Clone, Copy)]
pub struct SweepOptions<'a> {
    /// Folder of the run; a part has a folder of its own in it.
    pub out: &'a Path,
    /// What happens to results that lie there.
    pub existing: Existing,
    /// Measures only this part, and draws nothing.
    pub shard: Option<Shard>,
    /// So many points at a time; 0: as many as there are cores.
    pub jobs: usize,
    /// Once true, points under way are dropped, what is finished is kept, and the sweep returns.
    pub stop: &'a Arc<AtomicBool>,
}

/// Runs an experiment, or a part of it.
///
/// - errors: what cannot be used, before anything is written; of the points that failed the first
pub fn sweep(tree: &Tree, options: &SweepOptions) -> Result<SweepOutcome, RunError> {
    let SweepOptions { existing, shard, stop, .. } = *options;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let most = MOST_JOBS_PER_CORE * cores;
    if options.jobs > most {
        let text =
            format!("--jobs {} is not possible: allowed is 0 to {most} on {cores} cores", options.jobs);
        return Err(RunError::Usage(text));
    }
    if let Some(shard) = shard {
        shard.check_beside(options.out)?;
    }
    let experiment = tree.experiment()?;
    let variants = open_variants(&experiment, tree, Purpose::Run)?;
    let provenance = variants[0].prepared.provenance.clone();
    let resolved = Experiment { provenance: Some(provenance.clone()), ..experiment };
    let out = shard.map_or(options.out.to_owned(), |shard| options.out.join(shard.folder()));
    let (folder, finished) = RunFolder::open(&out, existing, &resolved_text(&resolved)?)?;
    let keeps_images = resolved.output.keeps_images();
    let (finished, scores) = match keeps_images {
        true => with_images(&folder, finished)?,
        false => (finished, vec![]),
    };
    // A point that is measured again is timed again.
    let is_kept = |line: &&str| finished.iter().any(|row| line.starts_with(&timing_key(&row.key)));
    let earlier_timings =
        folder.earlier_rows(TIMINGS).split_inclusive('\n').filter(is_kept).collect::<String>();
    let points = points(&variants, shard);
    let of_earlier = |point: &Point| finished.iter().find(|row| row.key == point.key()).cloned();
    let rows: Vec<Option<Row>> = points.iter().map(of_earlier).collect();
    let resumed = rows.iter().flatten().count();
    let timings = vec![None; rows.len()];
    let mut sweep = Sweep { folder, earlier_timings, timings, rows, keeps_images, scores, stop };
    let jobs = if options.jobs == 0 { cores } else { options.jobs };
    let interrupted = sweep.search_pictures(&points)? || sweep.measure_all(&points, jobs)?;
    if !interrupted {
        sweep.order_images()?;
        if shard.is_none() {
            sweep.draw(&resolved, &variants)?;
        }
    }
    let skipped_images = variants[0].prepared.source.skipped;
    let (rows, images) = (sweep.rows.into_iter().flatten().collect(), sweep.scores);
    Ok(SweepOutcome { experiment: resolved, rows, images, resumed, interrupted, skipped_images, provenance })
}

/// The configuration as it is written beside results: every default spelled out.
pub fn resolved_text(experiment: &Experiment) -> Result<String, RunError> {
    let body =
        toml::to_string(experiment).map_err(|error| RunError::Failed(format!("configuration: {error}")))?;
    Ok(format!("# Written by sememe. Repeat this run: sememe run experiment.toml --out FOLDER\n\n{body}"))
}

/// The rows of an earlier run whose images are all known, and those; the others are measured again.
fn with_images(folder: &RunFolder, rows: Vec<Row>) -> Result<(Vec<Row>, Vec<PointScores>), RunError> {
    let found = folder.read_table(IMAGES, |text| {
        image_scores::from_csv(text)
            .map_err(|reason| format!("{reason}; without this file its points are measured again"))
    })?;
    let found = image_scores::of_rows(&rows, found);
    let whole = rows.into_iter().zip(found).filter_map(|(row, scores)| Some((row, scores?)));
    let (rows, scores): (Vec<Row>, Vec<PointScores>) = whole.unzip();
    folder.write(IMAGES, image_scores::to_csv(scores.iter()).as_bytes())?;
    Ok((rows, scores))
}

/// The beginning of a point's line in the table of times.
fn timing_key(PointKey { varied, link, channel, snr_db }: &PointKey) -> String {
    format!("{varied},{link},{channel},{snr_db},")
}

struct Sweep<'a> {
    folder: RunFolder,
    /// Lines of an earlier run's table of times.
    earlier_timings: String,
    /// Of each point, in order, once it is known.
    rows: Vec<Option<Row>>,
    /// Seconds that a point took in this run.
    timings: Vec<Option<f64>>,
    /// Whether the scores of every image are written.
    keeps_images: bool,
    /// Of the points that are done, in any order; none where they are not kept.
    scores: Vec<PointScores>,
    stop: &'a Arc<AtomicBool>,
}

impl Sweep<'_> {
    /// Does ahead what all points of a digital link share, and takes over what an earlier run chose.
    ///
    /// - returns: whether it was stopped
    fn search_pictures(&self, points: &[Point]) -> Result<bool, RunError> {
        let with_rows: Vec<(&Point, &Option<Row>)> = points.iter().zip(&self.rows).collect();
        for of_variant in with_rows.chunk_by(|(a, _), (b, _)| std::ptr::eq(a.variant, b.variant)) {
            let mut stores = Vec::new();
            for (point, row) in of_variant {
                match row {
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
            let prepared = &of_variant[0].0.variant.prepared;
            if !different.is_empty() && digital::search_pictures(prepared, &different, self.stop)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns whether it was stopped.
    fn measure_all(&mut self, points: &[Point], jobs: usize) -> Result<bool, RunError> {
        let mut to_do: Vec<usize> = (0..points.len()).filter(|index| self.rows[*index].is_none()).collect();
        let shared = SharedWork::plan(points, &mut to_do);
        let resumed = (points.len() - to_do.len()) as u64;
        let mut reporter = Reporter::new(points.len() as u64, resumed, "points");
        let (options, stop) = (self.options(), self.stop);
        let work = Work { points, to_do: &to_do, shared: &shared, jobs, options, stop };
        let mut done = resumed;
        let interrupted = work.measure(|Measured { index, row, scores, seconds }| {
            let message = format!("{}: {:.2} dB", name_of(&row.key), row.measured.psnr_db);
            // Ahead of the row: a row stands for a point of which everything is written.
            self.add_images(&row.key, scores)?;
            (self.rows[index], self.timings[index]) = (Some(row), Some(seconds));
            self.write_tables()?;
            done += 1;
            reporter.advance(done, &message);
            Ok(())
        });
        reporter.finish();
        self.write_tables()?;
        interrupted
    }

    fn options(&self) -> RunOptions {
        RunOptions { patience: PATIENCE, stop: Some(Arc::clone(self.stop)) }
    }

    fn write_tables(&self) -> Result<(), RunError> {
        let rows: Vec<Row> = self.rows.iter().flatten().cloned().collect();
        self.folder.write_rows(&rows)?;
        let mut text = "varied,link,channel,snr_db,seconds,images_per_s\n".to_owned();
        text.push_str(&self.earlier_timings);
        for (row, seconds) in self.rows.iter().zip(&self.timings) {
            if let (Some(row), Some(seconds)) = (row, seconds) {
                let rate = row.measured.images as f64 / seconds;
                text.push_str(&format!("{}{seconds:.3},{rate:.1}\n", timing_key(&row.key)));
            }
        }
        self.folder.write(TIMINGS, text.as_bytes())
    }

    fn add_images(&mut self, key: &PointKey, scores: ImageScores) -> Result<(), RunError> {
        if self.keeps_images {
            let point = PointScores { key: key.clone(), scores };
            self.folder.append(IMAGES, &image_scores::lines(&point))?;
            self.scores.push(point);
        }
        Ok(())
    }

    /// Writes the scores of all images once more, in the order of the points.
    fn order_images(&mut self) -> Result<(), RunError> {
        if self.keeps_images {
            let rows: Vec<Row> = self.rows.iter().flatten().cloned().collect();
            let ordered = image_scores::of_rows(&rows, std::mem::take(&mut self.scores));
            self.scores = ordered.into_iter().flatten().collect();
            self.folder.write(IMAGES, image_scores::to_csv(self.scores.iter()).as_bytes())?;
        }
        Ok(())
    }

    fn draw(&self, experiment: &Experiment, variants: &[Variant]) -> Result<(), RunError> {
        let (mut svgs, mut sheets) = (Vec::new(), Vec::new());
        let first = &variants[0].prepared;
        let rows: Vec<Row> = self.rows.iter().flatten().cloned().collect();
        let results = Results { experiment, rows: &rows, images: &self.scores };
        for (name, table) in comparison::tables(results) {
            self.folder.write(name, table.as_bytes())?;
        }
        if experiment.output.plots {
            for (name, figure) in figures::all(results, &first.provenance.data, first.source.sent) {
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
            let page = html_report::page(results, &parts);
            self.folder.write(html_report::FILE, page.as_bytes())?;
        }
        Ok(())
    }
}
