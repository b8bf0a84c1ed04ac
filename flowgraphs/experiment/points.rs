//! All points of an experiment, in the one order of its table.

use super::config::Experiment;
use super::grid::{Cell, cells};
use super::networks::{Networks, Purpose};
use super::prepared::{Prepared, ReadyLink};
use super::reading::Tree;
use super::results::PointKey;
use super::run_error::RunError;
use super::shard::Shard;
use crate::links::EncodedStore;
use sememe_blocks::Decibel;
use sememe_blocks::channel::ChannelConfig;
use std::sync::Arc;

/// The experiment once for each varied value; once where nothing is varied.
pub struct Variant {
    /// The values as text; empty where nothing is varied.
    pub varied: String,
    /// Names of the channels before anything of them is varied, under which the points stand in tables.
    pub channels: Vec<String>,
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
    /// Its name.
    pub channel_name: &'a str,
    /// Mean SNR per complex channel use, in dB.
    pub snr_db: f64,
}

impl Point<'_> {
    /// What identifies it in tables.
    pub fn key(&self) -> PointKey {
        PointKey {
            varied: self.variant.varied.clone(),
            link: self.link.name.clone(),
            channel: self.channel_name.to_owned(),
            snr_db: self.snr_db,
        }
    }

    /// The store of its encoder and the SNR that the encoder is told, where it has an encoder.
    pub fn encoder(&self) -> Option<(&Arc<EncodedStore>, Decibel)> {
        self.link.encoder(self.snr_db)
    }
}

/// Opens an experiment for each of its varied values.
pub fn open_variants(
    experiment: &Experiment,
    tree: &Tree,
    purpose: Purpose,
) -> Result<Vec<Variant>, RunError> {
    let mut networks = Networks::new(experiment, tree, purpose)?;
    let channels: Vec<String> = experiment.channel.iter().map(ChannelConfig::name).collect();
    let open = |(index, cell): (usize, &Cell)| -> Result<Variant, RunError> {
        if experiment.vary.is_empty() {
            let prepared = Prepared::new(experiment.clone(), tree, &mut networks)?;
            return Ok(Variant { varied: String::new(), channels: channels.clone(), prepared });
        }
        let fixed = cell.tree(tree)?;
        let mut one = fixed.experiment()?;
        if let (Some(provenance), 1..) = (&mut one.provenance, index) {
            // A varied source has a name for each value; the recorded one is that of the first.
            provenance.data.clear();
        }
        let prepared = Prepared::new(one, &fixed, &mut networks)?;
        Ok(Variant { varied: cell.text(), channels: channels.clone(), prepared })
    };
    cells(&experiment.vary).iter().enumerate().map(open).collect()
}

/// The points of a part of an experiment, or all of them, in the order of the table.
pub fn points(variants: &[Variant], shard: Option<Shard>) -> Vec<Point<'_>> {
    let mut all = Vec::new();
    for variant in variants {
        let Experiment { channel, snr_db, .. } = &variant.prepared.experiment;
        for link in &variant.prepared.links {
            for (channel, name) in channel.iter().zip(&variant.channels) {
                let at = |snr_db: &f64| Point { variant, link, channel, channel_name: name, snr_db: *snr_db };
                all.extend(snr_db.iter().map(at));
            }
        }
    }
    let is_covered = |index: usize| shard.is_none_or(|shard| shard.covers(index));
    all.into_iter().enumerate().filter(|(index, _)| is_covered(*index)).map(|(_, point)| point).collect()
}
