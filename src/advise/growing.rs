//! The commands that give a pool more room, as far as they can be told from what was seen; and what
//! has to come before them, where a growth would be refused or would not happen.

mod own;

use super::words::{metadata_full, shell};
use crate::format;
use crate::model::growth::METADATA_MAX;
use crate::model::{Cure, Mode, Pool, Topology};
use crate::units::Bytes;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Data or metadata.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Data,
    Metadata,
}

impl Part {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Metadata => "metadata",
        }
    }
}

/// What to do for more of a part, and the wizard that does it.
pub(super) fn more(topology: &Topology, pool: &Pool, part: Part) -> (String, Cure) {
    let (how, cure) = match part {
        Part::Data => (more_data(topology, pool), Cure::GrowData),
        Part::Metadata => (more_metadata(topology, pool), Cure::GrowMetadata),
    };
    let name = part.name();
    match held_back(pool, part) {
        Some(first) => (format!("{first}; then grow the {name}: {how}"), Cure::ByHand),
        None if part == Part::Metadata && at_most(pool) => (how, Cure::ByHand),
        None => (format!("grow the {name}: {how}"), cure),
    }
}

/// The same where nothing holds it back, with `thinscope grow` beside LVM's own command.
pub(super) fn with_command(topology: &Topology, pool: &Pool, part: Part) -> String {
    let (how, _) = more(topology, pool, part);
    match how.strip_prefix(&format!("grow the {}: ", part.name())) {
        Some(by_hand) if pool.lv.is_some() => {
            format!("grow the {}: {}, or {by_hand}", part.name(), command(topology, pool, part))
        }
        _ => how,
    }
}

/// What has to come before a growth: until then `thinscope grow` refuses it, and `lvextend` reports
/// it as done and nothing happens (`facts.md`), or hangs.
pub(super) fn held_back(pool: &Pool, part: Part) -> Option<&'static str> {
    if pool.suspended {
        return Some("bring it back first (see pool-suspended), for until then growing hangs");
    }
    let status = pool.status()?;
    if status.needs_check == Some(true) {
        return Some(
            "clear needs_check first (see pool-needs-check), for until then growing is reported as \
             done and does not happen",
        );
    }
    match (status.mode == Mode::Ro, metadata_full(status), part) {
        (true, true, Part::Data) => {
            Some("grow the metadata first (see pool-metadata-full), for that is full as well")
        }
        (true, false, _) => Some(
            "find out first why it is read-only (see pool-read-only), for until then growing does \
             not happen",
        ),
        _ => None,
    }
}

/// `thinscope grow` of a part by a size that makes sense, as far as the VG has it.
pub(super) fn command(topology: &Topology, pool: &Pool, part: Part) -> String {
    let (name, what) = (shell(pool.name.as_str()), part.name());
    let free = topology.vg_of(pool).and_then(|vg| vg.facts.vg.as_ref()?.free);
    match (part, free) {
        (Part::Data, Some(free)) if has_half(topology, pool) => {
            format!("`thinscope grow {name} --data +{}`", typed(Bytes(free.get() / 2)))
        }
        (Part::Data, Some(_)) => {
            format!("`thinscope grow {name} --add-pv DEVICE --data 100%FREE`")
        }
        (Part::Metadata, Some(_)) if short_of(topology, pool).is_some() => format!(
            "`thinscope grow {name} --add-pv DEVICE --metadata +{}`",
            typed(step_of(pool, part))
        ),
        _ => format!("`thinscope grow {name} --{what} +{}`", typed(step_of(pool, part))),
    }
}

/// How more data blocks come about.
pub(super) fn more_data(topology: &Topology, pool: &Pool) -> String {
    let Some(lv) = &pool.lv else { return own::grow(topology, pool, Part::Data) };
    let target = shell(lv.as_str());
    match free_in_vg(topology, pool) {
        Some((vg, _)) if !has_half(topology, pool) => {
            format!("add a disk, `vgextend {vg} DEVICE`, then `lvextend -l +50%FREE {target}`")
        }
        Some((vg, free)) => {
            format!("`lvextend -l +50%FREE {target}` (the VG {vg} has {} free)", format::long(free))
        }
        None => format!("`lvextend -l +50%FREE {target}`"),
    }
}

/// Whether half of what the VG has free is an extent at least.
fn has_half(topology: &Topology, pool: &Pool) -> bool {
    let facts = topology.vg_of(pool).and_then(|vg| vg.facts.vg.as_ref());
    let Some(free) = facts.and_then(|vg| vg.free) else { return true };
    let extent = facts.and_then(|vg| vg.extent).map_or(MIB, Bytes::get);
    free.get() / 2 >= extent.max(1)
}

