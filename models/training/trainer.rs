//! The training loop.

use super::bypass::start_from_klt;
use super::checkpoint::Checkpoint;
use super::config::TrainingConfig;
use super::data::Data;
use super::error::TrainingError;
use super::feed::{Feed, Plan};
use super::log::{Log, STEPS_PER_ROW};
use super::objective::{Conditions, Loss, Objective};
use super::optimizer::Optimizer;
use super::validation::{Measured, validate};
use crate::layers::Parameters;
use crate::ops::{Precision, among_workers, backward};
use crate::transceiver::Model;
use crate::weights;
use candle_core::{Device, Tensor};
use sememe_blocks::rng::RngKey;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Validation meets other fades and noise than training.
const VALIDATION_KEY: u64 = 0x7A11_DA7E;
/// Name of the finished weights inside a run's folder.
const WEIGHTS_NAME: &str = "weights.safetensors";

/// How a run is carried out; of it only the kind of device touches the weights, in their last digits.
pub struct RunOptions<'a> {
    /// Where steps are computed.
    pub device: Device,
    /// Folder for checkpoint, logs and weights.
    pub out: PathBuf,
    /// Go on from the folder's checkpoint.
    pub resume: bool,
    /// Ends the run after the current step, with a checkpoint.
    pub stop: &'a AtomicBool,
    /// Called after every step and every validation.
    pub progress: &'a mut dyn FnMut(&Progress),
}

/// Where a run stands.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Epoch of the step, from 1.
    pub epoch: u64,
    /// Epochs in all.
    pub epochs: u64,
    /// Reconstruction loss of the step.
    pub loss: f32,
    /// Training images per second since the run started or resumed.
    pub images_per_second: f64,
    /// The last validation, empty before the first.
    pub validation: Vec<Measured>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// Steps done.
    pub step: u64,
    /// Whether all steps are done; else the run was stopped and can be resumed.
    pub finished: bool,
    /// The weights, where the run is finished.
    pub weights: Option<PathBuf>,
    /// The last validation.
    pub validation: Vec<Measured>,
}

/// The parts of a run that a checkpoint covers.
struct Run {
    model: Model,
    average: Model,
    optimizer: Optimizer,
    step: u64,
}

