//! A pool that the kernel has larger than LVM does: a table of LVM's that was never committed was
//! resumed. LVM's own size is too small for it from then on, so that every refresh and every
//! activation fails; the cure is to extend the volume to what the kernel has, never to refresh
//! (`facts.md`, "Killed in the middle").

use crate::model::{NodeIx, Pool, PoolState, Topology};
use crate::plan::sizing::extents_up;
use crate::plan::{Action, Check, Draft, Refusal, find};
use crate::units::{Bytes, DataBlocks, METADATA_BLOCK_BYTES, MetadataBlocks};

/// One part of a pool that is so.
pub(super) struct Ahead {
    metadata: bool,
    /// What LVM calls the part, `VG/LV`.
    part: String,
    /// What the kernel has recorded.
    kernel: Bytes,
    /// The size of the device under it, which may be more: what runs is not made smaller.
    device: Bytes,
    /// What LVM has.
    committed: Bytes,
}

/// The parts that are so.
pub(super) fn find(topology: &Topology, pool: &Pool) -> Vec<Ahead> {
    if pool.lv.is_none() {
        return Vec::new();
    }
    let Some((data, metadata)) = recorded(pool) else { return Vec::new() };
    let part = |at: Option<NodeIx>, kernel: Option<Bytes>, metadata: bool| {
        let node = topology.node(at?);
        let lv = node.facts.lv.as_deref()?;
        let (committed, kernel) = (lv.size?, kernel?);
        let device = node.device.and(node.size).unwrap_or_default();
        let part = format!("{}/{}", lv.vg, lv.name);
        (kernel > committed).then_some(Ahead { metadata, part, kernel, device, committed })
    };
    // metadata first, as it grows first
    [part(pool.metadata, metadata, true), part(pool.data, data, false)]
        .into_iter()
        .flatten()
        .collect()
}

/// What the kernel has recorded, by its status, else by the pool's own metadata.
fn recorded(pool: &Pool) -> Option<(Option<Bytes>, Option<Bytes>)> {
    let (block, data, metadata) = match (&pool.state, &pool.contents) {
        (PoolState::Active(status), _) => {
            (pool.block_size, status.data.total, status.metadata.total)
        }
        (PoolState::Inactive, Some(contents)) => {
            (Some(contents.block_size), contents.data.total, contents.metadata.total)
        }
        _ => return None,
    };
    Some((block.map(|block| data.bytes(block)), Some(metadata.bytes())))
}

/// The step that has LVM take it, or the command where thinscope does not do it.
pub(super) fn add(
    draft: &mut Draft,
    (topology, pool): (&Topology, &Pool),
    ahead: &Ahead,
) -> Result<(), Refusal> {
    let volume = pool.lv.as_ref().map(ToString::to_string).unwrap_or_default();
    let (group, _) = volume.split_once('/').unwrap_or((&volume, ""));
    let facts = find::group(topology, group).and_then(|group| group.facts.vg.as_deref());
    let room = facts.and_then(|vg| Some((vg.extent.filter(|extent| extent.get() > 0)?, vg.free?)));
    let by = |extent: Bytes| {
        let to = extents_up(ahead.kernel.max(ahead.device), extent);
        to.minus(extents_up(ahead.committed, extent))
    };
    let (extent, free) = room.ok_or_else(|| refusal(pool, ahead, &volume, ""))?;
    let bytes = by(extent).bytes(extent);
    let to = ahead.committed.plus(bytes);
    // LVM's spare for repairs follows the largest metadata of its group
    let spare = find::spare(topology, group).filter(|_| ahead.metadata);
    let spare_by = spare.map_or(Bytes(0), |spare| to.minus(spare));
    let needed = bytes.plus(spare_by);
    if needed > free {
        let lacks = format!("; {group} lacks the room: give it a device first (vgextend)");
        return Err(refusal(pool, ahead, &volume, &lacks));
    }
    // an inactive pool would be taken for what LVM has while it is extended
    if !find::is_active(pool) {
        return Err(refusal(pool, ahead, &volume, "; activate it afterwards"));
    }
    let name = pool.name.to_string();
    let before = vec![
        Check::VolumeIs { volume: ahead.part.clone(), size: ahead.committed },
        Check::Free { group: group.to_owned(), least: needed },
    ];
    let total = if ahead.metadata {
        let least = MetadataBlocks(ahead.kernel.get() / METADATA_BLOCK_BYTES);
        Check::MetadataBlocks { pool: name.clone(), least }
    } else {
        let block = pool.block_size.map_or(1, |block| block.bytes().get().max(1));
        Check::DataBlocks { pool: name.clone(), least: DataBlocks(ahead.kernel.get() / block) }
    };
    let after = vec![
        Check::VolumeSize { volume: ahead.part.clone(), least: to },
        total,
        Check::PoolWorks { pool: name },
    ];
    let action = if ahead.metadata {
        Action::GrowMetadata { pool: volume, by: bytes, spare_by }
    } else {
        Action::GrowData { pool: volume, by: by(extent), extent, all: false }
    };
    draft.push(action, words(pool, ahead), (before, after));
    Ok(())
}

fn words(pool: &Pool, ahead: &Ahead) -> String {
    format!(
        "the kernel has recorded {} bytes of {} for {} and LVM has {}: a size that LVM never \
         committed was resumed. LVM takes it; a refresh would fail, and so would the next \
         activation",
        ahead.kernel.get(),
        if ahead.metadata { "metadata" } else { "data" },
        pool.name,
        ahead.committed.get()
    )
}

fn refusal(pool: &Pool, ahead: &Ahead, volume: &str, more: &str) -> Refusal {
    let size = ahead.kernel.max(ahead.device).get();
    let volume = if ahead.metadata { &ahead.part } else { volume };
    Refusal::new(format!(
        "{}. By hand: `lvextend -L {size}b {volume}`{more}; never `lvchange --refresh`",
        words(pool, ahead)
    ))
}
