//! Draws fading coefficients: per user, frame and phase, or per symbol, independent or correlated.

use super::doppler::JakesProcess;
use super::fading_model::FadingModel;
use crate::frame::Phase;
use crate::rng::{KeyedRng, Purpose, RngKey, complex_normal};
use crate::{BlockError, Result};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

/// How a fade changes within a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variation {
    /// One coefficient per user, phase and frame.
    #[default]
    Block,
    /// One coefficient per channel use.
    PerSymbol,
}

/// How the fades of the common and the private phase of a frame are related.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phases {
    /// Both phases meet one fading process.
    #[default]
    Shared,
    /// The common phase fades on its own.
    Independent,
}

/// What makes the fades of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FadeProcess {
    /// Distribution of each coefficient.
    pub model: FadingModel,
    /// Change within a frame.
    pub variation: Variation,
    /// Relation of the two phases. Independent symbols are independent in either case.
    pub phases: Phases,
    /// Normalised Doppler frequency f_D T_s in cycles per channel use, for per-symbol fading;
    /// `None` makes symbols independent.
    pub doppler: Option<f32>,
}

/// The fades of one user in one frame.
#[derive(Clone, Debug)]
pub struct UserFades {
    process: FadeProcess,
    key: RngKey,
    frame: u64,
    user: usize,
    /// Streams of independent symbols (common, private), continued from slot to slot.
    symbols: [Option<KeyedRng>; 2],
    /// Correlated processes (common, private), made when first met.
    correlated: [Option<JakesProcess>; 2],
}

impl FadeProcess {
    /// Block fading, one coefficient for both phases.
    pub fn block(model: FadingModel) -> Self {
        Self { model, variation: Variation::Block, phases: Phases::Shared, doppler: None }
    }

    /// Checks every part.
    ///
    /// - errors: a K factor or Doppler frequency that is negative or not finite; a Doppler
    ///   frequency under block fading
    pub fn check(&self) -> Result<()> {
        self.model.check()?;
        match self.doppler {
            Some(doppler) if !(doppler.is_finite() && doppler >= 0.0) => {
                Err(BlockError::invalid("doppler", doppler, "a finite number, at least 0"))
            }
            Some(doppler) if self.variation == Variation::Block => {
                Err(BlockError::invalid("doppler", doppler, "no doppler but with variation = per_symbol"))
            }
            _ => Ok(()),
        }
    }

    /// The fades of one user in one frame.
    pub fn of_user(self, key: RngKey, frame: u64, user: usize) -> UserFades {
        UserFades { process: self, key, frame, user, symbols: [None, None], correlated: [None, None] }
    }
}

impl UserFades {
    /// Fades of one slot: a single value under block fading or without fading, else one per symbol.
    ///
    /// - start: channel uses of the frame sent before the slot: the slot's time under Doppler.
    ///   Independent symbols ignore it and continue one stream per phase
    pub fn slot(&mut self, phase: Phase, start: usize, len: usize) -> Vec<Complex32> {
        let Self { process, key, frame, user, .. } = *self;
        let FadeProcess { model, variation, phases, doppler } = process;
        if model == FadingModel::Awgn || variation == Variation::Block {
            return vec![block_fade(key, model, phases, frame, user, phase)];
        }
        let diffuse = match doppler {
            None => {
                let purpose = purpose_of(phase, Phases::Independent);
                let stream =
                    self.symbols[phase as usize].get_or_insert_with(|| key.stream(purpose, frame, user));
                complex_normal(stream, 1.0, len)
            }
            Some(doppler) => {
                let make =
                    || JakesProcess::new(&mut key.stream(purpose_of(phase, phases), frame, user), doppler);
                self.correlated[phase as usize].get_or_insert_with(make).fades(start, len)
            }
        };
        diffuse.into_iter().map(|sample| model.fade_of(sample)).collect()
    }
}

/// The coefficient of one user for one phase of one frame under block fading.
///
/// - depends on nothing but the arguments: every SNR and every link meets the same fade
/// - `Phases::Shared` gives both phases the same value
pub fn block_fade(
    key: RngKey,
    model: FadingModel,
    phases: Phases,
    frame: u64,
    user: usize,
    phase: Phase,
) -> Complex32 {
    let mut stream = key.stream(purpose_of(phase, phases), frame, user);
    model.fade_of(complex_normal(&mut stream, 1.0, 1)[0])
}