/// Trains a model from its training file.
///
/// - the same file gives the same weights bit by bit on the same kind of device, also across stops and resumes
/// - errors: see [`TrainingError`]
pub fn train(config: &TrainingConfig, options: RunOptions) -> Result<Outcome, TrainingError> {
    config.check()?;
    check_precision(config, options.device.is_cpu())?;
    let data = Data::open(config)?;
    let users = config.downlink.users;
    let size = data.training.size();
    let budget = config.budget(size)?;
    let key = RngKey::new(config.seed);
    let objective = Objective::new(config, &budget, key);
    let judge = Objective::new(config, &budget, RngKey::new(config.seed ^ VALIDATION_KEY));
    let per_epoch = data.steps_per_epoch(users);
    let steps = per_epoch.saturating_mul(config.optimizer.epochs);

    std::fs::create_dir_all(&options.out).map_err(|error| TrainingError::file(&options.out, error))?;
    let mut run = Run::start(config, &data, &options.device)?;
    if options.resume
        && let Some(checkpoint) = Checkpoint::load(&options.out, config)?
    {
        check_origin(&checkpoint, &options)?;
        run.optimizer.restore(&checkpoint.state)?;
        run.step = checkpoint.step;
    }
    let mut log = Log::open(&options.out, run.step)?;
    let whole_frames =
        matches!(&config.data, super::config::DataSection::Scenes { share, .. } if !share.is_empty());
    let mut validation = Vec::new();
    let (started, first) = (Instant::now(), run.step);

    let keep = |run: &Run, epoch: u64, validation: &[Measured]| {
        let path = options.out.join(format!("weights-epoch-{epoch:04}.safetensors"));
        match config.validation.keep_epochs.contains(&epoch) {
            true => save_weights(run, config, &data, &path, validation),
            false => Ok(()),
        }
    };
    if run.step == 0 {
        keep(&run, 0, &[])?;
    }
    if run.step == steps {
        // The end was reached before; the weights' file says what they were measured at.
        validation = validate(&run.average, config, &judge, &data)?;
    }

    let plan = Plan { users, whole_frames, mirror: config.optimizer.mirror, key, steps: (run.step, steps) };
    std::thread::scope(|scope| {
        let feed = Feed::start(scope, &data, plan);
        while run.step < steps {
            let epoch = run.step / per_epoch;
            let images = feed.next()?.to_device(&options.device)?;
            let at = objective.draw(config, run.step);
            let (loss, norm) = run.step(config, &objective, &images, at, steps)?;
            if run.step % STEPS_PER_ROW == 0 {
                let rate = run.optimizer.learning_rate(run.step, steps);
                log.step(run.step, epoch + 1, at.snr.0, at.fading, rate, norm, &loss)?;
            }
            let epoch_ends = run.step % per_epoch == 0;
            if (epoch_ends && (epoch + 1) % config.validation.every_epochs == 0) || run.step == steps {
                validation = validate(&run.average, config, &judge, &data)?;
                log.validation(run.step, epoch + 1, &validation)?;
            }
            if epoch_ends {
                let is_measured = (epoch + 1) % config.validation.every_epochs == 0 || run.step == steps;
                keep(&run, epoch + 1, if is_measured { &validation } else { &[] })?;
            }
            let done = (run.step - first) as f64 * users as f64;
            (options.progress)(&Progress {
                step: run.step,
                steps,
                epoch: epoch + 1,
                epochs: config.optimizer.epochs,
                loss: loss.reconstruction,
                images_per_second: done / started.elapsed().as_secs_f64().max(1e-9),
                validation: validation.clone(),
            });
            let stopped = options.stop.load(Ordering::Relaxed);
            if stopped || run.step % config.validation.checkpoint_steps == 0 || run.step == steps {
                run.save(&options.out, config)?;
            }
            if stopped && run.step < steps {
                return Ok(Outcome { step: run.step, finished: false, weights: None, validation });
            }
        }
        let path = options.out.join(WEIGHTS_NAME);
        save_weights(&run, config, &data, &path, &validation)?;
        Ok(Outcome { step: run.step, finished: true, weights: Some(path), validation })
    })
}

/// A run goes on where it began.
fn check_origin(checkpoint: &Checkpoint, options: &RunOptions) -> Result<(), TrainingError> {
    let (was, is) = (&checkpoint.device, kind_of(&options.device));
    if was == is {
        return Ok(());
    }
    Err(TrainingError::Config(format!(
        "{}: was begun with --device {was}, not {is}: allowed is {was}, or another folder",
        options.out.display()
    )))
}

/// The name of a kind of device.
fn kind_of(device: &Device) -> &'static str {
    if device.is_cpu() { "cpu" } else { "cuda" }
}

/// The processor computes in f32 only.
pub fn check_precision(config: &TrainingConfig, on_processor: bool) -> Result<(), TrainingError> {
    if config.optimizer.precision != Precision::F32 && on_processor {
        return Err(TrainingError::Config(
            "optimizer.precision = \"mixed\" is not possible on the processor: allowed is \"f32\", or a GPU \
             with --device cuda"
                .into(),
        ));
    }
    Ok(())
}

impl Run {
    fn start(config: &TrainingConfig, data: &Data, device: &Device) -> Result<Self, TrainingError> {
        let architecture = config.architecture(data.training.size())?;
        let model = Model::random(architecture.clone(), config.seed, device)?;
        start_from_klt(&model, data.training.as_ref())?;
        let variables = model.parameters().named();
        let copies: BTreeMap<String, Tensor> = variables
            .iter()
            .map(|(name, variable)| Ok((name.clone(), variable.as_tensor().copy()?)))
            .collect::<candle_core::Result<_>>()?;
        let average = Model::new(architecture, Parameters::frozen(copies, device))?;
        let optimizer = Optimizer::new(&config.optimizer, variables, &average.parameters().named())?;
        Ok(Self { model, average, optimizer, step: 0 })
    }

