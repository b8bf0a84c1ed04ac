//! Group splitting with trained weights: which budget they fit, and the kernels over them.

use super::air::Lengths;
use super::group_splitting::Networks;
use super::{Downlink, EncodedStore, Setting, SharedEncoder};
use sememe_blocks::access::{Budget, BudgetConfig};
use sememe_blocks::{BlockError, Result};
use sememe_models::transceiver::Model;
use sememe_models::transceiver::kernels::{CommonEncoder, SemanticDecoder, SemanticEncoder};
use std::sync::Arc;

/// Trained networks.
#[derive(Clone)]
pub struct Trained {
    model: Arc<Model>,
    encoded: Arc<EncodedStore>,
}

impl Trained {
    /// Networks for a downlink.
    ///
    /// - size: height and width of the images
    /// - returns: the networks, the lengths of what they send, and the budget behind them
    /// - errors: a downlink without a whole budget; weights made for other lengths
    pub fn new(
        model: Arc<Model>,
        downlink: &Downlink,
        size: (usize, usize),
    ) -> Result<(Self, Lengths, Budget)> {
        let architecture = model.architecture();
        let budget = BudgetConfig {
            uses: downlink.uses,
            rho: downlink.rho,
            num_users: downlink.users,
            num_groups: downlink.groups,
            height: size.0,
            width: size.1,
            accounting: downlink.accounting,
            mapping: downlink.mapping,
            family: architecture.family(),
        }
        .budget()?;
        if let Some(reason) = architecture.refuses(size) {
            return Err(BlockError::Kernel(reason));
        }
        let (private, common) = (architecture.private_len(size), architecture.common_len(size));
        if (private, common) != (budget.private_len(), budget.common_len()) {
            return Err(BlockError::invalid(
                "weights",
                format!("networks for {private} private and {common} common features"),
                format!(
                    "networks for the {} and {} that uses = {}, rho = {}, users = {} and groups = {} give",
                    budget.private_len(),
                    budget.common_len(),
                    downlink.uses,
                    downlink.rho,
                    downlink.users,
                    downlink.groups
                ),
            ));
        }
        let punctured = budget.signalling_uses() * downlink.mapping.reals_per_use();
        if let Some(unsent) = architecture.punctured_features().filter(|unsent| *unsent != punctured) {
            return Err(BlockError::invalid(
                "weights",
                format!("networks that leave {unsent} features unsent"),
                format!("networks that leave the {punctured} of signalling for groups = {}", downlink.groups),
            ));
        }
        let lengths = Lengths { private, common, signalling_uses: budget.signalling_uses() };
        Ok((Self { model, encoded: Arc::default() }, lengths, budget))
    }

    /// Shares encoder work with all networks that hold the same store: those of the same weights, for the same
    /// images.
    pub fn sharing(self, encoded: Arc<EncodedStore>) -> Self {
        Self { encoded, ..self }
    }

    /// The store of its encoder.
    pub fn encoded(&self) -> &Arc<EncodedStore> {
        &self.encoded
    }
}

impl Networks for Trained {
    type Encoder = SharedEncoder<SemanticEncoder>;
    type Common = CommonEncoder;
    type Decoder = SemanticDecoder;

    fn kernels(&self, setting: &Setting) -> Result<(Self::Encoder, CommonEncoder, SemanticDecoder)> {
        let model = || Arc::clone(&self.model);
        let encoder = SemanticEncoder::new(model(), setting.told_snr);
        Ok((
            SharedEncoder::new(encoder, Arc::clone(&self.encoded), setting.told_snr),
            CommonEncoder::new(model(), setting.told_snr),
            SemanticDecoder::new(model(), setting.told_snr, setting.size),
        ))
    }
}
