//! The spatial family of system A: features stay maps at a quarter of the image's side.
//!
//! ```text
//! image --+-- semantic encoder -- z --+-- 1x1 ----------------------------(+)-- private maps
//!         |                           +-- block, attention across the users of a group at each
//!         |                               position, mean over users, 1x1 -(+)-- common maps
//!         +-- 4x4 patches, two linear bypasses: to the private maps, and, averaged over the users of
//!                                         a group, to the common maps
//! received maps -- reliance --+-- 1x1, blocks, up, blocks, up --(+)-- image
//!                             +-- linear bypass to 4x4 patches --+
//! ```
//! Shapes: K users, G groups, P = H/4 * W/4 positions, maps `[K, H/4, W/4, channels]`. Features travel
//! channel by channel, so that what puncturing takes from a vector is spread over the picture.

use super::config::ModelConfig;
use super::group_batch::per_group;
use super::reliance::{KNOWN, Reliance, compared_channels};
use super::semantic_encoder::{Encoder, modulate, residual_blocks, through};
use crate::layers::condition::SNR_FEATURES;
use crate::layers::torch_layout::Piece;
use crate::layers::{Condition, ConvNextBlock, Init, Scope, SelfAttention, Upsample, to_maps, to_vectors};
use crate::ops::{PatchGrid, affine, gather_patches, scatter_patches};
use candle_core::{Result, Tensor};
use sememe_blocks::Grouping;

const PATCH: usize = 4;
/// Values in a patch of the bypass.
pub const PATCH_LEN: usize = PATCH * PATCH * 3;

/// All parts of the spatial family.
pub struct Spatial {
    encoder: Encoder,
    encoder_condition: Option<Condition>,
    private_head: Tensor,
    bypass_encode: Option<Tensor>,
    common_bypass: Option<Tensor>,
    common_head: Option<CommonHead>,
    reliance: Option<Reliance>,
    decoder_condition: Option<Condition>,
    decoder_input: Tensor,
    decoder_blocks: [Vec<ConvNextBlock>; 2],
    decoder_up: [Upsample; 2],
    bypass_decode: Option<Tensor>,
}

struct CommonHead {
    z_channels: usize,
    blocks: Vec<ConvNextBlock>,
    attention: SelfAttention,
    condition: Option<Condition>,
    output: Tensor,
}

