//! Walking a small btree whole: device ids, details, the index of the data space map.
//!
//! Level by level, each level's blocks in ascending order, every block at most once. Knows
//! nothing of what the values mean. The trees of mappings are too large for this and share
//! blocks: see `forest`.

use std::ops::ControlFlow;

use super::block::{BlockKind, Summed};
use super::damage::{Damage, DamageKind, Damages, MetaError, Part};
use super::fetch::{Blocks, Got};
use super::node::Node;
use crate::units::Bytes;

/// Levels beyond which no real tree goes: 126 entries on each of sixteen levels would exceed
/// what 64 bits number.
pub(super) const MAX_DEPTH: usize = 16;

/// Which blocks were seen, one bit each.
pub(super) struct Seen(Vec<u64>);

impl Seen {
    /// None of `count` blocks seen yet.
    pub(super) fn new(count: u32) -> Self {
        Self(vec![0; count as usize / 64 + 1])
    }

    /// Marks a block; whether it was new.
    pub(super) fn mark(&mut self, block: u32) -> bool {
        let (word, bit) = (block as usize / 64, 1 << (block % 64));
        self.0.get_mut(word).is_some_and(|word| {
            let new = *word & bit == 0;
            *word |= bit;
            new
        })
    }
}

/// A reference to a node and the keys that may stand below it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Below {
    block: u32,
    low: u64,
    high: u64,
}

/// A walk of one tree with values of `N` bytes.
pub(super) struct Walk<'a, const N: usize> {
    blocks: Blocks<'a>,
    part: Part,
    seen: Seen,
    next: Vec<Below>,
    damages: Damages,
    /// Entries that may still be handed out.
    room: u64,
    full: bool,
}

/// Bytes that an entry takes where all of a tree are kept, with what sorting them takes.
const ENTRY_BYTES: u64 = 64;

impl<'a, const N: usize> Walk<'a, N> {
    /// Hands every entry below `root` to `take`, in the order of the blocks on disk, and returns
    /// what was damaged. More than fit `memory` are an error.
    pub(super) fn entries(
        blocks: Blocks<'a>,
        part: Part,
        (root, memory): (u64, Bytes),
        take: &mut dyn FnMut(u64, &[u8; N]),
    ) -> Result<Damages, MetaError> {
        let (seen, next) = (Seen::new(blocks.count()), Vec::new());
        let (damages, left) = (Damages::default(), memory.get() / ENTRY_BYTES);
        let mut walk = Self { blocks, part, seen, next, damages, room: left, full: false };
        walk.enqueue(root, 0, u64::MAX);
        for _ in 0..MAX_DEPTH {
            if walk.next.is_empty() {
                return Ok(walk.damages);
            }
            let read = walk.level(take);
            if walk.full {
                return Err(MetaError::TooLarge {
                    what: "a list of devices",
                    needs: memory.plus(Bytes(ENTRY_BYTES)),
                    limit: memory,
                });
            }
            read?;
        }
        for below in std::mem::take(&mut walk.next) {
            walk.damages.push(u64::from(below.block), part, DamageKind::TooDeep);
        }
        Ok(walk.damages)
    }

    fn enqueue(&mut self, reference: u64, low: u64, high: u64) {
        let number = self.blocks.number(reference).and_then(|block| {
            if self.seen.mark(block) { Ok(block) } else { Err(DamageKind::ReachedTwice) }
        });
        match number {
            Ok(block) => self.next.push(Below { block, low, high }),
            Err(kind) => self.damages.push(reference, self.part, kind),
        }
    }

    fn level(&mut self, take: &mut dyn FnMut(u64, &[u8; N])) -> Result<(), MetaError> {
        let mut level = std::mem::take(&mut self.next);
        level.sort_unstable();
        let wanted: Vec<u32> = level.iter().map(|below| below.block).collect();
        let blocks = self.blocks;
        blocks.each(&wanted, &mut |index, got| {
            if let Some(below) = level.get(index)
                && let Err(kind) = self.node(*below, got, take)
            {
                self.damages.push(u64::from(below.block), self.part, kind);
            }
            if self.full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }

    fn node(
        &mut self,
        below: Below,
        got: Got<'_>,
        take: &mut dyn FnMut(u64, &[u8; N]),
    ) -> Result<(), DamageKind> {
        let node = parse_got::<N>(got, below.block)?;
        check_bounds(&node, below.low, below.high)?;
        if !node.is_internal() {
            let left = self.room.checked_sub(node.len() as u64);
            self.full |= left.is_none();
            let Some(left) = left else { return Ok(()) };
            self.room = left;
            node.keys().zip(node.values()).for_each(|(key, value)| take(key, value));
            return Ok(());
        }
        let highs = node.keys().skip(1).map(|key| key - 1).chain([below.high]);
        for ((key, child), high) in node.keys().zip(node.numbers()).zip(highs) {
            self.enqueue(child, key, high);
        }
        Ok(())
    }
}

/// The node in a block that was read, every check of its own passed.
pub(super) fn parse_got<const N: usize>(got: Got<'_>, number: u32) -> Result<Node<'_>, DamageKind> {
    let summed = got.map_err(|error| DamageKind::Unreadable(error.to_string()))?;
    let raw = summed.checked(BlockKind::Node, u64::from(number))?;
    Node::parse(raw, N)
}

/// Whether all keys lie where the nodes above allow.
pub(super) fn check_bounds(node: &Node<'_>, low: u64, high: u64) -> Result<(), DamageKind> {
    check_range(node.key_range(), low, high)
}

/// The same of the lowest and the highest key.
pub(super) fn check_range(
    range: Option<(u64, u64)>,
    low: u64,
    high: u64,
) -> Result<(), DamageKind> {
    match range {
        Some((first, _)) if first < low => Err(DamageKind::KeyBounds { key: first }),
        Some((_, last)) if last > high => Err(DamageKind::KeyBounds { key: last }),
        _ => Ok(()),
    }
}

/// The 8-byte value of one key, found along one path; `None` when the tree has no such key.
pub(super) fn look_up(
    blocks: Blocks<'_>,
    part: Part,
    root: u64,
    key: u64,
) -> Result<Option<u64>, Damage> {
    let (mut reference, mut low, mut high) = (root, 0, u64::MAX);
    for _ in 0..MAX_DEPTH {
        let damage = |kind| Damage { block: reference, part, kind };
        let number = blocks.number(reference).map_err(damage)?;
        let raw = blocks.one(number).map_err(|e| damage(DamageKind::Unreadable(e.to_string())))?;
        let node = parse_got::<8>(Ok(Summed::of(&raw)), number).map_err(damage)?;
        check_bounds(&node, low, high).map_err(damage)?;
        let Some(at) = node.position(key) else { return Ok(None) };
        let mut keys = node.keys().skip(at);
        let (found, value) = (keys.next(), node.numbers().nth(at));
        match (found, value) {
            (Some(found), Some(value)) if node.is_internal() => {
                (reference, low) = (value, found);
                high = keys.next().map_or(high, |next| next - 1);
            }
            (found, value) => return Ok(value.filter(|_| found == Some(key))),
        }
    }
    Err(Damage { block: reference, part, kind: DamageKind::TooDeep })
}
