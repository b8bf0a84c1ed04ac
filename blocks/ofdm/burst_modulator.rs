//! Symbols to the samples of a burst: preamble, then one OFDM symbol after the other.

use super::{Preamble, ResourceGrid, Transform};
use crate::{BlockError, Result};
use num_complex::Complex32;

/// Makes bursts of symbols of one grid.
#[derive(Clone, Debug)]
pub struct BurstModulator {
    grid: ResourceGrid,
    preamble: Preamble,
    transform: Transform,
}

impl BurstModulator {
    /// - errors: those of [`Preamble::new`]
    pub fn new(grid: &ResourceGrid) -> Result<Self> {
        let preamble = Preamble::new(grid)?;
        Ok(Self { grid: grid.clone(), preamble, transform: Transform::new(*grid.numerology())? })
    }

    /// Samples of a burst of so many data values.
    pub fn burst_len(&self, values: usize) -> usize {
        let symbols = values.div_ceil(self.grid.data().len());
        self.preamble.samples().len() + symbols * self.grid.numerology().symbol_len()
    }

    /// The burst of some data values, of unit mean power each. The last symbol is filled up with silence.
    ///
    /// - values: in the order of symbols, and of ascending frequency within each
    /// - errors: a value that is NaN or infinite, by its place
    pub fn modulate(&mut self, values: &[Complex32]) -> Result<Vec<Complex32>> {
        if let Some(position) = values.iter().position(|value| !value.is_finite()) {
            let value =
                if values[position].re.is_finite() { values[position].im } else { values[position].re };
            return Err(BlockError::NotFinite { what: "payload", who: "burst".into(), position, value });
        }
        let (per_symbol, numerology) = (self.grid.data().len(), *self.grid.numerology());
        let mut samples = Vec::with_capacity(self.burst_len(values.len()));
        samples.extend_from_slice(self.preamble.samples());
        let mut carriers = vec![Complex32::ZERO; numerology.fft_len];
        for (symbol, data) in values.chunks(per_symbol).enumerate() {
            let mut full = data.to_vec();
            full.resize(per_symbol, Complex32::ZERO);
            self.grid.fill(symbol, &full, &mut carriers)?;
            let start = samples.len();
            samples.resize(start + numerology.symbol_len(), Complex32::ZERO);
            self.transform.modulate(&carriers, &mut samples[start..])?;
        }
        Ok(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Numerology;
    use super::*;
    use crate::rng::{Purpose, RngKey, complex_normal};

    #[test]
    fn a_burst_is_its_preamble_and_symbols_that_hold_the_values() {
        let grid = ResourceGrid::new(Numerology::NARROW).unwrap();
        let mut modulator = BurstModulator::new(&grid).unwrap();
        let values = complex_normal(&mut RngKey::new(1).stream(Purpose::Scene, 0, 0), 1.0, 100);
        let samples = modulator.modulate(&values).unwrap();
        assert_eq!(samples.len(), modulator.burst_len(100));
        let (head, body) = samples.split_at(modulator.preamble.samples().len());
        assert_eq!(head, modulator.preamble.samples());
        let mut found = vec![];
        for symbol in body.chunks(grid.numerology().symbol_len()) {
            let mut carriers = symbol[grid.numerology().prefix_len..].to_vec();
            modulator.transform.demodulate(&mut carriers).unwrap();
            found.extend(grid.pick(grid.data(), &carriers).unwrap());
        }
        assert_eq!(found.len(), 4 * 32);
        assert!(found.iter().zip(&values).all(|(a, b)| (a - b).norm() < 1e-5));
        assert!(found[100..].iter().all(|rest| rest.norm() < 1e-5));
        assert_eq!(modulator.modulate(&[]).unwrap().len(), head.len());
        let error = modulator.modulate(&[Complex32::ONE, Complex32::new(0.0, f32::NAN)]).unwrap_err();
        assert!(error.to_string().contains("NaN at position 1"), "{error}");
    }
}
