//! One node of the storage tree.

use serde::Serialize;

use super::topology::{NodeIx, PoolIx, ThinIx};
use crate::ids::{DevNo, NodeId};
use crate::text::Printable;
use crate::units::{Bytes, Sectors};

/// What a node is, as specific as was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the kernel's and LVM's own words")]
pub enum Kind {
    Disk,
    Part,
    Loop,
    File,
    Pv,
    Vg,
    Lv,
    Tdata,
    Tmeta,
    Pmspare,
    Pool,
    Thin,
    Linear,
    Crypt,
    Raid,
    Cache,
    Vdo,
    Mpath,
    Snapshot,
    Error,
    Zero,
    Other,
}

impl Kind {
    /// The word in JSON, in node ids and on screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Part => "part",
            Self::Loop => "loop",
            Self::File => "file",
            Self::Pv => "pv",
            Self::Vg => "vg",
            Self::Lv => "lv",
            Self::Tdata => "tdata",
            Self::Tmeta => "tmeta",
            Self::Pmspare => "pmspare",
            Self::Pool => "pool",
            Self::Thin => "thin",
            Self::Linear => "linear",
            Self::Crypt => "crypt",
            Self::Raid => "raid",
            Self::Cache => "cache",
            Self::Vdo => "vdo",
            Self::Mpath => "mpath",
            Self::Snapshot => "snapshot",
            Self::Error => "error",
            Self::Zero => "zero",
            Self::Other => "other",
        }
    }
}

/// One node. What is not known is `None`, never zero.
#[derive(Clone, Debug)]
pub struct Node {
    /// Stable, unique.
    pub id: NodeId,
    /// What it is.
    pub kind: Kind,
    /// Its full name: the kernel's for disks, partitions and loops (`vda1`), the device-mapper
    /// name for what has or would have one (`docker-thinpool_tdata`), the VG's name, the path of
    /// a file; for a PV the name of the device that holds it.
    pub name: Printable,
    /// The name under its parents, where shorter: the LV's name without the VG's.
    pub short: Option<Printable>,
    /// Its number while it is active.
    pub device: Option<DevNo>,
    /// Its size: the kernel's while active, else what its owner records.
    pub size: Option<Bytes>,
    /// What it rests on.
    pub parents: Vec<NodeIx>,
    /// Where it is mounted.
    pub mountpoints: Vec<Printable>,
    /// What is special to its kind.
    pub facts: NodeFacts,
}

/// What is known beside the common fields. Boxed: most nodes have little of it.
#[derive(Clone, Debug, Default)]
pub struct NodeFacts {
    /// As a device-mapper device.
    pub dm: Option<Box<DmFacts>>,
    /// As an LVM logical volume.
    pub lv: Option<Box<LvFacts>>,
    /// As a physical volume.
    pub pv: Option<Box<PvFacts>>,
    /// As a volume group.
    pub vg: Option<Box<VgFacts>>,
    /// As a loop device.
    pub loop_device: Option<Box<LoopFacts>>,
    /// As a file under a loop device.
    pub file: Option<Box<FileFacts>>,
    /// As a queue of requests.
    pub queue: Option<Box<QueueFacts>>,
    /// The pool it is.
    pub pool: Option<PoolIx>,
    /// The thin device it is.
    pub thin: Option<ThinIx>,
    /// Model and serial of a disk, or other words for the detail pane.
    pub note: Option<Printable>,
}

/// A device-mapper device as the kernel shows it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the kernel's own flags, one bit each")]
pub struct DmFacts {
    /// Name in device-mapper.
    pub name: Printable,
    /// Uuid in device-mapper; empty when it has none.
    pub uuid: Printable,
    /// Whether it is suspended: whoever touches it waits.
    pub suspended: bool,
    /// Whether it is read-only.
    pub read_only: bool,
    /// How many have it open.
    pub open_count: i32,
    /// Events so far.
    pub event_nr: u32,
    /// Goes away at its last close.
    pub deferred_remove: bool,
    /// A second table waits in the inactive slot.
    pub inactive_table: bool,
    /// Its table, a line a target, as `dmsetup table` prints it.
    pub table: Vec<Printable>,
    /// Its status, a line a target, asked with no-flush; `None` when not seen.
    pub status: Option<Vec<Printable>>,
}

/// A logical volume as LVM reports it.
#[derive(Clone, Debug)]
pub struct LvFacts {
    /// Its VG's name.
    pub vg: Printable,
    /// Its own name, brackets of hidden volumes removed.
    pub name: Printable,
    /// Its uuid with hyphens.
    pub uuid: Printable,
    /// The size that LVM records; the kernel's is the node's.
    pub size: Option<Bytes>,
    /// The ten characters of `lv_attr`.
    pub attr: Printable,
    /// Segment type.
    pub segtype: Printable,
    /// Origin of a snapshot.
    pub origin: Option<Printable>,
    /// The pool of a thin volume.
    pub pool: Option<Printable>,
    /// `monitored`, `not monitored`, …; empty where it does not apply.
    pub monitor: Printable,
    /// Profile, without `.profile`; empty when none.
    pub profile: Printable,
    /// Tags.
    pub tags: Vec<Printable>,
    /// Whether it is activated at boot; `None` where LVM does not say so.
    pub autoactivation: Option<bool>,
}

/// A physical volume.
#[derive(Clone, Debug)]
pub struct PvFacts {
    /// Its uuid with hyphens.
    pub uuid: Printable,
    /// The VG it belongs to; empty when none.
    pub vg: Printable,
    /// Bytes not allocated.
    pub free: Option<Bytes>,
    /// LVM knows of it and cannot find it.
    pub missing: bool,
}

/// A volume group.
#[derive(Clone, Debug)]
pub struct VgFacts {
    /// Its uuid with hyphens.
    pub uuid: Printable,
    /// Bytes not allocated.
    pub free: Option<Bytes>,
    /// Size of an extent.
    pub extent: Option<Bytes>,
    /// How many PVs are missing.
    pub missing_pvs: u64,
    /// `vg_attr`.
    pub attr: Printable,
    /// Size of the smallest area on a PV that LVM keeps the group's metadata in.
    pub mda_size: Option<Bytes>,
    /// By how much that metadata may become longer there.
    pub mda_free: Option<Bytes>,
    /// Whether it is activated at boot; `None` where LVM does not say so.
    pub autoactivation: Option<bool>,
}

/// A loop device.
#[derive(Clone, Debug)]
pub struct LoopFacts {
    /// The path the kernel keeps for the file under it.
    pub backing_file: Printable,
    /// The file was deleted while in use.
    pub deleted: bool,
    /// Where in the file it begins.
    pub offset: Sectors,
    /// Goes away at its last close.
    pub autoclear: bool,
}

/// A file under a loop device.
#[derive(Clone, Copy, Debug)]
pub struct FileFacts {
    /// Its length.
    pub apparent: Bytes,
    /// What it takes on its filesystem.
    pub allocated: Bytes,
}

/// What a block device's queue tells of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueFacts {
    /// Whether it says that it turns.
    pub rotational: Option<bool>,
    /// It is a virtual disk: what is below it, and whether that turns, it does not know.
    pub virtual_disk: bool,
    /// The largest discard it takes; 0 where it takes none.
    pub discard_max: Option<Bytes>,
}
