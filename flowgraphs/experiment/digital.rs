//! Opens classical lines and their bounds: coders, formats, and what they choose on, shared where they are equal.

use super::config::{Experiment, LinkConfig};
use super::config_error::{ConfigError, Result};
use super::config_value::from_block;
use super::link_checks::{McsKey, mcs};
use super::prepared::Prepared;
use super::progress::Reporter;
use super::reading::Tree;
use super::run_error::RunError;
use super::scheme::Scheme;
use super::source::{OpenSource, SourceKind};
use crate::links::{DigitalLine, IdealLine, McsRule, Pictures, Receiver, Reliability, Validation};
use ndarray::{Array3, ArrayView3, Axis};
use rayon::prelude::*;
use sememe_blocks::BlockError;
use sememe_blocks::coding::{CodedModulation, Limit, MAX_USES, Recipients, TransportFormat};
use sememe_blocks::kernel::FrameSource;
use sememe_blocks::picture::{LadderStore, OutsideTable, Packing, PictureCodec, PictureCoder};
use sememe_blocks::source::{Cifar10Split, ImageSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the digital lines of an experiment share.
pub(super) struct DigitalParts<'a> {
    experiment: &'a Experiment,
    source: &'a OpenSource,
    mean_image: &'a Array3<u8>,
    tree: &'a Tree,
    common_share: f64,
    validation: Option<Arc<Validation>>,
    stores: Vec<Arc<LadderStore>>,
    reliabilities: Vec<(Receiver, Recipients, Vec<CodedModulation>, Arc<Reliability>)>,
}

impl<'a> DigitalParts<'a> {
    /// Nothing is opened yet.
    ///
    /// - common_share: of a frame, where words span phases that fade independently
    pub fn new(
        experiment: &'a Experiment,
        source: &'a OpenSource,
        mean_image: &'a Array3<u8>,
        tree: &'a Tree,
        common_share: f64,
    ) -> Self {
        let (validation, stores, reliabilities) = (None, vec![], vec![]);
        Self { experiment, source, mean_image, tree, common_share, validation, stores, reliabilities }
    }

    /// Opens a digital line.
    pub fn line(&mut self, config: &LinkConfig, index: usize) -> Result<DigitalLine> {
        let prefix = format!("link.{index}");
        let mcs = mcs(config, &format!("{prefix}.mcs"), self.tree)?;
        let defaults = Receiver::default();
        let receiver = Receiver {
            demapping: config.demapping.unwrap_or(defaults.demapping),
            iterations: config.iterations.unwrap_or(defaults.iterations),
        };
        let recipients = match config.packing {
            Some(Packing::Mosaic) => Recipients::All,
            _ => Recipients::Each,
        };
        let formats = self.formats(mcs, recipients, &prefix)?;
        let reliability = self.reliability(receiver, recipients, formats);
        let rule = match (mcs, config.csi_at_transmitter) {
            (McsKey::Named(_), _) => McsRule::Fixed,
            (McsKey::Best, false) => McsRule::Best,
            (McsKey::Best, true) => McsRule::PerFade,
        };
        let validation = match rule {
            McsRule::Fixed => self.training(index).map(|_| None)?,
            _ => Some(self.validation(index)?),
        };
        let pictures = match config.scheme {
            Scheme::OutsideTable => {
                let table = |path: &Option<_>, key: &str| {
                    let path: &Option<std::path::PathBuf> = path;
                    path.as_deref().map(|path| self.table(path, &format!("{prefix}.{key}"))).transpose()
                };
                let sent = table(&config.table, "table")?
                    .ok_or_else(|| self.tree.missing(&format!("{prefix}.table"), "the path of a table"))?;
                self.check_names(&sent, config, &prefix)?;
                if config.validation_table.is_some() && config.validation_table == config.table {
                    let allowed = "the table of other images than those that are sent";
                    return Err(self.tree.refuse(&format!("{prefix}.validation_table"), allowed));
                }
                Pictures::Outside { sent, validation: table(&config.validation_table, "validation_table")? }
            }
            _ => Pictures::Coded(self.store(config, &prefix)?),
        };
        Ok(DigitalLine::new(pictures, reliability, recipients, receiver, rule, validation))
    }

    /// Opens a bound.
    pub fn bound(&mut self, config: &LinkConfig, index: usize) -> Result<IdealLine> {
        let refused = |channel: usize| {
            let allowed = "block with this bound: one fade per block, never the ergodic capacity";
            self.tree.refuse(&format!("channel.{channel}.variation"), allowed)
        };
        let per_symbol = sememe_blocks::channel::Variation::PerSymbol;
        if let Some(at) = self.experiment.channel.iter().position(|channel| channel.variation == per_symbol) {
            return Err(refused(at));
        }
        let validation = self.validation(index)?;
        let ladders = self.store(config, &format!("link.{index}"))?;
        let key = Reliability::apart(self.experiment.seed);
        let common_share = self.common_share;
        Ok(IdealLine { ladders, limit: config.limit.unwrap_or_default(), validation, key, common_share })
    }

