//! A bound of an experiment: which payload a code at the limit of theory carries at each point.

use super::ideal::Ideal;
use super::reliability::snr_draws;
use super::validation::Validation;
use super::wiring::Result;
use super::{Setting, built};
use sememe_blocks::channel::PhaseSpan;
use sememe_blocks::coding::Limit;
use sememe_blocks::picture::LadderStore;
use sememe_blocks::rng::RngKey;
use std::sync::Arc;

/// Rates that are tried over fading channels: one for each share of lost blocks.
const RATES: usize = 200;

/// A bound with what it chooses on.
pub struct IdealLine {
    /// The picture coder.
    pub ladders: Arc<LadderStore>,
    /// Which limit the code reaches.
    pub limit: Limit,
    /// What the rate is chosen on.
    pub validation: Arc<Validation>,
    /// Fades to choose on, which are not those of the experiment.
    pub key: RngKey,
    /// Share of a block's symbols in the common phase, where phases fade independently.
    pub common_share: f64,
}

impl IdealLine {
    /// The link of a point. Over white noise its rate is the limit. Over block fading the sender does not know
    /// the fade: of all rates that one is taken whose pictures, with those lost to outage, have the best mean
    /// PSNR on the validation images.
    ///
    /// - errors: pictures that fail
    pub fn link(&self, setting: &Setting) -> Result<Ideal> {
        let uses = setting.downlink.uses * self.ladders.coder().num_images();
        let span = built("ideal code", PhaseSpan::over(&setting.channel, uses, self.common_share))?;
        let mut carried: Vec<usize> = snr_draws(self.key, &setting.channel, setting.told_snr, span)
            .iter()
            .map(|parts| self.limit.bits_of(parts))
            .collect();
        carried.sort_unstable();
        // A payload that holds a mean colour and no more than the ladders know: the best picture needs less.
        let least = 8 * (1 + 3 * self.ladders.coder().num_images());
        let possible = |bits: usize| bits.clamp(least, self.ladders.largest_payload_bits());
        let mut candidates: Vec<usize> =
            (0..RATES).map(|part| possible(carried[part * carried.len() / RATES])).collect();
        candidates.dedup();
        let delivered = self.validation.delivered(&self.ladders, &candidates);
        let delivered = built("picture encoder", delivered)?;
        let lost = self.validation.lost_psnr_db();
        let promise = |place: usize| {
            let outages = carried.partition_point(|bits| *bits < candidates[place]);
            let share = outages as f64 / carried.len() as f64;
            (1.0 - share) * delivered[place] + share * lost
        };
        let better = |best: usize, place: usize| if promise(place) > promise(best) { place } else { best };
        let payload_bits = candidates[(0..candidates.len()).fold(0, better)];
        Ok(Ideal { ladders: Arc::clone(&self.ladders), payload_bits, span, limit: self.limit })
    }
}
