//! The transformer transceiver.
//!
//! ```text
//! image - conv 9x9 /2, PReLU - conv 5x5 /2, PReLU - transformer blocks - 1x1 - code
//! code - transformer blocks - x2, conv 5x5, PReLU - x2, conv 9x9, PReLU - 1x1, sigmoid - image
//! ```
//! Maps: `[K, 32, 32, 3]` - `[K, 16, 16, w]` - `[K, 8, 8, w]` - `[K, 8, 8, features]`. Nothing in it knows
//! the SNR. Divisive normalisation is left out, as in the authors' prototype.

use super::config::{MAP_SIDE, VitJsccConfig};
use super::vit_block::VitBlock;
use crate::layers::convolution::Shape;
use crate::layers::{Convolution, Init, Scope, sigmoid, to_maps, to_vectors};
use crate::ops::{double_bilinear, prelu};
use crate::transceiver::{Encoded, Network, Reception};
use candle_core::{Result, Tensor};

const FIRST_SLOPE: f32 = 0.25;
/// Keeps the power of a rectified signal: sqrt(2 / (1 + slope^2)).
const GAIN: f32 = 1.37;

/// Encoder and decoder.
pub struct VitJscc {
    shrink: [Rectified; 2],
    encoder: Vec<VitBlock>,
    code: Convolution,
    decoder: Vec<VitBlock>,
    grow: [Rectified; 2],
    image: Convolution,
}

struct Rectified {
    convolution: Convolution,
    slope: Tensor,
}

impl Rectified {
    fn new(inputs: usize, outputs: usize, kernel: usize, stride: usize, scope: &Scope) -> Result<Self> {
        let convolution = Convolution::new(Shape { inputs, outputs, kernel, stride }, GAIN, scope)?;
        let slope = scope.variable("slope", &[1], Init::Constant(FIRST_SLOPE))?;
        Ok(Self { convolution, slope })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        prelu(&self.convolution.forward(x)?, &self.slope)
    }
}

impl VitJscc {
    /// Builds the networks of a configuration.
    pub fn new(config: &VitJsccConfig, scope: &Scope) -> Result<Self> {
        let VitJsccConfig { width, head_width, blocks, features } = *config;
        config.check().map_err(candle_core::Error::msg)?;
        let (encoder, decoder) = (scope.at("encoder"), scope.at("decoder"));
        let rows = |first: usize, scope: &Scope| -> Result<Vec<VitBlock>> {
            let inputs = |at: usize| if at == 0 { first } else { width };
            let block = |at: usize| VitBlock::new(inputs(at), width, head_width, &scope.at("block").at(at));
            (0..blocks).map(block).collect()
        };
        let point = |inputs, outputs| Shape { inputs, outputs, kernel: 1, stride: 1 };
        Ok(Self {
            shrink: [
                Rectified::new(3, width, 9, 2, &encoder.at("shrink1"))?,
                Rectified::new(width, width, 5, 2, &encoder.at("shrink2"))?,
            ],
            encoder: rows(width, &encoder)?,
            code: Convolution::new(point(width, features), 1.0, &encoder.at("code"))?,
            decoder: rows(features, &decoder)?,
            grow: [
                Rectified::new(width, width, 5, 1, &decoder.at("grow1"))?,
                Rectified::new(width, width, 9, 1, &decoder.at("grow2"))?,
            ],
            image: Convolution::new(point(width, 3), 1.0, &decoder.at("image"))?,
        })
    }
}

impl Network for VitJscc {
    fn encode(&self, images: &Tensor, _mean_snr: f32) -> Result<Encoded> {
        let x = self.shrink.iter().try_fold(images.clone(), |x, layer| layer.forward(&x))?;
        let x = self.encoder.iter().try_fold(x, |x, block| block.forward(&x))?; // [K, 8, 8, w]
        let private = to_vectors(&self.code.forward(&x)?)?; // [K, 64 features]
        let nothing = (images.dim(0)?, MAP_SIDE, MAP_SIDE, 0);
        Ok(Encoded { maps: Tensor::zeros(nothing, images.dtype(), images.device())?, private, scale: None })
    }

    fn decode(&self, received: &Reception, _size: (usize, usize)) -> Result<Tensor> {
        let x = to_maps(received.private, (MAP_SIDE, MAP_SIDE))?;
        let x = self.decoder.iter().try_fold(x, |x, block| block.forward(&x))?; // [K, 8, 8, w]
        let grow = |x: Tensor, layer: &Rectified| layer.forward(&double_bilinear(&x)?);
        let x = self.grow.iter().try_fold(x, grow)?; // [K, 32, 32, w]
        sigmoid(&self.image.forward(&x)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Parameters;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise;
    use crate::transceiver::Model;
    use candle_core::{DType, Device};

    #[test]
    fn sizes_are_those_of_the_published_network() {
        let count = |features| {
            let parameters = Parameters::random(1, &Device::Cpu);
            let config = VitJsccConfig::preset("vit-jscc", features).unwrap();
            VitJscc::new(&config, &parameters.root()).unwrap();
            (parameters.count() as f64 / 1e4).round() / 100.0
        };
        // Millions, 512 and 1024 symbols. Source: the layer shapes of the authors' code.
        assert_eq!([count(16), count(32)], [12.56, 12.57]);
    }

    #[test]
    fn shapes_range_and_a_gradient_for_every_variable() {
        let config = VitJsccConfig::preset("vit-jscc-tiny", 4).unwrap();
        let model = Model::random(config, 1, &Device::Cpu).unwrap();
        let values: Vec<f32> = noise(2 * 32 * 32 * 3, 5).iter().map(|v| 0.5 + 0.2 * v).collect();
        let images = Tensor::from_vec(values, (2, 32, 32, 3), &Device::Cpu).unwrap();
        let encoded = model.encode(&images, 10.0).unwrap();
        assert_eq!(encoded.private.dims(), [2, 256]);
        let nothing = Tensor::zeros((2, 0), DType::F32, &Device::Cpu).unwrap();
        let received = Reception {
            private: &encoded.private,
            common: &nothing,
            mean_snr: 10.0,
            snr: &[10.0; 2],
            common_snr: &[10.0; 2],
            true_scales: None,
        };
        let y = model.decode(&received, (32, 32)).unwrap();
        assert_eq!(y.dims(), [2, 32, 32, 3]);
        assert!(to_vec(&y).unwrap().iter().all(|v| (0.0..=1.0).contains(v)));
        let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        for (name, variable) in model.parameters().named() {
            assert!(gradients.get(&variable).is_some(), "{name} gets no gradient");
        }
        let small = Tensor::zeros((1, 16, 32, 3), DType::F32, &Device::Cpu).unwrap();
        assert!(model.encode(&small, 1.0).err().unwrap().to_string().contains("32 x 32"));
    }
}
