//! What the grow wizards ask, what they suggest, and the devices they offer.

use super::form::{AmountField, DeviceField, Field, Form, Part};
use super::offer::Kind;
use crate::format;
use crate::intent::Amount;
use crate::model::{Kind as NodeKind, Node, NodeIx, Pool, Topology, VgFacts};
use crate::plan::sizing::{MOST_METADATA, extents_down, extents_of_pv};
use crate::plan::{self, Around, DeviceSeen};
use crate::tui::edit::Edit;
use crate::units::Bytes;

/// Of a pool's size is kept free: the step that Docker's documents set for LVM's autoextend.
const RESERVE: u64 = 5;

/// The questions about a pool.
pub(super) fn pool_form(kind: Kind, target: &str, topology: &Topology) -> Form {
    let pool = topology.find_pool(Some(target)).map(|ix| topology.pool(ix));
    let mut fields: Vec<Field> = [Part::Data, Part::Metadata]
        .into_iter()
        .map(|part| amount(part, pool.map(|pool| now(topology, pool, part)).unwrap_or_default()))
        .collect();
    if pool.is_some_and(|pool| pool.lv.is_some()) {
        let may = topology.indices().filter(|ix| plan::may_join(topology, *ix));
        fields.extend(may.map(|ix| device(topology, ix)));
    }
    let focus = match kind {
        Kind::GrowMetadata => 1,
        Kind::GrowDisk if fields.len() > 2 => 2,
        _ => 0,
    };
    let has_group = pool.is_some_and(|pool| lies_in_group(topology, pool));
    Form { fields, focus, has_group }
}

/// Whether a pool takes the room of a volume group: its own, or that of a volume that it lies on.
fn lies_in_group(topology: &Topology, pool: &Pool) -> bool {
    let on_volume = |ix: &NodeIx| topology.node(*ix).facts.lv.is_some();
    group_of(topology, pool).is_some() || pool.data.iter().chain(&pool.metadata).any(on_volume)
}

/// The question about a thin volume.
pub(super) fn volume_form(target: &str, topology: &Topology) -> Form {
    let node = topology.nodes.iter().find(|node| is_volume(node, target));
    let size = node.and_then(|node| node.size);
    let now = size.map(|size| format!("now {}", format::exact(size))).unwrap_or_default();
    Form { fields: vec![amount(Part::Size, now)], ..Form::default() }
}

fn is_volume(node: &Node, name: &str) -> bool {
    let lv = node.facts.lv.as_ref();
    lv.is_some_and(|lv| name.split_once('/') == Some((lv.vg.as_str(), lv.name.as_str())))
}

const fn amount(part: Part, now: String) -> Field {
    let edit = Edit::empty();
    let room = String::new();
    Field::Amount(AmountField { part, edit, touched: false, now, room, wrong: None })
}

/// What a part of a pool has, how much of it is used, and what its group has free.
fn now(topology: &Topology, pool: &Pool, part: Part) -> String {
    let usage = if part == Part::Data { pool.data_usage() } else { pool.metadata_usage() };
    let Some(usage) = usage else { return String::new() };
    let percent = usage.used.get().saturating_mul(100).checked_div(usage.total.get());
    let used = match percent {
        Some(0) if usage.used.get() > 0 => ", under 1% used".to_owned(),
        Some(percent) => format!(", {percent}% used"),
        None => String::new(),
    };
    let free = group_of(topology, pool)
        .and_then(|(name, vg)| Some(format!("; {name} has {} free", format::long(vg.free?))))
        .unwrap_or_default();
    format!("now {}{used}{free}", format::long(usage.total))
}

/// The volume group of a pool that LVM owns.
pub(super) fn group_of<'a>(topology: &'a Topology, pool: &Pool) -> Option<(&'a str, &'a VgFacts)> {
    let (group, _) = pool.lv.as_ref()?.as_str().split_once('/')?;
    let node = topology
        .nodes
        .iter()
        .find(|node| node.kind == NodeKind::Vg && node.name.as_str() == group)?;
    Some((node.name.as_str(), node.facts.vg.as_deref()?))
}

fn device(topology: &Topology, ix: NodeIx) -> Field {
    let node = topology.node(ix);
    let mapped = node.facts.dm.as_ref();
    let path = mapped
        .map_or_else(|| format!("/dev/{}", node.name), |dm| format!("/dev/mapper/{}", dm.name));
    let size = node.size.map_or_else(|| "?".to_owned(), format::long);
    let model = node.facts.note.as_ref().map(|model| format!(", {model}")).unwrap_or_default();
    Field::Device(DeviceField {
        path,
        node: ix,
        number: node.device,
        about: format!("{size} {}{model}", node.kind.name()),
        holds: String::new(),
        taken: false,
        wrong: None,
    })
}

/// The room under the files of a pool; `None` where it lies in no file, or was not seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rooms {
    data: Option<Bytes>,
    metadata: Option<Bytes>,
}

impl Rooms {
    /// As it was looked at.
    pub(super) fn new(target: &str, topology: &Topology, around: &Around) -> Self {
        let pool = topology.find_pool(Some(target)).map(|ix| topology.pool(ix));
        let room = |part: Option<NodeIx>| {
            let below = topology.node(part?).facts.loop_device.as_ref()?;
            around.spaces.get(below.backing_file.as_str()).copied()
        };
        let data = pool.and_then(|pool| room(pool.data));
        Self { data, metadata: pool.and_then(|pool| room(pool.metadata)) }
    }

