//! Why a configuration cannot be used: always one line with file, key, what was found, what is allowed.

use super::nearest::nearest;

/// Shorthand for results of reading configurations.
pub type Result<T, E = ConfigError> = std::result::Result<T, E>;

/// What is wrong with a configuration. `origin` is the file, or `--set` where the command line made the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{origin}: {reason}")]
    Unreadable {
        /// The file.
        origin: String,
        /// What went wrong.
        reason: String,
    },
    /// The text is not TOML.
    #[error("{origin}: line {line}, column {column}: {reason}")]
    Syntax {
        /// The file.
        origin: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser says.
        reason: String,
    },
    /// A key that no configuration has.
    #[error("{origin}: {key} is no known key{}: allowed is {known}", suggestion(.nearest))]
    UnknownKey {
        /// The file.
        origin: String,
        /// Dotted path of the key.
        key: String,
        /// The known key that resembles it most, if any does.
        nearest: Option<String>,
        /// All keys known at that place.
        known: String,
    },
    /// A key is missing that has no default.
    #[error("{origin}: {key} is missing: allowed is {allowed}")]
    Missing {
        /// The file.
        origin: String,
        /// Dotted path of the key.
        key: String,
        /// What to write.
        allowed: String,
    },
    /// A value of the wrong type, out of range, or in contradiction with another.
    #[error("{origin}: {key} = {found} is not possible: allowed is {allowed}")]
    Value {
        /// The file.
        origin: String,
        /// Dotted path of the key.
        key: String,
        /// The value as written.
        found: String,
        /// What is possible.
        allowed: String,
    },
    /// A `--set` that cannot be applied.
    #[error("--set {text}: {reason}")]
    Override {
        /// The argument.
        text: String,
        /// What is wrong and what is possible.
        reason: String,
    },
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|key| format!(" (did you mean {key}?)")).unwrap_or_default()
}

/// Turns what serde says about a part of the tree into an error with the full key path.
///
/// - prefix: path of the part that was read; empty for the whole tree
/// - tree: the whole tree, from which the offending value is quoted
pub(super) fn from_serde(
    error: &toml::de::Error,
    origin: &str,
    prefix: &str,
    tree: &toml::Table,
) -> ConfigError {
    let origin = origin.to_owned();
    let path = join(prefix, &inner_path(error));
    let message = one_line(error.message());
    if let Some((name, known)) = quoted_after(&message, "unknown field ") {
        let names = quoted(known);
        return ConfigError::UnknownKey {
            origin,
            key: join(&path, name),
            nearest: nearest(name, names.iter().map(String::as_str)).map(|near| join(&path, near)),
            known: names.join(", "),
        };
    }
    if let Some((name, _)) = quoted_after(&message, "missing field ") {
        return ConfigError::Missing {
            origin,
            key: join(&path, name),
            allowed: "a value: it has no default".into(),
        };
    }
    if let Some((name, known)) = quoted_after(&message, "unknown variant ") {
        let names = quoted(known);
        let near = nearest(name, names.iter().map(String::as_str));
        let allowed = match near {
            Some(near) => format!("{} (did you mean {near}?)", names.join(", ")),
            None => names.join(", "),
        };
        return ConfigError::Value { origin, key: path, found: format!("\"{name}\""), allowed };
    }
    // A block's own checks, reached through serde: "a.b = 3 is not possible: allowed is ...".
    if let Some((head, allowed)) = message.split_once(" is not possible: allowed is ")
        && let Some((name, found)) = head.split_once(" = ")
    {
        let key = if path.ends_with(name) { path } else { join(&path, name) };
        return ConfigError::Value { origin, key, found: found.into(), allowed: allowed.into() };
    }
    let (found, allowed) = match message.split_once(", expected ") {
        Some((_, expected)) => (None, plain_type(expected)),
        None => (None::<String>, message.clone()),
    };
    let found = found.or_else(|| lookup(tree, &path).map(quote)).unwrap_or_else(|| message.clone());
    ConfigError::Value { origin, key: if path.is_empty() { "the file".into() } else { path }, found, allowed }
}

/// The TOML parser's complaint with line and column.
pub(super) fn from_syntax(error: &toml::de::Error, origin: &str, text: &str) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = text.get(..start).unwrap_or("");
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    ConfigError::Syntax {
        origin: origin.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        reason: one_line(error.message()),
    }
}

/// The value at a dotted path, list elements by their index.
pub(super) fn lookup<'a>(tree: &'a toml::Table, path: &str) -> Option<&'a toml::Value> {
    let mut parts = path.split('.');
    let mut value = tree.get(parts.next()?)?;
    for part in parts {
        value = match value {
            toml::Value::Table(table) => table.get(part)?,
            toml::Value::Array(list) => list.get(part.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// A value as it would stand in a file, shortened.
pub(super) fn quote(value: &toml::Value) -> String {
    const LONGEST: usize = 60;
    let text = match value {
        toml::Value::Table(_) => "a table".to_owned(),
        other => one_line(&other.to_string()),
    };
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}...", &text[..cut]),
        None => text,
    }
}

/// Joins two parts of a dotted path, either of which may be empty.
pub(super) fn join(prefix: &str, key: &str) -> String {
    match (prefix, key) {
        ("", _) => key.to_owned(),
        (_, "") => prefix.to_owned(),
        _ => format!("{prefix}.{key}"),
    }
}

/// The keys that the parser notes in its last line, "in `a.b`".
fn inner_path(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let last = text.trim_end().rsplit('\n').next().unwrap_or("");
    last.strip_prefix("in `").and_then(|rest| rest.strip_suffix('`')).unwrap_or("").to_owned()
}

/// Splits "unknown field `x`, rest" into x and the rest.
fn quoted_after<'a>(message: &'a str, lead: &str) -> Option<(&'a str, &'a str)> {
    message.strip_prefix(lead)?.strip_prefix('`')?.split_once('`')
}

/// All names between back quotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A Rust type in the words of the configuration file.
fn plain_type(expected: &str) -> String {
    match expected.trim() {
        "f32" | "f64" => "a number".into(),
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number, 0 or more".into(),
        "a sequence" => "a list".into(),
        "a boolean" => "true or false".into(),
        other if other.starts_with("struct ") || other == "a map" => "a table".into(),
        other => other.to_owned(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
