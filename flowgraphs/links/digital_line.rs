//! A classical line of an experiment: which modulation and code rate it takes at each point.

use super::digital::{Digital, Receiver};
use super::reliability::Reliability;
use super::validation::{Validation, delivered_by_table};
use super::wiring::Result;
use super::{Setting, built};
use sememe_blocks::channel::{ChannelConfig, FadingModel};
use sememe_blocks::coding::{BlockPlan, FadeTable, Promises, Recipients};
use sememe_blocks::picture::{LadderStore, OutsideTable};
use sememe_blocks::{BlockError, Decibel};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What a line calls the schemes of a sender that knows every fade.
pub const PER_FADE: &str = "per fade";

/// How a line takes its modulation and code rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum McsRule {
    /// The only format that there is.
    Fixed,
    /// The format with the best mean PSNR over fades on the validation images.
    Best,
    /// For each block the best format at its SNR, which the sender knows.
    PerFade,
}

/// The pictures of a line.
#[derive(Clone)]
pub enum Pictures {
    /// Compressed here.
    Coded(Arc<LadderStore>),
    /// Compressed elsewhere: those that are sent, and others to choose on, where there is a choice.
    Outside {
        /// Sizes and qualities of the images that are sent.
        sent: Arc<OutsideTable>,
        /// Sizes and qualities of other images.
        validation: Option<Arc<OutsideTable>>,
    },
}

/// A line with everything it chooses from.
pub struct DigitalLine {
    /// What is sent.
    pub pictures: Pictures,
    /// Formats by ascending rate, and how often their blocks arrive.
    pub reliability: Arc<Reliability>,
    /// For whom blocks are.
    pub recipients: Recipients,
    /// How receivers work.
    pub receiver: Receiver,
    /// How a format is taken.
    pub rule: McsRule,
    /// What choices are judged on; needed where there is a choice.
    pub validation: Option<Arc<Validation>>,
    delivered: OnceLock<Vec<f64>>,
    chosen: Mutex<HashMap<(String, u32), usize>>,
}

impl DigitalLine {
    /// A line that has chosen nothing yet.
    pub fn new(
        pictures: Pictures,
        reliability: Arc<Reliability>,
        recipients: Recipients,
        receiver: Receiver,
        rule: McsRule,
        validation: Option<Arc<Validation>>,
    ) -> Self {
        let (delivered, chosen) = (OnceLock::new(), Mutex::default());
        Self { pictures, reliability, recipients, receiver, rule, validation, delivered, chosen }
    }

    /// The plan of a point, and what it is called.
    ///
    /// - errors: trials or pictures that fail; a channel that the rule cannot serve
    pub fn plan(&self, setting: &Setting) -> Result<(Arc<BlockPlan>, String)> {
        let formats = self.reliability.formats();
        let format = match self.rule {
            McsRule::Fixed => 0,
            McsRule::PerFade if has_fades(&setting.channel) => {
                let plan = BlockPlan::per_fade(formats.to_vec(), self.fades(setting)?);
                let plan = built("channel encoder", plan)?;
                return Ok((self.reliability.over(&setting.channel, plan)?, PER_FADE.into()));
            }
            // Without fades there is nothing more to know.
            McsRule::Best | McsRule::PerFade => self.best(&setting.channel, setting.told_snr)?,
        };
        let name = formats[format].scheme().to_string();
        let plan = BlockPlan::fixed(formats[format].clone(), self.recipients);
        Ok((self.reliability.over(&setting.channel, plan)?, name))
    }

    /// The link of a point; `None` for pictures that were compressed elsewhere.
    pub fn link(&self, plan: &Arc<BlockPlan>) -> Option<Digital> {
        match &self.pictures {
            Pictures::Coded(ladders) => Some(Digital {
                ladders: Arc::clone(ladders),
                plan: Arc::clone(plan),
                receiver: self.receiver,
            }),
            Pictures::Outside { .. } => None,
        }
    }

