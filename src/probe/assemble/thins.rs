//! Thin devices: every id that an engine or LVM names, and every active device that nobody does.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::build::{Build, activate, ix, node};
use super::claims::Rows;
use super::devices::add_other;
use super::index::{DmAt, is_thin, thin_table};
use super::pools::Pools;
use super::volumes::{Sort, Volume, Volumes, add_layers};
use crate::ids::{NodeId, ThinId};
use crate::model::{Claim, Engine, Kind, Node, NodeIx, PoolIx, PoolKind, Role, ThinDevice};
use crate::owner::lvm_names::dm_name;
use crate::owner::{OwnedDevice, OwnedPool};
use crate::probe::dm::status::{Says, ThinSays};
use crate::probe::dm::{SeenDm, Status};
use crate::text::Printable;
use crate::units::Bytes;

/// Adds all thin devices as nodes and rows: what engines name first, then LVM's volumes, then
/// what is active and nobody's.
pub(super) fn add_thins(
    build: &mut Build<'_>,
    pools: &mut Pools,
    volumes: &Volumes<'_>,
    (owned, places): (&[OwnedPool], &[PoolIx]),
) -> Vec<ThinDevice> {
    let active = Active::find(build, pools);
    let room = owned.iter().map(|pool| pool.devices.len()).sum::<usize>();
    let mut adder = Adder { build, pools, active, rows: Rows::with_room(room) };
    for (owned, place) in owned.iter().zip(places) {
        for device in &owned.devices {
            adder.add_owned(owned, device, *place);
        }
    }
    for volume in volumes.list.iter().filter(|volume| volume.sort == Sort::Thin) {
        adder.add_volume(volumes, volume);
    }
    adder.add_nobodys();
    adder.add_unnamed();
    let Adder { rows, .. } = adder;
    tell_kinds(pools, &rows);
    rows.into_rows()
}

/// Rows pool by pool in the pools' new order, by id, those without one last.
pub(super) fn sorted(mut rows: Vec<ThinDevice>, place: &[PoolIx]) -> Vec<ThinDevice> {
    for row in &mut rows {
        if let Some(new) = place.get(row.pool.0 as usize) {
            row.pool = *new;
        }
    }
    rows.sort_by_key(|row| (row.pool, row.id.is_none(), row.id));
    rows
}

/// How each pool came to be, once it is known who uses it.
fn tell_kinds(pools: &mut Pools, rows: &Rows) {
    let lvm: HashSet<PoolIx> = rows.pools_of(Engine::Lvm).collect();
    for place in lvm {
        if let Some(pool) = pools.get_mut(place) {
            pool.kind = PoolKind::LvmThin;
            pool.engines.push(Engine::Lvm);
        }
    }
    for pool in &mut pools.list {
        let engine_s = pool
            .engines
            .iter()
            .any(|engine| matches!(engine, Engine::Docker | Engine::ContainersStorage));
        if pool.kind == PoolKind::Raw && pool.lv.is_some() && engine_s {
            pool.kind = PoolKind::DirectLvm;
        }
    }
}

/// Active thin devices by pool and id; those whose table was not understood by name.
struct Active {
    by_id: HashMap<(PoolIx, ThinId), DmAt>,
    nameless: HashMap<Vec<u8>, (DmAt, PoolIx)>,
    /// A second device of the same id, and devices whose pool is none of ours.
    odd: Vec<DmAt>,
}

impl Active {
    fn find(build: &Build<'_>, pools: &Pools) -> Self {
        let mut active = Self { by_id: HashMap::new(), nameless: HashMap::new(), odd: Vec::new() };
        for (at, seen) in build.index.all().filter(|(_, seen)| is_thin(seen)) {
            match thin_table(seen) {
                Some(table) => active.with_id(pools.on(table.pool), table.id, at),
                // in fail mode the kernel tells only what it depends on (`formats.md` 5.1)
                None => match seen.device.deps.iter().find_map(|dev| pools.on(*dev)) {
                    Some(pool) => {
                        active.nameless.insert(seen.device.name.0.clone(), (at, pool));
                    }
                    None => active.odd.push(at),
                },
            }
        }
        active
    }

    fn with_id(&mut self, pool: Option<PoolIx>, id: ThinId, at: DmAt) {
        let slot = pool.map(|pool| self.by_id.entry((pool, id)));
        match slot {
            Some(Entry::Vacant(slot)) => {
                slot.insert(at);
            }
            _ => self.odd.push(at),
        }
    }

