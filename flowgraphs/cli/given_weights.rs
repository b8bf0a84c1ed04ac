//! What commands that are given weights make of their arguments: the downlink behind them, and the images.

use sememe_models::transceiver::Model;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The `[source]` table of "scenes", CIFAR-10 (folder, archive or file of records) or a folder of pictures.
///
/// - images: at most so many; 200 scenes, else all
pub fn source(data: &str, images: Option<usize>) -> Table {
    let path = Path::new(data);
    let kind = match data {
        "scenes" => "scenes",
        _ if holds_cifar(path) => "cifar10",
        _ => "folder",
    };
    let mut table = Table::from_iter([("kind".to_owned(), Value::from(kind))]);
    if kind != "scenes" {
        table.insert("path".into(), data.into());
    }
    // Pictures have no training part of their own for the baseline.
    if kind == "folder" || (kind == "cifar10" && path.is_file() && !is_archive(path)) {
        table.insert("training".into(), "scenes".into());
    }
    if let Some(images) = images {
        table.insert("images".into(), Value::Integer(i64::try_from(images).unwrap_or(i64::MAX)));
    }
    table
}

fn is_archive(path: &Path) -> bool {
    path.to_string_lossy().to_lowercase().ends_with(".tar.gz")
}

/// Whether a path looks like CIFAR-10: a file of records, the archive, or a folder with either.
fn holds_cifar(path: &Path) -> bool {
    let is_records = |path: &Path| path.extension().is_some_and(|end| end == "bin") || is_archive(path);
    if path.is_file() {
        return is_records(path);
    }
    let files = std::fs::read_dir(path).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
    let files: Vec<PathBuf> = files.unwrap_or_default();
    files.iter().any(|path| is_records(path) || path.ends_with("cifar-10-batches-bin"))
}

/// The `[downlink]` table that the weights were trained for, as their recipe says; the defaults where it says nothing.
pub fn trained_downlink(model: &Model) -> Table {
    const SHARED: [&str; 8] =
        ["users", "groups", "uses", "rho", "mapping", "accounting", "clustering", "equalizer"];
    let recipe = model.origin.get("recipe").and_then(|text| text.parse::<Table>().ok());
    let Some(Value::Table(trained)) = recipe.and_then(|mut recipe| recipe.remove("downlink")) else {
        return Table::new();
    };
    trained.into_iter().filter(|(key, _)| SHARED.contains(&key.as_str())).collect()
}
