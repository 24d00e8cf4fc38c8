//! How large: rounding to extents and blocks, LVM's own estimate of a pool's metadata, its caps.
//!
//! Pure numbers. Nothing here ever rounds below what is there.

use crate::intent::Amount;
use crate::units::{Bytes, Extents, Sectors};

/// The most metadata LVM gives a pool: 33161216 sectors, 15.81 GiB (lvm2,
/// `DM_THIN_MAX_METADATA_SIZE`). The kernel uses no more than 33292800.
pub const MOST_METADATA: Bytes = Bytes(33_161_216 * 512);

/// The first extent of a new PV lies behind its label and metadata area.
const PE_START: u64 = 1 << 20;

/// A number of extents that holds so many bytes.
pub const fn extents_up(bytes: Bytes, extent: Bytes) -> Extents {
    if extent.0 == 0 { Extents(0) } else { Extents(bytes.0.div_ceil(extent.0)) }
}

/// Whole extents in so many bytes.
pub const fn extents_down(bytes: Bytes, extent: Bytes) -> Extents {
    match bytes.0.checked_div(extent.0) {
        Some(extents) => Extents(extents),
        None => Extents(0),
    }
}

/// Extents that a new PV brings, with LVM's default layout.
pub const fn extents_of_pv(device: Bytes, extent: Bytes) -> Extents {
    extents_down(Bytes(device.0.saturating_sub(PE_START)), extent)
}

/// The metadata that LVM wants for so much data, 64 bytes a block: `lvextend` of data grows
/// metadata to this where it is smaller, since 2.03.03 (lvm2, `estimate_thin_pool_metadata_size`).
pub const fn wanted_metadata(data: Bytes, block: Sectors) -> Bytes {
    let block = block.bytes().0;
    if block == 0 {
        return Bytes(0);
    }
    // the estimate is made in whole sectors
    Bytes((data.0 / 512) / (block / 512 * 8) * 512)
}

/// What an amount asks for, against what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// So many bytes in all, more than now.
    More(Bytes),
    /// What is there already.
    Same,
    /// Less than what is there.
    Less(Bytes),
    /// All that is free.
    AllFree,
}

/// Reads an amount against the present size.
pub const fn asked(amount: Amount, now: Bytes) -> Asked {
    match amount {
        Amount::AllFree => Asked::AllFree,
        Amount::By(more) => Asked::More(Bytes(now.0.saturating_add(more.0))),
        Amount::To(size) if size.0 > now.0 => Asked::More(size),
        Amount::To(size) if size.0 == now.0 => Asked::Same,
        Amount::To(size) => Asked::Less(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn extents_hold_what_was_asked_for() {
        let extent = Bytes(4 * MIB);
        assert_eq!(extents_up(Bytes(1), extent), Extents(1));
        assert_eq!(extents_up(Bytes(4 * MIB), extent), Extents(1));
        assert_eq!(extents_up(Bytes(4 * MIB + 1), extent), Extents(2));
        assert_eq!(extents_down(Bytes(8 * MIB - 1), extent), Extents(1));
        // the lab: 10 GiB disks bring 2559 extents of 4 MiB
        assert_eq!(extents_of_pv(Bytes(10 << 30), extent), Extents(2559));
        assert_eq!(extents_of_pv(Bytes(512), extent), Extents(0));
    }

    #[test]
    fn metadata_is_estimated_as_lvm_does() {
        // 95 GiB in blocks of 512 KiB: 194560 blocks of 64 bytes
        assert_eq!(wanted_metadata(Bytes(95 << 30), Sectors(1024)), Bytes(194_560 * 64));
        assert_eq!(wanted_metadata(Bytes(7 << 30), Sectors(128)), Bytes(7 * MIB));
        assert_eq!(wanted_metadata(Bytes(7 << 30), Sectors(0)), Bytes(0));
        // lvmthin(7): 15.81 GiB
        assert_eq!((MOST_METADATA.0 * 100) >> 30, 1581);
    }

    #[test]
    fn an_amount_counts_from_what_is_there() {
        let now = Bytes(100);
        assert_eq!(asked(Amount::By(Bytes(1)), now), Asked::More(Bytes(101)));
        assert_eq!(asked(Amount::To(Bytes(101)), now), Asked::More(Bytes(101)));
        assert_eq!(asked(Amount::To(Bytes(100)), now), Asked::Same);
        assert_eq!(asked(Amount::To(Bytes(99)), now), Asked::Less(Bytes(99)));
        assert_eq!(asked(Amount::By(Bytes(u64::MAX)), now), Asked::More(Bytes(u64::MAX)));
    }
}
