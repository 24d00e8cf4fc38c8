//! What is drawn under what: every shape of the tree as one list of entries in drawing order.
//!
//! ```text
//! Topology ─▶ place (diamonds, pointers) ─┐
//!          └▶ descent ─▶ owners (groups)  ─┴▶ a Shape ─▶ Outline ─▶ rows
//! ```
//!
//! An outline holds indices into one topology, and serves the next one too where both are alike.
//! It knows nothing of what is unfolded by hand, of filters, columns or screens.

pub(crate) mod alike;
pub(crate) mod descent;
pub(crate) mod flat;
pub(crate) mod forest;
pub(crate) mod inverse;
pub(crate) mod layers;
pub(crate) mod owners;
pub(crate) mod place;
pub(crate) mod tree;

use std::collections::HashMap;

use crate::ids::NodeId;
use crate::model::{NodeIx, Topology};

pub(crate) use owners::{Group, GroupKind, Owners};

/// No entry: the parent of a root.
pub(crate) const NONE: u32 = u32::MAX;

/// What one row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// A node of the topology.
    Node(NodeIx),
    /// A node that rests on `from` too and is drawn elsewhere.
    Pointer {
        /// Where the pointer stands.
        from: NodeIx,
        /// What it points at.
        to: NodeIx,
    },
    /// Devices drawn together: an image, the build cache.
    Group(u32),
    /// The layers below a group's own, which are drawn in another group.
    Below(u32),
}

/// What a row is, over refreshes: selection and folds are kept by this.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A node drawn once.
    Node(NodeId),
    /// A pointer.
    Pointer(NodeId, NodeId),
    /// A group of a pool, by its name.
    Group(NodeId, String),
    /// The pointer at a group's lower layers.
    Below(NodeId, String),
    /// A node below a root of the inverse tree, where nodes are drawn once a root.
    InRoot(NodeId, NodeId),
}

/// One entry of an outline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// What it stands for.
    pub(crate) what: What,
    /// The entry it is drawn under, or [`NONE`].
    pub(crate) parent: u32,
    /// Whether it opens with its children shown.
    pub(crate) open: bool,
    /// Whether its children keep their order when the rows are sorted.
    pub(crate) fixed: bool,
    /// Whether it has children, shown or not.
    pub(crate) folds: bool,
}

/// An entry to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed {
    /// What it stands for.
    pub(crate) what: What,
    /// Whether it opens with its children shown.
    pub(crate) open: bool,
}

/// The children of one entry, as a shape gives them.
#[derive(Debug, Default)]
pub(crate) struct Brood {
    /// In drawing order.
    pub(crate) seeds: Vec<Seed>,
    /// Whether that order is more than a sort.
    pub(crate) fixed: bool,
    /// There are children, and the shape withholds them because nobody looks.
    pub(crate) withheld: bool,
}

impl Brood {
    /// Adds a child.
    pub(crate) fn push(&mut self, what: What, open: bool) {
        self.seeds.push(Seed { what, open });
    }
}

/// A way of drawing a topology.
pub(crate) trait Shape {
    /// What stands at the left edge.
    fn roots(&mut self, brood: &mut Brood);
    /// What stands under something. Asked once for each entry, parents before children.
    fn children(&mut self, what: What, brood: &mut Brood);
}

/// The three entries that a bracket joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bracket {
    /// Metadata device.
    pub(crate) metadata: NodeIx,
    /// Data device.
    pub(crate) data: NodeIx,
    /// The pool over both.
    pub(crate) pool: NodeIx,
}

/// All entries of one shape over one topology, parents before children.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// In drawing order as grown.
    pub(crate) entries: Vec<Entry>,
    /// Groups that entries refer to.
    pub(crate) groups: Vec<Group>,
    /// Diamonds drawn with a bracket.
    pub(crate) brackets: Vec<Bracket>,
    /// Whether nodes may stand under several roots.
    pub(crate) inverse: bool,
    kids: Vec<u32>,
    starts: Vec<u32>,
    place: Vec<u32>,
}

impl Outline {
    /// Grows a shape.
    pub(crate) fn grow(shape: &mut impl Shape, nodes: usize) -> Self {
        let mut entries: Vec<Entry> = Vec::with_capacity(nodes + 16);
        let mut brood = Brood::default();
        shape.roots(&mut brood);
        let mut stack: Vec<(Seed, u32)> = brood.seeds.drain(..).rev().map(|s| (s, NONE)).collect();
        while let Some((seed, parent)) = stack.pop() {
            let Ok(at) = u32::try_from(entries.len()) else { break };
            brood.seeds.clear();
            (brood.fixed, brood.withheld) = (false, false);
            shape.children(seed.what, &mut brood);
            let folds = brood.withheld || !brood.seeds.is_empty();
            let (what, open, fixed) = (seed.what, seed.open, brood.fixed);
            entries.push(Entry { what, parent, open, fixed, folds });
            stack.extend(brood.seeds.drain(..).rev().map(|seed| (seed, at)));
        }
        let mut outline = Self { entries, place: vec![NONE; nodes], ..Self::default() };
        outline.index();
        outline
    }

