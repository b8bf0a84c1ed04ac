//! Known symbols as they were received, gathered carrier by carrier: what a channel and its noise are estimated from.

use super::ResourceGrid;
use crate::{BlockError, Result};
use num_complex::{Complex32, Complex64};

/// Least squares estimates of h from several symbols: their weighted mean, and by how much they differ.
///
/// Of estimates z of variances N0 / w, sum w |z - mean|^2 is N0 times one less than there are, in the mean.
#[derive(Clone, Debug)]
pub struct Sounding {
    places: Vec<usize>,
    /// Sum of w z of each occupied carrier.
    sums: Vec<Complex64>,
    /// Sum of w |z|^2 over all of them.
    energy: f64,
    weight: f64,
    symbols: usize,
}

impl Sounding {
    /// Nothing yet.
    pub fn new(grid: &ResourceGrid) -> Self {
        let places = grid.occupied().to_vec();
        let sums = vec![Complex64::ZERO; places.len()];
        Self { places, sums, energy: 0.0, weight: 0.0, symbols: 0 }
    }

    /// Adds a symbol.
    ///
    /// - estimates: h of every carrier, `[N]`, of which the occupied ones count
    /// - weight: power at which the known values were sent
    /// - errors: too few carriers
    pub fn add(&mut self, estimates: &[Complex32], weight: f32) -> Result<()> {
        let highest = self.places.iter().copied().max().unwrap_or(0);
        if estimates.len() <= highest {
            return Err(BlockError::shape(
                "carriers of a sounding",
                format!("{} or more", highest + 1),
                estimates.len(),
            ));
        }
        let weight = f64::from(weight);
        for (sum, place) in self.sums.iter_mut().zip(&self.places) {
            let estimate = Complex64::new(estimates[*place].re.into(), estimates[*place].im.into());
            *sum += estimate * weight;
            self.energy += weight * estimate.norm_sqr();
        }
        (self.weight, self.symbols) = (self.weight + weight, self.symbols + 1);
        Ok(())
    }

    /// Sum of all weights: a mean has 1 / weight of the noise of a symbol.
    pub fn weight(&self) -> f32 {
        self.weight as f32
    }

    /// The mean on each occupied carrier, in ascending frequency.
    pub fn means(&self) -> Vec<Complex32> {
        let mean =
            |sum: &Complex64| Complex32::new((sum.re / self.weight) as f32, (sum.im / self.weight) as f32);
        self.sums.iter().map(mean).collect()
    }

    /// Variance of the noise on a carrier, without bias.
    ///
    /// - errors: less than two symbols
    pub fn noise_variance(&self) -> Result<f32> {
        if self.symbols < 2 {
            return Err(BlockError::shape("symbols of a sounding", "2 or more", self.symbols));
        }
        let of_means = self.sums.iter().map(|sum| sum.norm_sqr()).sum::<f64>() / self.weight;
        let degrees = (self.symbols - 1) * self.places.len();
        Ok(((self.energy - of_means).max(0.0) / degrees as f64) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Numerology;
    use super::*;
    use crate::rng::{Purpose, RngKey, complex_normal};

    #[test]
    fn symbols_of_any_weight_give_mean_and_noise_without_bias() {
        let grid = ResourceGrid::new(Numerology::WIDE).unwrap();
        let h = Complex32::new(0.6, -0.8);
        let mut sounding = Sounding::new(&grid);
        assert!(sounding.noise_variance().is_err());
        for (symbol, weight) in [2.0, 2.0, 1.0, 1.0, 0.25].into_iter().enumerate() {
            let mut rng = RngKey::new(9).stream(Purpose::Fading, 0, symbol);
            let noise = complex_normal(&mut rng, 0.04 / weight, 1024);
            let estimates: Vec<Complex32> = noise.into_iter().map(|n| h + n).collect();
            sounding.add(&estimates, weight).unwrap();
        }
        // 4 x 840 degrees of freedom: a deviation of 1.7 %.
        let noise = sounding.noise_variance().unwrap();
        assert!((noise / 0.04 - 1.0).abs() < 0.07, "{noise}");
        let error = sounding.means().iter().map(|mean| (mean - h).norm_sqr()).sum::<f32>() / 840.0;
        assert!((error * sounding.weight() / 0.04 - 1.0).abs() < 0.14, "{error}");
        assert!(sounding.add(&[Complex32::ONE; 1023], 1.0).is_err());
    }
}
