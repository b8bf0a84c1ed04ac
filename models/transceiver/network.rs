//! What every learned transceiver does, whatever it is made of.

use candle_core::{Result, Tensor};
use sememe_blocks::Grouping;

/// Encoder, common encoder and decoder over variables of their own.
pub trait Network: Send + Sync {
    /// Images `[K, H, W, 3]` in [0, 1] to what is known of each user.
    ///
    /// - mean_snr: linear; what the base station knows
    fn encode(&self, images: &Tensor, mean_snr: f32) -> Result<Encoded>;

    /// Maps of all users to what is common to each group. Rows of empty groups mean nothing.
    ///
    /// Here nothing is common.
    fn common(&self, maps: &Tensor, grouping: &Grouping, mean_snr: f32) -> Result<Common> {
        let _ = mean_snr;
        let features = Tensor::zeros((grouping.num_groups(), 0), maps.dtype(), maps.device())?;
        Ok(Common { vectors: features.clone(), features, scale: None })
    }

    /// Images `[K, H, W, 3]` from what was received; not clamped to [0, 1].
    fn decode(&self, received: &Reception, size: (usize, usize)) -> Result<Tensor>;
}

/// What the encoder knows of each user.
pub struct Encoded {
    /// What the common encoder needs of each user, `[K, h, w, c]`; no channels where nothing is common.
    pub maps: Tensor,
    /// Private vectors, `[K, L_p]`.
    pub private: Tensor,
    /// Scale of each user's features, `[K, 1]`, where the vectors carry it.
    pub scale: Option<Tensor>,
}

/// What is common to the users of each group.
pub struct Common {
    /// Features, `[G, L_c]`.
    pub features: Tensor,
    /// Vectors to be sent, `[G, L_c]`: the features, or their scale and what is left of them.
    pub vectors: Tensor,
    /// Scale of each group's features, `[G, 1]`, where the vectors carry it.
    pub scale: Option<Tensor>,
}

/// What each user received.
pub struct Reception<'a> {
    /// Its private vector, `[K, L_p]`.
    pub private: &'a Tensor,
    /// Its copy of its group's common vector, `[K, L_c]`.
    pub common: &'a Tensor,
    /// Mean SNR as all are told, linear.
    pub mean_snr: f32,
    /// SNR of each user's private vector after its equaliser, linear.
    pub snr: &'a [f32],
    /// The same of its common vector.
    pub common_snr: &'a [f32],
    /// In training, the true scales of private and common vector of each user, `[K, 1]`, so that gradients
    /// flow through them.
    pub true_scales: Option<[&'a Tensor; 2]>,
}
