//! The log of a run: two CSV files that plotting tools read.

use super::error::TrainingError;
use super::objective::Loss;
use super::validation::Measured;
use sememe_blocks::channel::FadingModel;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Steps between two rows of the training log.
pub const STEPS_PER_ROW: u64 = 20;

/// Appends to `training.csv` and `validation.csv`.
pub struct Log {
    training: (PathBuf, File),
    validation: (PathBuf, File),
}

impl Log {
    /// Opens the two files; a resumed run forgets rows after its checkpoint.
    pub fn open(folder: &Path, resumed_at: u64) -> Result<Self, TrainingError> {
        let open = |name: &str, header: &str| {
            let path = folder.join(name);
            let mut kept = header.to_string();
            if resumed_at > 0 {
                let old = std::fs::read_to_string(&path).unwrap_or_default();
                for row in old.lines().skip(1) {
                    let step = row.split(',').next().and_then(|step| step.parse::<u64>().ok());
                    if step.is_some_and(|step| step <= resumed_at) {
                        kept.push_str(row);
                        kept.push('\n');
                    }
                }
            }
            std::fs::write(&path, kept).map_err(|error| TrainingError::file(&path, error))?;
            let file = OpenOptions::new().append(true).open(&path);
            Ok::<_, TrainingError>((path.clone(), file.map_err(|error| TrainingError::file(path, error))?))
        };
        Ok(Self {
            training: open(
                "training.csv",
                "step,epoch,snr_db,fading,learning_rate,gradient_norm,reconstruction,euclidean,center,angular\n",
            )?,
            validation: open("validation.csv", "step,epoch,fading,snr_db,psnr_db\n")?,
        })
    }

    /// One row of the training log.
    #[allow(clippy::too_many_arguments, reason = "the columns of a row")]
    pub fn step(
        &mut self,
        step: u64,
        epoch: u64,
        snr_db: f32,
        fading: FadingModel,
        learning_rate: f64,
        gradient_norm: f64,
        loss: &Loss,
    ) -> Result<(), TrainingError> {
        let [euclidean, center, angular] = loss
            .repulsion
            .map_or_else(|| std::array::from_fn(|_| String::new()), |t| t.map(|v| v.to_string()));
        let row = format!(
            "{step},{epoch},{snr_db:.2},{},{learning_rate:.3e},{gradient_norm:.4},{},{euclidean},{center},{angular}\n",
            name(fading),
            loss.reconstruction,
        );
        append(&mut self.training, &row)
    }

    /// The rows of one validation.
    pub fn validation(&mut self, step: u64, epoch: u64, measured: &[Measured]) -> Result<(), TrainingError> {
        for m in measured {
            let row = format!("{step},{epoch},{},{},{:.3}\n", name(m.fading), m.snr.0, m.psnr_db);
            append(&mut self.validation, &row)?;
        }
        Ok(())
    }
}

fn append((path, file): &mut (PathBuf, File), row: &str) -> Result<(), TrainingError> {
    file.write_all(row.as_bytes()).map_err(|error| TrainingError::file(path.as_path(), error))
}

/// A fading model in one word.
pub fn name(fading: FadingModel) -> String {
    match fading {
        FadingModel::Awgn => "awgn".into(),
        FadingModel::Rayleigh => "rayleigh".into(),
        FadingModel::Rician { k_factor } => format!("rician-{k_factor}"),
    }
}
