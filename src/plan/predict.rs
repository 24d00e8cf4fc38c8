//! What a topology becomes by an action: the dry run, the picture of afterwards, and what plans
//! are held against in tests. Approximate where LVM chooses.

use super::action::Action;
use super::find;
use crate::ids::{DevNo, NodeId};
use crate::model::{
    BootUnit, Kind, Mode, Node, NodeFacts, NodeIx, Pool, PoolIx, PoolState, PoolStatus, PvFacts,
    Topology, Usage,
};
use crate::units::{Bytes, DataBlocks, METADATA_BLOCK_BYTES, MetadataBlocks, Sectors};

impl Action {
    /// Does it to a topology.
    pub fn predict(&self, topology: &mut Topology) {
        match self {
            Self::CreatePv { name, .. } => add_pv(topology, name),
            Self::ExtendGroup { group, name, extents, .. } => {
                join(topology, group, name, extents.get());
            }
            Self::GrowMetadata { pool, by, spare_by } => {
                grow_metadata(topology, pool, *by, *spare_by);
            }
            Self::GrowData { pool, by, extent, .. } => grow_data(topology, pool, by.bytes(*extent)),
            Self::GrowVolume { volume, by, extent } => {
                take(topology, volume, by.bytes(*extent));
                enlarge(topology, volume, by.bytes(*extent));
            }
            Self::GrowThin { volume, to, .. } => resize(topology, volume, *to),
            Self::GrowFile { path, to } => grow_file(topology, path, *to),
            Self::GrowLoop { name, to, .. } => grow_loop(topology, name, *to),
            Self::Reload { name, new, .. } => reload(topology, name, new),
            Self::Refresh { volume } => refresh(topology, volume),
            // nothing that is looked at says how large a filesystem is
            Self::GrowFilesystem { .. } => {}
            Self::BringBack { devices } => {
                for one in devices {
                    bring_back(topology, &one.name);
                }
            }
            Self::ActivateVolume { volume, .. } => activate(topology, volume),
            Self::ActivateGroup { group } => activate_group(topology, group),
            Self::DeactivateVolume { volume } => deactivate(topology, volume),
            Self::AttachLoop { name, path, size } => attach(topology, name, (path, *size)),
            Self::CreatePool { name, table } => create_pool(topology, name, table),
            Self::WriteUnit { name, lines, .. } => write_unit(topology, name, lines),
            Self::EnableUnit { name, .. } => enable_unit(topology, name),
        }
    }
}

fn node_mut(topology: &mut Topology, wanted: impl Fn(&Node) -> bool) -> Option<&mut Node> {
    topology.nodes.iter_mut().find(|node| wanted(node))
}

fn is_volume(node: &Node, name: &str) -> bool {
    let lv = node.facts.lv.as_ref();
    lv.is_some_and(|lv| name.split_once('/') == Some((lv.vg.as_str(), lv.name.as_str())))
}

fn pool_mut<'a>(topology: &'a mut Topology, name: &str) -> Option<&'a mut Pool> {
    let ix = topology.find_pool(Some(name))?;
    topology.pools.get_mut(ix.0 as usize)
}

/// The children and the index are made from the nodes.
fn rebuild(topology: &mut Topology) {
    let old = std::mem::take(topology);
    *topology = Topology::new(old.nodes, old.pools, old.thins);
    topology.host = old.host;
}

fn add_pv(topology: &mut Topology, name: &str) {
    let Some(at) = topology
        .indices()
        .find(|ix| topology.node(*ix).device.is_some() && topology.node(*ix).name.as_str() == name)
    else {
        return;
    };
    let size = topology.node(at).size;
    topology.nodes.push(Node {
        id: NodeId::new("pv", &format!("new-{name}")),
        kind: Kind::Pv,
        name: name.into(),
        short: None,
        device: None,
        size,
        parents: vec![at],
        mountpoints: Vec::new(),
        facts: NodeFacts {
            pv: Some(Box::new(PvFacts {
                uuid: "".into(),
                vg: "".into(),
                free: size,
                missing: false,
            })),
            ..NodeFacts::default()
        },
    });
    rebuild(topology);
}