    /// Makes the lists of children and the places of nodes.
    fn index(&mut self) {
        let slot = |parent: u32| if parent == NONE { 0 } else { parent as usize + 1 };
        let mut starts = vec![0_u32; self.entries.len() + 2];
        for entry in &self.entries {
            starts[slot(entry.parent) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        self.kids = vec![0; self.entries.len()];
        for (at, entry) in (0_u32..).zip(&self.entries) {
            let free = &mut next[slot(entry.parent)];
            self.kids[*free as usize] = at;
            *free += 1;
            if let What::Node(node) = entry.what
                && let Some(place) = self.place.get_mut(node.0 as usize)
                && *place == NONE
            {
                *place = at;
            }
        }
        self.starts = starts;
    }

    fn range(&self, entry: u32) -> std::ops::Range<usize> {
        let slot = if entry == NONE { 0 } else { entry as usize + 1 };
        match (self.starts.get(slot), self.starts.get(slot + 1)) {
            (Some(from), Some(to)) => *from as usize..*to as usize,
            _ => 0..0,
        }
    }

    /// The entries under one, or the roots for [`NONE`].
    pub(crate) fn children(&self, entry: u32) -> &[u32] {
        self.kids.get(self.range(entry)).unwrap_or(&[])
    }

    /// Puts children in another order wherever the order is free.
    pub(crate) fn sort(&mut self, mut by: impl FnMut(&mut [u32], &[Entry])) {
        let parents = std::iter::once(NONE).chain((0_u32..).take(self.entries.len()));
        for parent in parents {
            let free = parent == NONE || !self.entries[parent as usize].fixed;
            let range = self.range(parent);
            if free && range.len() > 1 {
                by(&mut self.kids[range], &self.entries);
            }
        }
    }

    /// The entry, where there is one at that index.
    pub(crate) fn entry(&self, at: u32) -> Option<&Entry> {
        self.entries.get(at as usize)
    }

    /// Where a node is drawn (first).
    pub(crate) fn place_of(&self, node: NodeIx) -> Option<u32> {
        self.place.get(node.0 as usize).copied().filter(|at| *at != NONE)
    }

    /// The entries a given one is drawn under, nearest first.
    pub(crate) fn ancestors(&self, at: u32) -> impl Iterator<Item = u32> + '_ {
        let parent = |at: u32| self.entry(at).map(|e| e.parent).filter(|p| *p != NONE);
        std::iter::successors(parent(at), move |at| parent(*at))
    }

    /// The node an entry is about: itself, what it points at, the pool or top layer of a group.
    pub(crate) fn node_of(&self, what: What) -> Option<NodeIx> {
        match what {
            What::Node(node) | What::Pointer { to: node, .. } => Some(node),
            What::Group(_) => None,
            What::Below(group) => self.groups.get(group as usize)?.below.map(|below| below.node),
        }
    }

    /// What an entry is over refreshes.
    pub(crate) fn key(&self, at: u32, topology: &Topology) -> Option<Key> {
        let id = |node: NodeIx| topology.nodes.get(node.0 as usize).map(|n| n.id.clone());
        let entry = self.entry(at)?;
        match entry.what {
            What::Node(node) if self.inverse && entry.parent != NONE => {
                let root = self.entry(self.ancestors(at).last()?)?;
                Some(Key::InRoot(id(self.node_of(root.what)?)?, id(node)?))
            }
            What::Node(node) => Some(Key::Node(id(node)?)),
            What::Pointer { from, to } => Some(Key::Pointer(id(from)?, id(to)?)),
            What::Group(group) => {
                let group = self.groups.get(group as usize)?;
                Some(Key::Group(id(group.pool_node)?, group.key()))
            }
            What::Below(group) => {
                let group = self.groups.get(group as usize)?;
                Some(Key::Below(id(group.pool_node)?, group.key()))
            }
        }
    }

    /// The entry that a key names in this outline.
    pub(crate) fn find(&self, key: &Key, topology: &Topology) -> Option<u32> {
        match key {
            Key::Node(id) => self.place_of(topology.find(id)?),
            _ => (0_u32..)
                .zip(&self.entries)
                .filter(|(_, entry)| self.inverse || !matches!(entry.what, What::Node(_)))
                .map(|(at, _)| at)
                .find(|at| self.key(*at, topology).as_ref() == Some(key)),
        }
    }

    /// The entries of many keys: one walk however many there are.
    pub(crate) fn find_all<'k, V>(
        &self,
        wanted: &'k HashMap<Key, V>,
        topology: &Topology,
    ) -> Vec<(u32, &'k V)> {
        let mut found = Vec::with_capacity(wanted.len());
        let mut rest = false;
        for (key, value) in wanted {
            match key {
                Key::Node(id) => {
                    found.extend(
                        topology.find(id).and_then(|n| self.place_of(n)).map(|at| (at, value)),
                    );
                }
                _ => rest = true,
            }
        }
        if rest {
            for (at, entry) in (0_u32..).zip(&self.entries) {
                if matches!(entry.what, What::Node(_)) && !self.inverse {
                    continue;
                }
                let key = self.key(at, topology).filter(|key| !matches!(key, Key::Node(_)));
                found.extend(key.and_then(|key| wanted.get(&key)).map(|value| (at, value)));
            }
        }
        found
    }
}
