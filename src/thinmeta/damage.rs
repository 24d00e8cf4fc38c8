//! What is wrong with an image, by name and place.
//!
//! A damage never stops a reading by itself: what hangs below the damaged block is missing from
//! the result, and the result says so. Only what leaves nothing to read is a [`MetaError`].

use std::fmt;

use crate::ids::ThinId;
use crate::units::Bytes;

/// The part of the metadata a block belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Block 0.
    Superblock,
    /// The copy of the superblock that a metadata snapshot is.
    HeldRoot,
    /// The upper mapping tree, from device ids to the roots of their trees.
    DeviceRoots,
    /// The mapping tree of a device (one of them, where several share the block).
    Mappings(Option<ThinId>),
    /// The tree of device details.
    Details,
    /// The bitmaps, or the tree above them, of the data space map.
    DataSpaceMap,
    /// The bitmaps, or the index above them, of the metadata space map.
    MetadataSpaceMap,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Superblock => f.write_str("superblock"),
            Self::HeldRoot => f.write_str("metadata snapshot"),
            Self::DeviceRoots => f.write_str("tree of devices"),
            Self::Mappings(Some(id)) => write!(f, "mappings of device {id}"),
            Self::Mappings(None) => f.write_str("mappings"),
            Self::Details => f.write_str("device details"),
            Self::DataSpaceMap => f.write_str("data space map"),
            Self::MetadataSpaceMap => f.write_str("metadata space map"),
        }
    }
}

/// What is wrong with one block, or with one reference to it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DamageKind {
    /// The device did not give the block.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// A reference points behind the end.
    #[error("lies outside the metadata, which ends at block {end}")]
    Outside {
        /// The first block number that is not there.
        end: u64,
    },
    /// The bytes are not the ones that were written.
    #[error("has the checksum {stored:#010x} where {computed:#010x} belongs")]
    Checksum {
        /// What the block says.
        stored: u32,
        /// What its bytes give.
        computed: u32,
    },
    /// The block was written for another place.
    #[error("says that it is block {found}")]
    WrongNumber {
        /// The number in the block.
        found: u64,
    },
    /// Neither leaf nor internal, or both.
    #[error("has the flags {0:#x}, which are neither a leaf's nor an internal node's")]
    Flags(u32),
    /// A tree of other values.
    #[error("has values of {found} bytes where {expected} belong")]
    ValueSize {
        /// In the block.
        found: u32,
        /// By the format.
        expected: u32,
    },
    /// The node's own size is impossible.
    #[error("has room for {found} entries where {expected} fit")]
    MaxEntries {
        /// In the block.
        found: u32,
        /// By the format.
        expected: u32,
    },
    /// More entries than room, or an internal node without any.
    #[error("has {found} entries, with room for {room}")]
    Entries {
        /// In the block.
        found: u32,
        /// The node's maximum.
        room: u32,
    },
    /// Keys do not ascend.
    #[error("has key {index} not above the one before it")]
    KeyOrder {
        /// The first key that is too small.
        index: usize,
    },
    /// A key that cannot be in this part of the tree.
    #[error("has key {key} outside what the node above it allows")]
    KeyBounds {
        /// The key.
        key: u64,
    },
    /// A leaf where an internal node belongs, or the other way round, or another height.
    #[error("stands at another height of the tree than its neighbours")]
    Height,
    /// The tree loops, or is deeper than any real one.
    #[error("leads deeper than any real tree, or back to itself")]
    TooDeep,
    /// A block that one tree reaches by two ways.
    #[error("is reached twice within one tree")]
    ReachedTwice,
    /// A device id that the kernel cannot have made.
    #[error("names device {0}, above the largest id 16777215")]
    DeviceId(u64),
    /// Mappings to blocks that the pool does not have.
    #[error("maps {count} blocks to data blocks that the pool does not have, {first} the first")]
    DataBlock {
        /// The first such data block.
        first: u64,
        /// How many mappings of the leaf are such.
        count: u32,
    },
    /// A field of the superblock that makes no sense.
    #[error("says {field} is {found}")]
    Field {
        /// The field.
        field: &'static str,
        /// Its value.
        found: u64,
    },
    /// A space map whose own counters contradict its bitmaps.
    #[error("counts {counted} blocks in its bitmaps where its root says {said}")]
    Count {
        /// By its bitmaps.
        counted: u64,
        /// By its root.
        said: u64,
    },
    /// Details that contradict the device's tree.
    #[error("says that device {id} maps {said} blocks where its tree maps {counted}")]
    Mapped {
        /// The device.
        id: ThinId,
        /// By its tree.
        counted: u64,
        /// By its details.
        said: u64,
    },
    /// A device of only one of the two trees that every device is in.
    #[error("has no entry for device {0}, which the pool has")]
    NoEntry(ThinId),
    /// Mappings to blocks that the space map says are free.
    #[error("says {said} data blocks are in use where the mappings reach {counted}")]
    Reached {
        /// By the mappings.
        counted: u64,
        /// By the space map.
        said: u64,
    },
}

