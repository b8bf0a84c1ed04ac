//! What a `[[link]]` table must satisfy beyond the types of its values.

use super::config::{Experiment, LinkConfig};
use super::config_error::{Result, join};
use super::config_value::from_block;
use super::reading::Tree;
use super::scheme::Scheme;
use sememe_blocks::coding::CodedModulation;

/// How a line takes its modulation and code rate, as configured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum McsKey {
    /// The best of the grid.
    Best,
    /// This one.
    Named(CodedModulation),
}

/// Refuses the first value of a link that no run could use.
pub(super) fn check_link(
    link: &LinkConfig,
    index: usize,
    experiment: &Experiment,
    tree: &Tree,
) -> Result<()> {
    let key = |name: &str| format!("link.{index}.{name}");
    let refuse = |name: &str, allowed: String| Err(tree.refuse(&key(name), allowed));
    if let Some(name) = &link.name {
        let is_plain = |c: char| c.is_alphanumeric() || " ._-+()=/".contains(c);
        if name.is_empty() || name.chars().count() > 40 || !name.chars().all(is_plain) {
            return refuse("name", "1 to 40 letters, digits, spaces and . _ - + ( ) = /".into());
        }
    }
    if !(-60.0..=60.0).contains(&link.snr_mismatch_db) {
        return refuse("snr_mismatch_db", "-60 to 60".into());
    }
    check_unused(link, index, tree)?;
    match (link.scheme, &link.weights) {
        (scheme, None) if scheme.architecture().is_some() => {
            let known = sememe_models::weights::SHIPPED.join(", ");
            let allowed = format!("the path of a weights file, or shipped weights: {known}");
            return Err(tree.missing(&key("weights"), allowed));
        }
        (Scheme::GroupSplitting, _) => return Ok(()),
        _ if link.rho.is_some_and(|rho| rho != 0.0) => {
            return refuse("rho", "0: this scheme sends nothing in common".into());
        }
        _ => {}
    }
    if !link.scheme.is_digital() {
        return Ok(());
    }
    if link.iterations.is_some_and(|iterations| !(1..=1000).contains(&iterations)) {
        return refuse("iterations", "1 to 1000".into());
    }
    let mcs = mcs(link, &key("mcs"), tree)?;
    if link.scheme == Scheme::OutsideTable {
        if link.table.is_none() {
            let allowed = "the path of a table with lines of image, bytes, psnr_db";
            return Err(tree.missing(&key("table"), allowed));
        }
        if link.validation_table.is_none() && mcs == McsKey::Best {
            let allowed = "a table of other images, on which the best mcs is chosen, or a named mcs";
            return Err(tree.missing(&key("validation_table"), allowed));
        }
    }
    check_transmitter(link, mcs, index, experiment, tree)
}

/// A sender that knows its fades needs fades that can be known, and formats to choose from.
fn check_transmitter(
    link: &LinkConfig,
    mcs: McsKey,
    index: usize,
    experiment: &Experiment,
    tree: &Tree,
) -> Result<()> {
    if !link.csi_at_transmitter {
        return Ok(());
    }
    let key = format!("link.{index}.csi_at_transmitter");
    if mcs != McsKey::Best {
        return Err(tree.refuse(&format!("link.{index}.mcs"), "\"best\" with csi_at_transmitter"));
    }
    if link.packing == Some(sememe_blocks::picture::Packing::Mosaic) {
        return Err(tree.refuse(&key, "false with packing = \"mosaic\": users share a block, not a fade"));
    }
    let is_uncertain = |channel: &sememe_blocks::channel::ChannelConfig| channel.csi_error_variance > 0.0;
    if experiment.channel.iter().any(is_uncertain) {
        let allowed =
            "false where a channel has csi_error_variance above 0: the sender chooses for perfect knowledge";
        return Err(tree.refuse(&key, allowed));
    }
    let per_symbol = sememe_blocks::channel::Variation::PerSymbol;
    match experiment.channel.iter().any(|channel| channel.variation == per_symbol) {
        true => Err(tree.refuse(&key, "false where a channel has variation = \"per_symbol\"")),
        false => Ok(()),
    }
}

