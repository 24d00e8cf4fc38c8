//! What the space maps say is in use.
//!
//! Counts the bitmaps and compares them with their root. Who uses a block is not known here.

use std::ops::ControlFlow;

use super::block::{BLOCK, BlockKind, Raw, Summed, u64_at};
use super::btree::{Seen, Walk};
use super::damage::{DamageKind, Damages, MetaError, Part, Partial};
use super::fetch::{Blocks, Got};
use super::superblock::SpaceMapRoot;
use crate::units::Bytes;

/// Entries of two bits in one bitmap block (`ENTRIES_PER_BLOCK` for 4096-byte blocks).
pub(super) const BITMAP_ENTRIES: u64 = 16320;
const HEADER: usize = 16;
/// Entries in the metadata space map's index block (`MAX_METADATA_BITMAPS`).
const INDEX_ENTRIES: usize = 255;

/// The usage of one space map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Blocks that it maps.
    pub blocks: u64,
    /// Blocks in use by its root.
    pub allocated: u64,
    /// Blocks in use by its bitmaps; less than that where a bitmap is damaged.
    pub counted: u64,
}

/// One bitmap: where it is, and which part of the blocks it covers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Bitmap {
    block: u32,
    index: u64,
}

/// Counts the data space map.
pub(super) fn count_data(
    blocks: Blocks<'_>,
    root: &SpaceMapRoot,
) -> Result<Partial<Usage>, MetaError> {
    let part = Part::DataSpaceMap;
    let mut count = Count::new(blocks, part, *root);
    let mut take = |index: u64, value: &[u8; 16]| count.place(index, reference(value));
    // of the entries only those are kept that lead to a block of their own
    let all = (root.bitmap_root, Bytes(u64::MAX));
    let damages = Walk::entries(blocks, part, all, &mut take)?;
    count.damages.append(damages);
    count.all()
}

/// Counts the metadata space map.
pub(super) fn count_metadata(
    blocks: Blocks<'_>,
    root: &SpaceMapRoot,
) -> Result<Partial<Usage>, MetaError> {
    let mut count = Count::new(blocks, Part::MetadataSpaceMap, *root);
    count.place_index();
    count.all()
}

/// The metadata blocks that are in use, by ascending number, as far as the bitmaps can be read: for
/// reading them in the order they lie in.
pub(super) fn in_use(blocks: Blocks<'_>, root: &SpaceMapRoot) -> Result<Vec<u32>, MetaError> {
    let mut count = Count::new(blocks, Part::MetadataSpaceMap, *root);
    count.place_index();
    let mut bitmaps = std::mem::take(&mut count.bitmaps);
    bitmaps.sort_unstable();
    let wanted: Vec<u32> = bitmaps.iter().map(|bitmap| bitmap.block).collect();
    let mut used = Vec::new();
    blocks.each(&wanted, &mut |at, got| {
        if let (Some(bitmap), Ok(summed)) = (bitmaps.get(at), got)
            && let Ok(raw) = summed.checked(BlockKind::Bitmap, bitmap.block.into())
        {
            let first = bitmap.index.saturating_mul(BITMAP_ENTRIES);
            let here = entries_in_use(raw).map(|entry| first.saturating_add(entry));
            used.extend(here.filter_map(|block| blocks.number(block).ok()));
        }
        ControlFlow::Continue(())
    })?;
    used.sort_unstable();
    Ok(used)
}

fn read_index(blocks: Blocks<'_>, reference: u64) -> Result<Box<Raw>, DamageKind> {
    let number = blocks.number(reference)?;
    let raw = blocks.one(number).map_err(|e| DamageKind::Unreadable(e.to_string()))?;
    Summed::of(&raw).checked(BlockKind::Index, u64::from(number))?;
    Ok(raw)
}

/// The block number in an index entry; its free counts are the allocator's hints.
fn reference(value: &[u8; 16]) -> u64 {
    value.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

struct Count<'s> {
    blocks: Blocks<'s>,
    part: Part,
    root: SpaceMapRoot,
    damages: Damages,
    seen: Seen,
    bitmaps: Vec<Bitmap>,
    counted: u64,
}

impl<'s> Count<'s> {
    fn new(blocks: Blocks<'s>, part: Part, root: SpaceMapRoot) -> Self {
        let (damages, seen, bitmaps) = (Damages::default(), Seen::new(blocks.count()), Vec::new());
        Self { blocks, part, root, damages, seen, bitmaps, counted: 0 }
    }

