//! The commands that give a pool more room, as far as they can be told from what was seen.

use super::words::shell;
use crate::format;
use crate::model::growth::METADATA_MAX;
use crate::model::{Pool, PoolKind, Topology};
use crate::units::Bytes;

const MIB: u64 = 1 << 20;

/// How more data blocks come about.
pub(super) fn more_data(topology: &Topology, pool: &Pool) -> String {
    let Some(lv) = &pool.lv else { return without_lvm(pool, "data") };
    let target = shell(lv.as_str());
    match free_in_vg(topology, pool) {
        Some((vg, Bytes(0))) => {
            format!("add a disk, `vgextend {vg} DEVICE`, then `lvextend -l +50%FREE {target}`")
        }
        Some((vg, free)) => {
            format!("`lvextend -l +50%FREE {target}` (the VG {vg} has {} free)", format::long(free))
        }
        None => format!("`lvextend -l +50%FREE {target}`"),
    }
}

/// How more metadata blocks come about.
pub(super) fn more_metadata(topology: &Topology, pool: &Pool) -> String {
    let Some(lv) = &pool.lv else { return without_lvm(pool, "metadata") };
    let target = shell(lv.as_str());
    let present = pool.metadata_size.or(pool.metadata_usage().map(|usage| usage.total));
    if present.is_some_and(|size| size >= METADATA_MAX) {
        return format!(
            "metadata is at its largest possible size ({}): remove snapshots and layers that are \
             no longer needed",
            format::long(METADATA_MAX)
        );
    }
    let double = step(present);
    match free_in_vg(topology, pool) {
        Some((vg, free)) if free.0 < double => format!(
            "add a disk, `vgextend {vg} DEVICE`, then `lvextend --poolmetadatasize +{}M {target}`",
            double / MIB
        ),
        _ => format!("`lvextend --poolmetadatasize +{}M {target}`", double / MIB),
    }
}

/// As much again as there is, whole MiB, at least 64 MiB, never above the largest useful size.
fn step(present: Option<Bytes>) -> u64 {
    let present = present.map_or(0, Bytes::get);
    let room = METADATA_MAX.get().saturating_sub(present);
    let wanted = present.max(64 * MIB).min(room);
    (wanted / MIB).max(1) * MIB
}

fn without_lvm(pool: &Pool, what: &str) -> String {
    match pool.kind {
        PoolKind::LoopLvm => format!("grow the {what} file, its loop device and the pool's table"),
        _ => format!("grow the {what} device, then the pool's table"),
    }
}

/// The VG of a pool as a shell takes it, and how much of it is free.
pub(super) fn free_in_vg(topology: &Topology, pool: &Pool) -> Option<(String, Bytes)> {
    let node = topology.vg_of(pool)?;
    Some((shell(node.name.as_str()), node.facts.vg.as_ref()?.free?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_grows_by_as_much_again_within_what_the_kernel_uses() {
        assert_eq!(step(None), 64 * MIB);
        assert_eq!(step(Some(Bytes(4 * MIB))), 64 * MIB);
        assert_eq!(step(Some(Bytes(1020 * MIB))), 1020 * MIB);
        let near_the_end = Bytes(METADATA_MAX.get() - 10 * MIB);
        assert_eq!(step(Some(near_the_end)), 10 * MIB);
    }
}
