//! What a pool's own metadata says: its devices, and who uses which data block.
//!
//! All of it is of one commit. Plain results: knows nothing of the format they were read from.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::descent::{Descent, Life};
use super::usage::Usage;
use crate::ids::ThinId;
use crate::units::{DataBlocks, MetadataBlocks, Sectors};

/// The metadata of one pool, as of its last commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolMetadata {
    /// The transaction of its owner.
    pub transaction: u64,
    /// The snapshot counter; not a clock.
    pub time: u32,
    /// The superblock asks for a check.
    pub needs_check: bool,
    /// The block of a metadata snapshot that is held.
    pub held_root: Option<u64>,
    /// Size of a data block.
    pub block_size: Sectors,
    /// Data blocks in use, by the space map.
    pub data: Usage<DataBlocks>,
    /// Metadata blocks in use, by the space map.
    pub metadata: Usage<MetadataBlocks>,
    /// Every device, by ascending id.
    pub devices: Vec<DeviceMetadata>,
    /// What is damaged, in words; the first few.
    pub damages: Vec<String>,
    /// How many damages there are.
    pub damage_count: u64,
    /// Who uses which block; `None` where only the details were read.
    pub mappings: Option<Box<Mappings>>,
    /// A metadata snapshot was reserved to read this, which wrote to the pool.
    pub reserved: Option<Reservation>,
}

/// What became of a metadata snapshot that was reserved for a reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reservation {
    /// It was released.
    Released,
    /// It could not be, for this reason; the next run tries again.
    Stays(String),
}

/// The details of one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceMetadata {
    /// Its id.
    pub id: ThinId,
    /// Blocks it maps, shared ones included.
    pub mapped: DataBlocks,
    /// The pool's transaction when it was made.
    pub transaction: u64,
    /// The snapshot counter when it was made.
    pub created: u32,
    /// The snapshot counter when it last was the origin of a snapshot, or was made.
    pub snapshotted: u32,
    /// Whose snapshot it is, by the metadata alone; `None` where nobody asked, for its engine
    /// says so.
    pub origin: Option<Lineage>,
}

impl DeviceMetadata {
    /// Its times.
    pub const fn life(&self) -> Life {
        Life { created: self.created, snapshotted: self.snapshotted }
    }
}

/// Whose snapshot a device is, as far as metadata alone tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lineage {
    /// Nobody's: made before the pool's first snapshot.
    Empty,
    /// This one's.
    Certain(ThinId),
    /// This one's, or made empty right after its snapshot.
    Likely(ThinId),
    /// One of so many, or of a device that is gone.
    OneOf(u32),
    /// Of a device that is gone, or of none.
    Gone,
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("made empty, before the pool's first snapshot"),
            Self::Certain(id) => write!(f, "a snapshot of {id}, by its metadata"),
            Self::Likely(id) => {
                write!(f, "a snapshot of {id}, or made empty right after one of it")
            }
            Self::OneOf(count) => {
                write!(f, "a snapshot of one of {count} devices, of one that is gone, or of none")
            }
            Self::Gone => f.write_str("a snapshot of a device that is gone, or of none"),
        }
    }
}

/// Who uses which data block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mappings {
    /// Exclusive blocks of every device, in the order of [`PoolMetadata::devices`].
    pub exclusive: Vec<Option<DataBlocks>>,
    /// Blocks that a device maps and its parent does not map to the same data block.
    pub deltas: Vec<Delta>,
    /// Data blocks that some device reaches.
    pub reached: DataBlocks,
    /// Data blocks that only the metadata snapshot reaches.
    pub held_only: DataBlocks,
    /// Data blocks in use that nobody reaches, in a pool at rest: lost to everybody.
    pub leaked: DataBlocks,
    /// Data blocks in use that nobody reaches, in a pool that is being written: a block is counted
    /// before it is written and mapped after that.
    #[serde(default)]
    pub pending: DataBlocks,
    /// Data blocks by the set of devices that use them; `None` where they are too many to keep.
    pub groups: Option<Groups>,
    /// What deleting the devices that were asked about gives back, where groups do not tell.
    pub freed: Option<FreedBy>,
}

/// What deleting some devices gives back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreedBy {
    /// The devices, by ascending id.
    pub ids: Vec<ThinId>,
    /// What they give back together.
    pub freed: Freed,
}

/// What a device adds to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// The device.
    pub id: ThinId,
    /// What it was compared with.
    pub parent: ThinId,
    /// Blocks that it maps, and not to the same data block.
    pub added: DataBlocks,
    /// Whether it was made from that at all.
    pub descent: Descent,
}

