//! `sememe ber`: error rates of the 5G NR chain, or of uncoded symbols, over SNR.

use crate::run::parse_changes;
use crate::{interrupt, report};
use sememe::error_rates::{Outcome, run as measure};
use sememe::experiment::{EXIT_INTERRUPTED, EXIT_OK, Existing, RunError, Tree};
use std::path::{Path, PathBuf};
use toml::Value;

/// What is measured where nothing is asked for: a few seconds of a common code.
const EXAMPLE: &str = r#"
version = 1
title = "5G NR LDPC (1040, 2080), base graph 2, BPSK, AWGN"
k = 1040
n = 2080
modulation = "bpsk"
ebn0_db = "0.5:0.25:1.75"
"#;

const EXAMPLES: &str = "Examples:
  sememe ber --k 1040 --n 2080 --ebn0 1:0.25:2.25 --iterations 8 --frame-errors 400
  sememe ber --k 4000 --n 8004 --modulation 64qam --esn0 8:0.5:11 --demapping max-log
  sememe ber --k 1000 --n 1200 --modulation 16qam --esn0 0:2:12 --crc 16 --rv 0,2,3,1 --channel rayleigh

Conventions: SNRs are named. Es/N0 is per complex channel use; Eb/N0 = Es/N0 / R with R information bits per
complex channel use. k counts payload bits without CRC. Results: results.csv, timings.csv, error-rates.png";

/// Arguments of `sememe ber`.
///
/// Without any, it runs a small example: base graph 2, k = 1040, n = 2080, BPSK.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A file with the same keys as the options, '_' for '-'; options given beside it win
    pub file: Option<PathBuf>,
    /// Payload bits of a frame, CRC bits not among them
    #[arg(long, value_name = "BITS", value_parser = whole, allow_hyphen_values = true)]
    pub k: Option<u64>,
    /// Bits of one transmission
    #[arg(long, value_name = "BITS", value_parser = whole, allow_hyphen_values = true)]
    pub n: Option<u64>,
    /// bpsk, qpsk, 16qam, 64qam, 256qam or 1024qam; default bpsk
    #[arg(long, value_name = "NAME")]
    pub modulation: Option<String>,
    /// Eb/N0 in dB: a number, a list or first:step:last
    #[arg(long, value_name = "DB", allow_hyphen_values = true, conflicts_with = "esn0")]
    pub ebn0: Option<String>,
    /// Es/N0 per complex channel use in dB: a number, a list or first:step:last
    #[arg(long, value_name = "DB", allow_hyphen_values = true)]
    pub esn0: Option<String>,
    /// awgn, rayleigh or rician; default awgn
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// K factor of Rician fading in dB
    #[arg(long, value_name = "DB", allow_hyphen_values = true)]
    pub rician_k_db: Option<f64>,
    /// block (a fade for each transmission) or symbol; default block
    #[arg(long, value_name = "NAME")]
    pub fading: Option<String>,
    /// 1, 2 or auto, the choice of TS 38.212
    #[arg(long, value_name = "GRAPH")]
    pub base_graph: Option<String>,
    /// code-block, transport-block or auto, which sends one code block where it can
    #[arg(long, value_name = "KIND")]
    pub frame: Option<String>,
    /// CRC behind the payload: none, 6, 11, 16, 24a, 24b or 24c; a transport block has its own
    #[arg(long, value_name = "CRC")]
    pub crc: Option<String>,
    /// CRC bits count as information in Eb/N0, rate and goodput
    #[arg(long)]
    pub count_crc: bool,
    /// Bits of each codeword that the receiver keeps; default all
    #[arg(long, value_name = "BITS", value_parser = whole, allow_hyphen_values = true)]
    pub limited_buffer: Option<u64>,
    /// Redundancy versions, sent until the receiver accepts the frame; default 0
    #[arg(long, value_name = "0,2,3,1", value_delimiter = ',', value_parser = redundancy_version)]
    pub rv: Vec<u8>,
    /// exact or max-log
    #[arg(long, value_name = "NAME")]
    pub demapping: Option<String>,
    /// min-sum, belief-propagation (slow) or none, which sends without a code
    #[arg(long, value_name = "NAME")]
    pub decoder: Option<String>,
    /// Iterations at most; default 20
    #[arg(long, value_name = "N", value_parser = whole, allow_hyphen_values = true)]
    pub iterations: Option<u64>,
    /// Check rule: pairwise (default), nms:0.75, oms:0.5 or such; sum-product for belief propagation
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// Decoding ends early by: codeword, crc or never; default codeword
    #[arg(long, value_name = "NAME")]
    pub stop: Option<String>,
    /// Frame errors that end a point; default 100 without --precision
    #[arg(long, value_name = "N", value_parser = whole)]
    pub frame_errors: Option<u64>,
    /// Frames that end a point; default 1e7
    #[arg(long, value_name = "N", value_parser = whole)]
    pub max_frames: Option<u64>,
    /// Relative half width of the 95 % interval of the FER that ends a point, such as 0.1
    #[arg(long, value_name = "RATIO", allow_hyphen_values = true)]
    pub precision: Option<f64>,
    /// Goes on behind a point without any frame error
    #[arg(long)]
    pub all_points: bool,
    /// Seed of payloads, fades and noise; default 0
    #[arg(long, value_name = "N", value_parser = whole, allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// Changes a key of the file, such as k=500
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder for results; default out/ber- and the code, or the name of the file
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Goes on where an earlier run of the same configuration stopped
    #[arg(long, conflicts_with = "force")]
    pub resume: bool,
    /// Replaces the results in the folder
    #[arg(long)]
    pub force: bool,
}

