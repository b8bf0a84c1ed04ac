//! Starts the linear paths at the Karhunen-Loeve transform of the training images' 4 x 4 patches.
//!
//! Components travel with gain lambda^(-1/4), the allocation that is optimal at high SNR, at unit mean
//! power over all, so training begins about where a linear code ends. Private maps take the strongest
//! components; common maps take the strongest once more, in the same channels, by which a user can tell how
//! far its group is like itself, and then those that are left. The weakest private components take the
//! first and the last channel, where values make room for the scale and for signalling.

use super::data::read;
use super::error::TrainingError;
use crate::group_splitting::reliance::compared_channels;
use crate::group_splitting::spatial::PATCH_LEN;
use crate::ops::gather_patches;
use crate::transceiver::{Architecture, Model};
use candle_core::Tensor;
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
    let config = match model.architecture() {
        Architecture::GroupSplitting(config) if config.bypass => config,
        _ => return Ok(()),
    };
    let (private, common) = (config.private_features, config.common_features);
    let components = components(set)?;
    let of_private = private_ranks(private);
    let rms = components.rms(&of_private, private);
    let (encode, decode) = linear_code(&components, &of_private, private, rms);
    let of_common = common_ranks(&of_private, common);
    // The same gains as in private maps, so that what is common can be compared with what is private.
    let (encode_common, mut decode_common) = linear_code(&components, &of_common, common, rms);
    silence_repeated(&mut decode_common, &of_private, &of_common);
    let mut starts =
        vec![("encoder.bypass", encode), ("decoder.bypass", joined_rows(&decode, &decode_common))];
    if common > 0 {
        starts.push(("encoder.common_bypass", encode_common));
    }
    let variables = model.parameters().named();
    for (name, values) in starts {
        let Some(variable) = variables.get(name) else {
            return Err(TrainingError::Config(format!("the model has no parameter {name}")));
        };
        variable.set(&Tensor::from_vec(values, variable.dims().to_vec(), variable.device())?)?;
    }
    Ok(())
}

/// The ranks of private maps: the weakest component first, the others in order.
fn private_ranks(channels: usize) -> Vec<usize> {
    let mut ranks: Vec<usize> = (0..channels.min(PATCH_LEN)).collect();
    let places = usize::from(!ranks.is_empty());
    ranks.rotate_right(places);
    ranks
}

/// The ranks of common maps: first what private maps take in the same channels, then what they leave, then
/// the strongest.
fn common_ranks(of_private: &[usize], channels: usize) -> Vec<usize> {
    let compared = compared_channels(of_private.len(), channels);
    let left = (of_private.len()..PATCH_LEN).chain((0..PATCH_LEN).cycle());
    of_private[..compared].iter().copied().chain(left).take(channels).collect()
}

/// Silences the decoder rows of common maps that repeat a private one without being compared with it: the
/// private one decodes the component whole.
fn silence_repeated(decode: &mut [f32], of_private: &[usize], of_common: &[usize]) {
    let compared = compared_channels(of_private.len(), of_common.len());
    let rows = decode.chunks_exact_mut(PATCH_LEN).zip(of_common).skip(compared);
    for (row, _) in rows.filter(|(_, rank)| of_private.contains(rank)) {
        row.fill(0.0);
    }
}

/// Decoder rows of private and common maps and of the mean. The decoder is given differences where maps are
/// compared, so that a gate of 1/2 averages both copies.
fn joined_rows(of_private: &[f32], of_common: &[f32]) -> Vec<f32> {
    let (private, mean) = of_private.split_at(of_private.len() - PATCH_LEN);
    let common = &of_common[..of_common.len() - PATCH_LEN];
    [private, common, mean].concat()
}

impl Components {
    /// Root mean square of the values of so many channels that carry components of these ranks.
    fn rms(&self, ranks: &[usize], channels: usize) -> f64 {
        let power: f64 = ranks.iter().map(|rank| self.axes[*rank].0.sqrt()).sum();
        (power / channels as f64).sqrt()
    }
}

