//! A learned transceiver with its variables: what training, weights and links work with.

use super::architecture::Architecture;
use super::network::{Common, Encoded, Network, Reception};
use crate::layers::Parameters;
use candle_core::{Device, Result, Tensor};
use sememe_blocks::Grouping;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Networks and their variables.
pub struct Model {
    architecture: Architecture,
    parameters: Arc<Parameters>,
    network: Box<dyn Network>,
    /// What the weights were made from, as stored beside them.
    pub origin: BTreeMap<String, String>,
}

impl Model {
    /// A model with variables drawn at random.
    pub fn random(architecture: impl Into<Architecture>, seed: u64, device: &Device) -> Result<Self> {
        Self::new(architecture, Parameters::random(seed, device))
    }

    /// A model over given variables.
    pub fn new(architecture: impl Into<Architecture>, parameters: Arc<Parameters>) -> Result<Self> {
        let architecture = architecture.into();
        let network = architecture.network(&parameters.root())?;
        Ok(Self { architecture, parameters, network, origin: BTreeMap::new() })
    }

    /// The same weights on a device, for inference.
    pub fn on(&self, device: &Device) -> Result<Self> {
        let tensors = self.parameters.named();
        let tensors =
            tensors.into_iter().map(|(name, variable)| (name, variable.as_tensor().detach())).collect();
        let copy = Self::new(self.architecture.clone(), Parameters::frozen(tensors, device))?;
        Ok(Self { origin: self.origin.clone(), ..copy })
    }

    /// Sizes and switches.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The variables.
    pub fn parameters(&self) -> &Arc<Parameters> {
        &self.parameters
    }

    /// What is known of each user from images `[K, H, W, 3]` in [0, 1].
    ///
    /// - mean_snr: linear; what the base station knows
    /// - errors: images of a size that the architecture refuses
    pub fn encode(&self, images: &Tensor, mean_snr: f32) -> Result<Encoded> {
        let (_, height, width, _) = images.dims4()?;
        if let Some(reason) = self.architecture.refuses((height, width)) {
            candle_core::bail!("{reason}");
        }
        self.network.encode(images, mean_snr)
    }

    /// Common features of each group. Rows of empty groups mean nothing.
    pub fn common(&self, maps: &Tensor, grouping: &Grouping, mean_snr: f32) -> Result<Common> {
        self.network.common(maps, grouping, mean_snr)
    }

    /// Images `[K, H, W, 3]` from what was received; not clamped to [0, 1].
    pub fn decode(&self, received: &Reception, size: (usize, usize)) -> Result<Tensor> {
        self.network.decode(received, size)
    }
}
