//! Rows of `tree --json`: one node each.

use serde::ser::{Serialize, Serializer};

use crate::ids::{DevNo, NodeId, ThinId};
use crate::model::{DmFacts, FileFacts, Kind, LoopFacts, LvFacts, Node, NodeIx, PvFacts, VgFacts};
use crate::model::{ThinDevice, Topology};
use crate::text::Printable;
use crate::units::Bytes;

/// All nodes of a topology, parents before children.
pub(super) struct Nodes<'a>(pub(super) &'a Topology);

impl Serialize for Nodes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.nodes.iter().map(|node| Row::new(self.0, node)))
    }
}

#[derive(serde::Serialize)]
struct Row<'a> {
    id: &'a NodeId,
    kind: Kind,
    name: &'a Printable,
    short: Option<&'a Printable>,
    device: Option<DevNo>,
    size_bytes: Option<Bytes>,
    parents: Parents<'a>,
    mountpoints: &'a [Printable],
    active: Option<bool>,
    suspended: Option<bool>,
    dm_name: Option<&'a Printable>,
    dm_uuid: Option<&'a Printable>,
    lv_uuid: Option<&'a Printable>,
    pool: Option<&'a Printable>,
    thin_id: Option<ThinId>,
    role: Option<&'static str>,
    label: Option<String>,
    mapped_bytes: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dm: Option<DmRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lv: Option<LvRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pv: Option<PvRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vg: Option<VgRow<'a>>,
    #[serde(rename = "loop", skip_serializing_if = "Option::is_none")]
    loop_device: Option<LoopRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<FileRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a Printable>,
}

impl<'a> Row<'a> {
    fn new(topology: &'a Topology, node: &'a Node) -> Self {
        let facts = &node.facts;
        let (dm, lv) = (facts.dm.as_deref(), facts.lv.as_deref());
        let thin = facts.thin.map(|ix| topology.thin(ix));
        Self {
            id: &node.id,
            kind: node.kind,
            name: &node.name,
            short: node.short.as_ref(),
            device: node.device,
            size_bytes: node.size,
            parents: Parents { topology, parents: &node.parents },
            mountpoints: &node.mountpoints,
            active: has_device(node.kind).then_some(node.device.is_some()),
            suspended: dm.map(|dm| dm.suspended),
            dm_name: dm.map(|dm| &dm.name).or(thin.and_then(|thin| thin.dm_name.as_ref())),
            dm_uuid: dm.map(|dm| &dm.uuid).filter(|uuid| !uuid.is_empty()),
            lv_uuid: lv.map(|lv| &lv.uuid),
            pool: pool_name(topology, node, thin),
            thin_id: thin.and_then(|thin| thin.id),
            role: thin.map(|thin| thin.role.name()),
            label: thin.map(|thin| thin.label().into_owned()),
            mapped_bytes: thin.and_then(|thin| thin.mapped),
            dm: dm.map(DmRow::new),
            lv: lv.map(LvRow::new),
            pv: facts.pv.as_deref().map(PvRow::new),
            vg: facts.vg.as_deref().map(VgRow::new),
            loop_device: facts.loop_device.as_deref().map(LoopRow::new),
            file: facts.file.as_deref().map(FileRow::new),
            note: facts.note.as_ref(),
        }
    }
}

/// Whether nodes of this kind are block devices, which may be active or not.
const fn has_device(kind: Kind) -> bool {
    !matches!(kind, Kind::Pv | Kind::Vg | Kind::File)
}

fn pool_name<'a>(
    topology: &'a Topology,
    node: &Node,
    thin: Option<&ThinDevice>,
) -> Option<&'a Printable> {
    let ix = node.facts.pool.or(thin.map(|thin| thin.pool))?;
    Some(&topology.pool(ix).name)
}

struct Parents<'a> {
    topology: &'a Topology,
    parents: &'a [NodeIx],
}

impl Serialize for Parents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.parents.iter().map(|ix| &self.topology.node(*ix).id))
    }
}

#[derive(serde::Serialize)]
struct DmRow<'a> {
    open_count: i32,
    event_nr: u32,
    read_only: bool,
    deferred_remove: bool,
    inactive_table: bool,
    table: &'a [Printable],
    status: Option<&'a [Printable]>,
}

impl<'a> DmRow<'a> {
    fn new(dm: &'a DmFacts) -> Self {
        Self {
            open_count: dm.open_count,
            event_nr: dm.event_nr,
            read_only: dm.read_only,
            deferred_remove: dm.deferred_remove,
            inactive_table: dm.inactive_table,
            table: &dm.table,
            status: dm.status.as_deref(),
        }
    }
}

#[derive(serde::Serialize)]
struct LvRow<'a> {
    vg: &'a Printable,
    name: &'a Printable,
    attr: &'a Printable,
    segtype: &'a Printable,
    origin: Option<&'a Printable>,
    pool: Option<&'a Printable>,
    tags: &'a [Printable],
}

impl<'a> LvRow<'a> {
    fn new(lv: &'a LvFacts) -> Self {
        Self {
            vg: &lv.vg,
            name: &lv.name,
            attr: &lv.attr,
            segtype: &lv.segtype,
            origin: lv.origin.as_ref(),
            pool: lv.pool.as_ref(),
            tags: &lv.tags,
        }
    }
}

#[derive(serde::Serialize)]
struct PvRow<'a> {
    uuid: &'a Printable,
    vg: Option<&'a Printable>,
    free_bytes: Option<Bytes>,
    missing: bool,
}

impl<'a> PvRow<'a> {
    fn new(pv: &'a PvFacts) -> Self {
        Self {
            uuid: &pv.uuid,
            vg: Some(&pv.vg).filter(|vg| !vg.is_empty()),
            free_bytes: pv.free,
            missing: pv.missing,
        }
    }
}

#[derive(serde::Serialize)]
struct VgRow<'a> {
    uuid: &'a Printable,
    attr: &'a Printable,
    free_bytes: Option<Bytes>,
    extent_bytes: Option<Bytes>,
    missing_pvs: u64,
}

impl<'a> VgRow<'a> {
    fn new(vg: &'a VgFacts) -> Self {
        Self {
            uuid: &vg.uuid,
            attr: &vg.attr,
            free_bytes: vg.free,
            extent_bytes: vg.extent,
            missing_pvs: vg.missing_pvs,
        }
    }
}

#[derive(serde::Serialize)]
struct LoopRow<'a> {
    backing_file: &'a Printable,
    deleted: bool,
    offset_bytes: Bytes,
    autoclear: bool,
}

impl<'a> LoopRow<'a> {
    fn new(facts: &'a LoopFacts) -> Self {
        Self {
            backing_file: &facts.backing_file,
            deleted: facts.deleted,
            offset_bytes: facts.offset.bytes(),
            autoclear: facts.autoclear,
        }
    }
}

#[derive(serde::Serialize)]
struct FileRow {
    apparent_bytes: Bytes,
    allocated_bytes: Bytes,
}

impl FileRow {
    const fn new(file: &FileFacts) -> Self {
        Self { apparent_bytes: file.apparent, allocated_bytes: file.allocated }
    }
}