    /// The formats that a line chooses among: those whose payload holds at least a mean colour.
    fn formats(&self, mcs: McsKey, recipients: Recipients, prefix: &str) -> Result<Vec<TransportFormat>> {
        let downlink = &self.experiment.downlink;
        let (sharers, uses) = match recipients {
            Recipients::Each => (1, downlink.uses),
            Recipients::All => (downlink.users, downlink.users.saturating_mul(downlink.uses)),
        };
        let least = 8 * (1 + 3 * sharers);
        let enough = |format: &TransportFormat| format.payload_len() >= least;
        let origin = self.tree.origin();
        match mcs {
            McsKey::Named(scheme) => {
                let format = TransportFormat::new(scheme, uses);
                let format = format.map_err(|error| from_block(error, origin, "downlink"))?;
                if !enough(&format) {
                    let allowed = format!(
                        "one that holds {least} bits, a mean colour, in {uses} channel uses: this holds {}",
                        format.payload_len()
                    );
                    return Err(self.tree.refuse(&format!("{prefix}.mcs"), allowed));
                }
                Ok(vec![format])
            }
            McsKey::Best => {
                let formats = CodedModulation::grid().into_iter().map(|s| TransportFormat::new(s, uses));
                let formats: Vec<TransportFormat> = formats.filter_map(|f| f.ok().filter(&enough)).collect();
                match formats.is_empty() {
                    false => Ok(formats),
                    true => {
                        let most = MAX_USES / sharers;
                        let allowed = match downlink.uses > most {
                            true => format!("at most {most} with blocks of {sharers} images"),
                            false => format!("so many that a digital link carries {least} bits in them"),
                        };
                        Err(self.tree.refuse_as("downlink.uses", &downlink.uses.to_string(), allowed))
                    }
                }
            }
        }
    }

    fn reliability(
        &mut self,
        receiver: Receiver,
        recipients: Recipients,
        formats: Vec<TransportFormat>,
    ) -> Arc<Reliability> {
        let schemes: Vec<CodedModulation> = formats.iter().map(TransportFormat::scheme).collect();
        let known = self
            .reliabilities
            .iter()
            .find(|(known, whose, names, _)| (*known, *whose) == (receiver, recipients) && *names == schemes);
        if let Some((.., reliability)) = known {
            return Arc::clone(reliability);
        }
        let (seed, share) = (self.experiment.seed, self.common_share);
        let reliability = Arc::new(Reliability::new(seed, formats, recipients, receiver, share));
        self.reliabilities.push((receiver, recipients, schemes, Arc::clone(&reliability)));
        reliability
    }

    /// The ladders of a codec and packing.
    fn store(&mut self, config: &LinkConfig, prefix: &str) -> Result<Arc<LadderStore>> {
        let codec = codec_of(config.scheme);
        let packing = config.packing.unwrap_or(Packing::Shared);
        let alike =
            |store: &&Arc<LadderStore>| (store.coder().codec(), store.coder().packing()) == (codec, packing);
        if let Some(store) = self.stores.iter().find(alike) {
            return Ok(Arc::clone(store));
        }
        let num_images = if packing == Packing::Mosaic { self.experiment.downlink.users } else { 1 };
        let coder = PictureCoder::new(codec, packing, self.source.images.set.size(), num_images)
            .map_err(|error| from_block(error, self.tree.origin(), prefix))?;
        let bits_per_use = self.most_bits_per_use(codec, packing);
        let uses = self.experiment.downlink.uses.saturating_mul(num_images);
        let most = (bits_per_use * uses as f64).ceil() as usize + 8 * (1 + 3 * num_images);
        let store = Arc::new(LadderStore::new(coder, most));
        self.stores.push(Arc::clone(&store));
        Ok(store)
    }

    /// More than any line of a codec and packing asks of a channel use.
    fn most_bits_per_use(&self, codec: PictureCodec, packing: Packing) -> f64 {
        let highest = self.experiment.snr_db.last().copied().unwrap_or(0.0);
        let of_line = |config: &LinkConfig| match config.scheme {
            Scheme::JpegCapacity | Scheme::WebpCapacity => {
                // The outage-optimised rate may count on fades that are stronger than the mean.
                let strong = highest + config.snr_mismatch_db.max(0.0) + 6.0;
                Limit::Shannon.bits(10f64.powf(strong / 10.0), 1 << 20) as f64 / f64::from(1 << 20)
            }
            // Uncoded 256-QAM or a named 1024-QAM.
            _ => match &config.mcs {
                None => 8.0,
                Some(_) => 10.0,
            },
        };
        let alike = |config: &&LinkConfig| {
            let coded = config.scheme.is_bound() || config.scheme.is_digital();
            coded
                && config.scheme != Scheme::OutsideTable
                && codec_of(config.scheme) == codec
                && config.packing.unwrap_or(Packing::Shared) == packing
        };
        self.experiment.link.iter().filter(alike).map(of_line).fold(0.0, f64::max)
    }

