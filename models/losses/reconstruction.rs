//! How far a reconstruction is from its image.

use candle_core::{D, Result, Tensor};
use serde::{Deserialize, Serialize};

/// Added to squared errors of `Psnr`, in units of full scale: a floor at 60 dB.
const PSNR_FLOOR: f64 = 1e-6;

/// The reconstruction term of a loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reconstruction {
    /// Mean of sqrt(d^2 + epsilon^2), epsilon = 1e-3. Source: paper A, eq. 8.
    #[default]
    Charbonnier,
    /// Mean of d^2.
    Mse,
    /// Mean over images of ln(mean d^2): what mean PSNR measures, up to a factor. Every image and every
    /// SNR weighs alike, where a plain mean of squares looks at the worst only.
    Psnr,
}

impl Reconstruction {
    /// The loss between images `[K, H, W, 3]` in units of full scale.
    pub fn loss(self, images: &Tensor, decoded: &Tensor) -> Result<Tensor> {
        const EPSILON: f64 = 1e-3;
        let squared = images.sub(decoded)?.sqr()?;
        match self {
            Self::Charbonnier => (squared + EPSILON * EPSILON)?.sqrt()?.mean_all(),
            Self::Mse => squared.mean_all(),
            Self::Psnr => (squared.flatten_from(1)?.mean(D::Minus1)? + PSNR_FLOOR)?.log()?.mean_all(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check_gradients, noise_var};
    use candle_core::Device;

    #[test]
    fn worked_by_hand() {
        let image =
            Tensor::new(&[[0f32, 1.0], [0.5, 0.5]], &Device::Cpu).unwrap().reshape((2, 1, 1, 2)).unwrap();
        let decoded = Tensor::new(&[[0f32, 0.0], [0.5, 0.4]], &Device::Cpu).unwrap();
        let decoded = decoded.reshape((2, 1, 1, 2)).unwrap();
        let loss = |kind: Reconstruction| kind.loss(&image, &decoded).unwrap().to_scalar::<f32>().unwrap();
        assert!((loss(Reconstruction::Mse) - 0.2525).abs() < 1e-6);
        assert!((loss(Reconstruction::Charbonnier) - 0.2755).abs() < 1e-5);
        let expected = ((0.5f64 + PSNR_FLOOR).ln() + (0.005f64 + PSNR_FLOOR).ln()) / 2.0;
        assert!((loss(Reconstruction::Psnr) as f64 - expected).abs() < 1e-4);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let vars = [noise_var(&[2, 2, 3, 3], 1), noise_var(&[2, 2, 3, 3], 2)];
        for kind in [Reconstruction::Charbonnier, Reconstruction::Mse, Reconstruction::Psnr] {
            check_gradients(&vars, |t| kind.loss(&t[0], &t[1])?.reshape(1));
        }
    }
}
