//! Tells on stderr how far long work is: a bar with the time left on a terminal, else a line now and then.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Least time between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Progress of work that is counted in steps.
pub struct Reporter {
    bar: Option<ProgressBar>,
    total: u64,
    done: u64,
    already_done: u64,
    started: Instant,
    last_line: Option<Instant>,
    unit: &'static str,
}

impl Reporter {
    /// Starts to report.
    ///
    /// - total: steps in all; already_done: steps that an earlier run finished
    /// - unit: what a step is, in the plural
    pub fn new(total: u64, already_done: u64, unit: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total);
            let template =
                format!("{{elapsed_precise}} {{bar:32}} {{pos}}/{{len}} {unit}, {{eta}} left  {{wide_msg}}");
            // The template is fixed but for the unit; were it wrong, the default style would do.
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style.progress_chars("━━─"));
            }
            bar.set_position(already_done);
            bar.reset_eta();
            bar
        });
        let started = Instant::now();
        Self { bar, total, done: already_done, already_done, started, last_line: None, unit }
    }

    /// Moves to a step.
    ///
    /// - message: what is being done now
    pub fn advance(&mut self, done: u64, message: &str) {
        let first = self.done.min(done);
        self.done = done;
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(message.to_owned());
            return;
        }
        let is_due = self.last_line.is_none_or(|at| at.elapsed() >= BETWEEN_LINES) || done == self.total;
        if is_due && done > first {
            let left = time_left(
                self.started.elapsed(),
                done.saturating_sub(self.already_done),
                self.total - done.min(self.total),
            );
            eprintln!("{done}/{} {}{left}: {message}", self.total, self.unit);
            self.last_line = Some(Instant::now());
        }
    }

    /// Says what is being done now, without a step.
    pub fn note(&self, message: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(message.to_owned());
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// ", about 12 s left", from the mean time of a step so far; nothing while that is a guess.
fn time_left(elapsed: Duration, done: u64, to_do: u64) -> String {
    const TRUSTED: Duration = Duration::from_secs(1);
    if done == 0 || to_do == 0 || elapsed < TRUSTED {
        return String::new();
    }
    let seconds = elapsed.as_secs_f64() / done as f64 * to_do as f64;
    match seconds {
        s if s < 120.0 => format!(", about {s:.0} s left"),
        s if s < 7200.0 => format!(", about {:.0} min left", s / 60.0),
        s => format!(", about {:.1} h left", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_in_a_fitting_unit() {
        let after = |seconds, done, to_do| time_left(Duration::from_secs(seconds), done, to_do);
        assert_eq!(after(10, 1, 3), ", about 30 s left");
        assert_eq!(after(600, 1, 3), ", about 30 min left");
        assert_eq!(after(36_000, 1, 3), ", about 30.0 h left");
        assert_eq!(after(10, 0, 4), "");
        assert_eq!(after(10, 4, 0), "");
        assert_eq!(after(0, 1, 400), "");
    }
}
