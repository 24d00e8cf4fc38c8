//! What must hold before a step and what holds after it, as statements that a topology either
//! bears out or does not.
//!
//! Values are exact or bounds; a check never asks for more than its step promises. What cannot be
//! seen is neither.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::find;
use crate::ids::DevNo;
use crate::model::{BootUnit, DmFacts, Mode, Node, Pool, PoolState, PoolStatus, Topology};
use crate::text::Printable;
use crate::units::{Bytes, DataBlocks, MetadataBlocks};

/// A statement about a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The pool is in the kernel, works, and is not suspended.
    PoolWorks {
        /// Its name.
        pool: String,
    },
    /// The pool is not marked for a check, nor read-only for a failure.
    PoolHealthy {
        /// Its name.
        pool: String,
    },
    /// The kernel's status says so many data blocks in all, or more.
    DataBlocks {
        /// The pool.
        pool: String,
        /// At least.
        least: DataBlocks,
    },
    /// The kernel's status says so many metadata blocks in all, or more.
    MetadataBlocks {
        /// The pool.
        pool: String,
        /// At least.
        least: MetadataBlocks,
    },
    /// The status says exactly so many blocks of data and of metadata: nothing grew meanwhile.
    Totals {
        /// The pool.
        pool: String,
        /// Data.
        data: DataBlocks,
        /// Metadata.
        metadata: MetadataBlocks,
    },
    /// A group has so much free, or more.
    Free {
        /// The group.
        group: String,
        /// At least.
        least: Bytes,
    },
    /// LVM records a volume as so large, or larger.
    VolumeSize {
        /// `VG/LV`.
        volume: String,
        /// At least.
        least: Bytes,
    },
    /// The kernel has a volume so large, or larger, while it is active at all: LVM may have
    /// recorded a size that the kernel never took.
    DeviceSize {
        /// `VG/LV`.
        volume: String,
        /// At least.
        least: Bytes,
    },
    /// LVM records a volume with exactly this size: nobody grew it meanwhile, and nothing of ours
    /// did half.
    VolumeIs {
        /// `VG/LV`.
        volume: String,
        /// Its size.
        size: Bytes,
    },
    /// A device holds a PV of this group; of none, when the group is empty.
    Pv {
        /// Path of the device, as it was named.
        device: String,
        /// Its kernel name.
        name: String,
        /// The group.
        group: String,
    },
    /// Nothing uses a device: no holder, no mount, no partition.
    Unused {
        /// Path of the device, as it was named.
        device: String,
        /// Its kernel name.
        name: String,
        /// Its size.
        size: Bytes,
        /// What tells it from others, as its node's id does; empty where that was not kept.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        id: String,
    },
    /// A file has this length, or a larger one.
    FileLength {
        /// Its path.
        path: String,
        /// At least.
        least: Bytes,
    },
    /// A loop device is so large, or larger, and over this file.
    LoopSize {
        /// Its kernel name.
        name: String,
        /// The file.
        path: String,
        /// At least.
        least: Bytes,
    },
    /// A device has this table, live.
    Table {
        /// Its device-mapper name.
        name: String,
        /// The lines.
        lines: Vec<String>,
    },
    /// A device-mapper device is there and not suspended.
    NotSuspended {
        /// Its name.
        name: String,
    },
    /// The device of this number is the one that was meant.
    Is {
        /// Its number.
        device: DevNo,
        /// The id of its node.
        id: String,
        /// What a person calls it.
        name: String,
    },
    /// A volume or pool is in the kernel; a loop device is over something.
    Active {
        /// `VG/LV`, a pool's name, or a loop device's kernel name.
        name: String,
    },
    /// It is not.
    Inactive {
        /// `VG/LV`, a pool's name, or a loop device's kernel name.
        name: String,
    },
    /// No missing PV in the group.
    Complete {
        /// The group.
        group: String,
    },
    /// A unit of systemd has these lines, or is not there.
    Unit {
        /// Its name.
        name: String,
        /// Its lines.
        lines: Option<Vec<String>>,
    },
    /// A unit of systemd is started at boot.
    UnitEnabled {
        /// Its name.
        name: String,
    },
}

