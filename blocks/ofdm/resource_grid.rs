//! Which carrier holds what: the one description that all stages share.
//!
//! ```text
//! frequency   -side ................ -1  0  +1 ................ +side
//!             d d p d d d d d p ... d d  .  d d ... p d d d d d p d d      d data, p pilot, . empty
//! ```

use super::Numerology;
use crate::coding::scrambler::scramble_bits;
use crate::{BlockError, Result};
use num_complex::Complex32;

/// Initial state of the sequence that signs pilots.
const PILOT_SEED: u32 = 0x0005_EED1;
/// Symbols after which the signs of pilots come again.
const PILOT_PERIOD: usize = 127;

/// Carriers of a numerology by what they carry. Places in an FFT count from 0, negative frequencies in the upper half.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceGrid {
    numerology: Numerology,
    /// Of all occupied carriers in ascending frequency: place in the FFT.
    occupied: Vec<usize>,
    data: Vec<usize>,
    pilots: Vec<usize>,
    /// Signs of the pilots of one symbol after the other, `[PILOT_PERIOD][pilots]`.
    signs: Vec<f32>,
}

impl ResourceGrid {
    /// The grid of a numerology.
    ///
    /// - errors: those of [`Numerology::check`]
    pub fn new(numerology: Numerology) -> Result<Self> {
        numerology.check()?;
        let Numerology { fft_len, side_carriers, pilot_spacing, .. } = numerology;
        let side = side_carriers as isize;
        let place = |frequency: isize| frequency.rem_euclid(fft_len as isize) as usize;
        let (mut occupied, mut data, mut pilots) = (vec![], vec![], vec![]);
        for (index, frequency) in (-side..=side).filter(|frequency| *frequency != 0).enumerate() {
            occupied.push(place(frequency));
            let is_pilot = index % pilot_spacing == pilot_spacing / 2;
            if is_pilot { &mut pilots } else { &mut data }.push(place(frequency));
        }
        let mut signs = vec![0; PILOT_PERIOD * pilots.len()];
        scramble_bits(PILOT_SEED, &mut signs);
        let signs = signs.into_iter().map(|bit| 1.0 - 2.0 * f32::from(bit)).collect();
        Ok(Self { numerology, occupied, data, pilots, signs })
    }

    /// Its numerology.
    pub fn numerology(&self) -> &Numerology {
        &self.numerology
    }

    /// Places of all occupied carriers, in ascending frequency.
    pub fn occupied(&self) -> &[usize] {
        &self.occupied
    }

    /// Places of the data carriers, in ascending frequency.
    pub fn data(&self) -> &[usize] {
        &self.data
    }

    /// Places of the pilots, in ascending frequency.
    pub fn pilots(&self) -> &[usize] {
        &self.pilots
    }

    /// Signs of the pilots of a symbol, in ascending frequency; a pilot is its sign, at unit power.
    pub fn pilot_signs(&self, symbol: usize) -> &[f32] {
        let start = symbol % PILOT_PERIOD * self.pilots.len();
        &self.signs[start..start + self.pilots.len()]
    }

    /// The frequency of a place in the FFT, in carrier spacings.
    pub fn frequency(&self, place: usize) -> f32 {
        let len = self.numerology.fft_len;
        if place < len / 2 { place as f32 } else { place as f32 - len as f32 }
    }

    /// Share of all samples' energy and time that carries data: data carriers over N and prefix.
    pub fn efficiency(&self) -> f64 {
        self.data.len() as f64 / self.numerology.symbol_len() as f64
    }

    /// Lays data and pilots of a symbol out on all carriers.
    ///
    /// - symbol: its number, which decides the signs of its pilots
    /// - data: `[data carriers]`
    /// - carriers: `[N]`; what it held is replaced
    /// - errors: other lengths
    pub fn fill(&self, symbol: usize, data: &[Complex32], carriers: &mut [Complex32]) -> Result<()> {
        self.check_len(carriers.len())?;
        if data.len() != self.data.len() {
            return Err(BlockError::shape("data carriers of a symbol", self.data.len(), data.len()));
        }
        carriers.fill(Complex32::ZERO);
        self.data.iter().zip(data).for_each(|(place, value)| carriers[*place] = *value);
        let pilots = self.pilots.iter().zip(self.pilot_signs(symbol));
        pilots.for_each(|(place, sign)| carriers[*place] = Complex32::new(*sign, 0.0));
        Ok(())
    }

