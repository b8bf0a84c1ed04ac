//! Every kind of bad value and the one line it gets.

use super::{Override, Tree};

const GOOD: &str = r#"
version = 1
seed = 3
snr_db = [0, 6]

[source]
images = 100

[downlink]
users = 50
groups = 10

[[channel]]
fading = { model = "awgn" }

[[channel]]
fading = { model = "rician", k_factor = 4.0 }

[[link]]
scheme = "klt"

[[link]]
scheme = "group-splitting"
weights = "spatial-compact"
"#;

fn refusal(text: &str, set: &[&str]) -> String {
    let changes: Vec<Override> = set.iter().map(|change| change.parse().unwrap()).collect();
    let tree = Tree::parse(text, "a.toml").and_then(|tree| tree.set(&changes));
    let error = tree.and_then(|tree| tree.experiment()).unwrap_err().to_string();
    assert!(!error.contains('\n'), "more than one line: {error}");
    error
}

#[test]
fn the_good_file_is_read_with_defaults_and_overrides() {
    let changes =
        ["downlink.rho=0.1", "channel.1.fading.k_factor=1", "snr_db=[3]"].map(|c| c.parse().unwrap());
    let tree = Tree::parse(GOOD, "a.toml").unwrap().set(&changes).unwrap();
    let experiment = tree.experiment().unwrap();
    assert_eq!((experiment.downlink.rho, experiment.downlink.uses), (0.1, 1024));
    assert_eq!(experiment.channel[1].name(), "rician-k1");
    assert_eq!(experiment.snr_db, [3.0]);
    assert_eq!(experiment.link[1].downlink(&experiment.downlink).rho, 0.1);
    assert_eq!(experiment.link[0].downlink(&experiment.downlink).rho, 0.0);
}

#[test]
fn a_resolved_configuration_is_read_as_what_it_was_written_from() {
    let experiment = Tree::parse(GOOD, "a.toml").unwrap().experiment().unwrap();
    let text = super::resolved_text(&experiment).unwrap();
    assert_eq!(Tree::parse(&text, "b.toml").unwrap().experiment().unwrap(), experiment);
    assert!(text.contains("rho = 0.2\n") && text.contains("equalizer = \"mmse\""), "{text}");
}

