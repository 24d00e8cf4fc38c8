//! Docker's small JSON files, read leniently: a key of the wrong type is a missing key and
//! never loses the rest of the file.
//!
//! Knows JSON and nothing of Docker.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

/// A value of the type that is wanted, or anything else.
#[derive(Deserialize)]
#[serde(untagged)]
enum Maybe<T> {
    Is(T),
    Not(IgnoredAny),
}

/// For `#[serde(deserialize_with)]`: the value, or `None` when it is of another type.
pub(super) fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Maybe::deserialize(deserializer).map(|maybe| match maybe {
        Maybe::Is(value) => Some(value),
        Maybe::Not(_) => None,
    })
}

/// A value inside a list or map, which may be of another type.
#[derive(Debug)]
pub(super) struct Lenient<T>(pub(super) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        lenient(deserializer).map(Self)
    }
}

/// Parses one file; the error says what is wrong in words for a note or gap.
pub(super) fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, String> {
    if bytes.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Err("the file is empty (a write lost in a crash?)".to_owned());
    }
    serde_json::from_slice(bytes).map_err(|error| format!("no valid JSON: {error}"))
}
