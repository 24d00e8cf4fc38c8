//! Volumes that together promise more than their pool can hold.

use crate::advise::Rule;
use crate::advise::growing::{Part, command, held_back};
use crate::advise::words::{about_pool, is_near_full};
use crate::format;
use crate::model::{Finding, Pool, Role, Severity, Topology};
use crate::units::Bytes;

pub(super) const RULE: Rule =
    Rule { code: "overcommitted", page: include_str!("../pages/overcommitted.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        found.extend(describe(topology, pool));
    }
}

/// Only volumes of LVM's: whoever made them may fill them. An engine's layers are all as large as
/// the base device and are never written again.
fn describe(topology: &Topology, pool: &Pool) -> Option<Finding> {
    let rows = pool.devices.iter().map(|ix| topology.thin(*ix));
    let volumes = rows.filter(|row| matches!(row.role, Role::Volume | Role::Snapshot));
    let sizes: Vec<u64> = volumes.filter_map(|row| row.size).map(Bytes::get).collect();
    let promised = sizes.iter().fold(0_u64, |sum, size| sum.saturating_add(*size));
    let has = pool.data_usage().map(|usage| usage.total).or(pool.data_size)?.get();
    // what LVM would add by itself counts as there
    let grows = topology.growth(pool).map_or(0, |growth| growth.free.get());
    if promised <= has.saturating_add(grows) {
        return None;
    }
    let severity = if is_near_full(pool) { Severity::Warning } else { Severity::Advice };
    let mut finding = about_pool(RULE.code, severity, topology, pool);
    let missing = promised.saturating_sub(has.saturating_add(grows));
    finding.summary = format!(
        "the {} volumes of {} promise {}, the pool has {}: if all were filled, {} would find no \
         place",
        sizes.len(),
        pool.name,
        format::long(Bytes(promised)),
        format::long(Bytes(has)),
        format::long(Bytes(missing))
    );
    finding.evidence.push(format!(
        "sum of virtual sizes: {}; data of the pool: {}; free in the VG for growing by itself: {}",
        format::exact(Bytes(promised)),
        format::exact(Bytes(has)),
        format::exact(Bytes(grows))
    ));
    let may_grow = held_back(pool, Part::Data).is_none();
    let room =
        may_grow.then(|| format!(", or give it the room: {}", command(topology, pool, Part::Data)));
    finding.remedy = format!(
        "that is what thin volumes are for, as long as somebody watches: let LVM grow the pool (see \
         autoextend-off), watch it (`thinscope check`){}",
        room.unwrap_or_default()
    );
    Some(finding)
}
