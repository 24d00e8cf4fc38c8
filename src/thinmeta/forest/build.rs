//! Reads the internal nodes of all mapping trees, every one once, and no leaf if it can be
//! helped.
//!
//! Leaves are a hundred times as many as internal nodes and look the same from above. What tells
//! them apart is the height, equal all over a tree: the first way down from each root is read
//! whole and gives its height; after that only nodes above the leaves are read. Heights also
//! make loops impossible: a reference always leads exactly one lower.

use std::ops::ControlFlow;

use super::{Inner, Roots};
use crate::thinmeta::btree::{MAX_DEPTH, parse_got};
use crate::thinmeta::damage::{DamageKind, Damages, MetaError, Part};
use crate::thinmeta::fetch::{Blocks, FAILING, Got};
use crate::thinmeta::node::Node;
use crate::units::Bytes;

/// What is known of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Unknown,
    Leaf,
    Bad,
    Inner(u32),
}

/// States of all metadata blocks, four bytes each.
pub(super) struct States(Vec<u32>);

impl States {
    const LEAF: u32 = u32::MAX;
    const BAD: u32 = u32::MAX - 1;

    pub(super) fn get(&self, block: u32) -> State {
        match self.0.get(block as usize) {
            Some(0) => State::Unknown,
            Some(&Self::LEAF) => State::Leaf,
            Some(&Self::BAD) | None => State::Bad,
            Some(inner) => State::Inner(inner - 1),
        }
    }

    pub(super) fn set(&mut self, block: u32, state: State) {
        if let Some(word) = self.0.get_mut(block as usize) {
            *word = match state {
                State::Unknown => 0,
                State::Leaf => Self::LEAF,
                State::Bad => Self::BAD,
                State::Inner(index) => index + 1,
            };
        }
    }
}

/// Height of a node whose height is still to be found.
const UNSEEN: u8 = u8::MAX;
/// Height of a node that is being looked into, which meets itself only in a loop.
const LOOKING: u8 = u8::MAX - 1;

/// The nodes and edges as they were read; children are block numbers.
pub(super) struct Graph {
    pub states: States,
    pub inners: Vec<Inner>,
    pub keys: Vec<u64>,
    pub children: Vec<u32>,
    pub damages: Damages,
}

/// A child that is no block at all. Block 0 is the superblock, never a node.
pub(super) const NOWHERE: u32 = 0;

pub(super) struct Build<'s> {
    blocks: Blocks<'s>,
    graph: Graph,
    edges: usize,
    /// Blocks that could not be read: looking for heights reads one by one, so that no single
    /// reading sees that the medium fails.
    failed: u64,
}

impl<'s> Build<'s> {
    pub(super) fn new(blocks: Blocks<'s>, edges: usize) -> Self {
        let mut states = States(vec![0; blocks.count() as usize]);
        states.set(NOWHERE, State::Bad);
        let graph = Graph {
            states,
            inners: Vec::new(),
            keys: Vec::new(),
            children: Vec::new(),
            damages: Damages::default(),
        };
        Self { blocks, graph, edges, failed: 0 }
    }

    pub(super) fn all(mut self, roots: &Roots) -> Result<Graph, MetaError> {
        let devices = roots.devices.iter().map(|(id, root)| (Part::Mappings(Some(*id)), *root));
        let held = roots.held.iter().flatten().map(|root| (Part::HeldRoot, *root));
        let mut blocks = Vec::new();
        for (part, root) in devices.chain(held) {
            match self.blocks.number(root) {
                Ok(block) => blocks.push(block),
                Err(kind) => self.graph.damages.push(root, part, kind),
            }
        }
        sort_unique(&mut blocks);
        self.read_first_ways(&blocks)?;
        for root in blocks {
            self.find_height(root, MAX_DEPTH)?;
        }
        self.fill()?;
        Ok(self.graph)
    }