/// The key `mcs` of a digital link.
pub(super) fn mcs(link: &LinkConfig, key: &str, tree: &Tree) -> Result<McsKey> {
    const ALLOWED: &str = "\"best\", an index of table 5.1.3.1-2 of TS 38.214 (0 to 27), or a modulation and a code rate such as \
         \"qpsk-1/2\"";
    let located = |error| tree.located(from_block(error, tree.origin(), key));
    match &link.mcs {
        None => Ok(McsKey::Best),
        Some(toml::Value::String(name)) if name == "best" => Ok(McsKey::Best),
        Some(toml::Value::String(name)) => match name.parse::<CodedModulation>() {
            Ok(scheme) => Ok(McsKey::Named(scheme)),
            Err(sememe_blocks::BlockError::InvalidParameter { name: "mcs", .. }) => {
                Err(tree.refuse(key, ALLOWED))
            }
            // A modulation or a rate that does not exist, in its own words.
            Err(sememe_blocks::BlockError::InvalidParameter { allowed, name: part, .. }) => {
                Err(tree.refuse(key, format!("{part}: {allowed}")))
            }
            Err(error) => Err(located(error)),
        },
        Some(toml::Value::Integer(index)) => {
            let scheme = usize::try_from(*index).ok().and_then(|i| CodedModulation::of_index(i).ok());
            scheme.map(McsKey::Named).ok_or_else(|| tree.refuse(key, ALLOWED))
        }
        Some(_) => Err(tree.refuse(key, ALLOWED)),
    }
}

/// Refuses keys that a scheme would silently ignore.
fn check_unused(link: &LinkConfig, index: usize, tree: &Tree) -> Result<()> {
    let scheme = link.scheme;
    let name = scheme.name();
    let coded =
        matches!(scheme, Scheme::JpegLdpc | Scheme::WebpLdpc | Scheme::JpegCapacity | Scheme::WebpCapacity);
    let analog = !scheme.is_digital() && !scheme.is_bound();
    let digital_only =
        || "nothing: only digital schemes (jpeg-ldpc, webp-ldpc, outside-table) have it".to_owned();
    let analog_only = || format!("nothing: {name} maps bits to symbols, its users hear only their own");
    let unused: [(&str, bool, String); 15] = [
        (
            "weights",
            link.weights.is_some() && scheme.architecture().is_none(),
            match scheme {
                Scheme::Klt => "nothing: klt is fitted to the training images".into(),
                _ => format!("nothing: {name} has no networks"),
            },
        ),
        ("packing", link.packing.is_some() && !coded, "nothing: only JPEG and WebP are packed".into()),
        ("mcs", link.mcs.is_some() && !scheme.is_digital(), digital_only()),
        ("iterations", link.iterations.is_some() && !scheme.is_digital(), digital_only()),
        ("demapping", link.demapping.is_some() && !scheme.is_digital(), digital_only()),
        ("csi_at_transmitter", link.csi_at_transmitter && !scheme.is_digital(), digital_only()),
        (
            "table",
            link.table.is_some() && scheme != Scheme::OutsideTable,
            "nothing but with outside-table".into(),
        ),
        (
            "validation_table",
            link.validation_table.is_some() && scheme != Scheme::OutsideTable,
            "nothing but with outside-table".into(),
        ),
        (
            "limit",
            link.limit.is_some() && !scheme.is_bound(),
            "nothing: only bounds (jpeg-capacity, webp-capacity) have it".into(),
        ),
        ("groups", link.groups.is_some() && !analog, analog_only()),
        ("mapping", link.mapping.is_some() && !analog, analog_only()),
        ("access", link.access.is_some() && !analog, analog_only()),
        ("accounting", link.accounting.is_some() && !analog, analog_only()),
        ("clustering", link.clustering.is_some() && !analog, analog_only()),
        ("equalizer", link.equalizer.is_some() && !analog, analog_only()),
    ];
    match unused.into_iter().find(|(_, is_set, _)| *is_set) {
        Some((key, _, allowed)) => Err(tree.refuse(&join(&format!("link.{index}"), key), allowed)),
        None => Ok(()),
    }
}
