//! The superblock: where everything else begins.
//!
//! Knows the layout of `formats.md` 5.6 (`struct thin_disk_superblock` in
//! `dm-thin-metadata.c`); follows no pointer.

use super::block::{BlockKind, Raw, Summed, u32_at, u64_at};
use super::damage::{DamageKind, Damages, MetaError, Part};
use crate::units::{DataBlocks, MetadataBlocks, Sectors};

/// `THIN_SUPERBLOCK_MAGIC`.
const MAGIC: u64 = 27_022_010;

/// The root of a space map: its totals and where its trees begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpaceMapRoot {
    /// Blocks that it maps.
    pub blocks: u64,
    /// Blocks that are in use.
    pub allocated: u64,
    /// The tree of bitmaps (data) or the index block (metadata).
    pub bitmap_root: u64,
    /// The tree of the reference counts from three up.
    pub ref_count_root: u64,
}

impl SpaceMapRoot {
    fn parse(raw: &Raw, at: usize) -> Self {
        Self {
            blocks: u64_at(raw, at),
            allocated: u64_at(raw, at + 8),
            bitmap_root: u64_at(raw, at + 16),
            ref_count_root: u64_at(raw, at + 24),
        }
    }
}

/// The fields of a superblock, as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// Bit 0 is `needs_check`.
    pub flags: u32,
    /// 1 or 2.
    pub version: u32,
    /// The snapshot counter; not a clock.
    pub time: u32,
    /// The number that the pool's owner counts its changes by.
    pub transaction: u64,
    /// The block of the metadata snapshot, where one is held.
    pub held_root: Option<u64>,
    /// Which data blocks are in use. All zero in a metadata snapshot.
    pub data_map: SpaceMapRoot,
    /// Which metadata blocks are in use. All zero in a metadata snapshot.
    pub metadata_map: SpaceMapRoot,
    /// The upper mapping tree.
    pub mapping_root: u64,
    /// The tree of device details.
    pub details_root: u64,
    /// The size of a data block.
    pub data_block: Sectors,
    /// The size of a metadata block; always 8 sectors.
    pub metadata_block: Sectors,
    /// How many metadata blocks the pool was told it has.
    pub metadata_blocks: MetadataBlocks,
    /// Features that older kernels may ignore.
    pub compat_flags: u32,
    /// Features that older kernels may ignore when they only read.
    pub compat_read_only_flags: u32,
    /// Features that older kernels must not touch.
    pub incompat_flags: u32,
}

impl Superblock {
    /// The pool's total of data blocks.
    pub fn data_blocks(&self) -> DataBlocks {
        DataBlocks(self.data_map.blocks)
    }

    /// Whether the kernel refuses to write until `thin_check` has passed.
    pub fn needs_check(&self) -> bool {
        self.flags & 1 == 1
    }

    /// Reads a superblock alone, from the first block of a medium; one that is damaged is an error.
    pub fn read(bytes: &[u8]) -> Result<Self, MetaError> {
        let small = || MetaError::TooSmall(bytes.len() as u64);
        let raw: &Raw = bytes.first_chunk().ok_or_else(small)?;
        let mut notes = Damages::default();
        let read = Self::parse(raw, 0, &mut notes)?;
        match notes.list().first() {
            Some(damage) => Err(MetaError::Superblock(damage.kind.clone())),
            None => Ok(read),
        }
    }

    /// Reads the fields of block `number` and notes everything that is wrong with them. Without
    /// the magic, or with a version from the future, the other fields mean nothing: an error.
    pub(super) fn parse(raw: &Raw, number: u64, notes: &mut Damages) -> Result<Self, MetaError> {
        if raw.iter().all(|byte| *byte == 0) {
            return Err(MetaError::NotFormatted);
        }
        let fields = Self::fields(raw);
        let (magic, version) = (u64_at(raw, 32), u64::from(fields.version));
        for (field, found, good) in [
            ("its magic", magic, magic == MAGIC),
            ("its version", version, matches!(version, 1 | 2)),
        ] {
            if !good {
                return Err(MetaError::Superblock(DamageKind::Field { field, found }));
            }
        }
        let part = if number == 0 { Part::Superblock } else { Part::HeldRoot };
        if let Err(kind) = Summed::of(raw).checked(BlockKind::Superblock, number) {
            notes.push(number, part, kind);
        }
        fields.note_fields(number, part, notes);
        Ok(fields)
    }

    fn fields(raw: &Raw) -> Self {
        Self {
            flags: u32_at(raw, 4),
            version: u32_at(raw, 40),
            time: u32_at(raw, 44),
            transaction: u64_at(raw, 48),
            held_root: Some(u64_at(raw, 56)).filter(|root| *root != 0),
            data_map: SpaceMapRoot::parse(raw, 64),
            metadata_map: SpaceMapRoot::parse(raw, 192),
            mapping_root: u64_at(raw, 320),
            details_root: u64_at(raw, 328),
            data_block: Sectors(u64::from(u32_at(raw, 336))),
            metadata_block: Sectors(u64::from(u32_at(raw, 340))),
            metadata_blocks: MetadataBlocks(u64_at(raw, 344)),
            compat_flags: u32_at(raw, 352),
            compat_read_only_flags: u32_at(raw, 356),
            incompat_flags: u32_at(raw, 360),
        }
    }

    /// What the kernel would refuse to open a pool with.
    fn note_fields(&self, number: u64, part: Part, notes: &mut Damages) {
        // DATA_DEV_BLOCK_SIZE_MIN_SECTORS and _MAX_SECTORS in dm-thin.c
        let block = self.data_block.get();
        let size_ok = (128..=2_097_152).contains(&block) && block.is_multiple_of(128);
        let map = &self.data_map;
        let fields = [
            ("its data block size", block, size_ok),
            ("its metadata block size", self.metadata_block.get(), self.metadata_block.get() == 8),
            ("its incompatible features", self.incompat_flags.into(), self.incompat_flags == 0),
            ("its allocated data blocks", map.allocated, map.allocated <= map.blocks),
            ("its data blocks", map.blocks, map.blocks <= 1 << 40),
        ];
        for (field, found, good) in fields {
            if !good {
                notes.push(number, part, DamageKind::Field { field, found });
            }
        }
    }
}
