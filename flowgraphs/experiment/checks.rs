//! What an experiment file must satisfy beyond the types of its values.

use super::config::Experiment;
use super::config_error::Result;
use super::config_value::from_block;
use super::grid;
use super::link_checks::check_link;
use super::profile_checks::check_profiles;
use super::reading::Tree;
use sememe_blocks::source::Fit;
use std::collections::BTreeSet;

/// Bound on what one run measures.
const MAX_POINTS: usize = 100_000;
/// SNRs beyond this many dB, positive or negative, mean nothing to any link.
const MAX_SNR_DB: f64 = 200.0;

/// Refuses the first value that no run could use.
pub(super) fn check(experiment: &Experiment, tree: &Tree) -> Result<()> {
    check_snrs(experiment, tree)?;
    for (index, channel) in experiment.channel.iter().enumerate() {
        let prefix = format!("channel.{index}");
        channel.check().map_err(|error| tree.located(from_block(error, tree.origin(), &prefix)))?;
    }
    let mut names = BTreeSet::new();
    for (index, channel) in experiment.channel.iter().enumerate() {
        if !names.insert(channel.name()) {
            let key = format!("channel.{index}");
            return Err(tree.refuse_as(&key, &channel.name(), "a channel that differs from those before it"));
        }
    }
    let mut names = BTreeSet::new();
    for (index, link) in experiment.link.iter().enumerate() {
        check_link(link, index, experiment, tree)?;
        check_profiles(link, index, experiment, tree)?;
        if !names.insert(link.label()) {
            let key = format!("link.{index}.name");
            return Err(tree.refuse_as(
                &key,
                &format!("\"{}\"", link.label()),
                "a name that no other link has",
            ));
        }
    }
    if let Some(air) = &experiment.air {
        air.check().map_err(|error| tree.located(from_block(error, tree.origin(), "air")))?;
    }
    check_output(experiment, tree)?;
    check_stop(experiment, tree)?;
    grid::check(experiment, tree)?;
    let variants = grid::cells(&experiment.vary).len();
    let points = [experiment.link.len(), experiment.channel.len(), experiment.snr_db.len(), variants];
    if points.into_iter().try_fold(1usize, |product, n| product.checked_mul(n)).is_none_or(|n| n > MAX_POINTS)
    {
        return Err(tree.refuse("snr_db", format!("at most {MAX_POINTS} points in all")));
    }
    Ok(())
}

fn check_snrs(experiment: &Experiment, tree: &Tree) -> Result<()> {
    let snrs = &experiment.snr_db;
    if snrs.is_empty() {
        return Err(tree.refuse("snr_db", "at least one SNR in dB"));
    }
    if let Some(index) = snrs.iter().position(|snr| !(-MAX_SNR_DB..=MAX_SNR_DB).contains(snr)) {
        return Err(tree.refuse(&format!("snr_db.{index}"), format!("-{MAX_SNR_DB} to {MAX_SNR_DB}")));
    }
    if !snrs.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err(tree.refuse("snr_db", "ascending numbers, each once"));
    }
    Ok(())
}

fn check_stop(experiment: &Experiment, tree: &Tree) -> Result<()> {
    match &experiment.stop {
        Some(rule) if !(rule.psnr_ci95_db.is_finite() && rule.psnr_ci95_db > 0.0) => {
            Err(tree.refuse("stop.psnr_ci95_db", "a number of dB above 0"))
        }
        Some(_) if experiment.source.fit == Fit::Tiles => {
            Err(tree
                .refuse("source.fit", "another beside [stop], whose interval takes images to be independent"))
        }
        Some(rule) if rule.min_images < 2 => Err(tree.refuse("stop.min_images", "at least 2")),
        _ => Ok(()),
    }
}

fn check_output(experiment: &Experiment, tree: &Tree) -> Result<()> {
    let output = &experiment.output;
    if output.sheet_images == 0 || output.sheet_images > 100 {
        return Err(tree.refuse("output.sheet_images", "1 to 100"));
    }
    if let Some(name) = &output.compare
        && !experiment.link.iter().any(|link| link.label() == *name)
    {
        let known: Vec<String> = experiment.link.iter().map(|link| link.label()).collect();
        return Err(tree.refuse("output.compare", format!("the name of a link: {}", known.join(", "))));
    }
    if output.compare.is_some() && experiment.stop.is_some() {
        let allowed =
            "no [stop] beside it: points would end after different images, and a comparison needs the same";
        return Err(tree.refuse("output.compare", allowed));
    }
    if let Some(index) = output.sheet_snr_db.iter().position(|snr| !experiment.snr_db.contains(snr)) {
        let known: Vec<String> = experiment.snr_db.iter().map(f64::to_string).collect();
        return Err(tree.refuse(
            &format!("output.sheet_snr_db.{index}"),
            format!("one of snr_db: {}", known.join(", ")),
        ));
    }
    Ok(())
}
