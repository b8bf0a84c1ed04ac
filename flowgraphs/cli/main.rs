//! The command line: `sememe` alone runs the quickstart.

mod ber;
mod devices;
mod eval;
mod features;
mod free_graph;
mod given_weights;
mod import;
mod info;
mod interrupt;
mod list;
mod merge;
mod output_folder;
mod quickstart;
mod radio_arguments;
mod receive;
mod record;
mod replay;
mod report;
mod run;
mod slurm;
mod train;
mod transmit;

use clap::{Parser, Subcommand};
use sememe::experiment::RunError;
use sememe_blocks::isa::Isa;
use std::process::ExitCode;

/// Sends meaning over the air: semantic and linear links as flowgraphs over simulated channels.
///
/// Without a command it runs the quickstart experiment: embedded scenes over three channels, a table on the
/// screen, figures and contact sheets in out/.
#[derive(Parser)]
#[command(name = "sememe", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes:
  0    done
  1    a run failed
  2    the configuration, an argument or an input file cannot be used; nothing was run
  130  stopped by Ctrl-C; what was finished is kept (a second Ctrl-C ends at once)";

#[derive(Subcommand)]
enum Command {
    /// Runs the experiment, or the free graph, of a TOML file
    Run(run::Arguments),
    /// Joins the results of all shards of an experiment
    Merge(merge::Arguments),
    /// Prints a Slurm script that measures an experiment in shards
    Slurm(slurm::Arguments),
    /// Trains a model from a TOML file
    Train(train::Arguments),
    /// Measures trained weights on a data set
    Eval(eval::Arguments),
    /// Takes over weights that were trained in PyTorch
    Import(import::Arguments),
    /// Lays the common features of weights out in a plane
    Features(features::Arguments),
    /// Measures error rates of the 5G NR chain over SNR
    Ber(Box<ber::Arguments>),
    /// Sends the images of an experiment over the air
    Transmit(Box<transmit::Arguments>),
    /// Receives images from the air
    Receive(Box<receive::Arguments>),
    /// Records samples of a radio or a socket
    Record(record::Arguments),
    /// Sends a recording to a radio or a socket
    Replay(replay::Arguments),
    /// Lists radios and their drivers
    Devices(devices::Arguments),
    /// Lists blocks, links, shipped weights and model presets
    List,
    /// Shows version, features, instruction set and threads
    Info,
}

fn main() -> ExitCode {
    // SAFETY: the program has just begun and has one thread.
    unsafe {
        sememe_models::memory::keep_freed();
        sememe_models::idle_threads::sleep_soon();
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => return fail(&RunError::Usage(one_line(&error))),
        Err(help_or_version) => help_or_version.exit(),
    };
    let possible = Isa::check_variable().map_err(|error| RunError::Usage(error.to_string()));
    match possible.and_then(|()| run(arguments)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail(&error),
    }
}

fn run(arguments: Arguments) -> Result<u8, RunError> {
    match arguments.command {
        None => quickstart::run(),
        Some(Command::Run(arguments)) => run::run(&arguments),
        Some(Command::Merge(arguments)) => merge::run(&arguments),
        Some(Command::Slurm(arguments)) => slurm::run(&arguments),
        Some(Command::Train(arguments)) => train::run(&arguments),
        Some(Command::Eval(arguments)) => eval::run(&arguments),
        Some(Command::Import(arguments)) => import::run(&arguments),
        Some(Command::Features(arguments)) => features::run(&arguments),
        Some(Command::Ber(arguments)) => ber::run(&arguments),
        Some(Command::Transmit(arguments)) => transmit::run(&arguments),
        Some(Command::Receive(arguments)) => receive::run(&arguments),
        Some(Command::Record(arguments)) => record::run(&arguments),
        Some(Command::Replay(arguments)) => replay::run(&arguments),
        Some(Command::Devices(arguments)) => devices::run(&arguments),
        Some(Command::List) => report::print(&list::text()),
        Some(Command::Info) => report::print(&info::text()),
    }
}

/// What the command line got wrong, without the usage below it.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let said = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let said: Vec<&str> = said.filter(|line| !line.is_empty() && !line.starts_with("For more")).collect();
    said.join(" ").trim_start_matches("error: ").replace(" tip: ", "; ")
}

fn fail(error: &RunError) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(error.exit_code())
}
