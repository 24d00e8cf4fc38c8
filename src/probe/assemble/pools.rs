//! Thin pools: every device with a thin-pool target, and those that LVM or an engine names and
//! the kernel does not have now.

use std::collections::HashMap;

use super::build::{Build, activate, ix, node};
use super::devices::identity;
use super::disks::{backing_nodes, set_parents};
use super::index::{DmAt, is_pool, pool_table, thin_table};
use super::volumes::{Sort, VolumeAt, VolumeNodes, Volumes, add_layers};
use crate::ids::DevNo;
use crate::model::{Gap, Kind, NodeIx, Pool, PoolIx, PoolKind, PoolState};
use crate::owner::lvm_names::dm_name;
use crate::owner::{Backing, OwnedPool};
use crate::probe::ask::Counted;
use crate::probe::dm::status::{PoolSays, Says};
use crate::probe::dm::table::ThinPool;
use crate::probe::dm::{SeenDm, Status};
use crate::text::Printable;

/// Pools while they are gathered.
pub(super) struct Pools {
    pub(super) list: Vec<Pool>,
    by_dev: HashMap<DevNo, PoolIx>,
    by_volume: HashMap<VolumeAt, PoolIx>,
    by_name: HashMap<Vec<u8>, PoolIx>,
    /// What distinguishes each pool, for the ids of its thin devices.
    pub(super) what: Vec<String>,
    /// Those that told a status, and none that is understood.
    unclear: Counted,
}

impl Pools {
    /// All pools that device-mapper or LVM knows.
    pub(super) fn find(build: &mut Build<'_>, volumes: &Volumes<'_>, nodes: &VolumeNodes) -> Self {
        let mut pools = Self {
            list: Vec::new(),
            by_dev: HashMap::new(),
            by_volume: HashMap::new(),
            by_name: HashMap::new(),
            what: Vec::new(),
            unclear: Counted::default(),
        };
        for (at, volume) in volumes.list.iter().enumerate() {
            if volume.sort == Sort::Pool {
                pools.add_volume(build, volumes, nodes, at);
            }
        }
        let raw: Vec<DmAt> = raw_pools(build);
        for at in raw {
            pools.add_raw(build, at);
        }
        let unclear = std::mem::take(&mut pools.unclear);
        build.gaps.extend(unclear.into_gaps("dm", "pools whose status was not understood"));
        pools
    }

    /// The pool on a device.
    pub(super) fn on(&self, dev: DevNo) -> Option<PoolIx> {
        self.by_dev.get(&dev).copied()
    }

    /// The pool that is a volume.
    pub(super) fn of_volume(&self, at: VolumeAt) -> Option<PoolIx> {
        self.by_volume.get(&at).copied()
    }

    pub(super) fn get_mut(&mut self, ix: PoolIx) -> Option<&mut Pool> {
        self.list.get_mut(ix.0 as usize)
    }

    /// A pool that answered, and whose state is not known all the same. One that gave no answer is
    /// a gap of its source.
    fn tell_unclear(&mut self, seen: Option<&SeenDm>, pool: &Pool) {
        let answered =
            |seen: &SeenDm| seen.unseen.is_none() && !matches!(seen.status, Status::Unseen(_));
        if let PoolState::Unseen { why } = &pool.state
            && seen.is_some_and(answered)
        {
            self.unclear.add(|| Gap::new(format!("dm {}", pool.name), why.as_str()));
        }
    }

    fn push(&mut self, pool: Pool, what: String, dev: Option<DevNo>) -> PoolIx {
        let at = PoolIx(ix(self.list.len()));
        if let Some(dev) = dev {
            self.by_dev.insert(dev, at);
        }
        self.list.push(pool);
        self.what.push(what);
        at
    }

