//! The details the kernel keeps of every device: mapped blocks, transaction, times.

use super::btree::Walk;
use super::damage::{DamageKind, Damages, MetaError, Part, Partial};
use super::fetch::Blocks;
use crate::ids::ThinId;
use crate::units::{Bytes, DataBlocks};

/// The details of one device (`struct disk_device_details`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Blocks it maps, shared ones included.
    pub mapped: DataBlocks,
    /// The pool's transaction when it was made.
    pub transaction: u64,
    /// The snapshot counter when it was made.
    pub created: u32,
    /// The snapshot counter when a snapshot of it was last made, or it itself.
    pub snapshotted: u32,
}

impl Detail {
    fn parse(value: &[u8; 24]) -> Self {
        let long = |at: usize| value[at..].first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
        let short = |at: usize| value[at..].first_chunk().map_or(0, |b| u32::from_le_bytes(*b));
        Self {
            mapped: DataBlocks(long(0)),
            transaction: long(8),
            created: short(16),
            snapshotted: short(20),
        }
    }
}

/// The details of all devices, by ascending id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details(Vec<(ThinId, Detail)>);

impl Details {
    /// From pairs in any order; of two with one id the first stays.
    pub fn new(mut list: Vec<(ThinId, Detail)>) -> Self {
        list.sort_by_key(|(id, _)| *id);
        list.dedup_by_key(|(id, _)| *id);
        Self(list)
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ThinId, Detail)> + '_ {
        self.0.iter().copied()
    }

    /// How many devices the pool has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the pool has no device.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One device's.
    pub fn get(&self, id: ThinId) -> Option<Detail> {
        let at = self.0.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.0.get(at).map(|(_, detail)| *detail)
    }
}

/// Reads the tree of details.
pub(super) fn read(
    blocks: Blocks<'_>,
    root: u64,
    memory: Bytes,
) -> Result<Partial<Details>, MetaError> {
    let (mut list, mut strange) = (Vec::new(), Damages::default());
    let part = Part::Details;
    let mut take = |key: u64, value: &[u8; 24]| match ThinId::new(key) {
        Some(id) => list.push((id, Detail::parse(value))),
        None => strange.push(root, part, DamageKind::DeviceId(key)),
    };
    let mut damages = Walk::entries(blocks, part, (root, memory), &mut take)?;
    damages.append(strange);
    Ok(Partial { value: Details::new(list), damages })
}

/// Reads the upper mapping tree: every device with the root of its own tree, by ascending id.
pub(super) fn read_roots(
    blocks: Blocks<'_>,
    root: u64,
    memory: Bytes,
) -> Result<Partial<Vec<(ThinId, u64)>>, MetaError> {
    let (mut list, mut strange) = (Vec::new(), Damages::default());
    let part = Part::DeviceRoots;
    let mut take = |key: u64, value: &[u8; 8]| match ThinId::new(key) {
        Some(id) => list.push((id, u64::from_le_bytes(*value))),
        None => strange.push(root, part, DamageKind::DeviceId(key)),
    };
    let mut damages = Walk::entries(blocks, part, (root, memory), &mut take)?;
    damages.append(strange);
    list.sort_unstable();
    Ok(Partial { value: list, damages })
}
