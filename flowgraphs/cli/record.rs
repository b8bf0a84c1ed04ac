//! `sememe record`: samples of a radio or a socket into a recording.

use crate::radio_arguments::RadioArguments;
use crate::{interrupt, report};
use indicatif::{ProgressBar, ProgressStyle};
use sememe::antenna::{RecordOptions, record};
use sememe::experiment::{EXIT_INTERRUPTED, EXIT_OK, RunError};
use sememe_hw::sigmf::Datatype;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Arguments of `sememe record`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Name of the recording: NAME.sigmf-meta and NAME.sigmf-data
    pub to: String,
    /// A radio (driver=rtlsdr) or a socket (zmq+sub://127.0.0.1:5555)
    #[arg(long, value_name = "FRONT")]
    pub from: String,
    #[command(flatten)]
    pub radio: RadioArguments,
    /// Samples per second
    #[arg(long, value_name = "HZ")]
    pub rate: f64,
    /// Ends after so many seconds of samples; default: when stopped by Ctrl-C
    #[arg(long, value_name = "S")]
    pub seconds: Option<f64>,
    /// How samples are stored
    #[arg(long, value_parser = ["cf32_le", "ci16_le"], default_value = "cf32_le")]
    pub datatype: String,
    /// Replaces a recording of the same name
    #[arg(long)]
    pub force: bool,
}

/// Records.
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    let is_possible = |seconds: f64| seconds.is_finite() && seconds > 0.0;
    if let Some(seconds) = arguments.seconds.filter(|seconds| !is_possible(*seconds)) {
        return Err(RunError::Usage(format!("--seconds {seconds}: allowed is a positive time")));
    }
    let samples = arguments.seconds.map(|seconds| (seconds * arguments.rate).ceil() as u64);
    let stop = interrupt::stop_flag()?;
    let stopped = Arc::clone(&stop);
    let bar = samples.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let template = "{bar:40} {human_pos} samples, {eta} left {msg}";
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    let settings = arguments.radio.settings(arguments.rate);
    let options = RecordOptions {
        from: &arguments.from,
        to: &arguments.to,
        settings: &settings,
        // One of two names, by the parser.
        datatype: Datatype::from_name(&arguments.datatype).unwrap_or_default(),
        samples,
        may_overwrite: arguments.force,
        stop,
    };
    let outcome = record(&options, |written, counters| {
        bar.set_position(written);
        bar.set_message(format!("(overflows {}, missing {})", counters.overflows, counters.missing));
    });
    bar.finish_and_clear();
    let (counters, clipped) = outcome?;
    report::print(&format!(
        "{} samples in {}; {} overflows, {} samples missing, {clipped} clipped\n",
        counters.samples, arguments.to, counters.overflows, counters.missing
    ))?;
    Ok(if stopped.load(Ordering::Relaxed) { EXIT_INTERRUPTED } else { EXIT_OK })
}
