//! What each repository does, as its source has it.

use super::super::{FadeProcess, FadingModel, GainForm, GainProcess, Phases, Variation};
use super::Profile;
use crate::access::Normalization;
use crate::equalizer::Equalizer;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conventions {
    /// Over what power is normalised.
    pub normalization: Normalization,
    /// Mean power of two real values, one channel use, after that: 1, or 2 with unit power per real value.
    pub power_per_use: f32,
    /// Variance of the noise on one real value at a label of 0 dB: 1/2 is right for unit power per use.
    pub noise_per_real: f32,
    /// What its fading is; `None` where it has none.
    pub fading: Option<Faded>,
    /// All that in one line.
    pub summary: &'static str,
}

/// How a repository fades.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faded {
    /// Change of the coefficients within a frame.
    pub variation: Variation,
    /// What they do to symbols.
    pub form: GainForm,
    /// What its receivers do with them; `None` where that is up to the link.
    pub equalizer: Option<Equalizer>,
    /// Whether it has Rician fading.
    pub has_rician: bool,
}

impl Profile {
    /// The conventions.
    ///
    /// | profile | unit power | noise per real value at SNR s | gains under fading | receiver |
    /// |---|---|---|---|---|
    /// | `adjscc` | complex, per vector | 1 / (2 s) | h per user and frame | as the link says |
    /// | `chunbaobao` | real, per vector | 1 / (2 s) | two N(0, 1) per batch, one on each half of a vector | no equaliser |
    /// | `lizyoko9` | real, per vector | 1 / (2 s) | abs(h) per user and frame | divides by abs(h) |
    /// | `eunc812` | real, per vector | 1 / s | none | - |
    /// | `kmsiapps` | complex, over the batch | 1 / (2 s) | N(0, 1/2) on I and on Q, per batch | no equaliser |
    /// | `swinjscc` | complex, over the batch | 1 / (2 s) | abs(h) per symbol | no equaliser |
    /// | `matthewwang16czap` | complex, over the batch | 1 / (2 s) | h per symbol | no equaliser |
    ///
    /// - `adjscc`: its equaliser is zero forcing, y / h; the link's choice stands, `mmse` among them
    /// - `chunbaobao`: the halves are those of the feature channels; of each vector sent, here
    /// - `kmsiapps`: normalises nothing at the sender and scales the noise with the batch's mean power, which to
    ///   a receiver is normalisation over the batch but for one factor on signal and noise. Power is measured
    ///   before the gains, whose mean power is 1/2 and not 1. Rician adds sqrt(K / (K + 1)) to both gains; the
    ///   clipping to 5 dB that its comment promises is not coded there, nor here
    /// - `swinjscc`: receivers multiply the batch's power back on, a factor on signal and noise that is left out
    ///   here
    ///
    /// Source: `channel.py` of chunbaobao and `net/channel.py` of WITT (b7bd3bd, 50b1ed9); `util_channel.py` of
    /// ADJSCC (e0db0dc); `channel/*.py`, `models/base_model.py`, `utils/snr_utils.py` of lizyoko9 (fbc189f);
    /// `channel.py` of eunc812 (986ca96); `models/channellayer.py` of kmsiapps (10b8d6c); `net/channel.py` of
    /// matthewwang16czap (177a948).
    pub fn conventions(self) -> Conventions {
        let complex = |normalization, fading, summary| Conventions {
            normalization,
            power_per_use: 1.0,
            noise_per_real: 0.5,
            fading: Some(fading),
            summary,
        };
        let real = |noise_per_real, fading, summary| Conventions {
            normalization: Normalization::Vector,
            power_per_use: 2.0,
            noise_per_real,
            fading,
            summary,
        };
        let none = Some(Equalizer::None);
        let faded = |variation, form, equalizer, has_rician| Faded { variation, form, equalizer, has_rician };
        let (block, per_symbol) = (Variation::Block, Variation::PerSymbol);
        let (vector, batch) = (Normalization::Vector, Normalization::Batch);
        match self {
            Self::Adjscc => complex(
                vector,
                faded(block, GainForm::Complex, None, true),
                "the clean reference, what a channel without a profile does",
            ),
            Self::Chunbaobao => real(
                0.5,
                Some(faded(block, GainForm::BatchHalves, none, false)),
                "unit power per real value, noise of the complex convention; two real gains per batch",
            ),
            Self::Lizyoko9 => real(
                0.5,
                Some(faded(block, GainForm::Magnitude, Some(Equalizer::Zf), true)),
                "unit power per real value, noise of the complex convention; |h| divided back",
            ),
            Self::Eunc812 => {
                real(1.0, None, "unit power and noise per real value, which comes out right; AWGN alone")
            }
            Self::Kmsiapps => complex(
                batch,
                faded(block, GainForm::BatchRails, none, true),
                "noise by the power of the batch; real gains on I and Q, one pair per batch",
            ),
            Self::Swinjscc => complex(
                batch,
                faded(per_symbol, GainForm::Magnitude, none, false),
                "unit power over the batch; |h| per symbol, not equalised (SwinJSCC, WITT)",
            ),
            Self::Matthewwang16czap => complex(
                batch,
                faded(per_symbol, GainForm::Complex, none, false),
                "unit power over the batch; h per symbol, not equalised",
            ),
        }
    }

    /// What makes the gains under a fading model that the profile has.
    pub fn gains(self, model: FadingModel) -> GainProcess {
        let plain = GainProcess::from(FadeProcess::block(model));
        let Some(Faded { variation, form, equalizer, .. }) = self.conventions().fading else { return plain };
        let fades = FadeProcess { model, variation, phases: Phases::Shared, doppler: None };
        GainProcess { fades, form, is_known: equalizer != Some(Equalizer::None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clean_reference_is_what_sememe_does() {
        let Conventions { normalization, power_per_use, noise_per_real, .. } = Profile::Adjscc.conventions();
        assert_eq!((normalization, power_per_use, noise_per_real), (Normalization::default(), 1.0, 0.5));
        for model in [FadingModel::Awgn, FadingModel::Rayleigh, FadingModel::Rician { k_factor: 2.0 }] {
            assert_eq!(Profile::Adjscc.gains(model), FadeProcess::block(model).into());
        }
    }

    #[test]
    fn gains_are_known_where_they_are_used() {
        let known = |profile: Profile| profile.gains(FadingModel::Rayleigh).is_known;
        let knowing: Vec<_> = Profile::ALL.into_iter().filter(|profile| known(*profile)).collect();
        // eunc812 has nothing to know.
        assert_eq!(knowing, [Profile::Adjscc, Profile::Lizyoko9, Profile::Eunc812]);
    }
}