    /// Takes the device that is active for an id.
    fn take(&mut self, pool: PoolIx, id: Option<ThinId>, name: &[u8]) -> Option<DmAt> {
        if let Some(at) = id.and_then(|id| self.by_id.remove(&(pool, id))) {
            return Some(at);
        }
        match self.nameless.get(name) {
            Some((at, of)) if *of == pool => {
                let at = *at;
                self.nameless.remove(name);
                Some(at)
            }
            _ => None,
        }
    }
}

struct Adder<'b, 'a> {
    build: &'b mut Build<'a>,
    pools: &'b mut Pools,
    active: Active,
    rows: Rows,
}

impl Adder<'_, '_> {
    fn add_owned(&mut self, owned: &OwnedPool, device: &OwnedDevice, pool: PoolIx) {
        let claim =
            Claim { engine: owned.engine, name: device.name.clone(), by: device.by.clone() };
        let Some(claim) = self.rows.claim_again(pool, device.id, claim) else { return };
        let active = self.active.take(pool, device.id, &device.dm_name);
        let mut node = self.blank(pool, device.id, &device.name);
        node.name = Printable::from_bytes(&device.dm_name);
        node.short = Some(device.name.clone());
        node.size = device.size;
        let mut row = self.row(pool, device.id, node, active);
        row.role = device.role;
        row.engine = owned.engine;
        row.name = device.name.clone();
        row.images.clone_from(&device.images);
        row.position = device.position;
        row.chain_id.clone_from(&device.chain_id);
        row.container.clone_from(&device.container);
        row.parent = device.parent;
        row.transaction_id = device.transaction_id;
        row.deferred_deletion = device.deferred_deletion;
        row.note.clone_from(&device.note);
        self.rows.push(row, Some(claim));
    }

    fn add_volume(&mut self, volumes: &Volumes<'_>, volume: &Volume<'_>) {
        let seen = volume.main.and_then(|at| self.build.index.get(at));
        let table = seen.and_then(thin_table);
        let named = volume.seen.and_then(|lv| volumes.named(volume.group, &lv.pool));
        let pool = named.and_then(|at| self.pools.of_volume(at));
        let dep = || seen.and_then(|s| s.device.deps.iter().find_map(|dep| self.pools.on(*dep)));
        let Some(pool) = table.and_then(|table| self.pools.on(table.pool)).or(pool).or_else(dep)
        else {
            // a thin volume of a pool that nobody knows: a node, and no row to stand in
            if let Some(seen) = seen {
                add_other(self.build, seen, Kind::Thin);
            }
            add_layers(self.build, volume, None);
            return;
        };
        let id = table.map(|table| table.id).or_else(|| volume.seen?.segment.thin_id);
        let name = Printable::from(volumes.full_name(volume));
        let by = Printable::from(format!("metadata of VG {}", volumes.group_name(volume)));
        let claim = Claim { engine: Engine::Lvm, name: name.clone(), by };
        if let Some(claim) = self.rows.claim_again(pool, id, claim) {
            let text = dm_name(volumes.group_name(volume), &volume.name, "");
            let active = self.active.take(pool, id, seen.map_or(b"", |s| &s.device.name.0));
            let mut node = self.blank(pool, id, &name);
            node.name = text.into();
            node.short = Some(volume.name.as_str().into());
            node.size = volume.seen.and_then(|lv| lv.size);
            node.facts.lv = volumes.facts(volume);
            let row = self.row(pool, id, node, active);
            let row = lvm_row(row, volumes, volume, name);
            self.rows.push(row, Some(claim));
        }
        add_layers(self.build, volume, None);
    }

    /// What is active and nobody names. Whether it is leaked, only the pool's details can tell.
    fn add_nobodys(&mut self) {
        let mut left: Vec<(PoolIx, Option<ThinId>, DmAt)> =
            self.active.by_id.drain().map(|((pool, id), at)| (pool, Some(id), at)).collect();
        left.extend(self.active.nameless.drain().map(|(_, (at, pool))| (pool, None, at)));
        left.sort_unstable();
        for (pool, id, at) in left {
            let Some(seen) = self.build.index.get(at) else { continue };
            let name = Printable::from_bytes(&seen.device.name.0);
            let node = self.blank(pool, id, &name);
            let row = self.row(pool, id, node, Some(at));
            self.rows.push(row, None);
        }
        for at in std::mem::take(&mut self.active.odd) {
            let seen = self.build.index.get(at);
            let new = seen.filter(|seen| !self.build.by_dev.contains_key(&seen.dev));
            if let Some(seen) = new {
                add_other(self.build, seen, Kind::Thin);
            }
        }
    }

