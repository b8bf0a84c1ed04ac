//! A transformer block over the positions of a map.
//!
//! ```text
//! x -- 1x1 -- norm --+-- attention --(+)--+-- norm -- dense 4 C, GELU -- dense C --(+)-- y
//!                    +----------------+   +-----------------------------------------+
//! ```
//! Queries, keys and values come from one projection that all heads share, and a learned bias for each
//! relative position is added to every head's scores.

use super::config::MAP_SIDE;
use crate::layers::{Init, Scope};
use crate::ops::{affine, affine_residual, gelu, layer_norm};
use candle_core::{D, Device, Result, Tensor, bail};

const EXPANSION: usize = 4;
/// Relative positions along one side.
const OFFSETS: usize = 2 * MAP_SIDE - 1;

/// One block.
pub struct VitBlock {
    input: Tensor,
    norms: [Tensor; 2],
    qkv: Tensor,
    positions: Tensor,
    offsets: Tensor,
    project: Tensor,
    expand: Tensor,
    contract: Tensor,
    head_width: usize,
}

impl VitBlock {
    /// From maps of `inputs` channels to maps of `width`.
    ///
    /// - errors: a width that is no multiple of the heads'
    pub fn new(inputs: usize, width: usize, head_width: usize, scope: &Scope) -> Result<Self> {
        if head_width == 0 || !width.is_multiple_of(head_width) {
            bail!("width = {width} is not possible: allowed are multiples of head_width = {head_width}");
        }
        let norm = |name: &str| scope.variable(name, &[2, width], Init::ScaleShift);
        let hidden = EXPANSION * width;
        Ok(Self {
            input: scope.affine("input", inputs, width, 1.0)?,
            norms: [norm("norm1")?, norm("norm2")?],
            qkv: scope.affine("qkv", head_width, 3 * head_width, 1.0)?,
            positions: scope.variable("positions", &[OFFSETS * OFFSETS], Init::Constant(0.0))?,
            offsets: offsets(scope.device())?,
            project: scope.affine("project", width, width, 0.5)?,
            expand: scope.affine("expand", width, hidden, 1.4)?,
            contract: scope.affine("contract", hidden, width, 0.5)?,
            head_width,
        })
    }

    /// `[B, 8, 8, inputs]` -> `[B, 8, 8, width]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = layer_norm(&affine(x, &self.input)?, &self.norms[0])?;
        let x = affine_residual(&self.attend(&x)?, &self.project, &x)?;
        let hidden = gelu(&affine(&layer_norm(&x, &self.norms[1])?, &self.expand)?)?;
        affine_residual(&hidden, &self.contract, &x)
    }

    fn attend(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, height, width, channels) = x.dims4()?;
        let (positions, d) = (height * width, self.head_width);
        let heads = channels / d;
        let qkv = affine(&x.reshape((batch, positions, heads, d))?, &self.qkv)?; // [B, n, heads, 3 d]
        let part = |at: usize| qkv.narrow(3, at * d, d)?.transpose(1, 2)?.contiguous(); // [B, heads, n, d]
        let (queries, keys, values) = (part(0)?, part(1)?, part(2)?);
        let scores = (queries.matmul(&keys.t()?.contiguous()?)? / (d as f64).sqrt())?; // [B, heads, n, n]
        let bias = self.positions.index_select(&self.offsets, 0)?.reshape((1, 1, positions, positions))?;
        let weights = softmax(&scores.broadcast_add(&bias)?)?;
        let attended = weights.matmul(&values)?.transpose(1, 2)?.contiguous()?; // [B, n, heads, d]
        attended.reshape((batch, height, width, channels))
    }
}

/// Over the last axis.
fn softmax(x: &Tensor) -> Result<Tensor> {
    let highest = x.max_keepdim(D::Minus1)?.detach();
    let e = x.broadcast_sub(&highest)?.exp()?;
    e.broadcast_div(&e.sum_keepdim(D::Minus1)?)
}

/// Of each pair of positions, query first, the number of their relative position.
fn offsets(device: &Device) -> Result<Tensor> {
    let at = |position: usize| (position / MAP_SIDE, position % MAP_SIDE);
    let positions = MAP_SIDE * MAP_SIDE;
    let mut numbers = Vec::with_capacity(positions * positions);
    for (query, key) in (0..positions).flat_map(|query| (0..positions).map(move |key| (query, key))) {
        let ((y, x), (to_y, to_x)) = (at(query), at(key));
        numbers.push(((to_y + MAP_SIDE - 1 - y) * OFFSETS + to_x + MAP_SIDE - 1 - x) as u32);
    }
    Tensor::from_vec(numbers, positions * positions, device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Parameters;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::{check_gradients, noise_var};
    use candle_core::Var;

    fn block(width: usize, head_width: usize) -> (VitBlock, std::sync::Arc<Parameters>) {
        let parameters = Parameters::random(1, &Device::Cpu);
        (VitBlock::new(width, width, head_width, &parameters.root()).unwrap(), parameters)
    }

    #[test]
    fn attention_equals_its_definition() {
        let (mut block, _) = block(4, 2);
        block.positions = noise_var(&[OFFSETS * OFFSETS], 3).as_tensor().clone();
        let x = noise_var(&[1, 8, 8, 4], 1);
        let found = to_vec(&block.attend(x.as_tensor()).unwrap()).unwrap();
        let (x, w) = (to_vec(&x).unwrap(), block.qkv.to_vec2::<f32>().unwrap());
        let bias = to_vec(&block.positions).unwrap();
        let project = |position: usize, head: usize, column: usize| -> f32 {
            (0..2).map(|i| x[position * 4 + head * 2 + i] * w[i][column]).sum::<f32>() + w[2][column]
        };
        for (query, head) in [(0, 0), (13, 1), (63, 0), (40, 1)] {
            let score = |key: usize| {
                let dot: f32 = (0..2).map(|i| project(query, head, i) * project(key, head, 2 + i)).sum();
                let (dy, dx) = (key / 8 + 7 - query / 8, key % 8 + 7 - query % 8);
                dot / 2f32.sqrt() + bias[dy * 15 + dx]
            };
            let total: f32 = (0..64).map(|key| score(key).exp()).sum();
            for i in 0..2 {
                let expected: f32 =
                    (0..64).map(|key| score(key).exp() / total * project(key, head, 4 + i)).sum();
                let found = found[query * 4 + head * 2 + i];
                assert!((found - expected).abs() < 1e-4, "{query} {head} {i}: {found} {expected}");
            }
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (mut block, _) = block(4, 2);
        // Small scores keep f32 differences exact enough.
        let x = Var::from_tensor(&(noise_var(&[1, 8, 8, 4], 1).as_tensor() * 0.5).unwrap()).unwrap();
        let positions = noise_var(&[OFFSETS * OFFSETS], 3);
        block.positions = positions.as_tensor().clone();
        let block = std::cell::RefCell::new(block);
        check_gradients(&[x, positions], |t| {
            block.borrow_mut().positions = t[1].clone();
            block.borrow().forward(&t[0])
        });
    }

    #[test]
    fn heads_must_divide_the_width() {
        let parameters = Parameters::random(1, &Device::Cpu);
        let error = VitBlock::new(4, 6, 4, &parameters.root()).err().unwrap().to_string();
        assert!(error.contains("multiples of head_width = 4"), "{error}");
    }
}
