//! The program end to end, in a folder of its own: files and exit codes.

mod program;

use program::{command, error_line, experiment, folder_with, sememe, succeeded};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// A small experiment without learned links.
fn linear() -> String {
    experiment(
        r#"
[[link]]
scheme = "klt"

[[link]]
name = "klt mismatched"
scheme = "klt"
snr_mismatch_db = 6.0
"#,
    )
    // LPIPS needs larger images.
    .replace("[16, 16]", "[32, 32]")
}

/// Learned links over weights that [`learned`] trains.
const LEARNED: &str = r#"
version = 1
seed = 5
snr_db = [12]

[source]
images = 10
share = 0.5

[downlink]
users = 10
groups = 2
uses = 256

[output]
plots = false
contact_sheet = false

[[channel]]
fading = { model = "rayleigh" }

[[link]]
scheme = "group-splitting"
weights = "ours.safetensors"

[[link]]
scheme = "private-only"
weights = "private.safetensors"
"#;

/// The smallest networks, trained for a moment.
const TRAINING: &str = r#"
version = 1
[model]
preset = "spatial-tiny"
[data]
kind = "scenes"
images = 60
[downlink]
users = 10
groups = 2
uses = 256
[optimizer]
epochs = 1
[validation]
frames = 1
snr_db = [12.0]
"#;

/// A folder with a learned experiment in `a.toml`, and its weights.
fn learned(experiment: &str) -> tempfile::TempDir {
    static WEIGHTS: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let weights = WEIGHTS.get_or_init(|| {
        let dir = folder_with(TRAINING);
        ["0.2", "0.0"].map(|rho| {
            let set = format!("downlink.rho={rho}");
            succeeded(sememe(dir.path(), &["train", "a.toml", "--out", rho, "--set", &set]));
            std::fs::read(dir.path().join(rho).join("weights.safetensors")).unwrap()
        })
    });
    let dir = folder_with(experiment);
    std::fs::write(dir.path().join("ours.safetensors"), &weights[0]).unwrap();
    std::fs::write(dir.path().join("private.safetensors"), &weights[1]).unwrap();
    dir
}

#[test]
fn a_run_writes_table_pictures_and_a_configuration_that_repeats_it() {
    let dir = folder_with(&linear());
    let screen = succeeded(sememe(dir.path(), &["run", "a.toml", "--out", "first"]));
    assert!(screen.contains("AWGN: PSNR") && screen.contains("Rayleigh block fading"), "{screen}");
    let first = dir.path().join("first");
    for name in [
        "psnr-awgn.svg",
        "psnr-awgn.png",
        "psnr-rayleigh.png",
        "sheet-awgn.png",
        "sheet-rayleigh.png",
        "report.html",
    ] {
        assert!(first.join(name).metadata().unwrap().len() > 1000, "{name}");
    }
    assert!(first.join("timings.csv").exists());
    let results = std::fs::read_to_string(first.join("results.csv")).unwrap();
    assert_eq!(results.lines().count(), 1 + 2 * 2 * 2, "{results}");
    assert!(results.lines().skip(1).all(|row| row.split(',').nth(4) == Some("20")), "{results}");

    succeeded(sememe(dir.path(), &["run", "first/experiment.toml", "--out", "again"]));
    let again = std::fs::read_to_string(dir.path().join("again/results.csv")).unwrap();
    assert_eq!(results, again);
}

#[test]
fn networks_of_the_perceptual_distance_are_looked_for_before_anything_runs() {
    let dir = folder_with(&linear());
    let error = error_line(&sememe(dir.path(), &["run", "a.toml", "--set", "output.lpips=nowhere"]));
    assert!(error.contains("output.lpips = \"nowhere\": nowhere/squeezenet1_1.safetensors"), "{error}");
}

#[test]
fn results_are_the_same_bytes_on_one_and_on_two_threads() {
    for dir in [folder_with(&linear()), learned(LEARNED)] {
        let results = ["1", "2"].map(|threads| {
            let mut command = command(dir.path(), &["run", "a.toml", "--out", threads]);
            succeeded(command.env("RAYON_NUM_THREADS", threads).output().unwrap());
            std::fs::read_to_string(dir.path().join(threads).join("results.csv")).unwrap()
        });
        assert_eq!(results[0], results[1]);
        assert!(results[0].lines().count() > 2);
    }
}

