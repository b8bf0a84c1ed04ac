//! The constellations of 5G NR: bits to complex symbols of unit mean energy, Gray on each rail.
//!
//! Bits 0, 2, 4, ... of a symbol choose its real part and bits 1, 3, 5, ... its imaginary part, by the same
//! rule: the first bit is the sign, and each later one folds the axis once more.
//! Source: 3GPP TS 38.211, section 5.1 (1024-QAM from release 17).

use crate::{BlockError, Result};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A constellation, written `bpsk`, `qpsk`, `16qam`, `64qam`, `256qam` or `1024qam`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Modulation {
    /// One bit on the diagonal, (1 - 2 b) (1 + j) / sqrt(2): not the real axis of textbooks.
    #[serde(rename = "bpsk")]
    Bpsk,
    /// Two bits.
    #[serde(rename = "qpsk")]
    Qpsk,
    /// Four bits.
    #[serde(rename = "16qam")]
    Qam16,
    /// Six bits.
    #[serde(rename = "64qam")]
    Qam64,
    /// Eight bits.
    #[serde(rename = "256qam")]
    Qam256,
    /// Ten bits.
    #[serde(rename = "1024qam")]
    Qam1024,
}

/// Amplitudes of one rail by the label of its bits, the first bit highest.
type Rail = [f32; 32];

impl Modulation {
    /// All of them, by bits per symbol.
    pub const ALL: [Modulation; 6] = [
        Modulation::Bpsk,
        Modulation::Qpsk,
        Modulation::Qam16,
        Modulation::Qam64,
        Modulation::Qam256,
        Modulation::Qam1024,
    ];

    /// The name as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            Modulation::Bpsk => "bpsk",
            Modulation::Qpsk => "qpsk",
            Modulation::Qam16 => "16qam",
            Modulation::Qam64 => "64qam",
            Modulation::Qam256 => "256qam",
            Modulation::Qam1024 => "1024qam",
        }
    }

    /// Number of bits in a symbol.
    pub const fn bits_per_symbol(self) -> usize {
        match self {
            Modulation::Bpsk => 1,
            Modulation::Qpsk => 2,
            Modulation::Qam16 => 4,
            Modulation::Qam64 => 6,
            Modulation::Qam256 => 8,
            Modulation::Qam1024 => 10,
        }
    }

    /// Number of bits that choose the amplitude of one rail; BPSK has a single rail, the diagonal.
    pub const fn bits_per_rail(self) -> usize {
        self.bits_per_symbol().div_ceil(2)
    }

    /// Half the distance between neighbouring amplitudes of a rail: 1, 1 / sqrt(2), 1 / sqrt(10), ...
    ///
    /// A rail holds the odd multiples of it: 1, 3, ..., 2^m - 1 and their negatives, with m bits per rail.
    /// For BPSK it is that of the diagonal.
    pub fn half_step(self) -> f64 {
        let energy = match self {
            Modulation::Bpsk => 1.0,
            Modulation::Qpsk => 2.0,
            Modulation::Qam16 => 10.0,
            Modulation::Qam64 => 42.0,
            Modulation::Qam256 => 170.0,
            Modulation::Qam1024 => 682.0,
        };
        1.0 / f64::sqrt(energy)
    }

    /// All symbols; that of bits b0, b1, ... stands at the index whose binary digits they are, b0 highest.
    pub fn points(self) -> Vec<Complex32> {
        let num_bits = self.bits_per_symbol();
        let bits: Vec<u8> = (0..1usize << num_bits)
            .flat_map(|label| (0..num_bits).rev().map(move |place| ((label >> place) & 1) as u8))
            .collect();
        let mut points = Vec::new();
        self.map_valid(&bits, &mut points);
        points
    }

    /// Maps bits to symbols, which replace what `symbols` held.
    ///
    /// - bits: `[n * bits_per_symbol]`, 0 or 1 -> symbols: `[n]`, unit mean energy
    /// - errors: a number of bits that does not divide; a byte that is neither 0 nor 1
    pub fn map_into(self, bits: &[u8], symbols: &mut Vec<Complex32>) -> Result<()> {
        let per_symbol = self.bits_per_symbol();
        if !bits.len().is_multiple_of(per_symbol) {
            let allowed = format!("a multiple of {per_symbol}, the bits per symbol of {self}");
            return Err(BlockError::invalid("number of bits", bits.len(), allowed));
        }
        if bits.iter().fold(0, |all, bit| all | bit) > 1
            && let Some(position) = bits.iter().position(|bit| *bit > 1)
        {
            let found = format!("{} at position {position}", bits[position]);
            return Err(BlockError::invalid("bit", found, "0 or 1"));
        }
        self.map_valid(bits, symbols);
        Ok(())
    }

    /// As [`Modulation::map_into`], in a new vector.
    pub fn map(self, bits: &[u8]) -> Result<Vec<Complex32>> {
        let mut symbols = Vec::new();
        self.map_into(bits, &mut symbols)?;
        Ok(symbols)
    }

    fn map_valid(self, bits: &[u8], symbols: &mut Vec<Complex32>) {
        symbols.clear();
        let rail = self.rail();
        match self {
            Modulation::Bpsk => symbols.extend(bits.iter().map(|bit| {
                let part = rail[usize::from(bit & 1)];
                Complex32::new(part, part)
            })),
            Modulation::Qpsk => map_symbols::<2>(bits, &rail, symbols),
            Modulation::Qam16 => map_symbols::<4>(bits, &rail, symbols),
            Modulation::Qam64 => map_symbols::<6>(bits, &rail, symbols),
            Modulation::Qam256 => map_symbols::<8>(bits, &rail, symbols),
            Modulation::Qam1024 => map_symbols::<10>(bits, &rail, symbols),
        }
    }

    /// Amplitudes of the real part, which are those of the imaginary part.
    fn rail(self) -> Rail {
        let num_bits = self.bits_per_rail();
        let half_step = match self {
            Modulation::Bpsk => std::f64::consts::FRAC_1_SQRT_2,
            _ => self.half_step(),
        };
        let mut rail = [0.0; 32];
        for (label, amplitude) in rail.iter_mut().enumerate().take(1 << num_bits) {
            *amplitude = (f64::from(multiple(num_bits, label)) * half_step) as f32;
        }
        rail
    }
}