    /// What only the pools' own metadata knows. Whether it is leaked is told when it is known who
    /// uses each pool.
    fn add_unnamed(&mut self) {
        for at in 0..self.pools.list.len() {
            let pool = PoolIx(ix(at));
            let Some(contents) = self.pools.list.get(at).and_then(|pool| pool.contents.clone())
            else {
                continue;
            };
            for device in &contents.devices {
                if self.rows.has(pool, device.id) {
                    continue;
                }
                let name = Printable::from(format!("device {}", device.id));
                let node = self.blank(pool, Some(device.id), &name);
                let row = self.row(pool, Some(device.id), node, None);
                self.rows.push(ThinDevice { dm_name: None, ..row }, None);
            }
        }
    }

    /// A node with the id that a thin device keeps, active or not.
    fn blank(&self, pool: PoolIx, id: Option<ThinId>, name: &Printable) -> Node {
        let of = self.pools.what.get(pool.0 as usize).map_or("", String::as_str);
        let what = match id {
            Some(id) => format!("{of}/{id}"),
            None => format!("{of}/{name}"),
        };
        let mut node = node(Kind::Thin, "", name.clone());
        node.id = NodeId::new(Kind::Thin.name(), &what);
        node
    }

    /// Adds the node and makes its row, with what the kernel says of the active device.
    fn row(
        &mut self,
        pool: PoolIx,
        id: Option<ThinId>,
        mut node: Node,
        active: Option<DmAt>,
    ) -> ThinDevice {
        let seen = active.and_then(|at| self.build.index.get(at));
        let under = self.pools.list.get(pool.0 as usize).map(|pool| pool.node);
        node.parents.extend(under);
        if let Some(seen) = seen {
            activate(&mut node, seen);
            node.parents.extend(self.external_origin(seen));
        }
        let mounts = self.build.facts.mounts.as_deref();
        let points = seen.and_then(|seen| mounts?.by_dev.get(&seen.dev));
        let (size, dm_name) = (node.size, node.name.clone());
        let node = self.build.add(node);
        // its number may be another's already, where the facts contradict each other
        let active = self.build.node(node).is_some_and(|node| node.device.is_some());
        ThinDevice {
            pool,
            node,
            id,
            role: Role::Unknown,
            engine: Engine::Unknown,
            name: dm_name.clone(),
            dm_name: Some(dm_name),
            images: Vec::new(),
            position: None,
            chain_id: None,
            container: None,
            parent: None,
            size,
            mapped: seen.and_then(mapped),
            exclusive: None,
            shared: None,
            delta: None,
            transaction_id: None,
            times: None,
            deferred_deletion: false,
            active,
            suspended: seen.is_some_and(|seen| seen.device.suspended),
            mountpoint: points.and_then(|points| points.first()).cloned(),
            claims: Vec::new(),
            note: None,
        }
    }

    fn external_origin(&self, seen: &SeenDm) -> Option<NodeIx> {
        let origin = thin_table(seen)?.external_origin?;
        self.build.by_dev.get(&origin).copied()
    }
}

/// Mapped bytes, where the kernel gave a figure.
fn mapped(seen: &SeenDm) -> Option<Bytes> {
    let Status::Lines(lines) = &seen.status else { return None };
    lines.iter().find_map(|line| match line.says {
        Says::Thin(ThinSays::Mapped { mapped, .. }) => Some(mapped.bytes()),
        _ => None,
    })
}

/// What LVM says of its own thin volume.
fn lvm_row(
    mut row: ThinDevice,
    volumes: &Volumes<'_>,
    volume: &Volume<'_>,
    name: Printable,
) -> ThinDevice {
    row.engine = Engine::Lvm;
    row.role = Role::Volume;
    row.name = name;
    let Some(lv) = volume.seen else { return row };
    row.transaction_id = lv.segment.transaction_id;
    let origin = volumes.named(volume.group, &lv.origin).and_then(|at| volumes.list.get(at));
    // an origin outside the pool is an external one: the volume is no snapshot of a thin device
    if let Some(origin) = origin.filter(|origin| origin.sort == Sort::Thin) {
        row.role = Role::Snapshot;
        row.parent = origin.seen.and_then(|origin| origin.segment.thin_id);
    }
    row
}
