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
use ndarray::{ArrayView4, Axis};
use rayon::prelude::*;
use sememe_blocks::frame::ImageBatch;
use std::ops::Range;
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
/// Bound on the pixels of one task unless one pair has more: small images share matrix products.
const PIXELS_PER_TASK: usize = 1 << 14;

/// LPIPS on SqueezeNet 1.1.
pub struct Lpips {
    network: SqueezeNet,
    /// Weight of each channel of each stage.
    heads: Vec<Vec<f32>>,
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
    /// - errors: batches of different shapes, no RGB images, or too small ones
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
        let per_task = (PIXELS_PER_TASK / (height * width)).max(1);
        let tasks: Vec<Range<usize>> =
            (0..pairs).step_by(per_task).map(|from| from..(from + per_task).min(pairs)).collect();
        let part = |pairs: &Range<usize>| {
            let choose = |batch: &'_ ImageBatch| batch.pixels.slice(ndarray::s![pairs.clone(), .., .., ..]).to_owned();
            self.part(choose(a).view(), choose(b).view())
        };
        // Large images keep all threads busy one pair at a time, and memory bounded.
        let parts: Result<Vec<Vec<f32>>, PerceptualError> =
            if per_task > 1 { tasks.par_iter().map(part).collect() } else { tasks.iter().map(part).collect() };
        let distances = parts?.concat();
        match distances.iter().position(|d| !d.is_finite()) {
            Some(pair) => Err(PerceptualError::NotFinite { pair, value: distances[pair] }),
            None => Ok(distances),
        }
    }

    fn part(&self, a: ArrayView4<u8>, b: ArrayView4<u8>) -> Result<Vec<f32>, PerceptualError> {
        let pairs = a.len_of(Axis(0));
        let mut distances = vec![0.0; pairs];
        for (maps, head) in self.network.stages(&standardised(a, b)?)?.iter().zip(&self.heads) {
            let maps = to_vec(maps)?;
            let len = maps.len() / (2 * pairs);
            let (of_a, of_b) = maps.split_at(pairs * len);
            let of_pairs = of_a.chunks_exact(len).zip(of_b.chunks_exact(len));
            distances.iter_mut().zip(of_pairs).for_each(|(d, (a, b))| *d += stage_distance(a, b, head));
        }
        Ok(distances.into_iter().map(|d| d as f32).collect())
    }
}

/// Images of both batches as `[2 K, H, W, 3]`, each colour with the mean and deviation that the
/// network was trained with.
fn standardised(a: ArrayView4<u8>, b: ArrayView4<u8>) -> candle_core::Result<Tensor> {
    let (pairs, height, width, colours) = a.dim();
    let table: Vec<[f32; 3]> = (0..=255u8)
        .map(|byte| std::array::from_fn(|c| (f32::from(byte) / 127.5 - 1.0 - MEAN[c]) / DEVIATION[c]))
        .collect();
    let bytes = a.into_iter().chain(b).enumerate();
    let values = bytes.map(|(at, byte)| table[usize::from(*byte)][at % colours]).collect();
    Tensor::from_vec(values, (2 * pairs, height, width, colours), &Device::Cpu)
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

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|v| v * v).sum::<f32>().sqrt() + EPSILON
}
