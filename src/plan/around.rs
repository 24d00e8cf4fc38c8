//! What a plan needs to know that no topology holds: what lies on a disk that shall join, how much
//! room is under a file. Asked for by name, answered by whoever can look.

use std::collections::BTreeMap;

use super::recall::Recall;
use crate::ids::DevNo;
use crate::text::Printable;
use crate::units::Bytes;

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// Which device a path names, and what lies on it.
    Device(String),
    /// How much room the filesystem below a path has.
    Space(String),
    /// Whether a file is there.
    File(String),
    /// The table in a device's inactive slot.
    InactiveTable(DevNo),
    /// Pools of this host as they were when they were last seen in the kernel.
    Recalled {
        /// Only the one of this name.
        pool: Option<String>,
        /// A recording of this host that knows it; without one what thinscope kept itself.
        recording: Option<String>,
    },
}

/// The answers; what is not in here was not seen.
#[derive(Clone, Debug)]
pub struct Around {
    /// By path, as it was asked.
    pub devices: BTreeMap<String, DeviceSeen>,
    /// Bytes that an ordinary user may still write, by path.
    pub spaces: BTreeMap<String, Bytes>,
    /// Whether a file is there, by path.
    pub files: BTreeMap<String, bool>,
    /// Lines of tables in inactive slots; empty where the slot is.
    pub inactive: BTreeMap<DevNo, Vec<Printable>>,
    /// Pools as they were; why none could be recalled where that was asked for.
    pub recalled: Result<Vec<Recall>, String>,
}

impl Default for Around {
    fn default() -> Self {
        Self {
            devices: BTreeMap::new(),
            spaces: BTreeMap::new(),
            files: BTreeMap::new(),
            inactive: BTreeMap::new(),
            recalled: Ok(Vec::new()),
        }
    }
}

/// A device that was named by a path.
#[derive(Clone, Debug, Default)]
pub struct DeviceSeen {
    /// Its number; `None` where the path names none.
    pub number: Option<DevNo>,
    /// The signatures on it, `ext4 (label data)`; or why they could not be read.
    pub signatures: Option<Result<Vec<String>, String>>,
}