fn join(topology: &mut Topology, group: &str, name: &str, extents: u64) {
    let pv = topology.indices().find(|ix| {
        let node = topology.node(*ix);
        node.facts.pv.is_some()
            && node.parents.first().is_some_and(|on| topology.node(*on).name.as_str() == name)
    });
    let Some(pv) = pv else { return };
    if let Some(facts) =
        topology.nodes.get_mut(pv.0 as usize).and_then(|node| node.facts.pv.as_mut())
    {
        facts.vg = group.into();
    }
    if let Some(node) =
        node_mut(topology, |node| node.kind == Kind::Vg && node.name.as_str() == group)
    {
        node.parents.push(pv);
        if let Some(vg) = &mut node.facts.vg {
            let more = Bytes(extents.saturating_mul(vg.extent.unwrap_or_default().get()));
            vg.free = vg.free.map(|free| free.plus(more));
            node.size = node.size.map(|size| size.plus(more));
        }
    }
    rebuild(topology);
}

/// Takes room from the group of a volume.
fn take(topology: &mut Topology, volume: &str, bytes: Bytes) {
    let Some((group, _)) = volume.split_once('/') else { return };
    let node = node_mut(topology, |node| node.kind == Kind::Vg && node.name.as_str() == group);
    if let Some(vg) = node.and_then(|node| node.facts.vg.as_mut()) {
        vg.free = vg.free.map(|free| free.minus(bytes));
    }
}

/// A volume by so much, what LVM records and what the kernel has.
fn enlarge(topology: &mut Topology, volume: &str, by: Bytes) {
    if let Some(node) = node_mut(topology, |node| is_volume(node, volume)) {
        enlarge_node(node, by);
    }
}

fn enlarge_node(node: &mut Node, by: Bytes) {
    let lv = node.facts.lv.as_mut().and_then(|lv| {
        lv.size = Some(lv.size?.plus(by));
        lv.size
    });
    // the kernel takes the size that LVM records, however far it was behind or ahead
    node.size = lv.map_or(node.size.map(|size| size.plus(by)), |lv| node.size.map(|_| lv));
}

/// The kernel takes what LVM has recorded.
fn refresh(topology: &mut Topology, volume: &str) {
    let parts = find::pool(topology, volume)
        .map(|pool| [Some(pool.node), pool.data, pool.metadata])
        .unwrap_or_default();
    let alone = topology.indices().find(|ix| is_volume(topology.node(*ix), volume));
    for at in parts.into_iter().chain([alone]).flatten() {
        if let Some(node) = topology.nodes.get_mut(at.0 as usize) {
            node.size = node.facts.lv.as_ref().and_then(|lv| lv.size).or(node.size);
        }
    }
    take_in(topology, volume);
}

/// A pool of LVM's takes in the sizes of its devices.
fn take_in(topology: &mut Topology, pool: &str) {
    let Some(found) = find::pool(topology, pool) else { return };
    let size = |at: Option<NodeIx>| at.and_then(|ix| topology.node(ix).size);
    let (data, metadata) = (size(found.data), size(found.metadata));
    if let Some(pool) = pool_mut(topology, pool) {
        pool.data_size = data.or(pool.data_size);
        pool.metadata_size = metadata.or(pool.metadata_size);
        settle(pool);
    }
}

fn enlarge_at(topology: &mut Topology, at: Option<NodeIx>, by: Bytes) {
    if let Some(node) = at.and_then(|ix| topology.nodes.get_mut(ix.0 as usize)) {
        enlarge_node(node, by);
    }
}

fn resize(topology: &mut Topology, volume: &str, to: Bytes) {
    if let Some(node) = node_mut(topology, |node| is_volume(node, volume)) {
        node.size = Some(to);
        if let Some(lv) = &mut node.facts.lv {
            lv.size = Some(to);
        }
    }
}

fn grow_metadata(topology: &mut Topology, pool: &str, by: Bytes, spare_by: Bytes) {
    take(topology, pool, by.plus(spare_by));
    let at = find::pool(topology, pool).and_then(|pool| pool.metadata);
    enlarge_at(topology, at, by);
    let group = pool.split_once('/').map(|(group, _)| group.to_owned());
    let spare = topology.indices().find(|ix| {
        let node = topology.node(*ix);
        let lv = node.facts.lv.as_ref();
        node.kind == Kind::Pmspare && lv.is_some_and(|lv| Some(lv.vg.as_str()) == group.as_deref())
    });
    enlarge_at(topology, spare, spare_by);
    take_in(topology, pool);
}

fn grow_data(topology: &mut Topology, pool: &str, by: Bytes) {
    take(topology, pool, by);
    let Some((at, data)) = find::pool(topology, pool).map(|pool| (pool.node, pool.data)) else {
        return;
    };
    enlarge_at(topology, Some(at), by);
    enlarge_at(topology, data, by);
    take_in(topology, pool);
}

