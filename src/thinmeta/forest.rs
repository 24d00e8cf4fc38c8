//! The mapping trees of all devices as one graph: every block once, with who reaches it.
//!
//! The trees share blocks, so this is no tree. The internal nodes are kept in memory (about one
//! in a hundred of the blocks); of the leaves only where they are, what keys they may hold and
//! which devices reach them. `build` reads it, `descend` works out who reaches what. Knows
//! nothing of data blocks.

mod build;
mod descend;

use super::btree::MAX_DEPTH;
use super::damage::{Damages, MetaError};
use super::fetch::Blocks;
use super::sets::{SetId, Sets};
use crate::ids::ThinId;

/// What a reference between nodes leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Child {
    /// An internal node, by its index.
    Inner(u32),
    /// A leaf, by its index.
    Leaf(u32),
    /// Something that could not be read.
    Lost,
}

impl Child {
    const LOST: u32 = u32::MAX;
    const LEAF: u32 = 1 << 31;

    fn pack(self) -> u32 {
        match self {
            Self::Inner(index) => index,
            Self::Leaf(index) => index | Self::LEAF,
            Self::Lost => Self::LOST,
        }
    }

    fn unpack(word: u32) -> Self {
        match word {
            Self::LOST => Self::Lost,
            leaf if leaf & Self::LEAF != 0 => Self::Leaf(leaf & !Self::LEAF),
            inner => Self::Inner(inner),
        }
    }
}

/// An internal node: its height above the leaves, and its part of the edges.
#[derive(Clone, Copy, Debug)]
struct Inner {
    height: u8,
    first: u32,
    len: u32,
}

/// A leaf: where it is, who reaches it, and the keys it may hold.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    /// Its metadata block.
    pub block: u32,
    /// The devices that reach it.
    pub set: SetId,
    /// The lowest key it may hold.
    pub low: u64,
    /// The highest key it may hold.
    pub high: u64,
}

/// All mapping trees of a pool.
pub struct Forest {
    devices: Vec<ThinId>,
    roots: Vec<Child>,
    inners: Vec<Inner>,
    keys: Vec<u64>,
    children: Vec<u32>,
    leaves: Vec<Leaf>,
    sets: Sets,
    /// Devices, by index, of whose trees something is missing.
    hurt: Vec<bool>,
    damages: Damages,
}

/// What to read: the roots of the devices, and those that a metadata snapshot holds.
pub(super) struct Roots {
    pub devices: Vec<(ThinId, u64)>,
    pub held: Option<Vec<u64>>,
}

/// Bounds on the memory of a forest.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Edges of internal nodes.
    pub edges: usize,
    /// Runs of device sets.
    pub runs: usize,
}

impl Forest {
    /// Reads all internal nodes below the roots.
    pub(super) fn read(
        blocks: Blocks<'_>,
        roots: &Roots,
        bounds: Bounds,
    ) -> Result<Self, MetaError> {
        let graph = build::Build::new(blocks, bounds.edges).all(roots)?;
        Ok(descend::Descend::new(graph, roots, bounds.runs).all())
    }

    /// The devices, by ascending id; their place in here is their index.
    pub fn devices(&self) -> &[ThinId] {
        &self.devices
    }

    /// The index of a device.
    pub fn index_of(&self, id: ThinId) -> Option<u32> {
        let at = self.devices.binary_search(&id).ok()?;
        u32::try_from(at).ok()
    }

    /// The leaves, by ascending block.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The sets of devices that the leaves name.
    pub fn sets(&self) -> &Sets {
        &self.sets
    }

    /// The devices of a set.
    pub(super) fn members(&self, set: SetId) -> impl Iterator<Item = ThinId> + use<'_> {
        let runs = self.sets.runs(set).as_slice().to_vec();
        let indices = runs.into_iter().flat_map(|run| run.start..run.end);
        indices.filter_map(|index| self.devices.get(index as usize).copied())
    }

    /// Whether the metadata snapshot is in a set.
    pub(super) fn is_held(&self, set: SetId) -> bool {
        let last = self.sets.runs(set).as_slice().last().map(|run| run.end - 1);
        last.is_some() && last == self.sets.held()
    }

    /// What was damaged above the leaves.
    pub fn damages(&self) -> &Damages {
        &self.damages
    }

    /// Whether all of a device's tree above the leaves was read.
    pub fn is_whole(&self, device: u32) -> bool {
        !self.hurt.get(device as usize).copied().unwrap_or(true)
    }

    /// Internal nodes that were read.
    pub fn inner_count(&self) -> usize {
        self.inners.len()
    }

    /// The root of a device's tree.
    pub(super) fn root(&self, device: u32) -> Child {
        self.roots.get(device as usize).copied().unwrap_or(Child::Lost)
    }

    /// The height of a node above the leaves.
    pub(super) fn height(&self, child: Child) -> u8 {
        match child {
            Child::Inner(index) => self.inners.get(index as usize).map_or(0, |n| n.height),
            _ => 0,
        }
    }

    /// What hangs below an internal node, in key order, with the lowest key of each.
    pub(super) fn below(&self, inner: u32) -> impl ExactSizeIterator<Item = (u64, Child)> + '_ {
        let span = self.inners.get(inner as usize).map_or(0..0, Inner::span);
        let keys = self.keys.get(span.clone()).unwrap_or_default();
        let children = self.children.get(span).unwrap_or_default();
        keys.iter().copied().zip(children.iter().map(|word| Child::unpack(*word)))
    }
}

impl Inner {
    /// The height, unless it could not be found: a tree too deep has nodes without one.
    fn known_height(&self) -> Option<u8> {
        (usize::from(self.height) <= MAX_DEPTH).then_some(self.height)
    }

    fn span(&self) -> std::ops::Range<usize> {
        self.first as usize..(self.first + self.len) as usize
    }
}
