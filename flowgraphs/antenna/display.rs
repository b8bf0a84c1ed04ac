//! The status of a transmission on the terminal: lines that are drawn again and again, or one line at a time where nobody
//! looks.

use super::status::{Shared, Status};
use num_complex::Complex32;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Rows and columns of a constellation.
const ROWS: usize = 13;
const COLUMNS: usize = 29;
/// How far a constellation reaches.
const REACH: f32 = 2.2;
/// Between two pictures.
const PERIOD: Duration = Duration::from_millis(200);
/// Between two lines where nobody looks.
const SELDOM: Duration = Duration::from_secs(5);

/// Which end is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The transmitter.
    Transmit,
    /// The receiver.
    Receive,
}

/// Shows a status until it is dropped.
pub struct Display {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Display {
    /// Begins to show.
    pub fn new(end: End, status: Shared) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let thread = std::thread::spawn(move || show(end, &status, &ends));
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A display that panicked has nothing more to show.
            let _ = thread.join();
        }
    }
}

fn show(end: End, status: &Shared, over: &AtomicBool) {
    let is_watched = std::io::stderr().is_terminal();
    let started = Instant::now();
    let (mut drawn, mut last) = (0, Instant::now());
    loop {
        let is_over = over.load(Ordering::Relaxed);
        let now = Status::now(status);
        let seconds = started.elapsed().as_secs_f64();
        let mut text = String::new();
        if is_watched {
            if drawn > 0 {
                // Up to the first line, and all below it away.
                let _ = write!(text, "\x1b[{drawn}A\x1b[J");
            }
            let (rows, columns) = console::Term::stderr().size();
            let picture = fitted(&picture(end, &now, seconds), rows.into(), columns.into());
            drawn = picture.lines().count();
            text.push_str(&picture);
        } else if last.elapsed() >= SELDOM {
            last = Instant::now();
            text = line(end, &now, seconds) + "\n";
        }
        // Nobody is told where there is nobody to tell.
        let _ = std::io::stderr().write_all(text.as_bytes());
        if is_over {
            return;
        }
        std::thread::sleep(PERIOD);
    }
}

/// One line.
pub fn line(end: End, status: &Status, seconds: f64) -> String {
    let front = status.front;
    match end {
        End::Transmit => format!(
            "{seconds:.0} s: {} frames, {} bursts sent; underflows {}, late {}",
            status.frames, status.bursts, front.underflows, front.late
        ),
        End::Receive => format!(
            "{seconds:.0} s: {} frames, {} bursts, {} bad headers, {} lost; SNR {}; PSNR {}; overflows {}, missing {}",
            status.collector.frames,
            status.reader.bursts,
            status.reader.bad_checks + status.reader.bad_fields,
            status.collector.lost,
            decibels(status.mean_snr_db()),
            decibels(status.mean_psnr_db()),
            front.overflows,
            front.missing,
        ),
    }
}

/// Several lines, with what symbols look like.
fn picture(end: End, status: &Status, seconds: f64) -> String {
    let mut lines = vec![format!("{seconds:8.1} s")];
    let front = status.front;
    match end {
        End::Transmit => lines.extend([
            format!("frames      {}", status.frames),
            format!("bursts      {}, {} channel uses", status.bursts, status.uses),
            format!("peaks       {:.1} dB over the mean at most", status.highest_peak_db),
            format!("clipped     {}, beyond full scale {}", status.clipped, status.beyond_full_scale),
            format!(
                "front       underflows {}, late {}, lost {}",
                front.underflows, front.late, front.losses
            ),
        ]),
        End::Receive => {
            let rate = status.sample_rate_hz;
            let last = status.last;
            let carrier = last.map_or("-".into(), |last| format!("{:+.0} Hz", last.carrier_offset * rate));
            let clock = last.map_or("-".into(), |last| format!("{:+.1} ppm", last.clock_offset * 1e6));
            let level = format!("{:.1} dB", 10.0 * status.power.max(1e-12).log10());
            let snr = last.map(|last| 10.0 * f64::from(last.snr).log10());
            lines.extend([
                format!("SNR         {} now, {} in the mean", decibels(snr), decibels(status.mean_snr_db())),
                format!("carrier     {carrier}, clock {clock}, level {level} of full scale"),
                format!("bursts      {} of {} preambles", status.reader.bursts, status.reader.preambles),
                format!(
                    "refused     {} checks, {} fields, {} lost midway, {} of others, {} again",
                    status.reader.bad_checks,
                    status.reader.bad_fields,
                    status.reader.lost,
                    status.collector.foreign,
                    status.collector.repeated
                ),
                format!("frames      {}, slots lost {}", status.collector.frames, status.collector.lost),
                format!("images      {}, of which lost {}", status.images, status.lost_images),
                format!("PSNR        {}", decibels(status.mean_psnr_db())),
                format!(
                    "front       overflows {}, samples missing {}, timeouts {}, lost {}",
                    front.overflows, front.missing, front.timeouts, front.losses
                ),
            ]);
        }
    }
    let drawing = if end == End::Receive { constellation(&status.points) } else { vec![] };
    let rows = lines.len().max(drawing.len());
    let mut text = String::new();
    for row in 0..rows {
        let left = lines.get(row).map_or("", String::as_str);
        let right = drawing.get(row).map_or("", String::as_str);
        let _ = writeln!(text, "{left:<68}{right}");
    }
    text
}

