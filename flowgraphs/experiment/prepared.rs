//! An experiment with everything opened: images read, weights loaded and checked, codes fitted.

use super::config::{Experiment, LinkConfig, Provenance};
use super::config_error::{ConfigError, Result};
use super::config_value::from_block;
use super::digital::DigitalParts;
use super::networks::Networks;
use super::reading::Tree;
use super::scheme::Scheme;
use super::{digest, source::OpenSource};
use crate::adapters::{GraphError, RunOptions};
use crate::links::{
    DigitalLine, Downlink, EncodedStore, GroupSplitting, IdealLine, Images, Klt, LinkOutput, Outside,
    Pictures, Scoring, Setting, Trained, Validation, in_flowgraph,
};
use ndarray::Array3;
use sememe_blocks::channel::{ChannelConfig, Phases};
use sememe_blocks::picture::LadderStore;
use sememe_blocks::rng::RngKey;
use sememe_blocks::source::mean_image;
use sememe_blocks::{BlockError, Decibel};
use sememe_models::perceptual::{HEADS_FILE, Lpips, MIN_SIDE, NETWORK_FILE};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Training images behind the mean image, at most.
const MEAN_IMAGES: usize = 1000;

/// What a run needs.
pub struct Prepared {
    /// The configuration.
    pub experiment: Experiment,
    /// The images.
    pub source: OpenSource,
    /// The links, in the order of the configuration.
    pub links: Vec<ReadyLink>,
    /// What stands in for a lost image.
    pub mean_image: Arc<Array3<u8>>,
    /// Measures the perceptual distance, where it is wanted.
    pub lpips: Option<Arc<Lpips>>,
    /// What the results will have been made with.
    pub provenance: Provenance,
}

/// A link that can run.
pub struct ReadyLink {
    /// Name in tables and figures.
    pub name: String,
    /// Its downlink.
    pub downlink: Downlink,
    /// Share of the features that is sent in common, as whole numbers allow.
    pub effective_rho: f64,
    /// Share of a frame's channel uses that carries common vectors.
    pub common_share: f64,
    /// Channel uses of signalling per image.
    pub signalling_uses: usize,
    mismatch_db: f64,
    pub(super) scheme: ReadyScheme,
}

/// What a link is made of.
pub(super) enum ReadyScheme {
    Learned(Box<GroupSplitting<Trained>>),
    Klt(Klt),
    Digital(Box<DigitalLine>),
    Ideal(IdealLine),
}

impl ReadyScheme {
    /// Tells the kinds apart, where a name may not.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Learned(_) => "learned",
            Self::Klt(_) => "klt",
            Self::Digital(_) => "digital",
            Self::Ideal(_) => "ideal",
        }
    }
}

impl ReadyLink {
    /// A link that sends nothing in common.
    fn private(config: &LinkConfig, experiment: &Experiment, scheme: ReadyScheme) -> Self {
        Self {
            name: config.label(),
            downlink: config.downlink(&experiment.downlink),
            effective_rho: 0.0,
            common_share: 0.0,
            signalling_uses: 0,
            mismatch_db: config.snr_mismatch_db,
            scheme,
        }
    }

    /// The pictures that the link searches through, and those on which it chooses.
    pub(super) fn pictures(&self) -> Option<(Arc<LadderStore>, Option<Arc<Validation>>)> {
        match &self.scheme {
            ReadyScheme::Digital(line) => match &line.pictures {
                Pictures::Coded(ladders) => Some((Arc::clone(ladders), line.validation.clone())),
                Pictures::Outside { .. } => None,
            },
            ReadyScheme::Ideal(line) => Some((Arc::clone(&line.ladders), Some(Arc::clone(&line.validation)))),
            _ => None,
        }
    }

    /// The store of its encoder and what that is told at an SNR, where it has an encoder.
    pub(super) fn encoder(&self, snr_db: f64) -> Option<(&Arc<EncodedStore>, Decibel)> {
        let ReadyScheme::Learned(link) = &self.scheme else { return None };
        Some((link.networks.encoded(), Decibel((snr_db + self.mismatch_db) as f32)))
    }