/// Data blocks by who uses them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    /// The groups.
    pub list: Vec<Group>,
    /// The pool's blocks in order as runs of one group each, free blocks left out; `None` where
    /// they are too scattered to keep.
    pub map: Option<Vec<MapRun>>,
}

/// All data blocks that the same devices use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The devices, as ranges of places in [`PoolMetadata::devices`]: from, up to and without.
    pub devices: Vec<(u32, u32)>,
    /// The metadata snapshot uses them too.
    pub held: bool,
    /// How many blocks.
    pub blocks: DataBlocks,
}

/// Neighbouring data blocks of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapRun {
    /// The first data block.
    pub start: u64,
    /// How many.
    pub length: u64,
    /// Place in [`Groups::list`].
    pub group: u32,
}

/// What deleting a set of devices gives back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freed {
    /// Data blocks that nothing else uses.
    pub blocks: DataBlocks,
    /// Of those, blocks that a held metadata snapshot keeps until it is released.
    pub held: DataBlocks,
}

impl PoolMetadata {
    /// The place of a device.
    pub fn place(&self, id: ThinId) -> Option<usize> {
        self.devices.binary_search_by_key(&id, |device| device.id).ok()
    }

    /// A device's details.
    pub fn device(&self, id: ThinId) -> Option<&DeviceMetadata> {
        self.place(id).and_then(|at| self.devices.get(at))
    }

    /// Whether everything that was read is sound.
    pub const fn is_sound(&self) -> bool {
        self.damage_count == 0
    }

    /// Blocks that only this device uses.
    pub fn exclusive(&self, id: ThinId) -> Option<DataBlocks> {
        let mappings = self.mappings.as_ref()?;
        mappings.exclusive.get(self.place(id)?).copied().flatten()
    }

    /// What a device adds to its parent.
    pub fn delta(&self, id: ThinId, parent: ThinId) -> Option<DataBlocks> {
        self.compared(id, parent).map(|delta| delta.added)
    }

    /// Whether a device was made from its parent, by its metadata.
    pub fn descent(&self, id: ThinId, parent: ThinId) -> Option<Descent> {
        self.compared(id, parent).map(|delta| delta.descent)
    }

    fn compared(&self, id: ThinId, parent: ThinId) -> Option<&Delta> {
        let deltas = &self.mappings.as_ref()?.deltas;
        let at = deltas.binary_search_by_key(&id, |delta| delta.id).ok()?;
        deltas.get(at).filter(|delta| delta.parent == parent)
    }

    /// What deleting these would give back; `None` where it is not known who uses what.
    pub fn freed_by(&self, ids: &[ThinId]) -> Option<Freed> {
        let mappings = self.mappings.as_ref()?;
        let Some(groups) = &mappings.groups else {
            return mappings.freed.as_ref().filter(|by| by.ids == ids).map(|by| by.freed);
        };
        let places = ids.iter().filter_map(|id| self.place(*id));
        let mut marked: Vec<u32> = places.filter_map(|at| u32::try_from(at).ok()).collect();
        marked.sort_unstable();
        marked.dedup();
        let mut freed = Freed::default();
        for group in groups.list.iter().filter(|group| group.is_within(&marked)) {
            freed.blocks = freed.blocks.plus(group.blocks);
            if group.held {
                freed.held = freed.held.plus(group.blocks);
            }
        }
        Some(freed)
    }

    /// With whom a device shares how many blocks, most first.
    pub fn shared_with(&self, id: ThinId) -> Vec<(ThinId, DataBlocks)> {
        let groups = self.mappings.as_ref().and_then(|mappings| mappings.groups.as_ref());
        let (Some(groups), Some(at)) = (groups, self.place(id)) else { return Vec::new() };
        let mut sums = vec![DataBlocks(0); self.devices.len()];
        for group in groups.list.iter().filter(|group| group.holds(at)) {
            for other in group.places() {
                if let Some(sum) = sums.get_mut(other) {
                    *sum = sum.plus(group.blocks);
                }
            }
        }
        let others = sums.into_iter().zip(&self.devices);
        let mut list: Vec<_> = others
            .filter(|(blocks, other)| blocks.get() > 0 && other.id != id)
            .map(|(blocks, other)| (other.id, blocks))
            .collect();
        list.sort_unstable_by_key(|(id, blocks)| (std::cmp::Reverse(*blocks), *id));
        list
    }
}

