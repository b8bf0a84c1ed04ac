//! Joins the parts of an experiment that several processes measured.

use super::image_scores::{self, IMAGES, PointScores};
use super::networks::Purpose;
use super::points::{open_variants, points};
use super::reading::Tree;
use super::results::{Row, from_csv};
use super::run_error::RunError;
use super::run_folder::{CONFIGURATION, Existing, RESULTS, RunFolder, TIMINGS, first_difference};
use super::shard::Shard;
use super::shell::quoted;
use super::sweep::{SweepOptions, SweepOutcome, sweep};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// One part as it lies on disk.
struct Part {
    shard: Shard,
    path: PathBuf,
    configuration: String,
    rows: Vec<Row>,
    images: Vec<PointScores>,
}

/// Joins the parts in a folder into the results of the whole, with figures and contact sheets: the same bytes
/// as a run in one process.
///
/// - out: the folder that was given to all parts with `--out`
/// - errors: a part or a point that is missing, with the command that measures it; parts of different
///   experiments; results of another experiment in `out`
pub fn merge(out: &Path, stop: &Arc<AtomicBool>) -> Result<SweepOutcome, RunError> {
    let mut parts = read_parts(out)?;
    let configuration = parts[0].configuration.clone();
    if let Some((part, (old, new))) =
        parts.iter().find_map(|part| Some((part, first_difference(&configuration, &part.configuration)?)))
    {
        return Err(RunError::Usage(format!(
            "{}: it holds another experiment than shard {}, which says {old} where this one says {new}: allowed \
             is the same configuration in all",
            part.path.display(),
            parts[0].shard
        )));
    }
    let origin = parts[0].path.join(CONFIGURATION).display().to_string();
    let tree = Tree::parse(&configuration, &origin)?;
    let experiment = tree.experiment()?;
    let variants = open_variants(&experiment, &tree, Purpose::Run)?;
    let keeps_images = experiment.output.keeps_images();
    let (mut rows, mut images) = (Vec::new(), Vec::new());
    for part in &mut parts {
        let expected = points(&variants, Some(part.shard));
        let found = expected.iter().filter_map(|point| {
            let key = point.key();
            part.rows.iter().find(|row| row.key == key)
        });
        let mut found: Vec<Row> = found.cloned().collect();
        if keeps_images {
            let of_rows = image_scores::of_rows(&found, std::mem::take(&mut part.images));
            let mut is_whole = of_rows.iter().map(Option::is_some);
            found.retain(|_| is_whole.next() == Some(true));
            images.extend(of_rows.into_iter().flatten());
        }
        if found.len() < expected.len() {
            return Err(RunError::Usage(format!(
                "{}: {} of {} points are missing: allowed is a finished shard, which this command makes of it: \
                 sememe run {} --shard {} --resume --out {}",
                part.path.display(),
                expected.len() - found.len(),
                expected.len(),
                in_shell(&part.path.join(CONFIGURATION)),
                part.shard,
                in_shell(out)
            )));
        }
        rows.extend(found);
    }
    let order = points(&variants, None);
    rows.sort_by_cached_key(|row| order.iter().position(|point| point.key() == row.key));
    let (folder, earlier) = RunFolder::open(out, Existing::Resume, &configuration)?;
    if earlier.iter().any(|row| !rows.contains(row)) {
        return Err(RunError::Usage(format!(
            "{}: its results are not those of its shards: allowed is a folder without a {RESULTS} of its own",
            out.display()
        )));
    }
    if keeps_images {
        let ordered = image_scores::of_rows(&rows, images);
        folder.write(IMAGES, image_scores::to_csv(ordered.iter().flatten()).as_bytes())?;
    }
    folder.write_rows(&rows)?;
    folder.write(TIMINGS, timings(&parts).as_bytes())?;
    // All points are there: what is left is to draw.
    let options = SweepOptions { out, existing: Existing::Resume, shard: None, jobs: 0, stop };
    let outcome = sweep(&tree, &options)?;
    Ok(SweepOutcome { resumed: 0, ..outcome })
}

fn read_parts(out: &Path) -> Result<Vec<Part>, RunError> {
    let shards = Shard::all_in(out)?;
    let Some(first) = shards.first().copied() else {
        return Err(RunError::Usage(format!(
            "{}: it holds no shards: allowed is the folder that was given to sememe run --shard i/n --out",
            out.display()
        )));
    };
    if let Some(other) = shards.iter().find(|shard| shard.count() != first.count()) {
        return Err(RunError::Usage(format!(
            "{}: it holds {} and {}: allowed are shards of one number of parts; remove the folders of the others",
            out.display(),
            first.folder(),
            other.folder()
        )));
    }
    if let Some(missing) = (1..=first.count()).find(|number| shards.iter().all(|s| s.number() != *number)) {
        return Err(RunError::Usage(format!(
            "{}: shard {missing}/{} is missing: allowed is a folder with all of them; this command makes it: \
             sememe run {} --shard {missing}/{} --out {}",
            out.display(),
            first.count(),
            in_shell(&out.join(first.folder()).join(CONFIGURATION)),
            first.count(),
            in_shell(out)
        )));
    }
    shards.into_iter().map(|shard| read_part(out, shard)).collect()
}

fn read_part(out: &Path, shard: Shard) -> Result<Part, RunError> {
    let path = out.join(shard.folder());
    let read = |name: &str| {
        let path = path.join(name);
        std::fs::read_to_string(&path).map_err(|error| RunError::file(&path, error))
    };
    let configuration = read(CONFIGURATION)?;
    let rows = match path.join(RESULTS).exists() {
        true => from_csv(&read(RESULTS)?).map_err(|reason| RunError::file(&path.join(RESULTS), reason))?,
        false => vec![],
    };
    let images = match path.join(IMAGES).exists() {
        true => image_scores::from_csv(&read(IMAGES)?)
            .map_err(|reason| RunError::file(&path.join(IMAGES), reason))?,
        false => vec![],
    };
    Ok(Part { shard, path, configuration, rows, images })
}

fn in_shell(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// The times of all parts, one below the other.
fn timings(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        let of_part = std::fs::read_to_string(part.path.join(TIMINGS)).unwrap_or_default();
        let begins_at = if text.is_empty() { 0 } else { of_part.find('\n').map_or(0, |end| end + 1) };
        text.push_str(&of_part[begins_at..]);
    }
    text
}
