//! The downlink as a differentiable function: power normalisation, fading, noise and equaliser.
//!
//! Draws the same fades and the same noise as the blocks `Fading` and `Awgn` under the same key and
//! frame, so that a network trains on exactly what it will meet; a test compares the numbers.

use candle_core::{Result, Tensor};
use num_complex::Complex32;
use rayon::prelude::*;
use sememe_blocks::access::Mapping;
use sememe_blocks::channel::{FadeProcess, user_snr, white_noise};
use sememe_blocks::equalizer::{Equalizer, effective_snr};
use sememe_blocks::frame::Phase;
use sememe_blocks::rng::RngKey;
use sememe_blocks::{Decibel, Grouping};

/// Everything of a downlink that stays the same from frame to frame.
#[derive(Clone, Debug)]
pub struct Downlink {
    /// Packing of features into symbols.
    pub mapping: Mapping,
    /// What undoes the fade.
    pub equalizer: Equalizer,
    /// Private symbols at the end of a vector that are not sent.
    pub punctured_uses: usize,
    /// Width of the range of users' mean SNRs.
    pub snr_spread_db: f32,
    /// Streams of fades and noise.
    pub key: RngKey,
}

/// Features as the users have them after their equalisers.
pub struct Received {
    /// `[K, L_p]`.
    pub private: Tensor,
    /// Each user's copy of its group's common feature, `[K, L_c]`.
    pub common: Tensor,
    /// SNR of each user's private vector after the equaliser, linear.
    pub snr: Vec<f32>,
    /// The same of its common vector; equal to `snr` where nothing is sent in common.
    pub common_snr: Vec<f32>,
}

/// One user's channel in one phase: the estimate is gain * x + noise.
struct UserChannel {
    gain: Vec<Complex32>,
    noise: Vec<Complex32>,
    snr: f32,
}

impl Downlink {
    /// Sends one frame.
    ///
    /// - private `[K, L_p]`, common `[G, L_c]` -> each user's received features; gradients flow
    ///   through normalisation and channel gains, while fades, noise and groups are constants
    pub fn send(
        &self,
        private: &Tensor,
        common: &Tensor,
        grouping: &Grouping,
        process: FadeProcess,
        frame: u64,
        mean_snr: Decibel,
    ) -> Result<Received> {
        let per_use = self.mapping.reals_per_use();
        let (users, common_len) = (private.dim(0)?, common.dim(1)?);
        let sent_uses = (private.dim(1)? / per_use).checked_sub(self.punctured_uses).filter(|uses| *uses > 0);
        let Some(sent_uses) = sent_uses else {
            candle_core::bail!("{} private features leave nothing to send", private.dim(1)?)
        };
        let common_uses = common_len / per_use;
        let of_user = |user: usize| {
            let variance = user_snr(self.key, mean_snr, self.snr_spread_db, frame, user).noise_variance();
            let mut fades = process.of_user(self.key, frame, user);
            // The common phase is sent first.
            let common = (common_uses > 0).then(|| {
                let fade = fades.slot(Phase::Common, 0, common_uses);
                self.user_channel(fade, variance, Phase::Common, frame, user, common_uses)
            });
            let fade = fades.slot(Phase::Private, 0, sent_uses);
            (common, self.user_channel(fade, variance, Phase::Private, frame, user, sent_uses))
        };
        let channels: Vec<_> = (0..users).into_par_iter().map(of_user).collect();
        let (common_channels, private_channels): (Vec<_>, Vec<_>) = channels.into_iter().unzip();
        let common_channels: Vec<UserChannel> = common_channels.into_iter().flatten().collect();
        let sent = unit_power(&private.narrow(1, 0, sent_uses * per_use)?, sent_uses)?;
        let received = self.through(&sent, &private_channels)?;
        let punctured =
            Tensor::zeros((users, self.punctured_uses * per_use), received.dtype(), received.device())?;
        let snr_of = |channels: &[UserChannel]| channels.iter().map(|channel| channel.snr).collect();
        let snr = snr_of(&private_channels);
        let common_snr = snr_of(if common_uses > 0 { &common_channels } else { &private_channels });
        let common = if common_uses > 0 {
            let of_user: Vec<u32> = grouping.as_slice().iter().map(|group| *group as u32).collect();
            let copies = unit_power(common, common_uses)?
                .index_select(&Tensor::new(of_user.as_slice(), common.device())?, 0)?;
            self.through(&copies, &common_channels)?
        } else {
            Tensor::zeros((users, 0), private.dtype(), private.device())?
        };
        Ok(Received { private: Tensor::cat(&[received, punctured], 1)?, common, snr, common_snr })
    }