/// One damage: where, in which part, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The metadata block.
    pub block: u64,
    /// What it belongs to.
    pub part: Part,
    /// What is wrong.
    pub kind: DamageKind,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metadata block {} ({}) {}", self.block, self.part, self.kind)
    }
}

/// The damages of one reading; a hostile image cannot make the list long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damages {
    list: Vec<Damage>,
    total: u64,
}

impl Damages {
    /// Damages that are kept; more are only counted.
    pub const KEPT: usize = 1000;

    /// Adds one.
    pub fn push(&mut self, block: u64, part: Part, kind: DamageKind) {
        self.total = self.total.saturating_add(1);
        if self.list.len() < Self::KEPT {
            self.list.push(Damage { block, part, kind });
        }
    }

    /// Adds all of another reading.
    pub fn append(&mut self, other: Self) {
        self.total = self.total.saturating_add(other.total);
        let room = Self::KEPT.saturating_sub(self.list.len());
        self.list.extend(other.list.into_iter().take(room));
    }

    /// By the blocks that they are in, whatever the order of reading was.
    pub(super) fn by_block(mut self) -> Self {
        self.list.sort_by_key(|damage| damage.block);
        self
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The damages, the first thousand of them.
    pub fn list(&self) -> &[Damage] {
        &self.list
    }

    /// How many there are in all.
    pub fn total(&self) -> u64 {
        self.total
    }
}

/// What could be read, and what was wrong with the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partial<T> {
    /// What could be read.
    pub value: T,
    /// Empty when `value` is whole.
    pub damages: Damages,
}

/// Why nothing could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetaError {
    /// Not even a superblock fits.
    #[error("this is no pool metadata: it has {0} bytes, and a superblock alone has 4096")]
    TooSmall(u64),
    /// Block 0 is all zero, as the kernel takes for "format me".
    #[error("this metadata was never formatted: its superblock is all zero")]
    NotFormatted,
    /// The superblock cannot be one.
    #[error("this is no pool metadata: the superblock {0}")]
    Superblock(DamageKind),
    /// The medium fails, not the metadata.
    #[error("the metadata device gives errors: {failed} blocks could not be read, the last: {why}")]
    Failing {
        /// Blocks that could not be read.
        failed: u64,
        /// The last error.
        why: String,
    },
    /// The claim of the image would cost more memory than was allowed.
    #[error("{what} would take {needs:?} of memory and {limit:?} is allowed")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The memory it would take.
        needs: Bytes,
        /// The limit.
        limit: Bytes,
    },
    /// Commits came faster than the reading, as often as was allowed.
    #[error(
        "the pool commits faster than its metadata can be read: {tries} readings were overtaken"
    )]
    Changing {
        /// Readings made.
        tries: u32,
    },
    /// What was read contradicts itself as no commit does.
    #[error("the metadata changed while it was read: its parts belong to different commits")]
    Torn,
    /// The metadata snapshot is not the one that was to be read.
    #[error("metadata block {0} is not, or no longer, the metadata snapshot")]
    NotHeld(u64),
    /// The id is not in the pool's metadata.
    #[error("there is no device {0} in the pool's metadata")]
    NoDevice(ThinId),
    /// The caller's watch said stop.
    #[error("stopped")]
    Stopped,
}
