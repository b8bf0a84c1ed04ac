//! The `[air]` table of an experiment: how its links go over the air.

use sememe_blocks::framing::peaks::Clipper;
use sememe_blocks::ofdm::{Numerology, ResourceGrid};
use sememe_blocks::{BlockError, Result};
use sememe_hw::{BurstSettings, RadioSettings};
use serde::{Deserialize, Serialize};

/// Carrier for which oscillators are judged where a front has none, as recordings.
const USUAL_CARRIER_HZ: f64 = 2.45e9;

/// What both ends of a link over the air agree on, and the settings of either radio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AirConfig {
    /// `narrow`, `wlan`, `wide`, or a table of sizes.
    pub numerology: NumerologyChoice,
    /// Power of symbols under full scale, in dB: peaks reach 8 to 12 dB more.
    pub level_db: f32,
    /// Cuts peaks off so many dB over the mean power; absent: nothing is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_db: Option<Clipper>,
    /// Silence between bursts, in samples.
    pub gap: usize,
    /// How far oscillators of both ends together may be off, in parts per million.
    pub max_ppm: f64,
    /// The transmitting radio. Its sample rate is that of the numerology.
    pub transmit: RadioSettings,
    /// How long it may transmit.
    pub bursts: BurstSettings,
    /// The receiving radio.
    pub receive: RadioSettings,
}

/// A preset by name, or sizes of one's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NumerologyChoice {
    /// A preset.
    Named(String),
    /// All sizes.
    Sizes(Numerology),
}

impl Default for AirConfig {
    fn default() -> Self {
        Self {
            numerology: NumerologyChoice::Named("narrow".into()),
            level_db: -12.0,
            clip_db: None,
            gap: 2048,
            max_ppm: 40.0,
            transmit: RadioSettings::default(),
            bursts: BurstSettings::default(),
            receive: RadioSettings::default(),
        }
    }
}

impl AirConfig {
    /// The grid of its numerology.
    ///
    /// - errors: an unknown preset, impossible sizes
    pub fn grid(&self) -> Result<ResourceGrid> {
        ResourceGrid::new(match &self.numerology {
            NumerologyChoice::Named(name) => name.parse()?,
            NumerologyChoice::Sizes(numerology) => *numerology,
        })
    }

    /// Checks all that can be checked without a radio.
    ///
    /// - errors: the first value that is not possible, with what is
    pub fn check(&self) -> Result<()> {
        let grid = self.grid()?;
        if !(-60.0..=0.0).contains(&self.level_db) {
            return Err(BlockError::invalid("level_db", self.level_db, "-60 to 0 dB under full scale"));
        }
        if !(self.max_ppm.is_finite() && (0.0..=200.0).contains(&self.max_ppm)) {
            return Err(BlockError::invalid("max_ppm", self.max_ppm, "0 to 200"));
        }
        let most = self.max_offset(&grid);
        if most > 0.5 {
            let allowed = format!("so little that carriers are off by half of {} Hz at most", rate(&grid));
            return Err(BlockError::invalid("max_ppm", self.max_ppm, allowed));
        }
        if self.gap > 10_000_000 {
            return Err(BlockError::invalid("gap", self.gap, "0 to 10000000 samples"));
        }
        Ok(())
    }

    /// Largest carrier offset in cycles per sample.
    pub fn max_offset(&self, grid: &ResourceGrid) -> f64 {
        let carrier = self.receive.frequency_hz.or(self.transmit.frequency_hz).unwrap_or(USUAL_CARRIER_HZ);
        self.max_ppm * 1e-6 * carrier / rate(grid)
    }

    /// What samples are multiplied by, so that symbols have the wanted level.
    pub fn amplitude(&self, grid: &ResourceGrid) -> f32 {
        let mean = grid.occupied().len() as f32 / grid.numerology().fft_len as f32;
        10f32.powf(self.level_db / 20.0) / mean.sqrt()
    }
}

fn rate(grid: &ResourceGrid) -> f64 {
    grid.numerology().sample_rate_hz
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<AirConfig, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn defaults_are_possible_and_come_back() {
        let air = AirConfig::default();
        air.check().unwrap();
        let text = toml::to_string(&air).unwrap();
        assert_eq!(parsed(&text).unwrap(), air);
        let own = parsed("numerology = { sample_rate_hz = 2e6, fft_len = 256, prefix_len = 32, side_carriers = 90, pilot_spacing = 9 }").unwrap();
        assert_eq!(own.grid().unwrap().numerology().fft_len, 256);
        // 40 ppm of 2.45 GHz at 1 Msps.
        assert!((air.max_offset(&air.grid().unwrap()) - 0.098).abs() < 1e-12);
    }

    #[test]
    fn impossible_values_are_named() {
        for (text, name) in [
            ("numerology = \"lte\"", "numerology"),
            ("level_db = 1.0", "level_db"),
            ("max_ppm = 300.0", "max_ppm"),
            ("gap = 100000000", "gap"),
        ] {
            let error = parsed(text).unwrap().check().unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
        assert!(parsed("clip_db = 1.0").unwrap_err().contains("3 to 20 dB"));
        assert!(parsed("receive = { gian_db = 3 }").is_err());
    }
}
