//! How high the roots stand above their leaves.
//!
//! Leaves are a hundred times as many as internal nodes and look the same from above. What tells
//! them apart is the height, equal all over a tree: the first way down from each root is read and
//! gives it. After that a walk knows of every reference whether it leads to a leaf. Heights also make
//! loops impossible: a reference always leads exactly one lower.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use super::edges::Edges;
use crate::thinmeta::btree::{MAX_DEPTH, parse_got};
use crate::thinmeta::damage::{DamageKind, Damages, MetaError, Part};
use crate::thinmeta::fetch::{Blocks, FAILING, Got};
use crate::thinmeta::node::Node;

/// What is known of a block, or the first child of an internal node.
const UNKNOWN: u32 = 0;
const LEAF: u32 = u32::MAX;
const BAD: u32 = u32::MAX - 1;
/// An internal node whose first child is no block.
const CHILDLESS: u32 = u32::MAX - 2;

/// A height, plus one; or that it was not looked for, is being looked for, or cannot be found.
const UNSEEN: u8 = 0;
const LOOKING: u8 = u8::MAX;
const NONE: u8 = u8::MAX - 1;

/// What is known of blocks before a walk begins.
pub(in crate::thinmeta) struct Known {
    /// The internal nodes that were met.
    pub(in crate::thinmeta) edges: Edges,
    /// By block, what it is.
    pub(in crate::thinmeta) first: First,
}

impl Known {
    /// Nothing, of so many blocks, with room for so many edges.
    pub(in crate::thinmeta) fn nothing(blocks: u32, edges: usize) -> Self {
        Self { edges: Edges::new(blocks, edges), first: First(vec![UNKNOWN; blocks as usize]) }
    }

    /// Notes a sound node.
    pub(in crate::thinmeta) fn note(&mut self, blocks: Blocks<'_>, block: u32, node: &Node<'_>) {
        self.first.note(blocks, block, node);
        if node.is_internal() {
            self.edges.add(blocks, block, node);
        }
    }
}

/// What blocks are, four bytes each: leaf, damaged, or the first child of an internal node.
pub(in crate::thinmeta) struct First(Vec<u32>);

impl First {
    fn get(&self, block: u32) -> u32 {
        self.0.get(block as usize).copied().unwrap_or(BAD)
    }

    fn set(&mut self, block: u32, what: u32) {
        if let Some(known) = self.0.get_mut(block as usize) {
            *known = what;
        }
    }

    fn note(&mut self, blocks: Blocks<'_>, block: u32, node: &Node<'_>) {
        let first = || node.numbers().next().and_then(|child| blocks.number(child).ok());
        let what = if node.is_internal() { first().unwrap_or(CHILDLESS) } else { LEAF };
        self.set(block, what);
    }
}

pub(super) struct Heights<'s> {
    blocks: Blocks<'s>,
    first: First,
    height: Vec<u8>,
    /// Blocks that could not be read: what is looked for one by one is seen to fail by no single
    /// reading.
    failed: u64,
    /// What is wrong with blocks that are bad, until it is told.
    bad: HashMap<u32, DamageKind>,
    /// Nodes below which that was done.
    told: HashSet<u32>,
    /// What was wrong on the way to no height at all.
    pub(super) damages: Damages,
}

impl<'s> Heights<'s> {
    pub(super) fn new(blocks: Blocks<'s>, first: First) -> Self {
        let height = vec![UNSEEN; blocks.count() as usize];
        let (bad, told, damages) = (HashMap::new(), HashSet::new(), Damages::default());
        Self { blocks, first, height, failed: 0, bad, told, damages }
    }

    /// Reads the roots, then the first child of each, and so on down: a few large reads instead
    /// of many small ones.
    pub(super) fn read_first_ways(&mut self, roots: &[u32]) -> Result<(), MetaError> {
        let mut wanted = roots.to_vec();
        for _ in 0..=MAX_DEPTH {
            wanted.sort_unstable();
            wanted.dedup();
            if wanted.is_empty() {
                break;
            }
            let unknown = wanted.iter().copied().filter(|block| self.known(*block) == UNKNOWN);
            self.load(&unknown.collect::<Vec<_>>())?;
            let below = wanted.iter().map(|block| self.known(*block));
            wanted = below.filter(|child| *child < CHILDLESS).collect();
        }
        Ok(())
    }

