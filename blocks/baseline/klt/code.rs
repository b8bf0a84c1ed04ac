//! Which coefficients travel, at which power, in which places: all that encoder and decoder share.

use super::allocation::reverse_water_fill;
use super::tiling::{TILE_LEN, Tiling};
use super::transform::KltTransform;
use crate::access::GainCode;
use crate::units::Decibel;
use crate::{BlockError, Result};
use ndarray::{Array2, Array3, ArrayView3};
use std::sync::Arc;

/// SNR beyond which channels count as free of noise, linear.
const MAX_SNR: f64 = 1e9;

/// A linear code for images of one size at one rate, designed for one mean SNR.
///
/// The coefficients of all tiles, strongest position first, fill the values that the gain code
/// leaves; the last position may be sent for the first tiles only. Positions whose power is 0 and
/// values beyond the last coefficient stay silent.
#[derive(Clone, Debug)]
pub struct KltCode {
    pub(super) transform: Arc<KltTransform>,
    tiling: Tiling,
    num_features: usize,
    /// Place in the vector of each coefficient sent, position by position, tile by tile.
    places: Vec<usize>,
    /// Of each position sent: power, and amplitude per unit of the coefficient.
    positions: Vec<(f64, f32)>,
    gain: GainCode,
}

impl KltCode {
    /// Designs a code.
    ///
    /// - size: height and width of the images in pixels
    /// - num_features: real values per image, 2N for N complex channel uses with both
    ///   dimensions in use
    /// - snr: mean SNR per complex channel use; infinite is possible
    /// - errors: an odd or too small number of values, an image without pixels, an SNR that is no
    ///   number or minus infinity
    pub fn new(
        transform: Arc<KltTransform>,
        size: (usize, usize),
        num_features: usize,
        snr: Decibel,
    ) -> Result<Self> {
        let tiling = Tiling::new(size.0, size.1)?;
        if num_features % 2 == 1 || num_features <= GainCode::NUM_FEATURES {
            let allowed = format!("an even number above {}", GainCode::NUM_FEATURES);
            return Err(BlockError::invalid("values per image", num_features, allowed));
        }
        if snr.0.is_nan() || snr.0 == f32::NEG_INFINITY {
            return Err(BlockError::invalid("design SNR in dB", snr.0, "a number"));
        }
        let noise = f64::from(snr.noise_variance()).min(MAX_SNR);
        let gain = GainCode::spread(num_features, noise);
        let room = num_features - GainCode::NUM_FEATURES;
        let num_tiles = tiling.num_tiles();
        let counts: Vec<usize> =
            (0..TILE_LEN).map(|position| room.saturating_sub(position * num_tiles).min(num_tiles)).collect();
        let total = num_features as f64 - gain.energy();
        let powers = reverse_water_fill(transform.variances(), &counts, noise, total);
        let amplitude = |(power, variance): (f64, &f64)| (power, (power / variance).sqrt() as f32);
        let positions: Vec<_> = powers
            .into_iter()
            .zip(transform.variances())
            .take_while(|(power, _)| *power > 0.0)
            .map(amplitude)
            .collect();
        let num_sent = counts[..positions.len()].iter().sum();
        let mut taken = vec![false; num_features];
        gain.places().iter().for_each(|place| (taken[place.0], taken[place.1]) = (true, true));
        let places = (0..num_features).filter(|place| !taken[*place]).take(num_sent).collect();
        Ok(Self { transform, tiling, num_features, places, positions, gain })
    }

    /// Real values per image.
    pub fn num_features(&self) -> usize {
        self.num_features
    }

    /// Height and width of the images in pixels.
    pub fn size(&self) -> (usize, usize) {
        self.tiling.size()
    }

    /// Coefficients that are sent of an image.
    pub fn num_coefficients(&self) -> usize {
        self.places.len()
    }

    /// Mean square error per colour value that the design promises at an SNR (linear, per complex
    /// channel use) for images with the statistics of the fit, the gain being known exactly.
    pub fn expected_error(&self, snr: f64) -> f64 {
        let noise = 1.0 / snr;
        let variances = self.transform.variances();
        let all: f64 = variances.iter().sum::<f64>() * self.tiling.num_tiles() as f64;
        let saved = |n: usize| {
            let position = n / self.tiling.num_tiles();
            let power = self.positions[position].0;
            variances[position] * power / (power + noise)
        };
        let remaining = all - (0..self.places.len()).map(saved).sum::<f64>();
        remaining / (self.tiling.num_tiles() * TILE_LEN) as f64
    }

    /// The values for one image `[height, width, 3]`, at unit mean power.
    ///
    /// - errors: an image of another size
    pub fn encode(&self, image: ArrayView3<u8>) -> Result<Vec<f32>> {
        let num_tiles = self.tiling.num_tiles();
        let coefficients = self.transform.analyze(&self.tiling.cut(image)?, self.positions.len());
        let weighted = |n: usize| {
            let position = n / num_tiles;
            coefficients[[n % num_tiles, position]] * self.positions[position].1
        };
        let mut features = vec![0.0; self.num_features];
        let mut energy = 0.0;
        for (n, &place) in self.places.iter().enumerate() {
            features[place] = weighted(n);
            energy += f64::from(features[place]).powi(2);
        }
        let total = self.num_features as f64;
        let nominal = total - self.gain.energy();
        let x = GainCode::clamp(0.5 * (energy / nominal).ln());
        // A scale beyond the range that can be told makes the image fainter; one below it leaves
        // energy over, which the gain code takes.
        let scale = (-x).exp().min((nominal / energy).sqrt());
        features.iter_mut().for_each(|value| *value *= scale as f32);
        self.gain.write(x, total - energy * scale * scale, &mut features);
        Ok(features)
    }

    /// Estimates an image from the values received for it.
    ///
    /// Any positive factor on all values is undone first, since the power of what was sent is known:
    /// symbols may come from any equaliser, with its bias, or from none.
    /// - snr: linear, per complex channel use; where it is not above 0, or nothing but zeros
    ///   arrived, the estimate is the mean tile everywhere
    /// - errors: another number of values, or one that is NaN or infinite
    pub fn decode(&self, received: &[f32], snr: f32) -> Result<Array3<u8>> {
        if received.len() != self.num_features {
            return Err(BlockError::shape("values of an image", self.num_features, received.len()));
        }
        if let Some(position) = received.iter().position(|value| !value.is_finite()) {
            let (value, who) = (received[position], "an image".to_string());
            return Err(BlockError::NotFinite { what: "received vector", who, position, value });
        }
        let num_tiles = self.tiling.num_tiles();
        let mut coefficients = Array2::zeros((num_tiles, self.positions.len()));
        let energy: f64 = received.iter().map(|value| f64::from(*value).powi(2)).sum();
        if snr > 0.0 && energy > 0.0 {
            let noise = 1.0 / f64::from(snr).min(MAX_SNR);
            let gain = (self.num_features as f64 * (1.0 + noise) / energy).sqrt();
            let scale = gain * self.gain.read(received, gain, noise);
            let factors: Vec<f32> = self
                .positions
                .iter()
                .map(|(power, amplitude)| (scale * power / (power + noise)) as f32 / amplitude)
                .collect();
            for (n, &place) in self.places.iter().enumerate() {
                let position = n / num_tiles;
                coefficients[[n % num_tiles, position]] = received[place] * factors[position];
            }
        }
        self.tiling.join(self.transform.synthesize(coefficients.view()).view())
    }
}
