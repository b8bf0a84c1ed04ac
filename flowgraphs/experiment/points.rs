//! All points of an experiment, in the one order of its table.

use super::checks::{tree_at, varied_text};
use super::config::Experiment;
use super::prepared::{Prepared, ReadyLink};
use super::reading::Tree;
use super::results::PointKey;
use super::run_error::RunError;
use super::shard::Shard;
use sememe_blocks::channel::ChannelConfig;

/// The experiment once for each varied value; once where nothing is varied.
pub struct Variant {
    /// The value as text; empty where nothing is varied.
    pub varied: String,
    /// Everything opened.
    pub prepared: Prepared,
}

/// One link on one channel at one SNR.
#[derive(Clone, Copy)]
pub struct Point<'a> {
    /// Of which variant.
    pub variant: &'a Variant,
    /// The link.
    pub link: &'a ReadyLink,
    /// The channel.
    pub channel: &'a ChannelConfig,
    /// Mean SNR per complex channel use, in dB.
    pub snr_db: f64,
}

impl Point<'_> {
    /// What identifies it in tables.
    pub fn key(&self) -> PointKey {
        PointKey {
            varied: self.variant.varied.clone(),
            link: self.link.name.clone(),
            channel: self.channel.name(),
            snr_db: self.snr_db,
        }
    }
}

/// Opens an experiment for each of its varied values.
pub fn open_variants(experiment: &Experiment, tree: &Tree) -> Result<Vec<Variant>, RunError> {
    let Some(vary) = &experiment.vary else {
        let prepared = Prepared::new(experiment.clone(), tree)?;
        return Ok(vec![Variant { varied: String::new(), prepared }]);
    };
    let open = |(index, value): (usize, &toml::Value)| -> Result<Variant, RunError> {
        let fixed = tree_at(tree, &vary.key, value)?;
        let mut one = fixed.experiment()?;
        if let (Some(provenance), 1..) = (&mut one.provenance, index) {
            // A varied source has a name for each value; the recorded one is that of the first.
            provenance.data.clear();
        }
        let prepared = Prepared::new(one, &fixed)?;
        Ok(Variant { varied: varied_text(value), prepared })
    };
    vary.values.iter().enumerate().map(open).collect()
}

/// The points of a part of an experiment, or all of them, in the order of the table.
pub fn points(variants: &[Variant], shard: Option<Shard>) -> Vec<Point<'_>> {
    let mut all = Vec::new();
    for variant in variants {
        let Experiment { channel, snr_db, .. } = &variant.prepared.experiment;
        for link in &variant.prepared.links {
            for channel in channel {
                all.extend(snr_db.iter().map(|snr_db| Point { variant, link, channel, snr_db: *snr_db }));
            }
        }
    }
    let is_covered = |index: usize| shard.is_none_or(|shard| shard.covers(index));
    all.into_iter().enumerate().filter(|(index, _)| is_covered(*index)).map(|(_, point)| point).collect()
}
