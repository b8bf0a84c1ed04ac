//! A channel as an experiment describes it.

use super::awgn::check_spread;
use super::{Awgn, CsiError, FadeProcess, Fading, FadingModel, GainProcess, Phases, Profile, Variation};
use crate::access::Normalization;
use crate::rng::RngKey;
use crate::units::Decibel;
use crate::{BlockError, Result};
use serde::{Deserialize, Serialize};

/// Everything about a channel but its mean SNR.
///
/// ```toml
/// fading = { model = "rician", k_factor = 4.0 }
/// variation = "per_symbol"        # or "block", the default
/// doppler = 0.01                  # f_D T_s; absent: symbols fade independently
/// phases = "independent"          # or "shared", the default
/// csi_error_variance = 0.01       # default 0: the receiver knows h
/// snr_spread_db = 6.0             # default 0: all users have the same mean SNR
/// profile = "chunbaobao"          # default: Sememe's own conventions; decides all of the above but fading
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelConfig {
    /// Distribution of the fading coefficients.
    pub fading: FadingModel,
    /// Change of the fade within a frame.
    #[serde(default)]
    pub variation: Variation,
    /// Normalised Doppler frequency of per-symbol fading, in cycles per channel use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doppler: Option<f32>,
    /// Relation between the fades of the common and the private phase.
    #[serde(default)]
    pub phases: Phases,
    /// Variance of the error in the receiver's channel knowledge.
    #[serde(default)]
    pub csi_error_variance: f32,
    /// Width in dB of the range of the users' mean SNRs.
    #[serde(default)]
    pub snr_spread_db: f32,
    /// Whose conventions of power, noise and fading hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

impl ChannelConfig {
    /// A channel that is plain but for its fading: block fading, shared by both phases, perfectly
    /// known, equal users.
    pub fn new(fading: FadingModel) -> Self {
        Self {
            fading,
            variation: Variation::Block,
            doppler: None,
            phases: Phases::Shared,
            csi_error_variance: 0.0,
            snr_spread_db: 0.0,
            profile: None,
        }
    }

    /// Checks every key.
    ///
    /// - errors: the first key whose value is impossible, with what is allowed; keys that need
    ///   fading are refused without it, since they would change nothing
    pub fn check(&self) -> Result<()> {
        self.process().check()?;
        CsiError::new(RngKey::new(0), self.csi_error_variance)?;
        check_spread(self.snr_spread_db)?;
        if self.fading == FadingModel::Awgn && self.variation == Variation::PerSymbol {
            return Err(BlockError::invalid("variation", "per_symbol", "block where fading is awgn"));
        }
        if self.fading == FadingModel::Awgn && self.phases == Phases::Independent {
            return Err(BlockError::invalid("phases", "independent", "shared where fading is awgn"));
        }
        self.profile.map_or(Ok(()), |profile| profile.check(self))
    }

    /// A short name for results, such as `rician-k4-symbol-doppler0.01-csi0.01`: the fading model,
    /// then whatever differs from the defaults, such as a profile in `awgn-chunbaobao`.
    pub fn name(&self) -> String {
        let mut name = match self.fading {
            FadingModel::Awgn => "awgn".to_string(),
            FadingModel::Rayleigh => "rayleigh".to_string(),
            FadingModel::Rician { k_factor } => format!("rician-k{k_factor}"),
        };
        let mut add = |part: String| name.extend(["-", part.as_str()]);
        if self.variation == Variation::PerSymbol {
            add("symbol".to_string());
        }
        if let Some(doppler) = self.doppler {
            add(format!("doppler{doppler}"));
        }
        if self.phases == Phases::Independent {
            add("independent".to_string());
        }
        if self.csi_error_variance > 0.0 {
            add(format!("csi{}", self.csi_error_variance));
        }
        if self.snr_spread_db > 0.0 {
            add(format!("spread{}", self.snr_spread_db));
        }
        if let Some(profile) = self.profile {
            add(profile.to_string());
        }
        name
    }

    /// The kernel that normalises power.
    pub fn power_kernel(&self) -> Normalization {
        self.profile.map_or(Normalization::Vector, |profile| profile.conventions().normalization)
    }

    /// What makes the gains: fades, or what the profile makes of them.
    pub fn gains(&self) -> GainProcess {
        self.profile.map_or_else(|| self.process().into(), |profile| profile.gains(self.fading))
    }

    /// What makes the fades of a channel without a profile.
    pub fn process(&self) -> FadeProcess {
        FadeProcess {
            model: self.fading,
            variation: self.variation,
            phases: self.phases,
            doppler: self.doppler,
        }
    }

    /// The kernel that fades.
    pub fn fading_kernel(&self, key: RngKey) -> Result<Fading> {
        Fading::new(key, self.gains())
    }

    /// The kernel that adds noise.
    ///
    /// - snr: as experiments label it: the mean Es/N0, or what the profile makes of it
    pub fn noise_kernel(&self, key: RngKey, snr: Decibel) -> Result<Awgn> {
        Awgn::new(key, self.unfaded_snr(snr), self.snr_spread_db)
    }

    /// The kernel that disturbs the receiver's channel knowledge; adds nothing at variance 0.
    pub fn csi_kernel(&self, key: RngKey) -> Result<CsiError> {
        CsiError::new(key, self.csi_error_variance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<ChannelConfig, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn absent_keys_take_their_defaults_and_a_round_trip_keeps_all() {
        let plain = parsed("fading = { model = \"rayleigh\" }").unwrap();
        assert_eq!(plain, ChannelConfig::new(FadingModel::Rayleigh));
        assert_eq!(plain.name(), "rayleigh");
        let text = "fading = { model = \"rician\", k_factor = 4.0 }\nvariation = \"per_symbol\"\n\
                    doppler = 0.01\nphases = \"independent\"\ncsi_error_variance = 0.05\nsnr_spread_db = 6.0";
        let full = parsed(text).unwrap();
        full.check().unwrap();
        assert_eq!(full.name(), "rician-k4-symbol-doppler0.01-independent-csi0.05-spread6");
        assert_eq!(parsed(&toml::to_string(&full).unwrap()).unwrap(), full);
    }

    #[test]
    fn wrong_keys_and_values_say_what_is_allowed() {
        let error = |text: &str| parsed(text).unwrap_err().to_string();
        assert!(error("fading = { model = \"nakagami\" }").contains("rayleigh"));
        assert!(error("fading = { model = \"awgn\" }\nsnr_spred_db = 1").contains("snr_spread_db"));
        assert!(error("fading = { model = \"awgn\", k_factor = 1.0 }").contains("rician"));
        assert!(error("fading = { model = \"rician\", k_factor = -1.0 }").contains("at least 0"));
        assert!(error("fading = { model = \"awgn\" }\nvariation = \"slow\"").contains("per_symbol"));
        assert!(error("variation = \"block\"").contains("fading"));
    }

    #[test]
    fn impossible_combinations_are_refused() {
        let rayleigh = ChannelConfig::new(FadingModel::Rayleigh);
        let awgn = ChannelConfig::new(FadingModel::Awgn);
        rayleigh.check().unwrap();
        awgn.check().unwrap();
        let wrong = [
            ChannelConfig { doppler: Some(0.1), ..rayleigh },
            ChannelConfig { csi_error_variance: -1.0, ..rayleigh },
            ChannelConfig { snr_spread_db: f32::NAN, ..rayleigh },
            ChannelConfig { variation: Variation::PerSymbol, ..awgn },
            ChannelConfig { phases: Phases::Independent, ..awgn },
            ChannelConfig { fading: FadingModel::Rician { k_factor: f32::NAN }, ..awgn },
        ];
        for config in wrong {
            let error = config.check().unwrap_err().to_string();
            assert!(error.contains("is not possible: allowed is"), "{error}");
        }
    }
}
