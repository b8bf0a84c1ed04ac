//! Symbols from a finite constellation: quantised on the way out, straight through on the way back.
//! Source: Tung et al., "DeepJSCC-Q: constellation constrained deep joint source-channel coding" (2022);
//! gradients pass the quantiser unchanged, where the paper softens it.

use candle_core::{D, Result, Tensor, bail};

/// A square constellation of unit mean power over its points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constellation {
    /// Levels of each dimension.
    levels: usize,
    /// Half the distance between levels.
    half_step: f64,
}

impl Constellation {
    /// - errors: a number of points that is not the square of an even number
    pub fn new(points: usize) -> Result<Self> {
        let levels = points.isqrt();
        if levels * levels != points || !levels.is_multiple_of(2) || points == 0 || points > 1 << 16 {
            bail!(
                "constellation = {points} is not possible: allowed is 4, 16, 36, 64 and so on, up to 65536"
            );
        }
        Ok(Self { levels, half_step: (1.5 / (points as f64 - 1.0)).sqrt() })
    }

    /// Vectors `[K, L]`, two values to a symbol: scaled to unit mean power per symbol, then each value taken to
    /// the nearest level.
    ///
    /// Power normalisation behind this changes the scale of a vector once more, as far as its points are not
    /// used alike.
    pub fn quantize(&self, vectors: &Tensor) -> Result<Tensor> {
        let power = (vectors.sqr()?.mean_keepdim(D::Minus1)? + 1e-12)?; // per value
        let unit = vectors.broadcast_div(&(power * 2.0)?.sqrt()?)?;
        let nearest = self.nearest(&unit.detach())?;
        &unit + (nearest - unit.detach())?
    }

    /// Levels are the odd multiples of half a step.
    fn nearest(&self, unit: &Tensor) -> Result<Tensor> {
        let top = self.levels as f64 - 1.0;
        let index = unit.affine(0.5 / self.half_step, 0.5 * top)?.round()?.clamp(0.0, top)?;
        index.affine(2.0 * self.half_step, -top * self.half_step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise_var;

    #[test]
    fn all_points_together_have_unit_power() {
        for (points, side) in [(4, 2), (16, 4), (64, 8)] {
            let c = Constellation::new(points).unwrap();
            let power: f64 = (0..side)
                .map(|level| ((2.0 * f64::from(level) - f64::from(side) + 1.0) * c.half_step).powi(2))
                .sum::<f64>()
                / f64::from(side);
            assert!((2.0 * power - 1.0).abs() < 1e-12, "{points}: {power}");
        }
        for points in [0, 1, 2, 8, 9, 32, 1 << 20] {
            assert!(Constellation::new(points).is_err(), "{points}");
        }
    }

    #[test]
    fn every_value_takes_the_nearest_level_and_gradients_pass() {
        let x = noise_var(&[3, 400], 1);
        let constellation = Constellation::new(16).unwrap();
        let y = constellation.quantize(x.as_tensor()).unwrap();
        let levels: Vec<f32> = [-3.0, -1.0, 1.0, 3.0].map(|l: f32| l / 10f32.sqrt()).to_vec();
        let x_rows = x.as_tensor().to_vec2::<f32>().unwrap();
        for (row, quantized) in x_rows.iter().zip(y.to_vec2::<f32>().unwrap()) {
            let scale = (2.0 * row.iter().map(|v| v * v).sum::<f32>() / 400.0).sqrt();
            for (value, found) in row.iter().zip(quantized) {
                let apart = |level: &f32| (level - value / scale).abs();
                let nearest = levels.iter().min_by(|a, b| apart(a).total_cmp(&apart(b))).unwrap();
                assert!((found - nearest).abs() < 1e-5, "{value}: {found} {nearest}");
            }
        }
        // Gradients are those of the scaling alone: orthogonal to the vector itself, for its length is lost.
        let w = noise_var(&[3, 400], 2);
        let gradients = (y * w.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
        let gradient = gradients.get(&x).unwrap();
        let along = (gradient * x.as_tensor()).unwrap().sum(1).unwrap();
        assert!(to_vec(&along).unwrap().iter().all(|v| v.abs() < 1e-2));
        assert!(to_vec(gradient).unwrap().iter().any(|v| v.abs() > 0.1));
    }
}
