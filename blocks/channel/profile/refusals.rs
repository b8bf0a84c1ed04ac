//! What a profile cannot be combined with: it fixes these, and nothing is silently ignored.

use super::super::{ChannelConfig, FadingModel, Phases, Variation};
use super::{Faded, Profile};
use crate::access::{Access, Mapping};
use crate::equalizer::Equalizer;
use crate::{BlockError, Result};

impl Profile {
    /// Checks a channel: its fading must be one that the repository has, and every key that the profile decides
    /// must be at its default.
    ///
    /// - errors: the key, its value, and what is allowed
    pub fn check(self, channel: &ChannelConfig) -> Result<()> {
        let with = format!("with profile = \"{self}\"");
        match (channel.fading, self.conventions().fading) {
            (FadingModel::Awgn, _) => {}
            (_, None) => {
                let allowed = format!("{{ model = \"awgn\" }} {with}, which knows no fading");
                return Err(BlockError::invalid("fading", model_name(channel.fading), allowed));
            }
            (FadingModel::Rician { .. }, Some(Faded { has_rician: false, .. })) => {
                let allowed = format!("awgn or rayleigh {with}, which knows no other");
                return Err(BlockError::invalid("fading", model_name(channel.fading), allowed));
            }
            _ => {}
        }
        let fixed = |name, found: String, default: &str| {
            Err(BlockError::invalid(name, found, format!("{default} {with}, which decides it")))
        };
        if channel.variation != Variation::Block {
            return fixed("variation", "\"per_symbol\"".into(), "no variation");
        }
        if let Some(doppler) = channel.doppler {
            return fixed("doppler", doppler.to_string(), "no doppler");
        }
        if channel.phases != Phases::Shared {
            return fixed("phases", "\"independent\"".into(), "no phases");
        }
        if channel.csi_error_variance != 0.0 {
            return fixed("csi_error_variance", channel.csi_error_variance.to_string(), "0");
        }
        if channel.snr_spread_db != 0.0 {
            return fixed("snr_spread_db", channel.snr_spread_db.to_string(), "0");
        }
        Ok(())
    }
}

impl ChannelConfig {
    /// Checks how features are to cross the channel.
    ///
    /// - equalizer: the profile's own under fading. Without fading h = 1: `none` and `zf` do nothing, and `mmse`
    ///   multiplies by one known factor, so any may stand
    /// - errors: those of [`Profile::check`]; another equaliser; `real` mapping or superposed access, which no
    ///   repository of a profile has
    pub fn check_features(&self, equalizer: Equalizer, mapping: Mapping, access: Access) -> Result<()> {
        let Some(profile) = self.profile else { return Ok(()) };
        profile.check(self)?;
        if profile.is_own() {
            return Ok(());
        }
        let with = format!("where a channel has profile = \"{profile}\"");
        let fixed = profile.conventions().fading.and_then(|faded| faded.equalizer);
        if let Some(fixed) = fixed.filter(|fixed| self.fading != FadingModel::Awgn && *fixed != equalizer) {
            let allowed = format!("\"{}\" {with} and fades: so its receivers work", word(fixed));
            return Err(BlockError::invalid("equalizer", format!("\"{}\"", word(equalizer)), allowed));
        }
        if mapping == Mapping::Real {
            let allowed = format!("\"iq\" {with}: its SNR counts two real values as one channel use");
            return Err(BlockError::invalid("mapping", "\"real\"", allowed));
        }
        if access == Access::Superposed {
            let allowed = format!("\"orthogonal\" {with}: it sends one vector at a time");
            return Err(BlockError::invalid("access", "\"superposed\"", allowed));
        }
        Ok(())
    }

    /// Checks that coded blocks can cross the channel: their formats are chosen and their bits demapped for
    /// Sememe's own conventions.
    ///
    /// - errors: those of [`Profile::check`]; a profile with conventions of its own
    pub fn check_coded(&self) -> Result<()> {
        match self.profile {
            Some(profile) if !profile.is_own() => {
                let allowed = "adjscc or no profile with coded links (jpeg, webp, outside-table) and bounds: no \
                               repository sends bits by the conventions of another";
                Err(BlockError::invalid("profile", format!("\"{profile}\""), allowed))
            }
            Some(profile) => profile.check(self),
            None => Ok(()),
        }
    }
}

fn word(equalizer: Equalizer) -> &'static str {
    match equalizer {
        Equalizer::None => "none",
        Equalizer::Zf => "zf",
        Equalizer::Mmse => "mmse",
    }
}

