//! The numbers of an OFDM waveform, and named choices of them.

use crate::{BlockError, Result};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Sizes of an OFDM waveform. One symbol is a prefix of `prefix_len` samples and `fft_len` samples behind it.
///
/// | preset | rate | carriers | spacing | occupied | prefix |
/// |---|---|---|---|---|---|
/// | `narrow` | 1 Msps | 64 | 15.6 kHz | 40 | 16 us |
/// | `wlan` | 20 Msps | 64 | 312.5 kHz | 52 | 0.8 us |
/// | `wide` | 20 Msps | 1024 | 19.5 kHz | 840 | 6.4 us |
///
/// Carriers stay within 0.42 of the sample rate, where radios still let them through, even with oscillators off by 40 ppm
/// of 2.45 GHz: in `narrow` that is 6 spacings, hence its wide guards.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numerology {
    /// Samples per second.
    pub sample_rate_hz: f64,
    /// Carriers, N: a power of two from 64 to 2048.
    pub fft_len: usize,
    /// Samples of the cyclic prefix: the longest excess delay that does no harm.
    pub prefix_len: usize,
    /// Occupied carriers on each side of the empty one in the middle.
    pub side_carriers: usize,
    /// Of the occupied carriers, every so many-th is a pilot.
    pub pilot_spacing: usize,
}

impl Numerology {
    /// 64 carriers at 1 Msps: robust, for any radio.
    pub const NARROW: Self =
        Self { sample_rate_hz: 1e6, fft_len: 64, prefix_len: 16, side_carriers: 20, pilot_spacing: 5 };

    /// 64 carriers at 20 Msps, spaced as in wireless LAN.
    pub const WLAN: Self = Self { sample_rate_hz: 20e6, side_carriers: 26, pilot_spacing: 6, ..Self::NARROW };

    /// 1024 carriers at 20 Msps: the full rate of a HackRF.
    pub const WIDE: Self =
        Self { sample_rate_hz: 20e6, fft_len: 1024, prefix_len: 128, side_carriers: 420, pilot_spacing: 12 };

    /// Names and sizes of all presets.
    pub const PRESETS: [(&'static str, Self); 3] =
        [("narrow", Self::NARROW), ("wlan", Self::WLAN), ("wide", Self::WIDE)];

    /// Checks every size.
    ///
    /// - errors: the first that is impossible, with what is allowed
    pub fn check(&self) -> Result<()> {
        let Self { sample_rate_hz, fft_len, prefix_len, side_carriers, pilot_spacing } = *self;
        if !(sample_rate_hz.is_finite() && sample_rate_hz > 0.0) {
            return Err(BlockError::invalid("sample_rate_hz", sample_rate_hz, "a positive rate"));
        }
        if !fft_len.is_power_of_two() || !(64..=2048).contains(&fft_len) {
            return Err(BlockError::invalid("fft_len", fft_len, "64, 128, 256, 512, 1024, 2048"));
        }
        let longest = fft_len / 2;
        if !(1..=longest).contains(&prefix_len) {
            return Err(BlockError::invalid("prefix_len", prefix_len, format!("1 to {longest}")));
        }
        // Guards of a sixteenth on each side keep the images of converters apart.
        let most = fft_len / 2 - fft_len / 16;
        if !(8..=most).contains(&side_carriers) {
            return Err(BlockError::invalid("side_carriers", side_carriers, format!("8 to {most}")));
        }
        let sparsest = side_carriers / 2;
        if !(2..=sparsest).contains(&pilot_spacing) {
            return Err(BlockError::invalid("pilot_spacing", pilot_spacing, format!("2 to {sparsest}")));
        }
        Ok(())
    }

    /// Samples of one symbol, prefix included.
    pub fn symbol_len(&self) -> usize {
        self.prefix_len + self.fft_len
    }

    /// Distance of carriers in Hz.
    pub fn spacing_hz(&self) -> f64 {
        self.sample_rate_hz / self.fft_len as f64
    }

    /// Occupied bandwidth in Hz.
    pub fn bandwidth_hz(&self) -> f64 {
        (2 * self.side_carriers + 1) as f64 * self.spacing_hz()
    }
}

impl FromStr for Numerology {
    type Err = BlockError;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::PRESETS.into_iter().find(|(preset, _)| *preset == name);
        known.map(|(_, numerology)| numerology).ok_or_else(|| {
            let allowed = Self::PRESETS.map(|(preset, _)| preset).join(", ");
            BlockError::invalid("numerology", format!("\"{name}\""), allowed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_possible_and_have_the_numbers_of_the_table() {
        for (name, numerology) in Numerology::PRESETS {
            numerology.check().unwrap();
            assert_eq!(name.parse::<Numerology>().unwrap(), numerology);
        }
        assert_eq!(Numerology::NARROW.spacing_hz(), 15_625.0);
        assert_eq!(Numerology::WLAN.spacing_hz(), 312_500.0);
        assert_eq!(Numerology::WIDE.spacing_hz(), 19_531.25);
        assert_eq!(Numerology::WIDE.symbol_len(), 1152);
        // 40 ppm of 2.45 GHz: about 5 spacings in `wide`, 6 in `narrow`.
        let spacings = |numerology: Numerology| 40e-6 * 2.45e9 / numerology.spacing_hz();
        assert!((spacings(Numerology::WIDE) - 5.0).abs() < 0.1);
        assert!((spacings(Numerology::NARROW) - 6.3).abs() < 0.1);
        for (name, numerology) in Numerology::PRESETS {
            let farthest = numerology.side_carriers as f64 + spacings(numerology);
            assert!(farthest / numerology.fft_len as f64 <= 0.42, "{name}");
        }
        let error = "lte".parse::<Numerology>().unwrap_err().to_string();
        assert!(error.contains("narrow, wlan, wide"), "{error}");
    }

    #[test]
    fn impossible_sizes_are_named() {
        let wide = Numerology::WIDE;
        for (name, wrong) in [
            ("sample_rate_hz", Numerology { sample_rate_hz: f64::NAN, ..wide }),
            ("fft_len", Numerology { fft_len: 1000, ..wide }),
            ("fft_len", Numerology { fft_len: 4096, ..wide }),
            ("prefix_len", Numerology { prefix_len: 513, ..wide }),
            ("side_carriers", Numerology { side_carriers: 449, ..wide }),
            ("pilot_spacing", Numerology { pilot_spacing: 1, ..wide }),
        ] {
            let error = wrong.check().unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
