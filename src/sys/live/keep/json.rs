//! A JSON text cut down to chosen keys while it is parsed: what is not kept is never built.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::sys::Raw;

/// What is kept at one place of a JSON text.
#[derive(Clone, Copy)]
pub(super) enum Kept {
    /// Whatever stands there.
    Any,
    /// A scalar or a list of scalars; an object there is not what it should be and stays out.
    Plain,
    /// Of an object these keys; what is no object stays out.
    Keys(&'static [(&'static str, Kept)]),
}

/// The text with only the kept keys, or what is wrong with it in the parser's words, which name
/// line and column.
pub(super) fn kept(text: &[u8], kept: &Kept) -> Result<Raw, String> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    let value = kept.deserialize(&mut parser).map_err(|error| not_json(text, &error))?;
    parser.end().map_err(|error| not_json(text, &error))?;
    as_text(&value)
}

/// An object as JSON text.
pub(super) fn as_text(value: &Value) -> Result<Raw, String> {
    if !value.is_object() {
        return Err("it holds no JSON object".to_owned());
    }
    // a map of text keys always serialises
    serde_json::to_vec(value).map(Raw).map_err(|error| error.to_string())
}

fn not_json(text: &[u8], error: &serde_json::Error) -> String {
    if text.is_empty() { "it is empty".to_owned() } else { format!("not valid JSON: {error}") }
}

impl<'de> DeserializeSeed<'de> for &Kept {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self {
            Kept::Any => Value::deserialize(deserializer),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for &Kept {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let keys = if let Kept::Keys(keys) = self { keys } else { &[][..] };
        let mut out = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            match keys.iter().find(|(name, _)| *name == key) {
                Some((_, inner)) => {
                    out.insert(key, map.next_value_seed(inner)?);
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(if matches!(self, Kept::Keys(_)) { Value::Object(out) } else { Value::Null })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            out.push(value);
        }
        Ok(if matches!(self, Kept::Plain) { Value::Array(out) } else { Value::Null })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(self.scalar(text.into()))
    }

    fn visit_bool<E: de::Error>(self, is: bool) -> Result<Value, E> {
        Ok(self.scalar(is.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(self.scalar(number.into()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(self.scalar(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Ok(self.scalar(number.into()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

impl Kept {
    /// A scalar where keys were expected could be anything: it stays out.
    fn scalar(&self, value: Value) -> Value {
        if matches!(self, Self::Plain) { value } else { Value::Null }
    }
}