    /// Reads the roots, then the first child of each, and so on down: a few large reads instead
    /// of many small ones.
    fn read_first_ways(&mut self, roots: &[u32]) -> Result<(), MetaError> {
        let mut wanted = roots.to_vec();
        for _ in 0..=MAX_DEPTH {
            let from = self.graph.inners.len();
            self.load(&wanted)?;
            let new = self.graph.inners.get(from..).unwrap_or_default();
            wanted = new
                .iter()
                .filter_map(|n| self.graph.children.get(n.first as usize))
                .copied()
                .collect();
            wanted.retain(|block| self.graph.states.get(*block) == State::Unknown);
            sort_unique(&mut wanted);
            if wanted.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// The height of a node: one more than its first child that has one.
    fn find_height(&mut self, block: u32, depth: usize) -> Result<Option<u8>, MetaError> {
        if self.graph.states.get(block) == State::Unknown {
            self.load(&[block])?;
        }
        let State::Inner(index) = self.graph.states.get(block) else {
            return Ok((self.graph.states.get(block) == State::Leaf).then_some(0));
        };
        let Some(inner) = self.graph.inners.get(index as usize).copied() else { return Ok(None) };
        match inner.height {
            UNSEEN if depth > 0 => {}
            UNSEEN | LOOKING => {
                self.damage(block, DamageKind::TooDeep);
                return Ok(None);
            }
            height => return Ok(Some(height)),
        }
        self.set_height(index, LOOKING);
        let mut found = None;
        for edge in inner.span() {
            let child = self.graph.children.get(edge).copied().unwrap_or(NOWHERE);
            found = self.find_height(child, depth - 1)?.map(|below| below + 1);
            if found.is_some() {
                break;
            }
        }
        self.set_height(index, found.unwrap_or(LOOKING));
        if found.is_none() {
            self.graph.states.set(block, State::Bad);
        }
        Ok(found)
    }

    fn set_height(&mut self, index: u32, height: u8) {
        if let Some(inner) = self.graph.inners.get_mut(index as usize) {
            inner.height = height;
        }
    }

    /// Reads everything that stands above the leaves, the highest first.
    fn fill(&mut self) -> Result<(), MetaError> {
        for height in (2..=u8::try_from(MAX_DEPTH).unwrap_or(u8::MAX)).rev() {
            let level = self.graph.inners.iter().filter(|inner| inner.height == height);
            let children =
                level.flat_map(|i| self.graph.children.get(i.span()).unwrap_or_default());
            let mut wanted: Vec<u32> = children
                .copied()
                .filter(|child| self.graph.states.get(*child) == State::Unknown)
                .collect();
            sort_unique(&mut wanted);
            let from = self.graph.inners.len();
            self.load(&wanted)?;
            let new = self.graph.inners.get_mut(from..).unwrap_or_default();
            for inner in new {
                inner.height = height - 1;
            }
        }
        Ok(())
    }

    /// Reads blocks of which nothing is known yet.
    fn load(&mut self, wanted: &[u32]) -> Result<(), MetaError> {
        let mut full = Ok(());
        let Self { blocks, graph, edges, failed } = self;
        let read = blocks.each(wanted, &mut |at, got| {
            let Some(block) = wanted.get(at) else { return ControlFlow::Break(()) };
            if let Err(error) = got {
                *failed += 1;
                if *failed >= FAILING {
                    full = Err(MetaError::Failing { failed: *failed, why: error.to_string() });
                    return ControlFlow::Break(());
                }
            }
            graph.add(*blocks, *block, got);
            if graph.children.len() <= *edges {
                return ControlFlow::Continue(());
            }
            full = Err(too_many(graph.children.len(), *edges));
            ControlFlow::Break(())
        });
        full.and(read)
    }

    fn damage(&mut self, block: u32, kind: DamageKind) {
        self.graph.damages.push(u64::from(block), Part::Mappings(None), kind);
    }
}

/// Bytes that one edge takes: here, and on its way through `descend`.
const EDGE_BYTES: u64 = 40;

fn too_many(edges: usize, limit: usize) -> MetaError {
    let bytes = |edges: usize| Bytes(edges as u64 * EDGE_BYTES);
    let what = "the internal nodes of the mapping trees";
    MetaError::TooLarge { what, needs: bytes(edges), limit: bytes(limit) }
}

impl Graph {
    fn add(&mut self, blocks: Blocks<'_>, block: u32, got: Got<'_>) {
        let state = match parse_got::<8>(got, block) {
            Ok(node) if node.is_internal() => self.add_inner(blocks, &node),
            Ok(_) => State::Leaf,
            Err(kind) => {
                self.damages.push(u64::from(block), Part::Mappings(None), kind);
                State::Bad
            }
        };
        self.states.set(block, state);
    }

    fn add_inner(&mut self, blocks: Blocks<'_>, node: &Node<'_>) -> State {
        let (first, index) = (u32::try_from(self.children.len()), u32::try_from(self.inners.len()));
        let (Ok(first), Ok(index), Ok(len)) = (first, index, u32::try_from(node.len())) else {
            return State::Bad;
        };
        self.keys.extend(node.keys());
        for reference in node.numbers() {
            let child = blocks.number(reference).unwrap_or_else(|kind| {
                self.damages.push(reference, Part::Mappings(None), kind);
                NOWHERE
            });
            self.children.push(child);
        }
        self.inners.push(Inner { height: UNSEEN, first, len });
        State::Inner(index)
    }
}

pub(super) fn sort_unique(blocks: &mut Vec<u32>) {
    blocks.sort_unstable();
    blocks.dedup();
}