/// What a topology says to a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is so.
    Holds,
    /// It is not, and this is.
    Broken(String),
    /// It could not be seen.
    Unseen(String),
}

impl Verdict {
    /// Whether it is so.
    pub fn holds(&self) -> bool {
        *self == Self::Holds
    }

    fn of(holds: bool, otherwise: impl FnOnce() -> String) -> Self {
        if holds { Self::Holds } else { Self::Broken(otherwise()) }
    }
}

impl Check {
    /// Judges a topology.
    pub fn judge(&self, topology: &Topology) -> Verdict {
        match self {
            Self::PoolWorks { pool } => pool_works(topology, pool),
            Self::PoolHealthy { pool } => status(topology, pool, healthy),
            Self::DataBlocks { pool, least } => status(topology, pool, |status| {
                Verdict::of(status.data.total >= *least, || {
                    format!("the kernel has {} data blocks", status.data.total.get())
                })
            }),
            Self::MetadataBlocks { pool, least } => status(topology, pool, |status| {
                Verdict::of(status.metadata.total >= *least, || {
                    format!("the kernel has {} metadata blocks", status.metadata.total.get())
                })
            }),
            Self::Totals { pool, data, metadata } => status(topology, pool, |status| {
                let (is_data, is_metadata) = (status.data.total, status.metadata.total);
                Verdict::of(is_data == *data && is_metadata == *metadata, || {
                    format!(
                        "the pool has {} data and {} metadata blocks: somebody changed it",
                        is_data.get(),
                        is_metadata.get()
                    )
                })
            }),
            Self::Free { group, least } => free(topology, group, *least),
            Self::VolumeSize { volume, least } => of_volume(topology, volume, |node| {
                sized(Some(node), volume, *least, find::committed)
            }),
            Self::DeviceSize { volume, least } => {
                of_volume(topology, volume, |node| device_size(node, volume, *least))
            }
            Self::VolumeIs { volume, size } => {
                of_volume(topology, volume, |node| volume_is(node, volume, *size))
            }
            Self::Pv { device, name, group } => pv(topology, (device, name), group),
            Self::Unused { device, name, size, id } => {
                unused(topology, (device, name), (*size, id))
            }
            Self::FileLength { path, least } => {
                sized(file(topology, path), path, *least, |node| node.size)
            }
            Self::LoopSize { name, path, least } => loop_size(topology, name, path, *least),
            Self::Table { name, lines } => table(topology, name, lines),
            Self::NotSuspended { name } => not_suspended(topology, name),
            Self::Is { device, id, name } => {
                let is = find::device(topology, *device).map(|ix| topology.node(ix));
                Verdict::of(is.is_some_and(|node| node.id.as_str() == id), || match is {
                    Some(node) => format!("{device} is {} now, not {name}", node.name),
                    None => format!("{name} is not there with the number {device}"),
                })
            }
            Self::Active { name } => active(topology, name, true),
            Self::Inactive { name } => active(topology, name, false),
            Self::Complete { group } => complete(topology, group),
            Self::Unit { name, lines } => unit(topology, name, lines.as_deref()),
            Self::UnitEnabled { name } => unit_enabled(topology, name),
        }
    }
}

fn status(topology: &Topology, pool: &str, judge: impl FnOnce(&PoolStatus) -> Verdict) -> Verdict {
    match find::pool(topology, pool).map(|pool| &pool.state) {
        Some(PoolState::Active(status)) => judge(status),
        Some(PoolState::Failed) => Verdict::Broken(format!("{pool} failed in the kernel")),
        Some(PoolState::Unseen { why }) => {
            Verdict::Unseen(format!("the status of {pool} was not seen: {why}"))
        }
        Some(PoolState::Inactive) => Verdict::Broken(format!("{pool} is not active")),
        None => Verdict::Broken(format!("there is no pool {pool}")),
    }
}