    /// Takes over what an earlier run chose at a point.
    pub(super) fn remember(&self, channel: &ChannelConfig, snr_db: f64, mcs: &str) {
        if let ReadyScheme::Digital(line) = &self.scheme {
            line.remember(channel, Decibel((snr_db + self.mismatch_db) as f32), mcs);
        }
    }
}

impl Prepared {
    /// Opens everything.
    ///
    /// - errors: the first thing that cannot be used, by file and key
    pub fn new(experiment: Experiment, tree: &Tree, networks: &mut Networks) -> Result<Self> {
        let origin = tree.origin();
        let Experiment { downlink, source, seed, .. } = &experiment;
        sememe_blocks::access::clustering::check_counts(downlink.users, downlink.groups)
            .map_err(|error| tree.located(from_block(error, origin, "downlink")))?;
        let source = source
            .open(downlink.users, downlink.groups, *seed, origin)
            .map_err(|error| tree.located(error))?;
        let mean_image = Arc::new(stand_in(&source).map_err(|error| from_block(error, origin, "source"))?);
        let mut provenance = Provenance {
            program: env!("CARGO_PKG_VERSION").into(),
            data: source.images.set.name(),
            ..Provenance::default()
        };
        let lpips = open_lpips(&experiment, source.images.set.size(), &mut provenance, tree)?;
        let mut stores = BTreeMap::new();
        let mut links: Vec<Option<ReadyLink>> = Vec::new();
        for (index, config) in experiment.link.iter().enumerate() {
            let is_coded = config.scheme.is_digital() || config.scheme.is_bound();
            let mut open = || {
                let opened = (&mut provenance, &mut stores, &mut *networks);
                open_link(config, &experiment, &source, opened, tree, index)
            };
            let link = (!is_coded).then(&mut open).transpose();
            links.push(link.map_err(|error| tree.located(error))?);
        }
        // Coded links share the phases of frames with those that send features.
        let common_share = common_share(&experiment, &links, tree)?;
        let mut parts = DigitalParts::new(&experiment, &source, &mean_image, tree, common_share);
        for (index, (config, link)) in experiment.link.iter().zip(&mut links).enumerate() {
            if link.is_none() {
                let scheme = match config.scheme.is_digital() {
                    true => parts.line(config, index).map(|line| ReadyScheme::Digital(Box::new(line))),
                    false => parts.bound(config, index).map(ReadyScheme::Ideal),
                };
                let scheme = scheme.map_err(|error| tree.located(error))?;
                *link = Some(ReadyLink::private(config, &experiment, scheme));
            }
        }
        let links = links.into_iter().flatten().collect();
        check_provenance(&experiment, &provenance, tree)?;
        Ok(Self { experiment, source, links, mean_image, lpips, provenance })
    }

    /// All that a link is told about one point.
    pub(super) fn setting(&self, link: &ReadyLink, channel: &ChannelConfig, snr_db: f64) -> Setting {
        Setting {
            key: RngKey::new(self.experiment.seed),
            downlink: link.downlink,
            channel: *channel,
            snr: Decibel(snr_db as f32),
            told_snr: Decibel((snr_db + link.mismatch_db) as f32),
            size: self.source.images.set.size(),
        }
    }