    /// Counts the bitmaps in the order they lie in.
    fn all(mut self) -> Result<Partial<Usage>, MetaError> {
        let mut bitmaps = std::mem::take(&mut self.bitmaps);
        bitmaps.sort_unstable();
        let wanted: Vec<u32> = bitmaps.iter().map(|bitmap| bitmap.block).collect();
        let blocks = self.blocks;
        blocks.each(&wanted, &mut |at, got| {
            if let Some(bitmap) = bitmaps.get(at) {
                match self.count(*bitmap, got) {
                    Ok(used) => self.counted += used,
                    Err(kind) => self.damages.push(bitmap.block.into(), self.part, kind),
                }
            }
            ControlFlow::Continue(())
        })?;
        let (counted, said) = (self.counted, self.root.allocated);
        // the thin tools themselves write metadata maps that are one off (0.9's restore)
        let exact = self.part == Part::DataSpaceMap && self.damages.is_empty();
        if exact && counted != said {
            let kind = DamageKind::Count { counted, said };
            self.damages.push(self.root.bitmap_root, self.part, kind);
        }
        let value = Usage { blocks: self.root.blocks, allocated: said, counted };
        Ok(Partial { value, damages: self.damages })
    }

    /// Takes note of the metadata space map's bitmaps.
    fn place_index(&mut self) {
        match read_index(self.blocks, self.root.bitmap_root) {
            Ok(raw) => {
                let needed = self.root.blocks.div_ceil(BITMAP_ENTRIES);
                let needed = usize::try_from(needed).unwrap_or(INDEX_ENTRIES).min(INDEX_ENTRIES);
                (0..needed).for_each(|at| self.place(at as u64, u64_at(&raw, HEADER + at * 16)));
            }
            Err(kind) => self.damages.push(self.root.bitmap_root, Part::MetadataSpaceMap, kind),
        }
    }

    /// Takes note of a bitmap, none twice.
    fn place(&mut self, index: u64, reference: u64) {
        match self.blocks.number(reference) {
            Ok(block) if self.seen.mark(block) => self.bitmaps.push(Bitmap { block, index }),
            Ok(_) => self.damages.push(reference, self.part, DamageKind::ReachedTwice),
            Err(kind) => self.damages.push(reference, self.part, kind),
        }
    }

    fn count(&self, bitmap: Bitmap, got: Got<'_>) -> Result<u64, DamageKind> {
        let summed = got.map_err(|error| DamageKind::Unreadable(error.to_string()))?;
        let raw = summed.checked(BlockKind::Bitmap, u64::from(bitmap.block))?;
        let first = bitmap.index.checked_mul(BITMAP_ENTRIES);
        let left = first.and_then(|first| self.root.blocks.checked_sub(first)).filter(|n| *n > 0);
        let left = left.ok_or(DamageKind::KeyBounds { key: bitmap.index })?;
        Ok(used_entries(raw, left.min(BITMAP_ENTRIES)))
    }
}

/// The two-bit entries that are not zero.
fn entries_in_use(raw: &Raw) -> impl Iterator<Item = u64> + '_ {
    let words = raw.get(HEADER..BLOCK).unwrap_or_default().as_chunks::<8>().0;
    (0_u64..).zip(words).flat_map(|(at, word)| {
        let word = u64::from_le_bytes(*word);
        (0..32).filter(move |bit| (word >> (2 * bit)) & 3 != 0).map(move |bit| at * 32 + bit)
    })
}

/// How many of the first `entries` two-bit entries are not zero.
fn used_entries(raw: &Raw, entries: u64) -> u64 {
    const LOW_BITS: u64 = 0x5555_5555_5555_5555;
    let mut left = entries;
    let words = raw.get(HEADER..BLOCK).unwrap_or_default().as_chunks::<8>().0;
    let count = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        let here = left.min(32);
        left -= here;
        let mask = if here == 32 { u64::MAX } else { (1 << (2 * here)) - 1 };
        let used = ((word & mask) | ((word & mask) >> 1)) & LOW_BITS;
        u64::from(used.count_ones())
    };
    words.iter().map(count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_entries_that_exist_are_counted() {
        let mut raw = [0; BLOCK];
        raw[16..].fill(0xff);
        assert_eq!(used_entries(&raw, BITMAP_ENTRIES), 16320);
        assert_eq!(used_entries(&raw, 33), 33);
        assert_eq!(used_entries(&raw, 0), 0);
        // one, two, three references and none: 01, 10, 11, 00
        raw[16..].fill(0);
        raw[16] = 0b0011_1001;
        raw[16 + 9] = 0b0000_0100;
        assert_eq!(used_entries(&raw, BITMAP_ENTRIES), 4);
        assert_eq!(entries_in_use(&raw).collect::<Vec<_>>(), [0, 1, 2, 37]);
    }
}
