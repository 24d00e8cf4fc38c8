//! Device-mapper devices that are neither LVM's nor thin: crypt, multipath, raw linear ones …

use super::build::{Build, activate, node};
use super::disks::set_parents;
use super::index::{DmAt, is_pool, is_thin};
use crate::model::{Kind, NodeIx};
use crate::probe::block::natural;
use crate::probe::dm::SeenDm;
use crate::probe::dm::table::Target;
use crate::text::Printable;

/// Adds all that no other part of the assembly takes. A device that could not be asked waits:
/// a thin device's table may show that it is a pool.
pub(super) fn add_others(build: &mut Build<'_>) {
    let mut others: Vec<(DmAt, &SeenDm)> = (build.index.all())
        .filter(|(at, seen)| {
            let lvm = build.index.lvm.get(*at).is_some_and(Option::is_some);
            !lvm && !is_pool(seen) && !is_thin(seen) && seen.unseen.is_none()
        })
        .collect();
    others.sort_by_cached_key(|(_, seen)| natural(&seen.device.name.0));
    for (_, seen) in others {
        add_other(build, seen, kind_of(seen));
    }
}

/// Adds one device of a kind.
pub(super) fn add_other(build: &mut Build<'_>, seen: &SeenDm, kind: Kind) -> NodeIx {
    let mut node = node(kind, &identity(seen), "".into());
    activate(&mut node, seen);
    let at = build.add(node);
    build.link_later(at);
    at
}

/// A device-mapper uuid stays over a reboot; without one the name must do.
pub(super) fn identity(seen: &SeenDm) -> String {
    let what = if seen.device.uuid.0.is_empty() { &seen.device.name } else { &seen.device.uuid };
    Printable::from_bytes(&what.0).to_string()
}

/// What a device is, by its targets; a table of several kinds is nothing special.
pub(super) fn kind_of(seen: &SeenDm) -> Kind {
    if is_partition(&seen.device.uuid.0) {
        return Kind::Part;
    }
    let mut kinds = seen.targets.iter().map(kind_of_target);
    match kinds.next() {
        Some(first) if kinds.all(|kind| kind == first) => first,
        _ => Kind::Other,
    }
}

fn kind_of_target(target: &Target) -> Kind {
    match target {
        Target::ThinPool(_) => Kind::Pool,
        Target::Thin(_) => Kind::Thin,
        Target::Linear(_) => Kind::Linear,
        Target::Crypt => Kind::Crypt,
        Target::Raid | Target::Mirror => Kind::Raid,
        Target::Cache => Kind::Cache,
        Target::Snapshot => Kind::Snapshot,
        Target::Error => Kind::Error,
        Target::Zero => Kind::Zero,
        Target::Vdo => Kind::Vdo,
        Target::Multipath => Kind::Mpath,
        Target::Striped | Target::Unknown => Kind::Other,
    }
}

/// kpartx names partitions of multipath and array devices so: `part1-mpath-…`.
fn is_partition(uuid: &[u8]) -> bool {
    let Some(rest) = uuid.strip_prefix(b"part") else { return false };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    digits > 0 && rest.get(digits) == Some(&b'-')
}

/// Lets every device that waited rest on what the kernel says it depends on.
pub(super) fn link(build: &mut Build<'_>) {
    for at in std::mem::take(&mut build.unlinked) {
        let Some(dev) = build.node(at).and_then(|node| node.device) else { continue };
        let Some((_, seen)) = build.index.by_dev(dev) else { continue };
        let parents: Vec<NodeIx> =
            seen.device.deps.iter().filter_map(|dep| build.by_dev.get(dep).copied()).collect();
        if !parents.is_empty() {
            set_parents(build, at, parents);
        }
    }
}
