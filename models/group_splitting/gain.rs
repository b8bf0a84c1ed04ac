//! Sends the scale of a vector along with it, so that the decoder can undo the scaling to unit power.
//!
//! ```text
//! features v -- s = rms(v) -- [ code of ln s | v / s ] ~~ channel ~~ read s' -- s' * received
//! ```
//! The code takes the first sixteen values of the vector and a little of its energy; both are counted.
//! The vector leaves with unit mean power per value, so power normalisation only halves it per real.

use candle_core::{D, Result, Tensor};
use sememe_blocks::access::GainCode;

const CODE_LEN: usize = GainCode::NUM_FEATURES;

/// Layout of vectors that carry their scale: code, features, values that are not sent.
pub struct Gain {
    len: usize,
    punctured: usize,
}

impl Gain {
    /// For vectors of `len` values of which the last `punctured` are not sent.
    ///
    /// - errors: nothing left for features
    pub fn new(len: usize, punctured: usize) -> Result<Self> {
        if len <= punctured + CODE_LEN {
            candle_core::bail!("{len} features leave nothing beside a scale and {punctured} not sent");
        }
        Ok(Self { len, punctured })
    }

    fn body_len(&self) -> usize {
        self.len - self.punctured - CODE_LEN
    }

    /// Values sent.
    fn sent_len(&self) -> usize {
        self.len - self.punctured
    }

    /// Factor between a body of unit mean power and what is sent of it, once the code has its energy.
    fn body_factor(&self, code: &GainCode) -> f64 {
        ((self.sent_len() as f64 - code.energy()) / self.body_len() as f64).sqrt()
    }

    /// Features `[K, L]` -> (vector `[K, L]` of unit mean power per sent value, scale `[K, 1]`).
    pub fn attach(&self, features: &Tensor, mean_snr: f32) -> Result<(Tensor, Tensor)> {
        let (users, _) = features.dims2()?;
        let code = GainCode::leading(self.sent_len(), noise_of(mean_snr));
        let body = features.narrow(1, CODE_LEN, self.body_len())?;
        let scale = (body.sqr()?.mean_keepdim(D::Minus1)? + 1e-12)?.sqrt()?; // [K, 1]
        let body = (body.broadcast_div(&scale)? * self.body_factor(&code))?;
        let mut symbols = vec![0f32; users * CODE_LEN];
        let scales = scale.flatten_all()?.to_vec1::<f32>()?;
        for (symbols, scale) in symbols.chunks_exact_mut(CODE_LEN).zip(scales) {
            code.write(GainCode::clamp(f64::from(scale).ln()), code.energy(), symbols);
        }
        let symbols = Tensor::from_vec(symbols, (users, CODE_LEN), features.device())?;
        let unsent = Tensor::zeros((users, self.punctured), features.dtype(), features.device())?;
        Ok((Tensor::cat(&[symbols, body, unsent], 1)?, scale))
    }

    /// Received vectors -> (features, ln scale `[K, 1]`), features shrunk as LMMSE estimates are.
    ///
    /// - snr: of each user after its equaliser, linear
    /// - true_scale: where known, as in training, gradients flow through it; its value is still what the
    ///   code tells
    pub fn detach(
        &self,
        received: &Tensor,
        mean_snr: f32,
        snr: &[f32],
        true_scale: Option<&Tensor>,
    ) -> Result<(Tensor, Tensor)> {
        let users = received.dim(0)?;
        let code = GainCode::leading(self.sent_len(), noise_of(mean_snr));
        let rows = received.detach().to_vec2::<f32>()?;
        let (mut gains, mut scales) = (Vec::with_capacity(users), Vec::with_capacity(users));
        for (row, snr) in rows.iter().zip(snr) {
            let sent = &row[..self.sent_len()];
            let noise = noise_of(*snr);
            let energy: f64 = sent.iter().map(|v| f64::from(*v).powi(2)).sum();
            // Brings values to unit power plus noise, whatever the equaliser did to their level.
            let gain =
                if energy > 0.0 { (self.sent_len() as f64 * (1.0 + noise) / energy).sqrt() } else { 0.0 };
            scales.push(code.read(sent, gain, noise) as f32);
            gains.push((gain / (1.0 + noise) / self.body_factor(&code)) as f32);
        }
        let gains = Tensor::from_vec(gains, (users, 1), received.device())?;
        let told = Tensor::from_vec(scales, (users, 1), received.device())?;
        let scale = match true_scale {
            Some(scale) => (scale * (told / scale.detach())?)?,
            None => told,
        };
        let body = received.narrow(1, CODE_LEN, self.body_len())?.broadcast_mul(&(gains * &scale)?)?;
        let before = Tensor::zeros((users, CODE_LEN), received.dtype(), received.device())?;
        let after = Tensor::zeros((users, self.punctured), received.dtype(), received.device())?;
        Ok((Tensor::cat(&[before, body, after], 1)?, scale.log()?))
    }
}

/// Noise variance per value in units of its power; bounded, since the receiver divides by it.
fn noise_of(snr: f32) -> f64 {
    1.0 / f64::from(snr).clamp(1e-6, 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise_var;

    #[test]
    fn the_scale_survives_normalisation() {
        let gain = Gain::new(300, 16).unwrap();
        let features = (noise_var(&[3, 300], 1).as_tensor() * 2.5).unwrap();
        let (sent, scale) = gain.attach(&features, 100.0).unwrap();
        let power = sent.sqr().unwrap().sum(1).unwrap().to_vec1::<f32>().unwrap();
        assert!(power.iter().all(|p| (p / 284.0 - 1.0).abs() < 1e-3), "{power:?}");
        for level in [0.1, 0.7] {
            let received = (&sent * level).unwrap();
            let (found, log_scale) = gain.detach(&received, 100.0, &[1e6; 3], None).unwrap();
            let expected = to_vec(&scale.log().unwrap()).unwrap();
            for (a, b) in to_vec(&log_scale).unwrap().iter().zip(expected) {
                assert!((a - b).abs() < 0.01, "{a} {b}");
            }
            let body = |t: &Tensor| to_vec(&t.narrow(1, 16, 268).unwrap().contiguous().unwrap()).unwrap();
            for (a, b) in body(&found).iter().zip(body(&features)) {
                assert!((a - b).abs() < 0.02 * b.abs() + 0.01, "{a} {b}");
            }
        }
    }

    #[test]
    fn silence_is_decoded_without_nan() {
        let gain = Gain::new(64, 0).unwrap();
        let silent = Tensor::zeros((1, 64), candle_core::DType::F32, &candle_core::Device::Cpu).unwrap();
        let (found, log_scale) = gain.detach(&silent, 1.0, &[0.0], None).unwrap();
        assert!(to_vec(&found).unwrap().iter().chain(&to_vec(&log_scale).unwrap()).all(|v| v.is_finite()));
        let (sent, _) = gain.attach(&silent, 1.0).unwrap();
        assert!(to_vec(&sent).unwrap().iter().all(|v| v.is_finite()));
        assert!(Gain::new(20, 4).is_err());
    }
}
