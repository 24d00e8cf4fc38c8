//! The internal nodes: where they are, and what leads from them as far as there is room to keep it.

use super::At;
use crate::thinmeta::block::Summed;
use crate::thinmeta::btree::parse_got;
use crate::thinmeta::damage::MetaError;
use crate::thinmeta::fetch::Blocks;
use crate::thinmeta::node::Node;

/// An internal node whose edges are kept.
#[derive(Clone, Copy, Debug)]
struct Inner {
    first: u32,
    len: u32,
}

/// The internal nodes that were met.
pub(in crate::thinmeta) struct Edges {
    /// By metadata block, the node's place plus one.
    index: Vec<u32>,
    inners: Vec<Inner>,
    keys: Vec<u64>,
    children: Vec<u32>,
    /// Edges that may be kept.
    room: usize,
    /// Nodes below which nothing is looked for, by ascending block once the walk is done.
    bad: Vec<u32>,
}

/// The edges of one node: the lowest key below each child, and the child's block.
#[derive(Clone, Copy)]
pub(super) struct Kept<'e> {
    pub(super) keys: &'e [u64],
    pub(super) children: &'e [u32],
}

impl Edges {
    /// None so far of so many blocks, with room for so many edges.
    pub(in crate::thinmeta) fn new(blocks: u32, room: usize) -> Self {
        let index = vec![0; blocks as usize];
        let (inners, keys, children, bad) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { index, inners, keys, children, room, bad }
    }

    /// Keeps a node, where there is room and all that it refers to can be there.
    pub(in crate::thinmeta) fn add(&mut self, blocks: Blocks<'_>, block: u32, node: &Node<'_>) {
        let (before, len) = (self.children.len(), node.len());
        let (Ok(first), Ok(len)) = (u32::try_from(before), u32::try_from(len)) else { return };
        if before + node.len() > self.room || self.kept(block).is_some() {
            return;
        }
        self.children.extend(node.numbers().map_while(|child| blocks.number(child).ok()));
        if self.children.len() - before != node.len() {
            self.children.truncate(before);
            return;
        }
        self.keys.extend(node.keys());
        self.inners.push(Inner { first, len });
        if let Some(place) = self.index.get_mut(block as usize) {
            *place = u32::try_from(self.inners.len()).unwrap_or(0);
        }
    }

    /// The edges of a node, where they are kept.
    pub(super) fn kept(&self, block: u32) -> Option<Kept<'_>> {
        let place = self.index.get(block as usize)?.checked_sub(1)?;
        let inner = self.inners.get(place as usize)?;
        let span = inner.first as usize..inner.first as usize + inner.len as usize;
        Some(Kept { keys: self.keys.get(span.clone())?, children: self.children.get(span)? })
    }

    /// From now on nothing is looked for below these.
    pub(super) fn lose(&mut self, mut bad: Vec<u32>) {
        bad.sort_unstable();
        self.bad = bad;
    }

    /// What hangs below a node, in key order; nothing below one that is damaged.
    pub(super) fn below(&self, blocks: Blocks<'_>, at: At) -> Result<Vec<(u64, At)>, MetaError> {
        let Some(height) = at.height.checked_sub(1) else { return Ok(Vec::new()) };
        if self.bad.binary_search(&at.block).is_ok() {
            return Ok(Vec::new());
        }
        let Some(Kept { keys, children }) = self.kept(at.block) else { return again(blocks, at) };
        let child = |(key, block): (&u64, &u32)| (*key, At { height, block: *block });
        Ok(keys.iter().zip(children).map(child).collect())
    }
}

/// Reads a node once more, which was sound.
fn again(blocks: Blocks<'_>, at: At) -> Result<Vec<(u64, At)>, MetaError> {
    let failing = |error: std::io::Error| MetaError::Failing { failed: 1, why: error.to_string() };
    let raw = blocks.one(at.block).map_err(failing)?;
    let Ok(node) = parse_got::<8>(Ok(Summed::of(&raw)), at.block) else {
        return Err(MetaError::Torn);
    };
    if !node.is_internal() {
        return Err(MetaError::Torn);
    }
    let height = at.height - 1;
    let child = |(key, number): (u64, u64)| {
        // what is no block was named when the node was walked
        blocks.number(number).ok().map(|block| (key, At { height, block }))
    };
    Ok(node.keys().zip(node.numbers()).filter_map(child).collect())
}
