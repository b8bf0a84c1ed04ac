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
        let mut samples = vec![];
        self.modulate_into(values, &mut samples)?;
        Ok(samples)
    }

    /// The same into memory that is used again.
    ///
    /// - samples: become the burst; what they held is replaced
    pub fn modulate_into(&mut self, values: &[Complex32], samples: &mut Vec<Complex32>) -> Result<()> {
        if let Some(position) = values.iter().position(|value| !value.is_finite()) {
            let value =
                if values[position].re.is_finite() { values[position].im } else { values[position].re };
            return Err(BlockError::NotFinite { what: "payload", who: "burst".into(), position, value });
        }
        samples.resize(self.burst_len(values.len()), Complex32::ZERO);
        let (preamble, body) = samples.split_at_mut(self.preamble.samples().len());
        preamble.copy_from_slice(self.preamble.samples());
        let per_symbol = self.grid.data().len();
        let numerology = self.grid.numerology();
        let symbols = body.chunks_exact_mut(numerology.symbol_len()).zip(values.chunks(per_symbol));
        let mut full;
        for (symbol, (samples, mut data)) in symbols.enumerate() {
            if data.len() < per_symbol {
                full = data.to_vec();
                full.resize(per_symbol, Complex32::ZERO);
                data = &full;
            }
            self.grid.fill(symbol, data, &mut samples[numerology.prefix_len..])?;
            self.transform.modulate_in_place(samples)?;
        }
        Ok(())
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
