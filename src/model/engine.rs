//! What an engine's configuration and files say of its pool: the limits it sets itself, what it
//! has not finished, what it expects to find.

use super::thin::Engine;
use crate::ids::ThinId;
use crate::text::Printable;
use crate::units::Bytes;

/// One engine's word on one pool. What was not seen is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFacts {
    /// The engine.
    pub engine: Engine,
    /// Its data root.
    pub root: Printable,
    /// Whether a configuration of it names the pool; else only what it left there does.
    pub configured: bool,
    /// Whether its daemon runs.
    pub daemon_runs: Option<bool>,
    /// Percent of data, and of metadata, below which it makes no new device; 0 is no limit.
    pub min_free_percent: Option<u64>,
    /// Whether a busy device goes away by itself at its last close.
    pub deferred_removal: Option<bool>,
    /// It was told not to care whether udev is waited for.
    pub udev_sync_overridden: bool,
    /// The disk that it was told to make a pool on by itself, whatever lies there.
    pub forced: Option<Forced>,
    /// How its last transaction stands to the pool's counter.
    pub transaction: Option<Transaction>,
    /// Its base device.
    pub base: Base,
    /// The daemon's program, where it was looked into and has no `devicemapper` driver any more.
    pub driver_removed_from: Option<Printable>,
    /// The files under its loop devices: data, metadata.
    pub loop_files: Vec<LoopSpace>,
    /// Devices that it could not delete yet.
    pub pending: Vec<Pending>,
    /// Who holds devices that nothing of the engine's should hold.
    pub held: Vec<Held>,
    /// Processes that could not be looked into for that.
    pub unseen_processes: u64,
    /// Where its record of a device and the kernel, or two of its records, do not fit together.
    pub mismatches: Vec<Mismatch>,
    /// Ids that it holds for free, and that are in the pool.
    pub in_use: Option<IdsInUse>,
    /// Files beside its records that may be what the pool rests on.
    pub beside: Vec<Printable>,
}

impl EngineFacts {
    /// Of an engine of which nothing else was seen.
    pub fn new(engine: Engine, root: Printable) -> Self {
        Self {
            engine,
            root,
            configured: true,
            daemon_runs: None,
            min_free_percent: None,
            deferred_removal: None,
            udev_sync_overridden: false,
            forced: None,
            transaction: None,
            base: Base::Unseen,
            driver_removed_from: None,
            loop_files: Vec::new(),
            pending: Vec::new(),
            held: Vec::new(),
            unseen_processes: 0,
            mismatches: Vec::new(),
            in_use: None,
            beside: Vec::new(),
        }
    }
}

/// A disk that an engine was told to take without looking what is on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forced {
    /// Its path.
    pub device: Printable,
    /// The engine's record says that it did so already.
    pub done: bool,
}

/// How an engine's last transaction stands to the pool's own counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The engine's number.
    pub engine: u64,
    /// The pool's.
    pub pool: u64,
    /// The device it was for, by the engine's name; empty for the base device.
    pub name: Printable,
    /// That device's id.
    pub id: Option<ThinId>,
}

/// The device that an engine's bottom layers are snapshots of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// It cannot be told.
    Unseen,
    /// The engine has layers and no record of a base device.
    NoRecord,
    /// Its filesystem was never finished.
    Unfinished(ThinId),
    /// Recorded.
    Recorded {
        /// Its id.
        id: ThinId,
        /// The uuid of its filesystem, as the engine recorded it.
        uuid: Option<Printable>,
        /// The uuid that its filesystem has.
        found: Option<Printable>,
    },
}

/// A sparse file and the room that it may still take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopSpace {
    /// Where it is.
    pub path: Printable,
    /// It holds the pool's data, not its metadata.
    pub is_data: bool,
    /// Its length.
    pub apparent: Bytes,
    /// The length that its engine was told to give it.
    pub configured: Option<Bytes>,
    /// What it takes now.
    pub allocated: Bytes,
    /// What its filesystem has free.
    pub free: Option<Bytes>,
}

/// A device that is to be deleted, and is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The engine's name for it.
    pub name: Printable,
    /// Its id.
    pub id: ThinId,
    /// For how many seconds.
    pub seconds: Option<u64>,
}

/// Who holds a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The device, by its device-mapper name.
    pub device: Printable,
    /// A process.
    pub pid: u32,
    /// What that process is called.
    pub command: Printable,
    /// How.
    pub how: HeldBy,
}

/// How a device is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldBy {
    /// Mounted, in a namespace of mounts.
    Mount {
        /// Where.
        point: Printable,
        /// The namespace, as the kernel names it.
        namespace: Printable,
        /// It is the one that the system's first process sees.
        of_init: bool,
    },
    /// A file of its filesystem is open.
    File(Printable),
    /// The device itself is open.
    Device,
}

/// A device, a snapshot or an id that an engine's records disagree about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The device's name; of an id that no device has, empty.
    pub device: Printable,
    /// Its id in the pool.
    pub id: Option<ThinId>,
    /// Its state, by the engine's word.
    pub state: &'static str,
    /// What does not fit.
    pub what: Misfit,
}

/// What does not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The engine gave the device up, for this reason.
    Faulty(Printable),
    /// In the middle of something, and nobody is at it.
    Unfinished,
    /// Active by the record, and the kernel has no such device.
    NotActive,
    /// The kernel's device of that name is an `error` target.
    ErrorTarget,
    /// A device that no snapshot has.
    NoSnapshot,
    /// A snapshot that has no device.
    NoDevice,
    /// An id that is taken, and no device has it.
    IdOfNobody,
}

/// Ids that an engine would give out, and that the pool has already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdsInUse {
    /// Which, in order.
    pub ids: Vec<ThinId>,
    /// The id that the next device gets.
    pub next: Option<ThinId>,
}
