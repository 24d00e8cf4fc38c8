//! Who reaches what: from the roots down, level by level, each node's devices and key bounds are
//! gathered from all nodes above it.

use std::collections::HashSet;

use super::build::{Graph, NOWHERE, State};
use super::{Child, Forest, Inner, Leaf, Roots};
use crate::ids::ThinId;
use crate::thinmeta::btree::MAX_DEPTH;
use crate::thinmeta::damage::{DamageKind, Part};
use crate::thinmeta::sets::{MANY, SetId, Sets, Spans};

/// One reference to a node: from whom, and the keys that may stand below it.
#[derive(Clone, Copy)]
struct Reach {
    block: u32,
    set: SetId,
    low: u64,
    high: u64,
}

pub(super) struct Descend {
    graph: Graph,
    devices: Vec<ThinId>,
    roots: Vec<u32>,
    held_roots: Vec<u32>,
    /// References still to be followed, by the height of what they lead to.
    levels: Vec<Vec<Reach>>,
    sets: Sets,
    leaves: Vec<Leaf>,
    /// Sets of devices of whose trees something is missing.
    lost: HashSet<SetId>,
    /// Damaged blocks whose device is still to be named.
    unnamed: HashSet<u64>,
}

impl Descend {
    pub(super) fn new(graph: Graph, roots: &Roots, budget: usize) -> Self {
        let devices: Vec<ThinId> = roots.devices.iter().map(|(id, _)| *id).collect();
        let count = u32::try_from(devices.len()).unwrap_or(ThinId::MAX);
        let block = |reference: &u64| u32::try_from(*reference).unwrap_or(NOWHERE);
        Self {
            sets: Sets::new(count, roots.held.is_some(), budget),
            lost: HashSet::new(),
            unnamed: graph.damages.list().iter().map(|damage| damage.block).collect(),
            roots: roots.devices.iter().map(|(_, root)| block(root)).collect(),
            held_roots: roots.held.iter().flatten().map(block).collect(),
            levels: vec![Vec::new(); MAX_DEPTH + 1],
            leaves: Vec::new(),
            devices,
            graph,
        }
    }

    pub(super) fn all(mut self) -> Forest {
        let owners = (0_u32..).zip(self.roots.clone());
        let held = self.sets.held();
        let holders = self.held_roots.clone().into_iter().filter_map(|root| Some((held?, root)));
        for (set, block) in owners.chain(holders) {
            self.reach(Reach { block, set, low: 0, high: u64::MAX }, None);
        }
        for height in (0..self.levels.len()).rev() {
            let level = std::mem::take(&mut self.levels[height]);
            self.level(level, height);
        }
        self.finish()
    }

    /// Follows one reference, from a node of height `from` or from a root.
    fn reach(&mut self, reach: Reach, from: Option<u8>) {
        let height = match self.graph.states.get(reach.block) {
            State::Leaf => Some(0),
            State::Unknown => (from == Some(1)).then_some(0),
            State::Inner(at) => self.graph.inners.get(at as usize).and_then(Inner::known_height),
            State::Bad => return self.lose(reach.block, reach.set),
        };
        let fits = height.filter(|h| from.is_none_or(|from| from == h + 1));
        if let Some(level) = fits.and_then(|h| self.levels.get_mut(usize::from(h))) {
            level.push(reach);
        } else {
            self.damage(reach.block, DamageKind::Height, reach.set);
            self.lose(reach.block, reach.set);
        }
    }

    /// Takes all references to the nodes of one height together.
    fn level(&mut self, mut level: Vec<Reach>, height: usize) {
        level.sort_unstable_by_key(|reach| reach.block);
        let mut parts = Vec::new();
        for same in level.chunk_by(|one, other| one.block == other.block) {
            let Some(joined) = self.join(same, &mut parts) else { continue };
            if height == 0 {
                self.add_leaf(joined);
            } else {
                self.descend(joined);
            }
        }
    }

