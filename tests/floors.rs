//! The floors of the house: no arrow runs up, FutureSDR stays in one room, files stay short.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, in lines.
const MAX_LINES: usize = 400;

/// Names that say nothing about what a file holds.
const EMPTY_NAMES: [&str; 8] =
    ["utils", "util", "common", "helpers", "helper", "misc", "manager", "managers"];

/// A floor, and the crates that stand on it or above, or that belong elsewhere.
struct Floor {
    folder: &'static str,
    forbidden: &'static [&'static str],
}

const FLOORS: [Floor; 3] = [
    Floor { folder: "blocks", forbidden: &["futuresdr", "candle", "soapysdr", "sememe-models", "sememe-hw"] },
    Floor { folder: "models", forbidden: &["futuresdr", "soapysdr", "sememe-hw"] },
    Floor { folder: "hw", forbidden: &["futuresdr", "candle", "sememe-models"] },
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Names of all packages that a manifest depends on, under whatever name and for whatever target.
fn dependencies(manifest: &toml::Table) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (key, value) in manifest {
        let Some(table) = value.as_table() else { continue };
        match key.as_str() {
            "dependencies" | "dev-dependencies" | "build-dependencies" => {
                for (name, details) in table {
                    found.insert(name.clone());
                    found.extend(
                        details.get("package").and_then(|package| package.as_str()).map(String::from),
                    );
                }
            }
            "target" => found.extend(table.values().filter_map(|v| v.as_table()).flat_map(dependencies)),
            _ => {}
        }
    }
    found
}

/// The forbidden dependencies that a manifest has.
fn arrows_up(manifest: &str, floor: &Floor) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("a manifest that cargo accepts is TOML");
    let climbs = |name: &String| {
        // The root package stands on top of all floors.
        name == "sememe" || floor.forbidden.iter().any(|forbidden| name.starts_with(forbidden))
    };
    dependencies(&manifest).into_iter().filter(climbs).collect()
}

/// All files below a folder but those of builds and hidden folders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "target" || name == "out" {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "rs")).collect()
}

#[test]
fn no_manifest_points_up() {
    for floor in &FLOORS {
        let path = root().join(floor.folder).join("Cargo.toml");
        let arrows = arrows_up(&fs::read_to_string(&path).unwrap(), floor);
        assert!(arrows.is_empty(), "{}: {arrows:?} must not be known on this floor", path.display());
    }
}

#[test]
fn futuresdr_is_named_in_one_room() {
    for floor in &FLOORS {
        for path in rust_files(&root().join(floor.folder)) {
            let text = fs::read_to_string(&path).unwrap().to_lowercase();
            let named = text
                .lines()
                .position(|line| line.contains("futuresdr::") || line.contains("extern crate futuresdr"));
            assert!(named.is_none(), "{}:{}: names FutureSDR", path.display(), named.unwrap_or(0) + 1);
        }
    }
}

#[test]
fn the_roots_own_source_stands_in_flowgraphs() {
    assert!(!root().join("src").exists(), "the root package has no src/");
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    assert_eq!(manifest["lib"]["path"].as_str(), Some("flowgraphs/lib.rs"));
}

#[test]
fn files_are_short_and_named_for_what_they_hold() {
    let mut faults = Vec::new();
    for path in files(root()) {
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        if path.ancestors().filter_map(Path::file_stem).any(|name| name == "shared") {
            continue;
        }
        let stems = Path::new(&shown).components().filter_map(|part| Path::new(part.as_os_str()).file_stem());
        let is_rust = path.extension().is_some_and(|ext| ext == "rs");
        if is_rust && stems.into_iter().any(|stem| EMPTY_NAMES.contains(&stem.to_string_lossy().as_ref())) {
            faults.push(format!("{shown}: the name says nothing"));
        }
        if is_rust {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            if lines > MAX_LINES {
                faults.push(format!("{shown}: {lines} lines, allowed are {MAX_LINES}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_rules_catch_what_they_are_for() {
    let [blocks, models, hw] = &FLOORS;
    let climbs = |text: &str, floor| !arrows_up(text, floor).is_empty();
    assert!(climbs("[dependencies]\nfuturesdr = \"1\"", blocks));
    assert!(climbs("[dependencies]\nsdr = { package = \"futuresdr\", version = \"1\" }", models));
    assert!(climbs("[dependencies.candle-core]\nversion = \"1\"", blocks));
    assert!(climbs("[dev-dependencies]\nsememe = { path = \"..\" }", blocks));
    assert!(climbs("[target.'cfg(unix)'.dependencies]\nsememe-models.workspace = true", hw));
    assert!(climbs("[build-dependencies]\nsememe-hw.workspace = true", models));
    assert!(!climbs("[dependencies]\nsememe-blocks.workspace = true\ncandle-core = \"1\"", models));
    assert!(!climbs("[dependencies]\nsememe-blocks.workspace = true\nsoapysdr = \"1\"", hw));
}
