//! Our side: a network with all that its cases need.

use crate::network::Drawn;
use crate::{Case, Failure};
use candle_core::{Device, Tensor};
use sememe_blocks::access::Mapping;
use sememe_blocks::channel::{FadeProcess, FadingModel};
use sememe_blocks::equalizer::Equalizer;
use sememe_blocks::rng::{Purpose, RngKey, normal};
use sememe_blocks::{Decibel, Grouping};
use sememe_models::layers::Parameters;
use sememe_models::losses::Reconstruction;
use sememe_models::ops::adam::{self, AdamStep, Slot};
use sememe_models::ops::{Precision, among_workers, backward};
use sememe_models::transceiver::{Architecture, Downlink, Model, Received, Reception};
use sememe_models::weights::tensor_file::{Tensors, write_f32};
use std::collections::BTreeMap;
use std::path::Path;

/// Users of the batch cases.
pub const USERS: usize = 50;
/// Groups of the batch cases.
pub const GROUPS: usize = 10;
/// Height and width of the images.
pub const SIDE: usize = 32;
const SNR: f32 = 10.0;
/// Decay of the average of the weights.
const AVERAGE: f64 = 0.999;

/// One network with all that its cases need.
pub struct Subject {
    /// With a graph for gradients.
    pub model: Model,
    /// The same weights without a graph for gradients.
    frozen: Model,
    precision: Precision,
    /// As the other side has the weights.
    state: Tensors,
    downlink: Downlink,
    images: Tensor,
    moments: Vec<Tensor>,
    /// Of the weights, as training keeps them; the other side has none.
    averages: Vec<Tensor>,
    steps: u64,
}

fn reception<'a>(private: &'a Tensor, common: &'a Tensor, snr: &'a [f32]) -> Reception<'a> {
    Reception { private, common, mean_snr: SNR, snr, common_snr: snr, true_scales: None }
}

impl Subject {
    /// A network with all else that its cases need.
    pub fn new(drawn: Drawn, device: &Device, precision: Precision) -> Result<Self, Failure> {
        let Drawn { model, state, punctured_uses } = drawn;
        let variables = model.parameters().named();
        let moments = variables
            .values()
            .map(|v| Tensor::zeros((2, v.elem_count()), v.dtype(), v.device()))
            .collect::<Result<_, _>>()?;
        let averages = variables.values().map(|v| v.as_tensor().copy()).collect::<Result<_, _>>()?;
        let copies = variables
            .iter()
            .map(|(name, v)| Ok((name.clone(), v.as_tensor().copy()?)))
            .collect::<Result<BTreeMap<_, _>, Failure>>()?;
        let frozen = Model::new(model.architecture().clone(), Parameters::frozen(copies, device))?;
        let mut rng = RngKey::new(2).stream(Purpose::Weights, 1, 0);
        let pixels: Vec<f32> =
            (0..USERS * SIDE * SIDE * 3).map(|_| 0.5 + 0.2 * normal(&mut rng).clamp(-2.5, 2.5)).collect();
        let downlink = Downlink {
            mapping: Mapping::Iq,
            equalizer: Equalizer::Mmse,
            punctured_uses,
            snr_spread_db: 0.0,
            key: RngKey::new(3),
        };
        let images = Tensor::from_vec(pixels, (USERS, SIDE, SIDE, 3), device)?;
        Ok(Self { precision, model, frozen, state, downlink, images, moments, averages, steps: 0 })
    }

    /// Writes weights and images for the peer.
    pub fn save(&self, name: &str, path: &Path) -> Result<(), Failure> {
        let mut tensors = self.state.clone();
        tensors.insert("images".to_string(), self.images.clone());
        let punctured = self.downlink.punctured_uses * self.downlink.mapping.reals_per_use();
        let architecture = self.model.architecture();
        let heads = match architecture {
            Architecture::GroupSplitting(config) => config.heads,
            _ => 0,
        };
        let about = [
            ("network", name.to_string()),
            ("heads", heads.to_string()),
            ("punctured", punctured.to_string()),
            ("sizes", architecture.to_json()?),
        ];
        let about = about.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
        Ok(write_f32(path, &tensors, about)?)
    }

    /// Encoder, groups and decoder, without a channel.
    pub fn infer(&self, users: usize, groups: usize) -> Result<Tensor, Failure> {
        let (model, grouping) = (&self.frozen, by_order(users, groups)?);
        let encoded = model.encode(&self.images.narrow(0, 0, users)?, SNR)?;
        let common = model.common(&encoded.maps, &grouping, SNR)?;
        let of_user: Vec<u32> = grouping.as_slice().iter().map(|group| *group as u32).collect();
        let copies = common.vectors.index_select(&Tensor::new(of_user, self.images.device())?, 0)?;
        let snr = vec![SNR; users];
        Ok(model.decode(&reception(&encoded.private, &copies, &snr), (SIDE, SIDE))?)
    }

    /// One step of training.
    fn train(&mut self) -> Result<(), Failure> {
        self.steps += 1;
        let (model, grouping) = (&self.model, by_order(USERS, GROUPS)?);
        let encoded = model.encode(&self.images, SNR)?;
        let common = model.common(&encoded.maps, &grouping, SNR)?;
        let process = FadeProcess::block(FadingModel::Awgn);
        let snr = Decibel(10.0 * SNR.log10());
        let received =
            self.downlink.send(&encoded.private, &common.vectors, &grouping, process, self.steps, snr)?;
        let Received { private, common, snr, .. } = &received;
        let decoded = model.decode(&reception(private, common, snr), (SIDE, SIDE))?;
        let loss = Reconstruction::Charbonnier.loss(&self.images, &decoded)?;
        let gradients = backward(&loss)?;
        let adam_step = AdamStep {
            learning_rate: 1e-4,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            step: self.steps,
            gradient_scale: 1.0,
        };
        let variables = model.parameters().named();
        let mut moving = Vec::with_capacity(variables.len());
        for variable in variables.values() {
            let gradient = gradients.get(variable).ok_or("a variable without gradient")?;
            moving.push([variable.as_tensor().detach(), gradient.flatten_all()?]);
        }
        let slots: Vec<Slot> = moving
            .iter()
            .zip(&self.moments)
            .zip(&self.averages)
            .map(|(([parameter, gradient], moments), average)| Slot { parameter, moments, gradient, average })
            .collect();
        adam::step(&slots, adam_step, AVERAGE)?;
        let loss = loss.to_scalar::<f32>()?;
        if loss.is_finite() { Ok(()) } else { Err(format!("the loss became {loss}").into()) }
    }

    /// Runs a case once.
    pub fn run(&mut self, case: Case) -> Result<(), Failure> {
        let (device, precision) = (self.images.device().clone(), self.precision);
        among_workers(&device, || {
            precision.within(|| match case {
                Case::One => self.infer(1, 1).map(drop),
                Case::Batch => self.infer(USERS, GROUPS).map(drop),
                Case::Train => self.train(),
            })
        })?;
        Ok(self.images.device().synchronize()?)
    }
}

fn by_order(users: usize, groups: usize) -> Result<Grouping, Failure> {
    Ok(Grouping::new((0..users).map(|user| user * groups / users).collect(), groups)?)
}
