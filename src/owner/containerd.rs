//! containerd's `devmapper` snapshotter: whose is a thin device, and where its record of a device
//! disagrees with the kernel (`formats.md` 3).
//!
//! Reads containerd's databases without their locks, never through the daemon. Asking is in
//! [`read_containerd`]; what the answers mean is worked out purely: [`owned`] names every device,
//! [`engine_facts`] says what does not fit together.

mod ask;
pub mod claims;
pub mod config;
pub mod devices;
mod images;
pub mod mismatch;
pub mod names;
mod number;
mod roots;
mod running;
pub mod snapshots;
pub mod state;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use crate::model::Gap;
use crate::probe::LookOptions;
use crate::sys::{BoltKeep, HostPath, ReadHost};
use crate::text::Printable;

use ask::Asker;
use devices::PoolRecord;
use names::Names;
use roots::Found;
use snapshots::Snapshots;

pub use claims::owned;
pub use mismatch::{DmIs, Kernel, engine_facts};

/// What containerd's files say.
#[derive(Clone, Debug, Default)]
pub struct ContainerdFacts {
    /// Its pools, each with the snapshotter's databases.
    pub homes: Vec<Home>,
    /// A snapshotter's folder could not be read, or not its record of a pool.
    pub failed: bool,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

impl ContainerdFacts {
    /// The numbers of all snapshots that have a device in one of the pools of this home's folder,
    /// which have one store of snapshots; `None` where a pool's record could not be read.
    fn numbers_beside(&self, home: &Home) -> Option<HashSet<u64>> {
        let beside = self.homes.iter().filter(|other| other.home == home.home);
        let records: Option<Vec<_>> = beside.map(|home| home.devices.as_ref()).collect();
        let devices = records?.into_iter().flat_map(|record| &record.devices);
        Some(devices.filter_map(devices::Device::snapshot).collect())
    }
}

/// A snapshotter's folder and one pool of it.
#[derive(Clone, Debug, Default)]
pub struct Home {
    /// containerd's root.
    pub root: Printable,
    /// The snapshotter's folder.
    pub home: Printable,
    /// The pool's device-mapper name.
    pub pool: Vec<u8>,
    /// Whether a configuration names that pool.
    pub configured: bool,
    /// Its record of the pool's devices and ids; `None` when it is not there or not readable.
    pub devices: Option<PoolRecord>,
    /// Its snapshots.
    pub snapshots: Option<Snapshots>,
    /// What images and containers refer to them.
    pub names: Option<Names>,
    /// Whether a daemon holds the databases.
    pub running: Option<bool>,
    /// For how many seconds the snapshotter's databases had not been written.
    pub still: Option<u64>,
    /// Files beside the databases, which may be what the pool rests on.
    pub beside: Vec<Printable>,
}

/// How often databases that move while they are read are read again.
const MOST_READINGS: usize = 3;

/// Reads all of containerd's roots.
pub fn read_containerd(host: &dyn ReadHost, options: &LookOptions) -> ContainerdFacts {
    let mut ask = Asker::new(host);
    let found = roots::find_homes(&mut ask, &options.containerd_roots);
    let homes: Vec<_> =
        found.into_iter().map(|found| read_home(&mut ask, found, options.mounted_tree)).collect();
    ContainerdFacts { homes, failed: ask.closed, gaps: ask.into_gaps() }
}

fn read_home(ask: &mut Asker<'_>, found: Found, mounted_tree: bool) -> Home {
    let devices = found.home.join(HostPath::new(format!("{}.db", found.pool)).as_path());
    let paths = Paths {
        devices,
        snapshots: found.home.join(roots::SNAPSHOTS),
        names: found.root.join("io.containerd.metadata.v1.bolt/meta.db"),
    };
    let mut home = Home {
        root: Printable::from_bytes(&found.root.0.0),
        home: Printable::from_bytes(&found.home.0.0),
        pool: found.pool.into_bytes(),
        configured: found.configured,
        beside: found.beside,
        ..Home::default()
    };
    let before = ask.closed;
    let still = (0..MOST_READINGS).any(|_| {
        // what an earlier reading could not read counts no more
        ask.closed = before;
        paths.read(ask, &mut home)
    });
    if !still {
        ask.gap(format!(
            "{}: containerd makes or removes snapshots faster than they can be read, so some may \
             be named wrongly; look again when it is quieter",
            home.home
        ));
    }
    if home.devices.is_some() {
        home.running = running::is_running(ask, &paths.devices, mounted_tree);
        home.still = running::still_for(ask, [&paths.devices, &paths.snapshots]);
    }
    home
}

/// Where the three databases are.
struct Paths {
    devices: HostPath,
    snapshots: HostPath,
    names: HostPath,
}

impl Paths {
    /// Reads all three; whether none was committed to meanwhile.
    fn read(&self, ask: &mut Asker<'_>, home: &mut Home) -> bool {
        let devices = ask.essential(|ask| ask.database(&self.devices, BoltKeep::ContainerdPool));
        let snapshots = ask.database(&self.snapshots, BoltKeep::ContainerdSnapshots);
        let names = ask.database(&self.names, BoltKeep::ContainerdMeta);
        home.devices = devices.as_ref().map(|db| devices::parse_pool(&db.root));
        home.snapshots = snapshots.as_ref().map(|db| snapshots::parse_snapshots(&db.root));
        home.names = names.as_ref().map(|db| names::parse_names(&db.root));
        let read = [(&self.devices, devices), (&self.snapshots, snapshots), (&self.names, names)];
        read.into_iter().all(|(path, db)| {
            db.is_none_or(|db| ask.transaction(path).is_none_or(|now| now == db.transaction))
        })
    }
}
