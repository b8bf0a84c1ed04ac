//! The paper family of system A: features are pooled to vectors, Table I read literally.
//!
//! ```text
//! z --+-- max pool 4, flatten, dense ---------------------------------------------- private
//!     +-- stage, max pool 4: one token per user -- 2 transformer layers over the
//!         tokens of a group -- mean over tokens -- dense ---------------------------- common
//! received -- dense -- stem to 4 x 4 -- up, blocks -- up, blocks -- up, blocks(3) -- image
//! ```
//! Source: paper A, Table I and eqs. 1-3, 6. A bilinear upsampling of a 1 x 1 map is a constant map,
//! so the literal stem leaves all spatial detail to padding effects; the other stems measure that.

use super::config::{ModelConfig, Stem};
use super::group_batch::per_group;
use super::semantic_encoder::{Encoder, Stage, modulate, residual_blocks, through};
use crate::layers::condition::SNR_FEATURES;
use crate::layers::{Condition, ConvNextBlock, Scope, TransformerLayer, Upsample};
use crate::ops::affine;
use candle_core::{Result, Tensor};
use sememe_blocks::Grouping;

/// Side of the image, and of z after the semantic encoder, and of the decoder's first map.
const SIDE: usize = 32;
const Z_SIDE: usize = SIDE / 4;
const STEM_SIDE: usize = SIDE / 8;
const POOL: usize = 4;
const TRANSFORMER_LAYERS: usize = 2;

/// All parts of the paper family.
pub struct Paper {
    encoder: Encoder,
    encoder_condition: Option<Condition>,
    private_head: Tensor,
    common_head: Option<CommonHead>,
    decoder_condition: Option<Condition>,
    stem: StemLayers,
    ups: Vec<Upsample>,
    blocks: Vec<Vec<ConvNextBlock>>,
}

struct CommonHead {
    stage: Stage,
    transformer: Vec<TransformerLayer>,
    output: Tensor,
}

enum StemLayers {
    Upsample(Tensor),
    Reshape(Tensor),
    BottleneckReshape(Tensor, Tensor),
}

impl Paper {
    /// Builds the networks of a configuration.
    pub fn new(config: &ModelConfig, scope: &Scope) -> Result<Self> {
        let (private, common) = (config.private_features, config.common_features);
        let [first, second] = config.encoder_widths;
        let [stem, wide, narrow] = config.decoder_widths[..] else {
            candle_core::bail!(
                "decoder_widths: the paper family needs 3, found {}",
                config.decoder_widths.len()
            )
        };
        if config.decoder_blocks.len() != 3 {
            candle_core::bail!(
                "decoder_blocks: the paper family needs 3, found {}",
                config.decoder_blocks.len()
            );
        }
        let (encode, decode) = (scope.at("encoder"), scope.at("decoder"));
        let pooled = (Z_SIDE / POOL).pow(2) * second;
        let widths = [wide, narrow, 3];
        let mut ups = Vec::new();
        let mut blocks = Vec::new();
        for (index, (inputs, outputs)) in [stem, wide, narrow].into_iter().zip(widths).enumerate() {
            let scope = decode.at(format!("stage{}", index + 1));
            ups.push(Upsample::new(inputs, outputs, 1.0, &scope.at("up"))?);
            blocks.push(residual_blocks(outputs, config.decoder_blocks[index], config.layer_norm, &scope)?);
        }
        let condition = |inputs: usize, widths: &[usize], scope: &Scope| {
            config.film.then(|| Condition::new(inputs, widths, &scope.at("condition"))).transpose()
        };
        Ok(Self {
            encoder: Encoder::new(config, &encode)?,
            encoder_condition: condition(SNR_FEATURES, &[first, second], &encode)?,
            private_head: encode.affine("private", pooled, private, 1.0)?,
            common_head: (common > 0).then(|| CommonHead::new(config, &scope.at("common"))).transpose()?,
            decoder_condition: condition(2 * SNR_FEATURES, &[wide, narrow], &decode)?,
            stem: StemLayers::new(config.stem, private + common, stem, &decode)?,
            ups,
            blocks,
        })
    }