    fn user_channel(
        &self,
        fade: Vec<Complex32>,
        variance: f32,
        phase: Phase,
        frame: u64,
        user: usize,
        uses: usize,
    ) -> UserChannel {
        let weights: Vec<Complex32> = fade.iter().map(|h| self.equalizer.weight(*h, variance)).collect();
        let noise = white_noise(self.key, phase, frame, user, uses);
        let scaled = noise.into_iter().zip(weights.iter().cycle()).map(|(n, w)| n * variance.sqrt() * w);
        UserChannel {
            gain: fade.iter().zip(&weights).map(|(h, w)| h * w).collect(),
            noise: scaled.collect(),
            snr: effective_snr(&fade, variance),
        }
    }

    /// x `[K, L]` -> gain * x + noise, `[K, L]`.
    fn through(&self, x: &Tensor, channels: &[UserChannel]) -> Result<Tensor> {
        let (users, len) = x.dims2()?;
        let uses = len / self.mapping.reals_per_use();
        let device = x.device();
        let part = |values: Vec<f32>| {
            let columns = values.len() / users;
            Tensor::from_vec(values, (users, columns), device)
        };
        let gains =
            |of: fn(&Complex32) -> f32| part(channels.iter().flat_map(|c| c.gain.iter().map(of)).collect());
        let noise =
            |of: fn(&Complex32) -> f32| part(channels.iter().flat_map(|c| c.noise.iter().map(of)).collect());
        match self.mapping {
            // The quadrature carries nothing, and what arrives on it is discarded.
            Mapping::Real => x.broadcast_mul(&gains(|g| g.re)?)? + noise(|n| n.re)?,
            Mapping::Iq => {
                let pairs = x.reshape((users, uses, 2))?;
                let (re, im) = (pairs.narrow(2, 0, 1)?.squeeze(2)?, pairs.narrow(2, 1, 1)?.squeeze(2)?);
                let (gain_re, gain_im) = (gains(|g| g.re)?, gains(|g| g.im)?);
                let y_re = (re.broadcast_mul(&gain_re)? - im.broadcast_mul(&gain_im)?)?;
                let y_im = (re.broadcast_mul(&gain_im)? + im.broadcast_mul(&gain_re)?)?;
                let y_re = (y_re + noise(|n| n.re)?)?;
                let y_im = (y_im + noise(|n| n.im)?)?;
                Tensor::stack(&[y_re, y_im], 2)?.reshape((users, len))
            }
        }
    }
}

