//! The leaves of the mapping trees, read in the order they lie in or in the order of their keys.
//!
//! Every leaf is checked against itself, against the keys that the nodes above allow and against
//! the pool's end. What the mappings are counted for is the caller's affair.

use std::ops::ControlFlow;

use super::block::Summed;
use super::btree::{check_bounds, parse_got};
use super::damage::{Damage, DamageKind, Damages, MetaError, Part};
use super::fetch::{Blocks, FAILING, Got};
use super::forest::{At, Forest, Leaf};
use super::node::{Entries, Node};
use crate::units::DataBlocks;

/// One mapping of a device: a block of its own address space, and where in the pool it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mapping {
    /// The block in the device.
    pub virtual_block: u64,
    /// The block in the pool.
    pub data_block: u64,
    /// The snapshot counter when the block was allocated.
    pub time: u32,
}

impl Mapping {
    /// From a leaf's entry: 40 bits of data block above 24 bits of time.
    pub fn unpack(virtual_block: u64, value: u64) -> Self {
        let time = u32::try_from(value & 0xff_ffff).unwrap_or(0);
        Self { virtual_block, data_block: value >> 24, time }
    }
}

/// Reads leaves of one forest.
#[derive(Clone, Copy)]
pub(super) struct Leaves<'a> {
    blocks: Blocks<'a>,
    forest: &'a Forest,
    end: DataBlocks,
}

/// Leaves of one key-ordered chunk: bounds the memory of reading in key order.
const CHUNK: usize = 256;

impl<'a> Leaves<'a> {
    /// Of a forest over a pool with `end` data blocks.
    pub(super) fn new(blocks: Blocks<'a>, forest: &'a Forest, end: DataBlocks) -> Self {
        Self { blocks, forest, end }
    }

    /// The pool's number of data blocks.
    pub(super) fn end(&self) -> DataBlocks {
        self.end
    }

    /// Hands every leaf named, by ascending index, to `look`, sound ones only; notes the others.
    pub(super) fn each(
        &self,
        wanted: &[u32],
        damages: &mut Damages,
        look: &mut dyn FnMut(u32, &Leaf, Entries<'_>),
    ) -> Result<(), MetaError> {
        let leaf = |index: &u32| self.forest.leaves().get(*index as usize);
        let numbers: Vec<u32> = wanted.iter().filter_map(leaf).map(|leaf| leaf.block).collect();
        self.blocks.each(&numbers, &mut |at, got| {
            let Some((index, leaf)) = wanted.get(at).and_then(|i| Some((*i, leaf(i)?))) else {
                return ControlFlow::Break(());
            };
            match check(leaf, got) {
                Ok(node) => look(index, leaf, node.entries()),
                Err(kind) => damages.push(leaf.block.into(), self.part(leaf), kind),
            }
            ControlFlow::Continue(())
        })
    }

    /// What is wrong with a leaf of which some mappings are behind the pool's end.
    pub(super) fn one(&self, leaf: &Leaf) -> Result<DamageKind, DamageKind> {
        let unreadable = |error: std::io::Error| DamageKind::Unreadable(error.to_string());
        let raw = self.blocks.one(leaf.block).map_err(unreadable)?;
        let node = check(leaf, Ok(Summed::of(&raw)))?;
        Ok(node_beyond(node.entries(), self.end.get()))
    }

    /// Where damage in a leaf is, as far as one device can stand for all that reach it.
    pub(super) fn part(&self, leaf: &Leaf) -> Part {
        let device = self.forest.sets().first_device(leaf.set);
        let id = device.and_then(|at| self.forest.devices().get(at as usize)).copied();
        Part::Mappings(id)
    }

    /// The leaves of a device that may hold keys of a range, in key order.
    pub(super) fn of_device(
        &self,
        device: u32,
        (low, high): (u64, u64),
    ) -> Result<Vec<u32>, MetaError> {
        let mut found = Vec::new();
        let mut stack: Vec<At> = self.forest.root(device).into_iter().collect();
        // every way down is finite: a child is one lower than its parent
        while let Some(at) = stack.pop() {
            if at.height == 0 {
                found.extend(self.forest.leaf_at(at.block));
                continue;
            }
            let below = self.below(at)?;
            let first = below.partition_point(|(key, _)| *key <= low).saturating_sub(1);
            let inside = below.get(first..).unwrap_or_default();
            let last = inside.partition_point(|(key, _)| *key <= high);
            stack.extend(inside.get(..last).unwrap_or_default().iter().rev().map(|(_, at)| *at));
        }
        Ok(found)
    }

    /// What hangs below an internal node, in key order.
    pub(super) fn below(&self, at: At) -> Result<Vec<(u64, At)>, MetaError> {
        self.forest.below(self.blocks, at)
    }

    /// The mappings of leaves that are in key order, read some at a time.
    pub(super) fn in_order(&self, leaves: Vec<u32>) -> InOrder<'a> {
        InOrder {
            leaves: *self,
            ids: leaves,
            next: 0,
            ready: Vec::new(),
            at: 0,
            damages: Damages::default(),
        }
    }
}

