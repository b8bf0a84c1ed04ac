//! The networks as frame kernels: what a flowgraph wires.

use super::{Model, Reception};
use crate::tensor_error::in_one_line;
use candle_core::{Result as TensorResult, Tensor};
use ndarray::{Array2, Array4};
use sememe_blocks::frame::{EncodedUsers, Features, GroupedUsers, ImageBatch, ReceivedFeatures, Truth};
use sememe_blocks::kernel::FrameKernel;
use sememe_blocks::{BlockError, Decibel, Result};
use std::sync::Arc;

/// Images to semantic and private features, eqs. 1 and 2.
pub struct SemanticEncoder {
    model: Arc<Model>,
    mean_snr: f32,
}

/// Semantic features of each group to its common feature, eq. 3.
pub struct CommonEncoder {
    model: Arc<Model>,
    mean_snr: f32,
}

/// Received features to images, eq. 6. Lost users decode to what silence decodes to.
pub struct SemanticDecoder {
    model: Arc<Model>,
    mean_snr: f32,
    size: (usize, usize),
}

impl SemanticEncoder {
    /// - mean_snr: what the base station is told
    pub fn new(model: Arc<Model>, mean_snr: Decibel) -> Self {
        Self { model, mean_snr: mean_snr.to_linear().0 }
    }
}

impl CommonEncoder {
    /// - mean_snr: what the base station is told
    pub fn new(model: Arc<Model>, mean_snr: Decibel) -> Self {
        Self { model, mean_snr: mean_snr.to_linear().0 }
    }
}

impl SemanticDecoder {
    /// - mean_snr: what the receivers are told
    /// - size: height and width of the images
    pub fn new(model: Arc<Model>, mean_snr: Decibel, size: (usize, usize)) -> Self {
        Self { model, mean_snr: mean_snr.to_linear().0, size }
    }
}

impl FrameKernel for SemanticEncoder {
    type In = ImageBatch;
    type Out = EncodedUsers;

    fn process(&mut self, images: ImageBatch) -> Result<EncodedUsers> {
        let encode = || -> TensorResult<(Array4<f32>, Array2<f32>)> {
            let values: Vec<f32> = images.pixels.iter().map(|p| f32::from(*p) / 255.0).collect();
            let pixels = Tensor::from_vec(values, images.pixels.dim(), self.model.parameters().device())?;
            let encoded = self.model.encode(&pixels, self.mean_snr)?;
            let maps = Array4::from_shape_vec(encoded.maps.dims4()?, values_of(&encoded.maps)?);
            Ok((maps.map_err(candle_core::Error::wrap)?, rows_of(&encoded.private)?))
        };
        let (maps, private) = encode().map_err(|error| kernel("semantic encoder", error))?;
        Ok(EncodedUsers { frame: images.frame, maps, private })
    }
}

impl FrameKernel for CommonEncoder {
    type In = GroupedUsers;
    type Out = Features;

    fn process(&mut self, grouped: GroupedUsers) -> Result<Features> {
        let GroupedUsers { users: EncodedUsers { frame, maps, private }, grouping } = grouped;
        let encode = || -> TensorResult<Array2<f32>> {
            let shape = maps.dim();
            let values: Vec<f32> = maps.iter().copied().collect();
            let maps = Tensor::from_vec(values, shape, self.model.parameters().device())?;
            rows_of(&self.model.common(&maps, &grouping, self.mean_snr)?.vectors)
        };
        let common = encode().map_err(|error| kernel("common encoder", error))?;
        Ok(Features { frame, private, common, grouping })
    }
}

impl FrameKernel for SemanticDecoder {
    type In = ReceivedFeatures;
    type Out = ImageBatch;

    fn process(&mut self, received: ReceivedFeatures) -> Result<ImageBatch> {
        let decode = || -> TensorResult<Array4<u8>> {
            let tensor = |rows: &Array2<f32>| {
                let values: Vec<f32> = rows.iter().copied().collect();
                Tensor::from_vec(values, rows.dim(), self.model.parameters().device())
            };
            let (private, common) = (tensor(&received.private)?, tensor(&received.common)?);
            let reception = Reception {
                private: &private,
                common: &common,
                mean_snr: self.mean_snr,
                snr: &received.snr,
                common_snr: &received.common_snr,
                true_scales: None,
            };
            let images = self.model.decode(&reception, self.size)?;
            let shape = images.dims4()?;
            let bytes = values_of(&images)?.into_iter().map(to_byte).collect();
            Array4::from_shape_vec(shape, bytes).map_err(candle_core::Error::wrap)
        };
        let pixels = decode().map_err(|error| kernel("semantic decoder", error))?;
        Ok(ImageBatch { frame: received.frame, pixels, truth: Truth::default() })
    }
}

/// Clamped to [0, 1] and rounded to 8 bits; NaN is black.
fn to_byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

fn values_of(tensor: &Tensor) -> TensorResult<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

fn rows_of(tensor: &Tensor) -> TensorResult<Array2<f32>> {
    Array2::from_shape_vec(tensor.dims2()?, values_of(tensor)?).map_err(candle_core::Error::wrap)
}

fn kernel(who: &str, error: candle_core::Error) -> BlockError {
    BlockError::Kernel(format!("{who}: {}", in_one_line(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group_splitting::ModelConfig;
    use candle_core::Device;
    use sememe_blocks::Grouping;
    use sememe_blocks::kernel::FrameSource;
    use sememe_blocks::source::{BatchSource, SceneConfig, SceneSet};

    #[test]
    fn a_frame_passes_through_all_three() {
        let config = ModelConfig { heads: 2, ..ModelConfig::preset("spatial-tiny", 6, 4).unwrap() };
        let model = Arc::new(Model::random(config.clone(), 1, &Device::Cpu).unwrap());
        let scenes = SceneSet::new(SceneConfig { len: 6, ..SceneConfig::default() }).unwrap();
        let mut source = BatchSource::new(Arc::new(scenes), 6, 0, None).unwrap();
        let images = source.next_frame().unwrap().unwrap();
        let snr = Decibel(10.0);
        let users = SemanticEncoder::new(model.clone(), snr).process(images).unwrap();
        assert_eq!(users.private.dim(), (6, config.private_len((32, 32))));
        let grouping = Grouping::new(vec![0, 1, 0, 1, 0, 0], 3).unwrap();
        let features =
            CommonEncoder::new(model.clone(), snr).process(GroupedUsers { users, grouping }).unwrap();
        assert_eq!(features.common.dim(), (3, config.common_len((32, 32))));
        let received = ReceivedFeatures {
            frame: 0,
            private: features.private,
            common: features.common.select(ndarray::Axis(0), &[0, 1, 0, 1, 0, 0]),
            snr: vec![10.0; 6],
            common_snr: vec![10.0; 6],
            lost: vec![false; 6],
        };
        let decoded = SemanticDecoder::new(model, snr, (32, 32)).process(received).unwrap();
        assert_eq!(decoded.pixels.dim(), (6, 32, 32, 3));
    }

    #[test]
    fn values_beyond_the_range_are_clamped() {
        assert_eq!([-1.0, 0.5, 2.0, f32::NAN].map(to_byte), [0, 128, 255, 0]);
    }
}