    /// Remembers what an earlier run chose.
    pub fn remember(&self, channel: &ChannelConfig, snr: Decibel, name: &str) {
        let formats = self.reliability.formats();
        if let Some(place) = formats.iter().position(|format| format.scheme().to_string() == name) {
            self.chosen().insert((channel.name(), snr.0.to_bits()), place);
        }
    }

    /// Mean PSNR in dB that each format promises on the validation images: delivered pictures and, for lost
    /// ones, the mean image, weighted by how often blocks arrive.
    pub fn promises(&self, channel: &ChannelConfig, snr: Decibel) -> Result<Vec<f64>> {
        let shares = self.reliability.shares(channel, snr)?;
        let lost = self.lost()?;
        let mix = |(share, delivered): (&f64, &f64)| share * delivered + (1.0 - share) * lost;
        Ok(shares.iter().zip(self.delivered()?).map(mix).collect())
    }

    fn best(&self, channel: &ChannelConfig, snr: Decibel) -> Result<usize> {
        let key = (channel.name(), snr.0.to_bits());
        if let Some(format) = self.chosen().get(&key) {
            return Ok(*format);
        }
        let format = largest(&self.promises(channel, snr)?);
        self.chosen().insert(key, format);
        Ok(format)
    }

    /// What every format promises over white noise, at every SNR in steps.
    fn fades(&self, setting: &Setting) -> Result<FadeTable> {
        const START: f32 = -20.0;
        const STEP: f32 = 0.25;
        const LEN: usize = 281;
        let (lost, delivered) = (self.lost()?, self.delivered()?);
        let promise = |format: usize, step: usize| {
            let share = self.reliability.interpolated(format, Decibel(START + STEP * step as f32))?;
            Ok(share * delivered[format] + (1.0 - share) * lost)
        };
        let of_format = |format| (0..LEN).map(|step| promise(format, step)).collect::<Result<Vec<f64>>>();
        let values = (0..self.reliability.formats().len()).map(of_format).collect::<Result<_>>()?;
        let Setting { key, channel, told_snr, .. } = *setting;
        let promises = Promises { start: START, step: STEP, values };
        Ok(FadeTable { key, channel, snr: told_snr, promises })
    }

    fn delivered(&self) -> Result<&[f64]> {
        if self.delivered.get().is_none() {
            let payloads: Vec<usize> =
                self.reliability.formats().iter().map(|format| format.payload_len()).collect();
            let delivered = match (&self.pictures, &self.validation) {
                (Pictures::Coded(ladders), Some(validation)) => validation.delivered(ladders, &payloads),
                (Pictures::Outside { validation: Some(table), .. }, Some(images)) => {
                    images.mean_colour_psnr_db().and_then(|unfit| delivered_by_table(table, unfit, &payloads))
                }
                _ => Err(nothing_to_choose_on()),
            };
            // Two threads that come here at once find the same.
            let _ = self.delivered.set(built("picture encoder", delivered)?);
        }
        Ok(self.delivered.get().map_or(&[], Vec::as_slice))
    }

    fn lost(&self) -> Result<f64> {
        let validation = self.validation.as_ref().ok_or_else(nothing_to_choose_on);
        Ok(built("picture encoder", validation)?.lost_psnr_db())
    }

    fn chosen(&self) -> std::sync::MutexGuard<'_, HashMap<(String, u32), usize>> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nothing_to_choose_on() -> BlockError {
    BlockError::invalid("mcs", "best", "a named one where there are no validation images")
}

/// The place of the largest value, the first of equals: the lowest rate.
fn largest(values: &[f64]) -> usize {
    let better = |best: usize, place: usize| if values[place] > values[best] { place } else { best };
    (0..values.len()).fold(0, better)
}

/// Whether blocks of a channel meet different SNRs.
fn has_fades(channel: &ChannelConfig) -> bool {
    channel.fading != FadingModel::Awgn || channel.snr_spread_db > 0.0
}
