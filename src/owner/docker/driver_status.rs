//! `docker info`'s driver section, computed without the daemon, with docker's own wording,
//! order and rounding (17.11 to 24.0; `formats.md` 1.7).
//!
//! Pure. What only the daemon's process knows is named and left out.

use super::pool_files::LoopFile;
use super::pool_name::{PoolChoice, pool_choice, printed_path};
use super::{DockerFacts, DockerRoot};
use crate::format;
use crate::model::{Pool, PoolState, Topology};
use crate::owner::Backing;
use crate::text::Printable;
use crate::units::{Bytes, DataBlocks, Sectors};

/// `docker info`'s driver section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriverStatus {
    /// Key and value in docker's order.
    pub lines: Vec<(String, String)>,
    /// Keys that only a living daemon can know.
    pub unknown: Vec<String>,
    /// Keys that are computed of the pool's status, where that was not seen.
    pub unseen: Vec<String>,
}

/// Percent of a pool that docker keeps free unless told otherwise.
const DEFAULT_MIN_FREE_PERCENT: u64 = 10;

impl DriverStatus {
    fn put(&mut self, key: &str, value: Option<impl Into<String>>) {
        match value {
            Some(value) => self.lines.push((key.to_owned(), value.into())),
            None => self.unknown.push(key.to_owned()),
        }
    }

    fn size(&mut self, key: &str, value: Option<Bytes>) {
        self.put(key, value.map(format::docker));
    }

    /// A figure of the pool's status, or of what stands in for it.
    fn figure(&mut self, key: &str, value: Option<Bytes>, status_seen: bool) {
        if value.is_none() && !status_seen {
            self.unseen.push(key.to_owned());
        } else {
            self.size(key, value);
        }
    }

    fn flag(&mut self, key: &str, value: Option<bool>) {
        self.put(key, value.map(|flag| flag.to_string()));
    }
}

/// The driver section for one pool of one root, computed without the daemon.
pub fn driver_status(
    facts: &DockerFacts,
    root_index: usize,
    pool: &Pool,
    topology: &Topology,
) -> DriverStatus {
    let mut status = DriverStatus::default();
    let Some(root) = facts.roots.get(root_index) else { return status };
    let mut choice = pool_choice(facts, root);
    if pool.name != choice.dm_name.as_str() {
        // the guess was wrong, and only a given pool is found in another way than by its name
        choice.backing = Backing::Given;
    }
    let total = topology.node(pool.node).size;
    let figures = Figures::of(facts, root, &Seen { pool, total }, &choice);
    status.put("Pool Name", Some(printed_name(pool, &choice)));
    let seen = matches!(pool.state, PoolState::Active(_) | PoolState::Failed);
    status.figure("Pool Blocksize", figures.block, seen);
    status.size("Base Device Size", base_size(root));
    let set = root.metadata.set.as_ref();
    status.put(
        "Backing Filesystem",
        set.and_then(|set| set.base_filesystem.as_ref()).map(Printable::to_string),
    );
    status.flag("Udev Sync Supported", udev_sync(facts, root));
    put_devices(&mut status, root, pool, topology, &choice.backing);
    status.figure("Data Space Used", figures.data.used, seen);
    status.figure("Data Space Total", figures.data.total, seen);
    status.figure("Data Space Available", figures.data.available, seen);
    status.figure("Metadata Space Used", figures.metadata.used, seen);
    status.figure("Metadata Space Total", figures.metadata.total, seen);
    status.figure("Metadata Space Available", figures.metadata.available, seen);
    // without the daemon's options its share is not known either
    let seen = seen || min_free_percent(facts, root).is_none();
    status.figure("Thin Pool Minimum Free Space", figures.min_free, seen);
    put_deferred(&mut status, facts, root);
    status.put("Library Version", None::<String>);
    status
}

/// Docker prints the option's words; where they are not certain, the pool's own name.
fn printed_name(pool: &Pool, choice: &PoolChoice) -> String {
    if choice.certain { choice.docker_name.clone() } else { pool.name.to_string() }
}

fn base_size(root: &DockerRoot) -> Option<Bytes> {
    let base = root.metadata.devices.iter().find(|file| &*file.name == super::claims::BASE)?;
    base.size
}

/// Since 1.7 the daemon does not start the driver without udev synchronisation, unless it is
/// told not to check.
fn udev_sync(facts: &DockerFacts, root: &DockerRoot) -> Option<bool> {
    let options = facts.options_of(root)?;
    (!options.override_udev_sync).then_some(true)
}

fn put_devices(
    status: &mut DriverStatus,
    root: &DockerRoot,
    pool: &Pool,
    topology: &Topology,
    backing: &Backing,
) {
    let device = |node| {
        let name: Option<String> =
            Option::map(node, |ix| format!("/dev/{}", topology.node(ix).name));
        name.filter(|name| name.starts_with("/dev/loop"))
    };
    let file = |file: &Option<LoopFile>| {
        file.as_ref().map(|file| Printable::from_bytes(&printed_path(root, file).0.0).to_string())
    };
    match backing {
        Backing::LoopFiles { .. } => {
            status.put("Data file", device(pool.data));
            status.put("Metadata file", device(pool.metadata));
            status.put("Data loop file", file(&root.pool.data));
            status.put("Metadata loop file", file(&root.pool.metadata));
        }
        Backing::Devices { data, metadata } => {
            let text = |path: &crate::sys::HostPath| Printable::from_bytes(&path.0.0).to_string();
            status.put("Data file", Some(text(data)));
            status.put("Metadata file", Some(text(metadata)));
        }
        Backing::Given => {}
    }
}

