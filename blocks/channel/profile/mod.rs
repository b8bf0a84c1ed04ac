//! Compatibility profiles: the SNR, power and fading conventions of other repositories, by name.
//!
//! Equal labels mean different channels in different repositories. A profile makes Sememe read a label as that
//! repository does, so that a published curve is met on its own terms:
//!
//! | file | what stands there |
//! |---|---|
//! | `conventions` | the table: what each repository normalises, how it scales noise, how it fades |
//! | `true_snr` | from a label to the mean Es/N0 per complex channel use |
//! | `refusals` | keys and links that a profile cannot be combined with |
//!
//! What holds for all of them:
//! - Encoder and decoder are told the label, as the networks of the repository are.
//! - Symbols keep unit power per complex channel use, and the noise bears the whole difference: a factor common
//!   to signal and noise, such as that of unit power per real value, changes no SNR. The noise variance that
//!   receivers are told is the true one.
//! - Receivers that do not equalise know nothing of the gains: csi is 1, and the SNR after the equaliser is that
//!   of the noise alone ([`Profile::unfaded_snr`]).
//! - A batch is a frame: all users, and all its slots.
//! - Which two real values make one channel use is Sememe's own: neighbours of one vector. Some repositories
//!   pair the halves of a vector, or of a whole batch; where gains are per symbol, that decides which values
//!   share one.

mod conventions;
#[cfg(test)]
mod measured;
mod refusals;
mod true_snr;

pub use conventions::{Conventions, Faded};

use serde::{Deserialize, Serialize};
use std::fmt;

/// Whose conventions a channel follows. In TOML: `profile = "chunbaobao"` in a `[[channel]]` table.
///
/// What each does stands in the table of [`Profile::conventions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// alexxu1988/ADJSCC, the clean reference: Sememe's own convention under a name.
    Adjscc,
    /// chunbaobao/Deep-JSCC-PyTorch.
    Chunbaobao,
    /// lizyoko9/semantic-comm-benchmark.
    Lizyoko9,
    /// eunc812/Deep-JSCC-Implementation.
    Eunc812,
    /// kmsiapps/Semantic-Communications-with-a-Vision-Transformer.
    Kmsiapps,
    /// semcomm/SwinJSCC and KeYang8/WITT.
    Swinjscc,
    /// matthewwang16czap/SwinJSCC.
    Matthewwang16czap,
}

impl Profile {
    /// All of them.
    pub const ALL: [Profile; 7] = [
        Self::Adjscc,
        Self::Chunbaobao,
        Self::Lizyoko9,
        Self::Eunc812,
        Self::Kmsiapps,
        Self::Swinjscc,
        Self::Matthewwang16czap,
    ];

    /// The name as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adjscc => "adjscc",
            Self::Chunbaobao => "chunbaobao",
            Self::Lizyoko9 => "lizyoko9",
            Self::Eunc812 => "eunc812",
            Self::Kmsiapps => "kmsiapps",
            Self::Swinjscc => "swinjscc",
            Self::Matthewwang16czap => "matthewwang16czap",
        }
    }

    /// Whether its conventions are those of a channel without a profile.
    pub fn is_own(self) -> bool {
        self == Self::Adjscc
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::super::ChannelConfig;
    use super::*;

    #[test]
    fn every_name_is_read_and_written() {
        for profile in Profile::ALL {
            let text = format!("fading = {{ model = \"awgn\" }}\nprofile = \"{profile}\"");
            let channel: ChannelConfig = toml::from_str(&text).unwrap();
            assert_eq!(channel.profile, Some(profile));
            channel.check().unwrap();
            assert_eq!(channel.name(), format!("awgn-{profile}"));
            assert_eq!(
                toml::from_str::<ChannelConfig>(&toml::to_string(&channel).unwrap()).unwrap(),
                channel
            );
        }
        let unknown = toml::from_str::<ChannelConfig>("fading = { model = \"awgn\" }\nprofile = \"witt\"");
        assert!(unknown.unwrap_err().to_string().contains("`swinjscc`"));
    }
}