    /// Under a part.
    pub(super) const fn of(&self, part: Part) -> Option<Bytes> {
        match part {
            Part::Data => self.data,
            Part::Metadata => self.metadata,
            Part::Size => None,
        }
    }
}

/// The room under a file, in words.
pub(super) fn room(room: Bytes) -> String {
    format!("the filesystem of its file has {} left", format::long(room))
}

/// What lies on a device, in words.
pub(super) fn holds(seen: Option<&DeviceSeen>) -> String {
    match seen.and_then(|seen| seen.signatures.as_ref()) {
        None => "what lies on it was not seen".to_owned(),
        Some(Err(why)) => format!("what lies on it could not be read: {why}"),
        Some(Ok(found)) if found.is_empty() => "nothing on it".to_owned(),
        Some(Ok(found)) => format!("holds {}, which would be lost", found.join(", ")),
    }
}

/// What is suggested for a field: empty for nothing.
pub(super) fn suggestion(
    (kind, part): (Kind, Part),
    target: &str,
    topology: &Topology,
    (taken, rooms): (&[NodeIx], &Rooms),
) -> String {
    let Some(pool) = topology.find_pool(Some(target)).map(|ix| topology.pool(ix)) else {
        return String::new();
    };
    let amount = match (kind, part) {
        (Kind::GrowMetadata, Part::Metadata) => metadata(topology, pool),
        (Kind::GrowData | Kind::GrowDisk, Part::Data) => data(topology, pool, taken, rooms),
        _ => None,
    };
    amount.map(|amount| amount.to_string()).unwrap_or_default()
}

/// All that is free, less a step of LVM's autoextend; where there is not that much, less what a
/// repair needs for a copy of the metadata.
fn data(topology: &Topology, pool: &Pool, taken: &[NodeIx], rooms: &Rooms) -> Option<Amount> {
    let total = pool.data_usage()?.total;
    let reserve = Bytes(total.get() / RESERVE);
    let Some((_, vg)) = group_of(topology, pool) else {
        return without_group(topology, pool, rooms);
    };
    let extent = vg.extent?;
    let new = taken.iter().filter_map(|ix| topology.node(*ix).size);
    let new = new.map(|size| extents_of_pv(size, extent).bytes(extent));
    let free = new.fold(vg.free?, Bytes::plus);
    let free = extents_down(free, extent).bytes(extent);
    if free.get() == 0 {
        return None;
    }
    let copy = pool.metadata_usage().map_or(Bytes(0), |usage| usage.total);
    let keep = [reserve, copy].into_iter().find(|keep| *keep < free).unwrap_or_default();
    let more = extents_down(free.minus(keep), extent).bytes(extent);
    Some(if keep.get() > 0 && more.get() > 0 { Amount::By(more) } else { Amount::AllFree })
}

/// A file grows by the same step, where its filesystem has that; a device below may have more
/// than the pool has taken in.
fn without_group(topology: &Topology, pool: &Pool, rooms: &Rooms) -> Option<Amount> {
    let total = pool.data_usage()?.total;
    let below = topology.node(pool.data?);
    if below.facts.loop_device.is_some() {
        let step = whole_mib(Bytes(total.get() / RESERVE));
        return rooms.data.is_none_or(|room| room >= step).then_some(Amount::By(step));
    }
    Some(Amount::AllFree)
}

/// As much again as there is, as far as there is room for it and its spare.
fn metadata(topology: &Topology, pool: &Pool) -> Option<Amount> {
    let total = pool.metadata_size.or(pool.metadata_usage().map(|usage| usage.total))?;
    let most = total.min(MOST_METADATA.minus(total));
    let Some((_, vg)) = group_of(topology, pool) else {
        return some(whole_mib(most));
    };
    let extent = vg.extent?;
    let room = Bytes(vg.free?.get() / 2);
    some(extents_down(most.min(room), extent).bytes(extent))
}

fn some(bytes: Bytes) -> Option<Amount> {
    (bytes.get() > 0).then_some(Amount::By(bytes))
}

const fn whole_mib(bytes: Bytes) -> Bytes {
    let mib = bytes.0 >> 20;
    Bytes((if mib == 0 { 1 } else { mib }) << 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample::direct_lvm;

    fn has_group(change: impl FnOnce(&mut crate::model::sample::Parts)) -> bool {
        let mut parts = direct_lvm();
        change(&mut parts);
        pool_form(Kind::GrowData, "docker-thinpool", &parts.topology()).has_group
    }

    #[test]
    fn all_that_is_free_means_something_where_a_group_has_the_pool_or_what_it_lies_on() {
        assert!(has_group(|_| ()));
        // also where what is free was not seen, so that no words say so
        assert!(has_group(|parts| {
            parts.nodes[2].facts.vg.as_mut().expect("the third node is the VG").free = None;
        }));
        // a pool that LVM does not own, over volumes
        assert!(has_group(|parts| parts.pool.lv = None));
        assert!(!has_group(|parts| {
            parts.pool.lv = None;
            parts.nodes.iter_mut().for_each(|node| node.facts.lv = None);
        }));
    }
}
