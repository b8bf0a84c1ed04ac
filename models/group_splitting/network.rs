//! System A behind the interface of all learned transceivers, eqs. 1 to 3 and 6: either family, and the
//! scale that its vectors carry.

use super::config::ModelConfig;
use super::gain::Gain;
use super::paper::Paper;
use super::spatial::Spatial;
use crate::layers::Scope;
use crate::layers::condition::snr_features;
use crate::transceiver::{Common, Encoded, Network, Reception};
use candle_core::{Result, Tensor};
use sememe_blocks::Grouping;
use sememe_blocks::access::Family;

/// The networks of a configuration.
pub struct GroupSplitting {
    config: ModelConfig,
    networks: Networks,
}

enum Networks {
    Spatial(Box<Spatial>),
    Paper(Box<Paper>),
}

impl GroupSplitting {
    /// Builds the networks.
    pub fn new(config: ModelConfig, scope: &Scope) -> Result<Self> {
        let networks = match config.family {
            Family::Spatial => Networks::Spatial(Box::new(Spatial::new(&config, scope)?)),
            Family::Paper => Networks::Paper(Box::new(Paper::new(&config, scope)?)),
        };
        Ok(Self { config, networks })
    }
}

impl Network for GroupSplitting {
    /// Semantic features and private vectors, eqs. 1 and 2.
    fn encode(&self, images: &Tensor, mean_snr: f32) -> Result<Encoded> {
        let users = images.dim(0)?;
        let snr = snr_features(&vec![mean_snr; users], images.device())?;
        let (maps, private) = match &self.networks {
            Networks::Spatial(network) => network.encode(images, &snr)?,
            Networks::Paper(network) => network.encode(images, &snr)?,
        };
        if !self.config.gain_code {
            return Ok(Encoded { maps, private, scale: None });
        }
        let gain = Gain::new(private.dim(1)?, self.config.punctured_features)?;
        let (private, scale) = gain.attach(&private, mean_snr)?;
        Ok(Encoded { maps, private, scale: Some(scale) })
    }

    /// Common features of each group, eq. 3.
    fn common(&self, maps: &Tensor, grouping: &Grouping, mean_snr: f32) -> Result<Common> {
        let snr = snr_features(&[mean_snr], maps.device())?;
        let features = match &self.networks {
            Networks::Spatial(network) => network.common(maps, grouping, &snr)?,
            Networks::Paper(network) => network.common(maps, grouping)?,
        };
        if !self.config.gain_code || self.config.common_features == 0 {
            return Ok(Common { vectors: features.clone(), features, scale: None });
        }
        let (vectors, scale) = Gain::new(features.dim(1)?, 0)?.attach(&features, mean_snr)?;
        Ok(Common { features, vectors, scale: Some(scale) })
    }

