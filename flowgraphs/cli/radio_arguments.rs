//! What every command with an antenna is told about its radio.

use sememe::experiment::{Override, RunError};
use sememe_hw::{Gain, RadioSettings};

/// Settings of a radio on the command line; a configuration file may hold more of them.
#[derive(clap::Args, Clone, Debug)]
pub struct RadioArguments {
    /// Centre frequency in Hz, such as 2.45e9; needed to transmit
    #[arg(long, value_name = "HZ")]
    pub frequency: Option<f64>,
    /// Overall gain in dB; needed to transmit
    #[arg(long, value_name = "DB", allow_hyphen_values = true)]
    pub gain: Option<f64>,
    /// Antenna port by the radio's name for it
    #[arg(long, value_name = "NAME")]
    pub antenna: Option<String>,
}

impl RadioArguments {
    /// The same as changes of a configuration.
    ///
    /// - table: `air.transmit` or `air.receive`
    pub fn changes(&self, table: &str) -> Result<Vec<Override>, RunError> {
        let number = |key: &str, value: Option<f64>| value.map(|value| format!("{table}.{key}={value:?}"));
        let antenna = self.antenna.as_ref().map(|name| format!("{table}.antenna={name:?}"));
        let texts = [number("frequency_hz", self.frequency), number("gain_db", self.gain), antenna];
        texts.into_iter().flatten().map(|text| Ok(text.parse()?)).collect()
    }

    /// The same as settings.
    pub fn settings(&self, sample_rate_hz: f64) -> RadioSettings {
        RadioSettings {
            frequency_hz: self.frequency,
            gain_db: self.gain.map(Gain::Overall),
            antenna: self.antenna.clone(),
            sample_rate_hz,
            ..RadioSettings::default()
        }
    }
}
