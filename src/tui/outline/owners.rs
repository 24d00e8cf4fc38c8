//! Where each thin device is drawn under its pool: at the top what runs or is wrong, then one
//! group an image, each layer in the group of the shortest chain that holds it.

use std::borrow::Cow;
use std::collections::HashMap;

use super::descent::Descent;
use crate::model::{ContainerState, NodeIx, PoolIx, Role, ThinDevice, ThinIx, Topology};
use crate::text::Printable;

/// Why devices are drawn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GroupKind {
    /// An image: its own layers and what runs on it.
    Image,
    /// Layers of the layer store that no image holds.
    Unnamed,
    /// Snapshots of builds.
    BuildCache,
    /// Devices of which nobody can be named.
    Unknown,
}

/// The layers of an image that are drawn in another group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BelowGroup {
    /// How many.
    pub(crate) layers: u32,
    /// The node of the uppermost of them.
    pub(crate) node: NodeIx,
    /// The group it is drawn in.
    pub(crate) group: u32,
}

/// Devices drawn together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Why.
    pub(crate) kind: GroupKind,
    /// Their pool.
    pub(crate) pool: PoolIx,
    /// Their pool's node.
    pub(crate) pool_node: NodeIx,
    /// All names of the image, tags first; empty for what is no image.
    pub(crate) names: Vec<Printable>,
    /// The image's uppermost layer.
    pub(crate) top: Option<ThinIx>,
    /// How many layers the whole chain has, or how many devices are in the group.
    pub(crate) layers: u32,
    /// Containers made from it, wherever they are drawn.
    pub(crate) containers: u32,
    /// How many of them run.
    pub(crate) running: u32,
    /// Layers of the chain drawn elsewhere.
    pub(crate) below: Option<BelowGroup>,
}

impl Group {
    fn new(kind: GroupKind, pool: PoolIx, pool_node: NodeIx) -> Self {
        let (names, top, below) = (Vec::new(), None, None);
        let (layers, containers, running) = (0, 0, 0);
        Self { kind, pool, pool_node, names, top, layers, containers, running, below }
    }

    /// What it is called in a row.
    pub(crate) fn name(&self) -> &str {
        match self.kind {
            GroupKind::Image => self.names.first().map_or("image", Printable::as_str),
            GroupKind::Unnamed => "layers without an image",
            GroupKind::BuildCache => "build cache",
            GroupKind::Unknown => "owner not known",
        }
    }

    /// What distinguishes it within its pool over refreshes.
    pub(crate) fn key(&self) -> String {
        self.name().to_owned()
    }
}

/// A thin device or a group, directly under a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A device.
    Thin(ThinIx),
    /// A group.
    Group(u32),
}

/// Where all thin devices are drawn.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    /// All groups.
    pub(crate) groups: Vec<Group>,
    /// What stands directly under each pool.
    pub(crate) pools: Vec<Vec<Item>>,
    /// What stands directly under each group.
    pub(crate) heads: Vec<Vec<u32>>,
    /// What hangs under what.
    pub(crate) hang: Vec<(u32, u32)>,
    group_of: Vec<Option<u32>>,
}

impl Owners {
    /// Of all pools of a topology.
    pub(crate) fn of(topology: &Topology, descent: &Descent) -> Self {
        let mut owners = Self {
            group_of: vec![None; topology.thins.len()],
            pools: vec![Vec::new(); topology.pools.len()],
            ..Self::default()
        };
        owners.make_images(topology, descent);
        owners.heads = vec![Vec::new(); owners.groups.len()];
        owners.count_containers(topology, descent);
        for (pool, devices) in (0_u32..).zip(topology.pools.iter().map(|p| &p.devices)) {
            let some_known = devices.iter().any(|ix| topology.thin(*ix).role != Role::Unknown);
            for ix in devices {
                owners.put(topology, descent, *ix, some_known);
            }
            owners.list_groups(PoolIx(pool));
            owners.sort_pool(topology, PoolIx(pool));
        }
        owners
    }

    /// The group that a layer belongs to.
    pub(crate) fn group_of(&self, ix: ThinIx) -> Option<u32> {
        self.group_of.get(ix.0 as usize).copied().flatten()
    }

