//! `sememe slurm`: a job script that measures an experiment in shards.

use crate::report;
use crate::run::parse_changes;
use sememe::experiment::{RunError, Shard, Tree, check, quoted};
use std::fmt::Write;
use std::path::PathBuf;

/// Arguments of `sememe slurm`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The experiment file
    pub experiment: PathBuf,
    /// Number of shards, one task of the job array for each
    #[arg(long, value_name = "N")]
    pub shards: usize,
    /// Changes a key, as for sememe run
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder for results; default out/ and the name of the file
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Cores of a task
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub cores: usize,
    /// Time limit of a task, as Slurm writes it
    #[arg(long, value_name = "TIME", default_value = "04:00:00")]
    pub time: String,
}

/// Checks the experiment as `sememe run --check` does and prints the script.
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    let Arguments { experiment, shards, cores, time, .. } = arguments;
    Shard::new(1, *shards)?;
    if !(1..=4096).contains(cores) {
        return Err(RunError::Usage(format!("--cores {cores}: allowed is 1 to 4096")));
    }
    if time.is_empty() || !time.chars().all(|c| c.is_ascii_digit() || c == ':' || c == '-') {
        return Err(RunError::Usage(format!(
            "--time {time:?}: allowed is a time such as 04:00:00 or 1-00:00:00"
        )));
    }
    let tree = Tree::read(experiment)?.set(&parse_changes(&arguments.set)?)?;
    let (points, _) = check(&tree)?;
    let gpu = if tree.experiment()?.device.starts_with("cuda") { "#SBATCH --gres=gpu:1\n" } else { "" };
    let stem = experiment.file_stem().unwrap_or_default().to_string_lossy();
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("out").join(&*stem));
    let program = std::env::current_exe().map_or_else(|_| "sememe".into(), |path| path.display().to_string());
    let mut command = format!("{} run {}", quoted(&program), quoted(&experiment.display().to_string()));
    for change in &arguments.set {
        let _ = write!(command, " --set {}", quoted(change));
    }
    let folder = quoted(&out.display().to_string());
    let name: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    report::print(&format!(
        "#!/bin/bash\n\
         # {points} points in {shards} shards. Submit it from the folder in which paths are right:\n\
         #\n\
         #     sbatch --parsable THIS_FILE\n\
         #     sbatch --dependency=afterok:JOB --kill-on-invalid-dep=yes --wrap {merge}\n\
         #\n\
         # A task that was killed goes on where it stopped: sbatch --array=ITS_NUMBER THIS_FILE\n\
         #SBATCH --job-name=sememe-{name}\n\
         #SBATCH --array=1-{shards}\n\
         #SBATCH --ntasks=1\n\
         #SBATCH --cpus-per-task={cores}\n\
         #SBATCH --time={time}\n{gpu}\
         export RAYON_NUM_THREADS=\"${{SLURM_CPUS_PER_TASK:-{cores}}}\"\n\
         exec {command} --shard \"$SLURM_ARRAY_TASK_ID/{shards}\" --resume --out {folder}\n",
        merge = quoted(&format!("{} merge {folder}", quoted(&program))),
    ))
}