    fn known(&self, block: u32) -> u32 {
        self.first.get(block)
    }

    /// The height of a node: one more than its first child that has one.
    pub(super) fn of(&mut self, block: u32) -> Result<Option<u8>, MetaError> {
        self.find(block, MAX_DEPTH)
    }

    fn find(&mut self, block: u32, depth: usize) -> Result<Option<u8>, MetaError> {
        if self.known(block) == UNKNOWN {
            self.load(&[block])?;
        }
        match (self.known(block), self.height.get(block as usize)) {
            (LEAF, _) => return Ok(Some(0)),
            (BAD, _) | (_, Some(&NONE) | None) => return Ok(None),
            (_, Some(&UNSEEN)) if depth > 0 => {}
            (_, Some(&(UNSEEN | LOOKING))) => {
                self.damages.push(block.into(), Part::Mappings(None), DamageKind::TooDeep);
                return Ok(None);
            }
            (_, Some(height)) => return Ok(Some(height - 1)),
        }
        self.set(block, LOOKING);
        let mut found = match self.known(block) {
            child if child < CHILDLESS => self.find(child, depth - 1)?,
            _ => None,
        };
        if found.is_none() {
            found = self.find_beside(block, depth)?;
        }
        self.set(block, found.map_or(NONE, |below| below + 2));
        Ok(found.map(|below| below + 1))
    }

    /// The height of the first child that has one, where that is not the first of all.
    fn find_beside(&mut self, block: u32, depth: usize) -> Result<Option<u8>, MetaError> {
        for child in self.children(block)?.into_iter().skip(1) {
            let found = match self.blocks.number(child) {
                Ok(child) => self.find(child, depth - 1)?,
                Err(_) => None,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn children(&self, block: u32) -> Result<Vec<u64>, MetaError> {
        let mut children = Vec::new();
        self.blocks.each(&[block], &mut |_, got| {
            if let Ok(node) = parse_got::<8>(got, block) {
                children.extend(node.numbers());
            }
            ControlFlow::Continue(())
        })?;
        Ok(children)
    }

    /// What is wrong with, and right below, a node that leads to no leaf, as far as it was not told
    /// before.
    pub(super) fn why_not(&mut self, root: u32) -> Result<Vec<(u64, DamageKind)>, MetaError> {
        let (mut wrong, mut next) = (Vec::new(), vec![root]);
        while let Some(block) = next.pop() {
            wrong.extend(self.bad.remove(&block).map(|kind| (u64::from(block), kind)));
            let fruitless = matches!(self.height.get(block as usize), Some(&NONE));
            if !fruitless || !self.told.insert(block) {
                continue;
            }
            for child in self.children(block)? {
                match self.blocks.number(child) {
                    Ok(child) => next.push(child),
                    Err(kind) => wrong.push((child, kind)),
                }
            }
        }
        Ok(wrong)
    }

    fn set(&mut self, block: u32, height: u8) {
        if let Some(known) = self.height.get_mut(block as usize) {
            *known = height;
        }
    }

    /// Reads blocks of which nothing is known yet.
    fn load(&mut self, wanted: &[u32]) -> Result<(), MetaError> {
        let mut failing = Ok(());
        let blocks = self.blocks;
        let read = blocks.each(wanted, &mut |at, got| {
            let Some(block) = wanted.get(at) else { return ControlFlow::Break(()) };
            if let Err(error) = got {
                self.failed += 1;
                if self.failed >= FAILING {
                    let why = error.to_string();
                    failing = Err(MetaError::Failing { failed: self.failed, why });
                    return ControlFlow::Break(());
                }
            }
            self.look_at(*block, got);
            ControlFlow::Continue(())
        });
        failing.and(read)
    }

    fn look_at(&mut self, block: u32, got: Got<'_>) {
        match parse_got::<8>(got, block) {
            Ok(node) => self.first.note(self.blocks, block, &node),
            // where this leaves no height, the walk names it once more with its devices
            Err(kind) => {
                if self.bad.len() < Damages::KEPT {
                    self.bad.insert(block, kind);
                }
                self.first.set(block, BAD);
            }
        }
    }
}
