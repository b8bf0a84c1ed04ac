//! Points that end once they are known well enough.

mod program;

use program::{error_line, experiment, folder_with, sememe, succeeded};

fn rows(folder: &std::path::Path) -> Vec<Vec<String>> {
    let table = std::fs::read_to_string(folder.join("results.csv")).unwrap();
    table.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Images, PSNR and half width of its interval stand in the fifth column and after.
fn number(row: &[String], column: &str, folder: &std::path::Path) -> f64 {
    let table = std::fs::read_to_string(folder.join("results.csv")).unwrap();
    let at = table.lines().next().unwrap().split(',').position(|name| name == column).unwrap();
    row[at].parse().unwrap()
}

#[test]
fn a_point_ends_when_its_interval_is_narrow_and_the_number_of_jobs_changes_nothing() {
    let links = "[[link]]\nscheme = 'klt'\n[[link]]\nscheme = 'jpeg-ldpc'\nmcs = 'qpsk-1/2'\n";
    let dir = folder_with(&experiment(links).replace("images = 20", "images = 400"));
    let stop = "stop={psnr_ci95_db=0.6, min_images=60}";
    for jobs in ["1", "3"] {
        succeeded(sememe(dir.path(), &["run", "a.toml", "--set", stop, "--jobs", jobs, "--out", jobs]));
    }
    let read = |jobs: &str| std::fs::read(dir.path().join(jobs).join("results.csv")).unwrap();
    assert!(read("1") == read("3"));
    let folder = dir.path().join("1");
    let sent: Vec<f64> = rows(&folder).iter().map(|row| number(row, "images", &folder)).collect();
    assert!(sent.iter().all(|sent| (60.0..=400.0).contains(sent) && sent % 10.0 == 0.0), "{sent:?}");
    assert!(sent.iter().any(|sent| *sent < 400.0), "{sent:?}");
    for row in rows(&folder) {
        let done = number(&row, "images", &folder) >= 400.0;
        assert!(done || number(&row, "psnr_ci95_db", &folder) <= 0.6, "{row:?}");
    }
}

#[test]
fn impossible_rules_are_refused() {
    let dir = folder_with(&experiment("[[link]]\nscheme = 'klt'\n"));
    for (rule, found) in [
        ("stop={psnr_ci95_db=0}", "stop.psnr_ci95_db = 0"),
        ("stop={psnr_ci95_db=0.1, min_images=1}", "stop.min_images = 1"),
        ("stop={psnr_ci_db=0.1}", "psnr_ci95_db"),
    ] {
        let error = error_line(&sememe(dir.path(), &["run", "a.toml", "--set", rule]));
        assert!(error.contains(found), "{error}");
    }
    let both = ["run", "a.toml", "--set", "stop={psnr_ci95_db=0.1}", "--set", "output.compare=klt"];
    let error = error_line(&sememe(dir.path(), &both));
    assert!(error.contains("output.compare = \"klt\" is not possible: allowed is no [stop]"), "{error}");
}