    fn add_volume(
        &mut self,
        build: &mut Build<'_>,
        volumes: &Volumes<'_>,
        nodes: &VolumeNodes,
        at: VolumeAt,
    ) {
        let Some(volume) = volumes.list.get(at) else { return };
        let seen = volume.main.and_then(|dm| build.index.get(dm));
        let vg = volumes.group_name(volume).to_owned();
        let bare = dm_name(&vg, &volume.name, "");
        let name = if is_used_by_lvm(volumes, at) {
            dm_name(&vg, &volume.name, "tpool")
        } else {
            bare.clone()
        };
        let mut pool = blank(seen, name.as_str().into());
        self.tell_unclear(seen, &pool);
        if seen.is_none() {
            pool.state = away(build);
        }
        let mut node = node(Kind::Pool, &volume.uuid, name.as_str().into());
        node.short = Some(volume.name.as_str().into());
        node.size = volume.seen.and_then(|lv| lv.size);
        node.facts.lv = volumes.facts(volume);
        if let Some(seen) = seen {
            activate(&mut node, seen);
        }
        pool.node = build.add(node);
        pool.lv = Some(volumes.full_name(volume).into());
        let part = |name: &str| {
            let at = volumes.named(volume.group, name)?;
            nodes.volumes.get(at).copied().flatten()
        };
        if let Some(lv) = volume.seen {
            pool.data = part(&lv.data);
            pool.metadata = part(&lv.metadata);
            pool.block_size = pool.block_size.or(lv.segment.chunk);
            pool.lvm_transaction_id = lv.segment.transaction_id;
            pool.profile = (!lv.profile.is_empty()).then(|| lv.profile.as_str().into());
            pool.monitor = monitor(build, lv, seen.is_some());
            let settings = build.facts.lvm.as_deref().map(|lvm| &lvm.settings);
            pool.policy = settings.and_then(|settings| settings.policy(&lv.profile));
            pool.policy_hidden_in =
                settings.and_then(|settings| settings.hidden_in(&lv.profile)).cloned();
        }
        let group = nodes.groups.get(volume.group).copied();
        self.rest(build, &mut pool, seen, group);
        let (names, dev) =
            ([pool.name.as_str().as_bytes().to_vec(), bare.into_bytes()], pool_dev(seen));
        let place = self.push(pool, volume.uuid.clone(), dev);
        self.by_volume.insert(at, place);
        for name in names {
            self.by_name.entry(name).or_insert(place);
        }
        add_layers(build, volume, group);
    }

    fn add_raw(&mut self, build: &mut Build<'_>, at: DmAt) {
        let Some(seen) = build.index.get(at) else { return };
        let name = Printable::from_bytes(&seen.device.name.0);
        let mut pool = blank(Some(seen), name.clone());
        self.tell_unclear(Some(seen), &pool);
        let what = identity(seen);
        let mut node = node(Kind::Pool, &what, name);
        activate(&mut node, seen);
        pool.node = build.add(node);
        self.rest(build, &mut pool, Some(seen), None);
        let place = self.push(pool, what, Some(seen.dev));
        self.by_name.insert(seen.device.name.0.clone(), place);
    }

    /// What the pool rests on: the devices of its table, else what its owner names, else the VG.
    #[allow(clippy::unused_self, reason = "one of the steps of adding a pool to these")]
    fn rest(
        &self,
        build: &mut Build<'_>,
        pool: &mut Pool,
        seen: Option<&SeenDm>,
        group: Option<NodeIx>,
    ) {
        if let Some(table) = seen.and_then(pool_table) {
            fill_from_table(build, pool, table);
        }
        let mut parents: Vec<NodeIx> = pool.data.into_iter().chain(pool.metadata).collect();
        if parents.is_empty() {
            let deps = seen.iter().flat_map(|seen| &seen.device.deps);
            parents = deps.filter_map(|dep| build.by_dev.get(dep).copied()).collect();
        }
        if parents.is_empty() {
            parents.extend(group);
        }
        set_parents(build, pool.node, parents);
        fill_sizes(build, pool);
    }

