//! Values of metadata as they are found, so that a message can show them, and the walk through objects and lists that
//! keeps nothing but what is known.

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Largest count that SigMF allows.
const LARGEST_WHOLE: u64 = i64::MAX as u64;
/// Characters of a value that a message shows.
const SHOWN_LEN: usize = 60;

/// One value; what lists and objects hold is left out.
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Whole(u64),
    Negative(i64),
    Real(f64),
    Text(String),
    List,
    Object,
}

impl Scalar {
    /// As JSON, cut short.
    fn shown(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(value) => value.to_string(),
            Self::Whole(value) => value.to_string(),
            Self::Negative(value) => value.to_string(),
            Self::Real(value) => format!("{value:?}"),
            Self::List => "a list".into(),
            Self::Object => "an object".into(),
            Self::Text(text) => {
                let short: String = text.chars().take(SHOWN_LEN).collect();
                let dots = if short.len() < text.len() { " ..." } else { "" };
                format!("{short:?}{dots}")
            }
        }
    }

    /// The clause that refuses it.
    pub(super) fn refused(&self, key: &str, allowed: &str) -> String {
        format!("{key} = {} is not possible: allowed is {allowed}", self.shown())
    }

    /// A count from 0 to 2^63 - 1; also where it is written as a real number such as `1e6`.
    pub(super) fn whole(&self, key: &str) -> Result<u64, String> {
        match *self {
            Self::Whole(value) if value <= LARGEST_WHOLE => Ok(value),
            // Up to 2^53 every whole number is a double.
            Self::Real(value)
                if value.fract() == 0.0 && (0.0..=9.007_199_254_740_992e15).contains(&value) =>
            {
                Ok(value as u64)
            }
            _ => Err(self.refused(key, "a whole number from 0 to 2^63 - 1")),
        }
    }

    /// A finite number between bounds, both included.
    pub(super) fn real(&self, key: &str, bounds: [f64; 2], unit: &str) -> Result<f64, String> {
        let value = match *self {
            Self::Whole(value) => value as f64,
            Self::Negative(value) => value as f64,
            Self::Real(value) => value,
            _ => f64::NAN,
        };
        let [low, high] = bounds;
        let is_inside = (low..=high).contains(&value);
        is_inside
            .then_some(value)
            .ok_or_else(|| self.refused(key, &format!("a number from {low:e} to {high:e} {unit}")))
    }

    /// A text.
    pub(super) fn text(self, key: &str) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(self.refused(key, "a text")),
        }
    }

    /// True or false.
    pub(super) fn flag(&self, key: &str) -> Result<bool, String> {
        match *self {
            Self::Bool(value) => Ok(value),
            _ => Err(self.refused(key, "true or false")),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, text: &mut fmt::Formatter) -> fmt::Result {
        text.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(u64::try_from(value).map_or(Scalar::Negative(value), Scalar::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Real(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Scalar, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Object)
    }
}

/// Says under which key an error was found.
pub(super) fn under<E: Error>(key: &str, error: E) -> E {
    let error = error.to_string();
    let between = if error.starts_with('[') { "" } else { ": " };
    E::custom(format!("{key}{between}{error}"))
}

/// An object that is read key by key.
pub(super) trait Fields: Default {
    /// What it is called in messages.
    const NAME: &str;

    /// Whether the key's value is wanted; others are skipped without being kept.
    fn is_known(key: &str) -> bool;

    /// Takes a value; the error is a clause that names the key.
    fn set(&mut self, key: &str, value: Scalar) -> Result<(), String>;

    /// What must hold once all keys are read.
    fn check(&self) -> Result<(), String>;
}

/// An object of known fields.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Fields> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Fields> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, text: &mut fmt::Formatter) -> fmt::Result {
        write!(text, "an object that is {}", T::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Object<T>, A::Error> {
        let mut fields = T::default();
        while let Some(key) = object.next_key::<String>()? {
            if T::is_known(&key) {
                let value = object.next_value().map_err(|error| under(&key, error))?;
                fields.set(&key, value).map_err(A::Error::custom)?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        fields.check().map_err(A::Error::custom)?;
        Ok(Object(fields))
    }
}

/// A list of such objects; messages say which.
pub(super) struct List<T>(pub(super) Vec<T>);

impl<'de, T: Fields> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Fields> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, text: &mut fmt::Formatter) -> fmt::Result {
        write!(text, "a list of objects, each {}", T::NAME)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
        let mut items = Vec::new();
        loop {
            let place = |error| A::Error::custom(format!("[{}]: {error}", items.len()));
            match list.next_element::<Object<T>>().map_err(place)? {
                Some(Object(item)) => items.push(item),
                None => return Ok(List(items)),
            }
        }
    }
}
