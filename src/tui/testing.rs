//! Hosts that never were, for the tests of the screen: made of the same types as real ones.

use std::sync::Arc;

use crate::ids::{DevNo, NodeId, ThinId};
use crate::model::{
    BootUnit, Claim, Container, ContainerState, DmFacts, Engine, FileFacts, Finding, Gap, HostLine,
    Kind, LoopFacts, LvFacts, Mode, NoSpace, Node, NodeFacts, NodeIx, Origin, Pool, PoolIx,
    PoolKind, PoolState, PoolStatus, PvFacts, Role, Severity, Snapshot, SourceAge, ThinDevice,
    ThinIx, Topology, Usage, VgFacts,
};
use crate::text::Printable;
use crate::units::{Bytes, DataBlocks, MetadataBlocks, Sectors};

pub(crate) const GIB: u64 = 1 << 30;
pub(crate) const MIB: u64 = 1 << 20;

/// A host in the making.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) nodes: Vec<Node>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) thins: Vec<ThinDevice>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) sources: Vec<SourceAge>,
    pub(crate) units: Option<Vec<BootUnit>>,
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("a test has few nodes")
}

impl Host {
    /// A node that rests on others.
    pub(crate) fn node(&mut self, kind: Kind, name: &str, parents: &[NodeIx], size: u64) -> NodeIx {
        let ix = NodeIx(index(self.nodes.len()));
        let device = match kind {
            Kind::Pv | Kind::Vg | Kind::File => None,
            _ => Some(DevNo::new(253, ix.0)),
        };
        self.nodes.push(Node {
            id: NodeId::new(kind.name(), name),
            kind,
            name: name.into(),
            short: None,
            device,
            size: Some(Bytes(size)),
            parents: parents.to_vec(),
            mountpoints: Vec::new(),
            facts: NodeFacts::default(),
        });
        ix
    }

    pub(crate) fn at(&mut self, ix: NodeIx) -> &mut Node {
        &mut self.nodes[ix.0 as usize]
    }

    /// A PV with free space.
    pub(crate) fn pv(&mut self, on: NodeIx, vg: &str, size: u64, free: u64) -> NodeIx {
        let name = self.at(on).name.to_string();
        let ix = self.node(Kind::Pv, &name, &[on], size);
        let count = self.nodes.iter().filter(|node| node.kind == Kind::Pv).count();
        self.at(ix).facts.pv = Some(Box::new(PvFacts {
            uuid: format!("Qx1cAb-0000-0000-0000-0000-0000-{count:06}").into(),
            vg: vg.into(),
            free: Some(Bytes(free)),
            missing: false,
        }));
        ix
    }

    pub(crate) fn vg(&mut self, name: &str, pvs: &[NodeIx], size: u64, free: u64) -> NodeIx {
        let ix = self.node(Kind::Vg, name, pvs, size);
        self.at(ix).facts.vg = Some(Box::new(VgFacts {
            uuid: "Zz9dEf-0000-0000-0000-0000-0000-000002".into(),
            free: Some(Bytes(free)),
            extent: Some(Bytes(4 * MIB)),
            missing_pvs: 0,
            attr: "wz--n-".into(),
            mda_size: None,
            mda_free: None,
            autoactivation: None,
        }));
        ix
    }

    pub(crate) fn lv(&mut self, kind: Kind, vg: NodeIx, name: &str, size: u64) -> NodeIx {
        let group = self.at(vg).name.clone();
        let ix = self.node(kind, &format!("{group}-{name}"), &[vg], size);
        let node = self.at(ix);
        node.short = Some(name.into());
        node.facts.lv = Some(Box::new(LvFacts {
            vg: group,
            name: name.into(),
            uuid: "Lv0000-0000-0000-0000-0000-0000-000003".into(),
            size: None,
            attr: "-wi-ao----".into(),
            segtype: "linear".into(),
            origin: None,
            pool: None,
            monitor: Printable::from_text(""),
            profile: Printable::from_text(""),
            tags: Vec::new(),
            autoactivation: None,
        }));
        ix
    }

