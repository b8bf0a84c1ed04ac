//! Measures points side by side: each on a thread of its own, which waits while its flowgraph runs.

use super::image_scores::ImageScores;
use super::measure::{summarize, true_groups};
use super::points::{Point, Variant};
use super::results::{PointKey, Row};
use super::run_error::RunError;
use super::shared_work::SharedWork;
use crate::adapters::RunOptions;
use sememe_blocks::Grouping;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;

/// A point that is done.
pub(super) struct Measured {
    /// Its place in the list of points.
    pub index: usize,
    /// Its row.
    pub row: Row,
    /// The scores of its images.
    pub scores: ImageScores,
    /// How long it took, beside the others.
    pub seconds: f64,
}

/// The points of a list, and how they are measured.
pub(super) struct Work<'a> {
    /// All points.
    pub points: &'a [Point<'a>],
    /// Those to be measured, by their place in the list.
    pub to_do: &'a [usize],
    /// What some of them share.
    pub shared: &'a SharedWork,
    /// So many at a time; at least one.
    pub jobs: usize,
    /// Patience and stop flag of each run.
    pub options: RunOptions,
    /// Once true, points under way are dropped.
    pub stop: &'a Arc<AtomicBool>,
}

/// The true groups of each frame of a variant's images, where they are known.
type Truth = Vec<Option<Grouping>>;

impl Work<'_> {
    /// Measures, and hands each point over as it is done, in any order.
    ///
    /// - returns: whether it was stopped
    /// - errors: of the points that failed the first in the list; those under way beside it are still handed
    ///   over. An error of `done` ends the work alike
    pub fn measure(&self, mut done: impl FnMut(Measured) -> Result<(), RunError>) -> Result<bool, RunError> {
        let truths = self.truths()?;
        let (next, ends) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (sender, receiver) = mpsc::channel();
        let mut failed: Option<(usize, RunError)> = None;
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.clamp(1, self.to_do.len().max(1)) {
                let (sender, truths, next, ends) = (sender.clone(), &truths, &next, &ends);
                scope.spawn(move || {
                    while !ends.load(Ordering::Relaxed) && !self.stop.load(Ordering::Relaxed) {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(index) = self.to_do.get(at).copied() else { break };
                        let truth = &truths[&address(self.points[index].variant)];
                        let result = self.one(index, truth).transpose();
                        // The receiver lives until every sender is gone.
                        if let Some(result) = result
                            && sender.send((index, result)).is_err()
                        {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            for (index, result) in receiver {
                if let Err(error) = result.and_then(&mut done) {
                    ends.store(true, Ordering::Relaxed);
                    failed = match failed.take() {
                        Some(earlier) if earlier.0 < index => Some(earlier),
                        _ => Some((index, error)),
                    };
                }
            }
        });
        match failed {
            Some((_, error)) => Err(error),
            None => Ok(self.stop.load(Ordering::Relaxed)),
        }
    }

    /// Nothing where it was stopped: what arrived by then is only a part of the images.
    fn one(&self, index: usize, truth: &Truth) -> Result<Option<Measured>, RunError> {
        let Point { variant, link, channel, snr_db, .. } = self.points[index];
        let key = self.points[index].key();
        let started = Instant::now();
        let output = variant.prepared.run(link, channel, snr_db, None, 0, &self.options);
        self.shared.done(&self.points[index]);
        if self.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let output = output.map_err(|reason| RunError::link(name_of(&key), reason))?;
        let scores = ImageScores::of(&output, &variant.prepared.source.images);
        let measured = summarize(&output, link, truth, &scores.pictures);
        // Rounded as it will be read again: figures of a resumed or merged run are those of a single one.
        let row = Row { key: key.clone(), measured }.as_written();
        let row = row.map_err(|reason| RunError::Failed(format!("{}: {reason}", name_of(&key))))?;
        Ok(Some(Measured { index, row, scores, seconds: started.elapsed().as_secs_f64() }))
    }

    /// Of every variant that has points to measure, by its address.
    fn truths(&self) -> Result<BTreeMap<usize, Truth>, RunError> {
        let mut truths = BTreeMap::new();
        for index in self.to_do {
            let variant = self.points[*index].variant;
            if let std::collections::btree_map::Entry::Vacant(entry) = truths.entry(address(variant)) {
                let users = variant.prepared.experiment.downlink.users;
                let truth = true_groups(&variant.prepared.source.images, users)
                    .map_err(|error| RunError::Failed(format!("source: {error}")))?;
                entry.insert(truth);
            }
        }
        Ok(truths)
    }
}

/// Variants are told apart by where they stand.
fn address(variant: &Variant) -> usize {
    std::ptr::from_ref(variant).addr()
}

/// A point in words.
pub(super) fn name_of(key: &PointKey) -> String {
    let varied = if key.varied.is_empty() { String::new() } else { format!("{}, ", key.varied) };
    format!("{varied}{}, {}, {} dB", key.link, key.channel, key.snr_db)
}