    /// One group for each uppermost layer; layers belong to the shortest chain that holds them.
    fn make_images(&mut self, topology: &Topology, descent: &Descent) {
        let mut tops: HashMap<(PoolIx, &str), ThinIx> = HashMap::new();
        let layers = || thins(topology).filter(|(_, device)| device.role == Role::ImageLayer);
        for (ix, device) in layers() {
            for image in &device.images {
                let top = tops.entry((device.pool, image.as_str())).or_insert(ix);
                if descent.layers[ix.0 as usize] > descent.layers[top.0 as usize] {
                    *top = ix;
                }
            }
        }
        for (ix, device) in layers() {
            let is_top = |image: &&Printable| tops.get(&(device.pool, image.as_str())) == Some(&ix);
            let names: Vec<Printable> = device.images.iter().filter(is_top).cloned().collect();
            if let Some(pool) =
                topology.pools.get(device.pool.0 as usize).filter(|_| !names.is_empty())
            {
                let layers = descent.layers[ix.0 as usize];
                let group = Group::new(GroupKind::Image, device.pool, pool.node);
                self.groups.push(Group { names, top: Some(ix), layers, ..group });
            }
        }
        self.groups.sort_by(|a, b| (a.layers, &a.names).cmp(&(b.layers, &b.names)));
        for at in 0..self.groups.len() {
            self.claim_layers(topology, descent, at);
        }
    }

    fn claim_layers(&mut self, topology: &Topology, descent: &Descent, at: usize) {
        // a host has far fewer than 2^32 images: each has a layer of its own, and ids 24 bits
        let Ok(number) = u32::try_from(at) else { return };
        let mut next = self.groups[at].top;
        while let Some(ix) = next.filter(|ix| topology.thin(*ix).role == Role::ImageLayer) {
            let slot = &mut self.group_of[ix.0 as usize];
            if let Some(group) = *slot {
                let (layers, node) = (descent.layers[ix.0 as usize], topology.thin(ix).node);
                self.groups[at].below = Some(BelowGroup { layers, node, group });
                return;
            }
            *slot = Some(number);
            next = descent.parent_of(ix);
        }
    }

    fn count_containers(&mut self, topology: &Topology, descent: &Descent) {
        for (ix, device) in thins(topology).filter(|(_, d)| d.role == Role::Container) {
            // container, init layer, image layer
            let layer = std::iter::successors(descent.parent_of(ix), |at| descent.parent_of(*at))
                .take(2)
                .find(|at| topology.thin(*at).role == Role::ImageLayer);
            let group = layer.and_then(|at| self.group_of[at.0 as usize]);
            if let Some(group) = group.and_then(|g| self.groups.get_mut(g as usize)) {
                group.containers += 1;
                group.running += u32::from(runs(device));
            }
        }
    }

    /// Finds a device's place.
    fn put(&mut self, topology: &Topology, descent: &Descent, ix: ThinIx, some_known: bool) {
        let device = topology.thin(ix);
        let parent = descent.parent_of(ix);
        let same_role = parent.filter(|p| topology.thin(*p).role == device.role);
        match device.role {
            Role::ImageLayer => match self.group_of[ix.0 as usize] {
                Some(group) => {
                    let in_group = |p: &ThinIx| self.group_of[p.0 as usize] == Some(group);
                    self.hang_or_head(ix, parent.filter(in_group), group);
                }
                None => self.put_in(ix, same_role, GroupKind::Unnamed, topology),
            },
            Role::BuildCache => self.put_in(ix, same_role, GroupKind::BuildCache, topology),
            Role::Unknown if some_known => {
                self.put_in(ix, same_role, GroupKind::Unknown, topology);
            }
            Role::Container if !stands_first(device) => self.hang_or_top(device, ix, parent),
            Role::ContainerInit | Role::Volume | Role::Snapshot | Role::Unknown => {
                self.hang_or_top(device, ix, parent);
            }
            Role::Base | Role::Leaked | Role::Missing | Role::Container => self.top(device, ix),
        }
    }

    fn top(&mut self, device: &ThinDevice, ix: ThinIx) {
        if let Some(list) = self.pools.get_mut(device.pool.0 as usize) {
            list.push(Item::Thin(ix));
        }
    }

    fn hang_or_top(&mut self, device: &ThinDevice, ix: ThinIx, parent: Option<ThinIx>) {
        match parent {
            Some(parent) => self.hang.push((parent.0, ix.0)),
            None => self.top(device, ix),
        }
    }