/// Measures.
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    let options = options(arguments);
    let is_example = arguments.file.is_none() && options.is_empty() && arguments.set.is_empty();
    let mut tree = match &arguments.file {
        Some(file) => Tree::read(file)?,
        None if is_example => Tree::parse(EXAMPLE, "sememe ber")?,
        None => Tree::parse("version = 1\nmodulation = \"bpsk\"", "sememe ber")?,
    };
    if let Some(file) = arguments.file.as_ref().filter(|_| tree.table.contains_key("link")) {
        let file = file.display();
        return Err(RunError::Usage(format!(
            "{file}: an experiment with links: run it with sememe run {file}"
        )));
    }
    // As the option is written.
    if let Some(Value::String(name)) = tree.table.get_mut("demapping") {
        *name = name.replace('-', "_");
    }
    for (key, value) in options {
        // The other name of the SNR would contradict.
        match key {
            "ebn0_db" => tree.table.remove("esn0_db"),
            "esn0_db" => tree.table.remove("ebn0_db"),
            _ => None,
        };
        tree.table.insert(key.to_owned(), value);
    }
    let tree = tree.set(&parse_changes(&arguments.set)?)?;
    let out = arguments.out.clone().unwrap_or_else(|| folder(arguments, &tree, is_example));
    let existing = match (arguments.resume, arguments.force, is_example) {
        (true, ..) => Existing::Resume,
        (_, true, _) => Existing::Replace,
        (_, _, true) => Existing::Renew,
        _ => Existing::Refuse,
    };
    let stop = interrupt::stop_flag()?;
    let mut print = |text: &str| report::print(text).map(|_| ());
    let outcome = measure(&tree, &out, existing, &stop, &mut print)?;
    report::print(&ending(&outcome, &out, is_example))?;
    Ok(if outcome.interrupted { EXIT_INTERRUPTED } else { EXIT_OK })
}

/// The options that were given, as keys of the configuration.
fn options(a: &Arguments) -> Vec<(&'static str, Value)> {
    let text = |value: &Option<String>| value.clone().map(Value::String);
    // Beyond 2^63 nothing is possible anyway, and the check says so.
    let count = |value: Option<u64>| value.map(|n| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX)));
    let flag = |value: bool| value.then_some(Value::Boolean(true));
    let versions: Vec<Value> = a.rv.iter().map(|version| Value::Integer(i64::from(*version))).collect();
    [
        ("k", count(a.k)),
        ("n", count(a.n)),
        ("modulation", text(&a.modulation)),
        ("ebn0_db", text(&a.ebn0)),
        ("esn0_db", text(&a.esn0)),
        ("channel", text(&a.channel)),
        ("rician_k_db", a.rician_k_db.map(Value::Float)),
        ("fading", text(&a.fading)),
        ("base_graph", text(&a.base_graph)),
        ("frame", text(&a.frame)),
        ("crc", text(&a.crc)),
        ("count_crc", flag(a.count_crc)),
        ("limited_buffer", count(a.limited_buffer)),
        ("redundancy_versions", (!versions.is_empty()).then_some(Value::Array(versions))),
        ("demapping", a.demapping.as_ref().map(|name| Value::String(name.replace('-', "_")))),
        ("decoder", text(&a.decoder)),
        ("iterations", count(a.iterations)),
        ("rule", text(&a.rule)),
        ("stop", text(&a.stop)),
        ("frame_errors", count(a.frame_errors)),
        ("max_frames", count(a.max_frames)),
        ("precision", a.precision.map(Value::Float)),
        ("all_points", flag(a.all_points)),
        ("seed", count(a.seed)),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?)))
    .collect()
}

/// A redundancy version; whether it can be used is checked with the rest.
fn redundancy_version(text: &str) -> Result<u8, String> {
    text.trim().parse().map_err(|_| "allowed are numbers of 0 to 3, such as 0,2,3,1".into())
}

/// A whole number, which may be written as 1e7.
fn whole(text: &str) -> Result<u64, String> {
    let plain = text.parse::<u64>().ok();
    let scientific = || text.parse::<f64>().ok().filter(|n| n.fract() == 0.0 && (0.0..=1e18).contains(n));
    plain
        .or_else(|| scientific().map(|n| n as u64))
        .ok_or_else(|| "allowed is a whole number, such as 1e7".into())
}

/// Where results go by default.
fn folder(arguments: &Arguments, tree: &Tree, is_example: bool) -> PathBuf {
    let name = match &arguments.file {
        Some(file) => file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        None if is_example => "ber".to_owned(),
        None => {
            let shown = |key: &str| match tree.table.get(key) {
                Some(Value::String(text)) => format!("-{text}"),
                Some(Value::Integer(number)) => format!("-{number}"),
                _ => String::new(),
            };
            format!("ber{}{}{}", shown("k"), shown("n"), shown("modulation"))
        }
    };
    PathBuf::from("out").join(name)
}

/// What is said when all is done.
fn ending(outcome: &Outcome, out: &Path, is_example: bool) -> String {
    let mut text = String::new();
    if outcome.resumed > 0 {
        text.push_str(&format!("{} points had been finished by an earlier run\n", outcome.resumed));
    }
    if outcome.left_out > 0 {
        text.push_str(&format!(
            "{} further points were left out behind one without frame errors (--all-points measures them)\n",
            outcome.left_out
        ));
    }
    if outcome.interrupted {
        text.push_str(&format!(
            "stopped after {} points; go on with --resume --out {}\n",
            outcome.rows.len(),
            out.display()
        ));
        return text;
    }
    text.push_str(&format!("results.csv, experiment.toml and figures are in {}\n", out.display()));
    if is_example {
        text.push_str(&format!("\n{EXAMPLES}\nAll options: sememe ber --help\n"));
    }
    text
}
