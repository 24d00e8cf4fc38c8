//! What holds bytes that are read at an offset: a device or a file.

use serde::{Deserialize, Serialize};

use super::HostPath;
use crate::ids::DevNo;

/// A device or a file with pool metadata on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    /// A block device by its number.
    Device(DevNo),
    /// A file, or a device by a path of its own.
    File(HostPath),
}

impl Medium {
    /// In words.
    pub fn describe(&self) -> String {
        match self {
            Self::Device(dev) => format!("device {dev}"),
            Self::File(path) => path.as_path().display().to_string(),
        }
    }
}
