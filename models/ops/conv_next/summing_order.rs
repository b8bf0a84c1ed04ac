//! What another order of sums does to a block: the reason for the tolerances of `tests/cuda`.
//!
//! Channels in reverse order are the same block to mathematics, and other sums to f32. A ReLU passes such
//! rounding on as it is, but where a hidden value lies at its kink the gradient jumps.

use super::{EXPANSION, Sections, conv_next};
use crate::ops::buffers::to_vec;
use crate::ops::testing::{noise, noise_var};
use crate::ops::{affine, depthwise};
use candle_core::{Device, Tensor, Var};

/// Errors of f32 sums in another order.
const ROUNDING: f64 = 3e-6;
const SHAPE: [usize; 4] = [4, 8, 8, 32];

/// Each row in reverse.
fn mirrored(values: &[f32], columns: usize) -> Vec<f32> {
    values.chunks_exact(columns).flat_map(|row| row.iter().rev().copied()).collect()
}

/// An affine map's rows and columns in reverse; the last row, its bias, stays the last.
fn turned_affine(values: &[f32], columns: usize) -> Vec<f32> {
    let (rows, bias) = values.split_at(values.len() - columns);
    let rows = rows.chunks_exact(columns).rev().chain([bias]);
    rows.flat_map(|row| row.iter().rev().copied()).collect()
}

/// The weights of the same block with its channels in reverse order, its own inverse.
fn turned(w: &[f32], width: usize) -> Vec<f32> {
    let s = Sections::new(width, false);
    let parts = [
        mirrored(&w[s.depthwise], width),
        turned_affine(&w[s.expand], EXPANSION * width),
        mirrored(&w[s.response], EXPANSION * width),
        turned_affine(&w[s.project], width),
    ];
    parts.concat()
}

/// Result and both gradients of sum(block * g).
fn pass(x: Vec<f32>, w: Vec<f32>, g: Vec<f32>) -> [Vec<f32>; 3] {
    let variable = |values: Vec<f32>, shape: &[usize]| Var::from_vec(values, shape, &Device::Cpu).unwrap();
    let (len, g) = (w.len(), Tensor::from_vec(g, &SHAPE, &Device::Cpu).unwrap());
    let (x, w) = (variable(x, &SHAPE), variable(w, &[len]));
    let y = conv_next(x.as_tensor(), w.as_tensor(), false).unwrap();
    let gradients = y.mul(&g).unwrap().sum_all().unwrap().backward().unwrap();
    [&y, gradients.get(&x).unwrap(), gradients.get(&w).unwrap()].map(|t| to_vec(t).unwrap())
}

/// ||a - b|| / ||b||.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| f64::from(*a) - f64::from(*b)))
        / norm(&mut b.iter().map(|b| f64::from(*b)))
}

/// How far result and gradients of the block in reverse are from those of the block.
fn moved(w: &[f32]) -> [f64; 3] {
    let width = SHAPE[3];
    let len: usize = SHAPE.iter().product();
    let (x, g) = (noise(len, 1), noise(len, 99));
    let [y, of_x, of_w] = pass(mirrored(&x, width), turned(w, width), mirrored(&g, width));
    let found = [mirrored(&y, width), mirrored(&of_x, width), turned(&of_w, width)];
    let expected = pass(x, w.to_vec(), g);
    std::array::from_fn(|at| distance(&found[at], &expected[at]))
}

/// Weights whose hidden biases come from `bias(channel, hidden values of that channel without bias)`.
fn weights(bias: impl Fn(usize, &[f32]) -> f32) -> Vec<f32> {
    let (width, len) = (SHAPE[3], Sections::new(SHAPE[3], false).len());
    let (s, hidden) = (Sections::new(width, false), EXPANSION * width);
    let mut w: Vec<f32> = noise(len, 2).iter().map(|v| v * 0.1).collect();
    let biases = s.expand.end - hidden..s.expand.end;
    w[biases.clone()].fill(0.0);
    let part = |range: std::ops::Range<usize>, columns: usize| {
        Tensor::from_slice(&w[range.clone()], (range.len() / columns, columns), &Device::Cpu).unwrap()
    };
    let maps = depthwise(noise_var(&SHAPE, 1).as_tensor(), &part(s.depthwise, width)).unwrap();
    let values = to_vec(&affine(&maps, &part(s.expand, hidden)).unwrap()).unwrap();
    for (channel, at) in biases.enumerate() {
        let of_channel: Vec<f32> = values.iter().skip(channel).step_by(hidden).copied().collect();
        w[at] = bias(channel, &of_channel);
    }
    w
}

#[test]
fn away_from_kinks_another_order_of_sums_is_rounding() {
    let away = weights(|channel, _| if channel.is_multiple_of(4) { -30.0 } else { 30.0 });
    let errors = moved(&away);
    assert!(errors.iter().all(|error| *error < ROUNDING), "{errors:?}");
}

#[test]
fn at_kinks_the_gradient_jumps_and_the_result_does_not() {
    // One value of each hidden channel is zero but for rounding.
    let [result, of_x, of_w] = moved(&weights(|channel, values| -values[channel % values.len()]));
    assert!(result < ROUNDING, "{result:.1e}");
    assert!(of_x > 100.0 * ROUNDING && of_w > 100.0 * ROUNDING, "{of_x:.1e} {of_w:.1e}");
}
