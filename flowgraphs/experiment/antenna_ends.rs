//! The links of an experiment with their ends apart, for antennas between them.

use super::prepared::{Prepared, ReadyLink, ReadyScheme};
use crate::adapters::GraphError;
use crate::links::{Arrived, Ends, Klt, Lengths, McsRule, Setting, Wiring, built};
use sememe_blocks::BlockError;
use sememe_blocks::coding::Recipients;
use sememe_blocks::frame::{ImageBatch, ReceivedFrame, SymbolFrame};
use sememe_blocks::framing::{Content, SlotLengths};
use sha2::{Digest, Sha256};

type Result<T> = std::result::Result<T, GraphError>;

impl Prepared {
    /// The link that goes over the air, with its setting: the experiment's first channel and SNR are what both ends are
    /// told.
    ///
    /// - name: of the link; `None`: the first
    /// - errors: no such link, with the names that there are
    pub fn at_antenna(&self, name: Option<&str>) -> std::result::Result<(&ReadyLink, Setting), String> {
        let named = |link: &&ReadyLink| name.is_none_or(|name| link.name == name);
        let link = self.links.iter().find(named).ok_or_else(|| {
            let names: Vec<&str> = self.links.iter().map(|link| link.name.as_str()).collect();
            format!("link = \"{}\" is not there: allowed is {}", name.unwrap_or(""), names.join(", "))
        })?;
        let (Some(channel), Some(snr_db)) = (self.experiment.channel.first(), self.experiment.snr_db.first())
        else {
            return Err("an experiment has a channel and an SNR".into());
        };
        Ok((link, self.setting(link, channel, *snr_db)))
    }

    /// The number by which receivers know that a burst is of this link, these weights and these settings.
    pub fn model_number(&self, link: &ReadyLink, setting: &Setting) -> u32 {
        let weights = self.provenance.weights.get(&link.name).map_or("", String::as_str);
        let Setting { downlink, told_snr, size, .. } = setting;
        let text = format!("{weights} {downlink:?} {told_snr:?} {size:?} {}", link.scheme.kind());
        let digest = Sha256::digest(text.as_bytes());
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }
}

impl ReadyLink {
    /// What its payloads are.
    ///
    /// - errors: a link that cannot go over the air: a bound, a table, a sender that knows every fade
    pub fn content(&self, setting: &Setting) -> Result<Content> {
        match &self.scheme {
            ReadyScheme::Learned(_) | ReadyScheme::Klt(_) => Ok(Content::Analog),
            ReadyScheme::Digital(line) => {
                let (plan, _) = line.plan(setting)?;
                match (plan.formats(), line.link(&plan), plan.span().phases().count()) {
                    ([format], Some(_), 1) => Ok(Content::Coded(format.scheme())),
                    _ => Err(self.refused("one format, one phase and pictures that are compressed here")),
                }
            }
            ReadyScheme::Ideal(_) => Err(self.refused("a link that can be built: this is a bound")),
        }
    }

    /// Symbols of the slots that it sends.
    ///
    /// - errors: as for [`ReadyLink::content`]
    pub fn slot_lengths(&self, setting: &Setting) -> Result<SlotLengths> {
        let of_features = |lengths: Lengths| -> Result<SlotLengths> {
            let uses = |len| built("mapper", setting.downlink.mapping.num_uses(len));
            let group = if lengths.common > 0 { Some(uses(lengths.common)?) } else { None };
            let user = uses(lengths.private)?.checked_sub(lengths.signalling_uses);
            Ok(SlotLengths { user, group, all: None })
        };
        match &self.scheme {
            ReadyScheme::Learned(link) => of_features(link.lengths),
            ReadyScheme::Klt(_) => of_features(Klt::lengths(setting)),
            ReadyScheme::Digital(line) => {
                let (plan, _) = line.plan(setting)?;
                let uses = plan.formats().first().map(|format| format.uses());
                Ok(match plan.recipients() {
                    Recipients::Each => SlotLengths { user: uses, group: None, all: None },
                    Recipients::All => SlotLengths { user: None, group: None, all: uses },
                })
            }
            ReadyScheme::Ideal(_) => Err(self.refused("a link that can be built")),
        }
    }

    /// Whether both ends need the same images: a basis fitted to them, or a format chosen on them.
    pub fn needs_images(&self) -> bool {
        match &self.scheme {
            ReadyScheme::Klt(_) => true,
            ReadyScheme::Digital(line) => line.rule != McsRule::Fixed,
            ReadyScheme::Learned(_) | ReadyScheme::Ideal(_) => false,
        }
    }

    /// Whether its receiver can compute one user's image without the others'.
    pub fn decodes_alone(&self) -> bool {
        matches!(self.scheme, ReadyScheme::Learned(_) | ReadyScheme::Klt(_))
    }

    /// Wires images to symbols.
    pub fn to_symbols<W: Wiring>(
        &self,
        wiring: &mut W,
        images: W::Port<ImageBatch>,
        setting: &Setting,
    ) -> Result<W::Port<SymbolFrame>> {
        match &self.scheme {
            ReadyScheme::Learned(link) => link.to_symbols(wiring, images, setting),
            ReadyScheme::Klt(link) => link.to_symbols(wiring, images, setting),
            ReadyScheme::Digital(line) => {
                let (plan, _) = line.plan(setting)?;
                let link =
                    line.link(&plan).ok_or_else(|| self.refused("pictures that are compressed here"))?;
                link.to_symbols(wiring, images, setting)
            }
            ReadyScheme::Ideal(_) => Err(self.refused("a link that can be built")),
        }
    }

    /// Wires what was heard to images.
    pub fn to_images<W: Wiring>(
        &self,
        wiring: &mut W,
        received: W::Port<ReceivedFrame>,
        setting: &Setting,
    ) -> Result<Arrived<W>> {
        match &self.scheme {
            ReadyScheme::Learned(link) => link.to_images(wiring, received, setting),
            ReadyScheme::Klt(link) => link.to_images(wiring, received, setting),
            ReadyScheme::Digital(line) => {
                let (plan, _) = line.plan(setting)?;
                let link =
                    line.link(&plan).ok_or_else(|| self.refused("pictures that are compressed here"))?;
                link.to_images(wiring, received, setting)
            }
            ReadyScheme::Ideal(_) => Err(self.refused("a link that can be built")),
        }
    }

    fn refused(&self, allowed: &str) -> GraphError {
        let reason = BlockError::invalid("link over the air", &self.name, allowed);
        GraphError::Block { block: self.name.clone(), reason }
    }
}
