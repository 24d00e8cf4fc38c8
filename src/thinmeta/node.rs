//! One btree node, checked against itself.
//!
//! Knows `struct btree_node` (`dm-btree-internal.h`) and its checks (`node_check` in
//! `dm-btree-spine.c`), and nothing of the nodes around it. Keys and values are read where they
//! lie.

use super::block::{Raw, u32_at};
use super::damage::DamageKind;

const HEADER: usize = 32;
const BLOCK_BYTES: u32 = 4096;
const INTERNAL: u32 = 1;
const LEAF: u32 = 2;

/// A node whose header and key order are sound.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    raw: &'a Raw,
    internal: bool,
    entries: usize,
    room: usize,
}

/// The entries of a leaf of mappings, keys and values as they lie in it.
#[derive(Clone, Copy)]
pub(super) struct Entries<'a> {
    pub(super) keys: &'a [[u8; 8]],
    pub(super) values: &'a [[u8; 8]],
}

impl<'a> Entries<'a> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The keys, ascending.
    pub(super) fn keys(&self) -> impl ExactSizeIterator<Item = u64> + Clone + use<'a> {
        self.keys.iter().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// The values.
    pub(super) fn numbers(&self) -> impl ExactSizeIterator<Item = u64> + Clone + use<'a> {
        self.values.iter().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// The lowest and the highest key.
    pub(super) fn key_range(&self) -> Option<(u64, u64)> {
        Some((u64::from_le_bytes(*self.keys.first()?), u64::from_le_bytes(*self.keys.last()?)))
    }
}

/// Entries that fit a node: as many as there is room for, in threes (`calc_max_entries`).
const fn room_for(value_size: u32) -> u32 {
    let fit = (BLOCK_BYTES - 32) / (8 + value_size);
    fit - fit % 3
}

impl<'a> Node<'a> {
    /// Reads the node, whose leaves hold values of `leaf_value` bytes. The checksum was seen to.
    pub(super) fn parse(raw: &'a Raw, leaf_value: usize) -> Result<Self, DamageKind> {
        let internal = match u32_at(raw, 4) {
            INTERNAL => true,
            LEAF => false,
            flags => return Err(DamageKind::Flags(flags)),
        };
        let (entries, room, value) = (u32_at(raw, 16), u32_at(raw, 20), u32_at(raw, 24));
        let leaf_value = u32::try_from(leaf_value).unwrap_or(BLOCK_BYTES);
        let expected = if internal { 8 } else { leaf_value };
        if value != expected {
            return Err(DamageKind::ValueSize { found: value, expected });
        }
        if room != room_for(expected) {
            return Err(DamageKind::MaxEntries { found: room, expected: room_for(expected) });
        }
        if entries > room || (internal && entries == 0) {
            return Err(DamageKind::Entries { found: entries, room });
        }
        let node = Self { raw, internal, entries: entries as usize, room: room as usize };
        node.check_order()?;
        Ok(node)
    }

    fn check_order(&self) -> Result<(), DamageKind> {
        let keys = self.raw_keys();
        let above = keys.get(1..).unwrap_or_default();
        let unsorted = |(low, high): (&[u8; 8], &[u8; 8])| {
            u64::from_le_bytes(*low) >= u64::from_le_bytes(*high)
        };
        // counted without leaving early, which the processor does several at a time
        let bad = keys.iter().zip(above).map(|pair| usize::from(unsorted(pair))).sum::<usize>();
        if bad == 0 {
            return Ok(());
        }
        let index = keys.iter().zip(above).position(unsorted).map_or(0, |at| at + 1);
        Err(DamageKind::KeyOrder { index })
    }

    /// Whether the values are block numbers of nodes below.
    pub(super) fn is_internal(&self) -> bool {
        self.internal
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries
    }

    fn raw_keys(&self) -> &'a [[u8; 8]] {
        self.raw.get(HEADER..HEADER + self.entries * 8).unwrap_or_default().as_chunks().0
    }

    /// The keys, ascending.
    pub(super) fn keys(&self) -> impl ExactSizeIterator<Item = u64> + Clone + use<'a> {
        self.raw_keys().iter().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// The lowest and the highest key.
    pub(super) fn key_range(&self) -> Option<(u64, u64)> {
        let keys = self.raw_keys();
        Some((u64::from_le_bytes(*keys.first()?), u64::from_le_bytes(*keys.last()?)))
    }

    /// Keys and values of a node with values of eight bytes.
    pub(super) fn entries(&self) -> Entries<'a> {
        Entries { keys: self.raw_keys(), values: self.values::<8>() }
    }

    /// The values, each of `N` bytes, which must be the size the node was parsed for (8 in an
    /// internal node).
    pub(super) fn values<const N: usize>(&self) -> &'a [[u8; N]] {
        let start = HEADER + self.room * 8;
        self.raw.get(start..start + self.entries * N).unwrap_or_default().as_chunks().0
    }

    /// The values as numbers: block numbers of an internal node, or 8-byte values of a leaf.
    pub(super) fn numbers(&self) -> impl ExactSizeIterator<Item = u64> + Clone + use<'a> {
        self.values::<8>().iter().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// The entry whose part of the keys holds `key`: the last one not above it.
    pub(super) fn position(&self, key: u64) -> Option<usize> {
        self.raw_keys().partition_point(|bytes| u64::from_le_bytes(*bytes) <= key).checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thinmeta::block::BLOCK;

    #[test]
    fn nodes_have_the_room_that_real_images_show() {
        assert_eq!([8, 24, 16, 4].map(room_for), [252, 126, 168, 336]);
    }

    fn leaf(keys: &[u64]) -> Raw {
        let mut raw = [0; BLOCK];
        let count = u32::try_from(keys.len()).expect("a short list");
        for (at, word) in [(4, 2), (16, count), (20, 252), (24, 8)] {
            raw[at..at + 4].copy_from_slice(&u32::to_le_bytes(word));
        }
        for (at, key) in keys.iter().enumerate() {
            raw[32 + at * 8..40 + at * 8].copy_from_slice(&key.to_le_bytes());
        }
        raw
    }

    #[test]
    fn a_key_out_of_order_is_named_by_its_index() {
        let damage = |keys: &[u64]| Node::parse(&leaf(keys), 8).map(|n| n.len());
        assert_eq!(damage(&[1, 2, 9]), Ok(3));
        assert_eq!(damage(&[1, 2, 2]), Err(DamageKind::KeyOrder { index: 2 }));
        assert_eq!(damage(&[]), Ok(0));
    }

    #[test]
    fn a_key_belongs_to_the_last_entry_not_above_it() {
        let raw = leaf(&[10, 20]);
        let node = Node::parse(&raw, 8).expect("sound");
        assert_eq!(
            [9, 10, 19, 20, 99].map(|k| node.position(k)),
            [None, Some(0), Some(0), Some(1), Some(1)]
        );
    }
}
