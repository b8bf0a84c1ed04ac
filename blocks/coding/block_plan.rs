//! Which transport format carries whose block: what sender and receivers agree on before a frame.

use super::TransportFormat;
use crate::channel::{ChannelConfig, PhaseSpan, Variation};
use crate::rng::RngKey;
use crate::units::Decibel;
use crate::{BlockError, Result};

/// For whom blocks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// One block for each user.
    Each,
    /// One block that every user decodes.
    All,
}

/// The format for a fade that sender and receiver both know before the block.
#[derive(Clone, Debug)]
pub struct FadeTable {
    /// All randomness of the experiment: the fades.
    pub key: RngKey,
    /// The channel, of block fading.
    pub channel: ChannelConfig,
    /// Its mean SNR, as the sender knows it.
    pub snr: Decibel,
    /// What each format of the plan promises over white noise; the largest promise is taken, the first of equals.
    pub promises: Promises,
}

/// Expected quality of blocks over white noise, on a grid of SNRs.
#[derive(Clone, Debug)]
pub struct Promises {
    /// The first SNR in dB.
    pub start: f32,
    /// Distance of SNRs in dB.
    pub step: f32,
    /// `[format][SNR]`; between SNRs, that of the lower one holds, outside the grid that of its end.
    pub values: Vec<Vec<f64>>,
}

impl Promises {
    fn at(&self, format: usize, snr_db: f32) -> f64 {
        let values = &self.values[format];
        // Below the grid, and for NaN, the first.
        let place = ((snr_db - self.start) / self.step).floor().max(0.0) as usize;
        values[place.min(values.len() - 1)]
    }
}

impl FadeTable {
    fn format_of(&self, formats: &[TransportFormat], span: PhaseSpan, frame: u64, user: usize) -> usize {
        let parts = span.snrs(self.key, &self.channel, self.snr, frame, user);
        let promise = |place: usize| self.promises.at(place, formats[place].effective_snr(&parts).0);
        let first = (0, promise(0));
        let better = |best: (usize, f64), place| {
            let found = promise(place);
            if found > best.1 { (place, found) } else { best }
        };
        (1..formats.len()).fold(first, better).0
    }
}

/// The formats of the blocks of every frame. A function of frame and user alone, known at both ends, so that
/// nothing is signalled.
#[derive(Clone, Debug)]
pub struct BlockPlan {
    formats: Vec<TransportFormat>,
    recipients: Recipients,
    fades: Option<FadeTable>,
    span: PhaseSpan,
}

impl BlockPlan {
    /// One format for every block, which is sent in the private phase.
    pub fn fixed(format: TransportFormat, recipients: Recipients) -> Self {
        let span = PhaseSpan::private(format.uses());
        Self { formats: vec![format], recipients, fades: None, span }
    }

    /// A format for every user and frame, by the fade that the sender knows.
    ///
    /// - errors: no format, formats of different lengths on the air, promises of another number of formats or of
    ///   no SNR, a channel that changes within a block, or a profile that coded links do not have
    pub fn per_fade(formats: Vec<TransportFormat>, fades: FadeTable) -> Result<Self> {
        fades.channel.check_coded()?;
        let Some(first) = formats.first() else {
            return Err(BlockError::invalid("formats of a plan", 0, "at least 1"));
        };
        if let Some(other) = formats.iter().find(|format| format.uses() != first.uses()) {
            return Err(BlockError::shape("uses of a format", first.uses(), other.uses()));
        }
        let Promises { step, values, .. } = &fades.promises;
        if values.len() != formats.len() {
            return Err(BlockError::shape("formats with promises", formats.len(), values.len()));
        }
        if values.iter().any(Vec::is_empty) || step.is_nan() || *step <= 0.0 {
            return Err(BlockError::invalid("promises of a format", "none", "at least 1, in positive steps"));
        }
        if fades.channel.variation == Variation::PerSymbol {
            return Err(BlockError::invalid("variation", "per_symbol", "block: a format is chosen per fade"));
        }
        let span = PhaseSpan::private(first.uses());
        Ok(Self { formats, recipients: Recipients::Each, fades: Some(fades), span })
    }

    /// The same plan with a share of each block's symbols sent in the common phase.
    ///
    /// - errors: a share outside 0 to 1
    pub fn spanning(self, common_share: f64) -> Result<Self> {
        let span = PhaseSpan::sharing(self.span.uses(), common_share)?;
        Ok(Self { span, ..self })
    }

    /// The same plan as blocks lie on a channel: over both phases where those fade independently.
    ///
    /// - errors: a share outside 0 to 1
    pub fn over(self, channel: &ChannelConfig, common_share: f64) -> Result<Self> {
        let span = PhaseSpan::over(channel, self.span.uses(), common_share)?;
        Ok(Self { span, ..self })
    }

    /// In which phases the symbols of a block lie.
    pub fn span(&self) -> PhaseSpan {
        self.span
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
        self.fades.as_ref().map_or(0, |fades| fades.format_of(&self.formats, self.span, frame, user))
    }

