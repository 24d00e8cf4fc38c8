//! Small hosts for tests of what is drawn and advised: a direct-lvm host as the lab has it, with
//! knobs. Compiled for tests only.

use super::{
    Container, ContainerState, DmFacts, Engine, Kind, LvFacts, Mode, NoSpace, Node, NodeFacts,
    NodeIx, Pool, PoolIx, PoolKind, PoolState, PoolStatus, PvFacts, Role, Snapshot, ThinDevice,
    ThinIx, Topology, Usage, VgFacts,
};
use super::{HostLine, Origin};
use crate::ids::{DevNo, NodeId, ThinId};
use crate::text::Printable;
use crate::units::{Bytes, DataBlocks, MetadataBlocks, Sectors};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// A node without parents.
pub(crate) fn node(kind: Kind, name: &str, size: u64) -> Node {
    Node {
        id: NodeId::new(kind.name(), name),
        kind,
        name: name.into(),
        short: None,
        device: None,
        size: Some(Bytes(size)),
        parents: Vec::new(),
        mountpoints: Vec::new(),
        facts: NodeFacts::default(),
    }
}

/// An active device-mapper device with one line of table and of status.
pub(crate) fn dm(name: &str, table: &str, status: &str) -> DmFacts {
    DmFacts {
        name: name.into(),
        uuid: "".into(),
        suspended: false,
        read_only: false,
        open_count: 0,
        event_nr: 0,
        deferred_remove: false,
        inactive_table: false,
        table: vec![table.into()],
        status: Some(vec![status.into()]),
    }
}

/// A thin device of the first pool.
pub(crate) fn thin(node: u32, id: u64, role: Role, name: &str) -> ThinDevice {
    ThinDevice {
        pool: PoolIx(0),
        node: NodeIx(node),
        id: ThinId::new(id),
        role,
        engine: Engine::Docker,
        name: name.into(),
        dm_name: Some(format!("docker-254:1-131-{name}").into()),
        images: Vec::new(),
        position: None,
        chain_id: None,
        container: None,
        parent: None,
        size: Some(Bytes(10 * GIB)),
        mapped: None,
        exclusive: None,
        shared: None,
        delta: None,
        times: None,
        transaction_id: Some(id),
        deferred_deletion: false,
        active: false,
        suspended: false,
        mountpoint: None,
        claims: Vec::new(),
        note: None,
    }
}

/// A running container's name and state.
pub(crate) fn container(name: &str, state: ContainerState) -> Container {
    Container {
        id: "c".repeat(64).into(),
        name: name.into(),
        state: Some(state),
        pod: None,
        namespace: None,
    }
}

/// A healthy status: 10 % of data, 2 % of metadata.
pub(crate) fn status() -> PoolStatus {
    PoolStatus {
        transaction_id: 24,
        metadata: Usage { used: MetadataBlocks(5222), total: MetadataBlocks(261_120) },
        data: Usage { used: DataBlocks(19_456), total: DataBlocks(194_560) },
        held_root: None,
        mode: Mode::Rw,
        discard: Some("discard_passdown".into()),
        no_space: Some(NoSpace::Queue),
        needs_check: Some(false),
        metadata_low_water: Some(MetadataBlocks(1024)),
        more: Vec::new(),
    }
}

/// A direct-lvm pool: `docker/thinpool`, device 253:2, on the fourth to sixth node.
pub(crate) fn pool(state: PoolState) -> Pool {
    Pool {
        node: NodeIx(6),
        name: "docker-thinpool".into(),
        lv: Some("docker/thinpool".into()),
        kind: PoolKind::DirectLvm,
        state,
        suspended: false,
        block_size: Some(Sectors(1024)),
        low_water: Some(DataBlocks(38_912)),
        options: vec!["skip_block_zeroing".into()],
        data: Some(NodeIx(5)),
        metadata: Some(NodeIx(4)),
        data_size: Some(Bytes(95 * GIB)),
        metadata_size: Some(Bytes(1020 * MIB)),
        engines: vec![Engine::Docker],
        monitor: Some("monitored".into()),
        profile: Some("docker-thinpool".into()),
        policy: None,
        policy_hidden_in: None,
        engine_facts: Vec::new(),
        lvm_transaction_id: Some(0),
        vg_text: None,
        devices: Vec::new(),
        contents: None,
        driver_status: vec![
            ("Pool Name".into(), "docker-thinpool".into()),
            ("Pool Blocksize".into(), "524.3kB".into()),
        ],
        driver_status_unknown: vec!["Library Version".into()],
        driver_status_unseen: Vec::new(),
    }
}

/// The parts of a topology, to be changed before it is put together.
pub(crate) struct Parts {
    /// Nodes: disk, PV, VG, spare, tmeta, tdata, pool, then the thin devices.
    pub(crate) nodes: Vec<Node>,
    /// One pool.
    pub(crate) pool: Pool,
    /// Its thin devices.
    pub(crate) thins: Vec<ThinDevice>,
}

impl Parts {
    /// Adds a thin device with its node.
    pub(crate) fn add(&mut self, mut thin: ThinDevice) {
        let (ix, at) = (ix(self.thins.len()), ix(self.nodes.len()));
        let name = thin.dm_name.clone().unwrap_or_else(|| thin.name.clone());
        let mut node = node(Kind::Thin, name.as_str(), 10 * GIB);
        node.parents = vec![NodeIx(6)];
        node.device = thin.active.then(|| DevNo::new(253, 10 + ix));
        node.mountpoints.extend(thin.mountpoint.clone());
        node.facts.thin = Some(ThinIx(ix));
        thin.node = NodeIx(at);
        self.pool.devices.push(ThinIx(ix));
        self.nodes.push(node);
        self.thins.push(thin);
    }