    /// The pool that an engine names; made, inactive, when nothing else knows it.
    pub(super) fn place(&mut self, build: &mut Build<'_>, owned: &OwnedPool) -> PoolIx {
        let by_name = self.by_name.get(&owned.pool_name).copied();
        let by_devices = || self.under_active_devices(build, owned);
        let found = if owned.pool_name_certain {
            by_name.or_else(by_devices)
        } else {
            by_devices().or(by_name)
        };
        let place = match found.or_else(|| self.over_the_files(build, owned)) {
            Some(place) => place,
            None => self.add_inactive(build, owned),
        };
        let loops = matches!(owned.backing, Backing::LoopFiles { .. });
        if let Some(pool) = self.get_mut(place) {
            if !pool.engines.contains(&owned.engine) {
                pool.engines.push(owned.engine);
            }
            // only the engine knows that loop devices were its own idea
            if loops && pool.lv.is_none() {
                pool.kind = PoolKind::LoopLvm;
            }
        }
        place
    }

    /// The pool under an active device that the engine names. Its prefix changes when the data
    /// root moves, what follows it does not.
    fn under_active_devices(&self, build: &Build<'_>, owned: &OwnedPool) -> Option<PoolIx> {
        owned.devices.iter().find_map(|device| {
            let (_, seen) = build.index.by_name(&device.dm_name)?;
            let table = thin_table(seen)?;
            if Some(table.id) != device.id {
                return None;
            }
            self.on(table.pool)
        })
    }

    /// The active pool over the engine's own files or devices, whatever its name.
    fn over_the_files(&self, build: &mut Build<'_>, owned: &OwnedPool) -> Option<PoolIx> {
        let data = match &owned.backing {
            Backing::LoopFiles { data, .. } => build.files.get(&data.0.0).copied()?,
            Backing::Devices { data, .. } => build.by_path(&data.0.0)?,
            Backing::Given => return None,
        };
        let at = self.list.iter().position(|pool| {
            pool.data.is_some_and(|under| {
                let on_file = build.node(under).is_some_and(|node| node.parents.contains(&data));
                under == data || on_file
            })
        })?;
        Some(PoolIx(ix(at)))
    }

    /// A pool of which nothing but its metadata is looked at: whether some host has it active is not
    /// known.
    pub(super) fn add_named(&mut self, node: NodeIx, name: Printable) {
        let what = name.to_string();
        let state = PoolState::Unseen { why: "only its metadata is looked at".into() };
        let pool = Pool { node, state, ..blank(None, name) };
        self.push(pool, what, None);
    }

    fn add_inactive(&mut self, build: &mut Build<'_>, owned: &OwnedPool) -> PoolIx {
        let name = Printable::from_bytes(&owned.pool_name);
        let mut pool = blank(None, name.clone());
        pool.state = away(build);
        let what = name.to_string();
        pool.node = build.add(node(Kind::Pool, &what, name));
        (pool.data, pool.metadata) = backing_nodes(build, &owned.backing);
        self.rest(build, &mut pool, None, None);
        let size = pool.data_size;
        if let Some(node) = build.node_mut(pool.node) {
            node.size = size;
        }
        let place = self.push(pool, what, None);
        self.by_name.insert(owned.pool_name.clone(), place);
        place
    }
}

/// Devices with a thin-pool target that are not LVM's, and those that could not be asked while a
/// thin device rests on them: only a pool is rested on so.
fn raw_pools(build: &Build<'_>) -> Vec<DmAt> {
    let is_ours = |at: DmAt| build.index.lvm.get(at).is_some_and(Option::is_none);
    let mut found: Vec<DmAt> = build
        .index
        .all()
        .filter(|(at, seen)| is_ours(*at) && is_pool(seen))
        .map(|(at, _)| at)
        .collect();
    for (_, seen) in build.index.all() {
        if let Some(table) = thin_table(seen)
            && let Some((at, pool)) = build.index.by_dev(table.pool)
            && pool.unseen.is_some()
            && !found.contains(&at)
        {
            found.push(at);
        }
    }
    found.sort_by_key(|at| build.index.get(*at).map(|seen| seen.device.name.0.as_slice()));
    found
}

fn pool_dev(seen: Option<&SeenDm>) -> Option<DevNo> {
    seen.map(|seen| seen.dev)
}

