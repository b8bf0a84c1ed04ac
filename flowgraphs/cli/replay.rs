//! `sememe replay`: a recording into a radio or a socket.

use crate::radio_arguments::RadioArguments;
use crate::{interrupt, report};
use indicatif::ProgressBar;
use sememe::antenna::{ReplayOptions, replay};
use sememe::experiment::{EXIT_INTERRUPTED, EXIT_OK, RunError};
use sememe_hw::BurstSettings;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Arguments of `sememe replay`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Name of the recording
    pub from: String,
    /// A radio (driver=hackrf) or a socket (zmq+pub://*:5555)
    #[arg(long, value_name = "FRONT")]
    pub to: String,
    #[command(flatten)]
    pub radio: RadioArguments,
    /// Multiplies samples, so that peaks stay below full scale
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub amplitude: f32,
    /// Longest time on the air
    #[arg(long, value_name = "S", default_value_t = 60.0)]
    pub max_seconds: f64,
}

/// Replays.
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    if !(arguments.amplitude.is_finite() && arguments.amplitude > 0.0) {
        let found = arguments.amplitude;
        return Err(RunError::Usage(format!("--amplitude {found}: allowed is a positive factor")));
    }
    let stop = interrupt::stop_flag()?;
    let stopped = Arc::clone(&stop);
    let settings = arguments.radio.settings(1.0);
    let bursts = BurstSettings { max_seconds: arguments.max_seconds, ..BurstSettings::default() };
    let bar = ProgressBar::new_spinner();
    let options = ReplayOptions {
        from: &arguments.from,
        to: &arguments.to,
        settings: &settings,
        bursts: &bursts,
        amplitude: arguments.amplitude,
        stop,
    };
    let outcome = replay(&options, |position| bar.set_message(format!("{position} samples")));
    bar.finish_and_clear();
    let counters = outcome?;
    report::print(&format!(
        "{} samples in {} bursts; {} underflows, {} late\n",
        counters.samples, counters.bursts, counters.underflows, counters.late
    ))?;
    Ok(if stopped.load(Ordering::Relaxed) { EXIT_INTERRUPTED } else { EXIT_OK })
}
