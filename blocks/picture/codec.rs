//! The words of picture coding: codecs, packings, settings, and what a receiver says of a damaged stream.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Which standard compresses the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureCodec {
    /// Baseline sequential JPEG. Source: ITU-T T.81.
    Jpeg,
    /// Lossy WebP, that is one VP8 key frame. Source: RFC 6386, RFC 9649.
    Webp,
}

impl PictureCodec {
    /// The longest side of a picture in pixels.
    pub const fn longest_side(self) -> usize {
        match self {
            Self::Jpeg => 65_535,
            Self::Webp => 16_383,
        }
    }
}

/// How much of a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    /// One whole file for each image, with optimised Huffman tables where they make it smaller.
    File,
    /// One stream for each image, without what both ends know.
    ///
    /// - JPEG: one byte of quality and subsampling, then the entropy-coded segment. Tables (the typical
    ///   ones of T.81 Annex K) are agreed, as in the abbreviated format of T.81 B.4; frame and scan headers
    ///   and the end marker are left out as well, which goes beyond B.4
    /// - WebP: the length of the first VP8 partition in one byte (three from 240 on), then the VP8 data
    ///   without the 30 bytes before it
    Shared,
    /// One whole file for all images of a frame, tiled in one picture. Every user decodes the data of all,
    /// and the payloads of all carry it, so a line with it is an aggregate bound.
    Mosaic,
}

/// Resolution of the colour planes of a JPEG picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Subsampling {
    /// Half the resolution in both directions.
    #[serde(rename = "4:2:0")]
    S420,
    /// Full resolution.
    #[serde(rename = "4:4:4")]
    S444,
}

impl Subsampling {
    /// Both.
    pub const ALL: [Subsampling; 2] = [Subsampling::S420, Subsampling::S444];

    /// Side of a minimum coded unit in pixels.
    pub const fn unit_side(self) -> usize {
        match self {
            Self::S420 => 16,
            Self::S444 => 8,
        }
    }
}

/// One way to compress: what the exact search chooses among.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setting {
    /// Nothing but the mean colour of each image, where no setting of the codec fits.
    MeanColour,
    /// JPEG.
    Jpeg {
        /// 1 to 100, on the scale of the Independent JPEG Group.
        quality: u8,
        /// Resolution of the colour planes.
        subsampling: Subsampling,
    },
    /// WebP, always 4:2:0.
    Webp {
        /// 0 to 100, on libwebp's scale.
        quality: u8,
        /// Whether the colour planes are chosen for what they give after upsampling.
        sharp: bool,
    },
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MeanColour => f.write_str("mean colour"),
            Self::Jpeg { quality, subsampling: Subsampling::S420 } => write!(f, "JPEG {quality} 4:2:0"),
            Self::Jpeg { quality, subsampling: Subsampling::S444 } => write!(f, "JPEG {quality} 4:4:4"),
            Self::Webp { quality, sharp: false } => write!(f, "WebP {quality}"),
            Self::Webp { quality, sharp: true } => write!(f, "WebP {quality} sharp"),
        }
    }
}

/// Why a receiver returns no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("damaged picture: {reason}")]
pub struct Damaged {
    reason: &'static str,
}

impl Damaged {
    pub(super) const fn because(reason: &'static str) -> Self {
        Self { reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Keys {
        codec: PictureCodec,
        packing: Packing,
        subsampling: Subsampling,
    }

    #[test]
    fn words_of_a_configuration() {
        let keys =
            Keys { codec: PictureCodec::Webp, packing: Packing::Mosaic, subsampling: Subsampling::S420 };
        let text = "codec = \"webp\"\npacking = \"mosaic\"\nsubsampling = \"4:2:0\"\n";
        assert_eq!(toml::to_string(&keys).unwrap(), text);
        assert_eq!(toml::from_str::<Keys>(text).unwrap(), keys);
    }

    #[test]
    fn settings_are_named_in_results() {
        let settings = [
            Setting::MeanColour,
            Setting::Jpeg { quality: 35, subsampling: Subsampling::S444 },
            Setting::Webp { quality: 90, sharp: true },
        ];
        assert_eq!(settings.map(|s| s.to_string()), ["mean colour", "JPEG 35 4:4:4", "WebP 90 sharp"]);
        assert_eq!(Damaged::because("why").to_string(), "damaged picture: why");
    }
}