    /// The values of some carriers.
    ///
    /// - carriers: `[N]`
    /// - errors: another length
    pub fn pick(&self, places: &[usize], carriers: &[Complex32]) -> Result<Vec<Complex32>> {
        self.check_len(carriers.len())?;
        Ok(places.iter().map(|place| carriers[*place]).collect())
    }

    fn check_len(&self, len: usize) -> Result<()> {
        match len == self.numerology.fft_len {
            true => Ok(()),
            false => Err(BlockError::shape("carriers of a symbol", self.numerology.fft_len, len)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_occupied_carrier_is_data_or_pilot_and_the_rest_stays_empty() {
        for (_, numerology) in Numerology::PRESETS {
            let grid = ResourceGrid::new(numerology).unwrap();
            let both: BTreeSet<usize> = grid.data().iter().chain(grid.pilots()).copied().collect();
            assert_eq!(both, grid.occupied().iter().copied().collect());
            assert_eq!(grid.data().len() + grid.pilots().len(), 2 * numerology.side_carriers);
            let side = numerology.side_carriers as f32;
            assert!(grid.occupied().iter().all(|place| (1.0..=side).contains(&grid.frequency(*place).abs())));
            let ascending = |places: &[usize]| {
                places.windows(2).all(|pair| grid.frequency(pair[0]) < grid.frequency(pair[1]))
            };
            assert!(ascending(grid.occupied()) && ascending(grid.data()) && ascending(grid.pilots()));
        }
        let wide = ResourceGrid::new(Numerology::WIDE).unwrap();
        assert_eq!((wide.data().len(), wide.pilots().len()), (770, 70));
        assert!((wide.efficiency() - 770.0 / 1152.0).abs() < 1e-12);
        let narrow = ResourceGrid::new(Numerology::NARROW).unwrap();
        assert_eq!((narrow.data().len(), narrow.pilots().len()), (32, 8));
    }

    #[test]
    fn what_is_laid_out_is_picked_again() {
        let grid = ResourceGrid::new(Numerology::NARROW).unwrap();
        let data: Vec<Complex32> = (0..32).map(|n| Complex32::new(n as f32, 1.0)).collect();
        let mut carriers = vec![Complex32::new(9.0, 9.0); 64];
        grid.fill(3, &data, &mut carriers).unwrap();
        assert_eq!(grid.pick(grid.data(), &carriers).unwrap(), data);
        let pilots = grid.pick(grid.pilots(), &carriers).unwrap();
        let signs: Vec<f32> = pilots.iter().map(|pilot| pilot.re).collect();
        assert_eq!(signs, grid.pilot_signs(3));
        assert_eq!(carriers.iter().filter(|value| **value == Complex32::ZERO).count(), 64 - 40);
        assert!(grid.fill(0, &data[1..], &mut carriers).is_err());
        assert!(grid.pick(grid.data(), &carriers[1..]).is_err());
    }

    #[test]
    fn pilots_change_their_signs_from_symbol_to_symbol() {
        let grid = ResourceGrid::new(Numerology::WIDE).unwrap();
        assert_eq!(grid.pilot_signs(5), grid.pilot_signs(5 + PILOT_PERIOD));
        let sum: f32 = (0..PILOT_PERIOD).flat_map(|symbol| grid.pilot_signs(symbol)).sum();
        // 8,890 signs: a sum of 4 standard deviations.
        assert!(sum.abs() < 4.0 * 8890f32.sqrt(), "{sum}");
        assert_ne!(grid.pilot_signs(0), grid.pilot_signs(1));
    }
}
