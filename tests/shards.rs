//! An experiment in parts: as processes of a scheduler run it, killed ones among them.

mod program;

use program::{command, error_line, experiment, folder_with, sememe, succeeded};
use rand::RngExt;
use sememe_blocks::rng::{Purpose, RngKey};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Two links, two channels, two SNRs: eight points.
fn small() -> String {
    compared(experiment(
        r#"
[[link]]
scheme = "klt"

[[link]]
scheme = "jpeg-ldpc"
"#,
    ))
}

/// With the scores of all images and what is made of them.
fn compared(experiment: String) -> String {
    experiment.replace("[output]\n", "[output]\ncompare = \"klt\"\n")
}

/// All files of a finished run but those that hold times.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries
        .filter(|path| path.is_file() && !path.ends_with("timings.csv"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    found.sort();
    found
}

fn shard(folder: &Path, part: &str) -> String {
    succeeded(sememe(folder, &["run", "a.toml", "--out", "parts", "--shard", part]))
}

fn shard_again(folder: &Path, part: &str) -> String {
    succeeded(sememe(folder, &["run", "a.toml", "--out", "parts", "--shard", part, "--resume"]))
}

#[test]
fn merged_shards_are_the_bytes_of_one_run() {
    let dir = folder_with(&small());
    succeeded(sememe(dir.path(), &["run", "a.toml", "--out", "whole"]));
    let whole = files(&dir.path().join("whole"));
    for file in ["sheet-awgn.png", "images.csv", "comparison.csv", "ratio-mse-awgn.svg"] {
        assert!(whole.iter().any(|(name, _)| name == file), "{file}");
    }
    let said = shard(dir.path(), "1/3");
    assert!(said.contains("shard 1/3 is done: 3 points") && said.contains("sememe merge parts"), "{said}");
    shard(dir.path(), "2/3");
    let error = error_line(&sememe(dir.path(), &["merge", "parts"]));
    assert!(error.contains("shard 3/3 is missing"), "{error}");
    shard(dir.path(), "3/3");
    // A shard that was killed after its first point.
    let table = dir.path().join("parts/shard-2-of-3/results.csv");
    let rows = std::fs::read_to_string(&table).unwrap();
    std::fs::write(&table, rows.lines().take(2).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let error = error_line(&sememe(dir.path(), &["merge", "parts"]));
    let again = error.split_once("sememe run ").unwrap().1.trim();
    assert!(error.contains("2 of 3 points are missing"), "{error}");
    let again: Vec<&str> = std::iter::once("run").chain(again.split(' ')).collect();
    succeeded(sememe(dir.path(), &again));
    // Another one, killed between the scores of its images and its row, and again while it wrote scores.
    let scores = dir.path().join("parts/shard-3-of-3/images.csv");
    let text = std::fs::read_to_string(&scores).unwrap();
    assert_eq!(text.lines().count(), 1 + 2 * 20);
    std::fs::write(&scores, &text[..text.len() - 7]).unwrap();
    let error = error_line(&sememe(dir.path(), &["merge", "parts"]));
    assert!(error.contains("shard-3-of-3: 1 of 2 points are missing"), "{error}");
    shard_again(dir.path(), "3/3");
    assert_eq!(std::fs::read_to_string(&scores).unwrap(), text);
    for _ in 0..2 {
        succeeded(sememe(dir.path(), &["merge", "parts"]));
        assert!(files(&dir.path().join("parts")) == whole);
    }
    let times = std::fs::read_to_string(dir.path().join("parts/timings.csv")).unwrap();
    assert_eq!(times.lines().count(), 9, "{times}");
}

#[test]
fn points_side_by_side_are_the_bytes_of_one_after_the_other() {
    let dir = folder_with(&small());
    let run = |jobs: &str| {
        succeeded(sememe(dir.path(), &["run", "a.toml", "--jobs", jobs, "--out", jobs]));
        files(&dir.path().join(jobs))
    };
    let one = run("1");
    assert!(one == run("4") && one == run("0"));
}

#[test]
fn a_shard_of_what_has_no_parts_is_refused() {
    let dir = folder_with(&small());
    let error = error_line(&sememe(dir.path(), &["run", "a.toml", "--check", "--shard", "1/2"]));
    assert!(error.contains("--shard"), "{error}");
    let graph = "version = 1\n[[block]]\nname = 'a'\nkind = 'scenes'\n";
    std::fs::write(dir.path().join("graph.toml"), graph).unwrap();
    let error = error_line(&sememe(dir.path(), &["run", "graph.toml", "--shard", "1/2"]));
    assert!(error.contains("graph.toml: a free graph has no parts"), "{error}");
}

#[test]
fn a_grid_of_keys_is_measured_in_all_combinations_and_in_parts() {
    let dir = folder_with(&small());
    let grid = "vary=[{key='downlink.uses', values=[128, 256]}, \
                {key='channel.1.csi_error_variance', values=[0.0, 0.05]}, {key='link.0.snr_mismatch_db', values=[3]}]";
    let arguments = ["run", "a.toml", "--set", "link=[{scheme='klt'}]", "--set", grid, "--out"];
    let screen = succeeded(sememe(dir.path(), &[&arguments[..], &["whole"]].concat()));
    assert!(screen.contains("downlink.uses = 128, channel.1.csi_error_variance = 0.05"), "{screen}");
    let whole = dir.path().join("whole");
    let results = std::fs::read_to_string(whole.join("results.csv")).unwrap();
    let psnr = |row: &str| {
        let row =
            results.lines().find(|line| line.starts_with(row)).unwrap_or_else(|| panic!("{row}: {results}"));
        row.split(',').nth(6).unwrap().parse::<f64>().unwrap()
    };
    assert_eq!(results.lines().count(), 1 + 4 * 2 * 2);
    assert!(psnr("256 / 0.0 / 3,klt,rayleigh,9") > psnr("128 / 0.0 / 3,klt,rayleigh,9") + 1.0);
    assert!(psnr("256 / 0.0 / 3,klt,rayleigh,9") > psnr("256 / 0.05 / 3,klt,rayleigh,9") + 0.3);
    assert_eq!(psnr("256 / 0.0 / 3,klt,awgn,9"), psnr("256 / 0.05 / 3,klt,awgn,9"));
    for figure in ["psnr-awgn-128___0.0___3.svg", "psnr-rayleigh-over-downlink.uses-0.05___3-9dB.png"] {
        assert!(
            whole.join(figure).exists(),
            "{figure} in {:?}",
            files(&whole).iter().map(|f| &f.0).collect::<Vec<_>>()
        );
    }
    for part in ["1/2", "2/2"] {
        succeeded(sememe(dir.path(), &[&arguments[..], &["parts", "--shard", part]].concat()));
    }
    succeeded(sememe(dir.path(), &["merge", "parts"]));
    assert!(files(&dir.path().join("parts")) == files(&whole));
}

#[test]
fn twenty_kills_change_no_byte() {
    // Ready at once, so that kills meet points, tables and figures: 64 points of learned and linear lines.
    let text = compared(experiment(
        r#"
[[link]]
scheme = "klt"

[[link]]
scheme = "deep-jscc"
weights = "deep-jscc"
"#,
    ));
    let snrs = (-4..12).map(|snr| (2 * snr).to_string()).collect::<Vec<_>>().join(", ");
    let dir = folder_with(&text.replace("snr_db = [0, 9]", &format!("snr_db = [{snrs}]")));
    succeeded(sememe(dir.path(), &["run", "a.toml", "--out", "whole"]));
    let rows = |folder: &str| {
        let table = dir.path().join(folder).join("results.csv");
        std::fs::read_to_string(table).unwrap_or_default().lines().count()
    };
    let compare = |folder: &str| {
        succeeded(sememe(dir.path(), &["run", "a.toml", "--resume", "--out", folder]));
        assert!(files(&dir.path().join(folder)) == files(&dir.path().join("whole")));
    };
    let mut dice = RngKey::new(20).stream(Purpose::Scene, 0, 0);
    let (mut folder, mut met, mut kills) = ("killed-0".to_owned(), BTreeSet::new(), 0);
    while kills < 20 {
        let mut run = command(dir.path(), &["run", "a.toml", "--resume", "--out", &folder]);
        let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Some rows later, and a moment after: among points, or among the figures behind the last.
        let until = rows(&folder) + dice.random_range(0..12usize);
        while rows(&folder) < until && run.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(dice.random_range(0..60)));
        let ended = run.try_wait().unwrap();
        run.kill().unwrap();
        run.wait().unwrap();
        if let Some(status) = ended {
            assert!(status.success(), "what was killed before does not go on");
            compare(&folder);
            folder = format!("killed-{kills}");
            assert!(rows(&folder) == 0, "runs end before they can be killed");
            continue;
        }
        kills += 1;
        met.insert(rows(&folder));
    }
    compare(&folder);
    assert!(met.len() >= 5, "kills met these numbers of rows only: {met:?}");
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let dir = folder_with(&small());
    let quick = ["run", "a.toml", "--out", "p", "--set", "link=[{scheme='klt'}]", "--shard"];
    succeeded(sememe(dir.path(), &[&quick[..], &["1/2"]].concat()));
    succeeded(sememe(dir.path(), &[&quick[..], &["2/2", "--set", "seed=6"]].concat()));
    let error = error_line(&sememe(dir.path(), &["merge", "p"]));
    assert!(error.contains("'seed = 5'") && error.contains("'seed = 6'"), "{error}");
    let refused = error_line(&sememe(dir.path(), &[&quick[..], &["1/3"]].concat()));
    assert!(refused.contains("p holds shard-1-of-2: allowed is 2 parts"), "{refused}");
    std::fs::rename(dir.path().join("p/shard-1-of-2"), dir.path().join("p/shard-1-of-3")).unwrap();
    let error = error_line(&sememe(dir.path(), &["merge", "p"]));
    assert!(error.contains("shard-1-of-3 and shard-2-of-2"), "{error}");
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    let error = error_line(&sememe(dir.path(), &["merge", "empty"]));
    assert!(error.contains("holds no shards"), "{error}");
    let error = error_line(&sememe(dir.path(), &[&quick[..], &["3/2"]].concat()));
    assert!(error.contains("--shard 3/2") && error.contains("2/4"), "{error}");
    let auto = error_line(&sememe(dir.path(), &[&quick[..], &["auto"]].concat()));
    assert!(auto.contains("SLURM_ARRAY_TASK_ID"), "{auto}");
}

#[test]
fn a_slurm_script_runs_every_shard_once() {
    let dir = folder_with(&small());
    let script = ["slurm", "a.toml", "--shards", "2", "--out", "p q", "--cores", "1", "--set"];
    let script = succeeded(sememe(dir.path(), &[&script[..], &["link=[{scheme='klt'}]"]].concat()));
    assert!(
        script.contains("#SBATCH --array=1-2\n") && script.contains("# 4 points in 2 shards"),
        "{script}"
    );
    std::fs::write(dir.path().join("job.sh"), &script).unwrap();
    // As tasks of an array see their environment; the second as it is submitted again alone.
    for (task, count) in [("1", "2"), ("2", "1")] {
        let mut bash = Command::new("bash");
        bash.arg("job.sh").current_dir(dir.path()).env("SLURM_ARRAY_TASK_ID", task);
        bash.env("SLURM_ARRAY_TASK_COUNT", count).env("SLURM_ARRAY_TASK_MIN", task);
        succeeded(bash.output().unwrap());
        if task == "1" {
            // The command that mends it works as it stands.
            let missing = error_line(&sememe(dir.path(), &["merge", "p q"]));
            let command = missing.split_once("makes it: sememe ").unwrap().1.trim();
            assert_eq!(command, "run 'p q/shard-1-of-2/experiment.toml' --shard 2/2 --out 'p q'");
        }
    }
    succeeded(sememe(dir.path(), &["merge", "p q"]));
    let refused = error_line(&sememe(dir.path(), &["slurm", "a.toml", "--shards", "0"]));
    assert!(refused.contains("1/0"), "{refused}");
}

#[test]
fn processes_of_mpi_share_the_points() {
    if Command::new("mpirun").arg("--version").output().is_err() {
        println!("skipped: mpirun is not installed");
        return;
    }
    let dir = folder_with(&small());
    succeeded(sememe(dir.path(), &["run", "a.toml", "--out", "whole"]));
    let mut mpi = Command::new("mpirun");
    mpi.args([
        "--allow-run-as-root",
        "--oversubscribe",
        "-n",
        "2",
        env!("CARGO_BIN_EXE_sememe"),
        "run",
        "a.toml",
    ]);
    succeeded(mpi.args(["--shard", "auto", "--out", "parts"]).current_dir(dir.path()).output().unwrap());
    succeeded(command(dir.path(), &["merge", "parts"]).output().unwrap());
    assert!(files(&dir.path().join("parts")) == files(&dir.path().join("whole")));
}
