//! Learned perceptual image patch similarity (LPIPS) on SqueezeNet 1.1.
//!
//! ```text
//! image a > standardise > SqueezeNet > unit length per pixel \
//!                                                             (a - b)^2 > weights > mean > sum of 7
//! image b > standardise > SqueezeNet > unit length per pixel /
//! ```
//! Source: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
//! 2018, eq. 1, with the linear heads of version 0.1.

use super::PerceptualError;
use super::squeeze_net::{STAGES, SqueezeNet};
use super::torch_file::TorchFile;
use crate::ops::buffers::to_vec;
use candle_core::{Device, Tensor};
use ndarray::{ArrayView3, Axis};
use rayon::prelude::*;
use sememe_blocks::frame::ImageBatch;
use std::path::Path;

/// File of the network: torchvision's `squeezenet1_1`.
pub const NETWORK_FILE: &str = "squeezenet1_1.safetensors";
/// File of the linear heads: LPIPS version 0.1, `squeeze`.
pub const HEADS_FILE: &str = "lpips_squeeze.safetensors";
/// Smallest side of an image: below, a map of the network has no pixel.
pub const MIN_SIDE: usize = 17;

/// Mean of each colour on the scale [-1, 1], and its deviation.
const MEAN: [f32; 3] = [-0.030, -0.088, -0.188];
const DEVIATION: [f32; 3] = [0.458, 0.448, 0.450];
/// Added to the length of a feature vector before it divides.
const EPSILON: f32 = 1e-10;
/// Images of more pixels are compared one pair after the other, each on all threads, so that memory
/// stays bounded.
const PARALLEL_PIXELS: usize = 1 << 14;

/// LPIPS on SqueezeNet 1.1.
pub struct Lpips {
    network: SqueezeNet,
    /// Weight of each channel of each stage.
    heads: Vec<Vec<f32>>,
}

impl std::fmt::Debug for Lpips {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lpips(SqueezeNet 1.1)")
    }
}

impl Lpips {
    /// Reads [`NETWORK_FILE`] and [`HEADS_FILE`] of a folder.
    ///
    /// - errors: the file that cannot be read, or the tensor in it that is absent or does not fit
    pub fn load(folder: &Path) -> Result<Self, PerceptualError> {
        let network = SqueezeNet::load(&TorchFile::open(&folder.join(NETWORK_FILE))?)?;
        let file = TorchFile::open(&folder.join(HEADS_FILE))?;
        let head = |(stage, channels): (usize, &usize)| {
            Ok(to_vec(file.tensor(&format!("lin{stage}.model.1.weight"), &[1, *channels, 1, 1])?)?)
        };
        let heads = STAGES.iter().enumerate().map(head).collect::<Result<_, PerceptualError>>()?;
        Ok(Self { network, heads })
    }

    /// The distance of each image of `a` from the image of `b` at the same index, `[K]`; 0 is equal.
    ///
    /// Depends neither on the number of threads nor on the other images of a batch.
    ///
    /// - images: `[K, H, W, 3]`, sides of at least [`MIN_SIDE`]
    /// - errors: batches of different shapes, no RGB images, or too small ones; weights that lead to a
    ///   distance that is not finite
    pub fn distance(&self, a: &ImageBatch, b: &ImageBatch) -> Result<Vec<f32>, PerceptualError> {
        let (first, second) = (a.pixels.dim().into(), b.pixels.dim().into());
        let [pairs, height, width, colours] = first;
        if first != second || colours != 3 {
            return Err(PerceptualError::Pair { first, second });
        }
        if pairs == 0 {
            return Ok(Vec::new());
        }
        if height.min(width) < MIN_SIDE {
            return Err(PerceptualError::Small { height, width, min: MIN_SIDE });
        }
        let of_pair = |pair: usize| {
            let of = |batch: &ImageBatch| standardised(batch.pixels.index_axis(Axis(0), pair));
            self.of_standardised(&Tensor::stack(&[of(a)?, of(b)?], 0)?)
        };
        let distances: Vec<f32> = if height * width > PARALLEL_PIXELS {
            (0..pairs).map(of_pair).collect::<Result<_, PerceptualError>>()?
        } else {
            (0..pairs).into_par_iter().map(of_pair).collect::<Result<_, PerceptualError>>()?
        };
        match distances.iter().position(|d| !d.is_finite()) {
            Some(pair) => Err(PerceptualError::NotFinite { pair, value: distances[pair] }),
            None => Ok(distances),
        }
    }

    /// Distance of the two images of `[2, H, W, 3]`.
    fn of_standardised(&self, pair: &Tensor) -> Result<f32, PerceptualError> {
        let mut distance = 0.0;
        for (maps, head) in self.network.stages(pair)?.iter().zip(&self.heads) {
            let maps = to_vec(maps)?;
            let (a, b) = maps.split_at(maps.len() / 2);
            distance += stage_distance(a, b, head);
        }
        Ok(distance as f32)
    }
}

/// An image as `[H, W, 3]`, each colour with the mean and deviation that the network was trained with.
fn standardised(image: ArrayView3<u8>) -> candle_core::Result<Tensor> {
    let colour = |(at, byte): (usize, &u8)| {
        let c = at % MEAN.len();
        (f32::from(*byte) / 127.5 - 1.0 - MEAN[c]) / DEVIATION[c]
    };
    Tensor::from_vec(image.iter().enumerate().map(colour).collect(), image.dim(), &Device::Cpu)
}

