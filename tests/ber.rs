//! Error rates through the program: tables, resumption, wrong input.

mod program;

use program::{command, error_line, folder_with, sememe, succeeded};
use std::collections::HashMap;
use std::path::Path;

/// A short code at SNRs where it fails, and where it no longer does.
const SHORT: [&str; 9] =
    ["ber", "--k", "100", "--n", "200", "--ebn0", "0:2:4", "--frame-errors=30", "--max-frames=2000"];

/// The rows of a table of results, by the names of their columns.
fn rows(folder: &Path) -> Vec<HashMap<String, String>> {
    let text = std::fs::read_to_string(folder.join("results.csv")).unwrap();
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row =
        |line: &str| names.iter().map(ToString::to_string).zip(line.split(',').map(String::from)).collect();
    lines.map(row).collect()
}

#[test]
fn a_run_leaves_tables_figures_and_what_repeats_it() {
    let dir = tempfile::tempdir().unwrap();
    let shown = succeeded(sememe(dir.path(), &[&SHORT[..], &["--out", "a"]].concat()));
    assert!(shown.contains("FER") && shown.contains("Eb/N0"), "{shown}");
    for file in ["results.csv", "timings.csv", "experiment.toml", "error-rates.png", "error-rates.svg"] {
        assert!(dir.path().join("a").join(file).exists(), "{file}");
    }
    let first = rows(&dir.path().join("a"));
    let number = |row: usize, name: &str| first[row][name].parse::<f64>().unwrap();
    assert!((1..=3).contains(&first.len()) && number(0, "fer") > number(first.len() - 1, "fer"), "{first:?}");
    assert!(number(0, "frame_errors") >= 30.0 && number(0, "mean_iterations") > 1.0, "{first:?}");
    // A file may name its keys as the options do.
    std::fs::write(
        dir.path().join("keys.toml"),
        "k = 100\nn = 200\nmodulation = \"bpsk\"\nebn0 = 4\nrv = [0]\n\
        demapping = \"max-log\"\nmax_frames = 500\n",
    )
    .unwrap();
    succeeded(sememe(dir.path(), &["ber", "keys.toml"]));
    // The folder's own file gives the same bytes, on another number of threads.
    let mut again = command(dir.path(), &["ber", "a/experiment.toml", "--out", "b"]);
    succeeded(again.env("RAYON_NUM_THREADS", "1").output().unwrap());
    assert_eq!(rows(&dir.path().join("b")), first);
    let resumed = succeeded(sememe(dir.path(), &[&SHORT[..], &["--out", "a", "--resume"]].concat()));
    assert!(resumed.contains("had been finished by an earlier run"), "{resumed}");
    let refused = error_line(&sememe(dir.path(), &[&SHORT[..], &["--out", "a"]].concat()));
    assert!(refused.contains("--resume") && refused.contains("--force"), "{refused}");
    let hint = error_line(&sememe(dir.path(), &["run", "a/experiment.toml"]));
    assert!(hint.contains("sememe ber a/experiment.toml"), "{hint}");
}

#[test]
fn counted_crc_bits_move_the_snr_and_a_precision_ends_a_point() {
    let dir = tempfile::tempdir().unwrap();
    let run = |out: &str, more: &[&str]| {
        let common = ["ber", "--k=84", "--n=200", "--crc=16", "--ebn0=1", "--max-frames=4000", "--out", out];
        succeeded(sememe(dir.path(), &[&common[..], more].concat()));
        rows(&dir.path().join(out))
    };
    let esn0 = |rows: &[HashMap<String, String>]| rows[0]["esn0_db"].parse::<f64>().unwrap();
    let (plain, counted) = (run("a", &[]), run("b", &["--count-crc"]));
    assert!((esn0(&counted) - esn0(&plain) - 10.0 * (100f64 / 84.0).log10()).abs() < 1e-3, "{counted:?}");
    let precise = run("c", &["--precision=0.2"]);
    let errors: f64 = precise[0]["frame_errors"].parse().unwrap();
    assert!((60.0..400.0).contains(&errors), "1.96 / sqrt(errors) is about 0.2: {precise:?}");
}

#[test]
fn retransmissions_repair_what_fading_broke() {
    let dir = tempfile::tempdir().unwrap();
    let run = |out: &str, versions: &str| {
        let code = ["ber", "--k=100", "--n=120", "--channel=rayleigh", "--modulation=16qam", "--crc=16"];
        let point = ["--esn0=12", "--frame-errors=50", "--max-frames=2000", "--out", out, "--rv", versions];
        succeeded(sememe(dir.path(), &[&code[..], &point].concat()));
        rows(&dir.path().join(out))
    };
    let number = |row: &HashMap<String, String>, name: &str| row[name].parse::<f64>().unwrap();
    let (once, often) = (run("a", "0"), run("b", "0,2,3,1"));
    assert!(number(&often[0], "fer") < 0.3 * number(&once[0], "fer"), "{once:?} {often:?}");
    assert!(number(&often[0], "mean_transmissions") > 1.0, "{often:?}");
}

#[test]
fn what_is_impossible_is_refused_in_one_line() {
    let dir =
        folder_with("version = 1\nk = 100\nn = 200\nmodulation = \"qpsk\"\nesn0_db = 3\niteration = 3\n");
    let refused = |arguments: &[&str]| error_line(&sememe(dir.path(), &[&["ber"], arguments].concat()));
    assert!(refused(&["a.toml"]).contains("did you mean iterations?"));
    assert!(refused(&["--k=100", "--n=200"]).contains("esn0_db"));
    let even = refused(&["--k=100", "--n=201", "--modulation=qpsk", "--esn0=1"]);
    assert!(even.contains("201") && even.contains('2'), "{even}");
    let long = refused(&["--k=4000", "--n=3000", "--esn0=1"]);
    assert!(long.contains("3000"), "{long}");
    let twice = refused(&["--k=100", "--n=200", "--esn0=1,2,1"]);
    assert!(twice.contains("different"), "{twice}");
    let unused = refused(&["--k=100", "--modulation=qpsk", "--decoder=none", "--esn0=1", "--stop=never"]);
    assert!(unused.contains("stop = set") && unused.contains("nothing without a code"), "{unused}");
    let rule = refused(&["--k=100", "--n=200", "--esn0=1", "--rule=spa"]);
    assert!(rule.contains("spa") && rule.contains("nms:"), "{rule}");
}