    /// The format of a user's block.
    pub fn format_of(&self, frame: u64, user: usize) -> &TransportFormat {
        &self.formats[self.index_of(frame, user)]
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::channel::{FadingModel, Phases};

    fn formats(names: &[&str]) -> Vec<TransportFormat> {
        names.iter().map(|name| TransportFormat::new(name.parse().unwrap(), 256).unwrap()).collect()
    }

    /// Promises by which format i is the best from the i-th SNR on.
    pub(crate) fn from_thresholds(thresholds: &[f32]) -> Promises {
        let (start, step) = (-20.0, 0.25);
        let value = |format: usize, place: usize| match start + step * place as f32 >= thresholds[format] {
            true => format as f64 + 1.0,
            false => 0.0,
        };
        let values = (0..thresholds.len()).map(|format| (0..200).map(|place| value(format, place)).collect());
        Promises { start, step, values: values.collect() }
    }

    fn table(thresholds: &[f32]) -> FadeTable {
        let channel = ChannelConfig::new(FadingModel::Rayleigh);
        FadeTable { key: RngKey::new(3), channel, snr: Decibel(10.0), promises: from_thresholds(thresholds) }
    }

    fn blocks() -> impl Iterator<Item = (u64, usize)> {
        (0..20).flat_map(|frame| (0..10).map(move |user| (frame, user)))
    }

    #[test]
    fn the_format_follows_the_fade() {
        let table = table(&[-5.0, 5.0, 10.0]);
        let plan =
            BlockPlan::per_fade(formats(&["bpsk-1/5", "qpsk-1/2", "16qam-1/2"]), table.clone()).unwrap();
        let mut seen = [false; 3];
        for (frame, user) in blocks() {
            let snr = plan.span().snrs(table.key, &table.channel, table.snr, frame, user)[0].decibel().0;
            let expected = usize::from(snr >= 5.0) + usize::from(snr >= 10.0);
            assert_eq!(plan.index_of(frame, user), expected, "{snr} dB");
            seen[expected] = true;
        }
        assert_eq!(seen, [true; 3]);
    }

    #[test]
    fn over_two_fades_the_format_follows_what_both_carry() {
        let mut table = table(&[-20.0, 5.0, 10.0]);
        table.channel.phases = Phases::Independent;
        let formats = formats(&["bpsk-1/5", "qpsk-1/2", "16qam-1/2"]);
        let plan = BlockPlan::per_fade(formats.clone(), table.clone()).unwrap().spanning(0.5).unwrap();
        let (mut seen, mut between) = ([false; 3], 0);
        for (frame, user) in blocks() {
            let parts = plan.span().snrs(table.key, &table.channel, table.snr, frame, user);
            let effective = |format: &TransportFormat| format.effective_snr(&parts).0;
            let found = plan.index_of(frame, user);
            let expected = match () {
                () if effective(&formats[2]) >= 10.0 => 2,
                () if effective(&formats[1]) >= 5.0 => 1,
                () => 0,
            };
            assert_eq!(found, expected, "{parts:?}");
            let (low, high) = (
                parts[0].decibel().0.min(parts[1].decibel().0),
                parts[0].decibel().0.max(parts[1].decibel().0),
            );
            between += usize::from(low < 10.0 && high > 10.0 && found == 2);
            seen[found] = true;
        }
        assert_eq!(seen, [true; 3]);
        assert!(between > 0, "a strong phase makes up for a weak one");
    }

    #[test]
    fn one_format_serves_everyone() {
        let plan = BlockPlan::fixed(formats(&["qpsk-1/2"]).remove(0), Recipients::All);
        assert_eq!(plan.format_of(7, 3).payload_len(), 256);
        assert_eq!((plan.index_of(1, 1), plan.recipients()), (0, Recipients::All));
        assert_eq!(plan.span(), PhaseSpan::private(256));
        let error = plan.spanning(f64::NAN).unwrap_err().to_string();
        assert!(error.contains("common_share"), "{error}");
    }

    #[test]
    fn tables_that_lead_nowhere_are_refused() {
        assert!(BlockPlan::per_fade(vec![], table(&[])).is_err());
        assert!(BlockPlan::per_fade(formats(&["qpsk-1/2"]), table(&[0.0, 1.0])).is_err());
        let mut empty = table(&[0.0]);
        empty.promises.values[0].clear();
        assert!(BlockPlan::per_fade(formats(&["qpsk-1/2"]), empty).is_err());
        let mut uneven = formats(&["qpsk-1/2"]);
        uneven.push(TransportFormat::new("qpsk-1/2".parse().unwrap(), 300).unwrap());
        assert!(BlockPlan::per_fade(uneven, table(&[0.0, 1.0])).is_err());
        let mut fast = table(&[0.0]);
        fast.channel.variation = Variation::PerSymbol;
        let error = BlockPlan::per_fade(formats(&["qpsk-1/2"]), fast).unwrap_err().to_string();
        assert!(error.contains("block"), "{error}");
    }
}