/// How more metadata blocks come about.
pub(super) fn more_metadata(topology: &Topology, pool: &Pool) -> String {
    if at_most(pool) {
        return format!(
            "metadata is at its largest possible size ({}): remove snapshots and layers that are \
             no longer needed",
            format::long(METADATA_MAX)
        );
    }
    let Some(lv) = &pool.lv else { return own::grow(topology, pool, Part::Metadata) };
    let by = step_of(pool, Part::Metadata).get() / MIB;
    let extend = format!("`lvextend --poolmetadatasize +{by}M {}`", shell(lv.as_str()));
    match short_of(topology, pool) {
        Some(short) => format!("{short}, then {extend}"),
        None => extend,
    }
}

/// What is done first where the VG lacks the room for the metadata's step together with LVM's
/// spare for repairs, which grows with it.
pub(super) fn short_of(topology: &Topology, pool: &Pool) -> Option<String> {
    let (vg, free) = free_in_vg(topology, pool)?;
    let group = topology.vg_of(pool)?;
    let extent = group.facts.vg.as_ref()?.extent.map_or(1, Bytes::get).max(1);
    let whole = |size: Bytes| Bytes(size.get().div_ceil(extent).saturating_mul(extent));
    let by = whole(step_of(pool, Part::Metadata));
    let grown = metadata_of(pool).unwrap_or_default().plus(by);
    let spare = topology.spare_of(group).and_then(|spare| spare.size);
    let spare_by = spare.map_or(Bytes(0), |spare| whole(grown.minus(spare)));
    let needed = by.plus(spare_by);
    let spare = if spare_by.get() == 0 { "" } else { " with LVM's spare" };
    (needed > free).then(|| {
        format!(
            "add a disk (it takes {}{spare}, the VG {vg} has {} free), `vgextend {vg} DEVICE`",
            format::long(needed),
            format::long(free)
        )
    })
}

fn at_most(pool: &Pool) -> bool {
    metadata_of(pool).is_some_and(|size| size >= METADATA_MAX)
}

fn metadata_of(pool: &Pool) -> Option<Bytes> {
    pool.metadata_size.or(pool.metadata_usage().map(|usage| usage.total))
}

fn data_of(pool: &Pool) -> Option<Bytes> {
    pool.data_usage().map(|usage| usage.total).or(pool.data_size)
}

/// By how much a part grows.
fn step_of(pool: &Pool, part: Part) -> Bytes {
    match part {
        Part::Data => Bytes(data_step(data_of(pool))),
        Part::Metadata => Bytes(step(metadata_of(pool))),
    }
}

/// A fifth of what there is, as LVM's own percent is, in whole GiB.
fn data_step(present: Option<Bytes>) -> u64 {
    (present.map_or(0, Bytes::get) / 5).div_ceil(GIB).max(1) * GIB
}

/// As much again as there is, whole MiB, at least 64 MiB, never above the largest useful size.
fn step(present: Option<Bytes>) -> u64 {
    let present = present.map_or(0, Bytes::get);
    let room = METADATA_MAX.get().saturating_sub(present);
    let wanted = present.max(64 * MIB).min(room);
    (wanted / MIB).max(1) * MIB
}

/// A size as `thinscope grow` takes it, in whole MiB or GiB.
fn typed(size: Bytes) -> String {
    let whole = size.get() >= GIB && size.get().is_multiple_of(GIB);
    if whole { format!("{}G", size.get() / GIB) } else { format!("{}M", (size.get() / MIB).max(1)) }
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

    #[test]
    fn data_grows_by_a_fifth_in_whole_gibibytes() {
        assert_eq!(data_step(None), GIB);
        assert_eq!(data_step(Some(Bytes(4 * GIB))), GIB);
        assert_eq!(data_step(Some(Bytes(5 * GIB + 5))), 2 * GIB);
        assert_eq!(data_step(Some(Bytes(100 * GIB))), 20 * GIB);
    }

    #[test]
    fn a_size_is_typed_in_the_largest_unit_that_has_no_remainder() {
        assert_eq!(typed(Bytes(20 * GIB)), "20G");
        assert_eq!(typed(Bytes(1020 * MIB)), "1020M");
        assert_eq!(typed(Bytes(1536 * MIB)), "1536M");
        // 156.5 MiB, the half of what a VG has
        assert_eq!(typed(Bytes(164_102_144)), "156M");
        assert_eq!(typed(Bytes(1)), "1M");
    }
}
