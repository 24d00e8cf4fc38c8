//! The ledger behind the page: which holder each device belongs to, and what each holds alone.

use std::collections::{HashMap, HashSet};

use super::{Frees, Growth, Holder, Known, Sort, Users};
use crate::model::metadata::{Groups, PoolMetadata};
use crate::model::{Engine, Pool, Role, ThinDevice, ThinIx};
use crate::text::Printable;
use crate::tui::cell::name::short_hash;
use crate::tui::grown::Grown;
use crate::tui::outline::owners::Owners;
use crate::tui::seen::Seen;
use crate::units::{Bytes, DataBlocks};

/// No holder.
const NOBODY: u32 = u32::MAX;

/// A holder in the making.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The device that stands for it.
    main: ThinIx,
    /// The group of the tree, for layers.
    group: Option<u32>,
    devices: u32,
    users: Users,
    alone: u64,
    held: u64,
    frees: u64,
    mapped: u64,
    grown: Option<Growth>,
}

/// Who holds what of a pool.
pub(super) struct Ledger<'s> {
    /// All holders.
    pub(super) holders: Vec<Entry>,
    /// How much is known.
    pub(super) known: Known,
    /// Blocks that only the metadata snapshot uses.
    pub(super) snapshot: DataBlocks,
    owners: Owners,
    contents: Option<&'s PoolMetadata>,
    /// The holder of each thin device.
    of: HashMap<ThinIx, u32>,
    /// Layers that others stand on: what they use stays.
    pinned: HashSet<ThinIx>,
}

impl<'s> Ledger<'s> {
    /// Of a pool.
    pub(super) fn of(seen: &'s Seen, pool: &'s Pool, grown: &Grown) -> Self {
        let mut ledger = Self {
            holders: Vec::new(),
            known: Known::Nothing,
            snapshot: DataBlocks(0),
            owners: Owners::of(seen.topology(), &seen.descent),
            contents: pool.contents.as_deref(),
            of: HashMap::with_capacity(pool.devices.len()),
            pinned: HashSet::new(),
        };
        ledger.name_holders(seen, pool);
        ledger.pin(seen, pool);
        ledger.grow(seen, pool, grown);
        if let Some(contents) = ledger.contents {
            ledger.count(seen, pool, contents);
        }
        ledger
    }

    fn name_holders(&mut self, seen: &Seen, pool: &Pool) {
        let mut containers: HashMap<&Printable, u32> = HashMap::new();
        let mut groups: HashMap<u32, u32> = HashMap::new();
        for (ix, device) in devices(seen, pool) {
            let group = self.owners.group_of(ix).filter(|_| is_layer(device.role));
            let next = u32::try_from(self.holders.len()).unwrap_or(NOBODY);
            let container = device.container.as_ref().filter(|_| is_container(device.role));
            let at = match (group, container) {
                (Some(group), _) => *groups.entry(group).or_insert(next),
                // containerd's ids are unique within a namespace only: two may have one
                (None, Some(container)) if device.engine == Engine::Docker => {
                    *containers.entry(&container.id).or_insert(next)
                }
                (None, _) => next,
            };
            self.of.insert(ix, at);
            if at == next {
                self.holders.push(Entry {
                    main: ix,
                    group,
                    devices: 0,
                    users: Users::default(),
                    alone: 0,
                    held: 0,
                    frees: 0,
                    mapped: 0,
                    grown: None,
                });
            }
            let top = group.and_then(|group| self.owners.groups.get(group as usize)?.top);
            let Some(entry) = self.holders.get_mut(at as usize) else { continue };
            entry.devices += 1;
            let mapped = device.mapped.map_or(0, Bytes::get);
            // an image is its uppermost layer, a container is not its init layer
            let stands = match (top, device.role) {
                (Some(top), _) => top == ix,
                (None, Role::Container) => true,
                (None, Role::ContainerInit) => false,
                (None, _) => mapped > entry.mapped,
            };
            if stands || entry.devices == 1 {
                (entry.main, entry.mapped) = (ix, mapped);
            }
        }
    }

    /// Layers on which somebody else stands, down to the base.
    fn pin(&mut self, seen: &Seen, pool: &Pool) {
        for (ix, device) in devices(seen, pool) {
            let Some(parent) = seen.descent.parent_of(ix) else { continue };
            let (own, below) = (self.of.get(&ix), self.of.get(&parent).copied());
            let Some(below) = below.filter(|below| Some(below) != own) else { continue };
            if let Some(entry) = self.holders.get_mut(below as usize) {
                match device.role {
                    Role::Container | Role::ContainerInit => entry.users.containers += 1,
                    Role::ImageLayer => entry.users.images += 1,
                    _ => entry.users.others += 1,
                }
            }
            let mut at = Some(parent);
            while let Some(layer) = at.filter(|layer| self.pinned.insert(*layer)) {
                at = seen.descent.parent_of(layer);
            }
        }
    }

    /// What the devices of each holder grew by together.
    fn grow(&mut self, seen: &Seen, pool: &Pool, grown: &Grown) {
        for (ix, device) in devices(seen, pool) {
            let Some(part) = grown.of(&pool.name, device) else { continue };
            let entry = self.of.get(&ix).and_then(|at| self.holders.get_mut(*at as usize));
            let Some(entry) = entry else { continue };
            entry.grown = Some(entry.grown.map_or(part, |sum| Growth {
                by: sum.by.plus(part.by),
                in_ms: sum.in_ms.max(part.in_ms),
            }));
        }
    }