fn put_deferred(status: &mut DriverStatus, facts: &DockerFacts, root: &DockerRoot) {
    let options = facts.options_of(root);
    let default = deferred_default(facts, root);
    let flag = |told: Option<bool>| options.and(told.or(default));
    status.flag("Deferred Removal Enabled", flag(options.and_then(|given| given.deferred_removal)));
    status
        .flag("Deferred Deletion Enabled", flag(options.and_then(|given| given.deferred_deletion)));
    let deleted = root.metadata.devices.iter().filter(|file| file.deleted).count();
    status.put("Deferred Deleted Device Count", root.metadata.seen.then(|| deleted.to_string()));
}

/// On since 17.07 where the kernel's device-mapper can (4.27.0, which came with 3.13).
/// `None` where kernel or daemon may be older (`formats.md` 1.3).
pub(super) fn deferred_default(facts: &DockerFacts, root: &DockerRoot) -> Option<bool> {
    let mut numbers =
        facts.kernel.as_deref()?.split(['.', '-']).map_while(|part| part.parse().ok());
    let kernel: (u32, u32) = (numbers.next()?, numbers.next()?);
    // the folder is made by every daemon since 18.06
    (kernel >= (3, 13) && root.has_buildkit).then_some(true)
}

/// Used, total and available.
#[derive(Clone, Copy, Debug, Default)]
struct Space {
    used: Option<Bytes>,
    total: Option<Bytes>,
    available: Option<Bytes>,
}

impl Space {
    /// Docker bounds what is available by the room under a loop file (`f_bfree`).
    fn new(used: Bytes, total: Bytes, file: Option<&LoopFile>) -> Self {
        let left = total.minus(used);
        let available = match file {
            None => Some(left),
            Some(file) => file.space.map(|space| left.min(Bytes(space.free))),
        };
        Self { used: Some(used), total: Some(total), available }
    }

    const fn of_total(total: Option<Bytes>) -> Self {
        Self { used: None, total, available: None }
    }

    const NOTHING: Self =
        Self { used: Some(Bytes(0)), total: Some(Bytes(0)), available: Some(Bytes(0)) };
}

/// All that docker computes from the pool's status.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    block: Option<Bytes>,
    data: Space,
    metadata: Space,
    min_free: Option<Bytes>,
}

/// A pool with the length of its device.
#[derive(Clone, Copy)]
struct Seen<'a> {
    pool: &'a Pool,
    total: Option<Bytes>,
}

impl Seen<'_> {
    /// Docker takes the length of the pool by the number of its blocks, rounded down.
    fn block(self) -> Option<Sectors> {
        let blocks = self.pool.status().map_or(0, |status| status.data.total.0);
        let quotient = self.total.and_then(|total| total.sectors().0.checked_div(blocks));
        quotient.filter(|sectors| *sectors > 0).map(Sectors).or(self.pool.block_size)
    }
}

impl Figures {
    fn of(facts: &DockerFacts, root: &DockerRoot, seen: &Seen<'_>, choice: &PoolChoice) -> Self {
        let percent = min_free_percent(facts, root);
        let pool = seen.pool;
        match (&pool.state, seen.block()) {
            // docker prints zeros for a status that it cannot read
            (PoolState::Failed, _) => Self {
                block: Some(Bytes(0)),
                data: Space::NOTHING,
                metadata: Space::NOTHING,
                min_free: Some(Bytes(0)),
            },
            (PoolState::Active(_), Some(block)) => Self::active(root, pool, choice, block, percent),
            (PoolState::Active(_) | PoolState::Unseen { .. } | PoolState::Inactive, _) => {
                Self::without_status(pool, percent)
            }
        }
    }

    /// What the devices under the pool tell of it. The kernel takes whole blocks; of metadata it
    /// uses less than the device has only above 15 GiB, where the total is left open.
    fn without_status(pool: &Pool, percent: Option<u64>) -> Self {
        let Some(block) = pool.block_size else { return Self::default() };
        let blocks = pool.data_size.and_then(|size| size.0.checked_div(block.bytes().0));
        let metadata = pool.metadata_size.filter(|size| size.0 <= 15 << 30);
        let min_free = |blocks: u64, percent| blocks.saturating_mul(percent) / 100;
        Self {
            block: Some(block.bytes()),
            data: Space::of_total(blocks.map(|blocks| DataBlocks(blocks).bytes(block))),
            metadata: Space::of_total(metadata.map(|size| Bytes(size.0 / 4096 * 4096))),
            min_free: blocks
                .zip(percent)
                .map(|(blocks, percent)| DataBlocks(min_free(blocks, percent)).bytes(block)),
        }
    }

    fn active(
        root: &DockerRoot,
        pool: &Pool,
        choice: &PoolChoice,
        block: Sectors,
        percent: Option<u64>,
    ) -> Self {
        let Some(status) = pool.status() else { return Self::default() };
        let loops = matches!(choice.backing, Backing::LoopFiles { .. });
        let (data, metadata) = (status.data, status.metadata);
        let min_free = percent
            .map(|percent| DataBlocks(data.total.0.saturating_mul(percent) / 100).bytes(block));
        Self {
            block: Some(block.bytes()),
            data: Space::new(
                data.used.bytes(block),
                data.total.bytes(block),
                root.pool.data.as_ref().filter(|_| loops),
            ),
            metadata: Space::new(
                metadata.used.bytes(),
                metadata.total.bytes(),
                root.pool.metadata.as_ref().filter(|_| loops),
            ),
            min_free,
        }
    }
}

pub(super) fn min_free_percent(facts: &DockerFacts, root: &DockerRoot) -> Option<u64> {
    let options = facts.options_of(root)?;
    Some(options.min_free_percent.unwrap_or(DEFAULT_MIN_FREE_PERCENT))
}

#[cfg(test)]
pub(super) mod tests;
