//! A modulation with a code rate, by a name that users write: `qpsk-1/2`, `16qam-378/1024`.

use super::mcs::McsTable;
use crate::modem::Modulation;
use crate::{BlockError, Result};
use std::fmt;
use std::str::FromStr;

/// A modulation and a target code rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CodedModulation {
    modulation: Modulation,
    /// The rate as a fraction, kept as it is written.
    numerator: f64,
    denominator: f64,
}

impl CodedModulation {
    /// Builds a scheme.
    ///
    /// - numerator / denominator: target code rate, above 0 and below 1
    /// - errors: another rate
    pub fn new(modulation: Modulation, numerator: f64, denominator: f64) -> Result<Self> {
        let rate = numerator / denominator;
        if !(numerator > 0.0 && denominator > 0.0 && denominator.is_finite() && rate > 0.0 && rate < 1.0) {
            let found = format!("{numerator}/{denominator}");
            return Err(BlockError::invalid(
                "code rate",
                found,
                "a fraction above 0 and below 1, such as 1/2",
            ));
        }
        Ok(Self { modulation, numerator, denominator })
    }

    /// The entry of an index of table 5.1.3.1-2 of 3GPP TS 38.214, up to 256-QAM.
    ///
    /// - errors: an index above 27
    pub fn of_index(index: usize) -> Result<Self> {
        McsTable::Qam256.get(index).and_then(|mcs| of_entry(mcs.modulation_order, mcs.rate_1024))
    }

    /// All schemes that the digital lines choose among: table 5.1.3.1-2 of 3GPP TS 38.214, and below it the
    /// rates 1/5, 1/4 and 1/3 with BPSK and QPSK; ascending by spectral efficiency.
    pub fn grid() -> Vec<Self> {
        let low = [Modulation::Bpsk, Modulation::Qpsk].into_iter().flat_map(|modulation| {
            [5.0, 4.0, 3.0].map(|denominator| Self::new(modulation, 1.0, denominator))
        });
        let table = McsTable::Qam256.entries().map(|mcs| of_entry(mcs.modulation_order, mcs.rate_1024));
        let mut grid: Vec<Self> = low.chain(table).filter_map(Result::ok).collect();
        grid.sort_by(|a, b| a.spectral_efficiency().total_cmp(&b.spectral_efficiency()));
        grid
    }

    /// The constellation.
    pub fn modulation(self) -> Modulation {
        self.modulation
    }

    /// Target code rate.
    pub fn code_rate(self) -> f64 {
        self.numerator / self.denominator
    }

    /// Information bits per complex channel use.
    pub fn spectral_efficiency(self) -> f64 {
        self.modulation.bits_per_symbol() as f64 * self.code_rate()
    }
}

fn of_entry(modulation_order: usize, rate_1024: f64) -> Result<CodedModulation> {
    let of_order = |modulation: &Modulation| modulation.bits_per_symbol() == modulation_order;
    let modulation = Modulation::ALL
        .into_iter()
        .find(of_order)
        .ok_or_else(|| BlockError::invalid("bits per symbol", modulation_order, "1, 2, 4, 6, 8 or 10"))?;
    CodedModulation::new(modulation, rate_1024, 1024.0)
}

impl fmt::Display for CodedModulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-{}/{}", self.modulation, self.numerator, self.denominator))
    }
}

impl FromStr for CodedModulation {
    type Err = BlockError;

    fn from_str(name: &str) -> Result<Self> {
        let wrong = || {
            let allowed = "a modulation and a code rate, such as qpsk-1/2 or 16qam-378/1024";
            BlockError::invalid("mcs", format!("{name:?}"), allowed)
        };
        let (modulation, rate) = name.split_once('-').ok_or_else(wrong)?;
        let (numerator, denominator) = rate.split_once('/').ok_or_else(wrong)?;
        let number = |text: &str| text.parse::<f64>().map_err(|_| wrong());
        Self::new(modulation.parse()?, number(numerator)?, number(denominator)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_the_table_and_six_low_rates() {
        let grid = CodedModulation::grid();
        assert_eq!(grid.len(), 28 + 6);
        assert!(grid.is_sorted_by(|a, b| a.spectral_efficiency() < b.spectral_efficiency()));
        assert_eq!(grid[0].to_string(), "bpsk-1/5");
        assert_eq!(grid[33].to_string(), "256qam-948/1024");
        assert!(grid.iter().any(|scheme| scheme.to_string() == "256qam-682.5/1024"));
        assert_eq!(CodedModulation::of_index(5).unwrap().to_string(), "16qam-378/1024");
        assert!(CodedModulation::of_index(28).unwrap_err().to_string().contains("0 to 27"));
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for scheme in CodedModulation::grid() {
            assert_eq!(scheme.to_string().parse::<CodedModulation>().unwrap(), scheme);
        }
        let half: CodedModulation = "qpsk-1/2".parse().unwrap();
        assert_eq!((half.code_rate(), half.spectral_efficiency()), (0.5, 1.0));
    }

    #[test]
    fn names_that_say_no_scheme_are_refused() {
        for name in
            ["", "qpsk", "qpsk-", "qpsk-1", "qpsk-a/b", "8psk-1/2", "qpsk-1/0", "qpsk-2/2", "qpsk-NaN/2"]
        {
            let error = name.parse::<CodedModulation>().unwrap_err().to_string();
            assert!(error.contains("is not possible: allowed is"), "{error}");
        }
        assert!("qpsk-3/2".parse::<CodedModulation>().unwrap_err().to_string().contains("below 1"));
        assert!("qpsk-inf/inf".parse::<CodedModulation>().is_err());
    }
}