#[test]
fn every_bad_value_gets_one_line_that_says_what_is_possible() {
    let table: &[(&str, &str)] = &[
        // Unknown keys.
        (
            "downlink.usres=3",
            "a.toml with --set downlink.usres: downlink.usres is no known key (did you mean downlink.users?): allowed is users, groups, uses, rho, mapping, access, accounting, clustering, equalizer",
        ),
        (
            "sede=3",
            "a.toml with --set sede: sede is no known key (did you mean seed?): allowed is version, title, seed, device, snr_db, source, downlink, output, stop, vary, channel, link, air, provenance",
        ),
        (
            "channel.0.dopler=3",
            "a.toml with --set channel.0.dopler: channel.0.dopler is no known key (did you mean channel.0.doppler?): allowed is fading, variation, doppler, phases, csi_error_variance, snr_spread_db, profile",
        ),
        // Wrong types.
        (
            "seed=x",
            "a.toml with --set seed: seed = \"x\" is not possible: allowed is a whole number, 0 or more",
        ),
        (
            "downlink.rho=many",
            "a.toml with --set downlink.rho: downlink.rho = \"many\" is not possible: allowed is a number",
        ),
        (
            "downlink.users=-3",
            "a.toml with --set downlink.users: downlink.users = -3 is not possible: allowed is a whole number, 0 or more",
        ),
        (
            "downlink.users=2.5",
            "a.toml with --set downlink.users: downlink.users = 2.5 is not possible: allowed is a whole number, 0 or more",
        ),
        ("snr_db=6", "a.toml with --set snr_db: snr_db = 6 is not possible: allowed is a list"),
        (
            "output.plots=1",
            "a.toml with --set output.plots: output.plots = 1 is not possible: allowed is true or false",
        ),
        ("downlink=3", "a.toml with --set downlink: downlink = 3 is not possible: allowed is a table"),
        // Unknown words.
        (
            "source.kind=scenery",
            "a.toml with --set source.kind: source.kind = \"scenery\" is not possible: allowed is scenes, cifar10, folder (did you mean scenes?)",
        ),
        (
            "downlink.equalizer=best",
            "a.toml with --set downlink.equalizer: downlink.equalizer = \"best\" is not possible: allowed is none, zf, mmse",
        ),
        (
            "link.0.scheme=jpeg",
            "a.toml with --set link.0.scheme: link.0.scheme = \"jpeg\" is not possible: allowed is group-splitting, private-only, deep-jscc, vit-jscc, klt, jpeg-ldpc, webp-ldpc, outside-table, jpeg-capacity, webp-capacity",
        ),
        // Out of range.
        (
            "version=2",
            "a.toml with --set version: version = 2 is not possible: allowed is 1, the format this program reads",
        ),
        (
            "snr_db=[]",
            "a.toml with --set snr_db: snr_db = [] is not possible: allowed is at least one SNR in dB",
        ),
        (
            "snr_db=[0, nan]",
            "a.toml with --set snr_db: snr_db.1 = nan is not possible: allowed is -200 to 200",
        ),
        (
            "snr_db=[6, 0]",
            "a.toml with --set snr_db: snr_db = [6, 0] is not possible: allowed is ascending numbers, each once",
        ),
        (
            "channel.1.fading.k_factor=-1",
            "a.toml with --set channel.1.fading.k_factor: channel.1.fading.k_factor = -1 is not possible: allowed is a finite number, at least 0",
        ),
        (
            "output.sheet_images=0",
            "a.toml with --set output.sheet_images: output.sheet_images = 0 is not possible: allowed is 1 to 100",
        ),
        (
            "output.sheet_snr_db=[5]",
            "a.toml with --set output.sheet_snr_db: output.sheet_snr_db.0 = 5 is not possible: allowed is one of snr_db: 0, 6",
        ),
        (
            "link.0.name=a,b",
            "a.toml with --set link.0.name: link.0.name = \"a,b\" is not possible: allowed is 1 to 40 letters, digits, spaces and . _ - + ( ) = /",
        ),
        (
            "link.0.snr_mismatch_db=inf",
            "a.toml with --set link.0.snr_mismatch_db: link.0.snr_mismatch_db = inf is not possible: allowed is -60 to 60",
        ),
        // Contradictions.
        (
            "link.0.weights=spatial-compact",
            "a.toml with --set link.0.weights: link.0.weights = \"spatial-compact\" is not possible: allowed is nothing: klt is fitted to the training images",
        ),
        (
            "link.0.rho=0.1",
            "a.toml with --set link.0.rho: link.0.rho = 0.1 is not possible: allowed is 0: this scheme sends nothing in common",
        ),
        (
            "link.0.scheme=private-only",
            "a.toml: link.0.weights is missing: allowed is the path of a weights file, or shipped weights: spatial-compact, spatial-compact-tenth, spatial-compact-private, scenes-compact, scenes-compact-private",
        ),
        (
            "link.1.name=klt",
            "a.toml with --set link.1.name: link.1.name = \"klt\" is not possible: allowed is a name that no other link has",
        ),
        (
            "channel.1.fading.model=awgn",
            "a.toml: channel.1.fading.k_factor = 4 is not possible: allowed is no k_factor",
        ),
        (
            "channel.1={fading={model='awgn'}}",
            "a.toml with --set channel.1: channel.1 = awgn is not possible: allowed is a channel that differs from those before it",
        ),
        (
            "channel.0.variation=per_symbol",
            "a.toml with --set channel.0.variation: channel.0.variation = per_symbol is not possible: allowed is block where fading is awgn",
        ),
        // A varied key.
        (
            "vary={key='source.share', values=[]}",
            "a.toml with --set vary: vary.values = [] is not possible: allowed is at least one value",
        ),
        (
            "vary={key='link.0.scheme', values=['klt']}",
            "a.toml with --set vary: vary.key = \"link.0.scheme\" is not possible: allowed is a key under seed, source, downlink, channel.N or link.N",
        ),
        (
            "vary=[{key='seed', values=[1, 2]}, {key='seed', values=[3]}]",
            "a.toml with --set vary: vary.1.key = \"seed\" is not possible: allowed is a key that is not varied above",
        ),
        (
            "vary={key='downlink.rho', values=[0.1, 0.1]}",
            "a.toml with --set vary: vary.values.1 = 0.1 is not possible: allowed is numbers, words or true and false, each once",
        ),
        (
            "vary={key='downlink.rhoo', values=[0.1]}",
            "a.toml with --set downlink.rhoo: downlink.rhoo is no known key (did you mean downlink.rho?): ",
        ),
    ];
    for (set, expected) in table {
        let found = refusal(GOOD, &[set]);
        assert!(found.starts_with(expected), "--set {set}\n  found    {found}\n  expected {expected}");
    }
}

