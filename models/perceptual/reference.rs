//! What the tests of this room need: random weights and images, and the distance once more, slowly,
//! from the definition.

use super::lpips::{HEADS_FILE, NETWORK_FILE};
use super::squeeze_net::{FIRES, STAGES, STEM};
use crate::ops::testing::noise;
use crate::weights::tensor_file::{Metadata, Tensors, read, write_f32};
use candle_core::{Device, Result, Tensor};
use ndarray::Array4;
use rand::Rng;
use sememe_blocks::frame::{ImageBatch, Truth};
use sememe_blocks::rng::{Purpose, RngKey};
use std::path::Path;

/// A folder with random weights in both files.
pub fn random_weights() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let tensor = |shape: &[usize], seed: usize, deviation: f32| {
        let values = noise(shape.iter().product(), seed as u64).into_iter().map(|v| v * deviation).collect();
        Tensor::from_vec::<_, f32>(values, shape, &Device::Cpu).unwrap()
    };
    let mut network = Tensors::new();
    let fires = FIRES.iter().flat_map(|fire| fire.convolutions());
    for (name, size) in [("features.0".to_string(), STEM)].into_iter().chain(fires) {
        let deviation = (2.0 / (size.inputs * size.kernel * size.kernel) as f32).sqrt();
        let weight = tensor(&[size.outputs, size.inputs, size.kernel, size.kernel], network.len(), deviation);
        network.insert(format!("{name}.weight"), weight);
        network.insert(format!("{name}.bias"), tensor(&[size.outputs], network.len(), 0.1));
    }
    let head = |(stage, channels): (usize, &usize)| {
        (format!("lin{stage}.model.1.weight"), tensor(&[1, *channels, 1, 1], 90 + stage, 0.1).abs().unwrap())
    };
    let heads = STAGES.iter().enumerate().map(head).collect();
    write_f32(&folder.path().join(NETWORK_FILE), &network, Metadata::new()).unwrap();
    write_f32(&folder.path().join(HEADS_FILE), &heads, Metadata::new()).unwrap();
    folder
}

/// Images of noise.
pub fn noise_images(shape: (usize, usize, usize, usize), seed: u64) -> ImageBatch {
    let mut rng = RngKey::new(seed).stream(Purpose::Scene, 0, 0);
    let pixels = Array4::from_shape_simple_fn(shape, || (rng.next_u32() >> 24) as u8);
    ImageBatch { frame: 0, pixels, truth: Truth::default() }
}

/// The distances by candle's operations, channels first.
pub fn slow_distance(folder: &Path, a: &ImageBatch, b: &ImageBatch) -> Result<Vec<f32>> {
    let (network, heads) =
        (read(&folder.join(NETWORK_FILE)).unwrap().0, read(&folder.join(HEADS_FILE)).unwrap().0);
    let convolution = |x: &Tensor, name: &str, stride: usize, padding: usize| -> Result<Tensor> {
        let bias = network[&format!("features.{name}.bias")].reshape((1, (), 1, 1))?;
        let weight = &network[&format!("features.{name}.weight")];
        x.conv2d(weight, padding, stride, 1, 1)?.broadcast_add(&bias)?.relu()
    };
    let fire = |x: &Tensor, index: usize| -> Result<Tensor> {
        let x = convolution(x, &format!("{index}.squeeze"), 1, 0)?;
        let one = convolution(&x, &format!("{index}.expand1x1"), 1, 0)?;
        Tensor::cat(&[one, convolution(&x, &format!("{index}.expand3x3"), 1, 1)?], 1)
    };
    // After ReLU, zeros at the edge are never larger than what a window holds.
    let pool = |x: &Tensor| -> Result<Tensor> {
        let (_, _, height, width) = x.dims4()?;
        let even = |side: usize| 1 - side % 2;
        let x = x.pad_with_zeros(2, 0, even(height))?.pad_with_zeros(3, 0, even(width))?;
        x.max_pool2d_with_stride(3, 2)
    };
    let stages = |images: &ImageBatch| -> Result<Vec<Tensor>> {
        let row = |values: [f32; 3]| Tensor::new(&values, &Device::Cpu)?.reshape((1, 3, 1, 1));
        let pixels = images.pixels.iter().map(|v| f32::from(*v) / 255.0 * 2.0 - 1.0).collect();
        let x =
            Tensor::from_vec::<_, f32>(pixels, images.pixels.dim(), &Device::Cpu)?.permute((0, 3, 1, 2))?;
        let x = x.broadcast_sub(&row([-0.030, -0.088, -0.188])?)?;
        let x = x.broadcast_div(&row([0.458, 0.448, 0.450])?)?.contiguous()?;
        let first = convolution(&x, "0", 2, 0)?;
        let second = fire(&fire(&pool(&first)?, 3)?, 4)?;
        let third = fire(&fire(&pool(&second)?, 6)?, 7)?;
        let fourth = fire(&pool(&third)?, 9)?;
        let fifth = fire(&fourth, 10)?;
        let sixth = fire(&fifth, 11)?;
        let seventh = fire(&sixth, 12)?;
        Ok(vec![first, second, third, fourth, fifth, sixth, seventh])
    };
    let unit = |x: &Tensor| x.broadcast_div(&x.sqr()?.sum_keepdim(1)?.sqrt()?.affine(1.0, 1e-10)?);
    let mut total = Tensor::zeros(a.len(), candle_core::DType::F32, &Device::Cpu)?;
    for (stage, (a, b)) in stages(a)?.iter().zip(&stages(b)?).enumerate() {
        let squares = unit(a)?.sub(&unit(b)?)?.sqr()?;
        let weighted = squares.broadcast_mul(&heads[&format!("lin{stage}.model.1.weight")])?;
        total = (total + weighted.sum(1)?.flatten_from(1)?.mean(1)?)?;
    }
    total.to_vec1()
}