fn pool_works(topology: &Topology, pool: &str) -> Verdict {
    if find::pool(topology, pool).is_some_and(|pool| pool.suspended) {
        return Verdict::Broken(format!("{pool} is suspended"));
    }
    status(topology, pool, |_| Verdict::Holds)
}

fn healthy(status: &PoolStatus) -> Verdict {
    if status.needs_check == Some(true) {
        return Verdict::Broken("the pool is marked needs_check".to_owned());
    }
    let full = status.metadata.used >= status.metadata.total;
    Verdict::of(status.mode != Mode::Ro || full, || {
        "the pool is read-only for a failure of its metadata".to_owned()
    })
}

/// What is not there is told from what is LVM's to tell and was not heard: a host that changed is
/// left alone, one that was not seen is looked at again.
fn missing(topology: &Topology, what: &str) -> Verdict {
    if find::is_lvm_seen(topology) {
        Verdict::Broken(format!("there is no {what}"))
    } else {
        Verdict::Unseen(format!("LVM told nothing, {what} among it"))
    }
}

fn of_volume(topology: &Topology, name: &str, judge: impl FnOnce(&Node) -> Verdict) -> Verdict {
    find::volume(topology, name).map_or_else(|| missing(topology, name), judge)
}

fn volume_is(node: &Node, volume: &str, size: Bytes) -> Verdict {
    match find::committed(node) {
        None => Verdict::Unseen(format!("the size of {volume} was not seen")),
        Some(is) => Verdict::of(is == size, || {
            format!("LVM records {volume} with {} bytes, not {}", is.get(), size.get())
        }),
    }
}

fn device_size(node: &Node, volume: &str, least: Bytes) -> Verdict {
    match (node.device, node.size) {
        // it gets what LVM records when it is activated
        (None, _) => Verdict::Holds,
        (_, None) => Verdict::Unseen(format!("the kernel's size of {volume} was not seen")),
        (_, Some(is)) => Verdict::of(is >= least, || {
            format!("the kernel has {volume} with {} bytes, not {}", is.get(), least.get())
        }),
    }
}

fn free(topology: &Topology, group: &str, least: Bytes) -> Verdict {
    let facts = find::group(topology, group).and_then(|node| node.facts.vg.as_ref());
    match facts.map(|vg| vg.free) {
        None => missing(topology, &format!("volume group {group}")),
        Some(None) => Verdict::Unseen(format!("the room in {group} was not seen")),
        Some(Some(free)) => Verdict::of(free >= least, || {
            format!("{group} has {} bytes free and {} are needed", free.get(), least.get())
        }),
    }
}

fn sized(
    node: Option<&Node>,
    name: &str,
    least: Bytes,
    size: impl FnOnce(&Node) -> Option<Bytes>,
) -> Verdict {
    match node.map(size) {
        None => Verdict::Broken(format!("there is no {name}")),
        Some(None) => Verdict::Unseen(format!("the size of {name} was not seen")),
        Some(Some(is)) => Verdict::of(is >= least, || {
            format!("{name} has {} bytes, not {}", is.get(), least.get())
        }),
    }
}

fn by_kernel_name<'a>(topology: &'a Topology, name: &str) -> Option<&'a Node> {
    topology.nodes.iter().find(|node| node.device.is_some() && node.name.as_str() == name)
}

fn file<'a>(topology: &'a Topology, path: &str) -> Option<&'a Node> {
    topology.nodes.iter().find(|node| node.facts.file.is_some() && node.name.as_str() == path)
}

fn pv(topology: &Topology, (device, name): (&str, &str), group: &str) -> Verdict {
    let found = topology.nodes.iter().find_map(|node| {
        let pv = node.facts.pv.as_ref()?;
        let on = node.parents.first().map(|ix| topology.node(*ix));
        on.is_some_and(|on| on.name.as_str() == name).then_some(pv)
    });
    match found {
        None if !find::is_lvm_seen(topology) => missing(topology, &format!("PV on {device}")),
        None => Verdict::Broken(format!("{device} is no PV")),
        Some(pv) => Verdict::of(pv.vg.as_str() == group, || match pv.vg.as_str() {
            "" => format!("{device} is a PV of no group"),
            other => format!("{device} is a PV of {other}"),
        }),
    }
}