#[test]
fn every_bad_value_of_a_classical_link_gets_one_line() {
    let digital = GOOD.replace("scheme = \"klt\"", "scheme = \"jpeg-ldpc\"");
    let digital_only = "nothing: only digital schemes (jpeg-ldpc, webp-ldpc, outside-table) have it";
    let mcs = "\"best\", an index of table 5.1.3.1-2 of TS 38.214 (0 to 27), or a modulation and a code rate such as \"qpsk-1/2\"";
    for (set, expected) in [
        (&["link.0.mcs=28"][..], format!("link.0.mcs = 28 is not possible: allowed is {mcs}")),
        (&["link.0.mcs=-1"], format!("link.0.mcs = -1 is not possible: allowed is {mcs}")),
        (&["link.0.mcs=good"], format!("link.0.mcs = \"good\" is not possible: allowed is {mcs}")),
        (&["link.0.mcs=[1]"], format!("link.0.mcs = [1] is not possible: allowed is {mcs}")),
        (
            &["link.0.mcs=8psk-1/2"],
            "link.0.mcs = \"8psk-1/2\" is not possible: allowed is modulation: bpsk, qpsk, 16qam, 64qam, 256qam, 1024qam".into(),
        ),
        (
            &["link.0.mcs=qpsk-3/2"],
            "link.0.mcs = \"qpsk-3/2\" is not possible: allowed is code rate: a fraction above 0 and below 1, such as 1/2".into(),
        ),
        (
            &["link.0.packing=zip"],
            "link.0.packing = \"zip\" is not possible: allowed is file, shared, mosaic".into(),
        ),
        (
            &["link.0.demapping=fast"],
            "link.0.demapping = \"fast\" is not possible: allowed is exact, max_log".into(),
        ),
        (&["link.0.iterations=0"], "link.0.iterations = 0 is not possible: allowed is 1 to 1000".into()),
        (
            &["link.0.weights=x"],
            "link.0.weights = \"x\" is not possible: allowed is nothing: jpeg-ldpc has no networks".into(),
        ),
        (
            &["link.0.rho=0.1"],
            "link.0.rho = 0.1 is not possible: allowed is 0: this scheme sends nothing in common".into(),
        ),
        (
            &["link.0.equalizer=zf"],
            "link.0.equalizer = \"zf\" is not possible: allowed is nothing: jpeg-ldpc maps bits to symbols, its users hear only their own".into(),
        ),
        (
            &["link.0.limit=shannon"],
            "link.0.limit = \"shannon\" is not possible: allowed is nothing: only bounds (jpeg-capacity, webp-capacity) have it".into(),
        ),
        (
            &["link.0.table=x.csv"],
            "link.0.table = \"x.csv\" is not possible: allowed is nothing but with outside-table".into(),
        ),
        (
            &["link.0.csi_at_transmitter=true", "link.0.mcs=5"],
            "link.0.mcs = 5 is not possible: allowed is \"best\" with csi_at_transmitter".into(),
        ),
        (
            &["link.0.csi_at_transmitter=true", "link.0.packing=mosaic"],
            "link.0.csi_at_transmitter = true is not possible: allowed is false with packing = \"mosaic\": users share a block, not a fade".into(),
        ),
        (
            &["link.0.csi_at_transmitter=true", "channel.1.variation=per_symbol"],
            "link.0.csi_at_transmitter = true is not possible: allowed is false where a channel has variation = \"per_symbol\"".into(),
        ),
        (
            &["link.0.csi_at_transmitter=true", "channel.1.csi_error_variance=0.01"],
            "link.0.csi_at_transmitter = true is not possible: allowed is false where a channel has csi_error_variance above 0: the sender chooses for perfect knowledge".into(),
        ),
        (&["link.1.mcs=5"], format!("link.1.mcs = 5 is not possible: allowed is {digital_only}")),
        (&["link.1.iterations=5"], format!("link.1.iterations = 5 is not possible: allowed is {digital_only}")),
        (
            &["link.1.packing=file"],
            "link.1.packing = \"file\" is not possible: allowed is nothing: only JPEG and WebP are packed".into(),
        ),
        (
            &["link.0.scheme=outside-table"],
            "a.toml: link.0.table is missing: allowed is the path of a table with lines of image, bytes, psnr_db".into(),
        ),
        (
            &["link.0.scheme=outside-table", "link.0.table=x.csv"],
            "a.toml: link.0.validation_table is missing: allowed is a table of other images, on which the best mcs is chosen, or a named mcs".into(),
        ),
        (
            &["link.0.scheme=jpeg-capacity", "link.0.limit=best"],
            "link.0.limit = \"best\" is not possible: allowed is shannon, finite-length".into(),
        ),
    ] {
        let found = refusal(&digital, set);
        assert!(found.contains(&expected), "--set {set:?}\n  found    {found}\n  expected {expected}");
    }
    for good in ["link.0.mcs=0", "link.0.mcs=best", "link.0.mcs=1024qam-948/1024", "link.0.packing=mosaic"] {
        let tree = Tree::parse(&digital, "a.toml").unwrap().set(&[good.parse().unwrap()]).unwrap();
        tree.experiment().unwrap();
    }
}