    /// Adds a thin device to the pool.
    pub(crate) fn add_thin(&mut self, thin: ThinDevice) {
        self.pool.devices.push(ThinIx(ix(self.thins.len())));
        self.thins.push(thin);
    }

    /// The pool and its two volumes are not in the kernel.
    pub(crate) fn deactivate(&mut self) {
        self.pool.state = PoolState::Inactive;
        for node in &mut self.nodes[4..=6] {
            (node.device, node.facts.dm) = (None, None);
        }
    }

    /// Puts it together.
    pub(crate) fn topology(self) -> Topology {
        Topology::new(self.nodes, vec![self.pool], self.thins)
    }

    /// Puts it together, with nothing else to say.
    pub(crate) fn snapshot(self) -> Snapshot {
        Snapshot {
            generation: 1,
            origin: Origin::Live,
            host: HostLine {
                name: "web-3".into(),
                kernel: "6.1.0".into(),
                time: 1_700_000_000,
                root: true,
            },
            sources: Vec::new(),
            topology: std::sync::Arc::new(self.topology()),
            findings: Vec::new(),
            gaps: Vec::new(),
            trends: std::sync::Arc::default(),
        }
    }
}

fn ix(at: usize) -> u32 {
    u32::try_from(at).expect("samples are small")
}

/// A healthy direct-lvm host: a base, two layers of `app:1`, a running container over its init
/// layer.
pub(crate) fn direct_lvm() -> Parts {
    let mut parts =
        Parts { nodes: lvm_nodes(), pool: pool(PoolState::Active(status())), thins: Vec::new() };
    let hash = |digit: &str| digit.repeat(64);
    parts.add(thin(0, 1, Role::Base, "base"));
    for (id, at) in [(2, 1), (3, 2)] {
        let mut layer = thin(0, id, Role::ImageLayer, &hash(&id.to_string()));
        layer.images = vec!["app:1".into()];
        layer.position = Some((at, 2));
        layer.parent = ThinId::new(id - 1);
        parts.add(layer);
    }
    let mut init = thin(0, 4, Role::ContainerInit, &format!("{}-init", hash("5")));
    init.parent = ThinId::new(3);
    init.container = Some(container("web", ContainerState::Running));
    parts.add(init);
    let mut web = thin(0, 5, Role::Container, &hash("5"));
    web.parent = ThinId::new(4);
    web.container = Some(container("web", ContainerState::Running));
    web.active = true;
    web.mapped = Some(Bytes(160 * MIB));
    web.mountpoint = Some("/var/lib/docker/devicemapper/mnt/5".into());
    parts.add(web);
    parts
}

fn lvm_nodes() -> Vec<Node> {
    let mut disk = node(Kind::Disk, "vdb", 100 * GIB);
    disk.device = Some(DevNo::new(254, 16));
    let mut pv = node(Kind::Pv, "vdb", 100 * GIB);
    pv.parents = vec![NodeIx(0)];
    pv.facts.pv = Some(Box::new(PvFacts {
        uuid: "aaaaaa-bbbb".into(),
        vg: "docker".into(),
        free: Some(Bytes(3 * GIB)),
        missing: false,
    }));
    let mut vg = node(Kind::Vg, "docker", 100 * GIB);
    vg.parents = vec![NodeIx(1)];
    vg.facts.vg = Some(Box::new(VgFacts {
        uuid: "cccccc-dddd".into(),
        free: Some(Bytes(3 * GIB)),
        extent: Some(Bytes(4 * MIB)),
        missing_pvs: 0,
        attr: "wz--n-".into(),
        mda_size: None,
        mda_free: None,
        autoactivation: None,
    }));
    let mut spare = node(Kind::Pmspare, "docker-lvol0_pmspare", 1020 * MIB);
    spare.short = Some("lvol0_pmspare".into());
    spare.parents = vec![NodeIx(2)];
    let mut pool = part(Kind::Pool, "thinpool", 95 * GIB, 2, "twi-aot---");
    pool.parents = vec![NodeIx(5), NodeIx(4)];
    pool.facts.pool = Some(PoolIx(0));
    let line = "0 199229440 thin-pool";
    pool.facts.dm = Some(Box::new(dm(
        "docker-thinpool",
        &format!("{line} 253:0 253:1 1024 38912 1 skip_block_zeroing"),
        &format!(
            "{line} 24 5222/261120 19456/194560 - rw discard_passdown queue_if_no_space - 1024"
        ),
    )));
    let tmeta = part(Kind::Tmeta, "thinpool_tmeta", 1020 * MIB, 0, "ewi-ao----");
    let tdata = part(Kind::Tdata, "thinpool_tdata", 95 * GIB, 1, "Twi-ao----");
    vec![disk, pv, vg, spare, tmeta, tdata, pool]
}

/// An active LV of the VG `docker`.
fn part(kind: Kind, lv: &str, size: u64, minor: u32, attr: &str) -> Node {
    let name = format!("docker-{lv}");
    let mut part = node(kind, &name, size);
    part.short = Some(lv.into());
    part.device = Some(DevNo::new(253, minor));
    part.parents = vec![NodeIx(2)];
    part.facts.dm = Some(Box::new(dm(&name, "0 8 linear 254:16 2048", "0 8 linear")));
    part.facts.lv = Some(Box::new(lv_facts(lv, attr)));
    part
}

fn lv_facts(lv: &str, attr: &str) -> LvFacts {
    let none = || Printable::from_text("");
    LvFacts {
        vg: "docker".into(),
        name: lv.into(),
        uuid: "eeeeee-ffff".into(),
        size: None,
        attr: attr.into(),
        segtype: "linear".into(),
        origin: None,
        pool: None,
        monitor: none(),
        profile: none(),
        tags: Vec::new(),
        autoactivation: None,
    }
}