fn model_name(model: FadingModel) -> &'static str {
    match model {
        FadingModel::Awgn => "awgn",
        FadingModel::Rayleigh => "rayleigh",
        FadingModel::Rician { .. } => "rician",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RICIAN: FadingModel = FadingModel::Rician { k_factor: 2.0 };

    fn channel(profile: Profile, fading: FadingModel) -> ChannelConfig {
        ChannelConfig { profile: Some(profile), ..ChannelConfig::new(fading) }
    }

    #[test]
    fn each_profile_has_the_fading_of_its_repository() {
        let fades = |profile, fading| channel(profile, fading).check().is_ok();
        let with = |fading| Profile::ALL.into_iter().filter(move |p| fades(*p, fading)).collect::<Vec<_>>();
        use Profile::*;
        assert_eq!(with(FadingModel::Awgn), Profile::ALL);
        assert_eq!(
            with(FadingModel::Rayleigh),
            [Adjscc, Chunbaobao, Lizyoko9, Kmsiapps, Swinjscc, Matthewwang16czap]
        );
        assert_eq!(with(RICIAN), [Adjscc, Lizyoko9, Kmsiapps]);
        assert_eq!(
            channel(Eunc812, FadingModel::Rayleigh).check().unwrap_err().to_string(),
            "fading = rayleigh is not possible: allowed is { model = \"awgn\" } with profile = \"eunc812\", which \
             knows no fading"
        );
    }

    #[test]
    fn keys_that_a_profile_decides_are_refused_with_every_one() {
        for profile in Profile::ALL.into_iter().filter(|profile| *profile != Profile::Eunc812) {
            let plain = channel(profile, FadingModel::Rayleigh);
            let changed = [
                ("variation", ChannelConfig { variation: Variation::PerSymbol, ..plain }),
                ("phases", ChannelConfig { phases: Phases::Independent, ..plain }),
                ("csi_error_variance", ChannelConfig { csi_error_variance: 0.1, ..plain }),
                ("snr_spread_db", ChannelConfig { snr_spread_db: 3.0, ..plain }),
            ];
            for (key, channel) in changed {
                let error = channel.check().unwrap_err().to_string();
                assert!(error.starts_with(key) && error.contains(profile.name()), "{error}");
            }
            let doppler = ChannelConfig { doppler: Some(0.01), ..plain };
            assert!(profile.check(&doppler).unwrap_err().to_string().starts_with("doppler = 0.01"));
        }
    }

    #[test]
    fn under_fading_the_equalizer_is_that_of_the_profile() {
        let check = |profile, fading, equalizer| {
            channel(profile, fading).check_features(equalizer, Mapping::Iq, Access::Orthogonal)
        };
        for equalizer in [Equalizer::None, Equalizer::Zf, Equalizer::Mmse] {
            for profile in Profile::ALL {
                check(profile, FadingModel::Awgn, equalizer).unwrap();
            }
            check(Profile::Adjscc, FadingModel::Rayleigh, equalizer).unwrap();
        }
        check(Profile::Lizyoko9, RICIAN, Equalizer::Zf).unwrap();
        check(Profile::Swinjscc, FadingModel::Rayleigh, Equalizer::None).unwrap();
        let error = check(Profile::Swinjscc, FadingModel::Rayleigh, Equalizer::Mmse).unwrap_err().to_string();
        assert_eq!(
            error,
            "equalizer = \"mmse\" is not possible: allowed is \"none\" where a channel has profile = \"swinjscc\" \
             and fades: so its receivers work"
        );
        assert!(check(Profile::Lizyoko9, FadingModel::Rayleigh, Equalizer::None).is_err());
    }

    #[test]
    fn mapping_access_and_coded_links_need_the_own_conventions() {
        let check = |profile: Option<Profile>, mapping, access| {
            let channel = ChannelConfig { profile, ..ChannelConfig::new(FadingModel::Awgn) };
            channel.check_features(Equalizer::Mmse, mapping, access).map_err(|error| error.to_string())
        };
        for profile in [None, Some(Profile::Adjscc)] {
            check(profile, Mapping::Real, Access::Superposed).unwrap();
            ChannelConfig { profile, ..ChannelConfig::new(RICIAN) }.check_coded().unwrap();
        }
        let slow = ChannelConfig { doppler: Some(0.1), ..channel(Profile::Adjscc, FadingModel::Rayleigh) };
        assert!(slow.check_features(Equalizer::Zf, Mapping::Iq, Access::Orthogonal).is_err());
        assert!(slow.check_coded().is_err());
        for profile in Profile::ALL.into_iter().filter(|profile| !profile.is_own()) {
            let real = check(Some(profile), Mapping::Real, Access::Orthogonal).unwrap_err();
            assert!(real.starts_with("mapping = \"real\" is not possible: allowed is \"iq\""), "{real}");
            let superposed = check(Some(profile), Mapping::Iq, Access::Superposed).unwrap_err();
            assert!(superposed.contains("allowed is \"orthogonal\""), "{superposed}");
            let coded = channel(profile, FadingModel::Awgn).check_coded().unwrap_err().to_string();
            assert!(coded.starts_with(&format!("profile = \"{profile}\"")), "{coded}");
        }
    }
}
