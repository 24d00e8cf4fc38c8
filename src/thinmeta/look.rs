//! A look at metadata that somebody may be writing to: read, and read again until nothing came
//! between.
//!
//! The kernel writes a commit's blocks to free places and the superblock last, so what one
//! superblock names stays whole until the next commit frees it. A look is one commit's when the
//! superblock and the device's count of writes are the same before and after (`facts.md`,
//! Looking). Where the count comes from is the caller's affair.

use super::damage::{DamageKind, Damages, MetaError, Part};
use super::details::Details;
use super::fetch::Watch;
use super::forest::Forest;
use super::groups::Groups;
use super::reader::{Limits, Reader, Shared};
use super::sharing::Sharing;
use super::source::BlockSource;
use super::space_map::Usage;
use super::superblock::{SpaceMapRoot, Superblock};
use crate::units::DataBlocks;

/// The writes that the metadata device has seen, by its own statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    /// Writes that are complete (field 5 of `/sys/block/NAME/stat`).
    pub complete: u64,
    /// Writes under way (the second number of `/sys/block/NAME/inflight`): they are counted as
    /// complete only later, but may already have changed what is read.
    pub under_way: u64,
}

/// How to look.
pub struct Looking<'a> {
    /// Where the metadata is.
    pub source: &'a dyn BlockSource,
    /// The device's writes, now; `None` for a file or a pool that nobody has active.
    pub writes: &'a dyn Fn() -> Option<Writes>,
    /// Readings after which to give up.
    pub tries: u32,
    /// What the reading may cost.
    pub limits: Limits,
    /// Who is told of its progress.
    pub watch: Option<Watch<'a>>,
}

/// What a look gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked<T> {
    /// What was read, all of it of one commit.
    pub value: T,
    /// The readings it took.
    pub tries: u32,
    /// The device's writes from its beginning to its end.
    pub writes: Option<Writes>,
}