/// Scales every row to unit average power over its channel uses: x = sqrt(uses) v / ||v||.
fn unit_power(vectors: &Tensor, uses: usize) -> Result<Tensor> {
    let energy = (vectors.sqr()?.sum_keepdim(1)? + 1e-20)?;
    vectors.broadcast_mul(&(energy.recip()? * uses as f64)?.sqrt()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check_gradients, noise_var};
    use ndarray::Array2;
    use sememe_blocks::access::{FeatureDemapper, FeatureMapper, PowerNorm};
    use sememe_blocks::channel::{Awgn, Fading, FadingModel, Phases, Variation};
    use sememe_blocks::frame::Features;
    use sememe_blocks::kernel::FrameKernel;

    fn array(tensor: &Tensor) -> Array2<f32> {
        let (rows, columns) = tensor.dims2().unwrap();
        Array2::from_shape_vec((rows, columns), crate::ops::buffers::to_vec(tensor).unwrap()).unwrap()
    }

    /// The same frame through the blocks of the flowgraph.
    fn through_blocks(
        downlink: &Downlink,
        process: FadeProcess,
        private: &Tensor,
        common: &Tensor,
        snr: Decibel,
    ) -> sememe_blocks::frame::ReceivedFeatures {
        let features = Features {
            frame: 9,
            private: array(private),
            common: array(common),
            grouping: Grouping::new(vec![1, 0, 1, 1], 2).unwrap(),
        };
        let (private_len, common_len) = (private.dim(1).unwrap(), common.dim(1).unwrap());
        let sent = FeatureMapper::new(downlink.mapping, downlink.punctured_uses).process(features).unwrap();
        let sent = PowerNorm.process(sent).unwrap();
        let faded = Fading::new(downlink.key, process).unwrap().process(sent).unwrap();
        let noisy = Awgn::new(downlink.key, snr, downlink.snr_spread_db).unwrap().process(faded).unwrap();
        let mut equalizer = downlink.equalizer;
        let equalized = equalizer.process(noisy).unwrap();
        FeatureDemapper::new(downlink.mapping, private_len, common_len, downlink.punctured_uses)
            .unwrap()
            .process(equalized)
            .unwrap()
    }

    #[test]
    fn gives_the_numbers_of_the_blocks() {
        let (private, common) = (noise_var(&[4, 12], 1), noise_var(&[2, 8], 2));
        let grouping = Grouping::new(vec![1, 0, 1, 1], 2).unwrap();
        for mapping in [Mapping::Iq, Mapping::Real] {
            for equalizer in [Equalizer::Mmse, Equalizer::Zf, Equalizer::None] {
                for (variation, phases) in [
                    (Variation::Block, Phases::Shared),
                    (Variation::Block, Phases::Independent),
                    (Variation::PerSymbol, Phases::Shared),
                ] {
                    let model = FadingModel::Rician { k_factor: 1.0 };
                    let process = FadeProcess { model, variation, phases, doppler: None };
                    let key = RngKey::new(4);
                    let downlink =
                        Downlink { mapping, equalizer, punctured_uses: 2, snr_spread_db: 6.0, key };
                    let snr = Decibel(7.0);
                    let found = downlink
                        .send(private.as_tensor(), common.as_tensor(), &grouping, process, 9, snr)
                        .unwrap();
                    let expected =
                        through_blocks(&downlink, process, private.as_tensor(), common.as_tensor(), snr);
                    for (found, expected) in
                        [(array(&found.private), expected.private), (array(&found.common), expected.common)]
                    {
                        for (a, b) in found.iter().zip(&expected) {
                            assert!((a - b).abs() < 1e-4, "{mapping:?} {equalizer:?} {variation:?}: {a} {b}");
                        }
                    }
                    let snrs = found.snr.iter().zip(&expected.snr);
                    for (a, b) in snrs.chain(found.common_snr.iter().zip(&expected.common_snr)) {
                        assert!((a / b - 1.0).abs() < 1e-4);
                    }
                }
            }
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let grouping = Grouping::new(vec![1, 0, 1], 2).unwrap();
        let downlink = Downlink {
            mapping: Mapping::Iq,
            equalizer: Equalizer::None,
            punctured_uses: 1,
            snr_spread_db: 0.0,
            key: RngKey::new(4),
        };
        let process = FadeProcess::block(FadingModel::Rayleigh);
        let vars = [noise_var(&[3, 8], 1), noise_var(&[2, 4], 2)];
        check_gradients(&vars, |t| {
            let received = downlink.send(&t[0], &t[1], &grouping, process, 1, Decibel(10.0))?;
            Tensor::cat(&[received.private, received.common], 1)
        });
    }
}