    fn validation(&mut self, index: usize) -> Result<Arc<Validation>> {
        if let Some(validation) = &self.validation {
            return Ok(Arc::clone(validation));
        }
        let name = self.experiment.link[index].scheme.name();
        self.check_training(name)?;
        let validation = Validation::new(self.training(index)?, self.mean_image)
            .map_err(|error| from_block(error, self.tree.origin(), "source.training"))?;
        let validation = Arc::new(validation);
        self.validation = Some(Arc::clone(&validation));
        Ok(validation)
    }

    fn training(&self, index: usize) -> Result<&dyn ImageSet> {
        let name = self.experiment.link[index].scheme.name();
        self.source.training.as_deref().ok_or_else(|| ConfigError::Missing {
            origin: self.tree.origin().into(),
            key: "source.training".into(),
            allowed: format!(
                "a path of training images, or \"scenes\": {name} chooses rates on them and scores lost images as \
                 their mean"
            ),
        })
    }

    /// Refuses to choose on images that are sent.
    fn check_training(&self, name: &str) -> Result<()> {
        let source = &self.experiment.source;
        if source.split == Cifar10Split::Train {
            let allowed = format!("test or validation: {name} chooses on training images");
            return Err(self.tree.refuse("source.split", allowed));
        }
        let place = |path: &Option<PathBuf>| path.as_ref().and_then(|path| path.canonicalize().ok());
        match (source.kind, place(&source.path), place(&source.training)) {
            (SourceKind::Folder, Some(sent), Some(training)) if sent == training => {
                let allowed = format!("another folder than source.path: {name} chooses on its pictures");
                Err(self.tree.refuse("source.training", allowed))
            }
            _ => Ok(()),
        }
    }

    fn table(&self, path: &Path, key: &str) -> Result<Arc<OutsideTable>> {
        let table = OutsideTable::read(path);
        Ok(Arc::new(table.map_err(|error| from_block(error, &self.tree.origin_of(key), key))?))
    }

    /// Every image that is sent stands in the table.
    fn check_names(&self, table: &OutsideTable, config: &LinkConfig, prefix: &str) -> Result<()> {
        let first = self.source.images.first;
        let missing = (first..first + self.source.sent).find(|image| {
            matches!(table.best_within(&image.to_string(), 0), Err(BlockError::InvalidParameter { .. }))
        });
        let Some(missing) = missing else { return Ok(()) };
        let found = config.table.as_deref().unwrap_or(Path::new("")).display().to_string();
        let allowed = format!("a table of all images by their numbers: image {missing} is not in it");
        Err(self.tree.refuse_as(&format!("{prefix}.table"), &format!("\"{found}\""), allowed))
    }
}

fn codec_of(scheme: Scheme) -> PictureCodec {
    match scheme {
        Scheme::WebpLdpc | Scheme::WebpCapacity => PictureCodec::Webp,
        _ => PictureCodec::Jpeg,
    }
}

/// Searches through all pictures once, ahead of the points that need them, and shows how far it is.
///
/// - stores: ladders to be filled
/// - returns: whether it was stopped
pub(super) fn search_pictures(
    prepared: &Prepared,
    stores: &[(Arc<LadderStore>, Option<Arc<Validation>>)],
    stop: &AtomicBool,
) -> std::result::Result<bool, RunError> {
    let users = prepared.experiment.downlink.users;
    let failed = |error: BlockError| RunError::Failed(format!("picture encoder: {error}"));
    let validated = |store: &LadderStore, validation: &Option<Arc<Validation>>| {
        validation.as_ref().map_or(0, |v| v.streams(store.coder().num_images()).len())
    };
    let sent = |store: &LadderStore| prepared.source.sent / store.coder().num_images();
    let total: usize = stores.iter().map(|(store, v)| sent(store) + validated(store, v)).sum();
    let mut reporter = Reporter::new(total as u64, 0, "pictures searched");
    let mut done = 0;
    for (store, validation) in stores {
        let coder = store.coder();
        let message = format!("{:?}, {:?}", coder.codec(), coder.packing()).to_lowercase();
        let mut search = |streams: &[Vec<ArrayView3<'_, u8>>]| -> std::result::Result<(), RunError> {
            for part in streams.chunks(users.max(16)) {
                if !stop.load(Ordering::Relaxed) {
                    part.par_iter().try_for_each(|images| store.ladder(images).map(drop)).map_err(failed)?;
                    done += part.len();
                    reporter.advance(done as u64, &message);
                }
            }
            Ok(())
        };
        if let Some(validation) = validation {
            search(&validation.streams(coder.num_images()))?;
        }
        let mut frames = prepared.source.images.frames(users).map_err(failed)?;
        while let Some(batch) = frames.next_frame().map_err(failed)? {
            let views: Vec<_> = batch.pixels.axis_iter(Axis(0)).collect();
            let streams: Vec<Vec<_>> = views.chunks(coder.num_images()).map(<[_]>::to_vec).collect();
            search(&streams)?;
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
    }
    reporter.finish();
    Ok(stop.load(Ordering::Relaxed))
}