/// What the kernel's status says once a pool has taken in the sizes of its devices.
fn settle(pool: &mut Pool) {
    let block = pool.block_size.map_or(0, |block| block.bytes().get());
    let (data, metadata) = (pool.data_size, pool.metadata_size);
    let PoolState::Active(status) = &mut pool.state else { return };
    if let Some(blocks) = data.and_then(|size| size.get().checked_div(block)) {
        let was = status.data.total;
        status.data.total = was.max(DataBlocks(blocks));
        if status.data.total > was && status.mode == crate::model::Mode::OutOfDataSpace {
            status.mode = crate::model::Mode::Rw;
        }
    }
    if let Some(size) = metadata {
        let was = status.metadata.total;
        let most = super::sizing::MOST_METADATA.get().max(was.bytes().get());
        let blocks = size.get().min(most) / METADATA_BLOCK_BYTES;
        status.metadata.total = was.max(MetadataBlocks(blocks));
        if status.metadata.total > was && status.mode == crate::model::Mode::Ro {
            status.mode = crate::model::Mode::Rw;
        }
    }
}

fn grow_file(topology: &mut Topology, path: &str, to: Bytes) {
    let file = node_mut(topology, |node| node.facts.file.is_some() && node.name.as_str() == path);
    let Some(node) = file else { return };
    node.size = node.size.max(Some(to));
    if let Some(facts) = &mut node.facts.file {
        facts.apparent = facts.apparent.max(to);
    }
}

fn grow_loop(topology: &mut Topology, name: &str, to: Bytes) {
    let Some(ix) = topology.indices().find(|ix| {
        let node = topology.node(*ix);
        node.facts.loop_device.is_some() && node.name.as_str() == name
    }) else {
        return;
    };
    if let Some(node) = topology.nodes.get_mut(ix.0 as usize) {
        node.size = node.size.max(Some(to));
    }
}

/// A pool takes in the sizes that its devices have, up to the length of its table.
fn reload(topology: &mut Topology, name: &str, new: &[String]) {
    let length = new.first().and_then(|line| line.split(' ').nth(1)?.parse::<u64>().ok());
    let Some(length) = length.map(|sectors| Bytes(sectors.saturating_mul(512))) else { return };
    let Some(ix) = topology.find_pool(Some(name)) else { return };
    let metadata = topology.pool(ix).metadata.and_then(|at| topology.node(at).size);
    let at = topology.pool(ix).node;
    if let Some(node) = topology.nodes.get_mut(at.0 as usize) {
        node.size = Some(length);
        if let Some(dm) = &mut node.facts.dm {
            dm.table = new.iter().map(|line| line.as_str().into()).collect();
            dm.inactive_table = false;
        }
    }
    if let Some(pool) = topology.pools.get_mut(ix.0 as usize) {
        pool.data_size = Some(length);
        pool.metadata_size = metadata.or(pool.metadata_size);
        settle(pool);
    }
}

fn bring_back(topology: &mut Topology, name: &str) {
    for node in &mut topology.nodes {
        if let Some(dm) = &mut node.facts.dm
            && dm.name.as_str() == name
        {
            dm.suspended = false;
            dm.inactive_table = false;
        }
    }
    if let Some(pool) = pool_mut(topology, name) {
        pool.suspended = false;
    }
}

/// A number that no device has: what becomes active gets one from the kernel.
const SOME_NUMBER: DevNo = DevNo::new(0, 0);

fn activate(topology: &mut Topology, volume: &str) {
    if let Some(node) = node_mut(topology, |node| is_volume(node, volume)) {
        node.device.get_or_insert(SOME_NUMBER);
    }
    activate_pool(topology, volume);
}

fn activate_pool(topology: &mut Topology, name: &str) {
    let Some(pool) = pool_mut(topology, name) else { return };
    if matches!(pool.state, PoolState::Inactive) {
        pool.state = PoolState::Active(coming_status(pool));
    }
    let at = pool.node.0 as usize;
    if let Some(node) = topology.nodes.get_mut(at) {
        node.device.get_or_insert(SOME_NUMBER);
    }
}

