//! Words of commands that users paste into a shell.

/// As one word of a shell.
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-=,:".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_what_a_shell_would_take_apart() {
        assert_eq!(quoted("a/b.toml"), "a/b.toml");
        assert_eq!(quoted("link=[{a='x'}]"), "'link=[{a='\\''x'\\''}]'");
        assert_eq!(quoted(""), "''");
    }
}