    /// Images `[K, 32, 32, 3]` -> (z `[K, 8, 8, d2]`, private features `[K, L_p]`).
    pub fn encode(&self, images: &Tensor, snr: &Tensor) -> Result<(Tensor, Tensor)> {
        let modulations = self.encoder_condition.as_ref().map(|c| c.forward(snr)).transpose()?;
        let at = |index: usize| modulations.as_ref().map(|m| &m[index]);
        let z = self.encoder.forward(images, [at(0), at(1)])?;
        let private = affine(&max_pool(&z)?.flatten_from(1)?, &self.private_head)?;
        Ok((z, private))
    }

    /// z and the groups -> common features `[G, L_c]`.
    pub fn common(&self, z: &Tensor, grouping: &Grouping) -> Result<Tensor> {
        let Some(head) = &self.common_head else {
            return Tensor::zeros((grouping.num_groups(), 0), z.dtype(), z.device());
        };
        let tokens = max_pool(&head.stage.forward(z, None)?)?.flatten_from(1)?; // [K, width]
        let pooled = per_group(&tokens, grouping, |members| {
            let x = head.transformer.iter().try_fold(members.clone(), |x, layer| layer.forward(&x))?;
            x.mean(1) // [g, width]
        })?;
        affine(&pooled, &head.output)
    }

    /// Received features -> images `[K, 32, 32, 3]`, not clamped.
    pub fn decode(
        &self,
        private: &Tensor,
        common: &Tensor,
        mean_snr: &Tensor,
        own_snr: &Tensor,
    ) -> Result<Tensor> {
        let modulations = match &self.decoder_condition {
            Some(condition) => Some(condition.forward(&Tensor::cat(&[mean_snr, own_snr], 1)?)?),
            None => None,
        };
        let mut x = self.stem.forward(&Tensor::cat(&[private, common], 1)?)?; // [K, 4, 4, stem]
        for (index, (up, blocks)) in self.ups.iter().zip(&self.blocks).enumerate() {
            let modulation = modulations.as_ref().and_then(|m| m.get(index));
            x = through(blocks, modulate(up.forward(&x)?, modulation)?)?;
        }
        Ok(x)
    }
}

impl CommonHead {
    fn new(config: &ModelConfig, scope: &Scope) -> Result<Self> {
        let (width, inputs) = (config.common_width, config.encoder_widths[1]);
        let stage = Stage::new(inputs, width, config.common_blocks, config.layer_norm, &scope.at("stage"))?;
        let transformer = (0..TRANSFORMER_LAYERS)
            .map(|layer| TransformerLayer::new(width, config.heads, &scope.at("transformer").at(layer)))
            .collect::<Result<_>>()?;
        let output = scope.affine("output", width, config.common_features, 1.0)?;
        Ok(Self { stage, transformer, output })
    }
}

impl StemLayers {
    fn new(stem: Stem, inputs: usize, width: usize, scope: &Scope) -> Result<Self> {
        let dense = |name: &str, inputs: usize, outputs: usize| scope.affine(name, inputs, outputs, 1.0);
        let map = STEM_SIDE * STEM_SIDE * width;
        Ok(match stem {
            Stem::Upsample => Self::Upsample(dense("dense", inputs, width)?),
            Stem::Reshape => Self::Reshape(dense("dense", inputs, map)?),
            Stem::BottleneckReshape => {
                Self::BottleneckReshape(dense("bottleneck", inputs, width)?, dense("dense", width, map)?)
            }
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let users = x.dim(0)?;
        match self {
            Self::Upsample(dense) => {
                let x = affine(x, dense)?;
                let width = x.dim(1)?;
                x.reshape((users, 1, 1, width))?
                    .broadcast_as((users, STEM_SIDE, STEM_SIDE, width))?
                    .contiguous()
            }
            Self::Reshape(dense) => affine(x, dense)?.reshape((users, STEM_SIDE, STEM_SIDE, ())),
            Self::BottleneckReshape(bottleneck, dense) => {
                affine(&affine(x, bottleneck)?, dense)?.reshape((users, STEM_SIDE, STEM_SIDE, ()))
            }
        }
    }
}

/// Maximum over 4 x 4 windows: `[B, H, W, C]` -> `[B, H / 4, W / 4, C]`.
fn max_pool(x: &Tensor) -> Result<Tensor> {
    let (batch, height, width, channels) = x.dims4()?;
    x.reshape(vec![batch, height / POOL, POOL, width / POOL, POOL, channels])?.max(4)?.max(2)
}
