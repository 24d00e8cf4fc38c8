//! What is run on a host: the closed list of programs, and one call of one of them.
//!
//! Knows how a call is written and nothing of how it is run.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Every program thinscope may ever start. There is no way to name another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// `lvm`, which carries `lvs`, `vgs`, `pvs` and the rest as sub-commands.
    Lvm,
    /// `journalctl`, which follows what LVM's monitor writes.
    Journalctl,
    /// `truncate`: the length of a file.
    Truncate,
    /// `losetup`: loop devices, and that one takes its file's new length.
    Losetup,
    /// `dmsetup`: devices and tables, also by hand.
    Dmsetup,
    /// `wipefs`: signatures taken from a device.
    Wipefs,
    /// `blkid`: what a device holds.
    Blkid,
    /// `fsadm`: filesystems, grown to their volume.
    Fsadm,
    /// `systemctl`: which units are started at boot.
    Systemctl,
    /// `systemd-analyze`, whose `verify` reads a unit as systemd would.
    SystemdAnalyze,
}

impl Tool {
    /// The name that is looked for in the fixed search path.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Lvm => "lvm",
            Self::Journalctl => "journalctl",
            Self::Truncate => "truncate",
            Self::Losetup => "losetup",
            Self::Dmsetup => "dmsetup",
            Self::Wipefs => "wipefs",
            Self::Blkid => "blkid",
            Self::Fsadm => "fsadm",
            Self::Systemctl => "systemctl",
            Self::SystemdAnalyze => "systemd-analyze",
        }
    }
}

/// One call of a [`Tool`], complete: a plan prints it, the door runs it, a recording keys on it.
///
/// What `scope` and `limit` say bounds what a look may touch and how long it may take, not what
/// is asked: two calls that differ only there are the same question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommandSpec {
    /// The program.
    pub tool: Tool,
    /// Its arguments, without the program's name.
    pub args: Vec<String>,
    /// Further arguments that bound what a look may touch (LVM's filter).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// After how long a reader is killed. Writers are never killed.
    pub limit: Duration,
}

impl CommandSpec {
    /// A call that only looks, killed after `limit`.
    pub fn look(
        tool: Tool,
        args: impl IntoIterator<Item = impl Into<String>>,
        limit: Duration,
    ) -> Self {
        Self { tool, args: args.into_iter().map(Into::into).collect(), scope: Vec::new(), limit }
    }
}

impl PartialEq for CommandSpec {
    fn eq(&self, other: &Self) -> bool {
        self.tool == other.tool && self.args == other.args
    }
}

impl Eq for CommandSpec {}

impl Hash for CommandSpec {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tool.hash(state);
        self.args.hash(state);
    }
}
