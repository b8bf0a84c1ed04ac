//! Folders that commands write into.

use sememe::experiment::RunError;
use std::path::Path;

/// Whether anything lies there.
pub fn holds_files(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

/// Makes a folder, or takes one that is empty.
///
/// - errors: a folder that holds files, unless `force`; one that cannot be made
pub fn fresh(folder: &Path, force: bool) -> Result<(), RunError> {
    if !force && holds_files(folder) {
        let folder = folder.display();
        return Err(RunError::Usage(format!(
            "--out {folder} holds files: allowed is an empty or new folder, or --force"
        )));
    }
    std::fs::create_dir_all(folder)
        .map_err(|error| RunError::Usage(format!("--out {}: {error}", folder.display())))
}