/// As much of a picture as a terminal has room for: a line that is too long would push those below it down.
fn fitted(picture: &str, rows: usize, columns: usize) -> String {
    let fit = |line: &str| line.chars().take(columns.saturating_sub(1)).collect::<String>() + "\n";
    picture.lines().take(rows.saturating_sub(1)).map(fit).collect()
}

fn decibels(value: Option<f64>) -> String {
    value.map_or("-".into(), |value| format!("{value:.2} dB"))
}

/// Symbols by how many fall together.
fn constellation(points: &[Complex32]) -> Vec<String> {
    let mut counts = [[0usize; COLUMNS]; ROWS];
    for point in points {
        let place = |value: f32, len: usize| {
            let part = (value / REACH + 1.0) / 2.0;
            (0.0..1.0).contains(&part).then_some((part * len as f32) as usize)
        };
        if let (Some(column), Some(row)) = (place(point.re, COLUMNS), place(-point.im, ROWS)) {
            counts[row][column] += 1;
        }
    }
    let most = counts.iter().flatten().copied().max().unwrap_or(0).max(1);
    let shade = |count: usize| match (count * 4).div_ceil(most) {
        0 => ' ',
        1 => '.',
        2 => 'o',
        3 => 'O',
        _ => '@',
    };
    let middle = ROWS / 2;
    let of_row = |(row, counts): (usize, &[usize; COLUMNS])| {
        let cells = counts.iter().enumerate().map(|(column, count)| {
            match (shade(*count), row == middle, column == COLUMNS / 2) {
                (' ', true, true) => '+',
                (' ', true, false) => '-',
                (' ', false, true) => '|',
                (shade, ..) => shade,
            }
        });
        cells.collect()
    };
    counts.iter().enumerate().map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constellation_has_its_points_where_they_are() {
        let drawing = constellation(&[Complex32::new(1.0, 1.0); 40]);
        assert_eq!((drawing.len(), drawing[0].len()), (ROWS, COLUMNS));
        // Upper right: (1 / 2.2 + 1) / 2 of the columns, and as much from below.
        assert_eq!(drawing[3].chars().nth(21), Some('@'), "{}", drawing.join("\n"));
        assert_eq!(drawing.concat().matches('@').count(), 1);
        let far =
            [Complex32::new(f32::NAN, 0.0), Complex32::new(9.0, 0.0), Complex32::new(-f32::INFINITY, 1.0)];
        assert!(!constellation(&far).concat().contains('@'));
    }

    #[test]
    fn lines_say_what_is_known_and_what_is_not() {
        let mut status = Status::default();
        assert!(line(End::Receive, &status, 1.0).contains("SNR -; PSNR -"));
        status.psnr_db = (60.0, 2);
        status.collector.frames = 7;
        assert!(
            line(End::Receive, &status, 1.0).contains("7 frames")
                && line(End::Receive, &status, 1.0).contains("30.00 dB")
        );
        assert!(picture(End::Receive, &status, 2.0).lines().count() >= ROWS);
        assert!(picture(End::Transmit, &status, 2.0).contains("bursts"));
        let small = fitted(&picture(End::Receive, &status, 2.0), 6, 40);
        assert!(small.lines().count() == 5 && small.lines().all(|line| line.len() < 40));
    }
}