    fn hang_or_head(&mut self, ix: ThinIx, parent: Option<ThinIx>, group: u32) {
        match parent {
            Some(parent) => self.hang.push((parent.0, ix.0)),
            None => self.heads[group as usize].push(ix.0),
        }
    }

    fn put_in(&mut self, ix: ThinIx, parent: Option<ThinIx>, kind: GroupKind, topology: &Topology) {
        let pool = topology.thin(ix).pool;
        let Some(group) = self.group(kind, pool, topology) else { return };
        self.groups[group as usize].layers += 1;
        self.group_of[ix.0 as usize] = Some(group);
        // a layer that an image holds may stand below one that none holds any more
        let parent = parent.filter(|p| !self.is_in_image(*p));
        self.hang_or_head(ix, parent, group);
    }

    fn is_in_image(&self, ix: ThinIx) -> bool {
        self.group_of[ix.0 as usize]
            .and_then(|group| self.groups.get(group as usize))
            .is_some_and(|group| group.kind == GroupKind::Image)
    }

    /// The group of a kind in a pool, made when first asked for.
    fn group(&mut self, kind: GroupKind, pool: PoolIx, topology: &Topology) -> Option<u32> {
        let images = self.groups.partition_point(|group| group.kind == GroupKind::Image);
        let same = |group: &Group| group.kind == kind && group.pool == pool;
        let at = if let Some(at) = self.groups[images..].iter().position(same) {
            images + at
        } else {
            let node = topology.pools.get(pool.0 as usize)?.node;
            self.groups.push(Group::new(kind, pool, node));
            self.heads.push(Vec::new());
            self.groups.len() - 1
        };
        u32::try_from(at).ok()
    }

    fn list_groups(&mut self, pool: PoolIx) {
        let Some(list) = self.pools.get_mut(pool.0 as usize) else { return };
        let of_pool = (0_u32..).zip(&self.groups).filter(|(_, group)| group.pool == pool);
        list.extend(of_pool.map(|(at, _)| Item::Group(at)));
    }

    fn sort_pool(&mut self, topology: &Topology, pool: PoolIx) {
        let Some(list) = self.pools.get_mut(pool.0 as usize) else { return };
        let groups = &self.groups;
        list.sort_by_cached_key(|item| match item {
            Item::Thin(ix) => {
                let device = topology.thin(*ix);
                let name = match device.role {
                    Role::Container | Role::Volume | Role::Snapshot => device.label(),
                    _ => Cow::Borrowed(""),
                };
                let id = device.id.map_or(u32::MAX, crate::ids::ThinId::get);
                (role_rank(device.role), beginning(&name), name, id)
            }
            Item::Group(at) => {
                let group = &groups[*at as usize];
                let name = group.name();
                (10 + group.kind as u8, beginning(name), Cow::Borrowed(name), *at)
            }
        });
    }
}

/// The first bytes of a name, in whose order names mostly are: the names themselves lie all over
/// the memory.
fn beginning(name: &str) -> u128 {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    u128::from_be_bytes(bytes)
}

fn role_rank(role: Role) -> u8 {
    match role {
        Role::Base => 0,
        Role::Container | Role::ContainerInit => 1,
        Role::Leaked => 2,
        Role::Missing => 3,
        Role::Volume | Role::Snapshot => 4,
        _ => 5,
    }
}

fn thins(topology: &Topology) -> impl Iterator<Item = (ThinIx, &ThinDevice)> {
    (0_u32..).map(ThinIx).zip(&topology.thins)
}

/// Whether a container's processes exist.
pub(crate) fn runs(device: &ThinDevice) -> bool {
    matches!(
        device.container.as_ref().and_then(|container| container.state),
        Some(ContainerState::Running | ContainerState::Paused | ContainerState::Restarting)
    )
}

/// Whether a container stands at the top of its pool: it runs, or something is wrong with it. Of one
/// whose engine records no state, an active device is as much as is known.
fn stands_first(device: &ThinDevice) -> bool {
    let state = device.container.as_ref().and_then(|container| container.state);
    runs(device)
        || matches!(state, Some(ContainerState::Dead | ContainerState::Removing))
        || (state.is_none() && device.active)
}
