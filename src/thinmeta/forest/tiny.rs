//! Leaves of few entries that were met where only their height was looked for: a pool of many small
//! devices is nothing but such roots, and would be read twice.

use crate::thinmeta::node::{Entries, Node};

/// Entries of a leaf that is kept.
const FEW: usize = 64;
/// Entries kept in all: 16 MiB of them.
const MOST: usize = 1 << 20;

/// Their entries, by ascending block once they are sorted.
#[derive(Default)]
pub(in crate::thinmeta) struct Tiny {
    at: Vec<Place>,
    keys: Vec<[u8; 8]>,
    values: Vec<[u8; 8]>,
}

struct Place {
    block: u32,
    first: u32,
    len: u32,
}

impl Tiny {
    /// Keeps a sound leaf, if it is small and there is room.
    pub(super) fn add(&mut self, block: u32, node: &Node<'_>) {
        let entries = node.entries();
        if entries.keys.len() > FEW || self.keys.len() + entries.keys.len() > MOST {
            return;
        }
        let (first, len) = (u32::try_from(self.keys.len()), u32::try_from(entries.keys.len()));
        if let (Ok(first), Ok(len)) = (first, len) {
            self.at.push(Place { block, first, len });
            self.keys.extend_from_slice(entries.keys);
            self.values.extend_from_slice(entries.values);
        }
    }

    /// Puts them in order, after which they are found.
    pub(super) fn sort(&mut self) {
        self.at.sort_unstable_by_key(|place| place.block);
    }

    /// The entries of the leaf in a block, where it was kept.
    pub(in crate::thinmeta) fn get(&self, block: u32) -> Option<Entries<'_>> {
        let found = self.at.binary_search_by_key(&block, |place| place.block).ok()?;
        let place = self.at.get(found)?;
        let span = place.first as usize..place.first as usize + place.len as usize;
        Some(Entries { keys: self.keys.get(span.clone())?, values: self.values.get(span)? })
    }
}
