//! A carrier that leaks through the mixer: y = x + d.

use super::InPlace;
use crate::{BlockError, Result};
use num_complex::Complex32;

/// Adds a constant to every sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DcOffset {
    offset: Complex32,
}

impl DcOffset {
    /// - errors: an offset that is not finite
    pub fn new(offset: Complex32) -> Result<Self> {
        match offset.is_finite() {
            true => Ok(Self { offset }),
            false => Err(BlockError::invalid("DC offset", offset, "a finite number")),
        }
    }
}

impl InPlace for DcOffset {
    fn apply(&mut self, samples: &mut [Complex32]) -> Result<()> {
        samples.iter_mut().for_each(|sample| *sample += self.offset);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_moves_by_the_offset() {
        let mut samples = vec![Complex32::ONE, -Complex32::ONE];
        DcOffset::new(Complex32::new(0.1, -0.2)).unwrap().apply(&mut samples).unwrap();
        let mean = samples.iter().sum::<Complex32>() / 2.0;
        assert!((mean - Complex32::new(0.1, -0.2)).norm() < 1e-6, "{mean}");
        assert!(DcOffset::new(Complex32::new(f32::NAN, 0.0)).is_err());
    }
}
