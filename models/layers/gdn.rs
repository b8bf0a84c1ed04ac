//! Generalised divisive normalisation and its approximate inverse.
//!
//! y_i = x_i / sqrt(beta_i + sum_j gamma_ij x_j^2); the inverse multiplies instead of dividing.
//! Source: Balle, Laparra, Simoncelli, "Density modeling of images using a generalized normalization
//! transformation" (2016).

use super::parameters::{Init, Scope};
use super::torch_layout::Piece;
use crate::ops::affine;
use candle_core::{Result, Tensor};

/// Least beta: keeps the root away from zero.
const LEAST_BETA: f64 = 1e-6;
const FIRST_GAMMA: f32 = 0.1;

/// One normalisation over channels. gamma and beta stay positive as squares of what is learned.
pub struct Gdn {
    /// `[C, C]`: gamma_ij at row j, column i.
    gamma_root: Tensor,
    beta_root: Tensor,
    is_inverse: bool,
}

impl Gdn {
    /// For `width` channels. Starts at beta = 1, gamma = 0.1 on the diagonal.
    pub fn new(width: usize, is_inverse: bool, scope: &Scope) -> Result<Self> {
        let gamma = Piece::matrix("", width, width);
        let beta = Piece::same("", &[width]);
        Ok(Self {
            gamma_root: scope.laid_out(
                "gamma_root",
                &[width, width],
                Init::Diagonal(FIRST_GAMMA.sqrt()),
                &[gamma],
            )?,
            beta_root: scope.laid_out("beta_root", &[1, width], Init::Constant(1.0), &[beta])?,
            is_inverse,
        })
    }

    /// `[B, H, W, C]` -> `[B, H, W, C]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let beta = (self.beta_root.sqr()? + LEAST_BETA)?;
        let weight = Tensor::cat(&[self.gamma_root.sqr()?, beta], 0)?; // [C + 1, C]
        let root = affine(&x.sqr()?, &weight)?.sqrt()?;
        if self.is_inverse { x * root } else { x / root }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::parameters::Parameters;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise_var};
    use candle_core::Device;

    #[test]
    fn equals_the_formula_and_its_gradients_agree_with_finite_differences() {
        let (gamma, beta) = (noise_var(&[3, 3], 2), noise_var(&[1, 3], 3));
        let x = noise_var(&[1, 2, 2, 3], 1);
        for is_inverse in [false, true] {
            let of = |t: &[Tensor]| {
                let gdn = Gdn { gamma_root: t[1].clone(), beta_root: t[2].clone(), is_inverse };
                gdn.forward(&t[0])
            };
            let vars = [x.clone(), gamma.clone(), beta.clone()];
            let inputs: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
            let found = to_vec(&of(&inputs).unwrap()).unwrap();
            let (gamma, beta) = (to_vec(&gamma).unwrap(), to_vec(&beta).unwrap());
            for (pixel, found) in to_vec(&x).unwrap().chunks(3).zip(found.chunks(3)) {
                for i in 0..3 {
                    let sum: f32 = (0..3).map(|j| (gamma[j * 3 + i] * pixel[j]).powi(2)).sum();
                    let root = (beta[i].powi(2) + sum).sqrt();
                    let expected = if is_inverse { pixel[i] * root } else { pixel[i] / root };
                    assert!((found[i] - expected).abs() < 1e-4 * expected.abs().max(1.0));
                }
            }
            check_gradients(&vars, of);
        }
    }

    #[test]
    fn the_inverse_undoes_small_signals() {
        let parameters = Parameters::random(1, &Device::Cpu);
        let there = Gdn::new(4, false, &parameters.root().at("there")).unwrap();
        let back = Gdn::new(4, true, &parameters.root().at("back")).unwrap();
        let x = (noise_var(&[1, 2, 2, 4], 1).as_tensor() * 0.1).unwrap();
        let y = back.forward(&there.forward(&x).unwrap()).unwrap();
        for (a, b) in to_vec(&x).unwrap().iter().zip(to_vec(&y).unwrap()) {
            assert!((a - b).abs() < 1e-3);
        }
    }
}