    fn count(&mut self, seen: &Seen, pool: &Pool, contents: &PoolMetadata) {
        let Some(mappings) = contents.mappings.as_deref() else { return };
        let mut by_place = vec![(NOBODY, false); contents.devices.len()];
        for (ix, device) in devices(seen, pool) {
            let place = device.id.and_then(|id| contents.place(id));
            if let (Some(slot), Some(at)) =
                (place.and_then(|at| by_place.get_mut(at)), self.of.get(&ix))
            {
                *slot = (*at, self.stays(ix, device));
            }
        }
        self.known = if mappings.groups.is_some() { Known::Sharing } else { Known::Devices };
        if let Some(groups) = &mappings.groups {
            self.count_groups(groups, &by_place);
            return;
        }
        self.snapshot = mappings.held_only;
        for ((at, stays), blocks) in by_place.iter().zip(&mappings.exclusive) {
            self.add((*at, *stays), blocks.unwrap_or_default().get(), false);
        }
    }

    /// Blocks that one holder's devices use, however many of them.
    fn count_groups(&mut self, groups: &Groups, by_place: &[(u32, bool)]) {
        for group in &groups.list {
            let mut places = group.places().map(|at| by_place.get(at).copied());
            let Some(first) = places.next() else {
                self.snapshot = self.snapshot.plus(group.blocks);
                continue;
            };
            let (at, mut stays) = first.unwrap_or((NOBODY, true));
            // a block of everybody's is known for one at the second device
            let one = places.all(|other| {
                let (other, its_stays) = other.unwrap_or((NOBODY, true));
                stays |= its_stays;
                other == at
            });
            if one {
                self.add((at, stays), group.blocks.get(), group.held);
            }
        }
    }

    fn add(&mut self, (at, stays): (u32, bool), blocks: u64, held: bool) {
        let Some(entry) = self.holders.get_mut(at as usize) else { return };
        let add = |sum: &mut u64| *sum = sum.saturating_add(blocks);
        add(&mut entry.alone);
        if !stays {
            add(&mut entry.frees);
        }
        if held {
            add(&mut entry.held);
        }
    }

    /// Whether an engine keeps a device while something is made from it. Others are deleted whoever
    /// was made from them.
    fn stays(&self, ix: ThinIx, device: &ThinDevice) -> bool {
        is_layer(device.role) && self.pinned.contains(&ix)
    }

    /// By what a holder is large.
    pub(super) fn size(&self, at: u32) -> u64 {
        let entry = self.holders.get(at as usize);
        let known = self.known != Known::Nothing;
        entry.map_or(0, |entry| if known { entry.alone } else { entry.mapped })
    }

    /// Data blocks that these use, each alone.
    pub(super) fn alone(&self, holders: impl Iterator<Item = u32>) -> DataBlocks {
        let each = holders.filter_map(|at| self.holders.get(at as usize));
        each.fold(DataBlocks(0), |sum, entry| sum.plus(DataBlocks(entry.alone)))
    }

    /// A holder in full.
    pub(super) fn holder(&self, seen: &Seen, at: u32) -> Holder {
        let entry = &self.holders[at as usize];
        let device = seen.topology().thin(entry.main);
        let bytes = |blocks: u64| {
            let block = self.contents.map(|contents| contents.block_size);
            DataBlocks(blocks).bytes(block.unwrap_or_default())
        };
        let known = self.known != Known::Nothing;
        let frees = match device.role {
            Role::Base => Frees::Never,
            _ if known => Frees::Some(bytes(entry.frees)),
            _ => Frees::NotSeen,
        };
        let sort = match entry.group {
            Some(at) => Sort::Layers {
                users: entry.users,
                count: entry.devices,
                image: self.owners.groups.get(at as usize).is_some_and(|one| one.top.is_some()),
            },
            None => Sort::Device,
        };
        Holder {
            thin: entry.main,
            node: device.node,
            nodes: Vec::new(),
            name: self.name(entry, device),
            sort,
            mapped: device.mapped,
            alone: known.then(|| bytes(entry.alone)),
            held: bytes(entry.held),
            frees,
            grown: entry.grown,
        }
    }

    /// Lists the devices of these holders.
    pub(super) fn list_nodes<'h>(
        &self,
        seen: &Seen,
        pool: &Pool,
        holders: impl Iterator<Item = (&'h u32, &'h mut Holder)>,
    ) {
        let mut of: HashMap<u32, &mut Holder> = holders.map(|(at, one)| (*at, one)).collect();
        for (ix, device) in devices(seen, pool) {
            if let Some(holder) = self.of.get(&ix).and_then(|at| of.get_mut(at)) {
                holder.nodes.push(device.node);
            }
        }
    }

    fn name(&self, entry: &Entry, device: &ThinDevice) -> String {
        if let Some(group) = entry.group.and_then(|at| self.owners.groups.get(at as usize)) {
            return short_hash(group.name());
        }
        match (device.role, device.id) {
            (Role::Leaked, Some(id)) => format!("device {id}"),
            _ => short_hash(&device.label()),
        }
    }
}

/// All devices of a pool that are in it.
fn devices<'s>(
    seen: &'s Seen,
    pool: &'s Pool,
) -> impl Iterator<Item = (ThinIx, &'s ThinDevice)> + use<'s> {
    let rows = pool.devices.iter().map(|ix| (*ix, seen.topology().thin(*ix)));
    rows.filter(|(_, device)| device.role != Role::Missing)
}

const fn is_layer(role: Role) -> bool {
    matches!(role, Role::ImageLayer | Role::BuildCache)
}

const fn is_container(role: Role) -> bool {
    matches!(role, Role::Container | Role::ContainerInit)
}
