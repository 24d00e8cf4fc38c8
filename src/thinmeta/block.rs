//! One metadata block as bytes: its size, its checksum, little-endian numbers out of it.
//!
//! Knows the four salts of the format and nothing of what a block says.

use super::damage::DamageKind;
use crate::units::METADATA_BLOCK_BYTES;

/// Bytes in one metadata block, as an index.
pub const BLOCK: usize = 4096;
const _: () = assert!(BLOCK as u64 == METADATA_BLOCK_BYTES);

/// The bytes of one metadata block.
pub type Raw = [u8; BLOCK];

/// Metadata blocks that the format can address: 255 index entries of 16320 blocks
/// (`dm-space-map-metadata.h`). Block numbers below it fit 32 bits.
pub const MAX_METADATA_BLOCKS: u32 = 255 * 16320;

/// Where every block keeps its own number.
const NUMBER_AT: usize = 8;

/// What a block is, which decides the salt of its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// The superblock or a copy of it.
    Superblock,
    /// A node of any btree.
    Node,
    /// A bitmap of a space map.
    Bitmap,
    /// The metadata space map's list of bitmaps.
    Index,
}

impl BlockKind {
    /// The number the checksum is mixed with (`dm-thin-metadata.c`, `dm-btree-spine.c`,
    /// `dm-space-map-common.c`).
    pub(super) const fn salt(self) -> u32 {
        match self {
            Self::Superblock => 160_774,
            Self::Node => 121_107,
            Self::Bitmap => 240_779,
            Self::Index => 160_478,
        }
    }
}

/// The unsalted sum over all bytes behind the checksum itself: CRC-32C without the final
/// inversion, as the kernel's `crc32c(~0, …)` gives it.
pub(super) fn sum(raw: &Raw) -> u32 {
    !crc32c::crc32c(&raw[4..])
}

/// A block as it was read, with its sum already computed.
#[derive(Clone, Copy)]
pub(super) struct Summed<'a> {
    /// The bytes.
    pub raw: &'a Raw,
    /// [`sum`] of them.
    pub sum: u32,
}

impl<'a> Summed<'a> {
    /// Computes the sum.
    pub(super) fn of(raw: &'a Raw) -> Self {
        Self { raw, sum: sum(raw) }
    }

    /// The bytes, once the checksum and the block's own number agree.
    pub(super) fn checked(self, kind: BlockKind, number: u64) -> Result<&'a Raw, DamageKind> {
        let (stored, computed) = (u32_at(self.raw, 0), self.sum ^ kind.salt());
        if stored != computed {
            return Err(DamageKind::Checksum { stored, computed });
        }
        let found = u64_at(self.raw, NUMBER_AT);
        if found == number { Ok(self.raw) } else { Err(DamageKind::WrongNumber { found }) }
    }
}

/// The 32-bit number at `at`. Offsets are constants of the format, always inside the block.
pub(super) fn u32_at(raw: &Raw, at: usize) -> u32 {
    bytes_at(raw, at).map_or(0, u32::from_le_bytes)
}

/// The 64-bit number at `at`.
pub(super) fn u64_at(raw: &Raw, at: usize) -> u64 {
    bytes_at(raw, at).map_or(0, u64::from_le_bytes)
}

fn bytes_at<const N: usize>(raw: &Raw, at: usize) -> Option<[u8; N]> {
    raw.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_kernels_crc_without_the_last_inversion() {
        // The check value of CRC-32C for "123456789" is 0xe3069283 (RFC 3720's polynomial).
        assert_eq!(!crc32c::crc32c(b"123456789"), 0x1cf9_6d7c);
        // 4092 zero bytes, by the bitwise definition.
        let mut crc = u32::MAX;
        for _ in 0..4092 * 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
        }
        assert_eq!(sum(&[0; BLOCK]), crc);
    }

    #[test]
    fn a_block_of_another_kind_or_place_is_refused() {
        let mut raw = [0; BLOCK];
        raw[8] = 7;
        let stored = sum(&raw) ^ BlockKind::Node.salt();
        raw[..4].copy_from_slice(&stored.to_le_bytes());
        assert!(Summed::of(&raw).checked(BlockKind::Node, 7).is_ok());
        let moved = Summed::of(&raw).checked(BlockKind::Node, 8);
        assert_eq!(moved, Err(DamageKind::WrongNumber { found: 7 }));
        let kind = Summed::of(&raw).checked(BlockKind::Bitmap, 7);
        assert!(matches!(kind, Err(DamageKind::Checksum { .. })));
    }
}
