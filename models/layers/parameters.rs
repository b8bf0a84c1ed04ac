//! Named variables of a model: made at random or loaded, with errors that name the tensor.

use candle_core::{Device, Result, Tensor, Var, bail};
use sememe_blocks::rng::{KeyedRng, Purpose, RngKey, normal};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// How a variable starts.
#[derive(Clone, Copy, Debug)]
pub enum Init {
    /// The same value everywhere.
    Constant(f32),
    /// A first half of ones (scales), then zeros (shifts).
    ScaleShift,
    /// This value on the diagonal of a square matrix, zero elsewhere.
    Diagonal(f32),
    /// Normal values of this standard deviation; the last `zeros` values (a bias) are zero.
    Normal {
        /// Standard deviation.
        deviation: f32,
        /// Values at the end that start at zero.
        zeros: usize,
    },
}

impl Init {
    /// An affine weight `[inputs + 1, outputs]`: variance gain^2 / inputs, bias zero.
    pub fn affine_rows(inputs: usize, outputs: usize, gain: f32) -> Self {
        Self::Normal { deviation: gain / (inputs.max(1) as f32).sqrt(), zeros: outputs }
    }

    /// `len` values.
    fn values(self, len: usize, rng: &mut KeyedRng) -> Vec<f32> {
        match self {
            Self::Constant(value) => vec![value; len],
            Self::ScaleShift => (0..len).map(|at| if at < len / 2 { 1.0 } else { 0.0 }).collect(),
            Self::Diagonal(value) => {
                let side = len.isqrt();
                (0..len).map(|at| if at / side == at % side { value } else { 0.0 }).collect()
            }
            Self::Normal { deviation, zeros } => {
                let drawn = len.saturating_sub(zeros);
                let mut values: Vec<f32> = (0..drawn).map(|_| deviation * normal(rng)).collect();
                values.resize(len, 0.0);
                values
            }
        }
    }
}

/// Where new variables come from.
enum Origin {
    Random(RngKey),
    Stored(BTreeMap<String, Tensor>),
}

/// All variables of a model, by name.
pub struct Parameters {
    origin: Origin,
    device: Device,
    trainable: bool,
    variables: Mutex<BTreeMap<String, Var>>,
}

impl Parameters {
    /// Variables drawn at random under a seed.
    pub fn random(seed: u64, device: &Device) -> Arc<Self> {
        Self::new(Origin::Random(RngKey::new(seed)), device, true)
    }

    /// Variables taken from stored tensors, any floating type; shapes are checked as they are used.
    pub fn stored(tensors: BTreeMap<String, Tensor>, device: &Device) -> Arc<Self> {
        Self::new(Origin::Stored(tensors), device, true)
    }

    /// As [`Parameters::stored`], for inference: layers keep no graph for gradients.
    pub fn frozen(tensors: BTreeMap<String, Tensor>, device: &Device) -> Arc<Self> {
        Self::new(Origin::Stored(tensors), device, false)
    }

    fn new(origin: Origin, device: &Device, trainable: bool) -> Arc<Self> {
        Arc::new(Self { origin, device: device.clone(), trainable, variables: Mutex::default() })
    }

    /// The variables in the order of their names.
    pub fn named(&self) -> BTreeMap<String, Var> {
        self.lock().clone()
    }

    /// Number of values in all variables.
    pub fn count(&self) -> usize {
        self.lock().values().map(|v| v.elem_count()).sum()
    }

    /// Stored tensors that no layer asked for: a sign of weights for another model.
    pub fn unused(&self) -> Vec<String> {
        match &self.origin {
            Origin::Random(_) => Vec::new(),
            Origin::Stored(tensors) => {
                let used = self.lock();
                tensors.keys().filter(|name| !used.contains_key(*name)).cloned().collect()
            }
        }
    }

