//! Which leg of an inactive mirror holds the truth.
//!
//! LVM marks every leg of an inactive raid1 volume as out of sync, so the legs' own superblocks are
//! read, each at the start of its metadata volume (`struct dm_raid_superblock`,
//! `drivers/md/dm-raid.c`; all numbers little-endian). Of the legs that are in sync the first is what
//! activation shows: what differs on another after a crash is written over from it
//! (`drivers/md/raid1.c`, `raid1_sync_request`).

use super::source::open;
use super::{Laid, Leg};
use crate::sys::ReadHost;
use crate::thinmeta::BLOCK;

/// `DmRd`.
const MAGIC: u32 = 0x6452_6d44;
/// A recovery that is over.
const DONE: u64 = u64::MAX;

/// What a leg says of the mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Superblock {
    devices: u32,
    position: u32,
    /// Raised with every write of the superblocks: a leg that was left out lags behind.
    events: u64,
    /// A bit for each device that failed.
    failed: u64,
    /// How far the leg was rebuilt.
    recovered: u64,
    level: u32,
}

impl Superblock {
    fn parse(block: &[u8]) -> Option<Self> {
        let u32_at = |at: usize| Some(u32::from_le_bytes(*block.get(at..)?.first_chunk()?));
        let u64_at = |at: usize| Some(u64::from_le_bytes(*block.get(at..)?.first_chunk()?));
        (u32_at(0)? == MAGIC).then_some(())?;
        Some(Self {
            devices: u32_at(8)?,
            position: u32_at(12)?,
            events: u64_at(16)?,
            failed: u64_at(24)?,
            recovered: u64_at(32)?,
            level: u32_at(48)?,
        })
    }
}

/// Where the first leg in sync lies; where none is known to be, why.
pub(super) fn leg_in_sync<'a>(host: &dyn ReadHost, legs: &'a [Leg]) -> Result<&'a Laid, String> {
    let superblocks: Vec<_> = legs.iter().map(|leg| read(host, &leg.superblock)).collect();
    choose(&superblocks).and_then(|at| legs.get(at)).map(|leg| &leg.at).ok_or_else(|| {
        "it is inactive and mirrored, and no leg of the mirror says that it is in sync; activate the \
         pool to see it"
            .to_owned()
    })
}

/// A leg that cannot be read says nothing.
fn read(host: &dyn ReadHost, at: &Laid) -> Option<Superblock> {
    let source = open(host, at, None).ok()??;
    let mut bytes = vec![0; 2 * BLOCK];
    // direct I/O wants a page's beginning
    let start = bytes.as_ptr().align_offset(BLOCK).min(BLOCK);
    let block = bytes.get_mut(start..start + BLOCK)?;
    source.read_at(0, block).ok()?;
    Superblock::parse(block)
}

fn choose(legs: &[Option<Superblock>]) -> Option<usize> {
    let freshest = legs.iter().flatten().max_by_key(|leg| leg.events)?;
    let in_sync = |(at, leg): &(usize, &Option<Superblock>)| {
        leg.is_some_and(|leg| {
            leg.level == 1
                && usize::try_from(leg.position) == Ok(*at)
                && usize::try_from(leg.devices) == Ok(legs.len())
                && leg.events == freshest.events
                && leg.recovered == DONE
                && freshest.failed.checked_shr(leg.position).is_some_and(|bits| bits & 1 == 0)
        })
    };
    legs.iter().enumerate().find(in_sync).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(position: u32) -> Superblock {
        Superblock { devices: 2, position, events: 7, failed: 0, recovered: DONE, level: 1 }
    }

    fn chosen(one: Superblock, other: Superblock) -> Option<usize> {
        choose(&[Some(one), Some(other)])
    }

    #[test]
    fn the_first_leg_in_sync_is_chosen() {
        assert_eq!(chosen(leg(0), leg(1)), Some(0));
        assert_eq!(chosen(Superblock { events: 6, ..leg(0) }, leg(1)), Some(1), "left out");
        assert_eq!(chosen(Superblock { recovered: 4096, ..leg(0) }, leg(1)), Some(1), "rebuilt");
        assert_eq!(chosen(leg(0), Superblock { failed: 1, events: 8, ..leg(1) }), Some(1));
        assert_eq!(chosen(leg(0), Superblock { failed: 2, ..leg(1) }), Some(0));
        assert_eq!(choose(&[None, Some(leg(1))]), Some(1), "the first cannot be read");
    }

    #[test]
    fn what_is_in_doubt_is_not_chosen() {
        assert_eq!(choose(&[None, None]), None);
        assert_eq!(choose(&[]), None);
        let failed = Superblock { failed: 0b11, ..leg(1) };
        assert_eq!(chosen(Superblock { events: 6, ..leg(0) }, failed), None);
        for odd in [
            Superblock { level: 5, ..leg(0) },
            Superblock { devices: 3, ..leg(0) },
            Superblock { position: 1, ..leg(0) },
            Superblock { position: 64, ..leg(0) },
        ] {
            assert_eq!(choose(&[Some(odd), None]), None, "{odd:?}");
        }
    }

    #[test]
    fn a_superblock_is_what_the_kernel_writes() {
        // as the lab's check `mirror` prints it of a real leg
        let mut block = vec![0; 4096];
        block[..24].copy_from_slice(b"DmRd\x01\0\0\0\x02\0\0\0\0\0\0\0\x1b\0\0\0\0\0\0\0");
        block[32..48].fill(0xff);
        block[48] = 1;
        assert_eq!(Superblock::parse(&block), Some(Superblock { events: 27, ..leg(0) }));
        block[0] = b'd';
        assert_eq!(Superblock::parse(&block), None);
        assert_eq!(Superblock::parse(b"DmRd"), None);
    }
}