    /// Everybody who reaches a node, and the keys that all of them allow.
    fn join(&mut self, same: &[Reach], parts: &mut Vec<SetId>) -> Option<Reach> {
        let first = same.first()?;
        if same.len() == 1 {
            return Some(*first);
        }
        parts.clear();
        parts.extend(same.iter().map(|reach| reach.set));
        let union = self.sets.union(parts);
        if union.overlap {
            self.damage(first.block, DamageKind::ReachedTwice, union.set);
        }
        let low = same.iter().fold(first.low, |low, reach| low.max(reach.low));
        let high = same.iter().fold(first.high, |high, reach| high.min(reach.high));
        Some(Reach { block: first.block, set: union.set, low, high })
    }

    fn add_leaf(&mut self, reach: Reach) {
        let Reach { block, set, low, high } = reach;
        self.leaves.push(Leaf { block, set, low, high });
    }

    /// Follows the references of an internal node, unless its keys contradict those above it.
    fn descend(&mut self, reach: Reach) {
        let State::Inner(at) = self.graph.states.get(reach.block) else { return };
        let Some(inner) = self.graph.inners.get(at as usize).copied() else { return };
        let span = inner.span();
        let keys = self.graph.keys.get(span.clone()).unwrap_or_default();
        let outside = keys.iter().find(|key| **key < reach.low || **key > reach.high).copied();
        if let Some(key) = outside {
            self.damage(reach.block, DamageKind::KeyBounds { key }, reach.set);
            // nothing leads there any more: a tree that reached a node twice would be walked as
            // often as it has ways through it
            self.graph.states.set(reach.block, State::Bad);
            return self.lose(reach.block, reach.set);
        }
        for edge in span.clone() {
            let (Some(low), Some(block)) =
                (self.graph.keys.get(edge), self.graph.children.get(edge))
            else {
                continue;
            };
            let next = self.graph.keys.get(edge + 1).filter(|_| edge + 1 < span.end);
            let high = next.map_or(reach.high, |key| key.saturating_sub(1));
            let child = Reach { block: *block, set: reach.set, low: *low, high };
            self.reach(child, Some(inner.height));
        }
    }

    fn damage(&mut self, block: u32, kind: DamageKind, set: SetId) {
        let device = self.sets.first_device(set).and_then(|at| self.devices.get(at as usize));
        self.graph.damages.push(u64::from(block), Part::Mappings(device.copied()), kind);
    }

    /// Notes that something of these devices is missing, and names one of them at the damage.
    fn lose(&mut self, block: u32, set: SetId) {
        self.lost.insert(set);
        if !self.unnamed.remove(&u64::from(block)) {
            return;
        }
        let device = self.sets.first_device(set).and_then(|at| self.devices.get(at as usize));
        if let Some(device) = device {
            self.graph.damages.name_device(u64::from(block), *device);
        }
    }

    fn hurt(&self) -> Vec<bool> {
        let mut spans = Spans::new(self.devices.len());
        for set in &self.lost {
            self.sets.runs(*set).as_slice().iter().for_each(|run| spans.add(*run, 1));
        }
        let all = self.lost.contains(&MANY);
        spans.sums().map(|lost| all || lost > 0).collect()
    }

    fn finish(self) -> Forest {
        let hurt = self.hurt();
        let Self { mut graph, devices, roots, sets, leaves, .. } = self;
        let resolve = |block: u32| match graph.states.get(block) {
            State::Inner(index) => Child::Inner(index),
            State::Bad => Child::Lost,
            State::Leaf | State::Unknown => {
                let at = leaves.binary_search_by_key(&block, |leaf| leaf.block);
                at.ok().and_then(|at| u32::try_from(at).ok()).map_or(Child::Lost, Child::Leaf)
            }
        };
        let height_of = |child: Child| match child {
            Child::Inner(index) => graph.inners.get(index as usize).and_then(Inner::known_height),
            Child::Leaf(_) => Some(0),
            Child::Lost => None,
        };
        let mut children = std::mem::take(&mut graph.children);
        for inner in &graph.inners {
            for word in children.get_mut(inner.span()).unwrap_or_default() {
                // a child always stands one lower, or a walk would not end
                let child = resolve(*word);
                let fits = height_of(child).is_some_and(|height| height + 1 == inner.height);
                *word = if fits { child } else { Child::Lost }.pack();
            }
        }
        Forest {
            roots: roots.iter().map(|block| resolve(*block)).collect(),
            children,
            devices,
            inners: graph.inners,
            keys: graph.keys,
            leaves,
            sets,
            hurt,
            damages: graph.damages,
        }
    }
}