    /// A pool over data and metadata; active, reading and writing.
    pub(crate) fn pool(
        &mut self,
        node: NodeIx,
        halves: (NodeIx, NodeIx),
        kind: PoolKind,
    ) -> PoolIx {
        let ix = PoolIx(index(self.pools.len()));
        let (data, metadata) = halves;
        let data_size = self.at(data).size;
        let metadata_size = self.at(metadata).size;
        let name = self.at(node).name.clone();
        self.at(node).facts.pool = Some(ix);
        self.at(node).facts.dm = Some(Box::new(dm(name.as_str())));
        let total = data_size.unwrap_or_default().get() / (512 << 10);
        self.pools.push(Pool {
            node,
            name,
            lv: None,
            kind,
            state: PoolState::Active(PoolStatus {
                transaction_id: 24,
                metadata: Usage { used: MetadataBlocks(23_000), total: MetadataBlocks(261_120) },
                data: Usage { used: DataBlocks(total * 61 / 100), total: DataBlocks(total) },
                held_root: None,
                mode: Mode::Rw,
                discard: Some("discard_passdown".into()),
                no_space: Some(NoSpace::Queue),
                needs_check: Some(false),
                metadata_low_water: Some(MetadataBlocks(1024)),
                more: Vec::new(),
            }),
            suspended: false,
            block_size: Some(Sectors(1024)),
            low_water: Some(DataBlocks(32768)),
            options: vec!["skip_block_zeroing".into()],
            data: Some(data),
            metadata: Some(metadata),
            data_size,
            metadata_size,
            engines: vec![Engine::Docker],
            monitor: Some("monitored".into()),
            profile: None,
            policy: None,
            policy_hidden_in: None,
            engine_facts: Vec::new(),
            lvm_transaction_id: Some(0),
            vg_text: None,
            devices: Vec::new(),
            contents: None,
            driver_status: Vec::new(),
            driver_status_unknown: Vec::new(),
            driver_status_unseen: Vec::new(),
        });
        ix
    }

    /// A thin device.
    pub(crate) fn thin(
        &mut self,
        pool: PoolIx,
        id: u32,
        role: Role,
        name: &str,
    ) -> &mut ThinDevice {
        let over = self.pools[pool.0 as usize].node;
        let node_name = format!("docker-8:1-77-{name}");
        let node = self.node(Kind::Thin, &node_name, &[over], 10 * GIB);
        let ix = ThinIx(index(self.thins.len()));
        let unique = format!("{}/{id}", self.pools[pool.0 as usize].name);
        let at = self.at(node);
        at.id = NodeId::new("thin", &unique);
        at.device = None;
        at.facts.thin = Some(ix);
        self.pools[pool.0 as usize].devices.push(ix);
        self.thins.push(ThinDevice {
            pool,
            node,
            id: ThinId::new(u64::from(id)),
            role,
            engine: Engine::Docker,
            name: name.into(),
            dm_name: Some(node_name.into()),
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
            transaction_id: Some(u64::from(id) + 1),
            deferred_deletion: false,
            active: false,
            suspended: false,
            mountpoint: None,
            claims: Vec::new(),
            note: None,
        });
        self.thins.last_mut().expect("one was pushed")
    }

    /// A chain of layers on a device; answers the ids.
    pub(crate) fn layers(&mut self, pool: PoolIx, on: u32, ids: &[u32], images: &[&str]) {
        let mut parent = on;
        let below =
            self.thins.iter().find(|d| d.pool == pool && d.id.is_some_and(|id| id.get() == on));
        let below = below.and_then(|device| device.position).map_or(0, |(at, _)| at);
        for (at, id) in (1 + below..).zip(ids) {
            let hash = format!("{:0>64}", format!("{id:x}"));
            let hash = hash.replace("00000000000", "9f3ac1d2e4b");
            let device = self.thin(pool, *id, Role::ImageLayer, &hash);
            device.parent = ThinId::new(u64::from(parent));
            device.images = images.iter().map(|image| (*image).into()).collect();
            device.position = Some((at, below + index(ids.len())));
            device.mapped = Some(Bytes((60 + 20 * u64::from(at)) * MIB));
            parent = *id;
        }
    }

    /// Also names an image whose chain holds these layers.
    pub(crate) fn image_holds(&mut self, image: &str, ids: &[u32]) {
        for device in &mut self.thins {
            if device.id.is_some_and(|id| ids.contains(&id.get())) {
                device.images.push(image.into());
            }
        }
    }