    /// The outermost scope.
    pub fn root(self: &Arc<Self>) -> Scope {
        Scope { parameters: self.clone(), prefix: String::new() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Var>> {
        // A panic elsewhere leaves the map whole: each insertion is one call.
        self.variables.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A place in the tree of names.
#[derive(Clone)]
pub struct Scope {
    parameters: Arc<Parameters>,
    prefix: String,
}

impl Scope {
    /// The scope `name` inside this one.
    pub fn at(&self, name: impl std::fmt::Display) -> Self {
        let prefix =
            if self.prefix.is_empty() { name.to_string() } else { format!("{}.{name}", self.prefix) };
        Self { parameters: self.parameters.clone(), prefix }
    }

    /// The variable `name` of a shape.
    ///
    /// - errors: a stored tensor that is missing or has another shape; the name stands in the error
    pub fn variable(&self, name: &str, shape: &[usize], init: Init) -> Result<Tensor> {
        self.define(name, shape, &[(shape.iter().product(), init)])
    }

    /// An affine weight `[inputs + 1, outputs]`, its last row the bias; see [`Init::affine_rows`].
    pub fn affine(&self, name: &str, inputs: usize, outputs: usize, gain: f32) -> Result<Tensor> {
        self.variable(name, &[inputs + 1, outputs], Init::affine_rows(inputs, outputs, gain))
    }

    /// A flat variable of several parts, each `(length, start)`.
    pub fn joined(&self, name: &str, parts: &[(usize, Init)]) -> Result<Tensor> {
        self.define(name, &[parts.iter().map(|(len, _)| len).sum()], parts)
    }

    fn define(&self, name: &str, shape: &[usize], parts: &[(usize, Init)]) -> Result<Tensor> {
        let name = if self.prefix.is_empty() { name.to_string() } else { format!("{}.{name}", self.prefix) };
        let mut variables = self.parameters.lock();
        if variables.contains_key(&name) {
            bail!("the parameter {name} is defined twice");
        }
        let tensor = match &self.parameters.origin {
            Origin::Random(key) => {
                let mut rng = key.stream(Purpose::Weights, 0, variables.len());
                let values: Vec<f32> =
                    parts.iter().flat_map(|(len, init)| init.values(*len, &mut rng)).collect();
                Tensor::from_vec(values, shape, &self.parameters.device)?
            }
            Origin::Stored(tensors) => match tensors.get(&name) {
                None => bail!("tensor {name} of shape {shape:?} is missing"),
                Some(found) if found.dims() != shape => {
                    bail!("tensor {name} has shape {:?}, expected {shape:?}", found.dims())
                }
                Some(found) => found
                    .to_device(&self.parameters.device)?
                    .to_dtype(candle_core::DType::F32)?
                    .contiguous()?,
            },
        };
        let variable = Var::from_tensor(&tensor)?;
        let tensor = match self.parameters.trainable {
            true => variable.as_tensor().clone(),
            false => variable.as_tensor().detach(),
        };
        variables.insert(name, variable);
        Ok(tensor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_shape_and_a_missing_tensor_are_named() {
        let weight = Tensor::zeros((2, 3), candle_core::DType::F16, &Device::Cpu).unwrap();
        let stored = Parameters::stored(BTreeMap::from([("head.weight".into(), weight)]), &Device::Cpu);
        let scope = stored.root().at("head");
        let error = scope.variable("weight", &[3, 3], Init::Constant(0.0)).unwrap_err().to_string();
        assert!(error.contains("head.weight has shape [2, 3], expected [3, 3]"), "{error}");
        let error = scope.variable("scale", &[1], Init::Constant(0.0)).unwrap_err().to_string();
        assert!(error.contains("head.scale"), "{error}");
        assert_eq!(stored.unused(), ["head.weight"]);
        assert!(scope.variable("weight", &[2, 3], Init::Constant(0.0)).is_ok());
        assert!(stored.unused().is_empty());
    }

    #[test]
    fn the_seed_decides_the_values() {
        let draw = |seed| {
            let parameters = Parameters::random(seed, &Device::Cpu);
            let weight = parameters.root().affine("w", 3, 5, 1.0).unwrap();
            weight.to_vec2::<f32>().unwrap()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_eq!(draw(1)[3], [0.0; 5]);
    }
}
