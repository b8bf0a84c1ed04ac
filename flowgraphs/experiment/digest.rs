//! Names networks by their content, so that a result says which weights it was made with.

use sememe_models::transceiver::Model;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::PathBuf;

/// SHA-256 over architecture and values, in hexadecimal: equal for equal networks, wherever they lie.
///
/// - errors: a tensor that cannot be read
pub fn of_model(model: &Model) -> Result<String, String> {
    let mut hash = Sha256::new();
    hash.update(model.architecture().to_json().map_err(|error| error.to_string())?);
    for (name, variable) in model.parameters().named() {
        let values = variable
            .flatten_all()
            .and_then(|flat| flat.to_vec1::<f32>())
            .map_err(|e| format!("{name}: {e}"))?;
        hash.update(format!("{name} {:?}", variable.dims()));
        for value in values {
            hash.update(value.to_le_bytes());
        }
    }
    Ok(hexadecimal(hash))
}

/// SHA-256 over the bytes of some files, one after the other, in hexadecimal.
///
/// - errors: the file that cannot be read
pub fn of_files(paths: &[PathBuf]) -> Result<String, String> {
    let mut hash = Sha256::new();
    for path in paths {
        hash.update(std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?);
    }
    Ok(hexadecimal(hash))
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