    /// A container with its init layer; ids `id` and `id + 1`.
    pub(crate) fn container(
        &mut self,
        pool: PoolIx,
        on: u32,
        id: u32,
        name: &str,
        state: ContainerState,
    ) {
        let hash = format!("{id:0>64x}").replace("0000", "c0de");
        let container = Container {
            id: hash.as_str().into(),
            name: name.into(),
            state: Some(state),
            pod: None,
            namespace: None,
        };
        let init = self.thin(pool, id, Role::ContainerInit, &format!("{hash}-init"));
        init.parent = ThinId::new(u64::from(on));
        init.container = Some(container.clone());
        init.mapped = Some(Bytes(161 * MIB));
        let device = self.thin(pool, id + 1, Role::Container, &hash);
        device.parent = ThinId::new(u64::from(id));
        device.container = Some(container);
        device.mapped = Some(Bytes(170 * MIB));
        if matches!(state, ContainerState::Running | ContainerState::Paused) {
            device.active = true;
            let node = device.node;
            self.at(node).device = Some(DevNo::new(254, id));
        }
    }

    pub(crate) fn finding(
        &mut self,
        severity: Severity,
        code: &'static str,
        node: NodeIx,
        summary: &str,
    ) {
        let (id, subject) = (self.at(node).id.clone(), self.at(node).name.clone());
        self.findings.push(Finding {
            code,
            severity,
            subject,
            node: Some(id),
            summary: summary.to_owned(),
            evidence: vec!["0 199229440 thin-pool 24 …".to_owned()],
            remedy: "Free space in the pool or grow it.".to_owned(),
            cure: crate::model::Cure::AsItsPage,
        });
        self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    }

    pub(crate) fn snapshot(self) -> Arc<Snapshot> {
        let mut topology = Topology::new(self.nodes, self.pools, self.thins);
        topology.host.units = self.units;
        Arc::new(Snapshot {
            generation: 1,
            origin: Origin::Live,
            host: HostLine {
                name: "web-3".into(),
                kernel: "6.1.0".into(),
                time: 1_795_255_200,
                root: true,
            },
            sources: self.sources,
            topology: Arc::new(topology),
            findings: self.findings,
            gaps: self.gaps,
            trends: std::sync::Arc::default(),
        })
    }
}

fn dm(name: &str) -> DmFacts {
    DmFacts {
        name: name.into(),
        uuid: "LVM-aaaabbbb".into(),
        suspended: false,
        read_only: false,
        open_count: 3,
        event_nr: 7,
        deferred_remove: false,
        inactive_table: false,
        table: vec!["0 199229440 thin-pool 253:2 253:3 1024 32768 1 skip_block_zeroing".into()],
        status: None,
    }
}

/// The moment at which the sources of the example answered.
pub(crate) const ANSWERED_MS: i64 = 1_795_255_200_000;

/// A host with direct-lvm over two PVs: two images that share five layers, one with two tags,
/// containers in all states, leaked and missing devices, hostile names; beside it a loop-lvm pool.
pub(crate) fn web_3() -> Host {
    let mut host = Host::default();
    let answered = |source| SourceAge {
        source,
        answered_at_ms: Some(ANSWERED_MS),
        asking_since_ms: None,
        silent: false,
        failed: false,
        progress: None,
    };
    host.sources = vec![answered("dm"), answered("lvm"), answered("docker")];
    let xvda = host.node(Kind::Disk, "xvda", &[], 20 * GIB);
    let root = host.node(Kind::Part, "xvda1", &[xvda], 20 * GIB - MIB);
    host.at(root).mountpoints = vec!["/".into()];
    let pool = direct_lvm(&mut host);
    host.thin(pool, 1, Role::Base, "base").mapped = Some(Bytes(49 * MIB));
    host.layers(pool, 1, &[2, 3, 4, 5, 6], &["ubuntu:16.04"]);
    host.layers(pool, 6, &[7, 8], &["app:one", "app:latest"]);
    host.image_holds("app:one", &[2, 3, 4, 5, 6]);
    host.image_holds("app:latest", &[2, 3, 4, 5, 6]);
    host.layers(pool, 1, &[30], &["registry.local:5000/team/busybox:stable"]);
    host.layers(pool, 1, &[40, 41], &[]);
    host.container(pool, 6, 10, "web", ContainerState::Running);
    host.container(pool, 8, 12, "api", ContainerState::Paused);
    host.container(pool, 8, 14, "batch", ContainerState::Exited);
    host.container(pool, 6, 16, "fresh", ContainerState::Created);
    host.container(pool, 30, 18, "gone", ContainerState::Dead);
    host.container(pool, 30, 20, "evil\x1b[31m\u{202e}name\u{1f600}", ContainerState::Running);
    let leaked = host.thin(pool, 17_000, Role::Leaked, "");
    (leaked.engine, leaked.mapped) = (Engine::Unknown, Some(Bytes(GIB)));
    let leaked = leaked.node;
    host.thin(pool, 99, Role::Missing, &"d".repeat(64)).mapped = None;
    host.thin(pool, 23, Role::BuildCache, &"b".repeat(64));
    let two = host.thin(pool, 24, Role::Unknown, &"e".repeat(64));
    two.claims = vec![
        Claim { engine: Engine::Docker, name: "a".into(), by: "metadata/a".into() },
        Claim { engine: Engine::Docker, name: "b".into(), by: "metadata/b".into() },
    ];
    loop_lvm(&mut host);
    let over = host.pools[pool.0 as usize].node;
    host.finding(
        Severity::Warning,
        "autoextend-cannot-act",
        over,
        "docker-thinpool cannot grow by itself: 80% asks 19.0 GiB, the VG has 3.0 GiB",
    );
    host.finding(Severity::Advice, "device-leaked", leaked, "device 17000 has no owner: 1.0 GiB");
    host
}

