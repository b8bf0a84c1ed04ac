//! Classical links through the program: tables, resumption, wrong input.

mod program;

use program::{command, error_line, experiment, folder_with, sememe, succeeded};

/// A small experiment of classical links and a bound.
fn digital() -> String {
    experiment(
        r#"
[[link]]
scheme = "jpeg-ldpc"

[[link]]
name = "fixed"
scheme = "webp-ldpc"
mcs = "qpsk-1/2"

[[link]]
scheme = "jpeg-capacity"
"#,
    )
}

#[test]
fn results_are_the_same_bytes_on_one_and_on_two_threads() {
    let dir = folder_with(&digital());
    let results = ["1", "2"].map(|threads| {
        let mut command = command(dir.path(), &["run", "a.toml", "--out", threads]);
        succeeded(command.env("RAYON_NUM_THREADS", threads).output().unwrap());
        std::fs::read_to_string(dir.path().join(threads).join("results.csv")).unwrap()
    });
    assert_eq!(results[0], results[1]);
}

#[test]
fn classical_links_name_what_they_took_and_resume_with_it() {
    let dir = folder_with(&digital());
    let screen = succeeded(sememe(dir.path(), &["run", "a.toml", "--out", "o"]));
    assert!(screen.contains("modulation and code rate, lost images"), "{screen}");
    let path = dir.path().join("o/results.csv");
    let whole = std::fs::read_to_string(&path).unwrap();
    let columns: Vec<&str> = whole.lines().next().unwrap().split(',').collect();
    let column = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let rows: Vec<Vec<&str>> = whole.lines().skip(1).map(|row| row.split(',').collect()).collect();
    assert_eq!(rows.len(), 3 * 2 * 2);
    for row in &rows {
        let (link, mcs) = (row[column("link")], row[column("mcs")]);
        match link {
            "fixed" => assert_eq!(mcs, "qpsk-1/2"),
            "jpeg-ldpc" => assert!(mcs.contains('-') && mcs.contains('/'), "{row:?}"),
            _ => assert_eq!(mcs, ""),
        }
        assert_eq!(row[column("uses_per_image")], "256.000000", "{row:?}");
        assert_eq!(row[column("outage")], row[column("lost")]);
        assert!(row[column("unfit")].parse::<u64>().is_ok());
    }
    let sheet = std::fs::read(dir.path().join("o/sheet-rayleigh.png")).unwrap();
    let half: String = whole.split_inclusive('\n').take(4).collect();
    std::fs::write(&path, half).unwrap();
    std::fs::remove_file(dir.path().join("o/sheet-rayleigh.png")).unwrap();
    succeeded(sememe(dir.path(), &["run", "a.toml", "--out", "o", "--resume"]));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
    assert_eq!(std::fs::read(dir.path().join("o/sheet-rayleigh.png")).unwrap(), sheet);
    // A table of an earlier version has other columns.
    std::fs::write(&path, "varied,link,channel,snr_db\n").unwrap();
    let resumed = sememe(dir.path(), &["run", "a.toml", "--out", "o", "--resume"]);
    let error = String::from_utf8(resumed.stderr).unwrap();
    assert!(error.contains("line 1 does not hold the columns that this version writes"), "{error}");
}

#[test]
fn pictures_of_an_outside_codec_are_looked_up_in_its_tables() {
    let dir = folder_with(&digital().replace(
        "scheme = \"jpeg-capacity\"",
        "scheme = \"outside-table\"\ntable = \"sent.csv\"\nvalidation_table = \"other.csv\"",
    ));
    let table = |images: usize| -> String {
        let points = |image| format!("{image},10,20\n{image},30,25\n{image},60,31.5\n");
        "image,bytes,psnr_db\n".to_owned() + &(0..images).map(points).collect::<String>()
    };
    std::fs::write(dir.path().join("sent.csv"), table(20)).unwrap();
    std::fs::write(dir.path().join("other.csv"), table(3)).unwrap();
    succeeded(sememe(dir.path(), &["run", "a.toml", "--out", "o"]));
    let results = std::fs::read_to_string(dir.path().join("o/results.csv")).unwrap();
    let row = results.lines().find(|row| row.starts_with(",outside-table,awgn,9,")).unwrap();
    assert!(row.starts_with(",outside-table,awgn,9,20,0,31.500000,"), "{row}");
    assert!(dir.path().join("o/sheet-awgn.png").exists());
    let same = ["run", "a.toml", "--check", "--set", "link.2.validation_table=sent.csv"];
    let error = error_line(&sememe(dir.path(), &same));
    assert!(
        error.contains("link.2.validation_table = \"sent.csv\"") && error.contains("other images"),
        "{error}"
    );
    std::fs::write(dir.path().join("sent.csv"), table(19)).unwrap();
    let error = error_line(&sememe(dir.path(), &["run", "a.toml", "--check"]));
    assert!(
        error.contains("link.2.table = \"sent.csv\"") && error.contains("image 19 is not in it"),
        "{error}"
    );
    let error = error_line(&sememe(dir.path(), &["run", "a.toml", "--set", "link.2.table=nowhere.csv"]));
    assert!(error.contains("nowhere.csv"), "{error}");
}

