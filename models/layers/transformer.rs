//! The pre-norm transformer encoder layer, without positional code: the order of tokens does not matter.
//!
//! ```text
//! x + attention(norm(x)) = y,   y + W2 relu(W1 norm(y))
//! ```
//! Source: Vaswani et al. (2017); pre-norm as in Xiong et al. (2020).

use super::parameters::{Init, Scope};
use crate::ops::{affine, affine_residual, attention, layer_norm};
use candle_core::{Result, Tensor};

const EXPANSION: usize = 4;

/// Self-attention with a residual: x + W attention(norm(x)).
pub struct SelfAttention {
    norm: Tensor,
    qkv: Tensor,
    project: Tensor,
    heads: usize,
}

impl SelfAttention {
    /// For tokens of `width` values.
    pub fn new(width: usize, heads: usize, scope: &Scope) -> Result<Self> {
        Ok(Self {
            norm: scope.variable("norm", &[2, width], Init::ScaleShift)?,
            qkv: scope.affine("qkv", width, 3 * width, 1.0)?,
            project: scope.affine("project", width, width, 0.5)?,
            heads,
        })
    }

    /// `[S, n, width]` -> `[S, n, width]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let qkv = affine(&layer_norm(x, &self.norm)?, &self.qkv)?; // [S, n, 3 width]
        affine_residual(&attention(&qkv, self.heads)?, &self.project, x)
    }
}

/// Self-attention and a two-layer network, both with residuals.
pub struct TransformerLayer {
    attention: SelfAttention,
    norm: Tensor,
    expand: Tensor,
    project: Tensor,
}

impl TransformerLayer {
    /// For tokens of `width` values.
    pub fn new(width: usize, heads: usize, scope: &Scope) -> Result<Self> {
        let hidden = EXPANSION * width;
        Ok(Self {
            attention: SelfAttention::new(width, heads, &scope.at("attention"))?,
            norm: scope.variable("norm", &[2, width], Init::ScaleShift)?,
            expand: scope.affine("expand", width, hidden, 1.4)?,
            project: scope.affine("project", hidden, width, 0.5)?,
        })
    }

    /// `[S, n, width]` -> `[S, n, width]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.attention.forward(x)?;
        let hidden = affine(&layer_norm(&y, &self.norm)?, &self.expand)?.relu()?;
        affine_residual(&hidden, &self.project, &y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::parameters::Parameters;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise_var;
    use candle_core::Device;

    #[test]
    fn permuting_tokens_permutes_the_result() {
        let parameters = Parameters::random(1, &Device::Cpu);
        let layer = TransformerLayer::new(8, 2, &parameters.root()).unwrap();
        let x = noise_var(&[1, 3, 8], 1);
        let order = Tensor::new(&[2u32, 0, 1], &Device::Cpu).unwrap();
        let permuted = x.as_tensor().index_select(&order, 1).unwrap();
        let expected = layer.forward(x.as_tensor()).unwrap().index_select(&order, 1).unwrap();
        let found = layer.forward(&permuted).unwrap();
        for (a, b) in to_vec(&found).unwrap().iter().zip(to_vec(&expected).unwrap()) {
            assert!((a - b).abs() < 1e-5);
        }
    }

    #[test]
    fn a_gradient_reaches_every_variable() {
        let parameters = Parameters::random(1, &Device::Cpu);
        let layer = TransformerLayer::new(8, 2, &parameters.root()).unwrap();
        let y = layer.forward(noise_var(&[2, 3, 8], 1).as_tensor()).unwrap();
        let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        for (name, variable) in parameters.named() {
            assert!(gradients.get(&variable).is_some(), "{name} gets no gradient");
        }
    }
}