impl Spatial {
    /// Builds the networks of a configuration.
    pub fn new(config: &ModelConfig, scope: &Scope) -> Result<Self> {
        let (private, common) = (config.private_features, config.common_features);
        let (received, z) = (private + common, config.encoder_widths[1]);
        let compared = compared_channels(private, common);
        let [wide, narrow] = config.decoder_widths[..] else {
            candle_core::bail!(
                "decoder_widths: the spatial family needs 2, found {}",
                config.decoder_widths.len()
            )
        };
        let [few, more] = config.decoder_blocks[..] else {
            candle_core::bail!(
                "decoder_blocks: the spatial family needs 2, found {}",
                config.decoder_blocks.len()
            )
        };
        let (encode, decode) = (scope.at("encoder"), scope.at("decoder"));
        let condition = |inputs: usize, widths: &[usize], scope: &Scope| {
            config.film.then(|| Condition::new(inputs, widths, &scope.at("condition"))).transpose()
        };
        let [first, second] = config.encoder_widths;
        // Beside a linear path the deep one starts silent.
        let gain = if config.bypass { 0.0 } else { 1.0 };
        let patches_to = |name: &str, outputs: usize| {
            let pieces = [Piece::kernel("weight", PATCH, 3, outputs), Piece::same("bias", &[outputs])];
            let init = Init::affine_rows(PATCH_LEN, outputs, 1.0);
            encode.laid_out(name, &[PATCH_LEN + 1, outputs], init, &pieces)
        };
        let bypass_encode = || patches_to("bypass", private);
        let common_bypass = || patches_to("common_bypass", common);
        let bypass_decode = || {
            let weight = Piece::transposed_kernel("weight", PATCH, received, 3);
            let bias = Piece { suffix: "bias", shape: vec![3, PATCH, PATCH], order: vec![1, 2, 0] };
            let pieces = [weight, bias];
            let init = Init::affine_rows(received, PATCH_LEN, 0.2);
            decode.laid_out("bypass", &[received + 1, PATCH_LEN], init, &pieces)
        };
        let norm = config.layer_norm;
        let reliance = || Reliance::new(config, &decode.at("reliance"));
        Ok(Self {
            encoder: Encoder::new(config, &encode)?,
            encoder_condition: condition(SNR_FEATURES, &[first, second, private], &encode)?,
            private_head: encode.affine("private", z, private, gain)?,
            bypass_encode: config.bypass.then(bypass_encode).transpose()?,
            common_bypass: (config.bypass && common > 0).then(common_bypass).transpose()?,
            common_head: (common > 0).then(|| CommonHead::new(config, &scope.at("common"))).transpose()?,
            reliance: (common > 0).then(reliance).transpose()?,
            decoder_condition: condition(KNOWN + received + compared, &[received, wide, narrow], &decode)?,
            decoder_input: decode.affine("input", received, wide, 1.0)?,
            decoder_blocks: [
                residual_blocks(wide, few, norm, &decode.at("stage1"))?,
                residual_blocks(narrow, more, norm, &decode.at("stage2"))?,
            ],
            decoder_up: [
                Upsample::new(wide, narrow, 1.0, &decode.at("up1"))?,
                Upsample::new(narrow, 3, gain, &decode.at("up2"))?,
            ],
            bypass_decode: config.bypass.then(bypass_decode).transpose()?,
        })
    }

    /// Images `[K, H, W, 3]` -> (maps for the common encoder, private features `[K, L_p]`).
    ///
    /// - maps `[K, H/4, W/4, d2]`: z; with a bypass to the common maps `[K, H/4, W/4, d2 + c_c]`, z first
    pub fn encode(&self, images: &Tensor, snr: &Tensor) -> Result<(Tensor, Tensor)> {
        let modulations = self.encoder_condition.as_ref().map(|c| c.forward(snr)).transpose()?;
        let at = |index: usize| modulations.as_ref().map(|m| &m[index]);
        let z = self.encoder.forward(images, [at(0), at(1)])?;
        let mut private = affine(&z, &self.private_head)?; // [K, H/4, W/4, c_p]
        let mut maps = z;
        if let Some(weight) = &self.bypass_encode {
            let patches = gather_patches(images, PATCH, PATCH, 0)?;
            private = (private + affine(&patches, weight)?)?;
            if let Some(weight) = &self.common_bypass {
                maps = Tensor::cat(&[maps, affine(&patches, weight)?], 3)?;
            }
        }
        Ok((maps, to_vectors(&modulate(private, at(2))?)?))
    }

    /// Maps of all users and the groups -> common features `[G, L_c]`.
    pub fn common(&self, maps: &Tensor, grouping: &Grouping, snr: &Tensor) -> Result<Tensor> {
        match &self.common_head {
            Some(head) => head.forward(maps, grouping, snr),
            None => Tensor::zeros((grouping.num_groups(), 0), maps.dtype(), maps.device()),
        }
    }

