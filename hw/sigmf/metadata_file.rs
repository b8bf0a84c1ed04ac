//! Metadata as a file of JSON: read within bounds, written so that a crash leaves the old or the new one whole.

use super::item_fields::{AnnotationFields, CaptureFields};
use super::metadata::{Global, Metadata};
use super::paths::with_suffix;
use super::scalar::{List, under};
use crate::{HwError, Result};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// Metadata files longer than this, in bytes, are neither read nor written.
pub const METADATA_LIMIT_BYTES: u64 = 64 << 20;

impl Metadata {
    /// Reads metadata from its text.
    ///
    /// - errors: one line that names the key, the value found and what is allowed
    pub fn from_json(text: &[u8]) -> Result<Self, String> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut metadata: Self =
            serde_json::from_slice(text).map_err(|error| one_line(&error.to_string()))?;
        let captures = &metadata.captures;
        if let Some(place) = captures.windows(2).position(|pair| pair[0].sample_start > pair[1].sample_start)
        {
            return Err(format!(
                "captures[{}]: core:sample_start = {} is not possible: allowed is from {} on, where the capture before starts",
                place + 1,
                captures[place + 1].sample_start,
                captures[place].sample_start,
            ));
        }
        metadata.annotations.sort_by_key(|annotation| annotation.sample_start);
        Ok(metadata)
    }

    /// Reads a metadata file.
    ///
    /// - errors: [`HwError::File`] where it cannot be read, is longer than [`METADATA_LIMIT_BYTES`], or says what
    ///   cannot be
    pub fn read(path: &Path) -> Result<Self> {
        let refused = |reason: String| HwError::file(path, reason);
        let found = std::fs::metadata(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
        if !found.is_file() {
            return Err(refused("is no file: name a recording's `.sigmf-meta` file".into()));
        }
        let file = File::open(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
        let mut text = Vec::new();
        file.take(METADATA_LIMIT_BYTES + 1)
            .read_to_end(&mut text)
            .map_err(|error| refused(format!("cannot be read: {error}")))?;
        if text.len() as u64 > METADATA_LIMIT_BYTES {
            let len = found.len().max(text.len() as u64);
            return Err(refused(format!(
                "holds {len} bytes: metadata may have {METADATA_LIMIT_BYTES} at most"
            )));
        }
        Self::from_json(&text).map_err(refused)
    }

    /// As text, one capture or annotation a line.
    pub fn to_json(&self) -> String {
        let mut text = format!("{{\n\"global\": {},\n\"captures\": [", line(&self.global));
        append_lines(&mut text, &self.captures);
        text.push_str("],\n\"annotations\": [");
        append_lines(&mut text, &self.annotations);
        text.push_str("]\n}\n");
        text
    }

    /// Writes a metadata file in one stroke: a reader finds the old one or the new one, never half of one.
    ///
    /// - is_synced: waits until the disk has it
    /// - errors: [`HwError::File`]
    pub(super) fn write(&self, path: &Path, is_synced: bool) -> Result<()> {
        let part = with_suffix(path, ".part");
        let write = || {
            let mut file = File::create(&part)?;
            file.write_all(self.to_json().as_bytes())?;
            if is_synced {
                file.sync_all()?;
            }
            std::fs::rename(&part, path)
        };
        write().map_err(|error| HwError::file(path, format!("cannot be written: {error}")))
    }
}

/// One item as a line of JSON.
pub(super) fn line(item: &impl serde::Serialize) -> String {
    // Items are flat, with texts as keys and finite numbers: nothing in them that JSON could refuse.
    serde_json::to_string(item).unwrap_or_default()
}

fn append_lines(text: &mut String, items: &[impl serde::Serialize]) {
    for (place, item) in items.iter().enumerate() {
        text.push_str(if place == 0 { "\n" } else { ",\n" });
        text.push_str(&line(item));
    }
    text.push('\n');
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetadataVisitor)
    }
}

struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = Metadata;

    fn expecting(&self, text: &mut fmt::Formatter) -> fmt::Result {
        text.write_str("an object with `global`, `captures` and `annotations`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Metadata, A::Error> {
        let (mut global, mut captures, mut annotations) = (None, None, Vec::new());
        while let Some(key) = object.next_key::<String>()? {
            let named = |error| under(&key, error);
            match key.as_str() {
                "global" => global = Some(object.next_value::<Global>().map_err(named)?),
                "captures" => captures = Some(object.next_value::<List<CaptureFields>>().map_err(named)?),
                "annotations" => {
                    annotations = object.next_value::<List<AnnotationFields>>().map_err(named)?.0
                }
                _ => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        let missing =
            |key| A::Error::custom(format!("{key} is missing: this is no metadata of a SigMF recording"));
        Ok(Metadata {
            global: global.ok_or_else(|| missing("global"))?,
            captures: captures
                .ok_or_else(|| missing("captures"))?
                .0
                .into_iter()
                .map(|it| it.capture)
                .collect(),
            annotations: annotations.into_iter().map(|it| it.annotation).collect(),
        })
    }
}
