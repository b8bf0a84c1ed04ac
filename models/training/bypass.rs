//! Starts the linear path at the Karhunen-Loeve transform of the training images' 4 x 4 patches.
//!
//! The strongest components travel with gain lambda^(-1/4), the allocation that is optimal at high SNR,
//! at unit mean power over all, so training begins about where a linear code ends. The weakest components
//! take the first and the last channel, where values make room for the scale and for signalling.

use super::data::read;
use super::error::TrainingError;
use crate::group_splitting::Model;
use crate::group_splitting::spatial::PATCH_LEN;
use crate::ops::gather_patches;
use candle_core::{Device, Tensor};
use nalgebra::{DMatrix, SymmetricEigen};
use sememe_blocks::source::ImageSet;

const IMAGES: usize = 4000;
const IMAGES_PER_READ: usize = 100;
/// Mean and principal components of patches, strongest first.
struct Components {
    mean: Vec<f64>,
    /// (variance, unit vector).
    axes: Vec<(f64, Vec<f64>)>,
}

/// Overwrites the bypass weights of a fresh model; nothing to do where it has none.
pub fn start_from_klt(model: &Model, set: &dyn ImageSet) -> Result<(), TrainingError> {
    if !model.config().bypass {
        return Ok(());
    }
    let channels = model.config().private_features;
    let received = channels + model.config().common_features;
    let components = components(set)?;
    let (encode, decode) = weights(&components, channels, received);
    let variables = model.parameters().named();
    for (name, values, shape) in [
        ("encoder.bypass", encode, (PATCH_LEN + 1, channels)),
        ("decoder.bypass", decode, (received + 1, PATCH_LEN)),
    ] {
        let Some(variable) = variables.get(name) else {
            return Err(TrainingError::Config(format!("the model has no parameter {name}")));
        };
        variable.set(&Tensor::from_vec(values, shape, &Device::Cpu)?)?;
    }
    Ok(())
}

fn components(set: &dyn ImageSet) -> Result<Components, TrainingError> {
    let (mut sum, mut products, mut count) =
        (vec![0f64; PATCH_LEN], DMatrix::<f64>::zeros(PATCH_LEN, PATCH_LEN), 0.0);
    let images = set.len().min(IMAGES);
    for start in (0..images).step_by(IMAGES_PER_READ) {
        let indices: Vec<usize> =
            (start..images.min(start + IMAGES_PER_READ)).map(|i| i * (set.len() / images)).collect();
        let patches = gather_patches(&read(set, &indices, None)?, 4, 4, 0)?.to_vec2::<f32>()?;
        for patch in &patches {
            for (i, a) in patch.iter().enumerate() {
                sum[i] += f64::from(*a);
                for (j, b) in patch.iter().enumerate().take(i + 1) {
                    products[(i, j)] += f64::from(*a) * f64::from(*b);
                }
            }
            count += 1.0;
        }
    }
    let mean: Vec<f64> = sum.iter().map(|s| s / count).collect();
    let covariance: DMatrix<f64> = DMatrix::from_fn(PATCH_LEN, PATCH_LEN, |i, j| {
        products[(i.max(j), i.min(j))] / count - mean[i] * mean[j]
    });
    let eigen = SymmetricEigen::new(covariance);
    let mut axes: Vec<(f64, Vec<f64>)> = eigen
        .eigenvalues
        .iter()
        .zip(eigen.eigenvectors.column_iter())
        .map(|(value, vector)| (value.max(1e-8), vector.iter().copied().collect()))
        .collect();
    axes.sort_by(|a, b| b.0.total_cmp(&a.0));
    Ok(Components { mean, axes })
}

/// Row-major `[PATCH_LEN + 1, channels]` and `[received + 1, PATCH_LEN]`.
fn weights(components: &Components, channels: usize, received: usize) -> (Vec<f32>, Vec<f32>) {
    let kept = channels.min(PATCH_LEN);
    let axes = &components.axes[..kept];
    let rms = (axes.iter().map(|(variance, _)| variance.sqrt()).sum::<f64>() / channels as f64).sqrt();
    let mut encode = vec![0f32; (PATCH_LEN + 1) * channels];
    let mut decode = vec![0f32; (received + 1) * PATCH_LEN];
    for (rank, (variance, axis)) in axes.iter().enumerate() {
        // The weakest component first, all others from the strongest on.
        let channel = (rank + 1) % kept;
        let gain = variance.powf(-0.25) / rms;
        let at_mean: f64 = axis.iter().zip(&components.mean).map(|(a, m)| a * m).sum();
        encode[PATCH_LEN * channels + channel] = (-gain * at_mean) as f32;
        for (value, a) in axis.iter().enumerate() {
            encode[value * channels + channel] = (gain * a) as f32;
            decode[channel * PATCH_LEN + value] = (a / gain) as f32;
        }
    }
    for (value, mean) in components.mean.iter().enumerate() {
        decode[received * PATCH_LEN + value] = *mean as f32;
    }
    (encode, decode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::affine;
    use sememe_blocks::source::{SceneConfig, SceneSet};

    #[test]
    fn encoding_and_decoding_without_noise_return_the_patches() {
        let set = SceneSet::new(SceneConfig { len: 300, ..SceneConfig::default() }).unwrap();
        let components = components(&set).unwrap();
        let (encode, decode) = weights(&components, PATCH_LEN, PATCH_LEN);
        let images = read(&set, &[1, 2, 3], None).unwrap();
        let patches = gather_patches(&images, 4, 4, 0).unwrap();
        let encode = Tensor::from_vec(encode, (PATCH_LEN + 1, PATCH_LEN), &Device::Cpu).unwrap();
        let decode = Tensor::from_vec(decode, (PATCH_LEN + 1, PATCH_LEN), &Device::Cpu).unwrap();
        let sent = affine(&patches, &encode).unwrap();
        let power = sent.sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap();
        assert!((0.3..3.0).contains(&power), "mean power {power}");
        let found = affine(&sent, &decode).unwrap().to_vec2::<f32>().unwrap();
        for (found, patch) in found.iter().zip(patches.to_vec2::<f32>().unwrap()) {
            for (found, expected) in found.iter().zip(patch) {
                assert!((found - expected).abs() < 2e-3, "{found} {expected}");
            }
        }
    }
}
