//! The schemes that a `[[link]]` table can name.

use serde::{Deserialize, Serialize};

/// Ready-made links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Private features to each user, a common feature to each group.
    GroupSplitting,
    /// The same networks without common features, rho = 0.
    PrivateOnly,
    /// Convolutional networks of single images: DeepJSCC, ADJSCC, DeepJSCC-Q, as the weights are.
    DeepJscc,
    /// Convolutions and a vision transformer.
    VitJscc,
    /// The linear baseline; needs no weights.
    Klt,
    /// JPEG behind the 5G NR coding chain.
    JpegLdpc,
    /// WebP behind the same.
    WebpLdpc,
    /// The same chain for pictures that were compressed elsewhere, known by a table.
    OutsideTable,
    /// Bound: JPEG over a code at the limit of theory.
    JpegCapacity,
    /// Bound: WebP over the same.
    WebpCapacity,
}

impl Scheme {
    /// All of them, in the order of [`SCHEMES`].
    pub const ALL: [Scheme; 10] = [
        Scheme::GroupSplitting,
        Scheme::PrivateOnly,
        Scheme::DeepJscc,
        Scheme::VitJscc,
        Scheme::Klt,
        Scheme::JpegLdpc,
        Scheme::WebpLdpc,
        Scheme::OutsideTable,
        Scheme::JpegCapacity,
        Scheme::WebpCapacity,
    ];

    /// The name as users write it.
    pub fn name(self) -> &'static str {
        // The schemes are numbered in the order of the table.
        SCHEMES[self as usize].0
    }

    /// Name of the architecture whose weights it needs; nothing where it is not learned.
    pub fn architecture(self) -> Option<&'static str> {
        match self {
            Self::GroupSplitting | Self::PrivateOnly => Some("group-splitting"),
            Self::DeepJscc => Some("deep-jscc"),
            Self::VitJscc => Some("vit-jscc"),
            _ => None,
        }
    }

    /// Whether its payloads go through the coding chain.
    pub fn is_digital(self) -> bool {
        matches!(self, Self::JpegLdpc | Self::WebpLdpc | Self::OutsideTable)
    }

    /// Whether it is a bound: no link that could be built.
    pub fn is_bound(self) -> bool {
        matches!(self, Self::JpegCapacity | Self::WebpCapacity)
    }
}

/// Names and descriptions of the schemes.
pub const SCHEMES: [(&str, &str); 10] = [
    ("group-splitting", "private features to each user, a common feature to each group; needs weights"),
    ("private-only", "the same networks without common features; needs weights trained at rho = 0"),
    (
        "deep-jscc",
        "convolutional networks of single images: DeepJSCC, ADJSCC, DeepJSCC-Q, as their weights are",
    ),
    ("vit-jscc", "convolutions and a vision transformer; needs weights, and images of 32 x 32"),
    ("klt", "linear code: strongest Karhunen-Loeve coefficients at optimal power; fitted, not trained"),
    ("jpeg-ldpc", "JPEG, 5G NR LDPC and QAM; best modulation and code rate per SNR, or a named one"),
    ("webp-ldpc", "the same with WebP"),
    ("outside-table", "the same with pictures of an outside codec, from a table of image, bytes, PSNR"),
    ("jpeg-capacity", "bound: JPEG over a code at capacity or at the limit of finite length"),
    ("webp-capacity", "the same with WebP"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_configuration_files() {
        for scheme in Scheme::ALL {
            let parsed: Scheme = toml::Value::String(scheme.name().into()).try_into().unwrap();
            assert_eq!(parsed, scheme);
        }
    }
}