#[test]
fn files_that_are_no_experiments_are_refused_with_the_place() {
    assert_eq!(refusal("seed = = 3", &[]), "a.toml: line 1, column 8: extra `=`, expected nothing");
    assert_eq!(refusal("version = 1\nseed", &[]).split(": ").nth(1), Some("line 2, column 5"));
    assert_eq!(refusal("seed = 1", &[]), "a.toml: version is missing: allowed is version = 1");
    let no_channel = GOOD.replace("[[channel]]", "[[chanel]]");
    assert!(refusal(&no_channel, &[]).starts_with("a.toml: chanel is no known key (did you mean channel?)"));
    assert!(
        refusal("version = 1\nsnr_db = [1]", &[])
            .starts_with("a.toml: channel is missing: allowed is at least one")
    );
    let error = Tree::read("/nowhere/a.toml".as_ref()).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/a.toml: No such file"), "{error}");
}

#[test]
fn the_experiments_in_the_examples_can_be_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/experiments");
    let files = |folder: std::path::PathBuf| {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_file()).collect::<Vec<_>>()
    };
    let mut names = Vec::new();
    for path in ["", "paper", "ablations"].into_iter().flat_map(|name| files(folder.join(name))) {
        let text = std::fs::read_to_string(&path).unwrap();
        let experiment = Tree::parse(&text, &path.display().to_string()).unwrap().experiment().unwrap();
        assert!(
            text.starts_with("# ") && text.contains("sememe run"),
            "{} does not say how to run it",
            path.display()
        );
        names.push(experiment.title);
    }
    names.sort();
    assert_eq!(
        names,
        [
            "CIFAR-10",
            "Kodak",
            "Kodak in tiles",
            "Kodak, classical",
            "SNR mismatch",
            "access",
            "accounting",
            "architecture",
            "channels",
            "classical",
            "clustering",
            "clustering of photographs",
            "equaliser",
            "figure 4",
            "figure 5",
            "figure 6",
            "imperfect CSI",
            "loss",
            "mapping",
            "one or two fades",
            "procedural scenes over the air",
            "profiles",
            "published",
            "quickstart",
            "ratio",
            "shared content",
            "stem",
            "two epochs",
            "unequal users",
        ]
    );
}
