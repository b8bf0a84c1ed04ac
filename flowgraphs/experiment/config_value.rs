//! Turns what blocks refuse into errors that name the configuration key.

use super::config_error::{ConfigError, join};
use sememe_blocks::BlockError;

/// A block's refusal as an error of the configuration.
///
/// - prefix: the table that the block's parameters come from, such as `downlink`
pub fn from_block(error: BlockError, origin: &str, prefix: &str) -> ConfigError {
    let origin = origin.to_owned();
    match error {
        BlockError::InvalidParameter { name, found, allowed } => {
            ConfigError::Value { origin, key: key_of(prefix, name), found, allowed }
        }
        BlockError::File { path, reason } => {
            ConfigError::Unreadable { origin, reason: format!("{prefix}: {}: {reason}", path.display()) }
        }
        other => ConfigError::Unreadable { origin, reason: format!("{prefix}: {other}") },
    }
}

/// The key that a block's parameter is set with.
fn key_of(prefix: &str, name: &str) -> String {
    match name {
        "uses per image" => join(prefix, "uses"),
        "image size" => "source.size".into(),
        "share of correlated scenes" => "source.share".into(),
        "scene height" | "scene width" => "source.size".into(),
        "number of scenes" => "source.images".into(),
        "first image" => "source.first".into(),
        // Fewer images than users: either may be changed.
        "users" if prefix == "source" => "downlink.users".into(),
        name => join(prefix, &name.replace(' ', "_")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_becomes_a_key_and_a_file_stays_named() {
        let error = from_block(BlockError::invalid("users", 3, "at least 5"), "a.toml", "downlink");
        assert_eq!(error.to_string(), "a.toml: downlink.users = 3 is not possible: allowed is at least 5");
        let error = from_block(BlockError::invalid("uses per image", 1000, "1024"), "a.toml", "downlink");
        assert!(error.to_string().contains("downlink.uses = 1000"), "{error}");
        let error = from_block(BlockError::file("x.bin", "no such file"), "a.toml", "source");
        assert_eq!(error.to_string(), "a.toml: source: x.bin: no such file");
    }
}