    /// Runs one link at one point.
    ///
    /// - images: `None` for all of the experiment's
    pub fn run(
        &self,
        link: &ReadyLink,
        channel: &ChannelConfig,
        snr_db: f64,
        images: Option<&Images>,
        kept_frames: u64,
        options: &RunOptions,
    ) -> Result<LinkOutput, GraphError> {
        let setting = self.setting(link, channel, snr_db);
        let scoring = Scoring {
            ms_ssim: self.experiment.output.ms_ssim,
            lpips: self.lpips.clone(),
            stop: if kept_frames == 0 { self.experiment.stop } else { None },
            kept_frames,
            mean_image: Arc::clone(&self.mean_image),
        };
        let images = images.unwrap_or(&self.source.images);
        match &link.scheme {
            ReadyScheme::Learned(learned) => {
                in_flowgraph(learned.as_ref(), images, &setting, &scoring, options)
            }
            ReadyScheme::Klt(klt) => in_flowgraph(klt, images, &setting, &scoring, options),
            ReadyScheme::Digital(line) => {
                let (plan, name) = line.plan(&setting)?;
                let output = match (line.link(&plan), &line.pictures) {
                    (None, Pictures::Outside { sent, .. }) => {
                        let outside = Outside { table: Arc::clone(sent), plan, receiver: line.receiver };
                        outside.in_flowgraph(images, &setting, &scoring, options)
                    }
                    (Some(link), _) => in_flowgraph(&link, images, &setting, &scoring, options),
                    (None, Pictures::Coded(_)) => unreachable!("coded pictures have a link"),
                };
                Ok(LinkOutput { mcs: Some(name), ..output? })
            }
            ReadyScheme::Ideal(line) => {
                in_flowgraph(&line.link(&setting)?, images, &setting, &scoring, options)
            }
        }
    }
}

/// Share of a frame that its common phase lasts: that of the links that send something in common, or else
/// `downlink.rho`.
///
/// - errors: links of different shares where coded words span phases that fade independently
fn common_share(experiment: &Experiment, links: &[Option<ReadyLink>], tree: &Tree) -> Result<f64> {
    let mut shares = links.iter().flatten().filter(|link| link.common_share > 0.0);
    let Some(first) = shares.next() else { return Ok(experiment.downlink.rho) };
    let is_apart = |channel: &ChannelConfig| channel.phases == Phases::Independent;
    let apart = experiment.channel.iter().position(is_apart);
    let other = shares.find(|link| link.common_share != first.common_share);
    match (apart, other, links.iter().any(Option::is_none)) {
        (Some(channel), Some(other), true) => Err(tree.refuse(
            &format!("channel.{channel}.phases"),
            format!(
                "shared, or links of one ratio: words of coded links span both phases, of which {} makes the common \
                 one {:.3} of a frame long and {} {:.3}",
                first.name, first.common_share, other.name, other.common_share
            ),
        )),
        _ => Ok(first.common_share),
    }
}

/// The networks of `output.lpips`.
fn open_lpips(
    experiment: &Experiment,
    (height, width): (usize, usize),
    provenance: &mut Provenance,
    tree: &Tree,
) -> Result<Option<Arc<Lpips>>> {
    let Some(folder) = &experiment.output.lpips else { return Ok(None) };
    let key = "output.lpips";
    if height.min(width) < MIN_SIDE {
        let allowed = format!("nothing for images of {height}x{width}: LPIPS needs sides of {MIN_SIDE}");
        return Err(tree.refuse(key, allowed));
    }
    let refused = |reason: String| ConfigError::Unreadable {
        origin: tree.origin_of(key),
        reason: format!("{key} = \"{}\": {reason}", folder.display()),
    };
    let lpips = Lpips::load(folder).map_err(|error| refused(error.to_string()))?;
    let files = [NETWORK_FILE, HEADS_FILE].map(|name| folder.join(name));
    provenance.lpips = Some(digest::of_files(&files).map_err(refused)?);
    Ok(Some(Arc::new(lpips)))
}

/// The mean training image; mid grey where no training images are known.
fn stand_in(source: &OpenSource) -> sememe_blocks::Result<Array3<u8>> {
    let (height, width) = source.images.set.size();
    Ok(match &source.training {
        Some(training) if training.size() == (height, width) => {
            mean_image(training.as_ref(), MEAN_IMAGES)?.mapv(|value| value.round().clamp(0.0, 255.0) as u8)
        }
        _ => Array3::from_elem((height, width, 3), 128),
    })
}

/// What the encoder of each network made, by the digest of its weights.
type Stores = BTreeMap<String, Arc<EncodedStore>>;

