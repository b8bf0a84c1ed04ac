//! All points of a run into one folder: finished ones are kept, an interrupted one is taken up again.

use super::point::{Engine, Measured, fraction_done};
use super::results::{Row, Timing, from_csv, timing_line, to_csv};
use super::setup::Setup;
use super::{figures, screen};
use crate::experiment::plot::{to_png, to_svg};
use crate::experiment::{Existing, RESULTS, Reporter, RunError, RunFolder, TIMINGS, Tree, UNFINISHED};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// A point that is done sooner shows no progress: on a terminal, and elsewhere.
const SILENT: [Duration; 2] = [Duration::from_millis(700), Duration::from_secs(10)];

/// What a run ended with.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was run, resolved.
    pub setup: Setup,
    /// The finished points in order.
    pub rows: Vec<Row>,
    /// Points that an earlier run had finished.
    pub resumed: usize,
    /// Whether it was stopped before the end.
    pub interrupted: bool,
    /// Points left out because one before them had no frame error.
    pub left_out: usize,
}

/// Runs all points.
///
/// A point without any frame error ends the run, as in AFF3CT, but not where `all_points` is set, where frames
/// are sent again (goodput goes on to rise) or where the next SNR is not higher.
///
/// - out: the folder of the run
/// - stop: once true, the counts of the point under way are kept for `Existing::Resume`, and the run returns
/// - print: called with every line for the screen, whole lines with their ends
/// - errors: what cannot be used, before anything is written; what fails on the way
pub fn run(
    tree: &Tree,
    out: &Path,
    existing: Existing,
    stop: &AtomicBool,
    print: &mut dyn FnMut(&str) -> Result<(), RunError>,
) -> Result<Outcome, RunError> {
    let setup = Setup::read(tree)?;
    let configuration =
        toml::to_string(&setup.config).map_err(|error| RunError::Failed(error.to_string()))?;
    let (folder, finished) = RunFolder::open_table(out, existing, &configuration, from_csv)?;
    let unfinished = match existing {
        Existing::Resume => folder.read_table(UNFINISHED, from_csv)?,
        _ => vec![],
    };
    print(&screen::header(&setup))?;
    let mut sweep = Sweep { engine: Engine::new(&setup), setup: &setup, folder, finished, rows: vec![] };
    let ended = sweep.measure_all(&unfinished, stop, print)?;
    print(&screen::footer(&setup))?;
    sweep.draw()?;
    let Sweep { rows, finished, .. } = sweep;
    let left_out = match ended {
        Ended::NoErrors => setup.points().len() - rows.len(),
        _ => 0,
    };
    let interrupted = matches!(ended, Ended::Interrupted);
    Ok(Outcome { rows, resumed: finished.len(), interrupted, left_out, setup })
}

struct Sweep<'a> {
    setup: &'a Setup,
    engine: Engine<'a>,
    folder: RunFolder,
    /// Rows of an earlier run.
    finished: Vec<Row>,
    rows: Vec<Row>,
}

enum Ended {
    AllPoints,
    NoErrors,
    Interrupted,
}