/// LVM's own volumes in a pool, or a transaction of its own, give it the shape with a `-tpool`
/// (`formats.md` 4.4).
fn is_used_by_lvm(volumes: &Volumes<'_>, at: VolumeAt) -> bool {
    let Some(pool) = volumes.list.get(at) else { return false };
    let Some(lv) = pool.seen else { return false };
    lv.segment.transaction_id.is_some_and(|id| id > 0)
}

/// The state of a pool that is not among the devices: inactive, where these were seen.
fn away(build: &Build<'_>) -> PoolState {
    match build.facts.dm.as_deref().and_then(|dm| dm.unlisted.clone()) {
        Some(why) => PoolState::Unseen { why },
        None => PoolState::Inactive,
    }
}

/// What is known of a pool from its device alone.
fn blank(seen: Option<&SeenDm>, name: Printable) -> Pool {
    let name = seen.map_or(name, |seen| Printable::from_bytes(&seen.device.name.0));
    Pool {
        state: seen.map_or(PoolState::Inactive, state),
        suspended: seen.is_some_and(|seen| seen.device.suspended),
        ..Pool::unknown(NodeIx(0), name)
    }
}

/// The state of an active pool. What was not understood is never a figure.
fn state(seen: &SeenDm) -> PoolState {
    let lines = match (&seen.status, &seen.unseen) {
        (_, Some(why)) | (Status::Unseen(why), None) => {
            return PoolState::Unseen { why: why.clone() };
        }
        (Status::NotAsked, None) => {
            return PoolState::Unseen { why: "its table is not a thin pool's".into() };
        }
        (Status::Lines(lines), None) => lines,
    };
    for line in lines {
        match &line.says {
            Says::Pool(PoolSays::Status(status)) => return PoolState::Active(status.clone()),
            Says::Pool(PoolSays::Fail) => return PoolState::Failed,
            Says::Pool(PoolSays::Error) => {
                // no mode of its own: a pool that has failed says so, and damage is told by who
                // reads the metadata
                return PoolState::Unseen {
                    why:
                        "its status is `Error`: the kernel could not read the pool's own metadata \
                          to tell it; `dmesg` may say why"
                            .into(),
                };
            }
            Says::Pool(PoolSays::Unknown) | Says::Thin(_) | Says::Other => {}
        }
    }
    let text: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    PoolState::Unseen {
        why: format!("its status is of no known form: {}", text.join(" / ")).into(),
    }
}

fn fill_from_table(build: &Build<'_>, pool: &mut Pool, table: &ThinPool) {
    let at = |dev| build.by_dev.get(&dev).copied().filter(|at| *at != pool.node);
    pool.data = at(table.data).or(pool.data);
    pool.metadata = at(table.metadata).or(pool.metadata);
    pool.block_size = Some(table.block);
    pool.low_water = Some(table.low_water);
    pool.options.clone_from(&table.options);
}

fn fill_sizes(build: &Build<'_>, pool: &mut Pool) {
    let size = |at: Option<NodeIx>| at.and_then(|at| build.node(at)).and_then(|node| node.size);
    pool.data_size = size(pool.data);
    pool.metadata_size = size(pool.metadata);
}

/// LVM's word for monitoring. It was not asked where no monitoring daemon runs, and there an
/// active pool is not monitored.
fn monitor(build: &Build<'_>, lv: &crate::probe::lvm::Lv, active: bool) -> Option<Printable> {
    if let Some(word) = &lv.segment.monitor {
        return Some(word.as_str().into());
    }
    let dmeventd = build.facts.lvm.as_deref().and_then(|lvm| lvm.dmeventd);
    (dmeventd == Some(false)).then(|| if active { "not monitored".into() } else { "".into() })
}

/// Pools by name, and for each old place its new one.
pub(super) fn sorted(pools: Pools) -> (Vec<Pool>, Vec<PoolIx>) {
    let mut list: Vec<(usize, Pool)> = pools.list.into_iter().enumerate().collect();
    list.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    let mut place = vec![PoolIx(0); list.len()];
    for (new, (old, _)) in list.iter().enumerate() {
        if let Some(slot) = place.get_mut(*old) {
            *slot = PoolIx(ix(new));
        }
    }
    (list.into_iter().map(|(_, pool)| pool).collect(), place)
}
