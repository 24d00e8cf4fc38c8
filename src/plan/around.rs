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
    /// What LVM is set to activate and to look at.
    LvmSettings,
    /// Whether the file under a loop device is the one that its path leads to.
    Backing {
        /// The loop device's kernel name.
        name: String,
        /// The path that the kernel keeps of its file.
        path: String,
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
    /// LVM's settings by their keys (`activation/volume_list`), as [`LVM_KEYS`] names them; of a
    /// list its items. A key that is not here is not set; `None` where nothing was seen.
    pub lvm: Option<BTreeMap<String, Vec<String>>>,
    /// Whether the path of a loop device's file leads to that very file, by the device's kernel
    /// name; or why that could not be told.
    pub backings: BTreeMap<String, Result<bool, String>>,
}

impl Default for Around {
    fn default() -> Self {
        Self {
            devices: BTreeMap::new(),
            spaces: BTreeMap::new(),
            files: BTreeMap::new(),
            inactive: BTreeMap::new(),
            recalled: Ok(Vec::new()),
            lvm: None,
            backings: BTreeMap::new(),
        }
    }
}

/// A device that was named by a path.
#[derive(Clone, Debug, Default)]
pub struct DeviceSeen {
    /// Its number; `None` where the path names none.
    pub number: Option<DevNo>,
    /// The signatures on it, `ext4 (label data)`, `LVM2_member (uuid …)`; or why they could not be
    /// read.
    pub signatures: Option<Result<Vec<String>, String>>,
}

/// The settings of [`Want::LvmSettings`].
pub const LVM_KEYS: [&str; 5] =
    [VOLUME_LIST, AUTO_VOLUME_LIST, FILTER, GLOBAL_FILTER, USE_DEVICES_FILE];
/// Which volumes are activated at all.
pub(super) const VOLUME_LIST: &str = "activation/volume_list";
/// Which of them are activated by themselves.
pub(super) const AUTO_VOLUME_LIST: &str = "activation/auto_activation_volume_list";
/// Which devices LVM looks at.
pub(super) const FILTER: &str = "devices/filter";
/// The same, also for daemons.
pub(super) const GLOBAL_FILTER: &str = "devices/global_filter";
/// Whether the devices file decides, where there is one.
pub(super) const USE_DEVICES_FILE: &str = "devices/use_devicesfile";

impl Around {
    /// The items of one of LVM's settings; `None` where it is not set, or was not seen.
    pub(super) fn lvm_list(&self, key: &str) -> Option<&[String]> {
        self.lvm.as_ref()?.get(key).map(Vec::as_slice)
    }
}

/// The signature of a PV, as `wipefs` names it.
pub const PV_SIGNATURE: &str = "LVM2_member";

impl DeviceSeen {
    /// The uuid of the PV that lies on it, with hyphens.
    pub(super) fn pv_uuid(&self) -> Option<&str> {
        let found = self.signatures.as_ref()?.as_ref().ok()?;
        let words = found.iter().find_map(|one| one.strip_prefix(PV_SIGNATURE))?;
        words.strip_prefix(" (uuid ")?.strip_suffix(')')
    }
}