#[test]
fn what_no_classical_link_can_do_is_refused_before_anything_runs() {
    let dir = folder_with(&digital());
    let pictures = dir.path().join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    for name in 0..10u8 {
        image::RgbImage::from_pixel(16, 16, image::Rgb([name; 3]))
            .save(pictures.join(format!("{name}.png")))
            .unwrap();
    }
    for (set, expected) in [
        (
            &["link=[{scheme='jpeg-ldpc', mcs='bpsk-1/5'}]", "downlink.uses=128"][..],
            "link.0.mcs = \"bpsk-1/5\" is not possible: allowed is one that holds 32 bits",
        ),
        (
            &["link=[{scheme='jpeg-ldpc'}]", "downlink.uses=4"],
            "downlink.uses = 4 is not possible: allowed is so many that a digital link carries 32 bits",
        ),
        (
            &[
                "link=[{scheme='jpeg-capacity'}]",
                "channel=[{fading={model='rayleigh'}, variation='per_symbol'}]",
            ],
            "channel.0.variation = \"per_symbol\" is not possible: allowed is block with this bound",
        ),
        (
            &["downlink.uses=1000000", "link=[{scheme='jpeg-ldpc', packing='mosaic'}]"],
            "downlink.uses = 1000000 is not possible: allowed is at most 629145 with blocks of 10 images",
        ),
        (
            &["source.split=train"],
            "source.split = \"train\" is not possible: allowed is test or validation: jpeg-ldpc chooses",
        ),
        (
            &["source={kind='folder', path='pictures', training='pictures/../pictures'}"],
            "source.training = \"pictures/../pictures\" is not possible: allowed is another folder",
        ),
        (
            &["source={kind='folder', path='pictures'}", "link=[{scheme='jpeg-ldpc', mcs='qpsk-1/2'}]"],
            "source.training is missing: allowed is a path of training images, or \"scenes\": jpeg-ldpc",
        ),
    ] {
        let mut arguments = vec!["run", "a.toml"];
        set.iter().for_each(|change| arguments.extend(["--set", change]));
        let error = error_line(&sememe(dir.path(), &arguments));
        assert!(error.contains(expected), "{set:?}\n  found    {error}  expected {expected}");
    }
}

#[test]
fn words_span_the_phases_of_a_frame_in_one_proportion_only() {
    let two_ratios = experiment(
        r#"
[[link]]
name = "a fifth"
scheme = "group-splitting"
weights = "spatial-compact"
rho = 0.2

[[link]]
name = "a tenth"
scheme = "group-splitting"
weights = "spatial-compact-tenth"
rho = 0.1

[[link]]
scheme = "jpeg-ldpc"
"#,
    );
    let text = two_ratios.replace("size = [16, 16]", "size = [32, 32]").replace("uses = 256", "uses = 1024");
    let dir = folder_with(&text.replace("users = 10\ngroups = 2", "users = 50\ngroups = 10"));
    let run = ["run", "a.toml", "--check", "--set", "source.images=50"];
    succeeded(sememe(dir.path(), &run));
    let apart = [&run[..], &["--set", "channel.1.phases=independent"]].concat();
    let error = error_line(&sememe(dir.path(), &apart));
    assert!(error.contains("channel.1.phases = \"independent\" is not possible"), "{error}");
    assert!(
        error.contains("a fifth makes the common one 0.188") && error.contains("a tenth 0.094"),
        "{error}"
    );
    let one = [&apart[..], &["--set", "link.1.weights=spatial-compact", "--set", "link.1.rho=0.2"]].concat();
    succeeded(sememe(dir.path(), &one));
    let stopped = [&run[..], &["--set", "source.fit=tiles", "--set", "stop={psnr_ci95_db=0.1}"]].concat();
    assert!(error_line(&sememe(dir.path(), &stopped)).contains("fit"));
}
