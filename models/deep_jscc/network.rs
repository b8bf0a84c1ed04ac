//! The convolutional transceiver.
//!
//! ```text
//! image --- 5 x [conv, (GDN), PReLU, (SNR attention)] --- (constellation) --- code
//! code  --- 5 x [transposed conv, (IGDN), PReLU, (SNR attention)] ----------- image
//! ```
//! Maps: `[K, H, W, 3]` - `[K, H/2, W/2, w1]` - `[K, H/4, W/4, w2]`, w3, w4, features. The decoder ends in a
//! sigmoid. Without divisive normalisation every convolution but the decoder's last has a PReLU of one slope;
//! with it, PReLUs have a slope for each channel, and the last convolutions of both sides have a normalisation
//! but no PReLU, as in the respective authors' code. Only SNR attention knows the SNR: the encoder the mean,
//! each decoder that of its own vector after the equaliser.

use super::config::{DeepJsccConfig, REDUCTION};
use super::constellation::Constellation;
use super::snr_attention::SnrAttention;
use crate::layers::convolution::Shape;
use crate::layers::{Convolution, Gdn, Init, Scope, TransposedConvolution, sigmoid, to_maps, to_vectors};
use crate::ops::prelu;
use crate::transceiver::{Encoded, Network, Reception};
use candle_core::{Result, Tensor};

const FIRST_SLOPE: f32 = 0.25;
/// Keeps the power of a rectified signal: sqrt(2 / (1 + slope^2)).
const GAIN: f32 = 1.37;
/// Steps of the encoder's convolutions.
const STRIDES: [usize; 5] = [2, 2, 1, 1, 1];

/// Encoder and decoder.
pub struct DeepJscc {
    encoder: Vec<(Convolution, Response)>,
    constellation: Option<Constellation>,
    decoder: Vec<(TransposedConvolution, Response)>,
}

/// What follows a convolution.
struct Response {
    gdn: Option<Gdn>,
    slope: Option<Tensor>,
    attention: Option<SnrAttention>,
}

impl DeepJscc {
    /// Builds the networks of a configuration.
    pub fn new(config: &DeepJsccConfig, scope: &Scope) -> Result<Self> {
        config.check().map_err(candle_core::Error::msg)?;
        let [a, b, c, d] = config.widths;
        let channels = [3, a, b, c, d, config.features];
        let response = |width: usize, at: usize, is_inverse: bool, scope: &Scope| -> Result<Response> {
            let is_last = at == 4;
            let is_rectified = !is_last || !(config.gdn || is_inverse);
            let gdn = || Gdn::new(width, is_inverse, &scope.at("gdn"));
            let slopes = if config.gdn { width } else { 1 };
            let slope = || scope.variable("slope", &[slopes], Init::Constant(FIRST_SLOPE));
            let attention = || SnrAttention::new(width, &scope.at("attention"));
            Ok(Response {
                gdn: config.gdn.then(gdn).transpose()?,
                slope: is_rectified.then(slope).transpose()?,
                attention: (config.snr_attention && !is_last).then(attention).transpose()?,
            })
        };
        let (mut encoder, mut decoder) = (Vec::new(), Vec::new());
        for at in 0..5 {
            let scope = scope.at("encoder").at(at);
            let (inputs, outputs) = (channels[at], channels[at + 1]);
            let shape = Shape { inputs, outputs, kernel: config.kernels[at], stride: STRIDES[at] };
            encoder.push((Convolution::new(shape, GAIN, &scope)?, response(outputs, at, false, &scope)?));
        }
        for at in 0..5 {
            let scope = scope.at("decoder").at(at);
            let (inputs, outputs) = (channels[5 - at], channels[4 - at]);
            let shape = Shape { inputs, outputs, kernel: config.kernels[4 - at], stride: STRIDES[4 - at] };
            let convolution = TransposedConvolution::new(shape, GAIN, &scope)?;
            decoder.push((convolution, response(outputs, at, true, &scope)?));
        }
        let constellation = config.constellation.map(Constellation::new).transpose()?;
        Ok(Self { encoder, constellation, decoder })
    }
}

impl Response {
    /// - snr: of each sample, linear
    fn forward(&self, mut x: Tensor, snr: &[f32]) -> Result<Tensor> {
        if let Some(gdn) = &self.gdn {
            x = gdn.forward(&x)?;
        }
        if let Some(slope) = &self.slope {
            x = prelu(&x, slope)?;
        }
        match &self.attention {
            Some(attention) => attention.forward(&x, snr),
            None => Ok(x),
        }
    }
}

