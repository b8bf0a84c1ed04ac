//! Which networks are compared, and their weights on both sides.

use crate::Failure;
use crate::subject::{GROUPS, SIDE, USERS};
use candle_core::{Device, Tensor};
use sememe_blocks::access::{Budget, BudgetConfig, Family, Mapping};
use sememe_blocks::rng::{Purpose, RngKey, normal};
use sememe_models::group_splitting::{ModelConfig, Stem};
use sememe_models::layers::Parameters;
use sememe_models::ops::buffers::to_vec;
use sememe_models::transceiver::{Architecture, Model};
use sememe_models::weights::tensor_file::Tensors;
use sememe_models::weights::{from_state, torch_names};

const USES: usize = 1024;
const RHO: f64 = 0.2;
/// Presets of group splitting.
pub const GROUP_SPLITTING: [&str; 2] = ["paper", "spatial"];
/// All presets that are compared.
pub const NETWORKS: [&str; 5] = ["paper", "spatial", "deep-jscc", "adjscc-compact", "vit-jscc-compact"];

/// A network with weights drawn at random.
pub struct Drawn {
    pub model: Model,
    /// Its weights as the other side takes them: by our names for group splitting, by PyTorch's for single images.
    pub state: Tensors,
    /// Channel uses of a private vector that are not sent.
    pub punctured_uses: usize,
}

impl Drawn {
    /// The network of a preset.
    pub fn new(name: &str, device: &Device) -> Result<Self, Failure> {
        match ModelConfig::preset(name, 1, 1) {
            Some(config) => Self::group_splitting(name, config.family, device),
            None => Self::single_images(name, device),
        }
    }

    fn group_splitting(name: &str, family: Family, device: &Device) -> Result<Self, Failure> {
        let budget = budget(RHO, family)?;
        let private = budget.private_channels().unwrap_or(budget.private_len());
        let common = budget.common_channels().unwrap_or(budget.common_len());
        let preset = ModelConfig::preset(name, private, common).ok_or("a preset was lost")?;
        let config = ModelConfig { stem: Stem::Reshape, gain_code: false, ..preset };
        let model = Model::random(config, 1, device)?;
        // Fresh networks hold many zeros, which would hide differences between the two sides.
        let mut rng = RngKey::new(2).stream(Purpose::Weights, 0, 0);
        let mut state = Tensors::new();
        for (name, variable) in model.parameters().named() {
            let values = to_vec(&variable)?.into_iter().map(|v| v + 0.02 * normal(&mut rng)).collect();
            variable.set(&Tensor::from_vec(values, variable.shape(), device)?)?;
            state.insert(name, variable.as_tensor().copy()?);
        }
        Ok(Self { model, state, punctured_uses: budget.signalling_uses() })
    }

    fn single_images(name: &str, device: &Device) -> Result<Self, Failure> {
        let features = budget(0.0, Family::Spatial)?.private_channels().ok_or("no maps")?;
        let unknown = || format!("{name} is not one of {NETWORKS:?}");
        let architecture = Architecture::preset(name, features, 0).ok_or_else(unknown)?;
        let mut rng = RngKey::new(2).stream(Purpose::Weights, 0, 0);
        let draw = |(name, shape): (String, Vec<usize>)| {
            let fan_in = shape[1..].iter().product::<usize>().max(1) as f32;
            let (center, spread) = match name.rsplit('.').next() {
                Some("slope") => (0.25, 0.0),
                Some("beta_root") => (1.0, 0.02),
                Some("weight") if shape.len() == 1 => (1.0, 0.02),
                Some("weight" | "gamma_root") => (0.0, fan_in.sqrt().recip()),
                _ => (0.0, 0.02),
            };
            let values: Vec<f32> =
                (0..shape.iter().product()).map(|_| center + spread * normal(&mut rng)).collect();
            Ok((name, Tensor::from_vec(values, shape, &Device::Cpu)?))
        };
        let state =
            torch_names(architecture.clone())?.into_iter().map(draw).collect::<Result<_, Failure>>()?;
        let laid_out = from_state(architecture.clone(), Tensors::clone(&state))?.parameters().named();
        let laid_out = laid_out.into_iter().map(|(name, variable)| (name, variable.as_tensor().clone()));
        let model = Model::new(architecture, Parameters::stored(laid_out.collect(), device))?;
        Ok(Self { model, state, punctured_uses: 0 })
    }
}

fn budget(rho: f64, family: Family) -> Result<Budget, Failure> {
    let config = BudgetConfig {
        uses: USES,
        rho,
        num_users: USERS,
        num_groups: GROUPS,
        height: SIDE,
        width: SIDE,
        accounting: Default::default(),
        mapping: Mapping::Iq,
        family,
    };
    Ok(config.budget()?)
}