    /// Images, eq. 6.
    fn decode(&self, received: &Reception, size: (usize, usize)) -> Result<Tensor> {
        let Reception { private, common, mean_snr, snr, common_snr, true_scales } = *received;
        let device = private.device();
        let own = snr_features(snr, device)?;
        let mean = snr_features(&vec![mean_snr; snr.len()], device)?;
        match &self.networks {
            Networks::Spatial(network) => {
                let unknown = || own.narrow(1, 0, 1)?.zeros_like();
                let (mut private, mut common) = (private.clone(), common.clone());
                let mut log_scales = [unknown()?, unknown()?];
                if self.config.gain_code {
                    let gain = Gain::new(private.dim(1)?, self.config.punctured_features)?;
                    (private, log_scales[0]) =
                        gain.detach(&private, mean_snr, snr, true_scales.map(|scales| scales[0]))?;
                }
                if self.config.gain_code && self.config.common_features > 0 {
                    let gain = Gain::new(common.dim(1)?, 0)?;
                    (common, log_scales[1]) =
                        gain.detach(&common, mean_snr, common_snr, true_scales.map(|scales| scales[1]))?;
                }
                let [of_private, of_common] = &log_scales;
                let known = Tensor::cat(&[&mean, &own, of_private, of_common], 1)?;
                network.decode(&private, &common, size, &known)
            }
            Networks::Paper(network) => network.decode(private, common, &mean, &own),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group_splitting::config::Stem;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise;
    use crate::transceiver::Model;
    use candle_core::Device;

    fn images(users: usize, height: usize, width: usize) -> Tensor {
        let values: Vec<f32> = noise(users * height * width * 3, 5).iter().map(|v| 0.5 + 0.1 * v).collect();
        Tensor::from_vec(values, (users, height, width, 3), &Device::Cpu).unwrap()
    }

    fn tiny(preset: &str, stem: Stem, bypass: bool) -> ModelConfig {
        let (private, common) = if preset.starts_with("spatial") { (6, 4) } else { (96, 64) };
        let config = ModelConfig::preset(preset, private, common).unwrap();
        ModelConfig { stem, bypass, gain_code: bypass, heads: 2, ..config }
    }

    fn variants() -> Vec<ModelConfig> {
        let blind =
            ModelConfig { film: false, layer_norm: true, ..tiny("spatial-tiny", Stem::Upsample, false) };
        let told = ModelConfig { film: true, ..tiny("paper-tiny", Stem::Reshape, false) };
        vec![
            tiny("spatial-tiny", Stem::Upsample, true),
            blind,
            ModelConfig { common_features: 1, ..tiny("spatial-tiny", Stem::Upsample, true) },
            ModelConfig { common_features: 0, ..tiny("spatial-tiny", Stem::Upsample, true) },
            told,
            tiny("paper-tiny", Stem::Upsample, false),
            tiny("paper-tiny", Stem::BottleneckReshape, false),
        ]
    }

    /// Encoder, groups and decoder without a channel.
    fn through(model: &Model, images: &Tensor, grouping: &Grouping) -> Tensor {
        let (users, height, width, _) = images.dims4().unwrap();
        let encoded = model.encode(images, 10.0).unwrap();
        let common = model.common(&encoded.maps, grouping, 10.0).unwrap();
        let of_user: Vec<u32> = grouping.as_slice().iter().map(|g| *g as u32).collect();
        let index = Tensor::new(of_user.as_slice(), &Device::Cpu).unwrap();
        let of_users = |groups: &Tensor| groups.index_select(&index, 0).unwrap();
        let scales = encoded.scale.zip(common.scale).map(|(private, common)| [private, of_users(&common)]);
        let received = Reception {
            private: &encoded.private,
            common: &of_users(&common.vectors),
            mean_snr: 10.0,
            snr: &vec![10.0; users],
            common_snr: &vec![10.0; users],
            true_scales: scales.as_ref().map(|[private, common]| [private, common]),
        };
        model.decode(&received, (height, width)).unwrap()
    }

    #[test]
    fn shapes_and_a_gradient_for_every_variable() {
        let grouping = Grouping::new(vec![0, 1, 1, 0, 1], 2).unwrap();
        for config in variants() {
            let model = Model::random(config.clone(), 1, &Device::Cpu).unwrap();
            let y = through(&model, &images(5, 32, 32), &grouping);
            assert_eq!(y.dims(), [5, 32, 32, 3]);
            let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            for (name, variable) in model.parameters().named() {
                assert!(gradients.get(&variable).is_some(), "{config:?}: {name} gets no gradient");
            }
        }
    }

    #[test]
    fn the_spatial_family_takes_any_multiple_of_four() {
        let model = Model::random(tiny("spatial-tiny", Stem::Upsample, true), 1, &Device::Cpu).unwrap();
        let grouping = Grouping::singletons(2);
        assert_eq!(through(&model, &images(2, 12, 20), &grouping).dims(), [2, 12, 20, 3]);
        assert!(model.encode(&images(1, 30, 32), 1.0).err().unwrap().to_string().contains("multiples of 4"));
    }

    #[test]
    fn the_order_of_users_does_not_change_the_common_feature() {
        for config in variants() {
            let model = Model::random(config, 2, &Device::Cpu).unwrap();
            let x = images(4, 32, 32);
            let order = Tensor::new(&[3u32, 1, 2, 0], &Device::Cpu).unwrap();
            let grouping = Grouping::new(vec![0; 4], 1).unwrap();
            let common = |x: &Tensor| {
                let encoded = model.encode(x, 10.0).unwrap();
                to_vec(&model.common(&encoded.maps, &grouping, 10.0).unwrap().vectors).unwrap()
            };
            let permuted = common(&x.index_select(&order, 0).unwrap());
            for (a, b) in common(&x).iter().zip(permuted) {
                assert!((a - b).abs() < 1e-4, "{a} {b}");
            }
        }
    }
}
