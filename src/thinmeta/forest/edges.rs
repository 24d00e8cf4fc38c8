//! The internal nodes: where they are, and what leads from them as far as there is room to keep it.

use super::At;
use crate::thinmeta::block::Summed;
use crate::thinmeta::btree::{MAX_DEPTH, parse_got};
use crate::thinmeta::damage::MetaError;
use crate::thinmeta::fetch::Blocks;
use crate::thinmeta::node::Node;

/// What stands for the place of a node whose edges are not kept.
const NOT_KEPT: u32 = u32::MAX;
/// A child that is no block at all. Block 0 is the superblock, never a node.
const NOWHERE: u32 = 0;

/// A sound internal node.
#[derive(Clone, Copy, Debug)]
struct Inner {
    block: u32,
    first: u32,
    len: u32,
}

/// All sound internal nodes.
pub(in crate::thinmeta) struct Edges {
    /// By height and then by block, the lowest height first.
    levels: Vec<Vec<Inner>>,
    keys: Vec<u64>,
    children: Vec<u32>,
    /// Edges that may be kept.
    room: usize,
}

impl Edges {
    /// None so far, with room for so many edges.
    pub(super) fn new(room: usize) -> Self {
        Self {
            levels: vec![Vec::new(); MAX_DEPTH + 1],
            keys: Vec::new(),
            children: Vec::new(),
            room,
        }
    }

    /// Adds a sound node; those of one height come by ascending block.
    pub(super) fn add(&mut self, blocks: Blocks<'_>, at: At, node: &Node<'_>) {
        let len = u32::try_from(node.len()).unwrap_or(0);
        let first = u32::try_from(self.children.len()).unwrap_or(NOT_KEPT);
        let fits = self.children.len() + node.len() <= self.room && first != NOT_KEPT;
        let first = if fits { first } else { NOT_KEPT };
        if fits {
            self.keys.extend(node.keys());
            self.children
                .extend(node.numbers().map(|child| blocks.number(child).unwrap_or(NOWHERE)));
        }
        if let Some(level) = self.levels.get_mut(usize::from(at.height)) {
            level.push(Inner { block: at.block, first, len });
        }
    }

    /// How many nodes there are.
    pub(super) fn count(&self) -> usize {
        self.levels.iter().map(Vec::len).sum()
    }

    /// What hangs below a node, in key order; nothing below one that is damaged.
    pub(super) fn below(&self, blocks: Blocks<'_>, at: At) -> Result<Vec<(u64, At)>, MetaError> {
        let level = self.levels.get(usize::from(at.height)).map_or(&[][..], Vec::as_slice);
        let found = level.binary_search_by_key(&at.block, |inner| inner.block).ok();
        let (Some(inner), Some(height)) =
            (found.and_then(|place| level.get(place)), at.height.checked_sub(1))
        else {
            return Ok(Vec::new());
        };
        if inner.first == NOT_KEPT {
            return again(blocks, at);
        }
        let span = inner.first as usize..inner.first as usize + inner.len as usize;
        let keys = self.keys.get(span.clone()).unwrap_or_default();
        let children = self.children.get(span).unwrap_or_default();
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
        (key, At { height, block: blocks.number(number).unwrap_or(NOWHERE) })
    };
    Ok(node.keys().zip(node.numbers()).map(child).collect())
}
