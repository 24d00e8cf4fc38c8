//! Whom a device was a snapshot of, and who allocated a block, as far as the metadata tells.
//!
//! The format keeps no parents. It keeps a counter that every snapshot raises, and the counter's
//! value with every device and every mapping (`formats.md` 5.6). What follows from those alone is
//! certain; what needs the engine's word, or a guess, says so. Knows no engine.

use std::collections::HashMap;

use super::details::Details;
use crate::ids::ThinId;

/// Whom a device was a snapshot of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Of none: it was made before the pool's first snapshot.
    Empty,
    /// Of this device: nothing else explains the times and the inherited mappings.
    Certain(ThinId),
    /// Of this device, if of any: it may also have been made empty right after the snapshot that
    /// the times speak of.
    Likely(ThinId),
    /// Of one of these, which had later snapshots, or of a device that is gone, or of none.
    OneOf(Vec<ThinId>),
    /// Of a device that is gone; where it inherited nothing, perhaps of none.
    Gone,
}

/// What is known of a device's mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inherited {
    /// Some are older than the device: it was a snapshot.
    Some,
    /// None is older than the device.
    None,
    /// Nobody looked.
    Unknown,
}

/// The times of all devices, ordered for the question.
pub struct Origins<'d> {
    details: &'d Details,
    /// Devices by the counter at their last snapshot.
    by_snapshot: HashMap<u32, Vec<ThinId>>,
}

impl<'d> Origins<'d> {
    /// Of a pool's details.
    pub fn new(details: &'d Details) -> Self {
        let mut by_snapshot: HashMap<u32, Vec<ThinId>> = HashMap::new();
        // a device whose two times are equal was never the origin of a later snapshot
        for (id, detail) in details.iter().filter(|(_, d)| d.created < d.snapshotted) {
            by_snapshot.entry(detail.snapshotted).or_default().push(id);
        }
        Self { details, by_snapshot }
    }

    /// Whom device `id` was a snapshot of; `None` when the pool has no such device.
    ///
    /// Exactly one snapshot is made at each value of the counter, so a device whose own last
    /// snapshot was made at the value this one was created at is its origin, if this one is a
    /// snapshot at all.
    pub fn of(&self, id: ThinId, inherited: Inherited) -> Option<Origin> {
        let created = self.details.get(id)?.created;
        if created == 0 {
            return Some(Origin::Empty);
        }
        Some(match self.by_snapshot.get(&created).map(Vec::as_slice) {
            Some([origin]) if inherited == Inherited::Some => Origin::Certain(*origin),
            Some([origin]) => Origin::Likely(*origin),
            Some(several) => Origin::OneOf(several.to_vec()),
            None => self.later(created),
        })
    }

    /// The devices that lived at `created` and had a snapshot after it.
    fn later(&self, created: u32) -> Origin {
        let lived = |d: &super::details::Detail| d.created < created && d.snapshotted > created;
        let ids = self.details.iter().filter(|(_, detail)| lived(detail)).map(|(id, _)| id);
        match ids.collect::<Vec<_>>() {
            none if none.is_empty() => Origin::Gone,
            some => Origin::OneOf(some),
        }
    }
}

/// Who allocated a data block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    /// This device: it maps the block with a time at or after its own making.
    Certain(ThinId),
    /// This device, if the parents that the engine names are right; it no longer maps the block.
    ByDescent(ThinId),
    /// An ancestor that is gone, or that nothing leads to.
    Gone,
}

/// Who allocated the block that `device` maps with `time`. `users` are the devices that map it
/// with the same time; `parent` is what the engine says of parents.
///
/// A mapping's time is the counter when its block was allocated. A device inherits mappings only
/// from before it was made, so one that is not older than its device was made by it.
pub fn allocated_by(
    details: &Details,
    (device, time): (ThinId, u32),
    users: &[ThinId],
    parent: &dyn Fn(ThinId) -> Option<ThinId>,
) -> Allocation {
    let made_by = |id: &ThinId| details.get(*id).is_some_and(|d| d.created <= time);
    if let Some(id) = std::iter::once(&device).chain(users).find(|id| made_by(id)) {
        return Allocation::Certain(*id);
    }
    let mut child = device;
    // every parent is older than its child, so the way up ends
    while let Some(id) = parent(child) {
        let created = |id| details.get(id).map(|d| d.created);
        match (created(id), created(child)) {
            (Some(parent), Some(child)) if parent < child => {}
            // no parent of this child: its id was given to a younger device
            _ => break,
        }
        if made_by(&id) {
            return Allocation::ByDescent(id);
        }
        child = id;
    }
    Allocation::Gone
}
