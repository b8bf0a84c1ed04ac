//! Named variables of a model: made at random or loaded, with errors that name the tensor.

use super::torch_layout::{Piece, assemble};
use candle_core::{Device, Result, Tensor, Var, bail};
use sememe_blocks::rng::{KeyedRng, Purpose, RngKey, normal};
use std::collections::{BTreeMap, BTreeSet};
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

/// Most values of one variable: 4 GiB, beyond any network of this crate.
const MOST_VALUES: usize = 1 << 30;

/// Where new variables come from.
enum Origin {
    Random(RngKey),
    Stored(BTreeMap<String, Tensor>),
    /// As PyTorch lays them down.
    Torch(BTreeMap<String, Tensor>),
}

/// What has been defined so far.
#[derive(Default)]
struct Defined {
    variables: BTreeMap<String, Var>,
    /// Names and shapes in PyTorch.
    torch_names: Vec<(String, Vec<usize>)>,
    /// Stored tensors that were taken.
    used: Vec<String>,
}

/// All variables of a model, by name.
pub struct Parameters {
    origin: Origin,
    device: Device,
    trainable: bool,
    defined: Mutex<Defined>,
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

    /// Variables taken from the tensors of a PyTorch model, by the names and shapes of
    /// [`Parameters::torch_names`].
    pub fn from_torch(tensors: BTreeMap<String, Tensor>, device: &Device) -> Arc<Self> {
        Self::new(Origin::Torch(tensors), device, false)
    }

    fn new(origin: Origin, device: &Device, trainable: bool) -> Arc<Self> {
        Arc::new(Self { origin, device: device.clone(), trainable, defined: Mutex::default() })
    }

    /// The variables in the order of their names.
    pub fn named(&self) -> BTreeMap<String, Var> {
        self.lock().variables.clone()
    }

    /// Names and shapes that the same variables have in PyTorch, in the order of definition.
    pub fn torch_names(&self) -> Vec<(String, Vec<usize>)> {
        self.lock().torch_names.clone()
    }

    /// Number of values in all variables.
    pub fn count(&self) -> usize {
        self.lock().variables.values().map(|v| v.elem_count()).sum()
    }

    /// Stored tensors that no layer asked for: a sign of weights for another model.
    pub fn unused(&self) -> Vec<String> {
        match &self.origin {
            Origin::Random(_) => Vec::new(),
            Origin::Stored(tensors) | Origin::Torch(tensors) => {
                let used: BTreeSet<String> = self.lock().used.iter().cloned().collect();
                tensors.keys().filter(|name| !used.contains(*name)).cloned().collect()
            }
        }
    }

    /// Where the variables are.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The outermost scope.
    pub fn root(self: &Arc<Self>) -> Scope {
        Scope { parameters: self.clone(), prefix: String::new() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Defined> {
        // A panic elsewhere leaves the maps whole: each insertion is one call.
        self.defined.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A place in the tree of names.
#[derive(Clone)]
pub struct Scope {
    parameters: Arc<Parameters>,
    prefix: String,
}

impl Scope {
    /// Where its variables are.
    pub fn device(&self) -> &Device {
        &self.parameters.device
    }

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
        let pieces = match (init, shape) {
            (Init::ScaleShift, [2, width]) => Piece::scale_shift(*width),
            _ => vec![Piece::same("", shape)],
        };
        self.laid_out(name, shape, init, &pieces)
    }

    /// An affine weight `[inputs + 1, outputs]`, its last row the bias; see [`Init::affine_rows`].
    pub fn affine(&self, name: &str, inputs: usize, outputs: usize, gain: f32) -> Result<Tensor> {
        let init = Init::affine_rows(inputs, outputs, gain);
        self.laid_out(name, &[inputs + 1, outputs], init, &Piece::affine(inputs, outputs))
    }

    /// As [`Scope::variable`], with pieces of its own in PyTorch.
    pub fn laid_out(&self, name: &str, shape: &[usize], init: Init, pieces: &[Piece]) -> Result<Tensor> {
        let len = shape.iter().fold(1usize, |product, side| product.saturating_mul(*side));
        self.define(name, shape, &[(len, init)], pieces)
    }

    /// A flat variable of several parts, each `(length, start)`, and of pieces in PyTorch.
    pub fn joined(&self, name: &str, parts: &[(usize, Init)], pieces: &[Piece]) -> Result<Tensor> {
        self.define(name, &[parts.iter().map(|(len, _)| len).sum()], parts, pieces)
    }

    fn define(
        &self,
        own_name: &str,
        shape: &[usize],
        parts: &[(usize, Init)],
        pieces: &[Piece],
    ) -> Result<Tensor> {
        let name =
            if self.prefix.is_empty() { own_name.to_string() } else { format!("{}.{own_name}", self.prefix) };
        let len = parts.iter().fold(0usize, |sum, (len, _)| sum.saturating_add(*len));
        if len > MOST_VALUES {
            bail!("the parameter {name} of shape {shape:?} is too large: allowed are {MOST_VALUES} values");
        }
        let mut defined = self.parameters.lock();
        if defined.variables.contains_key(&name) {
            bail!("the parameter {name} is defined twice");
        }
        debug_assert_eq!(
            pieces.iter().map(|piece| piece.shape.iter().product::<usize>()).sum::<usize>(),
            len,
            "the pieces of {name}"
        );
        let tensor = match &self.parameters.origin {
            Origin::Random(key) => {
                let mut rng = key.stream(Purpose::Weights, 0, defined.variables.len());
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
            Origin::Torch(tensors) => {
                let mut used = Vec::new();
                let found = assemble(tensors, (&self.prefix, own_name), pieces, &mut used)?;
                defined.used.append(&mut used);
                found.to_device(&self.parameters.device)?.to_dtype(candle_core::DType::F32)?.reshape(shape)?
            }
        };
        if matches!(self.parameters.origin, Origin::Stored(_)) {
            defined.used.push(name.clone());
        }
        let torch_name = |piece: &Piece| (piece.full_name(&self.prefix, own_name), piece.shape.clone());
        defined.torch_names.extend(pieces.iter().map(torch_name));
        let variable = Var::from_tensor(&tensor)?;
        let tensor = match self.parameters.trainable {
            true => variable.as_tensor().clone(),
            false => variable.as_tensor().detach(),
        };
        defined.variables.insert(name, variable);
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