fn components(set: &dyn ImageSet) -> Result<Components, TrainingError> {
    let (mut sum, mut products, mut count) =
        (vec![0f64; PATCH_LEN], DMatrix::<f64>::zeros(PATCH_LEN, PATCH_LEN), 0.0);
    let images = set.len().min(IMAGES);
    for start in (0..images).step_by(IMAGES_PER_READ) {
        let indices: Vec<usize> =
            (start..images.min(start + IMAGES_PER_READ)).map(|i| i * (set.len() / images)).collect();
        let patches =
            gather_patches(&read(set, &indices, None)?, 4, 4, 0)?.flatten_to(2)?.to_vec2::<f32>()?;
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

/// Encoder and decoder of the components of these ranks, row-major `[PATCH_LEN + 1, channels]` and
/// `[channels + 1, PATCH_LEN]`. Channels beyond the ranks stay silent.
fn linear_code(components: &Components, ranks: &[usize], channels: usize, rms: f64) -> (Vec<f32>, Vec<f32>) {
    let axes = ranks.iter().map(|rank| &components.axes[*rank]);
    let mut encode = vec![0f32; (PATCH_LEN + 1) * channels];
    let mut decode = vec![0f32; (channels + 1) * PATCH_LEN];
    for (channel, (variance, axis)) in axes.enumerate() {
        let gain = variance.powf(-0.25) / rms;
        let at_mean: f64 = axis.iter().zip(&components.mean).map(|(a, m)| a * m).sum();
        encode[PATCH_LEN * channels + channel] = (-gain * at_mean) as f32;
        for (value, a) in axis.iter().enumerate() {
            encode[value * channels + channel] = (gain * a) as f32;
            decode[channel * PATCH_LEN + value] = (a / gain) as f32;
        }
    }
    for (value, mean) in components.mean.iter().enumerate() {
        decode[channels * PATCH_LEN + value] = *mean as f32;
    }
    (encode, decode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::affine;
    use candle_core::Device;
    use sememe_blocks::source::{SceneConfig, SceneSet};

    #[test]
    fn encoding_and_decoding_without_noise_return_the_patches() {
        let set = SceneSet::new(SceneConfig { len: 300, ..SceneConfig::default() }).unwrap();
        let components = components(&set).unwrap();
        let ranks = private_ranks(PATCH_LEN);
        let rms = components.rms(&ranks, PATCH_LEN);
        let (encode, decode) = linear_code(&components, &ranks, PATCH_LEN, rms);
        let images = read(&set, &[1, 2, 3], None).unwrap();
        let patches = gather_patches(&images, 4, 4, 0).unwrap().flatten_to(2).unwrap();
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

    #[test]
    fn users_that_are_alike_are_decoded_whole_from_both_paths() {
        let set = SceneSet::new(SceneConfig { len: 300, ..SceneConfig::default() }).unwrap();
        let components = components(&set).unwrap();
        let (of_private, common) = (private_ranks(30), 50);
        let of_common = common_ranks(&of_private, common);
        let rms = components.rms(&of_private, 30);
        let (encode, decode) = linear_code(&components, &of_private, 30, rms);
        let (encode_common, mut decode_common) = linear_code(&components, &of_common, common, rms);
        silence_repeated(&mut decode_common, &of_private, &of_common);
        let tensor =
            |values: Vec<f32>, columns| Tensor::from_vec(values, ((), columns), &Device::Cpu).unwrap();
        let images = read(&set, &[1, 2, 3], None).unwrap();
        let patches = gather_patches(&images, 4, 4, 0).unwrap().flatten_to(2).unwrap();
        let private = affine(&patches, &tensor(encode, 30)).unwrap();
        let of_group = affine(&patches, &tensor(encode_common, common)).unwrap();
        let compared = compared_channels(30, common);
        let part = |t: &Tensor, from: usize, to: usize| t.narrow(1, from, to - from).unwrap();
        // Compared maps are equal, so nothing is left of them.
        let difference = (part(&of_group, 0, compared) - part(&private, 0, compared)).unwrap();
        let others = part(&of_group, compared, common);
        let both = Tensor::cat(&[&private, &difference, &others], 1).unwrap();
        let found = affine(&both, &tensor(joined_rows(&decode, &decode_common), PATCH_LEN)).unwrap();
        let error = (found - &patches).unwrap().abs().unwrap().flatten_all().unwrap();
        let error = error.max(0).unwrap().to_scalar::<f32>().unwrap();
        assert!(error < 2e-3, "{error}");
    }

    #[test]
    fn channels_take_the_weakest_then_the_others_in_order() {
        assert_eq!(private_ranks(4), [3, 0, 1, 2]);
        assert_eq!(common_ranks(&[3, 0, 1, 2], 6), [3, 0, 1, 4, 5, 6]);
        assert_eq!(common_ranks(&[3, 0, 1, 2], 1), [3]);
        assert_eq!(common_ranks(&private_ranks(48), 4), [47, 0, 0, 1]);
        assert_eq!(private_ranks(50).len(), 48);
    }
}