fn unused(topology: &Topology, (device, name): (&str, &str), (size, id): (Bytes, &str)) -> Verdict {
    let Some(ix) = topology.indices().find(|ix| {
        let node = topology.node(*ix);
        node.device.is_some() && node.name.as_str() == name
    }) else {
        return Verdict::Broken(format!("{device} is not there"));
    };
    let node = topology.node(ix);
    if let Some(above) = topology.children(ix).first() {
        return Verdict::Broken(format!("{device} is used by {}", topology.node(*above).name));
    }
    if let Some(at) = node.mountpoints.first() {
        return Verdict::Broken(format!("{device} is mounted at {at}"));
    }
    if !id.is_empty() && node.id.as_str() != id {
        return Verdict::Broken(format!(
            "{device} is another device than the one that was agreed to: {}, not {id}",
            node.id
        ));
    }
    if node.size.is_none() {
        return Verdict::Unseen(format!("the size of {device} was not seen"));
    }
    Verdict::of(node.size == Some(size), || {
        format!("{device} has another size than the device that was agreed to")
    })
}

fn loop_size(topology: &Topology, name: &str, path: &str, least: Bytes) -> Verdict {
    let Some(node) = by_kernel_name(topology, name) else {
        return Verdict::Broken(format!("there is no {name}"));
    };
    let over = node.facts.loop_device.as_ref().map(|facts| facts.backing_file.as_str());
    if over != Some(path) {
        return Verdict::Broken(format!("{name} is not over {path}"));
    }
    sized(Some(node), name, least, |node| node.size)
}

/// Where device-mapper told of no device at all, nobody heard it: one that is named here was there.
fn of_mapped(topology: &Topology, name: &str, judge: impl FnOnce(&DmFacts) -> Verdict) -> Verdict {
    match find::mapped(topology, name).and_then(|node| node.facts.dm.as_deref()) {
        Some(dm) => judge(dm),
        None if find::is_dm_seen(topology) => Verdict::Broken(format!("there is no device {name}")),
        None => Verdict::Unseen(format!("device-mapper told of no device, {name} among them")),
    }
}

fn table(topology: &Topology, name: &str, lines: &[String]) -> Verdict {
    of_mapped(topology, name, |dm| {
        let same = dm.table.len() == lines.len()
            && dm.table.iter().zip(lines).all(|(is, was)| is.as_str() == was);
        Verdict::of(same, || format!("the table of {name} is another one"))
    })
}

fn not_suspended(topology: &Topology, name: &str) -> Verdict {
    of_mapped(topology, name, |dm| Verdict::of(!dm.suspended, || format!("{name} is suspended")))
}

fn active(topology: &Topology, name: &str, wanted: bool) -> Verdict {
    let is = match find::pool(topology, name) {
        Some(Pool { state: PoolState::Unseen { why }, .. }) => {
            return Verdict::Unseen(format!("{name} was not seen: {why}"));
        }
        Some(pool) => Some(find::is_active(pool)),
        None => find::volume(topology, name)
            .or_else(|| find::mapped(topology, name))
            .map(|node| node.device.is_some())
            .or_else(|| find::loop_device(topology, name).map(|_| true)),
    };
    match is {
        None if name.contains('/') && !find::is_lvm_seen(topology) => missing(topology, name),
        // what nobody knows is not active
        None => Verdict::of(!wanted, || format!("there is no {name}")),
        Some(is) => Verdict::of(is == wanted, || {
            format!("{name} is {}active", if is { "" } else { "not " })
        }),
    }
}

