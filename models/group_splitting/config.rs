//! Sizes and switches of a group-splitting model, with the presets of the documentation.

use sememe_blocks::access::{Family, GainCode};
use serde::{Deserialize, Serialize};

/// How the decoder of the paper family grows the first map from a vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stem {
    /// Dense to 1 x 1, then bilinear upsampling by 4: a constant 4 x 4 map, the literal reading.
    #[default]
    Upsample,
    /// Dense to 4 x 4 at once.
    Reshape,
    /// Dense to a 1 x 1 bottleneck, then dense to 4 x 4: tells the two effects apart.
    BottleneckReshape,
}

/// Everything that fixes the shapes of a model's tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// How features are shaped.
    pub family: Family,
    /// First layer of the decoder; only the paper family has a choice.
    #[serde(default)]
    pub stem: Stem,
    /// Channels of the two stages of the semantic encoder.
    pub encoder_widths: [usize; 2],
    /// Residual blocks of the two stages.
    pub encoder_blocks: [usize; 2],
    /// Channels of the common encoder.
    pub common_width: usize,
    /// Residual blocks of the common encoder.
    pub common_blocks: usize,
    /// Attention heads of the common encoder.
    pub heads: usize,
    /// Channels of the decoder from its first map to the one before the image.
    pub decoder_widths: Vec<usize>,
    /// Residual blocks at each of those sizes; the paper family has one more, at the image.
    pub decoder_blocks: Vec<usize>,
    /// Whether residual blocks have a layer norm.
    #[serde(default)]
    pub layer_norm: bool,
    /// Whether the networks are told the SNR.
    #[serde(default)]
    pub film: bool,
    /// Whether linear paths run beside the deep ones (spatial family).
    #[serde(default)]
    pub bypass: bool,
    /// Whether vectors carry their own scale (spatial family).
    #[serde(default)]
    pub gain_code: bool,
    /// Values at the end of a private vector that are not sent, in favour of signalling.
    #[serde(default)]
    pub punctured_features: usize,
    /// Private features: map channels (spatial) or values (paper) per user.
    pub private_features: usize,
    /// Common features: map channels (spatial) or values (paper) per group; 0 sends nothing in common.
    pub common_features: usize,
}

/// Names of the presets.
pub const PRESETS: [&str; 6] =
    ["spatial", "spatial-compact", "spatial-tiny", "paper", "paper-compact", "paper-tiny"];

impl ModelConfig {
    /// The sizes of a preset, for given numbers of features; `None` for an unknown name.
    pub fn preset(name: &str, private_features: usize, common_features: usize) -> Option<Self> {
        let (family, divisor) = match name {
            "spatial" => (Family::Spatial, 1),
            "spatial-compact" => (Family::Spatial, 4),
            "spatial-tiny" => (Family::Spatial, 16),
            "paper" => (Family::Paper, 1),
            "paper-compact" => (Family::Paper, 4),
            "paper-tiny" => (Family::Paper, 16),
            _ => return None,
        };
        let spatial = family == Family::Spatial;
        let widths: &[usize] = if spatial { &[256, 128] } else { &[512, 256, 128] };
        let blocks: &[usize] = if spatial { &[3, 3] } else { &[3, 3, 2] };
        Some(Self {
            family,
            stem: Stem::default(),
            encoder_widths: [128 / divisor, 256 / divisor],
            encoder_blocks: [2, 3],
            common_width: if spatial { 256 } else { 512 } / divisor,
            common_blocks: if spatial { 1 } else { 3 },
            heads: 4,
            decoder_widths: widths.iter().map(|w| w / divisor).collect(),
            decoder_blocks: blocks.to_vec(),
            layer_norm: false,
            film: spatial,
            bypass: spatial,
            gain_code: spatial,
            punctured_features: 0,
            private_features,
            common_features,
        })
    }

    /// Length L_p of a user's private feature for images of this size.
    pub fn private_len(&self, size: (usize, usize)) -> usize {
        self.private_features * self.positions(size)
    }

    /// Length L_c of a group's common feature for images of this size.
    pub fn common_len(&self, size: (usize, usize)) -> usize {
        self.common_features * self.positions(size)
    }

    fn positions(&self, (height, width): (usize, usize)) -> usize {
        match self.family {
            Family::Spatial => (height / 4) * (width / 4),
            Family::Paper => 1,
        }
    }

    /// Says why images of this size do not fit, or nothing where they do.
    pub fn refuses(&self, (height, width): (usize, usize)) -> Option<String> {
        let fits = match self.family {
            Family::Spatial => height > 0 && width > 0 && height % 4 == 0 && width % 4 == 0,
            Family::Paper => (height, width) == (32, 32),
        };
        let allowed = match self.family {
            Family::Spatial => "sides that are multiples of 4",
            Family::Paper => "32 x 32",
        };
        if !fits {
            return Some(format!(
                "images of {height} x {width} do not fit this model: allowed are {allowed}"
            ));
        }
        let size = (height, width);
        let least = GainCode::NUM_FEATURES + 1;
        let vectors = [
            ("private", self.private_len(size).saturating_sub(self.punctured_features)),
            ("common", self.common_len(size)),
        ];
        let too_short = |(name, len): &(&str, usize)| *len < least && (*name == "private" || *len > 0);
        vectors.into_iter().filter(|_| self.gain_code).find(too_short).map(|(name, len)| {
            format!(
                "images of {height} x {width} leave {len} {name} features, which carry their scale: allowed are \
                 at least {least}, by larger images, more uses or another rho"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_scale_the_tables_of_the_paper() {
        for name in PRESETS {
            let config = ModelConfig::preset(name, 26, 30).unwrap();
            let text = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<ModelConfig>(&text).unwrap(), config, "{name}");
        }
        let compact = ModelConfig::preset("spatial-compact", 26, 30).unwrap();
        assert_eq!((compact.encoder_widths, compact.private_len((32, 32))), ([32, 64], 1664));
        assert!(ModelConfig::preset("huge", 1, 1).is_none());
    }

    #[test]
    fn sizes_that_do_not_fit_say_what_does() {
        let spatial = ModelConfig::preset("spatial", 26, 30).unwrap();
        assert!(spatial.refuses((96, 64)).is_none());
        assert!(spatial.refuses((30, 32)).unwrap().contains("multiples of 4"));
        let short = ModelConfig::preset("spatial", 26, 1).unwrap().refuses((16, 16)).unwrap();
        assert!(short.contains("16 common features") && short.contains("at least 17"), "{short}");
        let paper = ModelConfig::preset("paper", 1664, 1920).unwrap();
        assert!(paper.refuses((64, 64)).unwrap().contains("32 x 32"));
    }
}
