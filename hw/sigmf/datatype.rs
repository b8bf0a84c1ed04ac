//! How samples lie in a file: `core:datatype`.

use num_complex::Complex32;
use serde::{Deserialize, Serialize};

/// Formats of complex samples; integers mean -1 to just under 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Datatype {
    /// 32-bit floats, little endian: 8 bytes a sample.
    #[default]
    #[serde(rename = "cf32_le")]
    Cf32Le,
    /// Signed 16-bit integers, little endian, 32768 to the unit: 4 bytes a sample.
    #[serde(rename = "ci16_le")]
    Ci16Le,
    /// Signed bytes, 128 to the unit: 2 bytes a sample.
    Ci8,
    /// Unsigned bytes around 128, 128 to the unit: 2 bytes a sample.
    Cu8,
}

impl Datatype {
    /// What is read, for messages.
    pub(super) const ALLOWED: &str = "cf32_le, ci16_le, ci8 or cu8";

    /// From the name in metadata; `None` where it is not read.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "cf32_le" | "cf32" => Some(Self::Cf32Le),
            "ci16_le" | "ci16" => Some(Self::Ci16Le),
            "ci8" => Some(Self::Ci8),
            "cu8" => Some(Self::Cu8),
            _ => None,
        }
    }

    /// Bytes of one complex sample.
    pub fn bytes_per_sample(self) -> usize {
        match self {
            Self::Cf32Le => 8,
            Self::Ci16Le => 4,
            Self::Ci8 | Self::Cu8 => 2,
        }
    }

    /// Turns bytes into samples: as many as both slices hold.
    pub(super) fn decode(self, bytes: &[u8], samples: &mut [Complex32]) {
        match self {
            Self::Cf32Le => {
                for (sample, raw) in samples.iter_mut().zip(bytes.as_chunks::<8>().0) {
                    let [a, b, c, d, e, f, g, h] = *raw;
                    *sample =
                        Complex32::new(f32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h]));
                }
            }
            Self::Ci16Le => {
                for (sample, [a, b, c, d]) in samples.iter_mut().zip(bytes.as_chunks::<4>().0) {
                    let [re, im] =
                        [[*a, *b], [*c, *d]].map(|raw| f32::from(i16::from_le_bytes(raw)) / 32768.0);
                    *sample = Complex32::new(re, im);
                }
            }
            Self::Ci8 => {
                for (sample, raw) in samples.iter_mut().zip(bytes.as_chunks::<2>().0) {
                    let [re, im] = raw.map(|byte| f32::from(byte as i8) / 128.0);
                    *sample = Complex32::new(re, im);
                }
            }
            Self::Cu8 => {
                for (sample, raw) in samples.iter_mut().zip(bytes.as_chunks::<2>().0) {
                    let [re, im] = raw.map(|byte| (f32::from(byte) - 128.0) / 128.0);
                    *sample = Complex32::new(re, im);
                }
            }
        }
    }

    /// Appends samples as bytes.
    ///
    /// - returns: samples of which a part was outside what integers hold, or no number; clipped, or zero
    pub(super) fn encode(self, samples: &[Complex32], bytes: &mut Vec<u8>) -> u64 {
        let mut clipped = 0;
        for sample in samples {
            let parts = [sample.re, sample.im];
            if self == Self::Cf32Le {
                parts.iter().for_each(|part| bytes.extend_from_slice(&part.to_le_bytes()));
                continue;
            }
            let full_scale = if self == Self::Ci16Le { 32768.0 } else { 128.0 };
            // A conversion to integers turns what is no number into zero.
            let rounded = parts.map(|part| (part * full_scale).round());
            let is_inside = |part: &f32| (-full_scale..full_scale).contains(part);
            clipped += u64::from(!rounded.iter().all(is_inside));
            for part in rounded.map(|part| part.clamp(-full_scale, full_scale - 1.0)) {
                match self {
                    Self::Ci16Le | Self::Cf32Le => bytes.extend_from_slice(&(part as i16).to_le_bytes()),
                    Self::Ci8 => bytes.push(part as i8 as u8),
                    Self::Cu8 => bytes.push((part as i16 + 128) as u8),
                }
            }
        }
        clipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTEGERS: [Datatype; 3] = [Datatype::Ci16Le, Datatype::Ci8, Datatype::Cu8];

    fn there_and_back(datatype: Datatype, sample: Complex32) -> (Complex32, u64) {
        let mut bytes = Vec::new();
        let clipped = datatype.encode(&[sample], &mut bytes);
        assert_eq!(bytes.len(), datatype.bytes_per_sample());
        let mut back = [Complex32::ZERO];
        datatype.decode(&bytes, &mut back);
        (back[0], clipped)
    }

    #[test]
    fn bytes_worked_by_hand() {
        let mut bytes = Vec::new();
        let sample = [Complex32::new(0.5, -1.0)];
        INTEGERS.iter().for_each(|datatype| assert_eq!(datatype.encode(&sample, &mut bytes), 0));
        assert_eq!(bytes, [0x00, 0x40, 0x00, 0x80, 64, 0x80, 192, 0]);
        bytes.clear();
        Datatype::Cf32Le.encode(&sample, &mut bytes);
        assert_eq!(bytes, [0, 0, 0, 0x3f, 0, 0, 0x80, 0xbf]);
    }

    #[test]
    fn integers_clip_at_full_scale_and_count() {
        for datatype in INTEGERS {
            let top = if datatype == Datatype::Ci16Le { 32767.0 / 32768.0 } else { 127.0 / 128.0 };
            assert_eq!(there_and_back(datatype, Complex32::new(1.0, -1.0)), (Complex32::new(top, -1.0), 1));
            assert_eq!(
                there_and_back(datatype, Complex32::new(-9.0, f32::INFINITY)),
                (Complex32::new(-1.0, top), 1)
            );
            assert_eq!(
                there_and_back(datatype, Complex32::new(f32::NAN, 0.5)),
                (Complex32::new(0.0, 0.5), 1)
            );
            assert_eq!(there_and_back(datatype, Complex32::new(top, -1.0)), (Complex32::new(top, -1.0), 0));
        }
    }

    #[test]
    fn names_of_metadata_are_those_of_the_enumeration() {
        for datatype in [Datatype::Cf32Le, Datatype::Ci16Le, Datatype::Ci8, Datatype::Cu8] {
            let name = serde_json::to_value(datatype).unwrap();
            assert_eq!(Datatype::from_name(name.as_str().unwrap()), Some(datatype));
        }
        assert_eq!(Datatype::from_name("cf32_be"), None);
    }
}
