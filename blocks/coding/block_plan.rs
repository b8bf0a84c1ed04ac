//! Which transport format carries whose block: what sender and receivers agree on before a frame.

use super::TransportFormat;
use crate::channel::{ChannelConfig, Variation, block_fade, user_snr};
use crate::frame::Phase;
use crate::rng::RngKey;
use crate::units::{Decibel, LinearPower};
use crate::{BlockError, Result};

/// For whom blocks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// One block for each user.
    Each,
    /// One block that every user decodes.
    All,
}

/// The format for an SNR that sender and receiver both know before the block.
#[derive(Clone, Debug)]
pub struct FadeTable {
    /// All randomness of the experiment: the fades.
    pub key: RngKey,
    /// The channel, of block fading.
    pub channel: ChannelConfig,
    /// Its mean SNR, as the sender knows it.
    pub snr: Decibel,
    /// SNR in dB from which a format is taken, ascending, and its place in the plan. Below the first entry
    /// the first format is sent.
    pub thresholds: Vec<(f32, usize)>,
}

impl FadeTable {
    /// The SNR of one block, |h|^2 times that of the user.
    pub fn snr_of(&self, frame: u64, user: usize) -> Decibel {
        let ChannelConfig { fading, phases, snr_spread_db, .. } = self.channel;
        let h = block_fade(self.key, fading, phases, frame, user, Phase::Private);
        let mean = user_snr(self.key, self.snr, snr_spread_db, frame, user);
        Decibel(mean.0 + LinearPower(h.norm_sqr()).to_decibel().0)
    }

    fn format_of(&self, frame: u64, user: usize) -> usize {
        let snr = self.snr_of(frame, user).0;
        let above = self.thresholds.partition_point(|(from, _)| *from <= snr);
        self.thresholds.get(above.saturating_sub(1)).map_or(0, |(_, format)| *format)
    }
}

/// The formats of the blocks of every frame. A function of frame and user alone, known at both ends, so that
/// nothing is signalled.
#[derive(Clone, Debug)]
pub struct BlockPlan {
    formats: Vec<TransportFormat>,
    recipients: Recipients,
    fades: Option<FadeTable>,
}

impl BlockPlan {
    /// One format for every block.
    pub fn fixed(format: TransportFormat, recipients: Recipients) -> Self {
        Self { formats: vec![format], recipients, fades: None }
    }

    /// A format for every user and frame, by the fade that the sender knows.
    ///
    /// - errors: no format, formats of different lengths on the air, a table that names another format, a
    ///   channel that changes within a block, or a profile that coded links do not have
    pub fn per_fade(formats: Vec<TransportFormat>, fades: FadeTable) -> Result<Self> {
        fades.channel.check_coded()?;
        let Some(first) = formats.first() else {
            return Err(BlockError::invalid("formats of a plan", 0, "at least 1"));
        };
        if let Some(other) = formats.iter().find(|format| format.uses() != first.uses()) {
            return Err(BlockError::shape("uses of a format", first.uses(), other.uses()));
        }
        if let Some((_, format)) = fades.thresholds.iter().find(|(_, format)| *format >= formats.len()) {
            let allowed = format!("0 to {}", formats.len() - 1);
            return Err(BlockError::invalid("format of a threshold", format, allowed));
        }
        if fades.channel.variation == Variation::PerSymbol {
            return Err(BlockError::invalid("variation", "per_symbol", "block: a format is chosen per fade"));
        }
        Ok(Self { formats, recipients: Recipients::Each, fades: Some(fades) })
    }

    /// For whom blocks are.
    pub fn recipients(&self) -> Recipients {
        self.recipients
    }

    /// The formats in use.
    pub fn formats(&self) -> &[TransportFormat] {
        &self.formats
    }

    /// Place of a user's format among [`BlockPlan::formats`].
    pub fn index_of(&self, frame: u64, user: usize) -> usize {
        self.fades.as_ref().map_or(0, |fades| fades.format_of(frame, user))
    }

    /// The format of a user's block.
    pub fn format_of(&self, frame: u64, user: usize) -> &TransportFormat {
        // A plan has a format at every place that its table names: checked when it was made.
        &self.formats[self.index_of(frame, user)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::FadingModel;

    fn formats(names: &[&str]) -> Vec<TransportFormat> {
        names.iter().map(|name| TransportFormat::new(name.parse().unwrap(), 256).unwrap()).collect()
    }

    fn table(thresholds: Vec<(f32, usize)>) -> FadeTable {
        let channel = ChannelConfig::new(FadingModel::Rayleigh);
        FadeTable { key: RngKey::new(3), channel, snr: Decibel(10.0), thresholds }
    }

    #[test]
    fn the_format_follows_the_fade() {
        let table = table(vec![(-5.0, 0), (5.0, 1), (10.0, 2)]);
        let plan =
            BlockPlan::per_fade(formats(&["bpsk-1/5", "qpsk-1/2", "16qam-1/2"]), table.clone()).unwrap();
        let mut seen = [false; 3];
        for (frame, user) in (0..20).flat_map(|frame| (0..10).map(move |user| (frame, user))) {
            let snr = table.snr_of(frame, user).0;
            let expected = usize::from(snr >= 5.0) + usize::from(snr >= 10.0);
            assert_eq!(plan.index_of(frame, user), expected, "{snr} dB");
            seen[expected] = true;
        }
        assert_eq!(seen, [true; 3]);
    }

    #[test]
    fn one_format_serves_everyone() {
        let plan = BlockPlan::fixed(formats(&["qpsk-1/2"]).remove(0), Recipients::All);
        assert_eq!(plan.format_of(7, 3).payload_len(), 256);
        assert_eq!((plan.index_of(1, 1), plan.recipients()), (0, Recipients::All));
    }

    #[test]
    fn tables_that_lead_nowhere_are_refused() {
        assert!(BlockPlan::per_fade(vec![], table(vec![])).is_err());
        assert!(BlockPlan::per_fade(formats(&["qpsk-1/2"]), table(vec![(0.0, 1)])).is_err());
        let mut uneven = formats(&["qpsk-1/2"]);
        uneven.push(TransportFormat::new("qpsk-1/2".parse().unwrap(), 300).unwrap());
        assert!(BlockPlan::per_fade(uneven, table(vec![])).is_err());
        let mut fast = table(vec![]);
        fast.channel.variation = Variation::PerSymbol;
        let error = BlockPlan::per_fade(formats(&["qpsk-1/2"]), fast).unwrap_err().to_string();
        assert!(error.contains("block"), "{error}");
    }
}
