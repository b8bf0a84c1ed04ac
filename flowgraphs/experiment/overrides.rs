//! Applies `--set a.b.c=value` to a configuration before it is read.

use super::config_error::{ConfigError, Result};

/// One change of a configuration: a dotted path, list elements by index, and the new value.
///
/// The value is TOML (`0.1`, `true`, `[0, 6]`, `"text"`); what is not TOML is taken as text, so that
/// quotes may be left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// Path of the key, such as `downlink.rho` or `channel.0.name`.
    pub path: String,
    /// The new value.
    pub value: toml::Value,
}

impl std::str::FromStr for Override {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: &str| ConfigError::Override { text: text.into(), reason: reason.into() };
        let (path, value) = text
            .split_once('=')
            .ok_or_else(|| wrong("no '=' found: allowed is a.b.c=value, such as downlink.rho=0.1"))?;
        let (path, value) = (path.trim(), value.trim());
        if path.is_empty() || path.split('.').any(str::is_empty) {
            return Err(wrong("the key has an empty part: allowed is a.b.c=value, such as downlink.rho=0.1"));
        }
        let value = value.parse().unwrap_or_else(|_| toml::Value::String(value.to_owned()));
        Ok(Self { path: path.to_owned(), value })
    }
}

impl Override {
    /// Puts the value into the tree; tables on the way are made where missing, and a list may grow by one.
    ///
    /// - errors: a path through something that is neither table nor list, or past the end of a list
    pub fn apply(&self, tree: &mut toml::Table) -> Result<()> {
        let wrong = |reason: String| ConfigError::Override { text: self.to_string(), reason };
        let mut parts = self.path.split('.').peekable();
        // The path has at least one part: `from_str` refuses an empty one, and `split` gives one for "".
        let first = parts.next().unwrap_or_default();
        let mut walked = first.to_owned();
        let empty = || toml::Value::Table(toml::Table::new());
        let mut place = tree.entry(first).or_insert_with(empty);
        for part in parts {
            place = match place {
                toml::Value::Table(table) => table.entry(part).or_insert_with(empty),
                toml::Value::Array(list) => {
                    let len = list.len();
                    let index =
                        part.parse::<usize>().ok().filter(|index| *index <= len).ok_or_else(|| {
                            wrong(format!(
                                "{walked} is a list: allowed are the numbers 0 to {len} after it, not {part}"
                            ))
                        })?;
                    if index == len {
                        list.push(empty());
                    }
                    &mut list[index]
                }
                other => {
                    return Err(wrong(format!("{walked} is {other}, so nothing can stand under it")));
                }
            };
            walked = format!("{walked}.{part}");
        }
        *place = self.value.clone();
        Ok(())
    }
}

impl std::fmt::Display for Override {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.path, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, set: &str) -> Result<toml::Table> {
        let mut tree: toml::Table = text.parse().unwrap();
        set.parse::<Override>()?.apply(&mut tree)?;
        Ok(tree)
    }

    #[test]
    fn values_of_every_type_and_lists_by_index() {
        let text = "seed = 1\nsnr_db = [0, 3]\n[[channel]]\nname = 'a'\n[[channel]]\nname = 'b'";
        assert_eq!(changed(text, "seed=9").unwrap()["seed"].as_integer(), Some(9));
        assert_eq!(changed(text, "downlink.rho = 0.1").unwrap()["downlink"]["rho"].as_float(), Some(0.1));
        assert_eq!(changed(text, "channel.1.name=x y").unwrap()["channel"][1]["name"].as_str(), Some("x y"));
        assert_eq!(changed(text, "channel.2.name=\"c\"").unwrap()["channel"][2]["name"].as_str(), Some("c"));
        assert_eq!(changed(text, "snr_db=[6]").unwrap()["snr_db"].as_array().unwrap().len(), 1);
        assert_eq!(changed(text, "snr_db.0=true").unwrap()["snr_db"][0].as_bool(), Some(true));
        assert_eq!(changed(text, "source.path=/a=b").unwrap()["source"]["path"].as_str(), Some("/a=b"));
    }

    #[test]
    fn what_cannot_be_applied_is_said_in_one_line() {
        let message = |set| changed("seed = 1\nsnr_db = [0, 3]", set).unwrap_err().to_string();
        assert!(message("seed").starts_with("--set seed: no '=' found"));
        assert!(message("a..b=1").contains("empty part"));
        assert!(message("seed.x=1").contains("seed is 1, so nothing can stand under it"));
        assert!(
            message("snr_db.7=1").contains("the numbers 0 to 2 after it, not 7"),
            "{}",
            message("snr_db.7=1")
        );
        assert!(!message("snr_db.x=1").contains('\n'));
    }
}