/// Mean over pixels of the weighted squared difference of unit vectors; maps `[P, C]`, head `[C]`.
fn stage_distance(a: &[f32], b: &[f32], head: &[f32]) -> f64 {
    let channels = head.len();
    let pixels = a.chunks_exact(channels).zip(b.chunks_exact(channels));
    let of_pixel = |(a, b): (&[f32], &[f32])| {
        let (in_a, in_b) = (1.0 / length(a), 1.0 / length(b));
        let squares = a.iter().zip(b).zip(head).map(|((a, b), weight)| {
            let difference = a * in_a - b * in_b;
            weight * difference * difference
        });
        f64::from(squares.sum::<f32>())
    };
    pixels.map(of_pixel).sum::<f64>() / (a.len() / channels) as f64
}

/// NaN where the squares overflow: an infinite length would pass every vector off as zero.
fn length(vector: &[f32]) -> f32 {
    let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt() + EPSILON;
    if length.is_finite() { length } else { f32::NAN }
}

#[cfg(test)]
mod tests {
    use super::super::reference::{noise_images, random_weights, slow_distance};
    use super::*;
    use crate::weights::tensor_file::{Metadata, read, write_f32};
    use ndarray::s;

    #[test]
    fn equals_the_definition_on_odd_and_even_sizes() {
        let folder = random_weights();
        let lpips = Lpips::load(folder.path()).unwrap();
        for (height, width) in [(17, 17), (32, 32), (35, 50)] {
            let [a, b] = [1, 2].map(|seed| noise_images((2, height, width, 3), seed));
            let found = lpips.distance(&a, &b).unwrap();
            for (found, expected) in found.iter().zip(slow_distance(folder.path(), &a, &b).unwrap()) {
                assert!((found - expected).abs() < 1e-4 * expected && *found > 0.1, "{found} {expected}");
            }
        }
    }

    #[test]
    fn equal_images_are_at_zero_and_order_is_of_no_matter() {
        let lpips = Lpips::load(random_weights().path()).unwrap();
        let [a, b] = [1, 2].map(|seed| noise_images((3, 32, 32, 3), seed));
        assert_eq!(lpips.distance(&a, &a).unwrap(), [0.0; 3]);
        assert_eq!(lpips.distance(&a, &b).unwrap(), lpips.distance(&b, &a).unwrap());
        let black = ImageBatch { pixels: a.pixels.map(|_| 0), ..a.clone() };
        assert!(lpips.distance(&a, &black).unwrap().iter().all(|d| *d > 0.0));
    }

    #[test]
    fn threads_and_neighbours_change_no_bit() {
        let lpips = Lpips::load(random_weights().path()).unwrap();
        for (pairs, side) in [(37, 32), (2, 129)] {
            let [a, b] = [1, 2].map(|seed| noise_images((pairs, side, side, 3), seed));
            let on = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| lpips.distance(&a, &b).unwrap())
            };
            let all = on(1);
            assert!(all == on(2) && all == on(4));
            for pair in [0, pairs - 1] {
                let one = |images: &ImageBatch| {
                    let pixels = images.pixels.slice(s![pair..=pair, .., .., ..]).to_owned();
                    ImageBatch { pixels, ..images.clone() }
                };
                assert_eq!(lpips.distance(&one(&a), &one(&b)).unwrap(), all[pair..=pair]);
            }
        }
    }

    #[test]
    fn what_is_no_pair_of_images_is_refused() {
        let lpips = Lpips::load(random_weights().path()).unwrap();
        let distance = |a, b| lpips.distance(&noise_images(a, 1), &noise_images(b, 2));
        assert!(distance((0, 32, 32, 3), (0, 32, 32, 3)).unwrap().is_empty());
        for (a, b, told) in [
            ((2, 32, 32, 3), (1, 32, 32, 3), "[2, 32, 32, 3] and [1, 32, 32, 3]"),
            ((1, 32, 32, 3), (1, 32, 33, 3), "[1, 32, 33, 3]"),
            ((1, 32, 32, 1), (1, 32, 32, 1), "[1, 32, 32, 1]"),
            ((1, 16, 32, 3), (1, 16, 32, 3), "16 x 32"),
            ((1, 0, 32, 3), (1, 0, 32, 3), "0 x 32"),
        ] {
            let error = distance(a, b).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn unusable_weights_are_errors() {
        let folder = random_weights();
        let change = |file: &str, tensor: &str, factor: Option<f64>| {
            let path = folder.path().join(file);
            let mut tensors = read(&path).unwrap().0;
            let old = tensors.remove(tensor).unwrap();
            if let Some(factor) = factor {
                tensors.insert(tensor.into(), (old * factor).unwrap());
            }
            write_f32(&path, &tensors, Metadata::new()).unwrap();
        };
        change(NETWORK_FILE, "features.0.weight", Some(1e30));
        let image = noise_images((1, 32, 32, 3), 1);
        let error = Lpips::load(folder.path()).unwrap().distance(&image, &image).unwrap_err().to_string();
        assert!(error.contains("pair 0"), "{error}");
        change(HEADS_FILE, "lin6.model.1.weight", None);
        let error = Lpips::load(folder.path()).err().unwrap().to_string();
        assert!(error.contains("lpips_squeeze.safetensors: no tensor lin6.model.1.weight"), "{error}");
        change(NETWORK_FILE, "features.12.squeeze.bias", None);
        let error = Lpips::load(folder.path()).err().unwrap().to_string();
        assert!(error.contains("squeezenet1_1.safetensors: no tensor features.12.squeeze.bias"), "{error}");
    }
}