fn complete(topology: &Topology, group: &str) -> Verdict {
    match find::group(topology, group).and_then(|node| node.facts.vg.as_ref()) {
        None => missing(topology, &format!("volume group {group}")),
        Some(vg) => Verdict::of(vg.missing_pvs == 0, || {
            format!("{group} misses {} of its PVs", vg.missing_pvs)
        }),
    }
}

/// Judges the unit of a name, `None` where there is none such.
fn of_unit(
    topology: &Topology,
    name: &str,
    judge: impl FnOnce(Option<&BootUnit>) -> Verdict,
) -> Verdict {
    match &topology.host.units {
        Some(units) => judge(units.iter().find(|unit| unit.name.as_str() == name)),
        None => Verdict::Unseen("the units of systemd were not seen".to_owned()),
    }
}

fn unit(topology: &Topology, name: &str, lines: Option<&[String]>) -> Verdict {
    of_unit(topology, name, |found| match (found, lines) {
        (None, None) => Verdict::Holds,
        (None, Some(_)) => Verdict::Broken(format!("{name} is not there")),
        (Some(_), None) => Verdict::Broken(format!("{name} is there already")),
        (Some(unit), Some(lines)) => {
            let same = unit.lines.iter().map(Printable::as_str).eq(lines.iter());
            Verdict::of(same, || format!("{name} has other lines"))
        }
    })
}

fn unit_enabled(topology: &Topology, name: &str) -> Verdict {
    of_unit(topology, name, |found| match found {
        None => Verdict::Broken(format!("{name} is not there")),
        Some(unit) => Verdict::of(unit.enabled, || format!("{name} is not started at boot")),
    })
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PoolWorks { pool } => write!(f, "{pool} is active and not suspended"),
            Self::PoolHealthy { pool } => {
                write!(f, "{pool} is neither marked needs_check nor read-only for a failure")
            }
            Self::DataBlocks { pool, least } => {
                write!(f, "the kernel's status of {pool} has {} data blocks or more", least.get())
            }
            Self::MetadataBlocks { pool, least } => write!(
                f,
                "the kernel's status of {pool} has {} metadata blocks or more",
                least.get()
            ),
            Self::Totals { pool, data, metadata } => {
                write!(f, "{pool} has {} data and {} metadata blocks", data.get(), metadata.get())
            }
            Self::Free { group, least } => {
                write!(f, "{group} has {} bytes free or more", least.get())
            }
            Self::VolumeSize { volume, least } => {
                write!(f, "LVM records {volume} with {} bytes or more", least.get())
            }
            Self::DeviceSize { volume, least } => {
                write!(f, "the kernel has {volume} with {} bytes or more, if at all", least.get())
            }
            Self::VolumeIs { volume, size } => {
                write!(f, "LVM records {volume} with {} bytes", size.get())
            }
            Self::Pv { device, group, .. } if group.is_empty() => {
                write!(f, "{device} is a PV of no group")
            }
            Self::Pv { device, group, .. } => write!(f, "{device} is a PV of {group}"),
            Self::Unused { device, size, .. } => {
                write!(f, "{device} has {} bytes and nothing uses it", size.get())
            }
            Self::FileLength { path, least } => {
                write!(f, "{path} has {} bytes or more", least.get())
            }
            Self::LoopSize { name, path, least } => {
                write!(f, "{name} is over {path} with {} bytes or more", least.get())
            }
            Self::Table { name, lines } => write!(f, "the table of {name} is {}", lines.join("; ")),
            Self::NotSuspended { name } => write!(f, "{name} is not suspended"),
            Self::Is { device, name, .. } => write!(f, "{device} is {name}"),
            Self::Active { name } => write!(f, "{name} is active"),
            Self::Inactive { name } => write!(f, "{name} is not active"),
            Self::Complete { group } => write!(f, "no PV of {group} is missing"),
            Self::Unit { name, lines: None } => write!(f, "there is no unit {name}"),
            Self::Unit { name, lines: Some(lines) } => {
                write!(f, "the unit {name} has its {} lines", lines.len())
            }
            Self::UnitEnabled { name } => write!(f, "{name} is started at every boot"),
        }
    }
}