/// The odd number at a label of m bits: s0 (2^(m-1) - s1 (2^(m-2) - ... s(m-1))), with s = 1 - 2 b.
fn multiple(num_bits: usize, label: usize) -> i16 {
    // From the last bit, the lowest of the label, to the first.
    (0..num_bits).fold(0, |inner, place| {
        let sign = 1 - 2 * ((label >> place) & 1) as i16;
        sign * ((1 << place) - inner)
    })
}

/// Maps groups of `BITS` bits by the table of a rail; bits behind the last whole group are left out.
fn map_symbols<const BITS: usize>(bits: &[u8], rail: &Rail, symbols: &mut Vec<Complex32>) {
    let (groups, _) = bits.as_chunks::<BITS>();
    symbols.extend(groups.iter().map(|group| {
        let label = |first: usize| {
            (first..BITS).step_by(2).fold(0, |label, place| (label << 1) | usize::from(group[place])) & 31
        };
        Complex32::new(rail[label(0)], rail[label(1)])
    }));
}

impl fmt::Display for Modulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Modulation {
    type Err = BlockError;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|modulation| modulation.name() == name);
        known.ok_or_else(|| {
            let allowed = Self::ALL.map(Self::name).join(", ");
            BlockError::invalid("modulation", format!("{name:?}"), allowed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// The rail of TS 38.211, sections 5.1.4 to 5.1.7, as printed there.
    fn printed(b: &[u8]) -> f64 {
        let s: Vec<f64> = b.iter().map(|bit| 1.0 - 2.0 * f64::from(*bit)).collect();
        match s.len() {
            1 => s[0],
            2 => s[0] * (2.0 - s[1]),
            3 => s[0] * (4.0 - s[1] * (2.0 - s[2])),
            4 => s[0] * (8.0 - s[1] * (4.0 - s[2] * (2.0 - s[3]))),
            _ => s[0] * (16.0 - s[1] * (8.0 - s[2] * (4.0 - s[3] * (2.0 - s[4])))),
        }
    }

    fn bits_of(modulation: Modulation, label: usize) -> Vec<u8> {
        (0..modulation.bits_per_symbol()).rev().map(|place| ((label >> place) & 1) as u8).collect()
    }

    #[test]
    fn every_point_is_that_of_the_standard() {
        for modulation in &Modulation::ALL[1..] {
            for (label, point) in modulation.points().into_iter().enumerate() {
                let bits = bits_of(*modulation, label);
                let rail =
                    |first: usize| -> Vec<u8> { bits.iter().skip(first).step_by(2).copied().collect() };
                for (part, first) in [(point.re, 0), (point.im, 1)] {
                    let expected = printed(&rail(first)) * modulation.half_step();
                    assert!((f64::from(part) - expected).abs() < 1e-7, "{modulation} {bits:?}: {point}");
                }
            }
        }
        let diagonal = Complex32::new(1.0, 1.0) / 2f32.sqrt();
        let bpsk = Modulation::Bpsk.points();
        assert!((bpsk[0] - diagonal).norm() < 1e-7 && (bpsk[1] + diagonal).norm() < 1e-7);
    }

    #[test]
    fn points_worked_by_hand() {
        let symbol = |modulation: Modulation, bits: &[u8]| modulation.map(bits).unwrap()[0];
        let near = |a: Complex32, re: f32, im: f32, energy: f32| {
            assert!((a * energy.sqrt() - Complex32::new(re, im)).norm() < 1e-5, "{a} is not {re} {im}");
        };
        near(symbol(Modulation::Qpsk, &[1, 0]), -1.0, 1.0, 2.0);
        near(symbol(Modulation::Qam16, &[0, 1, 1, 0]), 3.0, -1.0, 10.0);
        near(symbol(Modulation::Qam64, &[1, 0, 1, 0, 1, 1]), -7.0, 1.0, 42.0);
        near(symbol(Modulation::Qam256, &[0, 0, 0, 0, 0, 0, 0, 0]), 5.0, 5.0, 170.0);
        near(symbol(Modulation::Qam1024, &[0, 1, 1, 0, 1, 0, 1, 0, 1, 0]), 31.0, -11.0, 682.0);
    }

    #[test]
    fn mean_energy_is_one_and_neighbours_differ_in_one_bit() {
        for modulation in Modulation::ALL {
            let points = modulation.points();
            assert_eq!(points.len(), 1 << modulation.bits_per_symbol());
            let energy: f64 = points.iter().map(|point| f64::from(point.norm_sqr())).sum();
            assert!((energy / points.len() as f64 - 1.0).abs() < 1e-6, "{modulation}");
            // Real part in half steps -> labels of the real rail there.
            let mut rail = BTreeMap::new();
            for (label, point) in points.iter().enumerate() {
                let place = (f64::from(point.re) / modulation.half_step()).round() as i32;
                let bits: Vec<u8> = bits_of(modulation, label).into_iter().step_by(2).collect();
                assert_eq!(rail.entry(place).or_insert_with(|| bits.clone()), &bits, "{modulation}");
            }
            let labels: Vec<_> = rail.values().collect();
            for pair in labels.windows(2) {
                assert_eq!(pair[0].iter().zip(pair[1]).filter(|(a, b)| a != b).count(), 1, "{modulation}");
            }
        }
    }

    #[test]
    fn long_sequences_are_mapped_symbol_by_symbol() {
        let bits: Vec<u8> = (0..600).map(|i| u8::from(i % 7 < 3 || i % 11 == 5)).collect();
        let mut symbols = vec![Complex32::I; 3];
        for modulation in Modulation::ALL {
            let points = modulation.points();
            modulation.map_into(&bits, &mut symbols).unwrap();
            let label = |group: &[u8]| group.iter().fold(0, |label, bit| 2 * label + usize::from(*bit));
            let expected: Vec<_> =
                bits.chunks(modulation.bits_per_symbol()).map(|group| points[label(group)]).collect();
            assert_eq!(symbols, expected, "{modulation}");
        }
        Modulation::Qam64.map_into(&[], &mut symbols).unwrap();
        assert!(symbols.is_empty());
    }

    #[test]
    fn what_cannot_be_mapped_is_refused_with_what_can() {
        let error = |bits: &[u8]| Modulation::Qam64.map(bits).unwrap_err().to_string();
        assert!(error(&[0; 7]).contains("a multiple of 6"));
        assert!(error(&[0, 1, 0, 0, 255, 0]).contains("255 at position 4"));
    }

    #[test]
    fn names_are_the_same_everywhere() {
        #[derive(Serialize, Deserialize)]
        struct Table {
            modulation: Modulation,
        }
        for modulation in Modulation::ALL {
            assert_eq!(modulation.name().parse::<Modulation>().unwrap(), modulation);
            let text = toml::to_string(&Table { modulation }).unwrap();
            assert_eq!(text, format!("modulation = \"{modulation}\"\n"));
            assert_eq!(toml::from_str::<Table>(&text).unwrap().modulation, modulation);
        }
        let error = "32qam".parse::<Modulation>().unwrap_err().to_string();
        assert!(error.contains("32qam") && error.contains("bpsk, qpsk, 16qam, 64qam, 256qam, 1024qam"));
        let error = toml::from_str::<Table>("modulation = \"QPSK\"").err().unwrap().to_string();
        assert!(error.contains("`qpsk`"), "{error}");
    }
}