/// The node in a leaf's block, once all that can be checked was.
fn check<'g>(leaf: &Leaf, got: Got<'g>) -> Result<Node<'g>, DamageKind> {
    let node = parse_got::<8>(got, leaf.block)?;
    if node.is_internal() {
        return Err(DamageKind::Height);
    }
    check_bounds(&node, leaf.low, leaf.high)?;
    Ok(node)
}

/// Mappings in the order of their virtual blocks, with a bounded number of leaves in memory.
pub(super) struct InOrder<'a> {
    leaves: Leaves<'a>,
    ids: Vec<u32>,
    next: usize,
    ready: Vec<Mapping>,
    at: usize,
    damages: Damages,
}

impl InOrder<'_> {
    /// The next mapping, or `None` behind the last.
    pub(super) fn next(&mut self) -> Result<Option<Mapping>, MetaError> {
        while self.at >= self.ready.len() && self.next < self.ids.len() {
            self.refill()?;
        }
        let mapping = self.ready.get(self.at).copied();
        self.at += 1;
        Ok(mapping)
    }

    /// What was damaged on the way.
    pub(super) fn into_damages(self) -> Damages {
        self.damages
    }

    fn refill(&mut self) -> Result<(), MetaError> {
        let end = self.ids.len().min(self.next + CHUNK);
        let mut ids = self.ids.get(self.next..end).unwrap_or_default().to_vec();
        ids.sort_unstable();
        ids.dedup();
        self.next = end;
        self.ready.clear();
        self.at = 0;
        let (pool_end, ready) = (self.leaves.end.get(), &mut self.ready);
        let leaves = self.leaves;
        let mut beyond = Vec::new();
        leaves.each(&ids, &mut self.damages, &mut |_, leaf, node| {
            let mappings = node.keys().zip(node.numbers()).map(|(k, v)| Mapping::unpack(k, v));
            let before = ready.len();
            ready.extend(mappings.filter(|m| m.data_block < pool_end));
            if ready.len() - before < node.len() {
                beyond.push((*leaf, node_beyond(node, pool_end)));
            }
        })?;
        for (leaf, kind) in beyond {
            self.damages.push(leaf.block.into(), leaves.part(&leaf), kind);
        }
        self.ready.sort_unstable();
        self.give_up()
    }

    /// Gives up a medium that fails again and again: each chunk by itself may fail too seldom.
    fn give_up(&self) -> Result<(), MetaError> {
        let why = |damage: &Damage| match &damage.kind {
            DamageKind::Unreadable(why) => Some(why.clone()),
            _ => None,
        };
        let mut unreadable = self.damages.list().iter().filter_map(why).enumerate();
        match unreadable.find(|(before, _)| *before as u64 + 1 >= FAILING) {
            Some((_, why)) => Err(MetaError::Failing { failed: FAILING, why }),
            None => Ok(()),
        }
    }
}

/// The damage of a leaf that maps blocks behind the pool's end.
pub(super) fn node_beyond(node: Entries<'_>, end: u64) -> DamageKind {
    let mut beyond = node.numbers().map(|value| value >> 24).filter(|block| *block >= end);
    let first = beyond.next().unwrap_or(end);
    let count = u32::try_from(beyond.count()).unwrap_or(u32::MAX).saturating_add(1);
    DamageKind::DataBlock { first, count }
}