    /// One step of `steps`: the loss before it, and the norm of its gradient.
    fn step(
        &mut self,
        config: &TrainingConfig,
        objective: &Objective,
        images: &Tensor,
        at: Conditions,
        steps: u64,
    ) -> Result<(Loss, f64), TrainingError> {
        self.step += 1;
        let device = self.model.parameters().device().clone();
        let (loss, norm) = among_workers(&device, || {
            let (loss, gradients) = config.optimizer.precision.within(|| {
                let passed = objective.pass(&self.model, images, at)?;
                let loss = objective.loss(config, images, &passed)?;
                if !loss.reconstruction.is_finite() {
                    return Err(TrainingError::Diverged { step: self.step, loss: loss.reconstruction });
                }
                let gradients = backward(&loss.total)?;
                Ok((loss, gradients))
            })?;
            Ok::<_, TrainingError>((loss, self.optimizer.step(&gradients, self.step, steps)?))
        })?;
        if !norm.is_finite() {
            return Err(TrainingError::GradientDiverged { step: self.step, norm });
        }
        Ok((loss, norm))
    }

    fn save(&self, folder: &Path, config: &TrainingConfig) -> Result<(), TrainingError> {
        let device = kind_of(self.model.parameters().device()).to_string();
        Checkpoint { step: self.step, device, state: self.optimizer.state() }.save(folder, config)
    }
}

/// Writes the averaged weights with all that says where they come from.
fn save_weights(
    run: &Run,
    config: &TrainingConfig,
    data: &Data,
    path: &Path,
    validation: &[Measured],
) -> Result<(), TrainingError> {
    let recipe = toml::to_string(config).map_err(|error| TrainingError::Config(error.to_string()))?;
    let results: Vec<String> = validation
        .iter()
        .map(|m| format!("{} {} dB: {:.2} dB", super::log::name(m.fading), m.snr.0, m.psnr_db))
        .collect();
    let origin = BTreeMap::from([
        ("recipe".to_string(), recipe),
        ("data".to_string(), data.training.name()),
        ("steps".to_string(), run.step.to_string()),
        ("validation".to_string(), results.join("; ")),
    ]);
    weights::save(&run.average, origin, path).map_err(|error| TrainingError::file(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_on_where_it_began() {
        let stop = AtomicBool::new(false);
        let mut progress = |_: &Progress| {};
        let options = RunOptions {
            device: Device::Cpu,
            out: "runs/a".into(),
            resume: true,
            stop: &stop,
            progress: &mut progress,
        };
        let of = |device: &str| Checkpoint { step: 3, device: device.into(), state: BTreeMap::new() };
        assert!(check_origin(&of("cpu"), &options).is_ok());
        let error = check_origin(&of("cuda"), &options).unwrap_err().to_string();
        assert!(error.contains("runs/a: was begun with --device cuda, not cpu"), "{error}");
    }

    #[test]
    fn mixed_precision_needs_a_gpu() {
        let text =
            "version = 1\n[model]\npreset = \"spatial-tiny\"\n[data]\nkind = \"scenes\"\nimages = 100\n";
        let plain: TrainingConfig = toml::from_str(text).unwrap();
        let mixed: TrainingConfig =
            toml::from_str(&format!("{text}[optimizer]\nprecision = \"mixed\"\n")).unwrap();
        assert!(check_precision(&plain, true).is_ok() && check_precision(&mixed, false).is_ok());
        let error = check_precision(&mixed, true).unwrap_err().to_string();
        assert!(
            error.contains("optimizer.precision = \"mixed\"") && error.contains("--device cuda"),
            "{error}"
        );
        assert!(
            toml::to_string(&plain).unwrap().find("precision").is_none(),
            "old recipes stay as they were"
        );
    }
}
