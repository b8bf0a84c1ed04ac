//! Sizes of the transformer transceiver.

use serde::{Deserialize, Serialize};

/// Side of the images, fixed by the table of relative positions.
const SIDE: usize = 32;
/// Side of the maps that are attended over.
pub const MAP_SIDE: usize = SIDE / 4;

/// Bound on all sizes, far beyond use.
const MOST: usize = 1 << 16;

/// Everything that fixes the shapes of the tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VitJsccConfig {
    /// Channels of all maps.
    pub width: usize,
    /// Channels of an attention head.
    pub head_width: usize,
    /// Transformer blocks of the encoder, and of the decoder.
    pub blocks: usize,
    /// Map channels of the code.
    pub features: usize,
}

/// Names of the presets.
pub const PRESETS: [&str; 3] = ["vit-jscc", "vit-jscc-compact", "vit-jscc-tiny"];

impl VitJsccConfig {
    /// The sizes of a preset; `None` for an unknown name. `vit-jscc-compact` has a quarter of the channels.
    pub fn preset(name: &str, features: usize) -> Option<Self> {
        let (width, head_width, blocks) = match name {
            "vit-jscc" => (256, 32, 3),
            "vit-jscc-compact" => (64, 32, 3),
            "vit-jscc-tiny" => (8, 4, 1),
            _ => return None,
        };
        Some(Self { width, head_width, blocks, features })
    }

    /// Refuses sizes of which no network can be built; such may stand in a damaged file.
    pub fn check(&self) -> Result<(), String> {
        let sizes = [self.width, self.head_width, self.features, self.blocks];
        match sizes.iter().find(|size| !(1..=MOST).contains(*size)) {
            Some(size) => Err(format!("a size of {size} is not possible: allowed are 1 to {MOST}")),
            None => Ok(()),
        }
    }

    /// Values of the code for images of this size.
    pub fn code_len(&self, (height, width): (usize, usize)) -> usize {
        self.features * (height / 4) * (width / 4)
    }

    /// Says why images of this size do not fit, or nothing where they do.
    pub fn refuses(&self, (height, width): (usize, usize)) -> Option<String> {
        ((height, width) != (SIDE, SIDE)).then(|| {
            format!("images of {height} x {width} do not fit this model: allowed are {SIDE} x {SIDE}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_which_nothing_can_be_built_are_refused() {
        for name in PRESETS {
            let config = VitJsccConfig::preset(name, 32).unwrap();
            config.check().unwrap();
            assert!(VitJsccConfig { blocks: 0, ..config.clone() }.check().unwrap_err().contains("size of 0"));
            assert!(config.refuses((64, 64)).unwrap().contains("32 x 32"));
        }
    }
}
