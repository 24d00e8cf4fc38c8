//! Names of things: device numbers, thin ids, node ids.
//!
//! Knows the shape of each id and nothing of where it comes from.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A block device number, `major:minor`, as the kernel prints it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DevNo {
    /// The driver's number.
    pub major: u32,
    /// The device's number within the driver.
    pub minor: u32,
}

impl DevNo {
    /// From its two numbers.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// From the kernel's 64-bit `huge` encoding, which `stat` and device-mapper share.
    #[allow(clippy::cast_possible_truncation, reason = "masked to 32 bits first")]
    pub const fn from_huge(dev: u64) -> Self {
        let major = ((dev >> 8) & 0xfff) | ((dev >> 32) & 0xffff_f000);
        let minor = (dev & 0xff) | ((dev >> 12) & 0xffff_ff00);
        Self { major: major as u32, minor: minor as u32 }
    }

    /// To the kernel's 64-bit encoding.
    pub const fn to_huge(self) -> u64 {
        let (major, minor) = (self.major as u64, self.minor as u64);
        (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & !0xff) << 12) | ((major & !0xfff) << 32)
    }
}

impl fmt::Display for DevNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

/// Why a text is not a device number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a device number of the form MAJOR:MINOR")]
pub struct NotADevNo;

impl FromStr for DevNo {
    type Err = NotADevNo;

    fn from_str(text: &str) -> Result<Self, NotADevNo> {
        let (major, minor) = text.split_once(':').ok_or(NotADevNo)?;
        Ok(Self {
            major: major.parse().map_err(|_| NotADevNo)?,
            minor: minor.parse().map_err(|_| NotADevNo)?,
        })
    }
}

impl Serialize for DevNo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DevNo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(DevNoText)
    }
}

/// Reads a number without copying its text: a recording holds tens of thousands.
struct DevNoText;

impl de::Visitor<'_> for DevNoText {
    type Value = DevNo;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a device number MAJOR:MINOR")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DevNo, E> {
        text.parse().map_err(E::custom)
    }
}

/// The id of a thin device inside its pool: 24 bits, not a device number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64")]
pub struct ThinId(u32);

impl TryFrom<u64> for ThinId {
    type Error = &'static str;

    fn try_from(id: u64) -> Result<Self, &'static str> {
        Self::new(id).ok_or("a thin id has 24 bits")
    }
}

impl ThinId {
    /// The largest id the kernel accepts.
    pub const MAX: u32 = (1 << 24) - 1;

    /// `None` when the number does not fit the kernel's 24 bits.
    pub fn new(number: u64) -> Option<Self> {
        u32::try_from(number).ok().filter(|n| *n <= Self::MAX).map(Self)
    }

    /// The bare number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for ThinId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The stable id of a node of the tree, `kind:what`, unique, equal between looks and over a
/// reboot. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// From its kind and what distinguishes it within the kind.
    pub fn new(kind: &str, what: &str) -> Self {
        Self(Arc::from(format!("{kind}:{what}")))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_numbers_survive_the_kernel_encoding() {
        for (major, minor) in [(8, 0), (253, 300), (259, 1_048_575), (4095, 255)] {
            let dev = DevNo::new(major, minor);
            assert_eq!(DevNo::from_huge(dev.to_huge()), dev);
        }
        assert_eq!(DevNo::from_huge(0xfd03), DevNo::new(253, 3));
    }

    #[test]
    fn device_numbers_are_read_and_printed_as_the_kernel_does() {
        assert_eq!("253:3".parse(), Ok(DevNo::new(253, 3)));
        assert_eq!("253".parse::<DevNo>(), Err(NotADevNo));
        assert_eq!("-1:3".parse::<DevNo>(), Err(NotADevNo));
        assert_eq!(DevNo::new(253, 3).to_string(), "253:3");
    }

    #[test]
    fn a_thin_id_has_24_bits() {
        assert_eq!(ThinId::new(16_777_215).map(ThinId::get), Some(16_777_215));
        assert_eq!(ThinId::new(16_777_216), None);
    }
}
