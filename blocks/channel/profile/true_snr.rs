//! From the label of an SNR to what it truly is: mean Es/N0 per complex channel use.
//!
//! | profile | AWGN | Rayleigh, mean | Rician, mean |
//! |---|---|---|---|
//! | none, `adjscc` | label | label | label |
//! | `chunbaobao` | label + 3.01 dB | label + 3.01 dB | - |
//! | `lizyoko9` | label + 3.01 dB | label + 3.01 dB | label + 3.01 dB |
//! | `eunc812` | label | - | - |
//! | `kmsiapps` | label | label - 3.01 dB | label + 10 log10((2K + 1) / (2K + 2)) dB |
//! | `swinjscc`, `matthewwang16czap` | label | label | - |
//!
//! Where power is normalised over a batch, these are means over its channel uses: a vector of twice the power
//! has 3.01 dB more.

use super::super::{ChannelConfig, FadingModel};
use super::{Conventions, Profile};
use crate::units::{Decibel, LinearPower};

impl Profile {
    /// Es/N0 of a label where nothing fades: power per channel use over twice the noise per real value.
    pub fn unfaded_snr(self, label: Decibel) -> Decibel {
        let Conventions { power_per_use, noise_per_real, .. } = self.conventions();
        shifted(label, power_per_use / (2.0 * noise_per_real))
    }

    /// Mean Es/N0 of a label over fading: [`Profile::unfaded_snr`] times the mean power of the gains.
    pub fn mean_snr(self, label: Decibel, model: FadingModel) -> Decibel {
        shifted(self.unfaded_snr(label), self.gains(model).form.mean_power(model))
    }
}

impl ChannelConfig {
    /// Es/N0 where nothing fades, in dB per complex channel use: what the noise variance is made from.
    ///
    /// - label: `snr_db` of an experiment; without a profile it is the Es/N0 itself
    pub fn unfaded_snr(&self, label: Decibel) -> Decibel {
        self.profile.map_or(label, |profile| profile.unfaded_snr(label))
    }

    /// The true mean Es/N0 of a label, in dB per complex channel use at the receiver, average over fading.
    ///
    /// - over white noise this is [`ChannelConfig::unfaded_snr`]
    pub fn true_snr(&self, label: Decibel) -> Decibel {
        self.profile.map_or(label, |profile| profile.mean_snr(label, self.fading))
    }

    /// What the label of a profile means, such as `mean Es/N0 = snr_db + 3.01 dB`; `None` without a profile.
    pub fn label_in_words(&self) -> Option<String> {
        self.profile?;
        let Decibel(offset) = self.true_snr(Decibel(0.0));
        Some(match offset {
            // Less than what is printed.
            offset if offset.abs() < 0.005 => "mean Es/N0 = snr_db".to_owned(),
            offset => {
                let sign = if offset < 0.0 { '-' } else { '+' };
                format!("mean Es/N0 = snr_db {sign} {:.2} dB", offset.abs())
            }
        })
    }
}

/// An SNR times a linear factor; a factor of 1 changes no bit.
fn shifted(snr: Decibel, factor: f32) -> Decibel {
    Decibel(snr.0 + LinearPower(factor).to_decibel().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(profile: Profile, fading: FadingModel) -> ChannelConfig {
        ChannelConfig { profile: Some(profile), ..ChannelConfig::new(fading) }
    }

    #[test]
    fn offsets_are_those_of_the_table() {
        let offset = |profile, fading| channel(profile, fading).true_snr(Decibel(10.0)).0 - 10.0;
        let rician = FadingModel::Rician { k_factor: 2.0 };
        let two = 10.0 * 2f32.log10();
        for (profile, fading, expected) in [
            (Profile::Adjscc, FadingModel::Awgn, 0.0),
            (Profile::Adjscc, FadingModel::Rayleigh, 0.0),
            (Profile::Adjscc, rician, 0.0),
            (Profile::Chunbaobao, FadingModel::Awgn, two),
            (Profile::Chunbaobao, FadingModel::Rayleigh, two),
            (Profile::Lizyoko9, FadingModel::Awgn, two),
            (Profile::Lizyoko9, FadingModel::Rayleigh, two),
            (Profile::Lizyoko9, rician, two),
            (Profile::Eunc812, FadingModel::Awgn, 0.0),
            (Profile::Kmsiapps, FadingModel::Awgn, 0.0),
            (Profile::Kmsiapps, FadingModel::Rayleigh, -two),
            (Profile::Kmsiapps, rician, 10.0 * (5f32 / 6.0).log10()),
            (Profile::Swinjscc, FadingModel::Awgn, 0.0),
            (Profile::Swinjscc, FadingModel::Rayleigh, 0.0),
            (Profile::Matthewwang16czap, FadingModel::Awgn, 0.0),
            (Profile::Matthewwang16czap, FadingModel::Rayleigh, 0.0),
        ] {
            let found = offset(profile, fading);
            assert!((found - expected).abs() < 1e-5, "{profile} {fading:?}: {found}");
        }
    }

    #[test]
    fn without_a_profile_and_with_the_reference_no_bit_changes() {
        for label in [-3.7f32, 0.0, 12.3, f32::INFINITY] {
            for channel in
                [ChannelConfig::new(FadingModel::Rayleigh), channel(Profile::Adjscc, FadingModel::Rayleigh)]
            {
                assert_eq!(channel.unfaded_snr(Decibel(label)).0.to_bits(), label.to_bits());
                assert_eq!(channel.true_snr(Decibel(label)), Decibel(label));
            }
        }
    }

    #[test]
    fn labels_are_explained() {
        let words = |profile, fading| channel(profile, fading).label_in_words().unwrap();
        assert_eq!(words(Profile::Chunbaobao, FadingModel::Awgn), "mean Es/N0 = snr_db + 3.01 dB");
        assert_eq!(words(Profile::Kmsiapps, FadingModel::Rayleigh), "mean Es/N0 = snr_db - 3.01 dB");
        assert_eq!(words(Profile::Swinjscc, FadingModel::Rayleigh), "mean Es/N0 = snr_db");
        assert_eq!(ChannelConfig::new(FadingModel::Awgn).label_in_words(), None);
    }
}
