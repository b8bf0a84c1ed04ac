//! PSNR of a model on validation images, at fixed SNRs.

use super::config::TrainingConfig;
use super::data::{Data, read};
use super::error::TrainingError;
use super::objective::{Conditions, Objective};
use crate::transceiver::Model;
use candle_core::{D, Tensor};
use sememe_blocks::Decibel;
use sememe_blocks::channel::FadingModel;

/// Mean PSNR at one point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Fading model.
    pub fading: FadingModel,
    /// Mean SNR.
    pub snr: Decibel,
    /// Mean over images of the PSNR in dB, before rounding to bytes.
    pub psnr_db: f32,
}

/// Measures every training fading at every validation SNR.
pub fn validate(
    model: &Model,
    config: &TrainingConfig,
    objective: &Objective,
    data: &Data,
) -> Result<Vec<Measured>, TrainingError> {
    let users = config.downlink.users;
    let frames = config.validation.frames.min(data.validation.len() / users);
    let mut measured = Vec::new();
    for fading in &config.channel.fading {
        for snr in &config.validation.snr_db {
            let mut total = 0.0;
            for frame in 0..frames {
                let indices: Vec<usize> = (frame * users..(frame + 1) * users).collect();
                let images =
                    read(data.validation.as_ref(), &indices, None)?.to_device(model.parameters().device())?;
                let at = Conditions { frame: frame as u64, fading: *fading, snr: Decibel(*snr) };
                total += psnr_sum(&images, &objective.pass(model, &images, at)?.decoded)?;
            }
            let psnr_db = (total / (frames * users) as f64) as f32;
            measured.push(Measured { fading: *fading, snr: Decibel(*snr), psnr_db });
        }
    }
    Ok(measured)
}

/// Sum of the PSNRs of a batch in [0, 1]; at most 100 dB each.
fn psnr_sum(images: &Tensor, decoded: &Tensor) -> Result<f64, TrainingError> {
    let error = images.sub(&decoded.clamp(0f32, 1f32)?)?.sqr()?.flatten_from(1)?.mean(D::Minus1)?;
    let psnr = |mse: f32| (-10.0 * f64::from(mse).log10()).min(100.0);
    Ok(error.to_vec1::<f32>()?.into_iter().map(psnr).sum())
}
