//! Adam over all variables of a model, with schedule, clipping and an average of the weights.

use super::config::{OptimizerSection, Schedule};
use super::error::TrainingError;
use crate::ops::adam::{self, AdamStep, average_into};
use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor, Var};
use std::collections::BTreeMap;

/// One variable with its optimiser state.
struct Slot {
    name: String,
    variable: Var,
    moments: Tensor,
    average: Tensor,
}

/// The optimiser's state.
pub struct Optimizer {
    config: OptimizerSection,
    slots: Vec<Slot>,
}

impl Optimizer {
    /// Starts with zero moments; `averages` are the variables of the model that is kept.
    pub fn new(
        config: &OptimizerSection,
        variables: BTreeMap<String, Var>,
        averages: &BTreeMap<String, Var>,
    ) -> Result<Self, TrainingError> {
        let slots = variables
            .into_iter()
            .map(|(name, variable)| {
                let Some(average) = averages.get(&name) else {
                    return Err(TrainingError::Config(format!("no average for the parameter {name}")));
                };
                let moments = Tensor::zeros((2, variable.elem_count()), DType::F32, variable.device())?;
                Ok(Slot { average: average.as_tensor().detach(), name, variable, moments })
            })
            .collect::<Result<_, TrainingError>>()?;
        Ok(Self { config: config.clone(), slots })
    }

    /// The learning rate of a step (from 1) of `steps` in all.
    pub fn learning_rate(&self, step: u64, steps: u64) -> f64 {
        let warmup = self.config.warmup_steps;
        let rise = if step < warmup { step as f64 / warmup as f64 } else { 1.0 };
        let decay = match self.config.schedule {
            Schedule::Constant => 1.0,
            Schedule::Cosine => {
                let done = (step.saturating_sub(1)) as f64 / steps.max(1) as f64;
                0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
        };
        self.config.learning_rate * rise * decay
    }

    /// Moves all variables one step (from 1) down their gradients and renews the averages.
    ///
    /// - returns: the Euclidean norm of the whole gradient before clipping
    pub fn step(&mut self, gradients: &GradStore, step: u64, steps: u64) -> Result<f64, TrainingError> {
        let mut reached: Vec<(&Slot, [Tensor; 2])> = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            let parameter = slot.variable.as_tensor().detach();
            match gradients.get(&slot.variable) {
                Some(gradient) => reached.push((slot, [parameter, gradient.flatten_all()?.contiguous()?])),
                // Its average still goes towards it.
                None => average_into(&slot.average, &parameter, self.decay(step))?,
            }
        }
        let slots: Vec<adam::Slot> = reached
            .iter()
            .map(|(slot, [parameter, gradient])| adam::Slot {
                parameter,
                moments: &slot.moments,
                gradient,
                average: &slot.average,
            })
            .collect();
        let norm = adam::energy(&slots)?.sqrt();
        let clip = self.config.clip;
        let adam = AdamStep {
            learning_rate: self.learning_rate(step, steps),
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            step,
            gradient_scale: if clip > 0.0 && norm > clip { clip / norm } else { 1.0 },
        };
        adam::step(&slots, adam, self.decay(step))?;
        Ok(norm)
    }

    /// Decay of the averages in a step: early weights should not linger in them.
    fn decay(&self, step: u64) -> f64 {
        match self.config.average {
            0.0 => 0.0,
            decay => decay.min((1.0 + step as f64) / (10.0 + step as f64)),
        }
    }

    /// All state by name, for a checkpoint.
    pub fn state(&self) -> BTreeMap<String, Tensor> {
        let mut state = BTreeMap::new();
        for slot in &self.slots {
            state.insert(format!("parameter.{}", slot.name), slot.variable.as_tensor().detach());
            state.insert(format!("moments.{}", slot.name), slot.moments.clone());
            state.insert(format!("average.{}", slot.name), slot.average.clone());
        }
        state
    }

    /// Takes all state from a checkpoint.
    ///
    /// - errors: a tensor that is missing or has another shape, by name
    pub fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<(), TrainingError> {
        let find = |kind: &str, name: &str, shape: &[usize]| {
            let name = format!("{kind}.{name}");
            match state.get(&name) {
                Some(tensor) if tensor.dims() == shape => Ok(tensor),
                Some(tensor) => Err(TrainingError::Config(format!(
                    "checkpoint: tensor {name} has shape {:?}, expected {shape:?}",
                    tensor.dims()
                ))),
                None => Err(TrainingError::Config(format!("checkpoint: tensor {name} is missing"))),
            }
        };
        for slot in &mut self.slots {
            let parameter = find("parameter", &slot.name, slot.variable.dims())?;
            slot.variable.set(&parameter.to_device(slot.variable.device())?)?;
            let device = slot.variable.device().clone();
            slot.moments = find("moments", &slot.name, slot.moments.dims())?.to_device(&device)?.copy()?;
            let average = find("average", &slot.name, slot.average.dims())?.to_device(&device)?;
            average_into(&slot.average, &average, 0.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_and_falls() {
        let config = OptimizerSection { learning_rate: 1.0, warmup_steps: 10, ..OptimizerSection::default() };
        let optimizer = Optimizer { config, slots: Vec::new() };
        assert!((optimizer.learning_rate(5, 1000) - 0.5).abs() < 0.01);
        assert!((optimizer.learning_rate(501, 1000) - 0.5).abs() < 1e-9);
        assert!(optimizer.learning_rate(1000, 1000) < 1e-4);
    }
}
