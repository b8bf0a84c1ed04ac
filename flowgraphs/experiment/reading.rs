//! Reads configuration files: text, overrides, then typed parts, with the key path in every error.

use super::config::{Experiment, FORMAT_VERSION, Vary, processor};
use super::config_error::{ConfigError, Result, from_serde, from_syntax, join, lookup, quote};
use super::nearest::nearest;
use super::{Override, checks};
use serde::de::DeserializeOwned;
use std::path::Path;

/// A configuration as a tree, and where its values came from.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The values.
    pub table: toml::Table,
    origin: String,
    overridden: Vec<String>,
}

impl Tree {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let origin = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &origin),
            Err(error) => Err(ConfigError::Unreadable { origin, reason: error.to_string() }),
        }
    }

    /// Parses a text; `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self> {
        let table = text.parse().map_err(|error| from_syntax(&error, origin, text))?;
        Ok(Self { table, origin: origin.to_owned(), overridden: vec![] })
    }

    /// Applies changes in order.
    pub fn set(mut self, changes: &[Override]) -> Result<Self> {
        for change in changes {
            change.apply(&mut self.table)?;
            self.overridden.push(change.path.clone());
        }
        Ok(self)
    }

    /// The name of the file, or the fact that the command line made this value.
    pub fn origin_of(&self, key: &str) -> String {
        let is_under = |path: &String| key == path || key.starts_with(&format!("{path}."));
        match self.overridden.iter().rev().find(|path| is_under(path)) {
            Some(path) => format!("{} with --set {path}", self.origin),
            None => self.origin.clone(),
        }
    }

    /// The name of the file.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Reads the whole tree as one type.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T> {
        self.part(toml::Value::Table(self.table.clone()), "")
    }

    fn part<T: DeserializeOwned>(&self, value: toml::Value, prefix: &str) -> Result<T> {
        value.try_into().map_err(|error| {
            let unlocated = from_serde(&error, &self.origin, prefix, &self.table);
            self.located(unlocated)
        })
    }

    /// Replaces the file's name where the offending value came from the command line.
    pub fn located(&self, error: ConfigError) -> ConfigError {
        match error {
            ConfigError::UnknownKey { key, nearest, known, .. } => {
                ConfigError::UnknownKey { origin: self.origin_of(&key), key, nearest, known }
            }
            ConfigError::Value { key, found, allowed, .. } => {
                ConfigError::Value { origin: self.origin_of(&key), key, found, allowed }
            }
            other => other,
        }
    }

    /// A value out of range or in contradiction, quoted from the tree.
    pub fn refuse(&self, key: &str, allowed: impl Into<String>) -> ConfigError {
        let found = lookup(&self.table, key).map_or_else(|| "nothing".to_owned(), quote);
        self.refuse_as(key, &found, allowed)
    }

    /// As [`Tree::refuse`], in other words than those of the tree.
    pub fn refuse_as(&self, key: &str, found: &str, allowed: impl Into<String>) -> ConfigError {
        let (origin, found) = (self.origin_of(key), found.to_owned());
        ConfigError::Value { origin, key: key.into(), found, allowed: allowed.into() }
    }

    /// A key that is needed and absent.
    pub fn missing(&self, key: &str, allowed: impl Into<String>) -> ConfigError {
        ConfigError::Missing { origin: self.origin.clone(), key: key.into(), allowed: allowed.into() }
    }

    /// Reads an experiment and checks everything that can be checked without opening files.
    pub fn experiment(&self) -> Result<Experiment> {
        const KEYS: [&str; 14] = [
            "version",
            "title",
            "seed",
            "device",
            "snr_db",
            "source",
            "downlink",
            "output",
            "stop",
            "vary",
            "channel",
            "link",
            "air",
            "provenance",
        ];
        if let Some(unknown) = self.table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(ConfigError::UnknownKey {
                origin: self.origin_of(unknown),
                key: unknown.clone(),
                nearest: nearest(unknown, KEYS).map(str::to_owned),
                known: KEYS.join(", "),
            });
        }
        match self.table.get("version").map(|version| version.as_integer()) {
            Some(Some(version)) if version == i64::from(FORMAT_VERSION) => {}
            Some(_) => {
                return Err(
                    self.refuse("version", format!("{FORMAT_VERSION}, the format this program reads"))
                );
            }
            None => {
                return Err(self.missing("version", format!("version = {FORMAT_VERSION}")));
            }
        }
        let experiment = Experiment {
            version: FORMAT_VERSION,
            title: self.optional("title")?.unwrap_or_default(),
            seed: self.optional("seed")?.unwrap_or_default(),
            device: self.optional("device")?.unwrap_or_else(processor),
            snr_db: self.needed("snr_db", "a list of SNRs in dB, such as [0, 6, 12, 18]")?,
            source: self.optional("source")?.unwrap_or_default(),
            downlink: self.optional("downlink")?.unwrap_or_default(),
            output: self.optional("output")?.unwrap_or_default(),
            stop: self.optional("stop")?,
            vary: self.varied()?,
            channel: self
                .list("channel", "at least one [[channel]] table, such as fading = { model = \"awgn\" }")?,
            link: self.list("link", "at least one [[link]] table, such as scheme = \"klt\"")?,
            air: self.optional("air")?,
            provenance: self.optional("provenance")?,
        };
        checks::check(&experiment, self)?;
        Ok(experiment)
    }

    /// One `[vary]` table, or a list of them, read one by one so that errors carry the index.
    fn varied(&self) -> Result<Vec<Vary>> {
        match self.table.get("vary") {
            None => Ok(vec![]),
            Some(toml::Value::Array(_)) => self.list("vary", "tables with a key and its values"),
            Some(table) => Ok(vec![self.part(table.clone(), "vary")?]),
        }
    }

    fn optional<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        self.table.get(key).map(|value| self.part(value.clone(), key)).transpose()
    }

    fn needed<T: DeserializeOwned>(&self, key: &str, allowed: &str) -> Result<T> {
        self.optional(key)?.ok_or_else(|| self.missing(key, allowed))
    }

    /// A list of tables, read one by one so that errors carry the index.
    fn list<T: DeserializeOwned>(&self, key: &str, allowed: &str) -> Result<Vec<T>> {
        let values: Vec<toml::Value> = self.needed(key, allowed)?;
        if values.is_empty() {
            return Err(self.refuse(key, allowed));
        }
        let part = |(index, value): (usize, toml::Value)| self.part(value, &join(key, &index.to_string()));
        values.into_iter().enumerate().map(part).collect()
    }
}
