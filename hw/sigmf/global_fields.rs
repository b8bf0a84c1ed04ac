//! The global object of metadata, key by key.

use super::metadata::{Global, LARGEST_RATE_HZ};
use super::scalar::{Fields, List, Scalar, under};
use super::{Datatype, RecordingPaths};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::fmt;

impl<'de> Deserialize<'de> for Global {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(GlobalVisitor)
    }
}

struct GlobalVisitor;

impl<'de> Visitor<'de> for GlobalVisitor {
    type Value = Global;

    fn expecting(&self, text: &mut fmt::Formatter) -> fmt::Result {
        text.write_str("an object that holds what is true of the whole recording")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Global, A::Error> {
        let mut found = Found::default();
        while let Some(key) = object.next_key::<String>()? {
            let named = |error| under(&key, error);
            match key.as_str() {
                "core:extensions" => {
                    object.next_value::<List<Extension>>().map_err(named)?;
                }
                key if key.starts_with("core:") => {
                    let value = object.next_value().map_err(named)?;
                    found.set(key, value).map_err(A::Error::custom)?;
                }
                _ => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        let missing = |key, hint| A::Error::custom(format!("{key} is missing: add {hint}"));
        Ok(Global {
            datatype: found
                .datatype
                .ok_or_else(|| missing("core:datatype", "how samples are stored, as \"cf32_le\""))?,
            sample_rate_hz: found
                .sample_rate_hz
                .ok_or_else(|| missing("core:sample_rate", "samples per second"))?,
            ..found.rest
        })
    }
}

#[derive(Default)]
struct Found {
    datatype: Option<Datatype>,
    sample_rate_hz: Option<f64>,
    rest: Global,
}

impl Found {
    fn set(&mut self, key: &str, value: Scalar) -> Result<(), String> {
        let rest = &mut self.rest;
        match key {
            "core:datatype" => {
                let name = value.text(key)?;
                let refused = || Scalar::Text(name.clone()).refused(key, Datatype::ALLOWED);
                self.datatype = Some(Datatype::from_name(&name).ok_or_else(refused)?);
            }
            "core:sample_rate" => {
                // Below a sample in a million seconds, times of samples leave the range of nanoseconds.
                self.sample_rate_hz = Some(value.real(key, [1e-6, LARGEST_RATE_HZ], "Hz")?);
            }
            "core:num_channels" => match value.whole(key)? {
                1 => {}
                _ => return Err(value.refused(key, "1: split the recording into one for each channel")),
            },
            "core:metadata_only" => match value.flag(key)? {
                false => {}
                true => return Err(value.refused(key, "false: a recording without samples cannot be read")),
            },
            "core:dataset" => {
                let name = value.text(key)?;
                if !RecordingPaths::is_plain_name(&name) {
                    return Err(Scalar::Text(name).refused(key, "the name of a file in the same folder"));
                }
                rest.dataset = Some(name);
            }
            "core:sha512" => {
                let digest = value.text(key)?;
                if digest.len() != 128 || !digest.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return Err(Scalar::Text(digest).refused(key, "128 hexadecimal digits"));
                }
                rest.sha512 = Some(digest.to_ascii_lowercase());
            }
            "core:version" => rest.version = value.text(key)?,
            "core:offset" => rest.offset = value.whole(key)?,
            "core:trailing_bytes" => rest.trailing_bytes = value.whole(key)?,
            "core:author" => rest.author = Some(value.text(key)?),
            "core:description" => rest.description = Some(value.text(key)?),
            "core:hw" => rest.hw = Some(value.text(key)?),
            "core:recorder" => rest.recorder = Some(value.text(key)?),
            _ => {}
        }
        Ok(())
    }
}

/// An extension that the recording uses.
#[derive(Default)]
struct Extension {
    name: Option<String>,
    is_required: bool,
}

impl Fields for Extension {
    const NAME: &str = "an extension with `name`, `version` and `optional`";

    fn is_known(key: &str) -> bool {
        matches!(key, "name" | "optional")
    }

    fn set(&mut self, key: &str, value: Scalar) -> Result<(), String> {
        match key {
            "name" => self.name = Some(value.text(key)?),
            _ => self.is_required = !value.flag(key)?,
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let name = self.name.as_deref().ok_or("name is missing")?;
        if self.is_required {
            let name = Scalar::Text(name.into());
            return Err(name
                .refused("name", "none that is not optional: this recording needs a reader that knows it"));
        }
        Ok(())
    }
}
