//! All metadata blocks in use, read once in the order they lie in.
//!
//! Which of them belong to whom is known only afterwards: internal nodes are noted for the walk of
//! the trees, and what the leaves map is noted under the leaf's own block, until the walk has told
//! who reaches it. Blocks of other kinds, and what nobody turns out to reach, say nothing; what the
//! bitmaps did not name is read when the walk meets it.

use std::ops::{ControlFlow, Range};

use super::btree::parse_got;
use super::damage::MetaError;
use super::fetch::Blocks;
use super::forest::Known;
use super::groups::Chains;
use super::sharing::add_all;

/// A sound leaf, whoever it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeenLeaf {
    /// Its block.
    pub(super) block: u32,
    /// Entries that map blocks of the pool.
    pub(super) inside: u8,
    /// All entries.
    pub(super) entries: u8,
    /// The lowest and the highest key; of no entries, nothing.
    pub(super) keys: (u64, u64),
}

impl SeenLeaf {
    /// The lowest and the highest key.
    pub(super) fn range(&self) -> Option<(u64, u64)> {
        (self.entries > 0).then_some(self.keys)
    }
}

/// What a scan has met.
pub(super) struct Scan {
    /// Nodes, for the walk.
    pub(super) known: Known,
    /// Leaves, by ascending block.
    pub(super) leaves: Vec<SeenLeaf>,
    /// What the leaves map.
    pub(super) chains: Chains,
}

impl Scan {
    /// Reads these blocks, which ascend; data blocks outside `pool` are not there.
    pub(super) fn read(
        blocks: Blocks<'_>,
        (wanted, pool): (&[u32], &Range<u64>),
        (known, chains): (Known, Chains),
    ) -> Result<Self, MetaError> {
        let mut scan = Self { known, leaves: Vec::new(), chains };
        blocks.each(wanted, &mut |at, got| {
            let Some(block) = wanted.get(at) else { return ControlFlow::Break(()) };
            if let Ok(node) = parse_got::<8>(got, *block) {
                scan.known.note(blocks, *block, &node);
                if !node.is_internal() {
                    let entries = node.entries();
                    scan.chains.begin_leaf(*block);
                    let (inside, _) = add_all(entries, pool, pool.end, &mut scan.chains);
                    scan.leaves.push(SeenLeaf {
                        block: *block,
                        inside: u8::try_from(inside).unwrap_or(u8::MAX),
                        entries: u8::try_from(entries.len()).unwrap_or(u8::MAX),
                        keys: entries.key_range().unwrap_or_default(),
                    });
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(scan)
    }
}
