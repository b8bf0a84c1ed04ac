//! All entries, in the order of their names.

use super::{Entry, RegistryError};
use std::collections::BTreeMap;

/// Blocks by name.
#[derive(Debug, Default)]
pub struct Registry {
    entries: BTreeMap<String, Entry>,
}

impl Registry {
    /// A registry without blocks.
    pub fn empty() -> Self {
        Self::default()
    }

    /// All blocks of this project.
    pub fn builtin() -> Self {
        let mut registry = Self::empty();
        for entry in Self::rooms().into_iter().flatten() {
            registry.register(entry).expect("builtin names differ: a test counts them");
        }
        registry
    }

    /// The entries of every file that lists some.
    fn rooms() -> [Vec<Entry>; 5] {
        [
            super::builtin::entries(),
            super::digital::entries(),
            super::impairments::entries(),
            super::antenna::entries(),
            super::learned::entries(),
        ]
    }

    /// Adds a block.
    ///
    /// - errors: the name is taken
    pub fn register(&mut self, entry: Entry) -> Result<(), RegistryError> {
        if self.entries.contains_key(entry.name()) {
            return Err(RegistryError::KindTaken(entry.name().to_owned()));
        }
        self.entries.insert(entry.name().to_owned(), entry);
        Ok(())
    }

    /// The block of this name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// All blocks, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_snake_case_taken_once_and_say_what_travels() {
        let mut registry = Registry::builtin();
        assert_eq!(registry.iter().count(), Registry::rooms().iter().map(Vec::len).sum::<usize>());
        for entry in registry.iter() {
            assert!(entry.name().chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
            assert!(!entry.summary().is_empty());
        }
        let awgn = registry.get("awgn").unwrap();
        assert_eq!(awgn.to_string(), "awgn  ReceivedFrame -> ReceivedFrame");
        assert_eq!(registry.get("scenes").unwrap().to_string(), "scenes  nothing -> ImageBatch");
        let again = super::super::builtin::entries().into_iter().next().unwrap();
        assert!(matches!(registry.register(again), Err(RegistryError::KindTaken(_))));
    }
}