impl Network for DeepJscc {
    fn encode(&self, images: &Tensor, mean_snr: f32) -> Result<Encoded> {
        let (users, height, width, _) = images.dims4()?;
        let snr = vec![mean_snr; users];
        let mut x = images.clone();
        for (convolution, response) in &self.encoder {
            x = response.forward(convolution.forward(&x)?, &snr)?;
        }
        let code = to_vectors(&x)?; // [K, features H/4 W/4]
        let private = match &self.constellation {
            Some(constellation) => constellation.quantize(&code)?,
            None => code,
        };
        let nothing = (users, height / REDUCTION, width / REDUCTION, 0);
        Ok(Encoded { maps: Tensor::zeros(nothing, images.dtype(), images.device())?, private, scale: None })
    }

    fn decode(&self, received: &Reception, (height, width): (usize, usize)) -> Result<Tensor> {
        let mut x = to_maps(received.private, (height / REDUCTION, width / REDUCTION))?;
        for (convolution, response) in &self.decoder {
            x = response.forward(convolution.forward(&x)?, received.snr)?;
        }
        sigmoid(&x) // [K, H, W, 3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Parameters;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise;
    use crate::transceiver::Model;
    use candle_core::Device;

    fn count(preset: &str, features: usize) -> usize {
        let parameters = Parameters::random(1, &Device::Cpu);
        let config = DeepJsccConfig::preset(preset, features).unwrap();
        DeepJscc::new(&config, &parameters.root()).unwrap();
        parameters.count()
    }

    #[test]
    fn sizes_are_those_of_the_published_networks() {
        // 1024 and 2048 real values of 32 x 32 images. Source: layer shapes of the respective authors' code.
        assert_eq!([count("deep-jscc", 16), count("deep-jscc", 32)], [156_252, 181_868]);
        assert_eq!(count("adjscc", 32) - count("deep-jscc-wide", 32), 8 * 8480);
        let millions = |preset, features| (count(preset, features) as f64 / 1e4).round() / 100.0;
        assert_eq!([millions("deep-jscc-wide", 16), millions("deep-jscc-wide", 32)], [10.69, 10.9]);
        assert_eq!([millions("adjscc", 16), millions("adjscc", 32)], [10.76, 10.96]);
    }

    fn tiny() -> DeepJsccConfig {
        DeepJsccConfig::preset("deep-jscc-tiny", 6).unwrap()
    }

    fn variants() -> Vec<DeepJsccConfig> {
        vec![
            tiny(),
            DeepJsccConfig { gdn: true, kernels: [9, 5, 5, 5, 5], ..tiny() },
            DeepJsccConfig { gdn: true, snr_attention: true, ..tiny() },
            DeepJsccConfig { constellation: Some(16), ..tiny() },
        ]
    }

    fn through(model: &Model, size: (usize, usize), snr: f32) -> Tensor {
        let values = noise(3 * size.0 * size.1 * 3, 5).iter().map(|v| 0.5 + 0.2 * v).collect::<Vec<_>>();
        let images = Tensor::from_vec(values, (3, size.0, size.1, 3), &Device::Cpu).unwrap();
        let encoded = model.encode(&images, snr).unwrap();
        let nothing = Tensor::zeros((3, 0), candle_core::DType::F32, &Device::Cpu).unwrap();
        let snr = [snr; 3];
        let received = Reception {
            private: &encoded.private,
            common: &nothing,
            mean_snr: snr[0],
            snr: &snr,
            common_snr: &snr,
            true_scales: None,
        };
        model.decode(&received, size).unwrap()
    }

    #[test]
    fn shapes_range_and_a_gradient_for_every_variable() {
        for config in variants() {
            let model = Model::random(config.clone(), 1, &Device::Cpu).unwrap();
            let y = through(&model, (12, 20), 10.0);
            assert_eq!(y.dims(), [3, 12, 20, 3]);
            assert!(to_vec(&y).unwrap().iter().all(|v| (0.0..=1.0).contains(v)));
            let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            for (name, variable) in model.parameters().named() {
                assert!(gradients.get(&variable).is_some(), "{config:?}: {name} gets no gradient");
            }
        }
    }

    #[test]
    fn only_snr_attention_knows_the_snr() {
        for config in variants() {
            let model = Model::random(config.clone(), 1, &Device::Cpu).unwrap();
            let same = to_vec(&through(&model, (8, 8), 1.0)).unwrap()
                == to_vec(&through(&model, (8, 8), 100.0)).unwrap();
            assert_eq!(same, !config.snr_attention, "{config:?}");
        }
    }
}