#[expect(clippy::similar_names, reason = "disks are named like that")]
fn direct_lvm(host: &mut Host) -> PoolIx {
    let xvdf = host.node(Kind::Disk, "xvdf", &[], 100 * GIB);
    let xvdg = host.node(Kind::Disk, "xvdg", &[], 50 * GIB);
    let pvs = [host.pv(xvdf, "docker", 100 * GIB, 0), host.pv(xvdg, "docker", 50 * GIB, 3 * GIB)];
    let vg = host.vg("docker", &pvs, 150 * GIB, 3 * GIB);
    host.lv(Kind::Pmspare, vg, "lvol0_pmspare", 1020 * MIB);
    let metadata = host.lv(Kind::Tmeta, vg, "thinpool_tmeta", 1020 * MIB);
    let data = host.lv(Kind::Tdata, vg, "thinpool_tdata", 95 * GIB);
    let node = host.lv(Kind::Pool, vg, "thinpool", 95 * GIB);
    host.at(node).parents = vec![data, metadata];
    let pool = host.pool(node, (data, metadata), PoolKind::DirectLvm);
    let at = &mut host.pools[pool.0 as usize];
    at.lv = Some("docker/thinpool".into());
    at.driver_status = vec![
        ("Pool Name".to_owned(), "docker-thinpool".to_owned()),
        ("Pool Blocksize".to_owned(), "524.3kB".to_owned()),
        ("Base Device Size".to_owned(), "10.74GB".to_owned()),
    ];
    at.driver_status_unknown = vec!["Udev Sync Supported".to_owned()];
    pool
}

fn loop_lvm(host: &mut Host) {
    let folder = "/var/lib/docker/devicemapper/devicemapper";
    let mut half = |name: &str, number: u32, size: u64, allocated: u64| {
        let path = format!("{folder}/{name}");
        let file = host.node(Kind::File, &path, &[], size);
        host.at(file).facts.file =
            Some(Box::new(FileFacts { apparent: Bytes(size), allocated: Bytes(allocated) }));
        let device = host.node(Kind::Loop, &format!("loop{number}"), &[file], size);
        host.at(device).facts.loop_device = Some(Box::new(LoopFacts {
            backing_file: path.into(),
            deleted: false,
            offset: Sectors(0),
            autoclear: true,
        }));
        device
    };
    let data = half("data", 0, 100 * GIB, 2 * GIB);
    let metadata = half("metadata", 1, 2 * GIB, 5 * MIB);
    let node = host.node(Kind::Pool, "docker-8:1-131-pool", &[data, metadata], 100 * GIB);
    let pool = host.pool(node, (data, metadata), PoolKind::LoopLvm);
    host.pools[pool.0 as usize].monitor = None;
    host.thin(pool, 1, Role::Base, "base");
    host.layers(pool, 1, &[2], &["alpine:3.5"]);
}