/// Reads until a reading was not overtaken by a commit. `read` may ask for another reading
/// itself, with [`MetaError::Torn`].
pub fn look<T>(
    looking: &Looking<'_>,
    mut read: impl FnMut(&Reader<'_>) -> Result<T, MetaError>,
) -> Result<Looked<T>, MetaError> {
    let mut last = MetaError::Changing { tries: looking.tries };
    for tries in 1..=looking.tries {
        match once(looking, &mut read) {
            Ok(Some((value, writes))) => return Ok(Looked { value, tries, writes }),
            Ok(None) => last = MetaError::Changing { tries },
            Err(MetaError::Torn) => last = MetaError::Torn,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// One reading with the device's writes; `None` when a commit came between.
fn once<T>(
    looking: &Looking<'_>,
    read: &mut impl FnMut(&Reader<'_>) -> Result<T, MetaError>,
) -> Result<Option<(T, Option<Writes>)>, MetaError> {
    let before = (looking.writes)();
    let opened = Reader::open(looking.source).map(|reader| {
        let reader = reader.limited(looking.limits);
        match looking.watch {
            Some(watch) => reader.watched(watch),
            None => reader,
        }
    });
    let (value, same) = match opened {
        Ok(reader) => (read(&reader), is_same(&reader)),
        Err(error) => (Err(error), Ok(true)),
    };
    let after = (looking.writes)();
    let quiet = before == after && after.is_none_or(|writes| writes.under_way == 0);
    match (value, same) {
        (Err(MetaError::Stopped), _) => Err(MetaError::Stopped),
        // an error is the medium's or the image's own only when nobody wrote meanwhile
        (_, Ok(same)) if !(quiet && same) => Ok(None),
        (_, Err(_)) if !quiet => Ok(None),
        (Err(error), _) | (_, Err(error)) => Err(error),
        (Ok(value), Ok(_)) => Ok(Some((value, after))),
    }
}

/// Whether the superblock is still the one that the reader opened.
fn is_same(reader: &Reader<'_>) -> Result<bool, MetaError> {
    match reader.read_superblock() {
        Ok(raw) => Ok(*raw == *reader.raw_superblock()),
        Err(error) => Err(MetaError::Failing { failed: 1, why: error.to_string() }),
    }
}

/// Data blocks that are reached, against those that the space map says are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// As many.
    Even,
    /// So many are in use and reached by nobody: leaked in the pool itself.
    Leaked(DataBlocks),
    /// So many more are reached than in use: no commit says that.
    Over(DataBlocks),
}

impl Balance {
    /// Of what was read.
    pub fn of(reached: DataBlocks, usage: &Usage) -> Self {
        let used = DataBlocks(usage.allocated);
        match reached.get().cmp(&usage.allocated) {
            std::cmp::Ordering::Equal => Self::Even,
            std::cmp::Ordering::Less => Self::Leaked(used.minus(reached)),
            std::cmp::Ordering::Greater => Self::Over(reached.minus(used)),
        }
    }
}

/// Everything about a pool's metadata.
pub struct Whole {
    /// The superblock.
    pub superblock: Superblock,
    /// The metadata snapshot's, where one is held.
    pub held: Option<Superblock>,
    /// The details of all devices.
    pub details: Details,
    /// The usage of the data device.
    pub data: Usage,
    /// The usage of the metadata device.
    pub metadata: Usage,
    /// The mapping trees.
    pub forest: Forest,
    /// Exclusive and shared blocks.
    pub sharing: Sharing,
    /// The group of every data block; `None` where that takes too much.
    pub groups: Option<Groups>,
    /// Blocks reached against blocks in use; `None` where damage makes it mean nothing.
    pub balance: Option<Balance>,
    /// All that is damaged.
    pub damages: Damages,
}

impl Whole {
    /// Reads everything once. What contradicts itself is among the damages, beside what is
    /// damaged by itself.
    pub fn read(reader: &Reader<'_>) -> Result<Self, MetaError> {
        let mut whole = Self::read_parts(reader)?;
        let contradictions = whole.contradictions();
        whole.damages.append(contradictions);
        Ok(whole)
    }

    /// Reads everything, of one commit. What contradicts itself is read again, for commits may
    /// have come between unseen; what stays is a damage.
    pub fn look(looking: &Looking<'_>) -> Result<Looked<Self>, MetaError> {
        let mut left = looking.tries;
        look(looking, |reader| {
            left = left.saturating_sub(1);
            let mut whole = Self::read_parts(reader)?;
            let contradictions = whole.contradictions();
            if left > 0 && !contradictions.is_empty() {
                return Err(MetaError::Torn);
            }
            whole.damages.append(contradictions);
            Ok(whole)
        })
    }

    fn read_parts(reader: &Reader<'_>) -> Result<Self, MetaError> {
        let mut damages = reader.damages().clone();
        let details = reader.details()?;
        let usages = if reader.is_snapshot() {
            None
        } else {
            Some((reader.data_usage()?, reader.metadata_usage()?))
        };
        let Shared { forest, sharing, groups } = reader.forest_and_sharing(&details.value)?;
        damages.append(details.damages);
        let superblock = reader.superblock();
        let (data, metadata) = match usages {
            Some((data, metadata)) => {
                damages.append(data.damages);
                damages.append(metadata.damages);
                (data.value, metadata.value)
            }
            None => (reached_only(superblock, &sharing), said(&superblock.metadata_map)),
        };
        damages.append(forest.damages);
        damages.append(sharing.damages.clone());
        let sound = damages.is_empty() && !reader.is_snapshot();
        let balance = sound.then(|| Balance::of(sharing.reached, &data));
        Ok(Self {
            superblock: superblock.clone(),
            held: reader.held().cloned(),
            details: details.value,
            data,
            metadata,
            forest: forest.value,
            sharing,
            groups,
            balance,
            damages,
        })
    }

    /// What sound parts say against each other. Where something is damaged they may well.
    fn contradictions(&self) -> Damages {
        let mut found = Damages::default();
        if !self.damages.is_empty() {
            return found;
        }
        if let Some(Balance::Over(_)) = self.balance {
            let (counted, said) = (self.sharing.reached.get(), self.data.allocated);
            let kind = DamageKind::Reached { counted, said };
            found.push(self.superblock.data_map.bitmap_root, Part::DataSpaceMap, kind);
        }
        let details = self.superblock.details_root;
        for device in &self.sharing.devices {
            match (self.details.get(device.id), device.reached) {
                (None, _) => found.push(details, Part::Details, DamageKind::NoEntry(device.id)),
                (Some(detail), Some(reached)) if detail.mapped != reached => {
                    let (counted, said) = (reached.get(), detail.mapped.get());
                    let kind = DamageKind::Mapped { id: device.id, counted, said };
                    found.push(details, Part::Details, kind);
                }
                _ => {}
            }
        }
        let top = self.superblock.mapping_root;
        for (id, _) in self.details.iter().filter(|(id, _)| self.forest.index_of(*id).is_none()) {
            found.push(top, Part::DeviceRoots, DamageKind::NoEntry(id));
        }
        found
    }
}

/// The usage of data blocks as far as a metadata snapshot tells: those that its devices reach.
fn reached_only(superblock: &Superblock, sharing: &Sharing) -> Usage {
    let used = sharing.reached.get();
    Usage { blocks: superblock.data_map.blocks, allocated: used, counted: used }
}

/// A usage as its root says it, not counted.
fn said(map: &SpaceMapRoot) -> Usage {
    Usage { blocks: map.blocks, allocated: map.allocated, counted: map.allocated }
}
