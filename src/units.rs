//! Quantities with their unit in the type: bytes, sectors, blocks, extents.
//!
//! Knows nothing of hosts, engines or screens. Arithmetic that could overflow is checked or
//! saturates; nothing here panics on hostile numbers.

mod size;

use serde::{Deserialize, Serialize};

pub use size::{Suffix, parse_size};

/// Bytes in one sector. The kernel counts device-mapper lengths in these, whatever the disk.
pub const SECTOR_BYTES: u64 = 512;
/// Bytes in one block of dm-thin metadata (`formats.md` 5.6).
pub const METADATA_BLOCK_BYTES: u64 = 4096;

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The bare number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The sum, held at the largest number instead of wrapping.
            #[must_use]
            pub const fn plus(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }

            /// The difference, never below zero.
            #[must_use]
            pub const fn minus(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }
    };
}

quantity!(
    /// A number of bytes.
    Bytes
);
quantity!(
    /// A number of 512-byte sectors.
    Sectors
);
quantity!(
    /// A number of data blocks of a thin pool; their size is the pool's.
    DataBlocks
);
quantity!(
    /// A number of 4096-byte metadata blocks.
    MetadataBlocks
);
quantity!(
    /// A number of LVM physical extents; their size is the volume group's.
    Extents
);

impl Sectors {
    /// The same length in bytes.
    pub const fn bytes(self) -> Bytes {
        Bytes(self.0.saturating_mul(SECTOR_BYTES))
    }
}

impl Bytes {
    /// Whole sectors in this many bytes, rounded down.
    pub const fn sectors(self) -> Sectors {
        Sectors(self.0 / SECTOR_BYTES)
    }
}

impl DataBlocks {
    /// The same amount in bytes, given the pool's block size.
    pub const fn bytes(self, block: Sectors) -> Bytes {
        Bytes(self.0.saturating_mul(block.bytes().0))
    }
}

impl MetadataBlocks {
    /// The same amount in bytes.
    pub const fn bytes(self) -> Bytes {
        Bytes(self.0.saturating_mul(METADATA_BLOCK_BYTES))
    }
}

impl Extents {
    /// The same amount in bytes, given the size of one extent.
    pub const fn bytes(self, extent: Bytes) -> Bytes {
        Bytes(self.0.saturating_mul(extent.0))
    }
}

/// `part / whole` as 0–1; `None` when there is no whole.
#[allow(clippy::cast_precision_loss, reason = "a ratio for people: 53 bits are plenty")]
pub fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_convert_at_their_boundaries() {
        assert_eq!(Sectors(1).bytes(), Bytes(512));
        assert_eq!(Bytes(1023).sectors(), Sectors(1));
        assert_eq!(DataBlocks(3).bytes(Sectors(128)), Bytes(3 * 65536));
        assert_eq!(MetadataBlocks(2).bytes(), Bytes(8192));
        assert_eq!(Sectors(u64::MAX).bytes(), Bytes(u64::MAX));
        assert_eq!(Bytes(5).minus(Bytes(9)), Bytes(0));
    }

    #[test]
    fn a_ratio_of_nothing_is_unknown() {
        assert_eq!(ratio(1, 0), None);
        assert_eq!(ratio(1, 4), Some(0.25));
    }
}