fn open_link(
    config: &LinkConfig,
    experiment: &Experiment,
    source: &OpenSource,
    (provenance, stores, networks): (&mut Provenance, &mut Stores, &mut Networks),
    tree: &Tree,
    index: usize,
) -> Result<ReadyLink> {
    let (origin, prefix) = (tree.origin(), format!("link.{index}"));
    let Some(weights) = &config.weights else {
        let training = source.training.as_ref().ok_or_else(|| ConfigError::Missing {
            origin: origin.into(),
            key: "source.training".into(),
            allowed: "a path of training images, or \"scenes\": klt is fitted to them".into(),
        })?;
        let klt = Klt::fit(training.as_ref()).map_err(|error| from_block(error, origin, &prefix))?;
        return Ok(ReadyLink::private(config, experiment, ReadyScheme::Klt(klt)));
    };
    let (name, downlink) = (config.label(), config.downlink(&experiment.downlink));
    let (model, digest) = networks.open(weights).map_err(|reason| ConfigError::Unreadable {
        origin: tree.origin_of(&format!("{prefix}.weights")),
        reason: format!("{prefix}.weights = \"{weights}\": {reason}"),
    })?;
    let found = model.architecture().name();
    if let Some(needed) = config.scheme.architecture().filter(|needed| *needed != found) {
        let allowed = format!(
            "weights of {needed} with scheme = \"{}\", where these are of {found}",
            config.scheme.name()
        );
        return Err(tree.refuse(&format!("{prefix}.weights"), allowed));
    }
    let encoded = Arc::clone(stores.entry(digest.clone()).or_default());
    provenance.weights.insert(name.clone(), digest);
    let size = source.images.set.size();
    let (networks, lengths, budget) =
        Trained::new(model, &downlink, size).map_err(|error| refused(error, config, tree, &prefix))?;
    let learned = GroupSplitting { networks: networks.sharing(encoded), lengths };
    Ok(ReadyLink {
        name,
        downlink,
        effective_rho: budget.effective_rho(),
        common_share: budget.common_share(),
        signalling_uses: budget.signalling_uses(),
        mismatch_db: config.snr_mismatch_db,
        scheme: ReadyScheme::Learned(Box::new(learned)),
    })
}

/// A budget's refusal names the key that was meant: the link's own, or that of the downlink.
fn refused(error: BlockError, config: &LinkConfig, tree: &Tree, prefix: &str) -> ConfigError {
    let is_own = match &error {
        BlockError::InvalidParameter { name: "rho", .. } => {
            config.rho.is_some() || config.scheme != Scheme::GroupSplitting
        }
        BlockError::InvalidParameter { name: "groups", .. } => config.groups.is_some(),
        BlockError::InvalidParameter { name: "users" | "uses per image", .. } => false,
        _ => true,
    };
    from_block(error, tree.origin(), if is_own { prefix } else { "downlink" })
}

/// A resolved configuration repeats its run only with the same weights and data.
fn check_provenance(experiment: &Experiment, found: &Provenance, tree: &Tree) -> Result<()> {
    let Some(recorded) = &experiment.provenance else { return Ok(()) };
    if !recorded.data.is_empty() && recorded.data != found.data {
        let allowed = format!("\"{}\", which is what source opens now, or no [provenance] table", found.data);
        return Err(tree.refuse("provenance.data", allowed));
    }
    if recorded.lpips.is_some() && recorded.lpips != found.lpips {
        let now = found.lpips.as_deref().unwrap_or("nothing");
        let allowed = format!("{now}, the networks of output.lpips now, or no [provenance] table");
        return Err(tree.refuse("provenance.lpips", allowed));
    }
    match recorded.weights.iter().find(|(link, digest)| found.weights.get(*link) != Some(digest)) {
        Some((link, _)) => {
            let now = found.weights.get(link).map_or("none", String::as_str);
            let allowed = format!("{now}, which are the weights of {link} now, or no [provenance] table");
            Err(tree.refuse(&format!("provenance.weights.{link}"), allowed))
        }
        None => Ok(()),
    }
}
