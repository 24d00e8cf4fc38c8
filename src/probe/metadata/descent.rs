//! Every device against its parent: what it adds, and whether it was made from it at all.

use std::collections::{BTreeMap, HashMap};

use super::read::in_pool;
use crate::ids::ThinId;
use crate::model::descent::{Compared, Descent};
use crate::model::metadata::{Delta, DeviceMetadata};
use crate::thinmeta::{Difference, Mapping, MetaError, Reader, Whole};
use crate::units::DataBlocks;

/// What comparing one device with its parent gave, in blocks.
#[derive(Clone, Copy, Default)]
struct Found {
    /// Mapped here and not to the same data block there.
    added: u64,
    /// Mapped by both before the device was made, differently.
    conflicting: u64,
    /// Allocated by the device itself before it was first snapshotted.
    own: u64,
    /// The same of its parent, where the device does not map it alike.
    lacking: u64,
}

/// Compares all devices with their parents; a device of whose tree something is damaged is left out.
pub(super) fn compare(
    reader: &Reader<'_>,
    (whole, devices): (&Whole, &[DeviceMetadata]),
    parents: &BTreeMap<ThinId, ThinId>,
) -> Result<Vec<Delta>, MetaError> {
    let details: HashMap<ThinId, &DeviceMetadata> =
        devices.iter().map(|device| (device.id, device)).collect();
    let mut first_child: HashMap<ThinId, u32> = HashMap::new();
    for (id, parent) in parents {
        if let Some(created) = details.get(id).map(|device| device.created) {
            let first = first_child.entry(*parent).or_insert(created);
            *first = created.min(*first);
        }
    }
    let until = |id: &ThinId| first_child.get(id).copied().unwrap_or(u32::MAX);
    let mut found: BTreeMap<ThinId, Found> = BTreeMap::new();
    for (id, parent) in parents {
        let (Some(device), Some(from)) = (details.get(id), details.get(parent)) else { continue };
        if !in_pool(whole, *id) || !in_pool(whole, *parent) {
            continue;
        }
        let mut one = Found::default();
        let here = device.created..until(id);
        let there = from.created..until(parent);
        let damages = reader.differences(&whole.forest, *id, *parent, &mut |difference| {
            let (mine, theirs) = match difference {
                Difference::Different(mine, theirs) => (Some(mine), Some(theirs)),
                Difference::LeftOnly(mine) => (Some(mine), None),
                Difference::RightOnly(theirs) => (None, Some(theirs)),
            };
            let older = |side: Option<Mapping>| side.is_some_and(|m| m.time < device.created);
            one.added += u64::from(mine.is_some());
            one.conflicting += u64::from(older(mine) && older(theirs));
            one.own += u64::from(mine.is_some_and(|m| here.contains(&m.time)));
            one.lacking += u64::from(theirs.is_some_and(|m| there.contains(&m.time)));
        })?;
        if damages.is_empty() {
            found.insert(*id, one);
        }
    }
    let judged = found.iter().filter_map(|(id, one)| {
        let parent = *parents.get(id)?;
        let (device, from) = (*details.get(id)?, *details.get(&parent)?);
        let inherited = match found.get(&parent) {
            Some(of_parent) => of_parent.own.saturating_sub(one.lacking),
            // nobody's child: all that it maps is its own
            None => device.mapped.get().saturating_sub(one.added),
        };
        let compared = Compared { conflicting: one.conflicting, inherited };
        let descent = Descent::judge(device.life(), from.life(), compared);
        Some(Delta { id: *id, parent, added: DataBlocks(one.added), descent })
    });
    Ok(judged.collect())
}