impl Sweep<'_> {
    fn measure_all(
        &mut self,
        unfinished: &[Row],
        stop: &AtomicBool,
        print: &mut dyn FnMut(&str) -> Result<(), RunError>,
    ) -> Result<Ended, RunError> {
        let points = self.setup.points();
        let mut timings = match self.finished.is_empty() {
            true => String::new(),
            false => self.folder.earlier_rows(TIMINGS),
        };
        for (index, &(esn0_db, ebn0_db)) in points.iter().enumerate() {
            let is_same = |row: &&Row| row.esn0_db == esn0_db && row.ebn0_db == ebn0_db;
            if let Some(row) = self.finished.iter().find(is_same) {
                self.rows.push(*row);
                print(&screen::row(self.setup, row, None))?;
            } else {
                let before = unfinished.iter().find(is_same).map(|row| row.tally).unwrap_or_default();
                let begun = Instant::now();
                let at =
                    format!("point {} of {}, {}", index + 1, points.len(), self.name_of(esn0_db, ebn0_db));
                let measured = self.measure(esn0_db, before, stop, &at)?;
                let row = Row { esn0_db, ebn0_db, tally: measured.tally };
                if measured.interrupted {
                    if row.tally.errors.frames > 0 {
                        self.write(UNFINISHED, self.csv(&[row])?.as_bytes())?;
                    }
                    return Ok(Ended::Interrupted);
                }
                let timing = Timing::new(self.setup, &measured, &before, begun.elapsed());
                self.rows.push(row);
                timings.push_str(&timing_line(&row, &timing));
                self.write(RESULTS, self.csv(&self.all_rows())?.as_bytes())?;
                self.write(TIMINGS, format!("{}{timings}", super::results::TIMING_COLUMNS).as_bytes())?;
                self.folder.remove(UNFINISHED)?;
                print(&screen::row(self.setup, &row, Some(&timing)))?;
            }
            if self.ends_here(index, &points) {
                return Ok(Ended::NoErrors);
            }
        }
        Ok(Ended::AllPoints)
    }

    fn measure(
        &self,
        esn0_db: f64,
        before: super::Tally,
        stop: &AtomicBool,
        at: &str,
    ) -> Result<Measured, RunError> {
        let rule = self.setup.stop_rule();
        let begun = Instant::now();
        let percent = |tally: &super::Tally| (100.0 * fraction_done(&rule, &tally.errors)) as u64;
        let silent = if std::io::stderr().is_terminal() { SILENT[0] } else { SILENT[1] };
        let mut reporter: Option<Reporter> = None;
        let mut progress = |tally: &super::Tally| {
            if begun.elapsed() > silent {
                let reporter =
                    reporter.get_or_insert_with(|| Reporter::new(100, percent(&before), "% of a point"));
                let errors = &tally.errors;
                let counts = format!("{} frames, {} frame errors", errors.frames, errors.frame_errors);
                // The last step belongs to the row that follows.
                reporter.advance(percent(tally).min(99), &format!("{at}: {counts}"));
            }
        };
        let measured = self.engine.measure(esn0_db, before, stop, &mut progress);
        if let Some(reporter) = &reporter {
            reporter.finish();
        }
        measured.map_err(|error| RunError::Failed(format!("{at}: {error}")))
    }

    fn name_of(&self, esn0_db: f64, ebn0_db: f64) -> String {
        match self.setup.is_ebn0 {
            true => format!("Eb/N0 {ebn0_db} dB"),
            false => format!("Es/N0 {esn0_db} dB"),
        }
    }

    /// Whether no point behind this one can be of interest.
    fn ends_here(&self, index: usize, points: &[(f64, f64)]) -> bool {
        let nothing_wrong = self.rows.last().is_some_and(|row| row.tally.errors.frame_errors == 0);
        let rises = points[index..].is_sorted_by(|a, b| a.0 < b.0);
        let is_last = index + 1 == points.len();
        nothing_wrong && rises && !is_last && !self.setup.config.all_points && !self.setup.repeats()
    }

    /// The rows so far, and those that an earlier run finished further on.
    fn all_rows(&self) -> Vec<Row> {
        let is_ahead = |row: &&Row| !self.rows.iter().any(|done| done.esn0_db == row.esn0_db);
        self.rows.iter().chain(self.finished.iter().filter(is_ahead)).copied().collect()
    }

    fn csv(&self, rows: &[Row]) -> Result<String, RunError> {
        to_csv(self.setup, rows).map_err(RunError::Failed)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        self.folder.write(name, bytes)
    }

    fn draw(&self) -> Result<(), RunError> {
        for (name, figure) in figures::all(self.setup, &self.rows) {
            let failed = |reason: String| RunError::file(&self.folder.path().join(name), reason);
            self.write(&format!("{name}.svg"), to_svg(&figure).map_err(failed)?.as_bytes())?;
            self.write(&format!("{name}.png"), &to_png(&figure).map_err(failed)?)?;
        }
        Ok(())
    }
}
