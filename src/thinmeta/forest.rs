//! The mapping trees of all devices as one graph: every block once, with who reaches it.
//!
//! The trees share blocks, so this is no tree. It is walked from the roots down, one height after
//! the other: `heights` finds how high each root stands, `walk` takes the internal nodes of one
//! height and notes in `level` who reaches what below. Nodes that a scan has met are not read again;
//! what the internal nodes hold is kept while there is room, and read again where it is asked for
//! later, so that memory grows with blocks of metadata, not with mappings. Knows nothing of data
//! blocks.

mod edges;
mod heights;
mod level;
mod walk;

use super::damage::{Damages, MetaError};
use super::fetch::Blocks;
use super::sets::{SetId, Sets};
use crate::ids::ThinId;
pub(super) use edges::Edges;
pub(super) use heights::Known;

/// A node: its block, and its height above the leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub height: u8,
    pub block: u32,
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
    roots: Vec<Option<At>>,
    edges: Edges,
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
    /// Edges of internal nodes that are kept; others are read again where they are asked for.
    pub edges: usize,
    /// Runs of device sets.
    pub runs: usize,
}

impl Forest {
    /// Walks all internal nodes below the roots; those of which nothing is known yet are read.
    pub(super) fn read(
        blocks: Blocks<'_>,
        roots: &Roots,
        (bounds, known): (Bounds, Known),
    ) -> Result<Self, MetaError> {
        walk::Walk::new(blocks, roots, bounds, known.edges).all(roots, known.first)
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

    /// The leaf in a block.
    pub(super) fn leaf_at(&self, block: u32) -> Option<u32> {
        let at = self.leaves.binary_search_by_key(&block, |leaf| leaf.block).ok()?;
        u32::try_from(at).ok()
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

    /// The root of a device's tree; `None` where that is damaged.
    pub(super) fn root(&self, device: u32) -> Option<At> {
        self.roots.get(device as usize).copied().flatten()
    }

    /// What hangs below an internal node, in key order, with the lowest key of each. A node that is
    /// not kept is read again.
    pub(super) fn below(&self, blocks: Blocks<'_>, at: At) -> Result<Vec<(u64, At)>, MetaError> {
        self.edges.below(blocks, at)
    }
}