fn purpose_of(phase: Phase, phases: Phases) -> Purpose {
    match (phase, phases) {
        (Phase::Common, Phases::Independent) => Purpose::FadingCommon,
        _ => Purpose::Fading,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: u64 = 20;

    fn block_powers(model: FadingModel, frames: u64, users: usize) -> Vec<f64> {
        let key = RngKey::new(KEY);
        let fade = |f, u| block_fade(key, model, Phases::Shared, f, u, Phase::Private);
        (0..frames).flat_map(|f| (0..users).map(move |u| f64::from(fade(f, u).norm_sqr()))).collect()
    }

    fn per_symbol(model: FadingModel, doppler: Option<f32>) -> FadeProcess {
        FadeProcess { model, variation: Variation::PerSymbol, phases: Phases::Shared, doppler }
    }

    /// Largest distance between the empirical distribution and 1 - exp(-x).
    fn distance_to_exponential(mut powers: Vec<f64>) -> f64 {
        powers.sort_by(f64::total_cmp);
        let len = powers.len() as f64;
        let gap = |(rank, power): (usize, &f64)| {
            let expected = 1.0 - (-power).exp();
            (expected - rank as f64 / len).abs().max((expected - (rank + 1) as f64 / len).abs())
        };
        powers.iter().enumerate().map(gap).fold(0.0, f64::max)
    }

    #[test]
    fn mean_power_over_a_million_fades_is_one() {
        // Standard error of 10 log10 of the mean: 4.34 / 1000 = 0.0043 dB for Rayleigh.
        for model in [FadingModel::Rayleigh, FadingModel::Rician { k_factor: 4.0 }] {
            let powers = block_powers(model, 20_000, 50);
            let mean_db = 10.0 * (powers.iter().sum::<f64>() / powers.len() as f64).log10();
            assert!(mean_db.abs() < 0.05, "{model:?}: {mean_db} dB");
        }
    }

    #[test]
    fn rayleigh_powers_are_exponential() {
        // Kolmogorov-Smirnov: 1.95 / sqrt(n) is exceeded by chance once in a thousand times.
        let block = block_powers(FadingModel::Rayleigh, 400, 50);
        let mut fades = per_symbol(FadingModel::Rayleigh, None).of_user(RngKey::new(KEY), 0, 0);
        let symbols = fades.slot(Phase::Private, 0, 20_000).iter().map(|h| f64::from(h.norm_sqr())).collect();
        for powers in [block, symbols] {
            assert_eq!(powers.len(), 20_000);
            let distance = distance_to_exponential(powers);
            assert!(distance < 1.95 / 20_000f64.sqrt(), "{distance}");
        }
        let shifted = distance_to_exponential((0..1000).map(|i| 1.0 + f64::from(i)).collect());
        assert!(shifted > 0.5, "the test statistic must notice a wrong distribution");
    }

    #[test]
    fn rician_k_factor_is_recovered_from_moments() {
        // With g = var(|h|^2) / E[|h|^2]^2: K = sqrt(1 - g) / (1 - sqrt(1 - g)). At 400,000 fades
        // the relative standard error of this estimate is below 1 % for both factors; 5 %.
        for k_factor in [1.0f32, 4.0] {
            let powers = block_powers(FadingModel::Rician { k_factor }, 8_000, 50);
            let mean = powers.iter().sum::<f64>() / powers.len() as f64;
            let variance = powers.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / powers.len() as f64;
            let root = (1.0 - variance / (mean * mean)).sqrt();
            let estimate = root / (1.0 - root);
            assert!((estimate / f64::from(k_factor) - 1.0).abs() < 0.05, "{estimate} for {k_factor}");
        }
    }

    #[test]
    fn users_frames_and_seeds_fade_independently() {
        // Correlation of 20,000 pairs: standard error 0.007 per real dimension; 4 sigma.
        let fade = |seed, frame, user| {
            let key = RngKey::new(seed);
            block_fade(key, FadingModel::Rayleigh, Phases::Shared, frame, user, Phase::Private)
        };
        for (seed, frame, user) in [(KEY, 0, 1), (KEY, 1, 0), (KEY + 1, 0, 0)] {
            let pairs = (0..20_000).map(|f| fade(KEY, f, 0) * fade(seed, f + frame, user).conj());
            let correlation = pairs.sum::<Complex32>() / 20_000.0;
            assert!(correlation.norm() < 0.028, "{correlation}");
        }
    }

    #[test]
    fn phases_share_a_block_fade_unless_told_otherwise() {
        let key = RngKey::new(KEY);
        let fade = |phases, phase| block_fade(key, FadingModel::Rayleigh, phases, 3, 7, phase);
        assert_eq!(fade(Phases::Shared, Phase::Common), fade(Phases::Shared, Phase::Private));
        assert_ne!(fade(Phases::Independent, Phase::Common), fade(Phases::Independent, Phase::Private));
        assert_eq!(fade(Phases::Independent, Phase::Private), fade(Phases::Shared, Phase::Private));
    }

    #[test]
    fn a_shared_correlated_process_runs_on_through_the_frame() {
        let process = per_symbol(FadingModel::Rayleigh, Some(0.01));
        let whole = process.of_user(RngKey::new(KEY), 0, 0).slot(Phase::Common, 0, 300);
        let mut fades = process.of_user(RngKey::new(KEY), 0, 0);
        let parts = [fades.slot(Phase::Common, 0, 100), fades.slot(Phase::Private, 100, 200)].concat();
        let worst = whole.iter().zip(&parts).map(|(a, b)| (a - b).norm()).fold(0.0, f32::max);
        assert!(worst < 1e-5, "{worst}");
    }

    #[test]
    fn independent_symbols_never_repeat() {
        let mut fades = per_symbol(FadingModel::Rayleigh, None).of_user(RngKey::new(KEY), 0, 0);
        let first = fades.slot(Phase::Private, 0, 10);
        assert_ne!(first, fades.slot(Phase::Private, 10, 10), "a second slot of the phase");
        assert_ne!(first, fades.slot(Phase::Common, 0, 10), "the other phase");
        let mut unfaded = per_symbol(FadingModel::Awgn, None).of_user(RngKey::new(KEY), 0, 0);
        assert_eq!(unfaded.slot(Phase::Private, 0, 10), [Complex32::ONE]);
    }

    #[test]
    fn impossible_doppler_is_refused() {
        assert!(per_symbol(FadingModel::Rayleigh, Some(0.01)).check().is_ok());
        assert!(per_symbol(FadingModel::Rayleigh, Some(f32::NAN)).check().is_err());
        assert!(per_symbol(FadingModel::Rayleigh, Some(-0.1)).check().is_err());
        let block = FadeProcess { doppler: Some(0.1), ..FadeProcess::block(FadingModel::Rayleigh) };
        assert!(block.check().unwrap_err().to_string().contains("per_symbol"));
    }
}