/// What the status says once it is there: what its metadata says now, where that was read.
fn coming_status(pool: &Pool) -> PoolStatus {
    let contents = pool.contents.as_deref();
    let none = || (Usage::default(), Usage::default());
    let (data, metadata) = contents.map_or_else(none, |seen| (seen.data, seen.metadata));
    let needs_check = contents.map(|seen| seen.needs_check);
    PoolStatus {
        transaction_id: contents.map_or(0, |seen| seen.transaction),
        metadata,
        data,
        held_root: contents.and_then(|seen| seen.held_root),
        mode: if needs_check == Some(true) { Mode::Ro } else { Mode::Rw },
        discard: None,
        no_space: None,
        needs_check,
        metadata_low_water: None,
        more: Vec::new(),
    }
}

fn activate_group(topology: &mut Topology, group: &str) {
    let volumes: Vec<String> = topology
        .nodes
        .iter()
        .filter_map(|node| node.facts.lv.as_ref())
        .filter(|lv| lv.vg.as_str() == group)
        .map(|lv| format!("{}/{}", lv.vg, lv.name))
        .collect();
    for volume in &volumes {
        activate(topology, volume);
    }
}

fn deactivate(topology: &mut Topology, volume: &str) {
    if let Some(node) = node_mut(topology, |node| is_volume(node, volume)) {
        node.device = None;
    }
}

fn attach(topology: &mut Topology, name: &str, (path, size): (&str, Bytes)) {
    let file = topology.indices().find(|ix| {
        let node = topology.node(*ix);
        node.facts.file.is_some() && node.name.as_str() == path
    });
    let size = file.and_then(|ix| topology.node(ix).size).or(Some(size));
    topology.nodes.push(Node {
        id: NodeId::new("loop", name),
        kind: Kind::Loop,
        name: name.into(),
        short: None,
        device: Some(SOME_NUMBER),
        size,
        parents: file.into_iter().collect(),
        mountpoints: Vec::new(),
        facts: NodeFacts {
            loop_device: Some(Box::new(crate::model::LoopFacts {
                backing_file: path.into(),
                deleted: false,
                offset: crate::units::Sectors(0),
                autoclear: false,
            })),
            ..NodeFacts::default()
        },
    });
    rebuild(topology);
}

fn create_pool(topology: &mut Topology, name: &str, table: &str) {
    if topology.find_pool(Some(name)).is_none() {
        add_pool(topology, name, table);
    }
    activate_pool(topology, name);
}

/// A pool that only an earlier look knew.
fn add_pool(topology: &mut Topology, name: &str, table: &str) {
    let mut words = table.split(' ').skip(1);
    let length = words.next().and_then(|word| word.parse().ok()).map(Sectors);
    let part = |word: Option<&str>| {
        let word = word?;
        let is = |node: &Node| match word.strip_prefix("/dev/") {
            Some(name) => node.name.as_str() == name && node.device.is_some(),
            None => node.device.is_some_and(|device| device.to_string() == word),
        };
        topology.indices().find(|ix| is(topology.node(*ix)))
    };
    let (metadata, data) = (part(words.nth(1)), part(words.next()));
    let block_size = words.next().and_then(|word| word.parse().ok()).map(Sectors);
    let at = NodeIx(u32::try_from(topology.nodes.len()).unwrap_or(u32::MAX));
    let ix = PoolIx(u32::try_from(topology.pools.len()).unwrap_or(u32::MAX));
    topology.nodes.push(Node {
        id: NodeId::new(Kind::Pool.name(), name),
        kind: Kind::Pool,
        name: name.into(),
        short: None,
        device: None,
        size: length.map(Sectors::bytes),
        parents: [metadata, data].into_iter().flatten().collect(),
        mountpoints: Vec::new(),
        facts: NodeFacts { pool: Some(ix), ..NodeFacts::default() },
    });
    let (data_size, metadata_size) =
        (length.map(Sectors::bytes), metadata.and_then(|at| topology.node(at).size));
    topology.pools.push(Pool {
        block_size,
        data,
        metadata,
        data_size,
        metadata_size,
        ..Pool::unknown(at, name.into())
    });
    rebuild(topology);
}

fn write_unit(topology: &mut Topology, name: &str, lines: &[String]) {
    let lines = lines.iter().map(|line| line.as_str().into()).collect();
    let units = topology.host.units.get_or_insert_default();
    match units.iter_mut().find(|unit| unit.name.as_str() == name) {
        Some(unit) => unit.lines = lines,
        None => units.push(BootUnit { name: name.into(), lines, enabled: false }),
    }
}

fn enable_unit(topology: &mut Topology, name: &str) {
    let mut units = topology.host.units.iter_mut().flatten();
    if let Some(unit) = units.find(|unit| unit.name.as_str() == name) {
        unit.enabled = true;
    }
}
