//! What comes from a host as it is: bytes, and paths of bytes. Knows how a recording writes them,
//! and nothing of what they say.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes from a host as they came. In a recording they are text where they are UTF-8, else
/// `{"base64":…}`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Raw(pub Vec<u8>);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Ok(text) = std::str::from_utf8(&self.0) {
            return serializer.serialize_str(text);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("base64", &STANDARD.encode(&self.0))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawForm)
    }
}

/// Both forms of [`Raw`], without the buffering of an untagged enum: a recording holds tens of
/// thousands of them.
struct RawForm;

impl<'de> Visitor<'de> for RawForm {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or {\"base64\": …}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw(text.as_bytes().to_vec()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Raw, E> {
        Ok(Raw(text.into_bytes()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut bytes = None;
        while let Some((key, text)) = map.next_entry::<String, String>()? {
            if key == "base64" {
                bytes = Some(STANDARD.decode(text).map_err(de::Error::custom)?);
            }
        }
        bytes.map(Raw).ok_or_else(|| de::Error::missing_field("base64"))
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}

impl From<&str> for Raw {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

/// An absolute path on the host that is looked at, in bytes, before any `--root` is put in
/// front.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostPath(pub Raw);

impl HostPath {
    /// From anything that is a path.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self(Raw(path.as_ref().as_os_str().as_bytes().to_vec()))
    }

    /// As a path of the standard library.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0.0))
    }

    /// This path with `name` below it.
    #[must_use]
    pub fn join(&self, name: impl AsRef<Path>) -> Self {
        Self::new(self.as_path().join(name))
    }
}

impl fmt::Debug for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
