//! Where containerd's record of a device disagrees with the kernel, with its snapshots or with
//! itself (`formats.md` 3.3, 3.7).
//!
//! Pure. A record is one of several that are written one after another while something is made
//! or removed, so what may be such a moment is told only when nobody works on the databases.

use std::collections::HashSet;

use super::claims::device_name;
use super::devices::{Device, IdIs, PoolRecord};
use super::state::State;
use super::{ContainerdFacts, Home};
use crate::ids::ThinId;
use crate::model::Engine;
use crate::model::engine::{EngineFacts, IdsInUse, Misfit, Mismatch};
use crate::text::Printable;

/// For so many seconds nothing must have been written by a running daemon: making a filesystem on
/// a new device is the longest that it does between two writes.
const STILL: u64 = 60;

/// What device-mapper has under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmIs {
    /// Nothing.
    Absent,
    /// A device of which every target is `error`.
    Error,
    /// A device.
    There,
}

/// What the kernel says of a pool and its devices.
pub struct Kernel<'a> {
    /// What has a name: `Ok` where looks before and after containerd's databases were read tell,
    /// `Err` with what one look saw where there was no other yet.
    pub device: &'a dyn Fn(&[u8]) -> Result<DmIs, DmIs>,
    /// The pool is active.
    pub pool_active: bool,
    /// The ids that were in the pool before the databases were read and after, in order; `None`
    /// where they were not read then.
    pub ids: Option<Vec<ThinId>>,
}

/// What one home says of one pool, and whether something was seen that a second look may explain.
pub fn engine_facts(
    facts: &ContainerdFacts,
    root_index: usize,
    kernel: &Kernel<'_>,
) -> Option<(EngineFacts, bool)> {
    let home = facts.homes.get(root_index)?;
    let mut said = EngineFacts::new(Engine::Containerd, home.root.clone());
    said.configured = home.configured;
    said.daemon_runs = home.running;
    said.beside.clone_from(&home.beside);
    let Some(record) = &home.devices else { return Some((said, false)) };
    let quiet = is_quiet(home);
    let mut unsure = false;
    for device in &record.devices {
        said.mismatches.extend(of_record(device, quiet));
        match of_kernel(home, device, kernel) {
            Verdict::Fits => {}
            Verdict::Misfit(what) => said.mismatches.push(mismatch(device, what)),
            Verdict::LookAgain => unsure = true,
        }
    }
    if quiet {
        said.mismatches.extend(of_snapshots(home, record, facts.numbers_beside(home).as_ref()));
    }
    said.mismatches.extend(of_ids(record));
    said.in_use = in_use(record, kernel);
    Some((said, unsure))
}

/// Nobody is in the middle of anything.
fn is_quiet(home: &Home) -> bool {
    home.running == Some(false) || home.still.is_some_and(|still| still >= STILL)
}

fn mismatch(device: &Device, what: Misfit) -> Mismatch {
    Mismatch {
        device: Printable::from_bytes(&device.name),
        id: device.id,
        state: device.state.name(),
        what,
    }
}

/// What the record alone says.
fn of_record(device: &Device, quiet: bool) -> Option<Mismatch> {
    match device.state {
        State::Faulty => Some(mismatch(device, Misfit::Faulty(device.error.clone()))),
        state if state.is_unfinished() && quiet => Some(mismatch(device, Misfit::Unfinished)),
        _ => None,
    }
}

/// What the kernel has of a device against the record.
enum Verdict {
    Fits,
    Misfit(Misfit),
    LookAgain,
}

/// A start of containerd's activates what is missing, so only a daemon that has started already
/// leaves it so.
fn of_kernel(home: &Home, device: &Device, kernel: &Kernel<'_>) -> Verdict {
    let should_be =
        device.state == State::Activated && home.running == Some(true) && kernel.pool_active;
    match (kernel.device)(&device.name) {
        Ok(DmIs::Error) => Verdict::Misfit(Misfit::ErrorTarget),
        Ok(DmIs::Absent) if should_be => Verdict::Misfit(Misfit::NotActive),
        Err(DmIs::Error) => Verdict::LookAgain,
        Err(DmIs::Absent) if should_be => Verdict::LookAgain,
        _ => Verdict::Fits,
    }
}

/// Devices without a snapshot, and snapshots without a device. The two databases are written one
/// after the other. Of what failed, only the device is left, and is told already.
/// `numbers` are those that have a device in any pool of the folder.
fn of_snapshots(home: &Home, record: &PoolRecord, numbers: Option<&HashSet<u64>>) -> Vec<Mismatch> {
    let Some(snapshots) = &home.snapshots else { return Vec::new() };
    let has_none = |device: &&Device| {
        let number = device.snapshot();
        !number.is_some_and(|number| snapshots.by_id.contains_key(&number))
            && !matches!(device.state, State::Removed | State::Faulty)
            && !device.state.is_unfinished()
    };
    let devices = record.devices.iter().filter(has_none);
    let mut found: Vec<_> = devices.map(|one| mismatch(one, Misfit::NoSnapshot)).collect();
    let Some(numbers) = numbers else { return found };
    let mut left: Vec<u64> =
        snapshots.by_id.keys().copied().filter(|number| !numbers.contains(number)).collect();
    left.sort_unstable();
    found.extend(left.into_iter().map(|number| Mismatch {
        device: Printable::from_bytes(&device_name(&home.pool, number)),
        id: None,
        state: "",
        what: Misfit::NoDevice,
    }));
    found
}

/// Ids that are taken by nobody: a device and its id are written in one transaction.
fn of_ids(record: &PoolRecord) -> Vec<Mismatch> {
    let had: HashSet<ThinId> = record.devices.iter().filter_map(|device| device.id).collect();
    let taken = record.ids.iter().filter(|(_, is)| **is == IdIs::Taken);
    let ids = taken.filter_map(|(id, _)| ThinId::new(std::str::from_utf8(id).ok()?.parse().ok()?));
    let mut left: Vec<ThinId> = ids.filter(|id| !had.contains(id)).collect();
    left.sort_unstable();
    let of = |id| Mismatch {
        device: Printable::default(),
        id: Some(id),
        state: "",
        what: Misfit::IdOfNobody,
    };
    left.into_iter().map(of).collect()
}

/// Ids in the pool that containerd would give out: creating a device with one fails.
fn in_use(record: &PoolRecord, kernel: &Kernel<'_>) -> Option<IdsInUse> {
    if record.devices.iter().any(|device| device.id.is_none()) {
        return None;
    }
    let had: HashSet<ThinId> = record.devices.iter().filter_map(|device| device.id).collect();
    let to_come = |id: ThinId| match record.id_is(id) {
        Some(IdIs::Free) => true,
        Some(_) => false,
        None => u64::from(id.get()) > record.last_id,
    };
    let ids = kernel.ids.as_ref()?.iter().copied();
    let ids: Vec<_> = ids.filter(|id| !had.contains(id) && to_come(*id)).collect();
    (!ids.is_empty()).then(|| IdsInUse { ids, next: record.next_id() })
}
