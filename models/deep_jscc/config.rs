//! Sizes and switches of convolutional transceivers.

use serde::{Deserialize, Serialize};

/// Factor between the sides of an image and of its feature maps.
pub const REDUCTION: usize = 4;

/// Bounds on sizes, far beyond use.
const MOST_CHANNELS: usize = 1 << 16;
const MOST_SIDE: usize = 63;

/// Everything that fixes the shapes of the tensors.
///
/// The encoder has five convolutions, of which the first two halve the size; the decoder mirrors it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeepJsccConfig {
    /// Channels after the first four convolutions.
    pub widths: [usize; 4],
    /// Sides of the five windows, odd.
    pub kernels: [usize; 5],
    /// Whether divisive normalisation stands before the rectifiers; without it the code is rectified too.
    pub gdn: bool,
    /// Whether features are weighted by what is known of the SNR (ADJSCC).
    pub snr_attention: bool,
    /// Points of the square constellation that symbols are taken from; absent: symbols are free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constellation: Option<usize>,
    /// Map channels of the code.
    pub features: usize,
}

/// Names of the presets.
pub const PRESETS: [&str; 6] =
    ["deep-jscc", "deep-jscc-tiny", "deep-jscc-wide", "deep-jscc-wide-compact", "adjscc", "adjscc-compact"];

impl DeepJsccConfig {
    /// The sizes of a preset; `None` for an unknown name.
    ///
    /// `deep-jscc` is the small network, `*-compact` has a quarter of the wide one's channels.
    pub fn preset(name: &str, features: usize) -> Option<Self> {
        let small = |unit: usize| Self {
            widths: [unit, 2 * unit, 2 * unit, 2 * unit],
            kernels: [5; 5],
            gdn: false,
            snr_attention: false,
            constellation: None,
            features,
        };
        let wide = |width: usize, snr_attention: bool| Self {
            widths: [width; 4],
            kernels: [9, 5, 5, 5, 5],
            gdn: true,
            snr_attention,
            constellation: None,
            features,
        };
        match name {
            "deep-jscc" => Some(small(16)),
            "deep-jscc-tiny" => Some(small(4)),
            "deep-jscc-wide" => Some(wide(256, false)),
            "deep-jscc-wide-compact" => Some(wide(64, false)),
            "adjscc" => Some(wide(256, true)),
            "adjscc-compact" => Some(wide(64, true)),
            _ => None,
        }
    }

    /// Refuses sizes of which no network can be built; such may stand in a damaged file.
    pub fn check(&self) -> Result<(), String> {
        let is_size = |channels: &usize| (1..=MOST_CHANNELS).contains(channels);
        if let Some(channels) = self.widths.iter().chain([&self.features]).find(|channels| !is_size(channels))
        {
            return Err(format!("{channels} channels are not possible: allowed are 1 to {MOST_CHANNELS}"));
        }
        let is_side = |kernel: &usize| kernel % 2 == 1 && *kernel <= MOST_SIDE;
        match self.kernels.iter().find(|kernel| !is_side(kernel)) {
            Some(kernel) => {
                Err(format!("kernels of {kernel} are not possible: allowed are odd ones to {MOST_SIDE}"))
            }
            None => Ok(()),
        }
    }

    /// Values of the code for images of this size.
    pub fn code_len(&self, (height, width): (usize, usize)) -> usize {
        self.features * (height / REDUCTION) * (width / REDUCTION)
    }

    /// Says why images of this size do not fit, or nothing where they do.
    pub fn refuses(&self, (height, width): (usize, usize)) -> Option<String> {
        let fits = |side: usize| side > 0 && side.is_multiple_of(REDUCTION);
        (!(fits(height) && fits(width))).then(|| {
            format!(
                "images of {height} x {width} do not fit this model: allowed are sides that are multiples of {REDUCTION}"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_which_nothing_can_be_built_are_refused() {
        let small = DeepJsccConfig::preset("deep-jscc", 32).unwrap();
        for name in PRESETS {
            DeepJsccConfig::preset(name, 32).unwrap().check().unwrap();
        }
        let refused = |config: DeepJsccConfig| config.check().unwrap_err();
        assert!(refused(DeepJsccConfig { features: 0, ..small.clone() }).contains("0 channels"));
        assert!(refused(DeepJsccConfig { widths: [1 << 40; 4], ..small.clone() }).contains("1 to 65536"));
        assert!(
            refused(DeepJsccConfig { kernels: [5, 4, 5, 5, 5], ..small.clone() }).contains("kernels of 4")
        );
        assert!(small.refuses((30, 32)).unwrap().contains("multiples of 4"));
    }
}