impl Group {
    /// The places of its devices.
    pub fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.devices.iter().flat_map(|(from, to)| *from..*to).map(|place| place as usize)
    }

    /// Whether the device at this place uses it.
    pub fn holds(&self, place: usize) -> bool {
        let within = |(from, to): &(u32, u32)| (*from as usize..*to as usize).contains(&place);
        self.devices.iter().any(within)
    }

    /// How many devices use it.
    pub fn device_count(&self) -> u64 {
        self.devices.iter().map(|(from, to)| u64::from(to.saturating_sub(*from))).sum()
    }

    /// Whether all its devices, of which there is one at least, are among these sorted places.
    fn is_within(&self, marked: &[u32]) -> bool {
        let all = |(from, to): &(u32, u32)| {
            let (low, high) =
                (marked.partition_point(|at| at < from), marked.partition_point(|at| at < to));
            high - low == (to.saturating_sub(*from)) as usize
        };
        self.device_count() > 0 && self.devices.iter().all(all)
    }
}

impl Groups {
    /// The run that holds a data block.
    pub fn run_of(&self, block: u64) -> Option<MapRun> {
        let map = self.map.as_ref()?;
        let at = map.partition_point(|run| run.start <= block).checked_sub(1)?;
        map.get(at).copied().filter(|run| block - run.start < run.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u64) -> ThinId {
        ThinId::new(n).expect("a small id")
    }

    /// Devices 1, 2, 5; 10 blocks of 1 alone, 20 of 1 and 2, 40 of all, 80 of 5 that are held.
    fn sample() -> PoolMetadata {
        let device = |n| DeviceMetadata {
            id: id(n),
            mapped: DataBlocks(0),
            transaction: n,
            created: 0,
            snapshotted: 0,
            origin: None,
        };
        let group = |devices: &[(u32, u32)], held, blocks| Group {
            devices: devices.to_vec(),
            held,
            blocks: DataBlocks(blocks),
        };
        let list = vec![
            group(&[(0, 1)], false, 10),
            group(&[(0, 2)], false, 20),
            group(&[(0, 3)], false, 40),
            group(&[(2, 3)], true, 80),
            group(&[], true, 160),
        ];
        let map = Some(vec![
            MapRun { start: 3, length: 10, group: 0 },
            MapRun { start: 20, length: 1, group: 2 },
        ]);
        PoolMetadata {
            block_size: Sectors(128),
            data: Usage { used: DataBlocks(310), total: DataBlocks(1000) },
            devices: [1, 2, 5].map(device).to_vec(),
            mappings: Some(Box::new(Mappings {
                exclusive: vec![Some(DataBlocks(10)), Some(DataBlocks(0)), None],
                groups: Some(Groups { list, map }),
                ..Mappings::default()
            })),
            ..PoolMetadata::default()
        }
    }

    #[test]
    fn what_a_marked_set_frees_is_what_nobody_else_uses() {
        let pool = sample();
        let freed = |ids: &[u64]| {
            let ids: Vec<ThinId> = ids.iter().map(|n| id(*n)).collect();
            let freed = pool.freed_by(&ids).expect("it is known who uses what");
            (freed.blocks.get(), freed.held.get())
        };
        assert_eq!(freed(&[]), (0, 0));
        assert_eq!(freed(&[1]), (10, 0));
        assert_eq!(freed(&[2]), (0, 0));
        assert_eq!(freed(&[2, 1, 1]), (30, 0));
        assert_eq!(freed(&[5]), (80, 80));
        assert_eq!(freed(&[1, 5, 2]), (150, 80));
        assert_eq!(freed(&[1, 99]), (10, 0), "an id that is not there frees nothing");
    }

    #[test]
    fn a_device_shares_with_others_most_first() {
        let shared = |n| sample().shared_with(id(n));
        assert_eq!(shared(1), [(id(2), DataBlocks(60)), (id(5), DataBlocks(40))]);
        assert_eq!(shared(5), [(id(1), DataBlocks(40)), (id(2), DataBlocks(40))]);
        assert_eq!(shared(9), []);
    }

    #[test]
    fn a_data_block_is_found_in_its_run() {
        let pool = sample();
        let groups = pool.mappings.and_then(|mappings| mappings.groups).expect("there");
        let group = |block| groups.run_of(block).map(|run| run.group);
        let found: Vec<_> = [2, 3, 12, 13, 20, 21].map(group).to_vec();
        assert_eq!(found, [None, Some(0), Some(0), None, Some(2), None]);
    }
}
