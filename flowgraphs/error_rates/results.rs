//! One row per finished point, as CSV: counts that repeat exactly, and times that do not.

use super::point::Measured;
use super::setup::Setup;
use super::tally::Tally;
use sememe_blocks::metric::ErrorCount;
use std::time::Duration;

/// A point and its counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Es/N0 in dB.
    pub esn0_db: f64,
    /// Eb/N0 in dB.
    pub ebn0_db: f64,
    /// The counts.
    pub tally: Tally,
}

/// How long a point took in this run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timing {
    /// Seconds from its beginning to its end.
    pub seconds: f64,
    /// Simulated information bits per second, in Mbit/s.
    pub simulated_mbit_s: f64,
    /// Seconds in the decoder, added up over threads.
    pub decoder_seconds: f64,
    /// Bits decoded (payload and CRC of each decoded block) per second in the decoder of one thread, in Mbit/s.
    pub decoder_mbit_s: f64,
}

impl Timing {
    /// The times of a point.
    ///
    /// - before: what an earlier run had counted
    pub fn new(setup: &Setup, measured: &Measured, before: &Tally, elapsed: Duration) -> Self {
        let frames = measured.tally.errors.frames - before.errors.frames;
        let blocks = measured.tally.decoded_blocks - before.decoded_blocks;
        let format = &setup.format;
        let block_bits = (format.payload_len + format.crc_bits()) as f64 / format.num_blocks() as f64;
        let (seconds, decoder_seconds) = (elapsed.as_secs_f64(), measured.decoding.as_secs_f64());
        let mbit = |bits: f64, seconds: f64| if seconds > 0.0 { bits / seconds / 1e6 } else { 0.0 };
        Self {
            seconds,
            simulated_mbit_s: mbit(frames as f64 * setup.information_bits(), seconds),
            decoder_seconds,
            decoder_mbit_s: mbit(blocks as f64 * block_bits, decoder_seconds),
        }
    }
}

/// The columns of the counts; those behind `iterations` follow from the ones before.
pub const COLUMNS: [&str; 20] = [
    "esn0_db",
    "ebn0_db",
    "frames",
    "bit_errors",
    "frame_errors",
    "bits",
    "squared_bit_errors",
    "undetected",
    "transmissions",
    "decoded_blocks",
    "iterations",
    "ber",
    "ber_low95",
    "ber_high95",
    "fer",
    "fer_low95",
    "fer_high95",
    "mean_iterations",
    "mean_transmissions",
    "goodput_bit_per_use",
];

/// The columns of the times.
pub const TIMING_COLUMNS: &str =
    "esn0_db,ebn0_db,seconds,simulated_mbit_s,decoder_seconds,decoder_mbit_s,threads\n";

/// All rows as CSV, header first. Equal counts give equal bytes.
///
/// - errors: in words, for counts that contradict each other
pub fn to_csv(setup: &Setup, rows: &[Row]) -> Result<String, String> {
    let mut text = COLUMNS.join(",");
    text.push('\n');
    for row in rows {
        let t = &row.tally;
        let fields = [
            row.esn0_db.to_string(),
            row.ebn0_db.to_string(),
            t.errors.frames.to_string(),
            t.errors.bit_errors.to_string(),
            t.errors.frame_errors.to_string(),
            t.errors.bits.to_string(),
            t.squared_bit_errors.to_string(),
            t.undetected.to_string(),
            t.transmissions.to_string(),
            t.decoded_blocks.to_string(),
            t.iterations.to_string(),
        ];
        let ber = t.ber_interval().map_err(|error| error.to_string())?;
        let fer = t.fer_interval().map_err(|error| error.to_string())?;
        let rates = [t.errors.ber(), ber.low, ber.high, t.errors.fer(), fer.low, fer.high];
        let rates = rates.map(|rate| format!("{rate:.6e}"));
        let iterations = t.mean_iterations().map(|mean| format!("{mean:.4}")).unwrap_or_default();
        let transmissions = format!("{:.6}", t.mean_transmissions());
        let goodput = format!("{:.6}", t.goodput(setup.information_bits(), setup.uses() as f64));
        let means = [iterations, transmissions, goodput];
        text.push_str(&[&fields[..], &rates[..], &means[..]].concat().join(","));
        text.push('\n');
    }
    Ok(text)
}

/// Reads what [`to_csv`] wrote.
///
/// - errors: one line that names the line and column
pub fn from_csv(text: &str) -> Result<Vec<Row>, String> {
    let mut lines = text.lines();
    if lines.next() != Some(COLUMNS.join(",").as_str()) {
        return Err("line 1 does not hold the columns that this version writes".into());
    }
    let numbered = lines.enumerate();
    numbered.map(|(i, line)| row(line).map_err(|reason| format!("line {}: {reason}", i + 2))).collect()
}

fn row(line: &str) -> Result<Row, String> {
    let fields: Vec<&str> = line.split(',').collect();
    if fields.len() != COLUMNS.len() {
        return Err(format!("{} fields found, {} allowed", fields.len(), COLUMNS.len()));
    }
    let count = |column: usize| parse::<u64>(&fields, column);
    let errors =
        ErrorCount { frames: count(2)?, bit_errors: count(3)?, frame_errors: count(4)?, bits: count(5)? };
    if errors.frame_errors > errors.frames || errors.bit_errors > errors.bits {
        return Err("more errors than frames or bits".into());
    }
    let tally = Tally {
        errors,
        squared_bit_errors: parse(&fields, 6)?,
        undetected: count(7)?,
        transmissions: count(8)?,
        decoded_blocks: count(9)?,
        iterations: count(10)?,
    };
    Ok(Row { esn0_db: parse(&fields, 0)?, ebn0_db: parse(&fields, 1)?, tally })
}

fn parse<T: std::str::FromStr>(fields: &[&str], column: usize) -> Result<T, String> {
    fields[column].parse().map_err(|_| format!("{} = {} is no number", COLUMNS[column], fields[column]))
}

/// One line of the table of times.
pub fn timing_line(row: &Row, timing: &Timing) -> String {
    let Timing { seconds, simulated_mbit_s, decoder_seconds, decoder_mbit_s } = timing;
    let threads = rayon::current_num_threads();
    format!(
        "{},{},{seconds:.3},{simulated_mbit_s:.3},{decoder_seconds:.3},{decoder_mbit_s:.1},{threads}\n",
        row.esn0_db, row.ebn0_db
    )
}