#[test]
fn a_stopped_run_is_resumed_to_the_same_bytes_and_other_configurations_are_refused() {
    let dir = folder_with(&linear());
    succeeded(sememe(dir.path(), &["run", "a.toml", "--out", "o"]));
    let path = dir.path().join("o/results.csv");
    let whole = std::fs::read_to_string(&path).unwrap();
    let half: String = whole.split_inclusive('\n').take(4).collect();
    std::fs::write(&path, half).unwrap();
    let screen = succeeded(sememe(dir.path(), &["run", "a.toml", "--out", "o", "--resume"]));
    assert!(screen.contains("3 points had been finished"), "{screen}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
    let times = std::fs::read_to_string(dir.path().join("o/timings.csv")).unwrap();
    assert_eq!(times.lines().count(), whole.lines().count(), "one line for each point:\n{times}");

    let error =
        error_line(&sememe(dir.path(), &["run", "a.toml", "--out", "o", "--resume", "--set", "seed=6"]));
    assert!(error.contains("'seed = 5' where this one says 'seed = 6'"), "{error}");
    let error = error_line(&sememe(dir.path(), &["run", "a.toml", "--out", "o"]));
    assert!(error.contains("holds files: allowed is an empty or new folder, --resume or --force"), "{error}");
    succeeded(sememe(dir.path(), &["run", "a.toml", "--out", "o", "--force", "--set", "snr_db=[0]"]));
    assert_ne!(std::fs::read_to_string(&path).unwrap(), whole);
}

#[test]
fn an_interrupt_keeps_what_is_finished() {
    let many: Vec<String> = (0..150).map(|snr| snr.to_string()).collect();
    let dir = folder_with(&linear().replace("[0, 9]", &format!("[{}]", many.join(", "))));
    let mut child = command(dir.path(), &["run", "a.toml", "--out", "o"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let results = dir.path().join("o/results.csv");
    let rows = || std::fs::read_to_string(&results).map_or(0, |text| text.lines().count());
    while rows() < 4 {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before it could be stopped");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!((4..600).contains(&rows()), "{} rows", rows());
}

#[test]
fn a_check_opens_everything_and_writes_nothing() {
    let dir = learned(LEARNED);
    let screen = succeeded(sememe(dir.path(), &["run", "a.toml", "--check"]));
    assert!(
        screen.contains("2 points can be run") && screen.contains("weights  group-splitting: sha256"),
        "{screen}"
    );
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/experiments");
    for shipped in ["quickstart", "correlated", "clustering", "channels", "classical", "profiles"] {
        let file = examples.join(shipped).with_extension("toml");
        assert!(
            succeeded(sememe(dir.path(), &["run", file.to_str().unwrap(), "--check"])).contains("can be run")
        );
    }
}

#[test]
fn a_check_says_what_the_label_of_a_profile_means() {
    let dir = folder_with(&linear());
    let set = ["run", "a.toml", "--check", "--set", "channel.0.profile=chunbaobao"];
    let screen = succeeded(sememe(dir.path(), &set));
    assert!(screen.contains("channel  awgn-chunbaobao: mean Es/N0 = snr_db + 3.01 dB"), "{screen}");
    let error =
        error_line(&sememe(dir.path(), &[&set[..], &["--set", "channel.1.profile=kmsiapps"]].concat()));
    assert!(error.contains("downlink.equalizer = \"mmse\" is not possible: allowed is \"none\""), "{error}");
}

#[test]
fn bad_input_ends_with_code_2_and_one_line() {
    let dir = learned(LEARNED);
    std::fs::write(dir.path().join("broken.safetensors"), "no tensors").unwrap();
    std::fs::write(dir.path().join("broken.bin"), [0; 3073 * 2 + 1]).unwrap();
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    let with = |set: &[&str]| {
        let mut arguments = vec!["run", "a.toml"];
        set.iter().for_each(|change| arguments.extend(["--set", change]));
        error_line(&sememe(dir.path(), &arguments))
    };
    for (set, expected) in [
        (&["downlink.groups=11"][..], "downlink.groups = 11 is not possible: allowed is 1 to 10"),
        (&["downlink.uses=250"], "downlink.uses = 250 is not possible: allowed is a multiple of 32"),
        (&["downlink.rho=1"], "downlink.rho = 1 is not possible: allowed is 0 to below 1"),
        (&["downlink.rho=-0.1"], "downlink.rho = -0.1 is not possible: allowed is 0 to below 1"),
        (&["downlink.groups=5"], "weights"),
        (&["source.images=9"], "users = 10 is not possible: allowed is at most the 9 images"),
        (&["source.share=1.5"], "source.share = 1.5 is not possible: allowed is 0 to 1"),
        (
            &["source.path=here"],
            "source.path = set is not possible: allowed is nothing with kind = \"scenes\"",
        ),
        (&["link.0.weights=nowhere.safetensors"], "no such file, nor shipped weights"),
        (
            &["link.0.weights=broken.safetensors"],
            "link.0.weights = \"broken.safetensors\": not a valid safetensors",
        ),
        (&["source={kind='cifar10'}"], "source.path is missing"),
        (&["source={kind='cifar10', path='empty'}"], "empty: no usable image"),
        (&["source={kind='cifar10', path='broken.bin'}"], "broken.bin"),
        (&["source={kind='folder', path='empty'}"], "empty: no usable image"),
        (&["source={kind='folder', path='nowhere'}"], "nowhere"),
        (&["seed"], "no '=' found"),
    ] {
        let error = with(set);
        assert!(error.contains(expected), "{set:?}\n  found    {error}  expected {expected}");
    }
    let missing = error_line(&sememe(dir.path(), &["run", "b.toml"]));
    assert!(missing.contains("b.toml: No such file"), "{missing}");
    assert_eq!(sememe(dir.path(), &["run", "a.toml", "--fast"]).status.code(), Some(2));
    assert_eq!(sememe(dir.path(), &["fly"]).status.code(), Some(2));
    assert!(!dir.path().join("out").exists());
}

#[test]
fn a_varied_key_gives_rows_and_figures_for_each_value() {
    let dir = learned(&LEARNED.replace("share = 0.5", "").replace("plots = false", "plots = true"));
    let vary = "vary={key='source.share', values=[0.0, 1.0]}";
    succeeded(sememe(dir.path(), &["run", "a.toml", "--out", "o", "--set", vary]));
    let results = std::fs::read_to_string(dir.path().join("o/results.csv")).unwrap();
    let starts: Vec<&str> = results.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(starts, ["0.0", "0.0", "1.0", "1.0"]);
    assert!(
        dir.path().join("o/psnr-rayleigh-12dB.png").exists()
            && dir.path().join("o/rand-rayleigh-12dB.svg").exists()
    );
    succeeded(sememe(dir.path(), &["run", "o/experiment.toml", "--out", "again"]));
    assert_eq!(std::fs::read_to_string(dir.path().join("again/results.csv")).unwrap(), results);
    // Other data than the recorded ones are not taken for the same.
    let other = ["run", "o/experiment.toml", "--check", "--set", "seed=6"];
    assert!(error_line(&sememe(dir.path(), &other)).contains("provenance.data"));
}

#[test]
fn a_free_graph_of_blocks_and_wires_is_run() {
    let dir = folder_with(
        r#"
[[block]]
name = "pictures"
kind = "scenes"
walk = { users = 4, images = 8 }

[[block]]
name = "end"
kind = "discard_images"

[[wire]]
from = "pictures"
to = "end"
"#,
    );
    assert!(
        succeeded(sememe(dir.path(), &["run", "a.toml"])).contains("2 blocks and 1 wires ran to their end")
    );
    let error = error_line(&sememe(dir.path(), &["run", "a.toml", "--set", "block.1.kind=abyss"]));
    assert!(error.contains("a.toml: ") && error.contains("abyss"), "{error}");
}

#[test]
fn lists_and_information_name_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let list = succeeded(sememe(dir.path(), &["list"]));
    for name in ["group-splitting", "klt", "spatial-compact-private", "awgn", "power_norm", "chunbaobao"] {
        assert!(list.contains(name), "{name} is missing in {list}");
    }
    let info = succeeded(sememe(dir.path(), &["info"]));
    assert!(info.contains(env!("CARGO_PKG_VERSION")) && info.contains("SIMD in use"), "{info}");
    assert!(succeeded(sememe(dir.path(), &["--help"])).contains("130  stopped by Ctrl-C"));
    for (wrong, said) in [
        (&["run"][..], "<EXPERIMENT>"),
        (&["rum", "a"], "a similar subcommand exists: 'run'"),
        (&["ber", "--k=-5"], "allowed is a whole number"),
        (&["ber", "--rv", "0,a"], "allowed are numbers of 0 to 3"),
        (&["run", "a.toml", "--resume", "--force"], "'--resume' cannot be used with '--force'"),
    ] {
        let error = error_line(&sememe(dir.path(), wrong));
        assert!(error.contains(said), "{error}");
    }
    let narrowed = |to| command(dir.path(), &["info"]).env("SEMEME_SIMD", to).output().unwrap();
    assert!(succeeded(narrowed("portable")).contains("SIMD in use  portable"));
    let error = error_line(&narrowed("sse9"));
    assert!(error.contains("SEMEME_SIMD = sse9") && error.contains("avx512, avx2, portable"), "{error}");
}

#[test]
fn weights_trained_in_a_moment_are_evaluated() {
    let dir = folder_with(TRAINING);
    let error = error_line(&sememe(dir.path(), &["train", "a.toml", "--set", "optimizer.epocs=3"]));
    assert!(error.contains("optimizer.epocs is no known key (did you mean optimizer.epochs?)"), "{error}");
    succeeded(sememe(dir.path(), &["train", "a.toml", "--check"]));
    let screen = succeeded(sememe(dir.path(), &["train", "a.toml", "--out", "w"]));
    assert!(screen.contains("weights: w/weights.safetensors"), "{screen}");
    let error = error_line(&sememe(dir.path(), &["train", "a.toml", "--out", "w"]));
    assert!(error.contains("--resume or --force"), "{error}");
    let eval = ["eval", "w/weights.safetensors", "--images", "20", "--snr", "-3,12", "--channel", "awgn"];
    let screen = succeeded(sememe(dir.path(), &eval));
    assert!(screen.contains("group-splitting") && screen.contains("klt"), "{screen}");
    assert!(dir.path().join("out/eval-weights/results.csv").exists());
}