    /// Received features -> images `[K, H, W, 3]`, not clamped.
    ///
    /// - private `[K, L_p]`, common `[K, L_c]`; known `[K, 8]`: features of mean and own SNR, ln of both scales
    pub fn decode(
        &self,
        private: &Tensor,
        common: &Tensor,
        (height, width): (usize, usize),
        known: &Tensor,
    ) -> Result<Tensor> {
        let users = private.dim(0)?;
        let (rows, columns) = (height / PATCH, width / PATCH);
        let maps = |vectors: &Tensor| to_maps(vectors, (rows, columns));
        let (mut received, mut distance) = (maps(private)?, None);
        if let Some(reliance) = &self.reliance {
            let leaning = reliance.forward(&received, &maps(common)?, known)?;
            received = Tensor::cat(&[received, leaning.maps], 3)?; // [K, H/4, W/4, c]
            distance = Some(leaning.mean_distance);
        }
        let modulations = match &self.decoder_condition {
            Some(condition) => {
                let means = received.reshape((users, rows * columns, ()))?.mean(1)?; // [K, c]
                let parts = [Some(known), Some(&means), distance.as_ref()];
                let parts: Vec<&Tensor> = parts.into_iter().flatten().collect();
                Some(condition.forward(&Tensor::cat(&parts, 1)?)?)
            }
            None => None,
        };
        let at = |index: usize| modulations.as_ref().map(|m| &m[index]);
        let x = modulate(affine(&received, &self.decoder_input)?, at(1))?;
        let x = through(&self.decoder_blocks[0], x)?; // [K, H/4, W/4, wide]
        let x = modulate(self.decoder_up[0].forward(&x)?, at(2))?;
        let x = through(&self.decoder_blocks[1], x)?; // [K, H/2, W/2, narrow]
        let image = self.decoder_up[1].forward(&x)?; // [K, H, W, 3]
        let Some(weight) = &self.bypass_decode else { return Ok(image) };
        let patches = affine(&modulate(received, at(0))?, weight)?; // [K, H/4, W/4, 48]
        let grid =
            PatchGrid { batch: users, height, width, channels: 3, kernel: PATCH, stride: PATCH, padding: 0 };
        image + scatter_patches(&patches, grid)?
    }
}

impl CommonHead {
    fn new(config: &ModelConfig, scope: &Scope) -> Result<Self> {
        let (width, channels) = (config.common_width, config.common_features);
        if width != config.encoder_widths[1] {
            candle_core::bail!(
                "common_width: the spatial family needs {}, found {width}",
                config.encoder_widths[1]
            );
        }
        let condition = || Condition::new(SNR_FEATURES, &[channels], &scope.at("condition"));
        // Beside a linear path the deep one starts silent.
        let gain = if config.bypass { 0.0 } else { 1.0 };
        Ok(Self {
            z_channels: width,
            blocks: residual_blocks(width, config.common_blocks, config.layer_norm, scope)?,
            attention: SelfAttention::new(width, config.heads, &scope.at("attention"))?,
            condition: config.film.then(condition).transpose()?,
            output: scope.affine("output", width, channels, gain)?,
        })
    }

    fn forward(&self, maps: &Tensor, grouping: &Grouping, snr: &Tensor) -> Result<Tensor> {
        let (_, height, width, all) = maps.dims4()?;
        let channels = self.z_channels;
        let positions = height * width;
        let x = through(&self.blocks, maps.narrow(3, 0, channels)?.contiguous()?)?;
        let pooled = per_group(&x, grouping, |members| {
            let (groups, users) = (members.dim(0)?, members.dim(1)?);
            let at_position = members.reshape((groups, users, positions, channels))?.transpose(1, 2)?;
            let tokens = at_position.contiguous()?.reshape((groups * positions, users, channels))?;
            let attended = self.attention.forward(&tokens)?.mean(1)?; // [g P, C]
            attended.reshape((groups, height, width, channels))
        })?; // [G, H/4, W/4, C]
        let mut common = affine(&pooled, &self.output)?;
        if all > channels {
            let linear = maps.narrow(3, channels, all - channels)?.contiguous()?;
            common = (common + per_group(&linear, grouping, |members| members.mean(1))?)?;
        }
        let Some(condition) = &self.condition else { return to_vectors(&common) };
        // All users of a frame are told the same mean SNR.
        let groups = grouping.num_groups();
        let snr = snr.narrow(0, 0, 1)?.broadcast_as((groups, snr.dim(1)?))?.contiguous()?;
        to_vectors(&modulate(common, condition.forward(&snr)?.first())?)
    }
}
